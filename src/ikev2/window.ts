/**
 * Message IDs, windows, retransmission and the memory of responses. RFC 7296 sections 2.1 to 2.3.
 *
 * Only who asks repeats itself; a repetition has the same octets, IV included. Who answers keeps the responses of one
 * window and sends them again when a request comes again. A request outside the window is never answered.
 */
import { type Bytes, equal, Writer } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Datagram } from "../base/machine.ts";
import { SECOND } from "../base/micros.ts";
import { IKE_HEADER_LENGTH, type MessageHead } from "../wire/ikeMessage.ts";
import { FLAG_INITIATOR, FLAG_RESPONSE, NotifyType, PayloadType } from "../wire/ikev2Numbers.ts";
import { markedIf } from "../wire/nonEsp.ts";
import { firstNumber, notifyOf, type Payload, writeChain } from "../wire/payloads.ts";
import type { RetransmitPolicy } from "./api.ts";
import { closeSa } from "./closing.ts";
import { happened } from "./events.ts";
import { splitInner } from "./fragment.ts";
import { directionKeys, nextIv, sealChain } from "./protect.ts";
import {
  type IkeSa,
  type OutWindow,
  type PendingRequest,
  type Purpose,
  type QueuedRequest,
  registryOf,
  removeSa,
  retransmitSlot,
  type ServedRequest,
  startTimer,
  stopTimer,
  type Turn,
  WINDOW_MAX,
} from "./state.ts";

/** Waits of 2, 4, 8, 16, 32 and 64 seconds: six transmissions in all. RFC 7296 section 2.4 leaves the numbers open. */
export const DEFAULT_RETRANSMIT: RetransmitPolicy = { first: 2 * SECOND, factor: 2, repeats: 5 };

export function transmit(turn: Turn, sa: IkeSa, datagrams: readonly Bytes[]): void {
  const { local, remote } = sa;
  sa.sentAt = turn.now;
  for (const octets of datagrams) {
    turn.outcomes.push({ kind: "send", local, remote, octets: markedIf(sa.marker, octets) });
  }
}

export function headOf(sa: IkeSa, exchange: number, messageId: number, response: boolean): MessageHead {
  const flags = (sa.initiator ? FLAG_INITIATOR : 0) | (response ? FLAG_RESPONSE : 0);
  return { spiInitiator: sa.spiInitiator, spiResponder: sa.spiResponder, exchange, flags, messageId };
}

/** The datagrams of an encrypted message of ours. */
export function sealMessage(
  turn: Turn,
  sa: IkeSa,
  exchange: number,
  messageId: number,
  response: boolean,
  payloads: readonly Payload[],
): readonly Bytes[] {
  const { keys } = sa;
  assert(keys !== undefined, "an encrypted message before there are keys");
  const { tools } = turn;
  const { protection } = keys;
  const head = headOf(sa, exchange, messageId, response);
  const direction = directionKeys(keys, sa.initiator);
  const known = registryOf(turn.endpoint);
  const first = firstNumber(payloads, known);
  const w = new Writer();
  writeChain(w, payloads, known, PayloadType.NONE);
  const parts = splitInner(turn, sa, protection, w.view());
  const total = parts.length;
  const datagrams = new Array<Bytes>(total);
  for (let i = 0; i < total; i++) {
    datagrams[i] = sealChain(tools.crypto, protection, direction, {
      head,
      first: i === 0 ? first : PayloadType.NONE,
      inner: parts[i]!,
      iv: nextIv(sa, keys, tools),
      fragment: total === 1 ? undefined : { number: i + 1, total },
    });
  }
  w.release();
  return datagrams;
}

// ----------------------------------------------------------------------------------------------------- our requests

/** Sends an encrypted request, or puts it in line where the window is full. */
export function startRequest(
  turn: Turn,
  sa: IkeSa,
  exchange: number,
  purpose: Purpose,
  payloads: readonly Payload[],
  policy: RetransmitPolicy = turn.endpoint.config.retransmit,
): void {
  resumeAbandoned(turn, sa);
  const { out } = sa;
  const request = { exchange, purpose, payloads, policy };
  if (out.queue.length === 0 && mayLeave(out, request)) issue(turn, sa, request);
  else out.queue.push(request);
}

/** Sends what has been waiting as far as the window allows. To be called after each answer. */
export function pumpQueue(turn: Turn, sa: IkeSa): void {
  const { out } = sa;
  while (out.queue.length > 0 && mayLeave(out, out.queue[0]!)) issue(turn, sa, out.queue.shift()!);
}

/** The window has room. A Delete is the last request of an SA: it leaves when all others are answered. */
function mayLeave(out: OutWindow, { purpose }: QueuedRequest): boolean {
  if (out.pending.length === 0) return true;
  return out.nextId < out.pending[0]!.messageId + out.size && purpose.kind !== "delete";
}

function issue(turn: Turn, sa: IkeSa, { exchange, purpose, payloads, policy }: QueuedRequest): void {
  const messageId = sa.out.nextId;
  const datagrams = sealMessage(turn, sa, exchange, messageId, false, payloads);
  sendFirst(turn, sa, { messageId, exchange, purpose, datagrams, policy });
}

/** First transmission of a request whose octets exist: what IKE_SA_INIT uses directly. */
export function sendFirst(turn: Turn, sa: IkeSa, what: Omit<PendingRequest, "repeats" | "abandoned">): void {
  const { messageId, exchange, purpose, datagrams, policy } = what;
  sa.out.nextId = messageId + 1;
  const request = { messageId, exchange, purpose, datagrams, policy, repeats: 0, abandoned: false };
  // With a window of one, which is what nearly everybody has, there is room for no other.
  if (sa.out.pending.length === 0) sa.out.pending = [request];
  else sa.out.pending.push(request);
  transmit(turn, sa, datagrams);
  startTimer(turn, sa, retransmitSlot(messageId), policy.first);
}

/**
 * A request that was given up while its SA lived on still blocks the peer's window, since the peer may not have seen it.
 * The next request takes it up again: the same octets, a back-off from the start.
 */
function resumeAbandoned(turn: Turn, sa: IkeSa): void {
  for (const request of sa.out.pending) {
    if (!request.abandoned) continue;
    request.abandoned = false;
    request.repeats = 0;
    transmit(turn, sa, request.datagrams);
    startTimer(turn, sa, retransmitSlot(request.messageId), request.policy.first);
  }
}

export function pendingRequest(sa: IkeSa, messageId: number, exchange: number): PendingRequest | undefined {
  return sa.out.pending.find((request) => request.messageId === messageId && request.exchange === exchange);
}

/** The answer to a request is there and genuine. */
export function settleRequest(turn: Turn, sa: IkeSa, request: PendingRequest): void {
  sa.out.pending.splice(sa.out.pending.indexOf(request), 1);
  stopTimer(turn.endpoint, sa, retransmitSlot(request.messageId));
}

/** The wait for an answer is over: once more, or never again. */
export function onRetransmitTimer(turn: Turn, sa: IkeSa, slot: number): void {
  const request = sa.out.pending.find(({ messageId }) => retransmitSlot(messageId) === slot);
  assert(request !== undefined, "a retransmission timer without a request");
  if (request.repeats >= request.policy.repeats) {
    giveUp(turn, sa, request);
    return;
  }
  request.repeats += 1;
  const { messageId, exchange, repeats, policy } = request;
  transmit(turn, sa, request.datagrams);
  startTimer(turn, sa, slot, policy.first * policy.factor ** repeats);
  turn.outcomes.push(happened("ike.retransmit", sa.number, sa.remote, { exchange, messageId, repeat: repeats }), {
    kind: "retransmitted",
    sa: sa.number,
    exchange,
    tag: tagOf(request.purpose),
    repeat: repeats,
  });
}

function giveUp(turn: Turn, sa: IkeSa, request: PendingRequest): void {
  const { purpose, exchange, messageId } = request;
  if (purpose.kind === "delete") {
    removeSa(turn.endpoint, sa);
    return;
  }
  turn.outcomes.push(happened("ike.unanswered", sa.number, sa.remote, { exchange, messageId }));
  if (purpose.kind === "user" && purpose.keepSa) {
    request.abandoned = true;
    turn.outcomes.push({ kind: "unanswered", sa: sa.number, exchange, tag: purpose.tag });
    return;
  }
  if (sa.successor === 0) {
    const rival = sa.rekey?.rival && turn.endpoint.sas.get(sa.rekey.rival.made);
    if (rival !== undefined) removeSa(turn.endpoint, rival);
    closeSa(turn, sa, "timeout");
    return;
  }
  // What is left of a rekeyed SA ends alone; its successor finds out by itself whether the peer lives.
  if (purpose.kind === "user") {
    turn.outcomes.push({ kind: "unanswered", sa: sa.successor, exchange, tag: purpose.tag });
  }
  removeSa(turn.endpoint, sa);
}

/** Empty for the requests of this room itself. */
export function tagOf(purpose: Purpose): string {
  return purpose.kind === "user" ? purpose.tag : "";
}

/** N(SET_WINDOW_SIZE) in any protected message widens our window; it never shrinks. RFC 7296 section 2.3. */
export function noteWindowSize(turn: Turn, sa: IkeSa, payloads: readonly Payload[]): void {
  const data = notifyOf(payloads, NotifyType.SET_WINDOW_SIZE)?.data;
  if (data === undefined || data.length !== 4) return;
  const size = ((data[0]! << 24) | (data[1]! << 16) | (data[2]! << 8) | data[3]!) >>> 0;
  sa.out.size = Math.max(sa.out.size, Math.min(size, WINDOW_MAX));
  pumpQueue(turn, sa);
}

// ----------------------------------------------------------------------------------------------- the peer's requests

/**
 * - `fresh` inside the window and not seen before
 * - `answered` seen before, its response is at hand
 * - `beingServed` seen before, not answered yet
 * - `outside` to be ignored
 */
export type RequestStanding =
  | { readonly kind: "fresh" }
  | { readonly kind: "answered"; readonly served: ServedRequest }
  | { readonly kind: "beingServed" }
  | { readonly kind: "outside" };

export function windowSize(turn: Turn): number {
  return Math.min(turn.endpoint.config.window ?? 1, WINDOW_MAX);
}

export function standingOf(turn: Turn, sa: IkeSa, messageId: number): RequestStanding {
  const served = sa.inward.served.find((entry) => entry.messageId === messageId);
  if (served !== undefined)
    return served.response === undefined ? { kind: "beingServed" } : { kind: "answered", served };
  const { nextId } = sa.inward;
  return messageId >= nextId && messageId < nextId + windowSize(turn) ? { kind: "fresh" } : { kind: "outside" };
}

/** Sends a kept response again, to where the repeated request came from. RFC 7296 section 2.11. */
export function repeatResponse(turn: Turn, from: Datagram, marked: boolean, response: readonly Bytes[]): void {
  const { local, remote } = from;
  for (const octets of response) {
    turn.outcomes.push({ kind: "send", local, remote, octets: markedIf(marked, octets) });
  }
}

/** A repetition is equal to the request from SPIi on; anything else under its number is not answered. */
export function isRepetition(served: ServedRequest, octets: Bytes): boolean {
  return equal(served.request, octets);
}

/** Notes a genuine request as being served. */
export function beginServing(sa: IkeSa, messageId: number, exchange: number, request: Bytes): void {
  assert(request.length >= IKE_HEADER_LENGTH, "a request is a whole message");
  const { inward } = sa;
  const entry = { messageId, exchange, request, response: undefined };
  const [only] = inward.served;
  // A list that is spread or filtered has room for 17, and a window of one is what nearly everybody has.
  if (only === undefined) inward.served = [entry];
  else if (inward.served.length === 1) inward.served = [only, entry];
  else inward.served = [...inward.served, entry];
}

/** Answers a request that is being served, and keeps the answer for as long as the window asks for it. */
export function answerRequest(turn: Turn, sa: IkeSa, messageId: number, payloads: readonly Payload[]): void {
  const served = sa.inward.served.find((entry) => entry.messageId === messageId);
  assert(served !== undefined && served.response === undefined, "an answer to no open request");
  served.response = sealMessage(turn, sa, served.exchange, messageId, true, payloads);
  transmit(turn, sa, served.response);
  const { inward } = sa;
  while (inward.served.some((entry) => entry.messageId === inward.nextId && entry.response !== undefined)) {
    inward.nextId += 1;
  }
  const oldest = inward.nextId - windowSize(turn);
  if (inward.served.length === 2 && inward.served[0]!.messageId < oldest) inward.served = [served];
  else inward.served = inward.served.filter((entry) => entry.messageId >= oldest);
}
