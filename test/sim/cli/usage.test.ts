import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildCli, type Cli } from "./builtCli.ts";

let cli: Cli;
let folder: string;

beforeAll(async () => {
  cli = await buildCli();
  folder = mkdtempSync(join(tmpdir(), "getvpn-"));
});
afterAll(() => {
  cli.remove();
  rmSync(folder, { recursive: true });
});

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe("bad usage", () => {
  test.each([
    [["fly"]],
    [["run"]],
    [["run", "scenarios/lab.yaml", "--wings"]],
    [["run", "scenarios/lab.yaml", "--until", "soon"]],
    [["run", "scenarios/lab.yaml", "--run", "-1"]],
    [["run", "scenarios/lab.yaml", "--crypto", "rot13"]],
    [["serve", "--port", "70000"]],
    [["validate"]],
    [["validate", "scenarios/there-is-none.yaml"]],
    [["run", "scenarios"]],
  ])("%j exits with 2, says why on stderr and nothing on stdout", async (args) => {
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });

  test("help goes to stdout and names the commands that there are", async () => {
    const { code, stdout } = await cli.run(["--help"]);
    expect(code).toBe(0);
    for (const command of ["run", "serve", "validate", "schema"])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  });
});

describe("schema", () => {
  test("prints JSON Schema and nothing else", async () => {
    const { code, stdout, stderr } = await cli.run(["schema"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#", type: "object" });
  });

  test("ends quietly when its reader has enough", async () => {
    const child = cli.start(["schema"]);
    child.stdout!.destroy();
    let stderr = "";
    child.stderr!.on("data", (data) => {
      stderr += data;
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("validate", () => {
  test("names file, line and column of each problem, in the words of the caller's path", async () => {
    const path = file("two.yaml", "name: two\nduration: 5\ntopology: { nodes: {} }\nwings: 2\n");
    const { code, stdout, stderr } = await cli.run(["validate", path]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`${path}:2:11: badDuration at duration`);
    expect(stderr).toContain(`${path}:4:1: unknownKey at wings`);
    expect(stderr).toContain("2 problems");
  });

  test("tells the problems of all scenarios, and keeps stdout empty if any is bad", async () => {
    const { code, stdout, stderr } = await cli.run(["validate", "scenarios/lab.yaml", "scenarios/bad/empty.yaml"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("scenarios/bad/empty.yaml:1:1: empty");
  });

  test("does not read a file of 100 MB, and tells so in a moment", async () => {
    const path = join(folder, "huge.yaml");
    const descriptor = openSync(path, "w");
    ftruncateSync(descriptor, 100_000_000);
    closeSync(descriptor);
    const { code, stdout, stderr } = await cli.run(["validate", path]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("huge.yaml:1:1: tooLarge");
  });

  test("does not print colours where NO_COLOR is set or nobody looks", async () => {
    const { stderr } = await cli.run(["validate", "scenarios/bad/empty.yaml"], { NO_COLOR: "1" });
    expect(stderr).not.toContain("\u001b");
  });
});
