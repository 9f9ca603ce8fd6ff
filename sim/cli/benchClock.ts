/** The wall clock of the benchmarks, and the rounds in which contestants take turns. */
import type { Rounds } from "../bench/report.ts";

/** Seconds that `work` takes. */
export function secondsOf(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1_000;
}

/** Lets both contestants do the same work once in each round; who begins changes from round to round. */
export function takeTurns(rounds: number, ours: () => number, baseline: () => number): Rounds {
  const result: { ours: number[]; baseline: number[] } = { ours: [], baseline: [] };
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) result.ours.push(ours());
    result.baseline.push(baseline());
    if (round % 2 === 1) result.ours.push(ours());
  }
  return result;
}

/** Most memory that this process has had, in octets. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1_024;
}
