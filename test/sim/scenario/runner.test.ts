import { describe, expect, test } from "vitest";
import { firstDifference } from "../../../sim/check/firstDifference.ts";
import type { TimelineEntry } from "../../../sim/device/spec.ts";
import { verdictOf } from "../../../sim/scenario/report.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import type { RouterNode } from "../../../sim/scenario/scenario.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { native } from "../../../src/crypto/native.ts";
import { noble } from "../../../src/crypto/noble.ts";
import type { KsTuning } from "../../../src/ks/config.ts";
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

test("a silent member is deleted after three transmissions, or after three rekeys where the scenario says so", () => {
  const lossy = diskScenario("refused/wrong-psk.yaml");
  const ks1 = lossy.nodes.find(({ name }) => name === "ks1") as RouterNode;
  const gm1 = lossy.nodes.find(({ name }) => name === "gm1") as RouterNode;
  const rekey = (at: number): TimelineEntry => {
    const input = { kind: "command", name: "rekey", data: { group: "GKM_GROUP", replaceNow: false } } as const;
    return { at: at * SECOND, action: { kind: "machine", device: "ks1", machine: "ks", input } };
  };
  const off = { kind: "fault", fault: { kind: "powerOff", device: "gm1" } } as const;
  const ejectedAt = (ejectAfter: KsTuning["ejectAfter"]) => {
    const tuned = { ...ks1, tuning: { ks: { ejectAfter }, gm: {} } };
    const run = finishedRun({
      ...lossy,
      nodes: [tuned, gm1],
      clouds: [{ ...lossy.clouds[0]!, sites: lossy.clouds[0]!.sites.filter(({ device }) => device !== "gm2") }],
      duration: 200 * SECOND,
      timeline: [{ at: 10 * SECOND, action: off }, rekey(20), rekey(70), rekey(120)],
      expectations: [],
    });
    return [...run.trace.ofKind("ks.memberEjected")].map(({ time }) => Math.floor(time / SECOND));
  };
  expect(ejectedAt({ unit: "transmission", count: 3 })).toEqual([50]);
  expect(ejectedAt({ unit: "rekey", count: 3 })).toEqual([150]);
});
