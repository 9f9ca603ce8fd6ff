/** The page about the dialects shows what the code sends today. `npx vitest run test/docs -u` writes it anew. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { YEUNG07_SWITCHES } from "../../src/gikev2/yeung07/switches.ts";
import { dialectComparison } from "./dialectComparison.ts";

const PAGE = fileURLToPath(new URL("../../docs/dialects.md", import.meta.url));

describe("the page about the dialects", () => {
  it("compares messages as they are dissected", async () => {
    let page = readFileSync(PAGE, "utf8");
    for (const [name, text] of dialectComparison()) {
      const open = `<!-- ${name} -->\n`;
      const start = page.indexOf(open);
      expect(start, name).toBeGreaterThan(0);
      const end = page.indexOf(`<!-- end of ${name} -->`);
      page = `${page.slice(0, start + open.length)}\`\`\`text\n${text}\n\`\`\`\n${page.slice(end)}`;
    }
    await expect(page).toMatchFileSnapshot(PAGE);
  });

  it("names every switch with its default", () => {
    const page = readFileSync(PAGE, "utf8");
    for (const [name, value] of Object.entries(YEUNG07_SWITCHES)) {
      const key = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(page).toContain(`| \`${key}\` | \`${value}\` |`);
    }
  });
});
