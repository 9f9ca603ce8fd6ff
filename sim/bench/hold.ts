/**
 * The hold model (W1): so many events are always pending; the next one is handled and schedules its successor after an
 * exponential delay of one second on average. What it costs is the event queue and nothing else.
 */
import { DAY, SECOND } from "../../src/base/micros.ts";
import { Scheduler, type Target } from "../core/scheduler.ts";
import { delayIndex, exponentialDelays, XORSHIFT_SEED, xorshift } from "./delays.ts";

export interface HoldModel {
  /** Handles so many events more. */
  run(events: number): void;
  /** Events handled so far. */
  readonly handled: number;
}

const HOLD_MEAN_MICROS = SECOND;

/** Where the clock stands at first: past the range of small integers, as in any run of some length. */
const HOLD_START = DAY;

/** Through the public scheduler: handles to cancel by, the order of ties, dispatch to one of two handlers. */
export function schedulerHold(pending: number): HoldModel {
  const delays = exponentialDelays(HOLD_MEAN_MICROS);
  const scheduler = new Scheduler(pending);
  let draw = XORSHIFT_SEED;
  let left = 0;
  const next = (): number => {
    draw = xorshift(draw);
    return delays[delayIndex(draw)]!;
  };
  const targets: Target<number>[] = ["even", "odd"].map((name) =>
    scheduler.register<number>(name, (payload, now) => {
      if (--left === 0) scheduler.stop();
      scheduler.schedule(now + next(), targets[payload & 1]!, payload);
    }),
  );
  scheduler.runUntil(HOLD_START);
  for (let i = 0; i < pending; i++) scheduler.schedule(HOLD_START + next(), targets[i & 1]!, i);
  return {
    run(events) {
      left = events;
      scheduler.runUntil(Number.MAX_SAFE_INTEGER);
    },
    get handled() {
      return scheduler.handled;
    },
  };
}

/** What the yardstick has to offer: the npm package flatqueue, a binary heap of keys without cancelling or tie order. */
export interface NumberQueue {
  push(item: number, priority: number): void;
  pop(): number | undefined;
  peekValue(): number | undefined;
}

export function bareHold(pending: number, queue: NumberQueue): HoldModel {
  const delays = exponentialDelays(HOLD_MEAN_MICROS);
  let draw = XORSHIFT_SEED;
  let handled = 0;
  let now = 0;
  const next = (): number => {
    draw = xorshift(draw);
    return delays[delayIndex(draw)]!;
  };
  const handle = (item: number): void => {
    handled++;
    queue.push(item, now + next());
  };
  for (let i = 0; i < pending; i++) queue.push(i, HOLD_START + next());
  return {
    run(events) {
      for (let i = 0; i < events; i++) {
        now = queue.peekValue()!;
        handle(queue.pop()!);
      }
    },
    get handled() {
      return handled;
    },
  };
}
