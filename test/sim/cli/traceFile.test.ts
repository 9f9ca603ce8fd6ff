import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { OutputError } from "../../../sim/cli/outputFiles.ts";
import { createTraceFile } from "../../../sim/cli/traceFile.ts";
import { buildCli, type Cli } from "./builtCli.ts";

/** Its events and packets fill a block. */
const scenario = "scenarios/key-tree.yaml";
let folder: string;
let cli: Cli;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "getvpn-"));
  cli = await buildCli();
});
afterAll(() => {
  cli.remove();
  rmSync(folder, { recursive: true });
});
afterEach(() => void vi.unstubAllEnvs());

describe("the file of a trace", () => {
  test("gives blocks back, and has no name while it is there", () => {
    const place = mkdtempSync(join(folder, "tmp-"));
    vi.stubEnv("TMPDIR", place);
    const { spill, close } = createTraceFile(0);
    const blocks = [1, 2, 3].map((value) => new Uint8Array(1_000 * value).fill(value));
    const places = blocks.map((block) => spill.store.write(block));
    const back = blocks.map((block) => new Uint8Array(block.length));
    back.forEach((into, i) => {
      spill.store.read(places[i]!, into);
    });
    expect(back).toEqual(blocks);
    expect(readdirSync(place)).toEqual([]);
    close();
  });

  test("that cannot be made is told with its folder", () => {
    vi.stubEnv("TMPDIR", join(folder, "nowhere"));
    const { spill } = createTraceFile(0);
    expect(() => spill.store.write(new Uint8Array(1))).toThrow(OutputError);
    expect(() => spill.store.write(new Uint8Array(1))).toThrow(/nowhere: .* cannot be written \(ENOENT\)$/);
  });
});

describe("run --trace-memory 0", () => {
  test("leaves the same trace, capture and report as a run in memory, and nothing else", async () => {
    const place = join(folder, "place");
    mkdirSync(place);
    const [inMemory, inFile] = [join(folder, "memory"), join(folder, "file")];
    const flags = ["--trace-memory", "0"];
    const runs = await Promise.all([
      cli.run(["run", scenario, "--json", "--out", inMemory]),
      cli.run(["run", scenario, "--json", "--out", inFile, ...flags], { TMPDIR: place }),
    ]);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[0]!.code).toBe(0);
    for (const name of ["trace.ndjson", "capture.pcapng", "report.json"]) {
      expect(readFileSync(join(inFile, name)).equals(readFileSync(join(inMemory, name)))).toBe(true);
    }
    expect(readdirSync(place)).toEqual([]);
  });

  test("ends with 2 where there is no room, and says where", async () => {
    const place = join(folder, "nowhere");
    const args = ["run", scenario, "--trace-memory", "0"];
    const { code, stdout, stderr } = await cli.run(args, { TMPDIR: place });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(
      `${place}: the part of the trace that memory has no room for cannot be written (ENOENT)\n`,
    );
  });
});
