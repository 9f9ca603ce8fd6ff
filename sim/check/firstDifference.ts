/** Where two traces part: the first event that differs says more than all that follow from it. */
import { equal, toHex } from "../../src/base/bytes.ts";
import { formatSeconds } from "../../src/base/micros.ts";
import { NONE, type Trace } from "../core/trace.ts";

/**
 * - `length` one trace ends where the other goes on
 * - `time`, `device`, `kind`, `packet`, `cause`, `data` the first of these that is not the same
 */
export type DifferenceKind = "length" | "time" | "device" | "kind" | "packet" | "cause" | "data";

export interface Difference {
  /** Number of the event. */
  readonly event: number;
  readonly what: DifferenceKind;
  /** The event in either trace, in words. */
  readonly a: string;
  readonly b: string;
}

/** The first event in which the traces differ, or undefined where they are the same. Both must hold their events. */
export function firstDifference(a: Trace, b: Trace): Difference | undefined {
  const common = Math.min(a.events, b.events);
  for (let event = 0; event < common; event++) {
    const what = differenceAt(a, b, event);
    if (what !== undefined) return { event, what, a: eventText(a, event), b: eventText(b, event) };
  }
  if (a.events === b.events) return undefined;
  return { event: common, what: "length", a: eventText(a, common), b: eventText(b, common) };
}

function differenceAt(a: Trace, b: Trace, event: number): DifferenceKind | undefined {
  if (a.timeOf(event) !== b.timeOf(event)) return "time";
  if (a.deviceOf(event) !== b.deviceOf(event)) return "device";
  if (a.kindOf(event) !== b.kindOf(event)) return "kind";
  if (!samePacket(a, b, event)) return "packet";
  if (a.causeOf(event) !== b.causeOf(event)) return "cause";
  return JSON.stringify(a.dataOf(event)) === JSON.stringify(b.dataOf(event)) ? undefined : "data";
}

function samePacket(a: Trace, b: Trace, event: number): boolean {
  const [inA, inB] = [a.packetOf(event), b.packetOf(event)];
  if (inA === NONE || inB === NONE) return inA === inB;
  return equal(a.packet(inA), b.packet(inB));
}

function eventText(trace: Trace, event: number): string {
  if (event >= trace.events) return "nothing";
  const { time, device, kind, cause, packet, data } = trace.event(event);
  const octets = packet === NONE ? "" : ` ${toHex(trace.packet(packet))}`;
  return `${formatSeconds(time)} device ${device} ${kind} cause ${cause} ${JSON.stringify(data)}${octets}`;
}
