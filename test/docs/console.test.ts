import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { helpText } from "../../src/ios/complete.ts";
import { execRows, isIosError, parseExec } from "../../src/ios/exec.ts";
import { typed } from "../sim/cli/typed.ts";

const PAGE = readFileSync(fileURLToPath(new URL("../../docs/console.md", import.meta.url)), "utf8");
const COMMANDS = [...PAGE.matchAll(/^\| `([^`]+)` \|/gm)].map(([, command]) => command!);

/** Words that may follow, arguments left out. */
function keywords(text: string): string[] {
  return [...helpText([execRows], text).matchAll(/^ {2}([a-z][a-z0-9-]*)$/gm)].map(([, word]) => word!);
}

describe("docs/console.md", () => {
  const { type, session } = typed("dual-protocol.yaml");
  type("until 5s");

  test.each(COMMANDS)("%s is a command, and is answered", (command) => {
    const parsed = parseExec(command);
    expect(isIosError(parsed)).toBe(false);
    const answers = ["ks1", "gm1", "gm3"].map((device) => {
      type(`@${device}`);
      const text = type(command);
      // Questions are answered with no, and modes left.
      session.question = undefined;
      session.typing = undefined;
      return text;
    });
    expect(answers.filter((text) => !/^%.*(?:modelled|does not do this)/.test(text))).not.toEqual([]);
  });

  test.each([
    "show crypto",
    "show crypto gkm",
    "show crypto ikev2",
    "show crypto isakmp",
    "show crypto ipsec",
    "show ip",
  ])("leaves out nothing that may stand behind `%s`", (start) => {
    const listed = COMMANDS.filter((command) => command.startsWith(`${start} `));
    const words = new Set(listed.map((command) => command.slice(start.length + 1).split(" ")[0]!));
    const follow = keywords(`${start} `);
    expect(follow.length).toBeGreaterThan(2);
    const missing = follow.filter((word) => !words.has(word) && !SYNONYMS.includes(word));
    expect(missing).toEqual([]);
  });
});

/** Said in the text of the page. */
const SYNONYMS: readonly string[] = ["gdoi", "group", "access-lists"];
