/** The ways in which an SA or a datagram comes to its end. */
import type { Endpoint } from "../base/machine.ts";
import { MINUTE, type Micros, SECOND } from "../base/micros.ts";
import type { CloseReason } from "./api.ts";
import { removeChild } from "./childTable.ts";
import { type DropReason, happened } from "./events.ts";
import { type IkeSa, moveTo, removeSa, retransmitSlot, Slot, startTimer, stopTimer, type Turn } from "./state.ts";

/** Tells the room above and the log that an SA is over for them; what the tables still hold is up to the caller. */
export function reportClosed(turn: Turn, sa: IkeSa, reason: CloseReason, notify = 0): void {
  while (sa.children.length > 0) removeChild(turn, sa, sa.children[0]!, "withIkeSa");
  // An SA with a successor was given up when that one came, and one that lost a collision was never told of.
  if (sa.successor !== 0 || !sa.announced) return;
  const established = sa.phase.at === "established";
  turn.outcomes.push(
    happened("ike.closed", sa.number, sa.remote, { reason, established, ...(notify > 0 && { notify }) }),
    { kind: "closed", sa: sa.number, reason, notify, established, remote: sa.remote },
  );
}

/** The end of an SA: reported, and gone from all tables. */
export function closeSa(turn: Turn, sa: IkeSa, reason: CloseReason, notify = 0): void {
  reportClosed(turn, sa, reason, notify);
  removeSa(turn.endpoint, sa);
}

/**
 * The end of an SA whose last response must be at hand for a while: the peer may have missed it and ask again. Without
 * it, a peer that missed its AUTHENTICATION_FAILED would repeat itself into a timeout.
 */
export function lingerSa(turn: Turn, sa: IkeSa, reason: CloseReason, notify = 0): void {
  if (sa.phase.at !== "deleting") reportClosed(turn, sa, reason, notify);
  moveTo(turn.endpoint, sa, { at: "lingering" });
  for (const { messageId } of sa.out.pending) stopTimer(turn.endpoint, sa, retransmitSlot(messageId));
  sa.out.pending.length = 0;
  sa.out.queue.length = 0;
  startTimer(turn, sa, Slot.life, turn.endpoint.config.lingerMicros ?? LINGER);
}

/** Proposed default: as long as a peer with the default back-off repeats itself. */
const LINGER: Micros = 2 * MINUTE + 6 * SECOND;

export function drop(turn: Turn, reason: DropReason, remote: Endpoint, sa = 0, detail = ""): void {
  const { dropped } = turn.endpoint;
  dropped[reason] = (dropped[reason] ?? 0) + 1;
  turn.outcomes.push(happened("ike.dropped", sa, remote, detail === "" ? { reason } : { reason, detail }));
}
