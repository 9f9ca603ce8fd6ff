/**
 * From simulated time to a place on the time bar and back. Places are numbers from 0 to `end`; what one of them is worth
 * depends on the mapping: a second of activity (compressed), a second (linear), an event (events).
 */

import type { TraceHead } from "../../sim/core/traceTypes.ts";
import { type Micros, SECOND } from "../../src/base/micros.ts";
import type { TraceView } from "./traceView.ts";

export const MAPPINGS = ["compressed", "linear", "events"] as const;
export type Mapping = (typeof MAPPINGS)[number];

/** `event` counts the events behind the cursor: all of them at or before `time`, the rest at or after it. */
export interface Cursor {
  readonly time: Micros;
  readonly event: number;
}

export interface Break {
  readonly from: number;
  readonly to: number;
  readonly micros: Micros;
}

export interface TimeMap {
  readonly mapping: Mapping;
  readonly end: number;
  placeOf(cursor: Cursor): number;
  placeOfTime(time: Micros): number;
  cursorAt(place: number): Cursor;
  timeAt(place: number): Micros;
  /** Shortened gaps between two places; none in the other mappings. */
  breaks(from: number, to: number): readonly Break[];
}

/** Gaps shorter than this stay as they are, so that packets on their way keep their pace. */
export function gapThreshold(head: TraceHead): Micros {
  let slowest = 0;
  for (const link of head.links) slowest = Math.max(slowest, link.latencyMicros);
  return Math.max(60_000, slowest * 4);
}

/** Width in microseconds that is left of a gap: continuous at the threshold, a quarter threshold per factor of ten above. */
export function compressedGap(gap: Micros, threshold: Micros): number {
  return gap <= threshold ? gap : threshold * (1 + 0.25 * Math.log10(gap / threshold));
}

/** Knots of the compressed mapping: two per shortened gap. Kept apart so that a growing trace only adds to it. */
export class Compression {
  readonly threshold: Micros;
  readonly knotTime: number[] = [0];
  readonly knotPlace: number[] = [0];
  /** Knot numbers at which a shortened gap begins. */
  readonly gaps: number[] = [];
  private lastTime: Micros = 0;
  private seen = 0;

  constructor(threshold: Micros) {
    this.threshold = threshold;
  }

  update(trace: TraceView): void {
    for (; this.seen < trace.eventCount; this.seen++) {
      const time = trace.timeOf(this.seen);
      const gap = time - this.lastTime;
      if (gap > this.threshold) {
        const start = this.place(this.lastTime);
        this.gaps.push(this.knotTime.length);
        this.knotTime.push(this.lastTime, time);
        this.knotPlace.push(start, start + compressedGap(gap, this.threshold) / SECOND);
      }
      this.lastTime = time;
    }
  }

  place(time: Micros): number {
    const knot = Math.max(0, bound(this.knotTime, time) - 1);
    const fromTime = this.knotTime[knot]!;
    const fromPlace = this.knotPlace[knot]!;
    if (!this.isGap(knot)) return fromPlace + (time - fromTime) / SECOND;
    const share = (time - fromTime) / (this.knotTime[knot + 1]! - fromTime);
    return fromPlace + share * (this.knotPlace[knot + 1]! - fromPlace);
  }

  time(place: number): Micros {
    const knot = Math.max(0, bound(this.knotPlace, place) - 1);
    const fromTime = this.knotTime[knot]!;
    const fromPlace = this.knotPlace[knot]!;
    if (!this.isGap(knot)) return fromTime + (place - fromPlace) * SECOND;
    const share = (place - fromPlace) / (this.knotPlace[knot + 1]! - fromPlace);
    return fromTime + share * (this.knotTime[knot + 1]! - fromTime);
  }

  /** Knots come in pairs after the first: odd ones begin a gap. */
  private isGap(knot: number): boolean {
    return knot % 2 === 1 && knot + 1 < this.knotTime.length;
  }
}

function bound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function timeMap(mapping: Mapping, trace: TraceView, compression: Compression): TimeMap {
  if (mapping === "events") return eventMap(trace);
  if (mapping === "linear") {
    return monotone(
      trace,
      "linear",
      (time) => time / SECOND,
      (place) => place * SECOND,
      () => [],
    );
  }
  return monotone(
    trace,
    "compressed",
    (time) => compression.place(time),
    (place) => compression.time(place),
    (from, to) => {
      const found: Break[] = [];
      for (const knot of compression.gaps) {
        const start = compression.knotPlace[knot]!;
        const end = compression.knotPlace[knot + 1]!;
        if (end < from || start > to) continue;
        found.push({ from: start, to: end, micros: compression.knotTime[knot + 1]! - compression.knotTime[knot]! });
      }
      return found;
    },
  );
}

function monotone(
  trace: TraceView,
  mapping: Mapping,
  place: (time: Micros) => number,
  time: (place: number) => Micros,
  breaks: TimeMap["breaks"],
): TimeMap {
  const endTime = trace.endTime;
  const clamp = (value: number) => Math.min(endTime, Math.max(0, Math.round(value)));
  return {
    mapping,
    end: place(endTime),
    placeOf: (cursor) => place(cursor.time),
    placeOfTime: place,
    timeAt: (at) => clamp(time(at)),
    cursorAt(at) {
      const instant = clamp(time(at));
      return { time: instant, event: trace.eventsUntil(instant) };
    },
    breaks,
  };
}

/** Place n is the instant of event n; between two events time runs evenly. */
function eventMap(trace: TraceView): TimeMap {
  const last = Math.max(0, trace.eventCount - 1);
  const timeAt = (place: number): Micros => {
    const at = Math.min(last, Math.max(0, place));
    const event = Math.floor(at);
    if (trace.eventCount === 0) return 0;
    const from = trace.timeOf(event);
    const to = trace.timeOf(Math.min(last, event + 1));
    return Math.round(from + (to - from) * (at - event));
  };
  const placeOfTime = (time: Micros): number => {
    return between(trace, trace.eventsUntil(time), time);
  };
  return {
    mapping: "events",
    end: last,
    placeOf: (cursor) => between(trace, cursor.event, cursor.time),
    placeOfTime,
    timeAt,
    cursorAt(place) {
      const at = Math.min(last, Math.max(0, place));
      return { time: timeAt(at), event: Math.min(trace.eventCount, Math.floor(at) + 1) };
    },
    breaks: () => [],
  };
}

function between(trace: TraceView, passed: number, time: Micros): number {
  if (passed <= 0) return 0;
  const from = trace.timeOf(passed - 1);
  const to = passed < trace.eventCount ? trace.timeOf(passed) : from;
  return passed - 1 + (to > from ? (time - from) / (to - from) : 0);
}
