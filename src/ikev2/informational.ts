/**
 * INFORMATIONAL: deletion, liveness and errors of an established SA. RFC 7296 sections 1.4, 1.4.1 and 2.21.
 */
import { EMPTY } from "../base/bytes.ts";
import { errorNotify } from "../wire/grammar.ts";
import { Exchange, NotifyType, Protocol } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { happened } from "./events.ts";
import {
  closeSa,
  type IkeSa,
  lingerSa,
  moveTo,
  type PendingRequest,
  removeSa,
  reportClosed,
  type Turn,
} from "./state.ts";
import { answerRequest, noteWindowSize, settleRequest, startRequest } from "./window.ts";

const DELETE_IKE: Payload = { kind: "D", body: { protocol: Protocol.IKE, spiSize: 0, spis: [] } };

/** Errors that end the SA of who receives them in a request. RFC 7296 sections 2.21.2 and 2.21.3. */
const FATAL: ReadonlySet<number> = new Set([NotifyType.AUTHENTICATION_FAILED, NotifyType.INVALID_SYNTAX]);

export function deletesIke(payloads: readonly Payload[]): boolean {
  return payloads.some((payload) => payload.kind === "D" && payload.body.protocol === Protocol.IKE);
}

/** A request that is being served. Its answer is empty in all cases of this room. */
export function receiveInformational(turn: Turn, sa: IkeSa, messageId: number, payloads: readonly Payload[]): void {
  noteWindowSize(turn, sa, payloads);
  answerRequest(turn, sa, messageId, []);
  if (deletesIke(payloads)) {
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
export function receiveOwnInformationalAnswer(turn: Turn, sa: IkeSa, request: PendingRequest): void {
  settleRequest(turn, sa, request);
  if (request.purpose.kind === "delete") removeSa(turn.endpoint, sa);
}

/**
 * Ends an SA. The room above is told at once; the Delete is repeated until it is answered or given up, behind requests
 * that are still under way.
 */
export function deleteSa(turn: Turn, sa: IkeSa): void {
  if (sa.phase.at !== "established") {
    if (sa.phase.at !== "deleting" && sa.phase.at !== "lingering") closeSa(turn, sa, "deletedByUs");
    return;
  }
  reportClosed(turn, sa, "deletedByUs");
  moveTo(turn.endpoint, sa, { at: "deleting" });
  sa.out.queue.length = 0;
  startRequest(turn, sa, Exchange.INFORMATIONAL, { kind: "delete" }, [DELETE_IKE]);
}

export function invalidSyntax(): Payload {
  return { kind: "N", body: { protocol: Protocol.NONE, type: NotifyType.INVALID_SYNTAX, spi: EMPTY, data: EMPTY } };
}
