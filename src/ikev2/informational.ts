/**
 * INFORMATIONAL: deletion, liveness and errors of an established SA. RFC 7296 sections 1.4, 1.4.1 and 2.21.
 */
import { errorNotify } from "../wire/grammar.ts";
import { Exchange, NotifyType, Protocol } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import type { CloseReason } from "./api.ts";
import { receiveChildDelete } from "./childSa.ts";
import { childByInbound, removeChild } from "./childTable.ts";
import { closeSa, lingerSa, reportClosed } from "./closing.ts";
import { happened } from "./events.ts";
import { type IkeSa, moveTo, type Purpose, removeSa, Slot, stopTimer, type Turn } from "./state.ts";
import { answerRequest, noteWindowSize, startRequest } from "./window.ts";

export const DELETE_IKE: Payload = { kind: "D", body: { protocol: Protocol.IKE, spiSize: 0, spis: [] } };

/** Errors that end the SA of who receives them in a request. RFC 7296 sections 2.21.2 and 2.21.3. */
const FATAL: ReadonlySet<number> = new Set([NotifyType.AUTHENTICATION_FAILED, NotifyType.INVALID_SYNTAX]);

export function deletesIke(payloads: readonly Payload[]): boolean {
  return payloads.some((payload) => payload.kind === "D" && payload.body.protocol === Protocol.IKE);
}

/** A request that is being served. Its answer holds no more than the other direction of deleted Child SAs. */
export function receiveInformational(turn: Turn, sa: IkeSa, messageId: number, payloads: readonly Payload[]): void {
  noteWindowSize(turn, sa, payloads);
  const ends = deletesIke(payloads);
  answerRequest(turn, sa, messageId, ends ? [] : receiveChildDelete(turn, sa, payloads));
  if (ends) {
    lingerSa(turn, sa, "deletedByPeer");
    return;
  }
  const error = errorNotify(payloads);
  if (error === undefined) return;
  turn.outcomes.push(
    happened("ike.refused", sa.number, sa.remote, {
      side: "remote",
      notify: error,
      exchange: Exchange.INFORMATIONAL,
    }),
  );
  if (!FATAL.has(error)) return;
  lingerSa(turn, sa, error === NotifyType.AUTHENTICATION_FAILED ? "authenticationFailed" : "invalidSyntax", error);
}

/** The answer to a Delete or a liveness check of this room. */
export function receiveOwnInformationalAnswer(turn: Turn, sa: IkeSa, purpose: Purpose): void {
  if (purpose.kind === "delete") removeSa(turn.endpoint, sa);
  if (purpose.kind !== "deleteChild") return;
  const child = childByInbound(sa, purpose.inboundSpi);
  if (child !== undefined) removeChild(turn, sa, child, purpose.reason);
}

/**
 * Ends an SA. The room above is told at once; the Delete is repeated until it is answered or given up, behind requests
 * that are still under way.
 */
export function deleteSa(turn: Turn, sa: IkeSa, reason: CloseReason = "deletedByUs"): void {
  if (sa.phase.at !== "established") {
    if (sa.phase.at !== "deleting" && sa.phase.at !== "lingering") closeSa(turn, sa, reason);
    return;
  }
  reportClosed(turn, sa, reason);
  for (const slot of [Slot.liveness, Slot.keepalive, Slot.renew, Slot.expiry]) stopTimer(turn.endpoint, sa, slot);
  moveTo(turn.endpoint, sa, { at: "deleting" });
  sa.out.queue.length = 0;
  startRequest(turn, sa, Exchange.INFORMATIONAL, { kind: "delete" }, [DELETE_IKE]);
}
