import { beforeEach, describe, expect, test } from "vitest";
import { type Checker, createChecker } from "../../../sim/check/checker.ts";
import type { EventFilter, Expectation, Outcome } from "../../../sim/check/expectation.ts";
import type { MemberView } from "../../../sim/check/members.ts";
import type { EventData } from "../../../src/base/machine.ts";
import { SECOND } from "../../../src/base/micros.ts";

const END = 100 * SECOND;
const always = { from: 0, until: END };
let members: Map<number, MemberView>;
let checker: Checker;
let number: number;

const watch = (...expectations: Expectation[]) => {
  checker = createChecker(expectations, (device) => members.get(device));
};
const happens = (seconds: number, device: number, kind: string, data: EventData = {}) =>
  checker.watch({ number: number++, time: seconds * SECOND, device, kind, cause: -1, packet: -1, data });
const end = (seconds = 100, metrics = {}): Outcome =>
  checker.outcomes({ now: seconds * SECOND, isComplete: seconds === 100, metrics })[0]!;
const filter = (kind: string, where: Record<string, string | number> = {}, devices?: number[]): EventFilter => ({
  kind,
  where: new Map(Object.entries(where)),
  devices: devices === undefined ? undefined : new Set(devices),
});

beforeEach(() => {
  members = new Map();
  number = 0;
});

describe("a count", () => {
  const count = (min: number, max: number, event = filter("a.b"), distinctDevices = false): Expectation => ({
    check: "count",
    name: "n",
    window: { from: 10 * SECOND, until: 50 * SECOND },
    event,
    min,
    max,
    distinctDevices,
  });

  test("counts what lies in its window, ends included, of its kind, devices and data", () => {
    watch(count(2, 2, filter("a.b", { notify: 24, text: "x*z" }, [1, 2])));
    const data = { notify: 24, text: "xyz" };
    for (const seconds of [9, 10, 50, 51]) happens(seconds, 1, "a.b", data);
    happens(20, 1, "a.c", data);
    happens(20, 3, "a.b", data);
    happens(20, 1, "a.b", { notify: 25, text: "xyz" });
    happens(20, 1, "a.b", { notify: 24 });
    expect(end()).toMatchObject({ verdict: "passed", found: "2" });
  });

  test("fails at the event that is one too many", () => {
    watch(count(0, 1));
    for (const seconds of [11, 12, 13]) happens(seconds, 0, "a.b");
    expect(end(20)).toMatchObject({ verdict: "failed", found: "3", at: 12 * SECOND });
  });

  test("may count devices instead of events", () => {
    watch(count(2, 2, filter("a.b"), true));
    for (const device of [1, 1, 2]) happens(20, device, "a.b");
    expect(end()).toMatchObject({ ok: true, found: "2" });
  });

  test("is inconclusive while more may come, and decided once none can", () => {
    watch(count(1, 1));
    expect(end(40)).toMatchObject({ verdict: "inconclusive" });
    expect(end(60)).toMatchObject({ verdict: "failed", found: "0" });
    happens(61, 0, "a.b");
    expect(end(70)).toMatchObject({ verdict: "failed" });
  });
});

describe("what has to follow", () => {
  const follows = (sameDevice = true): Expectation => ({
    check: "follows",
    name: "n",
    window: always,
    each: filter("a.lost"),
    by: filter("a.found"),
    within: 5 * SECOND,
    sameDevice,
  });

  test("follows on the same device and in time", () => {
    watch(follows());
    happens(1, 1, "a.lost");
    happens(2, 2, "a.lost");
    happens(6, 1, "a.found");
    happens(7, 2, "a.found");
    expect(end()).toMatchObject({ verdict: "passed", found: "2 followed in time, 0 not" });
  });

  test("fails where it comes too late, on another device, or never", () => {
    for (const [device, seconds] of [
      [1, 7],
      [2, 3],
    ] as const) {
      watch(follows());
      happens(1, 1, "a.lost");
      happens(seconds, device, "a.found");
      expect(end()).toMatchObject({ verdict: "failed", at: 6 * SECOND });
    }
  });

  test("is inconclusive where the run ends before the time is up", () => {
    watch(follows());
    happens(98, 1, "a.lost");
    expect(end()).toMatchObject({ verdict: "inconclusive" });
  });

  test("fails where nothing happened that could be followed", () => {
    watch(follows());
    expect(end()).toMatchObject({ verdict: "failed" });
  });
});

const holds = (sendsWith: number[], opens: [spi: number, untilSeconds: number][]): MemberView => ({
  sendsWith,
  opens: new Map(opens.map(([spi, until]) => [spi, until * SECOND])),
});

const changes = (seconds: number, device: number, view: MemberView | undefined) => {
  if (view === undefined) members.delete(device);
  else members.set(device, view);
  happens(seconds, device, "gm.tekInstalled");
};

describe("members that are to be registered at an instant", () => {
  const registered: Expectation = { check: "registered", name: "n", at: 10 * SECOND, devices: new Set([1, 2]) };

  test("are looked at as they were then, not as they are later", () => {
    watch(registered);
    changes(5, 1, holds([7], [[7, 90]]));
    changes(10, 2, holds([7], [[7, 90]]));
    changes(11, 2, undefined);
    expect(end()).toMatchObject({ verdict: "passed", found: "2 of 2" });
  });

  test("fail where one comes later, or holds a key that has ended", () => {
    watch(registered);
    changes(5, 1, holds([7], [[7, 10]]));
    changes(11, 2, holds([7], [[7, 90]]));
    expect(end()).toMatchObject({ verdict: "failed", found: "0 of 2", at: 10 * SECOND });
  });

  test("are not known where the run ends before", () => {
    watch(registered);
    expect(end(9)).toMatchObject({ verdict: "inconclusive" });
  });
});

describe("members that are to read each other", () => {
  const shared: Expectation = {
    check: "sharedTek",
    name: "n",
    window: { from: 10 * SECOND, until: 80 * SECOND },
    devices: new Set([1, 2]),
  };

  test("do so through a change of keys, as long as each opens what the other sends", () => {
    watch(shared);
    changes(5, 1, holds([7], [[7, 60]]));
    changes(6, 2, holds([7], [[7, 60]]));
    changes(
      30,
      1,
      holds(
        [7],
        [
          [7, 60],
          [8, 200],
        ],
      ),
    );
    changes(
      35,
      2,
      holds(
        [7],
        [
          [7, 60],
          [8, 200],
        ],
      ),
    );
    changes(
      40,
      1,
      holds(
        [8],
        [
          [7, 60],
          [8, 200],
        ],
      ),
    );
    changes(
      45,
      2,
      holds(
        [8],
        [
          [7, 60],
          [8, 200],
        ],
      ),
    );
    expect(end()).toMatchObject({ verdict: "passed" });
  });

  test("do not where one sends with a key before the other has it", () => {
    watch(shared);
    changes(5, 1, holds([7], [[7, 60]]));
    changes(6, 2, holds([7], [[7, 60]]));
    changes(
      30,
      1,
      holds(
        [8],
        [
          [7, 60],
          [8, 200],
        ],
      ),
    );
    changes(
      35,
      2,
      holds(
        [8],
        [
          [7, 60],
          [8, 200],
        ],
      ),
    );
    expect(end()).toMatchObject({ verdict: "failed", at: 30 * SECOND });
  });

  test("do not from the instant on at which the key in use ends, although no event tells it", () => {
    watch(shared);
    changes(5, 1, holds([7], [[7, 60]]));
    changes(6, 2, holds([7], [[7, 60]]));
    expect(end()).toMatchObject({ verdict: "failed", at: 60 * SECOND });
  });

  test("need not before the window begins or after it ends", () => {
    watch(shared);
    changes(10, 1, holds([7], [[7, 81]]));
    changes(10, 2, holds([7], [[7, 81]]));
    expect(end()).toMatchObject({ verdict: "passed" });
  });
});

describe("pings", () => {
  const pings = (hits: number, outOf: number, min = 1): Expectation => ({
    check: "pings",
    name: "n",
    window: { from: 0, until: 50 * SECOND },
    hits,
    outOf,
    min,
  });
  const ping = (sequence: number, fate: "reply" | "lost" | undefined) => {
    happens(sequence, 1, "ping.sent", { ping: "p", sequence });
    if (fate !== undefined) happens(sequence, 1, `ping.${fate}`, { ping: "p", sequence });
  };

  test("are answered in the part that was asked for", () => {
    watch(pings(1, 2));
    for (const [index, fate] of (["reply", "lost", "lost", "reply"] as const).entries()) ping(index, fate);
    expect(end()).toMatchObject({ verdict: "passed", found: "2 of 4 answered, 2 lost, 0 open" });
  });

  test("fail with the first that is lost where all are to be answered", () => {
    watch(pings(1, 1));
    ping(1, "reply");
    ping(2, "lost");
    expect(end(10)).toMatchObject({ verdict: "failed", at: 2 * SECOND });
  });

  test("fail where too few were sent at all", () => {
    watch(pings(1, 1, 2));
    ping(1, "reply");
    expect(end()).toMatchObject({ verdict: "failed", found: "1 of 1 answered, 0 lost, 0 open" });
  });
});

test("a metric lies within bounds, and is not known before the run is complete", () => {
  watch({ check: "metric", name: "n", metric: "rekeys", min: 1, max: 2 });
  expect(end(100, { rekeys: 2 })).toMatchObject({ verdict: "passed" });
  expect(end(100, { rekeys: 3 })).toMatchObject({ verdict: "failed", found: "3" });
  expect(end(50, { rekeys: 2 })).toMatchObject({ verdict: "inconclusive" });
});
