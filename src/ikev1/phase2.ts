/**
 * Exchanges of phase 2: messages alternate, share a message ID and one IV chain, and begin with a HASH payload that
 * covers the nonces of the messages before. RFC 2409 section 5.5, RFC 6407 section 3.2.
 */
import { type Bytes, equal } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { IsakmpMessage } from "../wire/isakmpMessage.ts";
import { Doi, GdoiExchange, IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";
import { drop } from "./closing.ts";
import { happened } from "./events.ts";
import { newMessageId, notifyPayload, sendInformational } from "./inform.ts";
import { firstIv, openPhase2, sealPhase2 } from "./message.ts";
import { noteArrival } from "./nat.ts";
import { type Arrival, type IsakmpSa, isEstablished, type Phase2, startTimer, stopTimer, type Turn } from "./state.ts";
import { lingerOf, noteHeard, onRetransmitTimer, retransmitPolicy, sendAgain, sendIn } from "./transmit.ts";

/** Exchanges of one SA at a time, those included that are kept for repetitions: a peer cannot fill our memory. */
const EXCHANGES_MAX = 64;

/** First exchange type for private use. RFC 2408 section 3.1. */
const PRIVATE_FIRST = 240;

/** Quick Mode has nobody who would run it here. The rekey messages of a group are no part of any phase 1. */
function isServed(sa: IsakmpSa, exchange: number): boolean {
  return sa.doi === Doi.GDOI && (exchange === GdoiExchange.GROUPKEY_PULL || exchange >= PRIVATE_FIRST);
}

function noteNonce(conversation: Phase2, payloads: readonly IsakmpPayload[]): void {
  for (const payload of payloads) if (payload.kind === "NONCE") conversation.nonces.push(payload.body.data);
}

/** Message 1; returns its message ID. */
export function startPhase2(turn: Turn, sa: IsakmpSa, exchange: number, payloads: readonly IsakmpPayload[]): number {
  assert(isEstablished(sa), "phase 2 over an SA that is not established");
  const messageId = newMessageId(turn.tools, sa);
  const conversation: Phase2 = {
    exchange,
    messageId,
    heard: undefined,
    sent: undefined,
    repeats: 0,
    standing: "deciding",
    iv: firstIv(turn.tools.crypto, sa, messageId),
    nonces: [],
    index: 0,
  };
  sa.phase2.set(messageId, conversation);
  sendPhase2(turn, sa, conversation, payloads, false);
  return messageId;
}

export function sendPhase2(
  turn: Turn,
  sa: IsakmpSa,
  conversation: Phase2,
  payloads: readonly IsakmpPayload[],
  isLast: boolean,
): void {
  const { exchange, messageId, iv, nonces, standing } = conversation;
  assert(standing === "deciding", "a message out of turn");
  const sealed = sealPhase2(turn.tools.crypto, sa, exchange, messageId, iv, nonces, payloads);
  conversation.iv = sealed.iv;
  conversation.index += 1;
  noteNonce(conversation, payloads);
  conversation.standing = isLast ? "done" : "waiting";
  sendIn(turn, sa, conversation, sealed.octets, !isLast);
  if (isLast) linger(turn, sa, conversation);
}

/** The exchange is over for the room above; it is kept so that repetitions of the peer are known as such. */
export function endPhase2(turn: Turn, sa: IsakmpSa, conversation: Phase2): void {
  conversation.standing = "done";
  conversation.sent = undefined;
  linger(turn, sa, conversation);
}

function linger(turn: Turn, sa: IsakmpSa, { messageId }: Phase2): void {
  startTimer(turn, sa, messageId, lingerOf(retransmitPolicy(turn.endpoint)));
}

export function onPhase2Timer(turn: Turn, sa: IsakmpSa, conversation: Phase2): void {
  if (conversation.standing === "waiting") onRetransmitTimer(turn, sa, conversation);
  else sa.phase2.delete(conversation.messageId);
}

export function receivePhase2(turn: Turn, sa: IsakmpSa, message: IsakmpMessage, octets: Bytes, from: Arrival): void {
  const known = sa.phase2.get(message.messageId);
  if (known?.heard !== undefined && equal(known.heard, octets)) {
    if (!sendAgain(turn, sa, known)) drop(turn, "repeated", from.remote, sa.number);
    return;
  }
  if (!isEstablished(sa)) {
    // The initiator of an Aggressive Mode thinks that the SA stands: its message 3 got lost, and message 2 asks for it.
    drop(turn, "wrongPhase", from.remote, sa.number);
    if (sa.phase.at === "aggressiveAnswered") sendAgain(turn, sa, sa.phase1);
    return;
  }
  if (known === undefined) receiveNew(turn, sa, message, octets, from);
  else if (known.standing !== "waiting" || known.exchange !== message.exchange) {
    drop(turn, "wrongPhase", from.remote, sa.number);
  } else receiveNext(turn, sa, known, message, octets, from);
}

function receiveNew(turn: Turn, sa: IsakmpSa, message: IsakmpMessage, octets: Bytes, from: Arrival): void {
  const { messageId, exchange, sealed } = message;
  const { crypto } = turn.tools;
  if (sa.phase2.size >= EXCHANGES_MAX) {
    drop(turn, "busy", from.remote, sa.number);
    return;
  }
  const opened = openPhase2(crypto, sa, messageId, firstIv(crypto, sa, messageId), [], sealed!);
  if (!opened.ok) {
    drop(turn, opened.reason, from.remote, sa.number);
    return;
  }
  noteArrival(turn, sa, from);
  if (!isServed(sa, exchange)) {
    refuse(turn, sa, exchange);
    return;
  }
  const conversation: Phase2 = {
    exchange,
    messageId,
    heard: octets,
    sent: undefined,
    repeats: 0,
    standing: "deciding",
    iv: opened.iv,
    nonces: [],
    index: 1,
  };
  sa.phase2.set(messageId, conversation);
  noteNonce(conversation, opened.payloads);
  turn.outcomes.push({ kind: "message", sa: sa.number, exchange, messageId, index: 1, payloads: opened.payloads });
}

/** Nothing is kept of it: no hash covers the exchange type, so the genuine message may still come. */
function refuse(turn: Turn, sa: IsakmpSa, exchange: number): void {
  const type = IsakmpNotifyType["UNSUPPORTED-EXCHANGE-TYPE"];
  turn.outcomes.push(happened("isakmp.refused", sa.number, sa.remote, { side: "local", notify: type, exchange }));
  sendInformational(turn, sa, notifyPayload(sa, type));
}

function receiveNext(
  turn: Turn,
  sa: IsakmpSa,
  conversation: Phase2,
  message: IsakmpMessage,
  octets: Bytes,
  from: Arrival,
): void {
  const { messageId, exchange, iv, nonces } = conversation;
  const opened = openPhase2(turn.tools.crypto, sa, messageId, iv, nonces, message.sealed!);
  if (!opened.ok) {
    drop(turn, opened.reason, from.remote, sa.number);
    return;
  }
  noteArrival(turn, sa, from);
  noteHeard(turn, sa, conversation, octets);
  conversation.iv = opened.iv;
  conversation.index += 1;
  conversation.standing = "deciding";
  noteNonce(conversation, opened.payloads);
  const { index } = conversation;
  turn.outcomes.push({ kind: "message", sa: sa.number, exchange, messageId, index, payloads: opened.payloads });
}

/** Ends an exchange that the room above gives up on or has taken the last message of. */
export function finishPhase2(turn: Turn, sa: IsakmpSa, messageId: number): void {
  const conversation = sa.phase2.get(messageId);
  if (conversation === undefined) return;
  stopTimer(turn.endpoint, sa, messageId);
  endPhase2(turn, sa, conversation);
}
