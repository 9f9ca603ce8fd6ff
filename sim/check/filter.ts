/** Which events an expectation means. */
import type { Scalar } from "../../src/base/machine.ts";
import type { TraceEvent } from "../core/traceTypes.ts";
import type { EventFilter, Window } from "./expectation.ts";
import { globMatches } from "./glob.ts";

export function matches(filter: EventFilter, event: TraceEvent): boolean {
  if (event.kind !== filter.kind) return false;
  if (filter.devices !== undefined && !filter.devices.has(event.device)) return false;
  for (const [key, wanted] of filter.where) {
    const found = Object.hasOwn(event.data, key) ? event.data[key] : undefined;
    if (found === undefined || !sameValue(wanted, found)) return false;
  }
  return true;
}

/** Numbers may be wanted as text, such as `0x1f` or `17`, because a scenario is written by hand. */
function sameValue(wanted: Scalar, found: Scalar): boolean {
  if (wanted === found) return true;
  return typeof wanted === "string" && globMatches(wanted, String(found));
}

export function isWithin(window: Window, time: number): boolean {
  return time >= window.from && time <= window.until;
}
