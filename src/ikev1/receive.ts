/**
 * From a datagram to the handler of its message. Whatever is wrong with foreign octets ends here as a counted drop;
 * repetitions are recognised before anything is decrypted, so that they never move an IV.
 */
import { type Bytes, equal } from "../base/bytes.ts";
import type { Datagram } from "../base/machine.ts";
import { decodeIsakmp, type IsakmpMessage } from "../wire/isakmpMessage.ts";
import { IsakmpExchange } from "../wire/isakmpNumbers.ts";
import { ISAKMP } from "../wire/isakmpPayloads.ts";
import { isMarked, isNatKeepalive, marksDatagrams, NAT_PORT, unmarked } from "../wire/nonEsp.ts";
import { receiveAggressiveClear, receiveAggressiveSealed } from "./aggressive.ts";
import { drop } from "./closing.ts";
import { receiveFirst } from "./first.ts";
import { receiveHint, receiveInformational } from "./informational.ts";
import { receiveMainClear, receiveMainSealed } from "./main.ts";
import { exchangeOf } from "./phase1.ts";
import { receivePhase2 } from "./phase2.ts";
import { type Arrival, type Ikev1Endpoint, type IsakmpSa, NO_COOKIE, type Turn } from "./state.ts";
import { sendAgain } from "./transmit.ts";

/** Throws WireError where the octets are no ISAKMP message. */
export function receiveDatagram(turn: Turn, datagram: Datagram): void {
  const { octets, remote, local } = datagram;
  if (turn.endpoint.config.enabled === false) {
    drop(turn, "disabled", remote);
    return;
  }
  if (isNatKeepalive(octets)) {
    drop(turn, "keepalive", remote);
    return;
  }
  const marked = isMarked(octets);
  const { marker } = turn.endpoint.config;
  const mustBeMarked =
    local.port === NAT_PORT || (marker === "always" && marksDatagrams(marker, local.port, remote.port));
  if (mustBeMarked && !marked) {
    drop(turn, "notIke", remote);
    return;
  }
  const whole = unmarked(octets);
  receiveMessage(turn, decodeIsakmp(whole, ISAKMP), whole, { local, remote, marked });
}

function receiveMessage(turn: Turn, message: IsakmpMessage, octets: Bytes, from: Arrival): void {
  const sa = findSa(turn.endpoint, message);
  const isClear = message.sealed === undefined;
  // Whoever knows our cookie reads what is sent to the address that it was sent to.
  if (sa !== undefined) sa.unverified = undefined;
  if (message.exchange === IsakmpExchange.INFORMATIONAL && isClear) receiveHint(turn, sa, message, from);
  else if (isClear && message.cookieResponder === NO_COOKIE) receiveFirst(turn, message, octets, from);
  else if (sa === undefined) drop(turn, "unknownCookies", from.remote);
  else if (message.messageId === 0) receivePhase1(turn, sa, message, octets, from);
  else if (sa.keys === undefined) drop(turn, "wrongPhase", from.remote, sa.number);
  else if (isClear) drop(turn, "unencrypted", from.remote, sa.number);
  else if (message.exchange === IsakmpExchange.INFORMATIONAL) receiveInformational(turn, sa, message, from);
  else receivePhase2(turn, sa, message, octets, from);
}

/**
 * By the cookie that we chose, never by an address. Until its first answer has proved to be genuine an initiator takes
 * any responder's cookie.
 */
function findSa(endpoint: Ikev1Endpoint, message: IsakmpMessage): IsakmpSa | undefined {
  const { cookieInitiator, cookieResponder } = message;
  const ours = endpoint.byCookie.get(cookieInitiator);
  if (ours?.initiator) {
    const isOpen = ours.phase.at === "saSent" || ours.phase.at === "aggressiveSent";
    const fits = isOpen ? cookieResponder !== NO_COOKIE : ours.cookieResponder === cookieResponder;
    return fits ? ours : undefined;
  }
  const theirs = endpoint.byCookie.get(cookieResponder);
  return theirs !== undefined && !theirs.initiator && theirs.cookieInitiator === cookieInitiator ? theirs : undefined;
}

function receivePhase1(turn: Turn, sa: IsakmpSa, message: IsakmpMessage, octets: Bytes, from: Arrival): void {
  const { heard } = sa.phase1;
  if (heard !== undefined && equal(heard, octets)) {
    if (!sendAgain(turn, sa, sa.phase1)) drop(turn, "repeated", from.remote, sa.number);
    return;
  }
  if (message.exchange !== exchangeOf(sa.mode)) {
    drop(turn, "wrongPhase", from.remote, sa.number);
    return;
  }
  const isSealed = message.sealed !== undefined;
  if (isSealed && sa.keys === undefined) drop(turn, "wrongPhase", from.remote, sa.number);
  else if (sa.mode === "main") {
    (isSealed ? receiveMainSealed : receiveMainClear)(turn, sa, message, octets, from);
  } else (isSealed ? receiveAggressiveSealed : receiveAggressiveClear)(turn, sa, message, octets, from);
}
