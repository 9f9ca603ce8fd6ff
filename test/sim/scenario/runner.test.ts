import { describe, expect, test } from "vitest";
import { firstDifference } from "../../../sim/check/firstDifference.ts";
import { verdictOf } from "../../../sim/scenario/report.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { native } from "../../../src/crypto/native.ts";
import { noble } from "../../../src/crypto/noble.ts";
import { diskScenario, finishedRun } from "../../scenarios/diskScenario.ts";

const lab = diskScenario("lab.yaml");
/** Registration, traffic and the first rekey. */
const untilMicros = 500 * SECOND;
const reference = finishedRun(lab, { untilMicros });

describe("a run", () => {
  test.each([
    ["a second time", {}],
    ["with the portable back end", { crypto: noble }],
    ["without shared results", { memo: false }],
    ["with the portable back end and without shared results", { crypto: noble, memo: false }],
  ])("leaves the same trace %s", (_, options) => {
    const run = finishedRun(lab, { untilMicros, ...options });
    expect(firstDifference(run.trace, reference.trace)).toBeUndefined();
    expect(run.report()).toEqual(reference.report());
  });

  test.each(["protocol", "off"] as const)("has the same fingerprint at trace level %s", (traceLevel) => {
    const run = finishedRun(lab, { untilMicros, traceLevel });
    expect(run.end()).toEqual(reference.end());
  });

  test("does not depend on the slices in which it is driven", () => {
    const run = createRun(lab, { crypto: native, untilMicros });
    for (let until = 0; !run.done; until += 7 * SECOND) {
      run.step({ maxEvents: 13 });
      run.step({ untilMicros: until });
    }
    expect(run.end()).toEqual(reference.end());
  });

  test.each([
    ["seed", { seed: "another" }],
    ["number", { run: 1 }],
  ])("with another %s is another run", (_, options) => {
    const run = finishedRun(lab, { untilMicros: 2 * SECOND, ...options });
    const difference = firstDifference(run.trace, finishedRun(lab, { untilMicros: 2 * SECOND }).trace);
    // The first thing that is drawn is an SPI: told by an event, then on the wire.
    expect(difference).toMatchObject({ what: "data" });
    expect(difference!.a).toContain("ike.initiated");
    expect(run.report().fingerprint).not.toBe(reference.report().fingerprint);
  });

  test("stops at an instant that its driver names, with all of that instant done", () => {
    const run = createRun(lab, { crypto: native });
    run.step({ untilMicros: 30 * SECOND });
    expect(run.now).toBeLessThanOrEqual(30 * SECOND);
    expect(run.done).toBe(false);
    run.step({ untilMicros: 31 * SECOND });
    for (const { time } of run.trace.range()) expect(time).toBeLessThanOrEqual(31 * SECOND);
  });
});

describe("a run that is cut short", () => {
  test("has failed nothing, but is inconclusive", () => {
    const report = reference.report();
    expect(report).toMatchObject({ virtualSeconds: 500, isComplete: false });
    expect(report.expectations.some(({ verdict }) => verdict === "failed")).toBe(false);
    expect(report.expectations.find(({ name }) => name.startsWith("all four"))).toMatchObject({ verdict: "passed" });
    expect(verdictOf(report)).toBe("inconclusive");
  });

  test("by the limit of events ends there", () => {
    const run = finishedRun({ ...lab, limits: { events: 100 } });
    expect(run.done).toBe(true);
    expect(verdictOf(run.report())).toBe("inconclusive");
    expect(run.now).toBeLessThan(10 * SECOND);
  });
});

test("keys of a run are told apart from its trace, which holds none", () => {
  const entries = reference.keys();
  expect(new Set(entries.map(({ kind }) => kind))).toEqual(new Set(["ike", "esp"]));
  for (const { data } of reference.trace.range()) {
    for (const value of Object.values(data)) expect(["string", "number", "boolean"]).toContain(typeof value);
  }
});
