/** How fast a run plays by default. */
import { SECOND } from "../../src/base/micros.ts";
import type { TimeMap } from "./timeMap.ts";
import type { TraceView } from "./traceView.ts";

/** Simulated seconds of activity per second of the viewer. */
export const SPEEDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

/** What a second of pure activity is given: ten seconds of the viewer's time. */
export const DEFAULT_SPEED = 0.1;
const BUSIEST_SECOND_SHOWN_FOR = 10;

/**
 * The speed at which the busiest second of the run, the gaps in it shortened as on the time bar, takes about ten seconds
 * to watch. Never above the default: a second full of events would only rush by.
 */
export function defaultSpeed(trace: TraceView, compressed: TimeMap): number {
  let busiest = 0;
  let most = 0;
  let first = 0;
  for (let event = 0; event < trace.eventCount; event++) {
    while (trace.timeOf(event) - trace.timeOf(first) > SECOND) first++;
    if (event - first < most) continue;
    most = event - first;
    busiest = first;
  }
  if (most === 0) return DEFAULT_SPEED;
  const from = trace.timeOf(busiest);
  const to = trace.timeOf(busiest + most);
  const wanted = (compressed.placeOfTime(to) - compressed.placeOfTime(from)) / BUSIEST_SECOND_SHOWN_FOR;
  return SPEEDS.findLast((speed) => speed <= Math.min(wanted * 1.25, DEFAULT_SPEED)) ?? SPEEDS[0];
}
