/** What a scenario demands, as plain data. Devices are numbers as in the trace head; instants are microseconds. */
import type { Scalar } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";

/** Both ends included. */
export interface Window {
  readonly from: Micros;
  readonly until: Micros;
}

export interface EventFilter {
  readonly kind: string;
  /** Any device when absent. */
  readonly devices?: ReadonlySet<number>;
  /** Data that must be equal; a text may hold `*`. */
  readonly where: ReadonlyMap<string, Scalar>;
}

interface Named {
  /** What is expected, in words. */
  readonly name: string;
}

export type Expectation =
  /** At least `min` and at most `max` events in the window, or devices that had one. */
  | (Named & {
      readonly check: "count";
      readonly window: Window;
      readonly event: EventFilter;
      readonly min: number;
      readonly max: number;
      readonly distinctDevices: boolean;
    })
  /** Each event `each` of the window is followed by one of `by` at most `within` later. */
  | (Named & {
      readonly check: "follows";
      readonly window: Window;
      readonly each: EventFilter;
      readonly by: EventFilter;
      readonly within: Micros;
      readonly sameDevice: boolean;
    })
  | (Named & { readonly check: "registered"; readonly at: Micros; readonly devices: ReadonlySet<number> })
  /** In the whole window each member can open what each other member sends. */
  | (Named & { readonly check: "sharedTek"; readonly window: Window; readonly devices: ReadonlySet<number> })
  /** At least `min` pings were sent in the window, and at least `hits` in `outOf` of them answered. */
  | (Named & {
      readonly check: "pings";
      readonly window: Window;
      readonly devices?: ReadonlySet<number>;
      readonly hits: number;
      readonly outOf: number;
      readonly min: number;
    })
  | (Named & { readonly check: "metric"; readonly metric: string; readonly min: number; readonly max: number });

/**
 * - `passed`, `failed` nothing that could still happen would change it
 * - `inconclusive` the run ended before it was decided
 */
export type Verdict = "passed" | "failed" | "inconclusive";

/** How an expectation came out. */
export interface Outcome {
  readonly name: string;
  readonly verdict: Verdict;
  /** The verdict is `passed`. */
  readonly ok: boolean;
  readonly expected: string;
  readonly found: string;
  /** Instant that decided it, in microseconds; -1 where only the end could. */
  readonly at: Micros;
}
