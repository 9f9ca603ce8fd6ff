import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEXT = readFileSync(`${ROOT}README.md`, "utf8");

interface Example {
  readonly command: string;
  readonly output: string;
}

/** Blocks marked `console`: a line with `$` and what it prints. */
const EXAMPLES: readonly Example[] = [...TEXT.matchAll(/```console\n\$ npx getvpn (.*)\n([\s\S]*?)```/g)].map(
  ([, command, output]) => ({ command: command!, output: output! }),
);

describe("the README", () => {
  it("has examples", () => expect(EXAMPLES.length).toBeGreaterThan(1));

  it.each(EXAMPLES)("prints what `$command` prints", ({ command, output }) => {
    const result = spawnSync("node", ["sim/cli/getvpn.mjs", ...command.split(" ")], { cwd: ROOT, encoding: "utf8" });
    expect(result.stdout + (command.startsWith("validate") ? result.stderr : "")).toBe(output);
    expect(result.status).toBe(0);
  });

  it("names only commands that exist", () => {
    const help = execFileSync("node", ["sim/cli/getvpn.mjs", "--help"], { cwd: ROOT, encoding: "utf8" });
    for (const [, name] of TEXT.matchAll(/npx getvpn ([a-z]+)/g))
      expect(help).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  });

  it("names only files and folders that exist", () => {
    for (const [, path] of TEXT.matchAll(/[`(]((?:scenarios|docs|src|sim|web)\/[\w./-]*)[`)]/g)) {
      expect(existsSync(ROOT + path), path).toBe(true);
    }
  });
});
