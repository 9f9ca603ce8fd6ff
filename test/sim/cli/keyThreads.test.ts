import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKeyThreads } from "../../../sim/cli/keyThreads.ts";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { createRun, type RunOptions } from "../../../sim/scenario/runner.ts";
import { SECOND } from "../../../src/base/micros.ts";
import type { Crypto } from "../../../src/crypto/api.ts";
import { native } from "../../../src/crypto/native.ts";
import { finishedRun } from "../../scenarios/diskScenario.ts";
import { buildCli, type Cli, ROOT } from "./builtCli.ts";

let cli: Cli;
beforeAll(async () => {
  cli = await buildCli();
});
afterAll(() => cli.remove());

const MEMBERS = 240;
const text = readFileSync(`${ROOT}scenarios/lossy-rekey.yaml`, "utf8").replace("gm{1..100}", `gm{1..${MEMBERS}}`);
const scenario = loadScenario(new Map([["many.yaml", text]]), "many.yaml");
const untilMicros = 40 * SECOND;

/** The native back end, and how often it did Diffie-Hellman for the run. */
function counted() {
  let calls = 0;
  const crypto: Crypto = {
    ...native,
    dhPublic(group, key) {
      calls++;
      return native.dhPublic(group, key);
    },
    dhShared(group, key, peer) {
      calls++;
      return native.dhShared(group, key, peer);
    },
  };
  return { crypto, calls: () => calls };
}

describe("threads that do Diffie-Hellman ahead", () => {
  test.each([1, 2])("%i of them leave the run the same, and next to nothing of it to do", async (threads) => {
    const alone = counted();
    const reference = finishedRun(scenario, { untilMicros, crypto: alone.crypto });
    const { crypto, calls } = counted();
    let started: ReturnType<typeof startKeyThreads>;
    const ahead: RunOptions["ahead"] = (given, seed, forecast) => {
      started = startKeyThreads(given, seed, forecast, threads, cli.keyWorker);
      return started!.crypto;
    };
    // A run that waits for them: its first event comes when all is worked out.
    const run = createRun(scenario, { untilMicros, crypto, ahead });
    await started!.ended;
    run.step();
    expect(run.end()).toEqual(reference.end());
    expect(alone.calls()).toBeGreaterThanOrEqual(3 * MEMBERS);
    expect(calls()).toBeLessThanOrEqual(alone.calls() - 3 * MEMBERS);
  });

  test("that are stopped at once leave the run the same", async () => {
    const reference = finishedRun(scenario, { untilMicros });
    let started: ReturnType<typeof startKeyThreads>;
    const run = finishedRun(scenario, {
      untilMicros,
      ahead(given, seed, forecast) {
        started = startKeyThreads(given, seed, forecast, 1, cli.keyWorker);
        started!.stop();
        return started!.crypto;
      },
    });
    await started!.ended;
    expect(run.end()).toEqual(reference.end());
  });

  test("are not started for a few members, nor where they were not built", () => {
    const exchange = { initiator: "a", responder: "b", group: 31 } as const;
    const many = Array.from({ length: MEMBERS }, () => exchange);
    expect(startKeyThreads(native, "seed", many.slice(0, 10), 1, cli.keyWorker)).toBeUndefined();
    expect(startKeyThreads(native, "seed", many, 0, cli.keyWorker)).toBeUndefined();
    expect(startKeyThreads(native, "seed", many, 1, new URL("./none.js", cli.keyWorker))).toBeUndefined();
  });
});

test("run gives the same report with threads and without", async () => {
  const folder = mkdtempSync(join(tmpdir(), "getvpn-"));
  const file = join(folder, "many.yaml");
  writeFileSync(file, text);
  const runs = await Promise.all(
    ["0", "1", "2"].map((threads) => cli.run(["run", file, "--until", "20s", "--json", "--threads", threads])),
  );
  rmSync(folder, { recursive: true });
  expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual(runs.map(() => ({ code: 3, stderr: "" })));
  expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(1);
});
