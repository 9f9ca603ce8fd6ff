/** How much happens where on the time bar: packets sent, stacked by class, and packets lost, per column of pixels. */
import { PACKET_CLASSES } from "./packetFacts.ts";
import type { TimeMap } from "./timeMap.ts";
import type { TraceView } from "./traceView.ts";

/** Rows of the strip: the packet classes, then losses. */
export const DENSITY_ROWS = [...PACKET_CLASSES, "lost"] as const;

export interface Density {
  readonly columns: number;
  /** `counts[row * columns + column]`, rows as in DENSITY_ROWS. */
  readonly counts: Uint32Array;
  /** Highest sum of a column without losses. */
  readonly max: number;
}

/** Counts the events between places `from` and `to` of `map` into `columns` columns. */
export function densityOf(trace: TraceView, map: TimeMap, from: number, to: number, columns: number): Density {
  const counts = new Uint32Array(DENSITY_ROWS.length * columns);
  const scale = columns / Math.max(1e-9, to - from);
  const first = trace.eventsUntil(map.timeAt(from) - 1);
  for (let event = first; event < trace.eventCount; event++) {
    const packet = trace.packetOf(event);
    if (packet < 0) continue;
    const kind = trace.kindOf(event);
    if (kind !== "packet.sent" && kind !== "packet.lost") continue;
    const place = map.mapping === "events" ? event : map.placeOfTime(trace.timeOf(event));
    const column = Math.floor((place - from) * scale);
    if (column < 0) continue;
    if (column > columns) break;
    const row = kind === "packet.lost" ? DENSITY_ROWS.length - 1 : PACKET_CLASSES.indexOf(trace.classOf(packet));
    counts[row * columns + Math.min(columns - 1, column)]!++;
  }
  let max = 0;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < PACKET_CLASSES.length; row++) sum += counts[row * columns + column]!;
    max = Math.max(max, sum);
  }
  return { columns, counts, max };
}
