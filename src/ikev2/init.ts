/**
 * IKE_SA_INIT, both sides. RFC 7296 sections 1.2, 2.6 and 3.3.6.
 *
 * The responder keeps nothing of a request that it refuses. A refusal is not protected, and this initiator acts on the
 * first one that comes, as devices do: waiting for a better answer (RFC 7296 section 2.21.1) would only delay the next
 * server of the list.
 */
import { type Bytes, toHex, u16, uintFrom } from "../base/bytes.ts";
import type { Datagram, Endpoint } from "../base/machine.ts";
import { SECOND } from "../base/micros.ts";
import { secret } from "../base/secret.ts";
import type { DhGroup } from "../crypto/api.ts";
import { dhSpec } from "../crypto/suite.ts";
import { errorNotify } from "../wire/grammar.ts";
import type { IkeMessage } from "../wire/ikeMessage.ts";
import { decodeMessage, encodeMessage, NO_SPI } from "../wire/ikeMessage.ts";
import { Exchange, FLAG_INITIATOR, FLAG_RESPONSE, NotifyType } from "../wire/ikev2Numbers.ts";
import { markedIf, marksDatagrams } from "../wire/nonEsp.ts";
import { notifyOf, type Payload, payloadOf } from "../wire/payloads.ts";
import type { CloseReason, InitiateOptions } from "./api.ts";
import { sendAuthRequest } from "./auth.ts";
import { certificateRequests, hashNotify, noteAbilities } from "./certificates.ts";
import { closeSa, drop } from "./closing.ts";
import { demandCookie } from "./cookie.ts";
import { happened } from "./events.ts";
import { isNonce, NONCE_LENGTH, newPrivateKey, newSpi } from "./exchangeValues.ts";
import { deriveKeys, keyEntry } from "./keys.ts";
import { detectNat, floatPorts, natNotifies, notify } from "./nat.ts";
import { checkAnswer, offer, select } from "./proposal.ts";
import {
  addSa,
  blankSa,
  type IkeSa,
  moveTo,
  type PendingRequest,
  type Phase,
  profileOf,
  registryOf,
  Slot,
  startTimer,
  type Turn,
} from "./state.ts";
import { sendFirst, settleRequest, transmit } from "./window.ts";

/** Cookies and changes of group that an initiator puts up with in one attempt. */
const ROUNDS_MAX = 3;

/** Proposed default: a peer with the default back-off sends its last repetition after 62 s. */
const HALF_OPEN = 64 * SECOND;

const REFUSALS: ReadonlyMap<number, CloseReason> = new Map<number, CloseReason>([
  [NotifyType.NO_PROPOSAL_CHOSEN, "noProposalChosen"],
  [NotifyType.INVALID_KE_PAYLOAD, "invalidKe"],
  [NotifyType.INVALID_SYNTAX, "invalidSyntax"],
]);

// -------------------------------------------------------------------------------------------------------- initiator

/** Sends the first request and returns the SA. `replaces`: number of the SA that this one takes the place of, or 0. */
export function startInit(turn: Turn, options: InitiateOptions, replaces = 0): IkeSa {
  const { endpoint, tools, now } = turn;
  const group = endpoint.config.proposals[0]!.dh[0]!;
  const privateKey = newPrivateKey(tools, group);
  const ni = tools.rng.bytes(NONCE_LENGTH);
  const spiInitiator = newSpi(tools);
  const { local, remote } = options;
  const payloads = initPayloads(turn, spiInitiator, NO_SPI, local, remote, [
    { kind: "SA", body: offer(endpoint.config.proposals) },
    { kind: "KE", body: { group, data: tools.crypto.dhPublic(group as DhGroup, privateKey) } },
    { kind: "NONCE", body: { data: ni } },
  ]);
  const request = initRequest(turn, spiInitiator, payloads);
  const marker = marksDatagrams(endpoint.config.marker, local.port, remote.port);
  const phase: InitSent = { at: "initSent", group, privateKey: secret(privateKey), ni, request, rounds: 0, options };
  const number = endpoint.nextSa++;
  const fixed = { number, initiator: true, local, remote, marker, spiInitiator, spiResponder: NO_SPI, phase };
  const { authExchange, profile } = options;
  const isRepeated = profileOf(endpoint, profile)?.atLifetime === "reauthenticate";
  const sa = blankSa(fixed, now, { authExchange, profile, replaces, options: isRepeated ? options : undefined });
  addSa(endpoint, sa);
  turn.outcomes.push(happened("ike.initiated", sa.number, remote, { spi: spiInitiator, authExchange }));
  sendInit(turn, sa, request);
  return sa;
}

/** The payloads of an IKE_SA_INIT message with the notifies that our configuration adds. */
function initPayloads(
  turn: Turn,
  spiInitiator: string,
  spiResponder: string,
  local: Endpoint,
  remote: Endpoint,
  payloads: Payload[],
): Payload[] {
  if (turn.endpoint.config.nat?.detect ?? true) {
    payloads.push(...natNotifies(turn.tools.crypto, spiInitiator, spiResponder, local, remote));
  }
  if (turn.endpoint.config.fragmentation !== undefined) payloads.push(notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED));
  payloads.push(...hashNotify(turn.endpoint.config));
  return payloads;
}

function initRequest(turn: Turn, spiInitiator: string, payloads: readonly Payload[]): Bytes {
  const head = {
    spiInitiator,
    spiResponder: NO_SPI,
    exchange: Exchange.IKE_SA_INIT,
    flags: FLAG_INITIATOR,
    messageId: 0,
  };
  return encodeMessage(head, payloads, registryOf(turn.endpoint));
}

function sendInit(turn: Turn, sa: IkeSa, request: Bytes): void {
  const { retransmit: policy } = turn.endpoint.config;
  const exchange = Exchange.IKE_SA_INIT;
  sendFirst(turn, sa, { messageId: 0, exchange, purpose: { kind: "init" }, datagrams: [request], policy });
}

/** An IKE_SA_INIT response to a request of ours; the grammar has been checked. */
export function receiveInitResponse(
  turn: Turn,
  sa: IkeSa,
  request: PendingRequest,
  message: IkeMessage,
  octets: Bytes,
): void {
  const { phase } = sa;
  if (phase.at !== "initSent") {
    drop(turn, "unexpectedResponse", sa.remote, sa.number);
    return;
  }
  const { payloads } = message;
  const cookie = notifyOf(payloads, NotifyType.COOKIE);
  if (cookie !== undefined && payloadOf(payloads, "SA") === undefined) {
    repeatWithCookie(turn, sa, phase, request, cookie.data);
    return;
  }
  const error = errorNotify(payloads);
  if (error !== undefined) {
    receiveRefusal(turn, sa, phase, request, payloads, error);
    return;
  }
  settleRequest(turn, sa, request);
  acceptInit(turn, sa, phase, message, octets);
}

type InitSent = Extract<Phase, { at: "initSent" }>;

/** N(COOKIE) goes first, the rest is unchanged. RFC 7296 section 2.6. */
function repeatWithCookie(turn: Turn, sa: IkeSa, phase: InitSent, pending: PendingRequest, cookie: Bytes): void {
  if (phase.rounds >= ROUNDS_MAX || cookie.length < 1 || cookie.length > 64) {
    drop(turn, "cookie", sa.remote, sa.number);
    return;
  }
  turn.outcomes.push(happened("ike.cookie", sa.number, sa.remote, { side: "remote" }));
  const rest = decodeMessage(phase.request, registryOf(turn.endpoint)).payloads.filter((payload) => !isCookie(payload));
  const request = initRequest(turn, sa.spiInitiator, [notify(NotifyType.COOKIE, cookie), ...rest]);
  repeatInit(turn, sa, pending, { ...phase, request, rounds: phase.rounds + 1 });
}

function isCookie(payload: Payload): boolean {
  return payload.kind === "N" && payload.body.type === NotifyType.COOKIE;
}

function repeatInit(turn: Turn, sa: IkeSa, pending: PendingRequest, phase: InitSent): void {
  settleRequest(turn, sa, pending);
  moveTo(turn.endpoint, sa, phase);
  sendInit(turn, sa, phase.request);
}

function receiveRefusal(
  turn: Turn,
  sa: IkeSa,
  phase: InitSent,
  pending: PendingRequest,
  payloads: readonly Payload[],
  error: number,
): void {
  const wanted = notifyOf(payloads, NotifyType.INVALID_KE_PAYLOAD)?.data;
  if (wanted?.length === 2 && phase.rounds < ROUNDS_MAX) {
    const group = uintFrom(wanted);
    const offered = turn.endpoint.config.proposals.some((proposal) => proposal.dh.includes(group));
    if (offered && group !== phase.group && dhSpec(group) !== undefined) {
      repeatWithGroup(turn, sa, phase, pending, group);
      return;
    }
  }
  turn.outcomes.push(
    happened("ike.refused", sa.number, sa.remote, { side: "remote", notify: error, exchange: Exchange.IKE_SA_INIT }),
  );
  closeSa(turn, sa, REFUSALS.get(error) ?? "refused", error);
}

/** A KE payload of the group that the responder wants; the offer stays whole, a cookie stays first. RFC 7296 2.6.1. */
function repeatWithGroup(turn: Turn, sa: IkeSa, phase: InitSent, pending: PendingRequest, group: number): void {
  const privateKey = newPrivateKey(turn.tools, group);
  const data = turn.tools.crypto.dhPublic(group as DhGroup, privateKey);
  const payloads = decodeMessage(phase.request, registryOf(turn.endpoint)).payloads.map(
    (payload): Payload => (payload.kind === "KE" ? { kind: "KE", body: { group, data } } : payload),
  );
  const request = initRequest(turn, sa.spiInitiator, payloads);
  repeatInit(turn, sa, pending, { ...phase, group, privateKey: secret(privateKey), request, rounds: phase.rounds + 1 });
}

function acceptInit(turn: Turn, sa: IkeSa, phase: InitSent, message: IkeMessage, octets: Bytes): void {
  const { crypto } = turn.tools;
  const { payloads, spiResponder } = message;
  const nr = payloadOf(payloads, "NONCE")!.data;
  const ke = payloadOf(payloads, "KE")!;
  const agreed = checkAnswer(offer(turn.endpoint.config.proposals), payloadOf(payloads, "SA")!);
  if (agreed === undefined || !isNonce(nr) || spiResponder === NO_SPI) {
    closeSa(turn, sa, agreed === undefined ? "noProposalChosen" : "invalidSyntax");
    return;
  }
  const fits = agreed.suite.dh === phase.group && ke.group === phase.group;
  const shared = fits ? crypto.dhShared(phase.group as DhGroup, phase.privateKey.secret, ke.data) : undefined;
  if (shared === undefined) {
    closeSa(turn, sa, "invalidKe");
    return;
  }
  sa.spiResponder = spiResponder;
  const { spiInitiator } = sa;
  sa.keys = deriveKeys(crypto, { suite: agreed.suite, ni: phase.ni, nr, spiInitiator, spiResponder, shared });
  turn.outcomes.push({
    kind: "keys",
    entry: keyEntry(sa.keys, spiInitiator, spiResponder, turn.endpoint.config.dialect),
  });
  if (noteNat(turn, sa, spiResponder, payloads)) floatPorts(sa, turn.endpoint.config);
  noteFragmentation(turn, sa, payloads);
  sa.abilities = noteAbilities(sa.abilities, payloads);
  const transcript = { request: phase.request, response: octets, ni: phase.ni, nr };
  moveTo(turn.endpoint, sa, { at: "authSent", transcript, options: phase.options, offer: undefined });
  sendAuthRequest(turn, sa);
}

function noteFragmentation(turn: Turn, sa: IkeSa, payloads: readonly Payload[]): void {
  const offered = notifyOf(payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED) !== undefined;
  sa.fragments = offered && turn.endpoint.config.fragmentation !== undefined;
}

/** True where a NAT was found. `spiResponder`: as in the message with the notifies, zero in a request. */
function noteNat(turn: Turn, sa: IkeSa, spiResponder: string, payloads: readonly Payload[]): boolean {
  if (!(turn.endpoint.config.nat?.detect ?? true)) return false;
  const { local, remote, spiInitiator } = sa;
  const nat = detectNat(turn.tools.crypto, spiInitiator, spiResponder, local, remote, payloads);
  if (nat === undefined || (!nat.peerBehindNat && !nat.weBehindNat)) return false;
  sa.nat = nat;
  const who = nat.peerBehindNat ? (nat.weBehindNat ? "both" : "peer") : "us";
  turn.outcomes.push(happened("ike.natDetected", sa.number, sa.remote, { who }));
  return true;
}

// -------------------------------------------------------------------------------------------------------- responder

/** What tells one IKE_SA_INIT request from another: a repetition has all of it in common. RFC 7296 section 2.1. */
function initKeyOf(message: IkeMessage, remote: Endpoint, ni: Bytes): string {
  // `join` makes one text; what a template makes is a tree of its parts for as long as the SA lives.
  return [message.spiInitiator, remote.address, remote.port, toHex(ni)].join(" ");
}

/** An IKE_SA_INIT request; the grammar has been checked. `octets`: the message without marker. */
export function receiveInitRequest(
  turn: Turn,
  message: IkeMessage,
  octets: Bytes,
  from: Datagram,
  marked: boolean,
): void {
  const { endpoint } = turn;
  const { remote } = from;
  const ni = payloadOf(message.payloads, "NONCE")!.data;
  if (endpoint.bySpi.get(message.spiInitiator)?.initiator) {
    drop(turn, "reflected", remote);
    return;
  }
  const initKey = initKeyOf(message, remote, ni);
  const known = endpoint.byInit?.get(initKey);
  if (known !== undefined) {
    answerAgain(turn, known, octets);
    return;
  }
  const { maxInNegotiation = Infinity, maxSas = Infinity } = endpoint.config;
  if (endpoint.halfOpen >= maxInNegotiation || endpoint.sas.size >= maxSas) {
    drop(turn, "overload", remote);
    return;
  }
  const cookie = demandCookie(turn, message, remote);
  if (cookie !== undefined) {
    turn.outcomes.push(happened("ike.cookie", 0, remote, { side: "local" }));
    sendUnprotected(turn, message, from, marked, notify(NotifyType.COOKIE, cookie));
    return;
  }
  if (!isNonce(ni)) {
    refuseInit(turn, message, from, marked, notify(NotifyType.INVALID_SYNTAX));
    return;
  }
  answerInit(turn, message, octets, from, marked, initKey, ni);
}

function answerAgain(turn: Turn, sa: IkeSa, octets: Bytes): void {
  const first = sa.inward.served.find((served) => served.messageId === 0);
  if (sa.phase.at === "initAnswered" && first?.response !== undefined && isSame(first.request, octets)) {
    transmit(turn, sa, first.response);
    startTimer(turn, sa, Slot.life, turn.endpoint.config.halfOpenMicros ?? HALF_OPEN);
    return;
  }
  drop(turn, "repeated", sa.remote, sa.number);
}

function isSame(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

function answerInit(
  turn: Turn,
  message: IkeMessage,
  request: Bytes,
  from: Datagram,
  marker: boolean,
  initKey: string,
  ni: Bytes,
): void {
  const { endpoint, tools, now } = turn;
  const { crypto } = tools;
  const ke = payloadOf(message.payloads, "KE")!;
  const chosen = select(endpoint.config.proposals, payloadOf(message.payloads, "SA")!, ke.group);
  if (chosen === undefined) {
    refuseInit(turn, message, from, marker, notify(NotifyType.NO_PROPOSAL_CHOSEN));
    return;
  }
  const group = chosen.suite.dh as DhGroup;
  if (ke.group !== group) {
    refuseInit(turn, message, from, marker, notify(NotifyType.INVALID_KE_PAYLOAD, u16(group)));
    return;
  }
  const privateKey = newPrivateKey(tools, group, ke.data);
  const shared = crypto.dhShared(group, privateKey, ke.data);
  if (shared === undefined) {
    refuseInit(turn, message, from, marker, notify(NotifyType.INVALID_SYNTAX));
    return;
  }
  const nr = tools.rng.bytes(NONCE_LENGTH);
  const { spiInitiator } = message;
  const spiResponder = newSpi(tools);
  const { local, remote } = from;
  const payloads = initPayloads(turn, spiInitiator, spiResponder, local, remote, [
    { kind: "SA", body: chosen.answer },
    { kind: "KE", body: { group, data: crypto.dhPublic(group, privateKey) } },
    { kind: "NONCE", body: { data: nr } },
    // Which profile it will be is not known yet: the authorities of all.
    ...certificateRequests(crypto, endpoint.config.profiles, endpoint.config.pki?.urls),
  ]);
  const response = encodeMessage(answerHead(message, spiResponder), payloads, registryOf(endpoint));
  const keys = deriveKeys(crypto, { suite: chosen.suite, ni, nr, spiInitiator, spiResponder, shared });
  const phase = { at: "initAnswered", transcript: { request, response, ni, nr } } as const;
  const number = endpoint.nextSa++;
  const fixed = { number, initiator: false, local, remote, marker, spiInitiator, spiResponder, phase };
  const served = { messageId: 0, exchange: Exchange.IKE_SA_INIT, request, response: [response] };
  const sa = blankSa(fixed, now, { keys, inward: { nextId: 1, served: [served] }, initKey });
  addSa(endpoint, sa);
  startTimer(turn, sa, Slot.life, endpoint.config.halfOpenMicros ?? HALF_OPEN);
  transmit(turn, sa, [response]);
  const { encr, prf, integ, dh, kwa } = chosen.suite;
  turn.outcomes.push(
    happened("ike.answered", sa.number, remote, { spi: spiInitiator, suite: [encr, prf, integ, dh, kwa].join("/") }),
    { kind: "keys", entry: keyEntry(keys, spiInitiator, spiResponder, endpoint.config.dialect) },
  );
  noteNat(turn, sa, NO_SPI, message.payloads);
  noteFragmentation(turn, sa, message.payloads);
  sa.abilities = noteAbilities(sa.abilities, message.payloads);
}

function answerHead(message: IkeMessage, spiResponder: string) {
  const { spiInitiator, exchange, messageId } = message;
  return { spiInitiator, spiResponder, exchange, flags: FLAG_RESPONSE, messageId };
}

/** A refusal without state and without an SPI of ours. RFC 7296 section 2.6. */
function refuseInit(turn: Turn, message: IkeMessage, from: Datagram, marked: boolean, error: Payload): void {
  const type = error.kind === "N" ? error.body.type : 0;
  turn.outcomes.push(
    happened("ike.refused", 0, from.remote, { side: "local", notify: type, exchange: Exchange.IKE_SA_INIT }),
  );
  sendUnprotected(turn, message, from, marked, error);
}

function sendUnprotected(turn: Turn, message: IkeMessage, from: Datagram, marked: boolean, payload: Payload): void {
  const { local, remote } = from;
  const octets = encodeMessage(answerHead(message, NO_SPI), [payload], registryOf(turn.endpoint));
  turn.outcomes.push({ kind: "send", local, remote, octets: markedIf(marked, octets) });
}
