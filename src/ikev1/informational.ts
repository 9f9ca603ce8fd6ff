/** Informational exchanges of the peer: Delete, notifies, dead peer detection. RFC 2409 section 5.7, RFC 3706. */

import type { Delete, Notify } from "../wire/isakmp.ts";
import type { IsakmpMessage } from "../wire/isakmpMessage.ts";
import { IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import { isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { closeSa, drop } from "./closing.ts";
import { forgetOthers } from "./contact.ts";
import { receiveDpd } from "./dpd.ts";
import { happened } from "./events.ts";
import { isOwnSpi } from "./inform.ts";
import { firstIv, openPhase2 } from "./message.ts";
import { noteArrival } from "./nat.ts";
import { type Arrival, type IsakmpSa, isEstablished, type Turn } from "./state.ts";

/** Message IDs that are remembered per SA, against replays. */
const REMEMBERED = 64;
/** Notify types from here on are no errors. RFC 2408 section 3.14.1. */
const STATUS_FIRST = 16384;

/** Without protection it is a hint that is logged, no more: anybody can send it. */
export function receiveHint(turn: Turn, sa: IsakmpSa | undefined, message: IsakmpMessage, from: Arrival): void {
  const notify = isakmpPayloadOf(message.payloads, "N");
  drop(turn, "unprotected", from.remote, sa?.number);
  if (sa === undefined || notify === undefined) return;
  const { exchange } = sa.phase1;
  turn.outcomes.push(
    happened("isakmp.refused", sa.number, from.remote, { side: "remote", notify: notify.type, exchange }),
  );
}

export function receiveInformational(turn: Turn, sa: IsakmpSa, message: IsakmpMessage, from: Arrival): void {
  const { messageId, sealed } = message;
  if (messageId === 0 || sa.phase2.has(messageId)) {
    drop(turn, "wrongPhase", from.remote, sa.number);
    return;
  }
  if (sa.informed.includes(messageId)) {
    drop(turn, "repeated", from.remote, sa.number);
    return;
  }
  const { crypto } = turn.tools;
  const opened = openPhase2(crypto, sa, messageId, firstIv(crypto, sa, messageId), [], sealed!);
  if (!opened.ok) {
    drop(turn, opened.reason, from.remote, sa.number);
    return;
  }
  sa.informed.push(messageId);
  if (sa.informed.length > REMEMBERED) sa.informed.shift();
  if (isEstablished(sa)) noteArrival(turn, sa, from);
  for (const payload of opened.payloads) {
    if (!turn.endpoint.sas.has(sa.number)) return;
    if (payload.kind === "D") receiveDelete(turn, sa, payload.body);
    else if (payload.kind === "N") receiveNotify(turn, sa, payload.body);
  }
}

/** The SPI of an SA of phase 1 is its pair of cookies; nothing else has 16 octets but a KEK, which PUSH deletes. */
function receiveDelete(turn: Turn, sa: IsakmpSa, deletion: Delete): void {
  if (deletion.spis.some((spi) => isOwnSpi(sa, spi))) closeSa(turn, sa, "deletedByPeer");
  else turn.outcomes.push({ kind: "deleted", sa: sa.number, deletion });
}

function receiveNotify(turn: Turn, sa: IsakmpSa, notify: Notify): void {
  const { type } = notify;
  if (type < STATUS_FIRST) {
    const exchange = isEstablished(sa) ? 0 : sa.phase1.exchange;
    turn.outcomes.push(happened("isakmp.refused", sa.number, sa.remote, { side: "remote", notify: type, exchange }));
    if (!isEstablished(sa)) {
      closeSa(turn, sa, type === IsakmpNotifyType["AUTHENTICATION-FAILED"] ? "authenticationFailed" : "refused", type);
      return;
    }
  }
  if (!isEstablished(sa)) return;
  if (type === IsakmpNotifyType["R-U-THERE"] || type === IsakmpNotifyType["R-U-THERE-ACK"]) {
    receiveDpd(turn, sa, notify);
  } else if (type === IsakmpNotifyType["INITIAL-CONTACT"]) forgetOthers(turn, sa);
  else turn.outcomes.push({ kind: "notified", sa: sa.number, notify });
}
