/**
 * The group member as a machine: datagrams, deadlines and commands in; datagrams, events, keys for export and orders to
 * the data plane of its router out. One IKE endpoint serves all groups; rekey messages for all members are told from it
 * by their exchange type.
 */
import type { Datagram, Machine } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import { nextTimer, takeDue } from "../base/timers.ts";
import { dialectOf } from "../gikev2/dialects.ts";
import { rekeyHeaderOf } from "../gikev2/rekeyHeader.ts";
import type { CloseReason, IkeOutcome, SaNumber, Tools } from "../ikev2/api.ts";
import { answerAuth, expire, nextDeadline, receive, respond, saView } from "../ikev2/endpoint.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { GmConfig } from "./config.ts";
import { gmEvent } from "./events.ts";
import { dropPolicy, refreshKeys } from "./install.ts";
import { noteUnknownSpi, onMissedTimer } from "./missedRekey.ts";
import {
  beginRegistration,
  onEstablished,
  onIkeKeys,
  onRegistrationAnswer,
  onRegistrationClosed,
  registeringOver,
  reregister,
  sendWithdrawal,
  waitToRegister,
} from "./registration.ts";
import { onInbandRekey, onRekeyMessage } from "./rekey.ts";
import type { GmCommand, GmGroup, GmInput, GmOutput, GmState, GmTimer, Turn } from "./state.ts";
import { createGmState, dialectFor, moveTo, rekeysInband, stopTimer } from "./state.ts";

export type { GmCommand, GmInput, GmOutput, GmState } from "./state.ts";
export { createGmState } from "./state.ts";

/** All that `input` causes at `now`, in order. Never throws for foreign octets. */
export function handleGm(state: GmState, tools: Tools, input: GmInput, now: Micros): readonly GmOutput[] {
  const turn: Turn = { state, tools, now, out: [] };
  switch (input.kind) {
    case "datagram":
      onDatagram(turn, input.datagram);
      break;
    case "timeout":
      follow(turn, expire(state.endpoint, tools, now));
      runTimers(turn);
      break;
    case "command":
      obey(turn, input.command);
      break;
  }
  return turn.out;
}

export function nextGmTimeout(state: GmState): Micros | undefined {
  const own = nextTimer(state.timers);
  const ike = nextDeadline(state.endpoint);
  return own === undefined || (ike !== undefined && ike < own) ? ike : own;
}

/** The same as an object for a driver; `state` can be copied with structuredClone between two calls. */
export function groupMember(config: GmConfig, tools: Tools): Machine<GmInput, GmOutput> & { readonly state: GmState } {
  const state = createGmState(config);
  return {
    state,
    handle: (input, now) => handleGm(state, tools, input, now),
    nextTimeout: () => nextGmTimeout(state),
  };
}

function onDatagram(turn: Turn, datagram: Datagram): void {
  const header = rekeyHeaderOf(datagram.octets);
  if (header !== undefined) onRekeyMessage(turn, datagram, header);
  else follow(turn, receive(turn.state.endpoint, turn.tools, datagram, turn.now));
}

// ---------------------------------------------------------------------------------------------- outcomes of the IKE room

const UNSUPPORTED = dialectOf("rfc9838").refusal(NotifyType.NO_PROPOSAL_CHOSEN);

function follow(turn: Turn, outcomes: readonly IkeOutcome[]): void {
  for (const outcome of outcomes) followOne(turn, outcome);
}

function followOne(turn: Turn, outcome: IkeOutcome): void {
  const { state, tools, now } = turn;
  switch (outcome.kind) {
    case "keys":
      onIkeKeys(turn, outcome.entry);
      turn.out.push(outcome);
      break;
    case "send":
    case "event":
      turn.out.push(outcome);
      break;
    case "established":
      onEstablished(turn, outcome.sa, outcome.payloads);
      break;
    case "closed":
      onClosed(turn, outcome.sa, outcome.reason, outcome.notify);
      break;
    case "request": {
      const { sa, exchange, messageId, payloads } = outcome;
      const inband = state.groups.some((group) => dialectFor(group).inbandExchange === exchange);
      const answer = inband ? onInbandRekey(turn, sa, messageId, payloads) : undefined;
      follow(turn, respond(state.endpoint, tools, sa, messageId, answer?.payloads ?? UNSUPPORTED, now));
      answer?.afterwards();
      break;
    }
    case "authenticating":
      // A member starts IKE SAs and takes none.
      follow(
        turn,
        answerAuth(state.endpoint, tools, outcome.sa, { accept: false, notify: NotifyType.NO_PROPOSAL_CHOSEN }, now),
      );
      break;
    case "response":
      onRegistrationAnswer(turn, outcome.sa, outcome.tag, outcome.payloads);
      break;
    case "rekeyed":
      onRekeyed(turn, outcome.sa, outcome.successor);
      break;
    default:
      // Answers to withdrawals change nothing, and members ask for no Child SAs.
      break;
  }
}

/**
 * The IKE SA that rekeys come in has a successor: keys are wrapped under what its SK_d yields from now on. RFC 9838
 * section 2.3.3 allows the rekey of the IKE SA; that GSK_w changes with it follows from section 3.1.1.
 */
function onRekeyed(turn: Turn, sa: SaNumber, successor: SaNumber): void {
  const view = saView(turn.state.endpoint, successor);
  for (const group of turn.state.groups) {
    const { held } = group;
    if (held?.sa !== sa || view?.skD === undefined) continue;
    const kwk = dialectFor(group).unicastKwk(turn.tools.crypto, view.suite, view.skD);
    if (kwk === undefined) continue;
    held.sa = successor;
    held.kwk = kwk;
  }
}

/**
 * Without its IKE SA a member that is rekeyed in it gets no rekeys: it is as good as excluded and comes back (RFC 9838
 * section 2.3.3). Others need none: the key server closes it by convention.
 */
function onClosed(turn: Turn, sa: SaNumber, reason: CloseReason, notify: number): void {
  for (const group of registeringOver(turn, sa)) onRegistrationClosed(turn, group, reason, notify);
  for (const group of turn.state.groups) {
    if (group.retiredSa === sa) group.retiredSa = undefined;
    const { held } = group;
    if (held?.sa !== sa) continue;
    held.sa = undefined;
    if (!rekeysInband(group) || group.phase.at !== "registered") continue;
    const { name, local } = group.config;
    const waitSeconds = waitToRegister(turn, group, "lost", group.tuning.exclusionSecondsMost * SECOND);
    const data = { group: name, server: held.server.address, address: local.address, reason, waitSeconds };
    turn.out.push(gmEvent("gm.saLost", data));
  }
}

// -------------------------------------------------------------------------------------------------------------- timers

const ON_GROUP: Readonly<Record<GmTimer, (turn: Turn, group: GmGroup) => void>> = {
  reregister: (turn, group) => reregister(turn, group, "lead"),
  retry: (turn, group) => beginRegistration(turn, group, "retryDue"),
  missed: onMissedTimer,
  keys: onKeysTimer,
};

function runTimers(turn: Turn): void {
  const { state, now } = turn;
  for (let key = takeDue(state.timers, now); key !== undefined; key = takeDue(state.timers, now)) {
    const [timer, index] = key.split(" ") as [GmTimer, string];
    ON_GROUP[timer](turn, state.groups[Number(index)]!);
  }
}

/** Permitted traffic is dropped once no TEK is left: the rules stay, the SAs are gone. */
function onKeysTimer(turn: Turn, group: GmGroup): void {
  refreshKeys(turn, group);
  if (group.held?.teks.length === 0) reregister(turn, group, "expired");
}

// ------------------------------------------------------------------------------------------------------------- commands

function obey(turn: Turn, command: GmCommand): void {
  if (command.name === "unknownSpi") {
    for (const group of turn.state.groups) noteUnknownSpi(turn, group, command.spi);
    return;
  }
  for (const group of turn.state.groups) {
    if (group.config.name !== command.group) continue;
    if (command.name === "mapApplied") applyMap(turn, group);
    else if (command.name === "mapRemoved") removeMap(turn, group);
    else clear(turn, group);
  }
}

function applyMap(turn: Turn, group: GmGroup): void {
  if (group.phase.at !== "idle") return;
  const { name, local } = group.config;
  const first = turn.state.groups.every(({ phase }) => phase.at === "idle");
  turn.out.push(gmEvent("gm.attached", { group: name, address: local.address, first }));
  beginRegistration(turn, group, "mapApplied");
}

/** The key server is told, so that it stops counting on the member. */
function removeMap(turn: Turn, group: GmGroup): void {
  if (group.phase.at === "idle") return;
  const sa = group.held?.sa;
  if (sa !== undefined) sendWithdrawal(turn, group, sa, NotifyType.REGISTRATION_FAILED);
  dropPolicy(turn, group, "left");
  stopTimer(turn, "retry", group);
  moveTo(group, "mapRemoved", { at: "idle" });
  turn.out.push(gmEvent("gm.unregistered", { group: group.config.name, reason: "mapRemoved" }));
}

function clear(turn: Turn, group: GmGroup): void {
  if (group.phase.at === "idle") return;
  const { name } = group.config;
  turn.out.push(gmEvent("gm.cleared", { group: name }));
  dropPolicy(turn, group, "cleared");
  turn.out.push(gmEvent("gm.unregistered", { group: name, reason: "cleared" }));
  beginRegistration(turn, group, "cleared");
}
