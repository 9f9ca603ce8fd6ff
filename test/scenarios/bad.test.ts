import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { buildCli, type Cli, ROOT } from "../sim/cli/builtCli.ts";

const folder = "scenarios/bad";
const names = readdirSync(ROOT + folder).filter((name) => name.endsWith(".yaml"));

/** `# expect: code@line:column ...` in the first line; with the file in front where it is another one. */
function expected(name: string): readonly string[] {
  const first = readFileSync(`${ROOT}${folder}/${name}`, "utf8").split("\n")[0]!;
  // An empty file has no room for a comment.
  return first === "" ? ["empty@1:1"] : first.replace(/^# expect: /, "").split(" ");
}

/** The problems on stderr, in the same form. */
function told(stderr: string, name: string): readonly string[] {
  return [...stderr.matchAll(/^(.+?):(\d+):(\d+): (\w+)/gm)].map(([, file, line, column, code]) => {
    const other = basename(file!) === name ? "" : `${basename(file!)}:`;
    expect(dirname(file!)).toBe(folder);
    return `${code}@${other}${line}:${column}`;
  });
}

let cli: Cli;
beforeAll(async () => {
  cli = await buildCli();
});

describe("a scenario that must be refused", () => {
  test.each(names)("%s is, with all its problems where they stand", async (name) => {
    for (const command of ["validate", "run"]) {
      const { code, stdout, stderr } = await cli.run([command, `${folder}/${name}`]);
      expect({ code, stdout, problems: told(stderr, name) }).toEqual({ code: 2, stdout: "", problems: expected(name) });
    }
  });

  test("shows each kind of mistake that the loader knows", () => {
    const codes = new Set(names.flatMap(expected).map((entry) => entry.split("@")[0]!));
    const known =
      "aliases:tooManyAliases empty badYaml duplicateKey forbiddenKey unknownKey missing wrongType badValue outOfRange " +
      "badDuration badOdds badRate badSize badName badEndpoint badAddress duplicateName unknownNode unknownInterface " +
      "unknownLink unknownSite unknownMetric unknownKind interfaceTaken badPath missingFile unknownVariable conflict " +
      "outsideRun unknownCommand iosInvalidInput iosIncomplete iosRange iosMissing";
    expect(
      known
        .split(" ")
        .map((entry) => entry.split(":").at(-1)!)
        .filter((code) => !codes.has(code)),
    ).toEqual([]);
  });
});
