/**
 * The front door of an endpoint: every function that the room above may call.
 */
import { assert, WireError } from "../base/errors.ts";
import type { Datagram } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { isChosen, type SaChoice } from "../base/saChoice.ts";
import { shortList } from "../base/shortList.ts";
import { createTimers, nextTimer, takeDue } from "../base/timers.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";
import type { AuthAnswer, EndpointConfig, Ikev1Outcome, InitiateOptions, SaNumber, SaView, Tools } from "./api.ts";
import { closeSa, drop } from "./closing.ts";
import { ask, onDpdTimer } from "./dpd.ts";
import { answerAuth as decide } from "./establish.ts";
import { startPhase1 } from "./first.ts";
import { deletePayload, sendInformational } from "./inform.ts";
import { onKeepaliveTimer } from "./nat.ts";
import { finishPhase2, onPhase2Timer, sendPhase2, startPhase2 } from "./phase2.ts";
import { receiveDatagram } from "./receive.ts";
import { type Ikev1Endpoint, type IsakmpSa, isEstablished, removeSa, type Slot, slotOf, type Turn } from "./state.ts";
import { onRetransmitTimer } from "./transmit.ts";

export type { Ikev1Endpoint } from "./state.ts";

export function createEndpoint(config: EndpointConfig): Ikev1Endpoint {
  assert(config.policies.length > 0, "an endpoint without a policy");
  return {
    config,
    sas: new Map(),
    byCookie: new Map(),
    byFirst: new Map(),
    byPeer: new Map(),
    timers: createTimers(),
    halfOpen: 0,
    nextSa: 1,
    dropped: {},
  };
}

// ------------------------------------------------------------------------------------------------- calls from above

/** Begins an SA as initiator; `lastSa` tells its number. */
export function initiate(
  endpoint: Ikev1Endpoint,
  tools: Tools,
  options: InitiateOptions,
  now: Micros,
): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  startPhase1(turn, options);
  return turn.outcomes;
}

/** Number of the SA that was made last; 0 before the first. */
export function lastSa(endpoint: Ikev1Endpoint): SaNumber {
  return endpoint.nextSa - 1;
}

/** The decision about a peer that has named itself; follows the outcome `authenticating`. */
export function answerAuth(
  endpoint: Ikev1Endpoint,
  tools: Tools,
  sa: SaNumber,
  answer: AuthAnswer,
  now: Micros,
): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  decide(turn, known(endpoint, sa), answer);
  return turn.outcomes;
}

/** Message 1 of a phase 2 exchange over an established SA; the peer's answer comes back as `message`. */
export function open(
  endpoint: Ikev1Endpoint,
  tools: Tools,
  sa: SaNumber,
  exchange: number,
  payloads: readonly IsakmpPayload[],
  now: Micros,
): { readonly messageId: number; readonly outcomes: readonly Ikev1Outcome[] } {
  const turn = begin(endpoint, tools, now);
  const messageId = startPhase2(turn, known(endpoint, sa), exchange, payloads);
  return { messageId, outcomes: turn.outcomes };
}

/** The next message of an exchange, after the outcome `message`. `isLast`: nothing is expected in return. */
export function answer(
  endpoint: Ikev1Endpoint,
  tools: Tools,
  sa: SaNumber,
  messageId: number,
  payloads: readonly IsakmpPayload[],
  isLast: boolean,
  now: Micros,
): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  const found = endpoint.sas.get(sa);
  const conversation = found?.phase2.get(messageId);
  if (found !== undefined && conversation !== undefined) sendPhase2(turn, found, conversation, payloads, isLast);
  return turn.outcomes;
}

/** The room above has taken the last message of an exchange, or goes no further with it. */
export function finish(endpoint: Ikev1Endpoint, tools: Tools, sa: SaNumber, messageId: number, now: Micros): void {
  const found = endpoint.sas.get(sa);
  if (found !== undefined) finishPhase2(begin(endpoint, tools, now), found, messageId);
}

/** A notify or a Delete of another SA, protected; it is sent once. */
export function inform(
  endpoint: Ikev1Endpoint,
  tools: Tools,
  sa: SaNumber,
  payload: IsakmpPayload,
  now: Micros,
): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  const found = known(endpoint, sa);
  assert(isEstablished(found), "an Informational over an SA that is not established");
  sendInformational(turn, found, payload);
  return turn.outcomes;
}

/** Asks once whether the peer is there: IOS `keepalive` without `periodic`, before traffic after a silence. */
export function probe(endpoint: Ikev1Endpoint, tools: Tools, sa: SaNumber, now: Micros): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  const found = endpoint.sas.get(sa);
  if (found !== undefined && isEstablished(found) && found.abilities.dpd) ask(turn, found);
  return turn.outcomes;
}

/** Deletes an SA and says so to the peer, once: there is no answer to wait for. */
export function close(endpoint: Ikev1Endpoint, tools: Tools, sa: SaNumber, now: Micros): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  const found = endpoint.sas.get(sa);
  if (found !== undefined) deleteSa(turn, found, "deletedByUs");
  return turn.outcomes;
}

/** Deletes all SAs of a choice, each as `close` does; none of them is there any more when their outcomes are looked at. */
export function closeChosen(
  endpoint: Ikev1Endpoint,
  tools: Tools,
  choice: SaChoice,
  now: Micros,
): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  for (const sa of [...endpoint.sas.values()]) if (isChosen(choice, sa)) deleteSa(turn, sa, "deletedByUs");
  return turn.outcomes;
}

function deleteSa(turn: Turn, sa: IsakmpSa, reason: "deletedByUs" | "expired"): void {
  if (isEstablished(sa)) sendInformational(turn, sa, deletePayload(sa));
  closeSa(turn, sa, reason);
}

/** Drops an SA without a word to the peer. */
export function forget(endpoint: Ikev1Endpoint, sa: SaNumber): void {
  const found = endpoint.sas.get(sa);
  if (found !== undefined) removeSa(endpoint, found);
}

function known(endpoint: Ikev1Endpoint, number: SaNumber): IsakmpSa {
  const sa = endpoint.sas.get(number);
  assert(sa !== undefined, `no SA ${number}`);
  return sa;
}

// ---------------------------------------------------------------------------------------------------- calls from below

/** Everything that a datagram causes. Never throws for foreign octets. */
export function receive(
  endpoint: Ikev1Endpoint,
  tools: Tools,
  datagram: Datagram,
  now: Micros,
): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  try {
    receiveDatagram(turn, datagram);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    drop(turn, "malformed", datagram.remote, 0, error.path);
  }
  return turn.outcomes;
}

/** Everything that deadlines up to `now` cause. */
export function expire(endpoint: Ikev1Endpoint, tools: Tools, now: Micros): readonly Ikev1Outcome[] {
  const turn = begin(endpoint, tools, now);
  for (let key = takeDue(endpoint.timers, now); key !== undefined; key = takeDue(endpoint.timers, now)) {
    const { number, slot } = slotOf(key);
    const sa = endpoint.sas.get(number);
    if (sa !== undefined) onTimer(turn, sa, slot);
  }
  return turn.outcomes;
}

function onTimer(turn: Turn, sa: IsakmpSa, slot: Slot): void {
  switch (slot) {
    case "phase1":
      onRetransmitTimer(turn, sa, sa.phase1);
      break;
    case "expiry":
      deleteSa(turn, sa, "expired");
      break;
    case "dpd":
      onDpdTimer(turn, sa);
      break;
    case "keepalive":
      onKeepaliveTimer(turn, sa);
      break;
    default: {
      const conversation = sa.phase2.get(slot);
      if (conversation !== undefined) onPhase2Timer(turn, sa, conversation);
    }
  }
}

/** Earliest deadline of all SAs. */
export function nextDeadline(endpoint: Ikev1Endpoint): Micros | undefined {
  return nextTimer(endpoint.timers);
}

function begin(endpoint: Ikev1Endpoint, tools: Tools, now: Micros): Turn {
  return { endpoint, tools, now, outcomes: shortList() };
}

// --------------------------------------------------------------------------------------------------------------- views

export function saNumbers(endpoint: Ikev1Endpoint): readonly SaNumber[] {
  return [...endpoint.sas.keys()];
}

export function saView(endpoint: Ikev1Endpoint, number: SaNumber): SaView | undefined {
  const sa = endpoint.sas.get(number);
  if (sa === undefined) return undefined;
  return {
    number,
    initiator: sa.initiator,
    mode: sa.mode,
    doi: sa.doi,
    local: sa.local,
    remote: sa.remote,
    marker: sa.marker,
    cookieInitiator: sa.cookieInitiator,
    cookieResponder: sa.cookieResponder,
    policy: sa.agreed?.policy,
    established: isEstablished(sa),
    identity: sa.identity,
    certificate: sa.certificate,
    profile: sa.profile,
    createdAt: sa.createdAt,
  };
}
