import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { TraceEvent } from "../../sim/core/traceTypes.ts";
import { verdictOf } from "../../sim/scenario/report.ts";
import type { Run } from "../../sim/scenario/runner.ts";
import { SECOND } from "../../src/base/micros.ts";
import { diskScenario, finishedRun } from "./diskScenario.ts";

const folder = fileURLToPath(new URL("../../scenarios/", import.meta.url));
const good = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const refused = readdirSync(`${folder}refused`).map((name) => `refused/${name}`);

const events = (run: Run, kind: string): readonly TraceEvent[] => [...run.trace.ofKind(kind)];
const deviceNamed = (run: Run, name: string) => run.head.devices.findIndex((device) => device.name === name);

describe("a scenario of the repository", () => {
  test.each([...good, ...refused])("%s meets all its expectations, and leaves no configuration line aside", (path) => {
    const scenario = diskScenario(path);
    expect(scenario.expectations.length).toBeGreaterThan(3);
    const report = finishedRun(scenario).report();
    expect(report.expectations.filter(({ ok }) => !ok)).toEqual([]);
    expect(verdictOf(report)).toBe("passed");
    expect(report.ignored).toEqual([]);
  });

  test.each(good)("%s fails expectations where nothing works", (path) => {
    const scenario = diskScenario(path);
    // Without power at the key server nobody gets a key.
    const off = { at: 0, action: { kind: "fault", fault: { kind: "powerOff", device: "ks1" } } } as const;
    const report = finishedRun({ ...scenario, timeline: [off, ...scenario.timeline] }).report();
    expect(verdictOf(report)).toBe("failed");
    expect(report.expectations.filter(({ ok }) => !ok).length).toBeGreaterThan(2);
  });
});

describe("the lab", () => {
  const run = finishedRun(diskScenario("lab.yaml"));

  test("keeps the addresses of the loopbacks outside of ESP", () => {
    const pairs = new Set<string>();
    for (const { packet } of events(run, "packet.sent")) {
      const octets = run.trace.packet(packet);
      if (octets[9] === 50) pairs.add(`${octets.subarray(12, 16).join(".")} ${octets.subarray(16, 20).join(".")}`);
    }
    expect(pairs.size).toBe(12);
    expect(pairs).toContain("1.1.1.1 4.4.4.4");
  });

  test("rekeys with 115 s of the TEK left, and sends with the old one until 30 s are left", () => {
    const created = events(run, "ks.tekCreated").map(({ time }) => time);
    const [first] = events(run, "ks.rekeyStarted");
    const lifetime = 600 * SECOND;
    // Events carry the instant at which the CPU is through with the work, some milliseconds after it fell due.
    const off = (time: number, leftSeconds: number) => Math.abs(created[0]! + lifetime - leftSeconds * SECOND - time);
    expect(off(first!.time, 115)).toBeLessThan(SECOND / 20);
    const changes = events(run, "gm.sendingWith").filter(({ time }) => time > first!.time);
    // Members learn what is left of a lifetime in whole seconds.
    for (const { time } of changes.slice(0, 4)) expect(off(time, 30)).toBeLessThan(SECOND + SECOND / 20);
    expect(changes.length).toBeGreaterThanOrEqual(4);
  });

  test("gives every event a cause that came before it, from the start of a device to the last reply", () => {
    for (const { number, cause, kind } of run.trace.range()) {
      expect(cause, `${number} ${kind}`).toBeLessThan(number);
    }
    const [reply] = events(run, "ping.reply");
    const kinds: string[] = [];
    for (let at: number = reply!.number; at >= 0; at = run.trace.causeOf(at)) kinds.push(run.trace.kindOf(at));
    expect(kinds).toContain("echo.answered");
    expect(kinds).toContain("ping.sent");
  });
});

describe("a rekey over a lossy WAN", () => {
  const run = finishedRun(diskScenario("lossy-rekey.yaml"));

  test("is repeated twice at most, to those that have not acknowledged", () => {
    const copies = new Map<string, number>();
    for (const { data } of events(run, "ks.rekeyRetransmitted")) {
      const key = `${data.member} ${data.sequence}`;
      copies.set(key, (copies.get(key) ?? 0) + 1);
    }
    expect(copies.size).toBeGreaterThan(20);
    expect(Math.max(...copies.values())).toBe(2);
  });

  test("reaches each member, or the member registers again before its TEK ends", () => {
    const [first] = events(run, "ks.rekeyStarted");
    const [second] = events(run, "ks.tekCreated").slice(1);
    const spi = second!.data.spi;
    const expiry = events(run, "ks.tekCreated")[0]!.time + 600 * SECOND;
    const installed = new Map<number, number>();
    for (const { device, time, data } of events(run, "gm.tekInstalled")) {
      if (data.spi === spi) installed.set(device, time);
    }
    expect(first!.data.members).toBe(100);
    expect(installed.size).toBe(100);
    expect(Math.max(...installed.values())).toBeLessThan(expiry);
    const late = events(run, "gm.reregister").filter(({ time }) => time < expiry);
    for (const { device, time } of late) expect(installed.get(device)!).toBeGreaterThanOrEqual(time);
  });
});

describe("a member that is refused", () => {
  test.each([
    ["wrong-psk", "ike.authFailed", undefined],
    ["unknown-group", "ks.refused", 45],
    ["unauthorised", "ks.refused", 46],
    ["no-common-proposal", "ike.refused", 14],
  ])("%s: the key server tells it by %s, and hands out keys to nobody else", (name, kind, notify) => {
    const run = finishedRun(diskScenario(`refused/${name}.yaml`));
    const ks = deviceNamed(run, "ks1");
    const told = events(run, kind).filter(({ device }) => device === ks);
    expect(told.length).toBeGreaterThan(0);
    if (notify !== undefined) for (const { data } of told) expect(data.notify).toBe(notify);
    const holders = new Set(events(run, "gm.tekInstalled").map(({ device }) => device));
    expect(holders).toEqual(new Set([deviceNamed(run, "gm1")]));
  });
});
