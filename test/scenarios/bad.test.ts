import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildCli, type Cli, type Finished, ROOT } from "../sim/cli/builtCli.ts";

const folder = "scenarios/bad";
const names = readdirSync(ROOT + folder).filter((name) => name.endsWith(".yaml"));

/** `# expect: code@line:column ...` in the first line; with the file in front where it is another one. */
function expected(name: string): readonly string[] {
  const first = readFileSync(`${ROOT}${folder}/${name}`, "utf8").split("\n")[0]!;
  // An empty file has no room for a comment.
  return first === "" ? ["empty@1:1"] : first.replace(/^# expect: /, "").split(" ");
}

/** The problems on stderr, in the same form, by scenario. Files of configurations bear the name of their scenario. */
function told(stderr: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [, file, line, column, code] of stderr.matchAll(/^(.+?):(\d+):(\d+): (\w+)/gm)) {
    expect(dirname(file!)).toBe(folder);
    const name = basename(file!);
    const scenario = name.replace(/\.cfg$/, ".yaml");
    const other = scenario === name ? "" : `${name}:`;
    found.set(scenario, [...(found.get(scenario) ?? []), `${code}@${other}${line}:${column}`]);
  }
  return found;
}

let cli: Cli;
let all: Finished;
let problems: ReadonlyMap<string, readonly string[]>;
beforeAll(async () => {
  cli = await buildCli();
  all = await cli.run(["validate", ...names.map((name) => `${folder}/${name}`)]);
  problems = told(all.stderr);
});
afterAll(() => cli.remove());

describe("a scenario that must be refused", () => {
  test.each(names)("%s is, with all its problems where they stand", (name) => {
    expect(problems.get(name)).toEqual(expected(name));
  });

  test("leaves nothing on stdout, and the exit code says that the input cannot be used", () => {
    expect({ code: all.code, stdout: all.stdout }).toEqual({ code: 2, stdout: "" });
  });

  test("is refused by `run` in the same words", async () => {
    const { code, stdout, stderr } = await cli.run(["run", `${folder}/ios.yaml`]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(told(stderr).get("ios.yaml")).toEqual(expected("ios.yaml"));
  });

  test("shows each kind of mistake that the loader knows", () => {
    const codes = new Set(names.flatMap(expected).map((entry) => entry.split("@")[0]!));
    const known =
      "tooManyAliases empty badYaml duplicateKey forbiddenKey unknownKey missing wrongType badValue outOfRange " +
      "badDuration badOdds badRate badSize badName badEndpoint badAddress duplicateName unknownNode unknownInterface " +
      "unknownLink unknownSite unknownMetric unknownKind interfaceTaken badPath missingFile unknownVariable conflict " +
      "outsideRun roleMissing unknownCommand iosInvalidInput iosIncomplete iosRange iosMissing";
    expect(
      known
        .split(" ")

        .filter((code) => !codes.has(code)),
    ).toEqual([]);
  });
});
