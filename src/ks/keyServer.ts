/**
 * The key server as a machine: datagrams on UDP 848, deadlines and an operator's commands in; datagrams, events and keys
 * for export out. It is no member of its groups and never installs a TEK.
 */
import type { Datagram, Machine } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { shortList } from "../base/shortList.ts";
import { nextTimer, takeDue } from "../base/timers.ts";
import { arrivalOf, groupAckOf, isIkev1 } from "../gdoi/groupMessage.ts";
import type { ClearIkeSas } from "../gikev2/clearIkeSas.ts";
import { dialectOf } from "../gikev2/dialects.ts";
import { passOn } from "../gikev2/outcomes.ts";
import {
  closeChosen as closeIsakmpSas,
  expire as expireIsakmp,
  nextDeadline as nextIsakmpDeadline,
  receive as receiveIsakmp,
} from "../ikev1/endpoint.ts";
import type { CloseReason, IkeOutcome, SaNumber, Tools } from "../ikev2/api.ts";
import { answerAuth, close, closeChosen, expire, nextDeadline, receive, respond, saView } from "../ikev2/endpoint.ts";
import { errorNotify } from "../wire/grammar.ts";
import { Exchange, NotifyType } from "../wire/ikev2Numbers.ts";
import { settle } from "./answers.ts";
import type { KsConfig, ProtocolKind } from "./config.ts";
import { ksEvent } from "./events.ts";
import { evict } from "./eviction.ts";
import { sendCopy } from "./multicast.ts";
import { followIsakmp } from "./pullRegistration.ts";
import { repeatPush, takeRekeyAck } from "./push.ts";
import { dialectOfRequest, register } from "./registration.ts";
import { changeSigner, clearMembers, deleteDataSas, rekeyByCommand, rekeyKek, rekeyTeks } from "./rekey.ts";
import { onRekeyResponse, onRekeyRetransmitted, onRekeyUnanswered, sendBatch } from "./round.ts";
import type {
  KsBranch,
  KsCommand,
  KsGroup,
  KsGroupCommand,
  KsInput,
  KsOutput,
  KsState,
  KsTimer,
  Turn,
} from "./state.ts";
import { branchOf, branchOfMember, createKsState, dialectFor, ikeOf, rekeysInband, removeMember } from "./state.ts";

export type { KsCommand, KsInput, KsOutput, KsState } from "./state.ts";
export { createKsState } from "./state.ts";

/** All that `input` causes at `now`, in order. Never throws for foreign octets. */
export function handleKs(state: KsState, tools: Tools, input: KsInput, now: Micros): readonly KsOutput[] {
  const turn: Turn = { state, tools, now, out: shortList() };
  switch (input.kind) {
    case "datagram":
      onDatagram(turn, input.datagram);
      break;
    case "timeout":
      if (state.endpoint !== undefined) follow(turn, expire(state.endpoint, tools, now));
      if (state.isakmp !== undefined) followIsakmp(turn, state.isakmp, expireIsakmp(state.isakmp.endpoint, tools, now));
      runTimers(turn);
      break;
    case "command":
      obey(turn, input.command);
      break;
  }
  return turn.out;
}

export function nextKsTimeout(state: KsState): Micros | undefined {
  const { endpoint, isakmp, timers } = state;
  const ike = endpoint && nextDeadline(endpoint);
  return earlier(earlier(nextTimer(timers), ike), isakmp && nextIsakmpDeadline(isakmp.endpoint));
}

function earlier(a: Micros | undefined, b: Micros | undefined): Micros | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

/** The same as an object for a driver; `state` can be copied with structuredClone between two calls. */
export function keyServer(config: KsConfig, tools: Tools): Machine<KsInput, KsOutput> & { readonly state: KsState } {
  const state = createKsState(config);
  return {
    state,
    handle: (input, now) => handleKs(state, tools, input, now),
    nextTimeout: () => nextKsTimeout(state),
  };
}

function onDatagram(turn: Turn, datagram: Datagram): void {
  const { octets } = datagram;
  const { endpoint, isakmp } = turn.state;
  const arrival = arrivalOf(datagram);
  const ack = arrival && groupAckOf(arrival.octets);
  if (arrival !== undefined && ack !== undefined && takeRekeyAck(turn, arrival, ack)) return;
  // Where only one version of IKE is spoken its endpoint counts what is not for it.
  if (isakmp !== undefined && (isIkev1(octets) || endpoint === undefined)) {
    followIsakmp(turn, isakmp, receiveIsakmp(isakmp.endpoint, turn.tools, datagram, turn.now));
  } else if (endpoint !== undefined) follow(turn, receive(endpoint, turn.tools, datagram, turn.now));
}

// ---------------------------------------------------------------------------------------------- outcomes of the IKE room

function follow(turn: Turn, outcomes: readonly IkeOutcome[]): void {
  for (const outcome of outcomes) followOne(turn, outcome);
}

function followOne(turn: Turn, outcome: IkeOutcome): void {
  const { state, tools, now } = turn;
  const endpoint = ikeOf(state);
  switch (outcome.kind) {
    case "send":
    case "event":
    case "keys":
      turn.out.push(outcome);
      break;
    case "authenticating": {
      const { sa, exchange, identity, payloads } = outcome;
      if (exchange !== Exchange.GSA_AUTH) {
        // Members register with GSA_AUTH; a key server has no Child SAs to offer.
        follow(turn, answerAuth(endpoint, tools, sa, { accept: false, notify: NotifyType.NO_PROPOSAL_CHOSEN }, now));
        break;
      }
      const answer = register(turn, sa, identity, exchange, payloads);
      const notify = errorNotify(answer);
      const accept = notify === undefined || !dialectOfRequest(state, payloads).refusalEndsSa;
      const decision = accept ? ({ accept, payloads: answer } as const) : ({ accept, notify } as const);
      follow(turn, answerAuth(endpoint, tools, sa, decision, now));
      break;
    }
    case "request": {
      const { sa, exchange, messageId, payloads } = outcome;
      const view = saView(endpoint, sa);
      const registers = exchange === Exchange.GSA_REGISTRATION && view?.identity !== undefined;
      const answer = registers ? register(turn, sa, view.identity, exchange, payloads) : UNSUPPORTED;
      follow(turn, respond(endpoint, tools, sa, messageId, answer, now));
      break;
    }
    case "response":
      onRekeyResponse(turn, outcome.sa, outcome.tag);
      break;
    case "retransmitted":
      if (outcome.tag !== "") onRekeyRetransmitted(turn, outcome.sa, outcome.tag, outcome.repeat);
      break;
    case "unanswered":
      onRekeyUnanswered(turn, outcome.sa, outcome.tag);
      break;
    case "closed":
      onClosed(turn, outcome.sa, outcome.reason);
      break;
    case "rekeyed":
      onRekeyed(turn, outcome.sa, outcome.successor);
      break;
    default:
      // Nothing to do once a member is authenticated; Child SAs are never offered.
      break;
  }
}

/** An IKE SA has a successor: its members move there, and their keys are wrapped under what its SK_d yields. */
function onRekeyed(turn: Turn, sa: SaNumber, successor: SaNumber): void {
  const { membersBySa, groups } = turn.state;
  const references = membersBySa.get(sa);
  const view = saView(ikeOf(turn.state), successor);
  if (references === undefined || view?.skD === undefined) return;
  membersBySa.delete(sa);
  membersBySa.set(successor, references);
  for (const { group: id, member: key } of references) {
    const group = groups.get(id)!;
    const member = group.members.get(key);
    const kwk = dialectFor(group).unicastKwk(turn.tools.crypto, view.suite, view.skD);
    if (member?.sa !== sa || kwk === undefined) continue;
    member.sa = successor;
    member.kwk = kwk;
  }
}

/** Exchanges that a key server has no use for are refused without harm to the SA. */
const UNSUPPORTED = dialectOf("rfc9838").refusal(NotifyType.NO_PROPOSAL_CHOSEN);

/** A member that is rekeyed in its IKE SA cannot be reached without it any more; others need none. */
function onClosed(turn: Turn, sa: SaNumber, reason: CloseReason): void {
  for (const { group: id, member: key } of turn.state.membersBySa.get(sa) ?? []) {
    const group = turn.state.groups.get(id)!;
    const member = group.members.get(key);
    if (member?.sa !== sa) continue;
    if (!rekeysInband(group, branchOfMember(group, member))) {
      member.sa = undefined;
      continue;
    }
    removeMember(turn.state, group, member);
    settle(turn, group, member);
    turn.out.push(
      ksEvent("ks.memberLost", { group: group.config.name, protocol: member.protocol, member: key, reason }),
    );
  }
  turn.state.membersBySa.delete(sa);
}

// -------------------------------------------------------------------------------------------------------------- timers

type OnBranch = (turn: Turn, group: KsGroup, branch: KsBranch, rest: string) => void;

const ON_BRANCH: Readonly<Record<Exclude<KsTimer, "close" | "rekeyTek">, OnBranch>> = {
  rekeyKek,
  batch: sendBatch,
  copy: sendCopy,
  repeat: repeatPush,
};

function runTimers(turn: Turn): void {
  const { state, now } = turn;
  for (let key = takeDue(state.timers, now); key !== undefined; key = takeDue(state.timers, now)) {
    const [timer, argument] = key.split(" ") as [KsTimer, string];
    if (timer === "close") {
      closeIdle(turn, Number(argument));
      continue;
    }
    // GROUP, or GROUP/KIND and what follows; neither has a slash in it. Either may be served no more.
    const [id, kind, rest = ""] = argument.split("/") as [string, ProtocolKind, string?];
    const group = state.groups.get(id);
    if (group === undefined) continue;
    if (timer === "rekeyTek") {
      rekeyTeks(turn, group);
      continue;
    }
    const branch = branchOf(group, kind);
    if (branch !== undefined) ON_BRANCH[timer](turn, group, branch, rest);
  }
}

/** Unless a member has come to need it for its rekeys. */
function closeIdle(turn: Turn, sa: SaNumber): void {
  const { state, tools, now } = turn;
  const { endpoint } = state;
  const references = state.membersBySa.get(sa) ?? [];
  if (endpoint === undefined || references.some(({ group }) => isNeeded(state, group))) return;
  for (const { group, member } of references) {
    const known = state.groups.get(group)?.members.get(member);
    if (known?.sa === sa) known.sa = undefined;
  }
  state.membersBySa.delete(sa);
  passOn(turn.out, close(endpoint, tools, sa, now));
}

function isNeeded(state: KsState, id: string): boolean {
  const group = state.groups.get(id);
  const branch = group && branchOf(group, "gikev2");
  return group !== undefined && branch !== undefined && rekeysInband(group, branch);
}

// ------------------------------------------------------------------------------------------------------------- commands

/** Groups are named by their local name here, as an operator types it. */
function obey(turn: Turn, command: KsCommand): void {
  if (command.name === "clearIkeSas") {
    clearIkeSas(turn, command);
    return;
  }
  for (const group of turn.state.groups.values()) {
    if (group.config.name !== command.group) continue;
    obeyFor(turn, group, command);
  }
}

/** Members stay in the list, but for those that are rekeyed in their IKE SA; see `onClosed`. */
function clearIkeSas(turn: Turn, command: ClearIkeSas): void {
  const { state, tools, now } = turn;
  const { endpoint, isakmp } = state;
  if (endpoint !== undefined && command.version !== "ikev1") {
    follow(turn, closeChosen(endpoint, tools, command, now));
  }
  if (isakmp !== undefined && command.version !== "ikev2") {
    followIsakmp(turn, isakmp, closeIsakmpSas(isakmp.endpoint, tools, command, now));
  }
}

function obeyFor(turn: Turn, group: KsGroup, command: KsGroupCommand): void {
  switch (command.name) {
    case "rekey":
      rekeyByCommand(turn, group, command.replaceNow);
      break;
    case "clearMembers":
      clearMembers(turn, group, command.now);
      break;
    case "evictMember":
      for (const member of [...group.members.values()]) {
        // Where the first of two members behind one address took all others along, there is nobody left to put out.
        if (group.members.get(member.key) !== member) continue;
        if (member.remote.address === command.member) evict(turn, group, member, command.now, command.bar);
      }
      break;
    case "deleteDataSas":
      deleteDataSas(turn, group, command.spis);
      break;
    case "changeSigner":
      changeSigner(turn, group, command.key);
      break;
  }
}
