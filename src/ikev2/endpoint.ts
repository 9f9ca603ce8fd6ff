/**
 * The front door of an endpoint: every function that the room above may call. Foreign octets enter here and nowhere
 * else; whatever is wrong with them ends here as a counted drop, an answer with an error, or a closed SA.
 */
import type { Bytes } from "../base/bytes.ts";
import { assert, WireError } from "../base/errors.ts";
import type { Datagram } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { createTimers, nextTimer, takeDue } from "../base/timers.ts";
import { checkGrammar } from "../wire/grammar.ts";
import {
  decodeHeader,
  decodeMessage,
  type IkeHeader,
  type IkeMessage,
  isFromInitiator,
  isResponse,
} from "../wire/ikeMessage.ts";
import { Exchange, NotifyType } from "../wire/ikev2Numbers.ts";
import { notifyOf, type Payload } from "../wire/payloads.ts";
import type {
  AuthAnswer,
  EndpointConfig,
  IkeOutcome,
  InitiateOptions,
  RequestOptions,
  SaNumber,
  SaView,
  Tools,
} from "./api.ts";
import { answerAuth as answer, receiveAuthRequest, receiveAuthResponse } from "./auth.ts";
import { happened } from "./events.ts";
import { deleteSa, receiveInformational, receiveOwnInformationalAnswer } from "./informational.ts";
import { receiveInitRequest, receiveInitResponse, startInit } from "./init.ts";
import { notify } from "./nat.ts";
import { directionKeys, openPart, readInner } from "./protect.ts";
import {
  closeSa,
  drop,
  type IkeEndpoint,
  type IkeSa,
  isEstablished,
  lingerSa,
  type PendingRequest,
  registryOf,
  removeSa,
  Slot,
  slotOf,
  type Turn,
} from "./state.ts";
import {
  answerRequest,
  beginServing,
  isRepetition,
  NON_ESP_MARKER,
  onRetransmitTimer,
  pendingRequest,
  pumpQueue,
  settleRequest,
  standingOf,
  startRequest,
  tagOf,
  transmit,
} from "./window.ts";

export type { IkeEndpoint } from "./state.ts";

export function createEndpoint(config: EndpointConfig): IkeEndpoint {
  assert(config.proposals.length > 0, "an endpoint without a proposal");
  return {
    config,
    sas: new Map(),
    bySpi: new Map(),
    byInit: new Map(),
    timers: createTimers(),
    halfOpen: 0,
    nextSa: 1,
    dropped: {},
  };
}

// ------------------------------------------------------------------------------------------------- calls from above

/** Begins an SA as initiator; `lastSa` tells its number. */
export function initiate(
  endpoint: IkeEndpoint,
  tools: Tools,
  options: InitiateOptions,
  now: Micros,
): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  startInit(turn, options);
  return turn.outcomes;
}

/** Number of the SA that was made last; 0 before the first. */
export function lastSa(endpoint: IkeEndpoint): SaNumber {
  return endpoint.nextSa - 1;
}

/** The decision about a peer that proved its identity; follows the outcome `authenticating`. */
export function answerAuth(
  endpoint: IkeEndpoint,
  tools: Tools,
  sa: SaNumber,
  decision: AuthAnswer,
  now: Micros,
): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  answer(turn, known(endpoint, sa), decision);
  return turn.outcomes;
}

/** An encrypted request of the room above over an established SA; its answer comes back as `response`. */
export function request(
  endpoint: IkeEndpoint,
  tools: Tools,
  sa: SaNumber,
  exchange: number,
  payloads: readonly Payload[],
  options: RequestOptions,
  now: Micros,
): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  const found = known(endpoint, sa);
  assert(isEstablished(found), "a request over an SA that is not established");
  const purpose = { kind: "user", tag: options.tag, keepSa: options.keepSa ?? false } as const;
  startRequest(turn, found, exchange, purpose, payloads, options.retransmit);
  return turn.outcomes;
}

/** The answer to an outcome `request`. An SA that ended in between swallows it. */
export function respond(
  endpoint: IkeEndpoint,
  tools: Tools,
  sa: SaNumber,
  messageId: number,
  payloads: readonly Payload[],
  now: Micros,
): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  const found = endpoint.sas.get(sa);
  if (found !== undefined && isEstablished(found)) answerRequest(turn, found, messageId, payloads);
  return turn.outcomes;
}

/** Deletes an SA: `closed` comes with this call, the Delete is repeated until the peer answers. */
export function close(endpoint: IkeEndpoint, tools: Tools, sa: SaNumber, now: Micros): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  const found = endpoint.sas.get(sa);
  if (found !== undefined) deleteSa(turn, found);
  return turn.outcomes;
}

/** Drops an SA without a word to the peer. */
export function forget(endpoint: IkeEndpoint, sa: SaNumber): void {
  const found = endpoint.sas.get(sa);
  if (found !== undefined) removeSa(endpoint, found);
}

/** Everything whose time has come. */
export function expire(endpoint: IkeEndpoint, tools: Tools, now: Micros): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  for (let key = takeDue(endpoint.timers, now); key !== undefined; key = takeDue(endpoint.timers, now)) {
    const { number, slot } = slotOf(key);
    const sa = endpoint.sas.get(number);
    assert(sa !== undefined, "a timer of an SA that is gone");
    if (slot >= Slot.retransmit) onRetransmitTimer(turn, sa, slot);
    else onLifeTimer(turn, sa);
  }
  return turn.outcomes;
}

export function nextDeadline(endpoint: IkeEndpoint): Micros | undefined {
  return nextTimer(endpoint.timers);
}

/** What may be known of an SA that is being made or stands; undefined once it is closed. */
export function saView(endpoint: IkeEndpoint, number: SaNumber): SaView | undefined {
  const sa = endpoint.sas.get(number);
  if (sa === undefined || !isLive(sa)) return undefined;
  const { initiator, local, remote, spiInitiator, spiResponder, identity, profile, createdAt, keys } = sa;
  return {
    number,
    initiator,
    local,
    remote,
    spiInitiator,
    spiResponder,
    suite: keys?.suite ?? NO_SUITE,
    established: isEstablished(sa),
    identity,
    profile,
    createdAt,
    skD: keys?.d,
  };
}

const NO_SUITE = { encr: 0, encrKeyBits: 0, prf: 0, integ: 0, dh: 0, kwa: 0 };

export function saNumbers(endpoint: IkeEndpoint): readonly SaNumber[] {
  const numbers: SaNumber[] = [];
  for (const sa of endpoint.sas.values()) if (isLive(sa)) numbers.push(sa.number);
  return numbers;
}

function isLive(sa: IkeSa): boolean {
  return sa.phase.at !== "deleting" && sa.phase.at !== "lingering";
}

function begin(endpoint: IkeEndpoint, tools: Tools, now: Micros): Turn {
  return { endpoint, tools, now, outcomes: [] };
}

function known(endpoint: IkeEndpoint, number: SaNumber): IkeSa {
  const sa = endpoint.sas.get(number);
  assert(sa !== undefined, `no IKE SA ${number}`);
  return sa;
}

/** A half-open SA whose peer never came back, or one that has lingered for long enough. */
function onLifeTimer(turn: Turn, sa: IkeSa): void {
  if (sa.phase.at === "lingering") removeSa(turn.endpoint, sa);
  else closeSa(turn, sa, "timeout");
}

// -------------------------------------------------------------------------------------------------- from the network

/** A UDP datagram. Never throws for foreign octets. */
export function receive(endpoint: IkeEndpoint, tools: Tools, datagram: Datagram, now: Micros): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  try {
    receiveDatagram(turn, datagram);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    drop(turn, "malformed", datagram.remote, 0, `${error.code} ${error.path}`.trim());
  }
  return turn.outcomes;
}

function receiveDatagram(turn: Turn, datagram: Datagram): void {
  const { octets, remote } = datagram;
  const marked = octets.length > 4 && octets[0] === 0 && octets[1] === 0 && octets[2] === 0 && octets[3] === 0;
  if (octets.length === 1 && octets[0] === 0xff) {
    drop(turn, "keepalive", remote);
    return;
  }
  const whole = marked ? octets.subarray(NON_ESP_MARKER.length) : octets;
  if (!marked && datagram.local.port === 4500) {
    drop(turn, "notIke", remote);
    return;
  }
  const header = decodeHeader(whole);
  if (header.version >>> 4 !== 2) {
    drop(turn, "version", remote);
    return;
  }
  if (header.exchange === Exchange.IKE_SA_INIT) receiveInit(turn, header, whole, datagram, marked);
  else receiveSealed(turn, header, whole, datagram);
}

function receiveInit(turn: Turn, header: IkeHeader, octets: Bytes, from: Datagram, marked: boolean): void {
  const response = isResponse(header);
  const sa = response ? turn.endpoint.bySpi.get(header.spiInitiator) : undefined;
  const pending = sa?.initiator ? pendingRequest(sa, header.messageId, header.exchange) : undefined;
  if (response && (isFromInitiator(header) || pending === undefined)) {
    drop(turn, "unexpectedResponse", from.remote);
    return;
  }
  const message = decodeMessage(octets, registryOf(turn.endpoint));
  const grammar = checkGrammar(header.exchange, response, message.payloads);
  if (message.sealed !== undefined || !grammar.ok || hasUnknownCritical(message.payloads)) {
    drop(turn, "grammar", from.remote, sa?.number, grammar.ok ? "critical or encrypted" : grammar.problem);
    return;
  }
  if (sa !== undefined && pending !== undefined) receiveInitResponse(turn, sa, pending, message, octets);
  else if (header.messageId !== 0 || !isFromInitiator(header)) drop(turn, "malformed", from.remote);
  else receiveInitRequest(turn, message, octets, from, marked);
}

function hasUnknownCritical(payloads: readonly Payload[]): boolean {
  return unknownCritical(payloads) !== undefined;
}

/** Type of the first payload that we do not know and must not skip. RFC 7296 section 2.5. */
function unknownCritical(payloads: readonly Payload[]): number | undefined {
  for (const payload of payloads) if (payload.kind === "unknown" && payload.critical) return payload.type;
  return undefined;
}

/** The SA is found by the SPI that we chose, never by an address. RFC 7296 section 2.6. */
function findSa(endpoint: IkeEndpoint, header: IkeHeader): IkeSa | undefined {
  const fromInitiator = isFromInitiator(header);
  const sa = endpoint.bySpi.get(fromInitiator ? header.spiResponder : header.spiInitiator);
  const fits =
    sa !== undefined &&
    sa.initiator !== fromInitiator &&
    sa.spiInitiator === header.spiInitiator &&
    sa.spiResponder === header.spiResponder;
  return fits ? sa : undefined;
}

function receiveSealed(turn: Turn, header: IkeHeader, octets: Bytes, from: Datagram): void {
  const sa = findSa(turn.endpoint, header);
  if (sa?.keys === undefined) {
    drop(turn, "unknownSpi", from.remote);
    return;
  }
  if (isResponse(header)) receiveResponse(turn, sa, header, octets, from);
  else receiveRequest(turn, sa, header, octets, from);
}

/** Inner payloads of a genuine message; undefined where it was dropped. Throws WireError before it is known genuine. */
type Opened =
  | { readonly ok: true; readonly payloads: readonly Payload[] }
  | { readonly ok: false; readonly error: Payload };

function openMessage(turn: Turn, sa: IkeSa, octets: Bytes, from: Datagram): Opened | undefined {
  const known = registryOf(turn.endpoint);
  const message = decodeMessage(octets, known);
  const { sealed } = message;
  if (sealed === undefined) {
    drop(
      turn,
      message.payloads.some((payload) => payload.kind === "N") ? "unprotectedNotify" : "unencrypted",
      from.remote,
      sa.number,
    );
    return undefined;
  }
  const keys = sa.keys!;
  const inner = openPart(turn.tools.crypto, keys.protection, directionKeys(keys, !sa.initiator), octets, sealed);
  if (inner === undefined) {
    drop(turn, "integrity", from.remote, sa.number);
    return undefined;
  }
  return readGenuine(message, inner, sealed.firstInner, turn);
}

/** From here on the peer itself is to blame for what is wrong. RFC 7296 section 2.21. */
function readGenuine(message: IkeMessage, inner: Bytes, first: number, turn: Turn): Opened {
  const response = isResponse(message);
  try {
    const payloads = readInner(inner, first, registryOf(turn.endpoint));
    const critical = unknownCritical(payloads);
    if (critical !== undefined) {
      return { ok: false, error: notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(critical)) };
    }
    const grammar = checkGrammar(message.exchange, response, payloads);
    return grammar.ok ? { ok: true, payloads } : { ok: false, error: notify(NotifyType.INVALID_SYNTAX) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { ok: false, error: notify(NotifyType.INVALID_SYNTAX) };
  }
}

// -------------------------------------------------------------------------------------------------------- requests

const AUTH_EXCHANGES: readonly number[] = [Exchange.IKE_AUTH, Exchange.GSA_AUTH];

function receiveRequest(turn: Turn, sa: IkeSa, header: IkeHeader, octets: Bytes, from: Datagram): void {
  const { messageId, exchange } = header;
  const standing = standingOf(turn, sa, messageId);
  if (standing.kind === "answered" && isRepetition(standing.served, octets)) {
    transmit(turn, sa, standing.served.response!);
    return;
  }
  if (standing.kind !== "fresh") {
    drop(turn, standing.kind === "outside" ? "outOfWindow" : "repeated", from.remote, sa.number);
    return;
  }
  if (!isWelcome(sa, exchange)) {
    drop(turn, "wrongPhase", from.remote, sa.number);
    return;
  }
  const opened = openMessage(turn, sa, octets, from);
  if (opened === undefined) return;
  beginServing(sa, messageId, exchange, octets);
  if (opened.ok) serve(turn, sa, exchange, messageId, opened.payloads);
  else refuseRequest(turn, sa, exchange, messageId, opened.error);
}

/** Which exchanges a peer may start in the state of the SA. */
function isWelcome(sa: IkeSa, exchange: number): boolean {
  switch (sa.phase.at) {
    case "initAnswered":
      return AUTH_EXCHANGES.includes(exchange);
    case "established":
      return !AUTH_EXCHANGES.includes(exchange);
    case "deleting":
      return exchange === Exchange.INFORMATIONAL;
    default:
      return false;
  }
}

function serve(turn: Turn, sa: IkeSa, exchange: number, messageId: number, payloads: readonly Payload[]): void {
  if (AUTH_EXCHANGES.includes(exchange)) receiveAuthRequest(turn, sa, exchange, messageId, payloads);
  else if (exchange === Exchange.INFORMATIONAL) receiveInformational(turn, sa, messageId, payloads);
  else turn.outcomes.push({ kind: "request", sa: sa.number, exchange, messageId, payloads });
}

/** INVALID_SYNTAX ends an SA on both sides, and any error ends one that is not established. RFC 7296 section 2.21. */
function refuseRequest(turn: Turn, sa: IkeSa, exchange: number, messageId: number, error: Payload): void {
  const type = error.kind === "N" ? error.body.type : 0;
  turn.outcomes.push(happened("ike.refused", sa.number, sa.remote, { side: "local", notify: type, exchange }));
  answerRequest(turn, sa, messageId, [error]);
  const survives = isEstablished(sa) && type !== NotifyType.INVALID_SYNTAX;
  if (!survives) lingerSa(turn, sa, "invalidSyntax");
}

// -------------------------------------------------------------------------------------------------------- responses

function receiveResponse(turn: Turn, sa: IkeSa, header: IkeHeader, octets: Bytes, from: Datagram): void {
  const pending = pendingRequest(sa, header.messageId, header.exchange);
  if (pending === undefined) {
    drop(turn, "unexpectedResponse", from.remote, sa.number);
    return;
  }
  const opened = openMessage(turn, sa, octets, from);
  if (opened === undefined) return;
  if (!opened.ok) {
    // There are no error messages about responses.
    settleRequest(turn, sa, pending);
    closeSa(turn, sa, "invalidSyntax");
    return;
  }
  takeResponse(turn, sa, pending, opened.payloads);
  pumpQueue(turn, sa);
}

function takeResponse(turn: Turn, sa: IkeSa, pending: PendingRequest, payloads: readonly Payload[]): void {
  switch (pending.purpose.kind) {
    case "auth":
      receiveAuthResponse(turn, sa, pending, payloads);
      break;
    case "delete":
    case "liveness":
      receiveOwnInformationalAnswer(turn, sa, pending);
      break;
    default:
      settleRequest(turn, sa, pending);
      if (sa.phase.at === "deleting") break;
      turn.outcomes.push({
        kind: "response",
        sa: sa.number,
        exchange: pending.exchange,
        tag: tagOf(pending.purpose),
        payloads,
      });
      // Whoever says INVALID_SYNTAX has dropped the SA. RFC 7296 section 2.21.3.
      if (notifyOf(payloads, NotifyType.INVALID_SYNTAX) !== undefined) {
        closeSa(turn, sa, "invalidSyntax", NotifyType.INVALID_SYNTAX);
      }
  }
}
