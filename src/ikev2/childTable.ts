/** The Child SAs of an IKE SA as a table: finding, removing, and the timer that watches over all of them. */
import { toHex, u32 } from "../base/bytes.ts";
import type { ChildCloseReason } from "./api.ts";
import type { ChildSa } from "./childState.ts";
import { happened } from "./events.ts";
import { type IkeSa, Slot, startTimerAt, stopTimer, type Turn } from "./state.ts";

/** An SPI as 8 hexadecimal digits. */
export function spiText(spi: number): string {
  return toHex(u32(spi));
}

export function childByInbound(sa: IkeSa, spi: number): ChildSa | undefined {
  return sa.children.find((child) => child.inboundSpi === spi);
}

export function childByOutbound(sa: IkeSa, spi: number): ChildSa | undefined {
  return sa.children.find((child) => child.outboundSpi === spi);
}

/** Takes a pair away from the data plane. */
export function removeChild(turn: Turn, sa: IkeSa, child: ChildSa, reason: ChildCloseReason): void {
  const index = sa.children.indexOf(child);
  if (index < 0) return;
  sa.children.splice(index, 1);
  turn.endpoint.childSpis?.delete(child.inboundSpi);
  const { inboundSpi, outboundSpi } = child;
  turn.outcomes.push(
    happened("ike.childClosed", sa.number, sa.remote, {
      inbound: spiText(inboundSpi),
      outbound: spiText(outboundSpi),
      reason,
    }),
    { kind: "childClosed", sa: sa.number, inboundSpi, outboundSpi, reason },
  );
  armChildren(turn, sa);
}

/** One timer for all children of an SA: the earliest instant at which one must be renewed or ends. */
export function armChildren(turn: Turn, sa: IkeSa): void {
  let next = Number.POSITIVE_INFINITY;
  for (const child of sa.children) {
    if (child.state === "up" && child.renewAt !== undefined) next = Math.min(next, child.renewAt);
    if (child.state !== "closing" && child.endAt !== undefined) next = Math.min(next, child.endAt);
  }
  if (next === Number.POSITIVE_INFINITY) stopTimer(turn.endpoint, sa, Slot.renewChild);
  else startTimerAt(turn, sa, Slot.renewChild, next);
}
