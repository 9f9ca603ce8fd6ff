import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cancelTimer, createTimers, nextTimer, setTimer, takeDue, timerAt } from "../../src/base/timers.ts";

describe("timers", () => {
  it("fall due in order of time, then in the order in which they were set", () => {
    const timers = createTimers<string>();
    setTimer(timers, "late", 30);
    setTimer(timers, "a", 10);
    setTimer(timers, "b", 10);
    setTimer(timers, "late", 10);
    expect([1, 2, 3, 4].map(() => takeDue(timers, 10))).toEqual(["a", "b", "late", undefined]);
  });

  it("a deadline in the future stays", () => {
    const timers = createTimers<string>();
    setTimer(timers, "a", 10);
    expect(takeDue(timers, 9)).toBeUndefined();
    expect(nextTimer(timers)).toBe(10);
  });

  it("agrees with a sorted list over random sets, moves and cancellations", () => {
    const step = fc.tuple(
      fc.integer({ min: 0, max: 40 }),
      fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const timers = createTimers<number>();
        const model = new Map<number, { at: number; order: number }>();
        steps.forEach(([key, at], order) => {
          if (at === undefined) {
            expect(cancelTimer(timers, key)).toBe(model.delete(key));
          } else {
            setTimer(timers, key, at);
            model.set(key, { at, order });
          }
          expect(timerAt(timers, key)).toBe(model.get(key)?.at);
        });
        const sorted = [...model].sort(([, a], [, b]) => a.at - b.at || a.order - b.order).map(([key]) => key);
        const taken: number[] = [];
        for (let key = takeDue(timers, 50); key !== undefined; key = takeDue(timers, 50)) taken.push(key);
        expect(taken).toEqual(sorted);
        expect([timers.heap.length, timers.byKey?.size ?? 0]).toEqual([0, 0]);
      }),
    );
  });
});
