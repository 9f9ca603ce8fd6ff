/** What a run comes to, as plain data for people and programs: without clocks, hosts and absolute paths. */
import type { IgnoredLine } from "../../src/ios/model.ts";
import type { Outcome } from "../check/expectation.ts";
import type { Metrics } from "../check/metrics.ts";

export interface Report {
  readonly scenario: string;
  readonly seed: string;
  readonly run: number;
  /** SHA-256 of everything that happened. */
  readonly fingerprint: string;
  readonly events: number;
  readonly packets: number;
  readonly virtualSeconds: number;
  /** False where the run was cut short: by `until`, or by the limit of events. */
  readonly isComplete: boolean;
  readonly expectations: readonly Outcome[];
  readonly metrics: Metrics;
  /** Configuration lines that are not in the model; files relative to the scenario's folder. */
  readonly ignored: readonly IgnoredLine[];
}

/**
 * - `failed` an expectation failed
 * - `inconclusive` none failed, but one could not be decided, or the run did not come to its end
 */
export function verdictOf({ expectations, isComplete }: Report): "passed" | "failed" | "inconclusive" {
  if (expectations.some(({ verdict }) => verdict === "failed")) return "failed";
  const isDecided = expectations.every(({ verdict }) => verdict === "passed");
  return isDecided && isComplete ? "passed" : "inconclusive";
}
