/** Why something happened: the chain of causes behind an event, and what followed from it. */
import type { TraceView } from "./traceView.ts";

/** Causes of `event`, nearest first, at most `limit`. */
export function causesOf(trace: TraceView, event: number, limit: number): readonly number[] {
  const chain: number[] = [];
  let cause = trace.causeOf(event);
  while (cause >= 0 && cause < trace.eventCount && chain.length < limit) {
    chain.push(cause);
    cause = trace.causeOf(cause);
  }
  return chain;
}

/** Events within the next `window` events whose cause is `event`, at most `limit`. */
export function effectsOf(trace: TraceView, event: number, limit: number, window = 20_000): readonly number[] {
  const found: number[] = [];
  const end = Math.min(trace.eventCount, event + 1 + window);
  for (let next = event + 1; next < end && found.length < limit; next++) {
    if (trace.causeOf(next) === event) found.push(next);
  }
  return found;
}
