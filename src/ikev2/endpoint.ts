/**
 * The front door of an endpoint: every function that the room above may call.
 */
import { assert, WireError } from "../base/errors.ts";
import type { Datagram } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { isChosen, type SaChoice } from "../base/saChoice.ts";
import { shortList } from "../base/shortList.ts";
import { createTimers, nextTimer, takeDue } from "../base/timers.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import type {
  AuthAnswer,
  ChildPolicy,
  EndpointConfig,
  IkeOutcome,
  InitiateOptions,
  RequestOptions,
  SaNumber,
  SaView,
  Tools,
} from "./api.ts";
import { answerAuth as answer } from "./auth.ts";
import { startDeleteChild } from "./childSa.ts";
import { childByInbound } from "./childTable.ts";
import { closeSa, drop } from "./closing.ts";
import { askChild } from "./createChild.ts";
import { deleteSa } from "./informational.ts";
import { startInit } from "./init.ts";
import { onKeepaliveTimer, onLivenessTimer } from "./liveness.ts";
import { receiveDatagram } from "./receive.ts";
import { askIkeRekey } from "./rekeyIke.ts";
import { onChildTimer, onExpiryTimer, onRenewTimer } from "./renew.ts";
import { type IkeEndpoint, type IkeSa, isEstablished, removeSa, Slot, slotOf, type Turn } from "./state.ts";
import { answerRequest, onRetransmitTimer, startRequest } from "./window.ts";

export type { IkeEndpoint } from "./state.ts";

export function createEndpoint(config: EndpointConfig): IkeEndpoint {
  assert(config.proposals.length > 0, "an endpoint without a proposal");
  return {
    config,
    sas: new Map(),
    bySpi: new Map(),
    byInit: undefined,
    byPeer: new Map(),
    timers: createTimers(),
    halfOpen: 0,
    nextSa: 1,
    cookies: undefined,
    childSpis: undefined,
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

/** Deletes all SAs of a choice, each as `close` does; none of them is there any more when their outcomes are looked at. */
export function closeChosen(endpoint: IkeEndpoint, tools: Tools, choice: SaChoice, now: Micros): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  for (const sa of [...endpoint.sas.values()]) if (isLive(sa) && isChosen(choice, sa)) deleteSa(turn, sa);
  return turn.outcomes;
}

/** Drops an SA without a word to the peer. */
export function forget(endpoint: IkeEndpoint, sa: SaNumber): void {
  const found = endpoint.sas.get(sa);
  if (found !== undefined) removeSa(endpoint, found);
}

/** A Child SA over an established SA; `child` or `childRefused` follows. A refusal comes at once while keys change. */
export function createChild(
  endpoint: IkeEndpoint,
  tools: Tools,
  sa: SaNumber,
  policy: ChildPolicy,
  now: Micros,
): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  if (!askChild(turn, known(endpoint, sa), policy, undefined)) {
    turn.outcomes.push({ kind: "childRefused", sa, notify: NotifyType.TEMPORARY_FAILURE });
  }
  return turn.outcomes;
}

/** Fresh keys for a pair; nothing happens where it is unknown or busy. */
export function rekeyChild(
  endpoint: IkeEndpoint,
  tools: Tools,
  sa: SaNumber,
  inboundSpi: number,
  now: Micros,
): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  const found = known(endpoint, sa);
  const child = childByInbound(found, inboundSpi);
  if (child?.state === "up") askChild(turn, found, child.policy, child);
  return turn.outcomes;
}

/** Deletes a pair; `childClosed` follows when the peer has answered. */
export function deleteChild(
  endpoint: IkeEndpoint,
  tools: Tools,
  sa: SaNumber,
  inboundSpi: number,
  now: Micros,
): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  const found = known(endpoint, sa);
  const child = childByInbound(found, inboundSpi);
  if (child !== undefined) startDeleteChild(turn, found, child, "deletedByUs");
  return turn.outcomes;
}

/** Fresh keys for an IKE SA; `rekeyed` follows. Nothing happens while it is busy with its children. */
export function rekeySa(endpoint: IkeEndpoint, tools: Tools, sa: SaNumber, now: Micros): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  askIkeRekey(turn, known(endpoint, sa));
  return turn.outcomes;
}

/** Everything whose time has come. */
export function expire(endpoint: IkeEndpoint, tools: Tools, now: Micros): readonly IkeOutcome[] {
  const turn = begin(endpoint, tools, now);
  for (let key = takeDue(endpoint.timers, now); key !== undefined; key = takeDue(endpoint.timers, now)) {
    const { number, slot } = slotOf(key);
    const sa = endpoint.sas.get(number);
    assert(sa !== undefined, "a timer of an SA that is gone");
    const handler = ON_TIMER[slot];
    if (handler === undefined) onRetransmitTimer(turn, sa, slot);
    else handler(turn, sa);
  }
  return turn.outcomes;
}

/** By slot; all others are retransmissions. */
const ON_TIMER: Readonly<Record<number, (turn: Turn, sa: IkeSa) => void>> = {
  [Slot.life]: onLifeTimer,
  [Slot.liveness]: onLivenessTimer,
  [Slot.keepalive]: onKeepaliveTimer,
  [Slot.renew]: onRenewTimer,
  [Slot.expiry]: onExpiryTimer,
  [Slot.renewChild]: onChildTimer,
};

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

export function nextDeadline(endpoint: IkeEndpoint): Micros | undefined {
  return nextTimer(endpoint.timers);
}

/** Whether requests can be made over an SA. */
export function isUp(endpoint: IkeEndpoint, number: SaNumber): boolean {
  const sa = endpoint.sas.get(number);
  return sa !== undefined && isEstablished(sa);
}

/** What may be known of an SA that is being made or stands; undefined once it is closed. */
export function saView(endpoint: IkeEndpoint, number: SaNumber): SaView | undefined {
  const sa = endpoint.sas.get(number);
  if (sa === undefined || !isLive(sa)) return undefined;
  const {
    initiator,
    local,
    remote,
    marker,
    spiInitiator,
    spiResponder,
    identity,
    profile,
    createdAt,
    fragments,
    keys,
  } = sa;
  return {
    number,
    initiator,
    local,
    remote,
    marker,
    spiInitiator,
    spiResponder,
    suite: keys?.suite ?? NO_SUITE,
    established: isEstablished(sa),
    identity,
    profile,
    createdAt,
    fragments,
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
  return sa.phase.at !== "deleting" && sa.phase.at !== "lingering" && sa.announced && sa.successor === 0;
}

function begin(endpoint: IkeEndpoint, tools: Tools, now: Micros): Turn {
  return { endpoint, tools, now, outcomes: shortList() };
}

function known(endpoint: IkeEndpoint, number: SaNumber): IkeSa {
  const sa = endpoint.sas.get(number);
  assert(sa !== undefined, () => `no IKE SA ${number}`);
  return sa;
}

/** A half-open SA whose peer never came back, or one that is over and has been kept for long enough. */
function onLifeTimer(turn: Turn, sa: IkeSa): void {
  if (sa.phase.at === "lingering" || sa.successor !== 0 || !sa.announced) removeSa(turn.endpoint, sa);
  else closeSa(turn, sa, "timeout");
}
