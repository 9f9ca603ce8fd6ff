import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EventHandle, NO_EVENT, Scheduler } from "../../../sim/core/scheduler.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/base/micros.ts";

/** A scheduler whose only handler notes (time, payload). */
function recorder() {
  const scheduler = new Scheduler();
  const seen: [number, number][] = [];
  const note = scheduler.register<number>("note", (payload, now) => seen.push([now, payload]));
  return { scheduler, seen, note };
}

describe("order", () => {
  it("handles events by time, whatever the order of insertion", () => {
    const { scheduler, seen, note } = recorder();
    const times = [3 * HOUR, 5, 0, 40 * DAY, 1024, 1023, 2 ** 30, 2 ** 30 - 1, 2 ** 52, MINUTE, 2 ** 31, 2 ** 41 + 7];
    times.forEach((time, index) => {
      scheduler.schedule(time, note, index);
    });
    expect(scheduler.runUntil(2 ** 53 - 1)).toBe(times.length);
    expect(seen.map(([time]) => time)).toEqual([...times].sort((a, b) => a - b));
  });

  it("keeps the order of insertion among events of one time, near and far", () => {
    for (const time of [0, 7, 5000, 2 ** 22, 2 ** 33, 2 ** 45]) {
      const { scheduler, seen, note } = recorder();
      for (let i = 0; i < 100; i++) scheduler.schedule(time, note, i);
      scheduler.runUntil(time);
      expect(seen.map(([, payload]) => payload)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    }
  });

  it("puts an event that is scheduled for now behind those of now that wait already", () => {
    const scheduler = new Scheduler();
    const seen: string[] = [];
    const second = scheduler.register<object>("second", () => seen.push("second"));
    const third = scheduler.register<object>("third", () => seen.push("third"));
    const first = scheduler.register<object>("first", (payload, now) => {
      seen.push("first");
      scheduler.schedule(now, third, payload);
    });
    scheduler.schedule(9_000_000, first, {});
    scheduler.schedule(9_000_000, second, {});
    scheduler.runUntil(9_000_000);
    expect(seen).toEqual(["first", "second", "third"]);
  });

  it("agrees with a sorted list over any mixture of scheduling, cancelling and running", () => {
    const span = fc.oneof(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 3000 }),
      fc.integer({ min: 0, max: 100 * SECOND }),
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.maxSafeInteger().map((n) => Math.abs(n) % 2 ** 50),
    );
    const command = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("schedule" as const), span }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), which: fc.nat(1000) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("step" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("run" as const), span }) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const { scheduler, seen, note } = recorder();
        const model: { time: number; id: number; handle: EventHandle }[] = [];
        const expected: [number, number][] = [];
        let now = 0;
        let id = 0;
        const order = () => model.sort((a, b) => a.time - b.time || a.id - b.id);
        for (const c of commands) {
          if (c.do === "schedule") {
            const time = Math.min(now + c.span, 2 ** 53 - 1);
            model.push({ time, id, handle: scheduler.schedule(time, note, id) });
            id++;
          } else if (c.do === "cancel" && model.length > 0) {
            const [gone] = model.splice(c.which % model.length, 1);
            expect(scheduler.timeOf(gone!.handle)).toBe(gone!.time);
            expect(scheduler.cancel(gone!.handle)).toBe(true);
            expect(scheduler.cancel(gone!.handle)).toBe(false);
          } else if (c.do === "step") {
            const next = order().shift();
            expect(scheduler.step()).toBe(next !== undefined);
            if (next !== undefined) {
              now = next.time;
              expected.push([next.time, next.id]);
              expect(scheduler.cancel(next.handle)).toBe(false);
            }
          } else if (c.do === "run") {
            const until = Math.min(now + c.span, 2 ** 53 - 1);
            const due = order().filter((event) => event.time <= until);
            model.splice(0, due.length);
            for (const event of due) expected.push([event.time, event.id]);
            expect(scheduler.runUntil(until)).toBe(due.length);
            now = until;
          }
          expect(scheduler.pending).toBe(model.length);
          expect(scheduler.now).toBe(now);
          expect(scheduler.nextTime()).toBe(order()[0]?.time);
        }
        expect(seen).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe("cancelling", () => {
  it("answers false for no event, for one that is over, and for one whose slot serves another by now", () => {
    const { scheduler, note, seen } = recorder();
    expect(scheduler.cancel(NO_EVENT)).toBe(false);
    const old = scheduler.schedule(5, note, 1);
    scheduler.runUntil(10);
    expect(scheduler.cancel(old)).toBe(false);
    const young = scheduler.schedule(20, note, 2);
    expect(scheduler.cancel(old)).toBe(false);
    expect(scheduler.timeOf(old)).toBeUndefined();
    expect(scheduler.timeOf(young)).toBe(20);
    scheduler.runUntil(20);
    expect(seen).toEqual([
      [5, 1],
      [20, 2],
    ]);
  });

  it("uses slots again, so that a million timers that are always cancelled need no more room than one", () => {
    const { scheduler, note } = recorder();
    const first = scheduler.schedule(1000, note, 0);
    scheduler.cancel(first);
    let slots = new Set<number>([first % 2 ** 25]);
    for (let i = 0; i < 100_000; i++) {
      const handle = scheduler.schedule(1000 + i, note, i);
      slots = slots.add(handle % 2 ** 25);
      scheduler.cancel(handle);
    }
    expect(slots.size).toBe(1);
    expect(scheduler.pending).toBe(0);
  });
});

describe("running", () => {
  it("stops at the instant asked for and goes on from there", () => {
    const { scheduler, note, seen } = recorder();
    for (let i = 1; i <= 30; i++) scheduler.schedule(i * SECOND, note, i);
    expect(scheduler.runUntil(12 * SECOND)).toBe(12);
    expect(scheduler.now).toBe(12 * SECOND);
    // Between the limit and the next event there is room for another, even where the queue has looked further ahead.
    scheduler.schedule(12 * SECOND + 1, note, 99);
    expect(scheduler.step()).toBe(true);
    expect(seen.at(-1)).toEqual([12 * SECOND + 1, 99]);
    expect(scheduler.runUntil(HOUR)).toBe(18);
    expect(scheduler.handled).toBe(31);
  });

  it("ends behind the handler that calls stop, and now stays there", () => {
    const scheduler = new Scheduler();
    const halt = scheduler.register<number>("halt", () => scheduler.stop());
    scheduler.schedule(3, halt, 0);
    scheduler.schedule(4, halt, 0);
    expect(scheduler.runUntil(SECOND)).toBe(1);
    expect(scheduler.now).toBe(3);
    expect(scheduler.pending).toBe(1);
  });

  it("dispatches to the handler of the target with the payload given", () => {
    const scheduler = new Scheduler();
    const seen: unknown[] = [];
    const text = scheduler.register<{ text: string }>("text", (payload) => seen.push(payload.text));
    const number = scheduler.register<number>("number", (payload) => seen.push(payload));
    scheduler.schedule(1, text, { text: "a" });
    scheduler.schedule(2, number, 7);
    scheduler.runUntil(2);
    expect(seen).toEqual(["a", 7]);
  });

  it("refuses the past and anything that is no whole microsecond", () => {
    const { scheduler, note } = recorder();
    scheduler.runUntil(100);
    for (const time of [99, -1, 100.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => scheduler.schedule(time, note, 0)).toThrow(/^note is scheduled for/);
    }
    expect(scheduler.pending).toBe(0);
  });

  it("grows past its first capacity without losing anything", () => {
    const scheduler = new Scheduler(16);
    let sum = 0;
    const add = scheduler.register<number>("add", (payload) => {
      sum += payload;
    });
    for (let i = 0; i < 5000; i++) scheduler.schedule((i * 7919) % 100_003, add, i);
    scheduler.runUntil(200_000);
    expect(sum).toBe((4999 * 5000) / 2);
  });
});
