/**
 * From a datagram to the handler of its exchange. Whatever is wrong with foreign octets ends here as a counted drop, an
 * answer with an error, or a closed SA; handlers get genuine messages that fit their grammar.
 */
import type { Bytes } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { Datagram } from "../base/machine.ts";
import { checkGrammar } from "../wire/grammar.ts";
import { decodeHeader, decodeMessage, type IkeHeader, isFromInitiator, isResponse } from "../wire/ikeMessage.ts";
import { Exchange, NotifyType } from "../wire/ikev2Numbers.ts";
import { isMarked, isNatKeepalive, marksDatagrams, NAT_PORT, unmarked } from "../wire/nonEsp.ts";
import { notifyOf, type Payload, payloadOf } from "../wire/payloads.ts";
import { receiveAuthRequest, receiveAuthResponse } from "./auth.ts";
import { closeSa, drop, lingerSa } from "./closing.ts";
import { receiveChildAnswer, receiveChildRequest } from "./createChild.ts";
import { happened } from "./events.ts";
import { collectPart, type Whole } from "./fragment.ts";
import { deletesIke, receiveInformational, receiveOwnInformationalAnswer } from "./informational.ts";
import { receiveInitRequest, receiveInitResponse } from "./init.ts";
import { notify } from "./nat.ts";
import { directionKeys, openPart, readInner } from "./protect.ts";
import { receiveIkeRekeyAnswer, receiveIkeRekeyRequest, yieldToRival } from "./rekeyIke.ts";
import { type IkeEndpoint, type IkeSa, isEstablished, type PendingRequest, registryOf, type Turn } from "./state.ts";
import {
  answerRequest,
  beginServing,
  isRepetition,
  pendingRequest,
  pumpQueue,
  repeatResponse,
  settleRequest,
  standingOf,
} from "./window.ts";

/** Where a message came from, and whether it had the non-ESP marker. */
interface Arrival extends Datagram {
  readonly marked: boolean;
}

/** Throws WireError where the octets are no IKEv2 message. */
export function receiveDatagram(turn: Turn, datagram: Datagram): void {
  const { octets, remote, local } = datagram;
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
  const header = decodeHeader(whole);
  const from: Arrival = { local, remote, octets, marked };
  if (header.version >>> 4 !== 2) drop(turn, "version", remote);
  else if (header.exchange === Exchange.IKE_SA_INIT) receiveInit(turn, header, whole, from);
  else receiveSealed(turn, header, whole, from);
}

/**
 * Anybody may send IKE_SA_INIT, and reading it costs time before anything is proven. It cannot be fragmented and holds a
 * few proposals, a public value and a nonce; a proposal bomb of 200 times 200 transforms does not fit.
 */
const INIT_OCTETS_MAX = 16_384;

function receiveInit(turn: Turn, header: IkeHeader, octets: Bytes, from: Arrival): void {
  if (octets.length > INIT_OCTETS_MAX) {
    drop(turn, "tooLong", from.remote);
    return;
  }
  const response = isResponse(header);
  const sa = response ? turn.endpoint.bySpi.get(header.spiInitiator) : undefined;
  const pending = sa?.initiator ? pendingRequest(sa, header.messageId, header.exchange) : undefined;
  if (response && (isFromInitiator(header) || pending === undefined)) {
    drop(turn, "unexpectedResponse", from.remote);
    return;
  }
  const message = decodeMessage(octets, registryOf(turn.endpoint), header);
  const grammar = checkGrammar(header.exchange, response, message.payloads);
  if (message.sealed !== undefined || !grammar.ok || unknownCritical(message.payloads) !== undefined) {
    drop(turn, "grammar", from.remote, sa?.number, grammar.ok ? "critical or encrypted" : grammar.problem);
    return;
  }
  if (sa !== undefined && pending !== undefined) receiveInitResponse(turn, sa, pending, message, octets);
  else if (header.messageId !== 0 || !isFromInitiator(header)) drop(turn, "malformed", from.remote);
  else receiveInitRequest(turn, message, octets, from, from.marked);
}

/** Type of the first payload that we do not know and must not skip. RFC 7296 section 2.5. */
function unknownCritical(payloads: readonly Payload[]): number | undefined {
  const found = payloads.find((payload) => payload.kind === "unknown" && payload.critical);
  return found?.kind === "unknown" ? found.type : undefined;
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

function receiveSealed(turn: Turn, header: IkeHeader, octets: Bytes, from: Arrival): void {
  const sa = findSa(turn.endpoint, header);
  if (sa?.keys === undefined) drop(turn, "unknownSpi", from.remote);
  else if (isResponse(header)) receiveResponse(turn, sa, header, octets, from);
  else receiveRequest(turn, sa, header, octets, from);
}

/** Undefined where the message was dropped, or is a piece of one that is not whole yet. Throws WireError. */
function openMessage(turn: Turn, sa: IkeSa, header: IkeHeader, octets: Bytes, from: Arrival): Whole | undefined {
  const { payloads, sealed } = decodeMessage(octets, registryOf(turn.endpoint), header);
  if (sealed === undefined) {
    const isHint = payloads.some((payload) => payload.kind === "N");
    drop(turn, isHint ? "unprotectedNotify" : "unencrypted", from.remote, sa.number);
    return undefined;
  }
  const keys = sa.keys!;
  const inner = openPart(turn.tools.crypto, keys.protection, directionKeys(keys, !sa.initiator), octets, sealed);
  if (inner === undefined) {
    drop(turn, "integrity", from.remote, sa.number);
    return undefined;
  }
  const { firstInner, fragments } = sealed;
  if (fragments === 1) return { inner, firstInner, datagram: octets };
  const whole = collectPart(turn, sa, header.messageId, isResponse(header), sealed, inner, octets);
  if (whole === "refused") drop(turn, "fragment", from.remote, sa.number);
  return typeof whole === "string" ? undefined : whole;
}

/** Inner payloads, or the notify that says what is wrong with them. From here on the peer itself is to blame. */
type Inner =
  | { readonly ok: true; readonly payloads: readonly Payload[] }
  | { readonly ok: false; readonly error: Payload };

function readGenuine(turn: Turn, header: IkeHeader, { inner, firstInner }: Whole): Inner {
  try {
    const payloads = readInner(inner, firstInner, registryOf(turn.endpoint));
    const critical = unknownCritical(payloads);
    if (critical !== undefined) {
      return { ok: false, error: notify(NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(critical)) };
    }
    const grammar = checkGrammar(header.exchange, isResponse(header), payloads);
    return grammar.ok ? { ok: true, payloads } : { ok: false, error: notify(NotifyType.INVALID_SYNTAX) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { ok: false, error: notify(NotifyType.INVALID_SYNTAX) };
  }
}

/**
 * The peer was heard. Its first protected request may come from the port that it floated to; later only a peer behind a
 * NAT may move, and only where we are not behind one ourselves. RFC 7296 section 2.23.
 */
function noteArrival(turn: Turn, sa: IkeSa, from: Arrival, isRequest: boolean): void {
  sa.heardAt = turn.now;
  const { local, remote } = from;
  const isSame = sa.remote.port === remote.port && sa.remote.address === remote.address && sa.local.port === local.port;
  if (isSame || !isRequest) return;
  const mayMove = sa.phase.at === "initAnswered" || (sa.nat.peerBehindNat && !sa.nat.weBehindNat);
  if (!mayMove) return;
  sa.local = local;
  sa.remote = remote;
  sa.marker = from.marked;
  turn.outcomes.push(happened("ike.moved", sa.number, remote));
}

// --------------------------------------------------------------------------------------------------------- requests

const AUTH_EXCHANGES: readonly number[] = [Exchange.IKE_AUTH, Exchange.GSA_AUTH];

function receiveRequest(turn: Turn, sa: IkeSa, header: IkeHeader, octets: Bytes, from: Arrival): void {
  const { messageId, exchange } = header;
  const standing = standingOf(turn, sa, messageId);
  if (standing.kind === "answered" && isRepetition(standing.served, octets)) {
    repeatResponse(turn, from, from.marked, standing.served.response!);
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
  const opened = openMessage(turn, sa, header, octets, from);
  if (opened === undefined) return;
  noteArrival(turn, sa, from, true);
  beginServing(sa, messageId, exchange, opened.datagram);
  const inner = readGenuine(turn, header, opened);
  if (inner.ok) serve(turn, sa, exchange, messageId, inner.payloads);
  else refuseRequest(turn, sa, exchange, messageId, inner.error);
}

/** Which exchanges a peer may start in the state of the SA. */
function isWelcome(sa: IkeSa, exchange: number): boolean {
  switch (sa.phase.at) {
    case "initAnswered":
      return AUTH_EXCHANGES.includes(exchange);
    case "established":
      return !AUTH_EXCHANGES.includes(exchange);
    case "deleting":
      return exchange === Exchange.INFORMATIONAL || exchange === Exchange.CREATE_CHILD_SA;
    default:
      return false;
  }
}

function serve(turn: Turn, sa: IkeSa, exchange: number, messageId: number, payloads: readonly Payload[]): void {
  switch (exchange) {
    case Exchange.IKE_AUTH:
    case Exchange.GSA_AUTH:
      receiveAuthRequest(turn, sa, exchange, messageId, payloads);
      break;
    case Exchange.INFORMATIONAL:
      if (deletesIke(payloads)) yieldToRival(turn, sa);
      receiveInformational(turn, sa, messageId, payloads);
      break;
    case Exchange.CREATE_CHILD_SA:
      if (payloadOf(payloads, "TSi") === undefined) receiveIkeRekeyRequest(turn, sa, messageId, payloads);
      else receiveChildRequest(turn, sa, messageId, payloads);
      break;
    default:
      turn.outcomes.push({ kind: "request", sa: sa.number, exchange, messageId, payloads });
  }
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

function receiveResponse(turn: Turn, sa: IkeSa, header: IkeHeader, octets: Bytes, from: Arrival): void {
  const pending = pendingRequest(sa, header.messageId, header.exchange);
  if (pending === undefined) {
    drop(turn, "unexpectedResponse", from.remote, sa.number);
    return;
  }
  const opened = openMessage(turn, sa, header, octets, from);
  if (opened === undefined) return;
  noteArrival(turn, sa, from, false);
  settleRequest(turn, sa, pending);
  const inner = readGenuine(turn, header, opened);
  // There are no error messages about responses.
  if (!inner.ok) closeSa(turn, sa, "invalidSyntax");
  else takeResponse(turn, sa, pending, inner.payloads);
  pumpQueue(turn, sa);
}

function takeResponse(turn: Turn, sa: IkeSa, pending: PendingRequest, payloads: readonly Payload[]): void {
  const { purpose } = pending;
  switch (purpose.kind) {
    case "init":
      break;
    case "auth":
      receiveAuthResponse(turn, sa, pending, payloads);
      break;
    case "delete":
    case "liveness":
    case "deleteChild":
      receiveOwnInformationalAnswer(turn, sa, purpose);
      break;
    case "createChild":
      if (isEstablished(sa)) receiveChildAnswer(turn, sa, purpose.offer, purpose.old, payloads);
      break;
    case "rekeyIke":
      receiveIkeRekeyAnswer(turn, sa, payloads);
      break;
    case "user":
      if (sa.phase.at !== "deleting" || sa.successor !== 0) {
        const number = sa.successor === 0 ? sa.number : sa.successor;
        turn.outcomes.push({
          kind: "response",
          sa: number,
          exchange: pending.exchange,
          tag: purpose.tag,
          payloads,
        });
      }
  }
  // Whoever says INVALID_SYNTAX has dropped the SA. RFC 7296 section 2.21.3.
  if (isEstablished(sa) && notifyOf(payloads, NotifyType.INVALID_SYNTAX) !== undefined) {
    closeSa(turn, sa, "invalidSyntax", NotifyType.INVALID_SYNTAX);
  }
}
