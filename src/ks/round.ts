/**
 * A rekey on its way to members one by one: batches, copies for those that do not answer, deletion of those that stay
 * silent. In the IKE SA of each member the response of the exchange is the acknowledgement; messages under the KEK and
 * what comes back for them are in `push.ts`.
 */
import { SECOND } from "../base/micros.ts";
import { cancelTimer } from "../base/timers.ts";
import { passOn } from "../gikev2/outcomes.ts";
import type { RequestOptions, SaNumber } from "../ikev2/api.ts";
import { isUp, request } from "../ikev2/endpoint.ts";
import { endExcluded, finishIfDone, lastFour, noteAnswer, noteCopy, noteSilence } from "./answers.ts";
import type { GroupMessage } from "./multicast.ts";
import { sealFor } from "./multicast.ts";
import { startPush } from "./push.ts";
import type { KsBranch, KsGroup, KsMember, LeadingMessage, RekeyRound, RoundMessage, Turn } from "./state.ts";
import { branchOf, dialectFor, ikeOf, membersOf, protocolOf, rekeysInband, startTimer, timerKey } from "./state.ts";

/**
 * `members`: in the order of sending. With `excluding` they are gone from the group already. `lead`: of a push; what is
 * acknowledged is the message that follows it.
 */
export function startRound(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  message: GroupMessage,
  sequence: number,
  members: readonly KsMember[],
  excluding: boolean,
  lead?: LeadingMessage,
): void {
  flushRound(turn, group, branch);
  branch.rounds += 1;
  group.counters.lastRetransmits = 0;
  branch.round = {
    number: branch.rounds,
    sequence,
    startedAt: turn.now,
    message: messageOf(turn, group, branch, message, excluding, lead),
    queue: members,
    next: 0,
    open: 0,
    retransmits: 0,
    excluding,
  };
  sendBatch(turn, group, branch);
}

function messageOf(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  message: GroupMessage,
  excluding: boolean,
  lead: LeadingMessage | undefined,
): RoundMessage {
  const { kek, update } = message;
  if (rekeysInband(group, branch)) {
    const { seconds, count } = group.config.retransmit;
    return {
      kind: "inband",
      prepared: dialectFor(group).prepareInband(update),
      tag: tagOf(excluding ? "exclude" : "rekey", branch.rounds, group.id),
      retransmit: { first: seconds * SECOND, factor: 1, repeats: count },
    };
  }
  const messageId = kek.sequence + protocolOf(group, branch).firstMessageId;
  const datagrams = sealFor(turn, group, branch, message);
  const push = { kind: "push", sa: kek.sa, messageId } as const;
  if (lead === undefined) return { ...push, datagrams };
  return { ...push, datagrams: [...lead.datagrams, ...datagrams], leadSpi: lead.spi };
}

/** What an earlier round still owes leaves at once: its keys are what the next round builds on. */
function flushRound(turn: Turn, group: KsGroup, branch: KsBranch): void {
  if (branch.round === undefined) return;
  sendSome(turn, group, branch, branch.round.queue.length);
  cancelTimer(turn.state.timers, timerKey("batch", branch.id));
  for (const member of membersOf(group, branch)) member.awaited = false;
  branch.round = undefined;
}

export function sendBatch(turn: Turn, group: KsGroup, branch: KsBranch): void {
  const { tuning } = group;
  const { round } = branch;
  if (round === undefined) return;
  sendSome(turn, group, branch, tuning.batchSize === 0 ? round.queue.length : tuning.batchSize);
  if (round.next < round.queue.length) startTimer(turn, "batch", branch.id, turn.now + tuning.batchPause);
  else finishIfDone(turn, group, branch);
}

function sendSome(turn: Turn, group: KsGroup, branch: KsBranch, most: number): void {
  const round = branch.round!;
  for (let sent = 0; sent < most && round.next < round.queue.length; ) {
    const member = round.queue[round.next++]!;
    // Whoever registered again or was lost since then has another entry, or none.
    const current = round.excluding || group.members.get(member.key) === member;
    if (current && sendOne(turn, group, branch, member)) sent += 1;
  }
}

function sendOne(turn: Turn, group: KsGroup, branch: KsBranch, member: KsMember): boolean {
  const round = branch.round!;
  const { message } = round;
  if (message.kind === "push") {
    startPush(turn, group, branch, member, message, copiesFor(group, member));
    noteSent(round, member);
    return true;
  }
  const endpoint = ikeOf(turn.state);
  if (member.sa === undefined || !isUp(endpoint, member.sa)) return false;
  const dialect = dialectFor(group);
  // Excluded members have left the list of their SA already: whoever is still in it is in another group.
  const users = (turn.state.membersBySa.get(member.sa)?.length ?? 0) + (round.excluding ? 1 : 0);
  const named = users > 1 ? group.config.id : undefined;
  const payloads = dialect.inbandRekey(turn.tools.crypto, member.kwk!, message.prepared, named);
  const repeats = copiesFor(group, member);
  const options: RequestOptions = {
    tag: message.tag,
    retransmit: repeats === message.retransmit.repeats ? message.retransmit : { ...message.retransmit, repeats },
    keepSa: true,
  };
  passOn(turn.out, request(endpoint, turn.tools, member.sa, dialect.inbandExchange, payloads, options, turn.now));
  noteSent(round, member);
  return true;
}

function noteSent(round: RekeyRound, member: KsMember): void {
  round.open += 1;
  member.round = round.number;
  member.awaited = true;
  member.rekeysSent += 1;
  member.silentTransmissions += 1;
  member.sequencesSent = lastFour(round.sequence, member.sequencesSent);
}

/** Where transmissions are counted, no more copies are sent than the count leaves. */
function copiesFor(group: KsGroup, member: KsMember): number {
  const { ejectAfter } = group.tuning;
  const { count } = group.config.retransmit;
  if (ejectAfter.unit === "rekey") return count;
  return Math.max(0, Math.min(count, ejectAfter.count - member.silentTransmissions - 1));
}

// ---------------------------------------------------------------------------------------------------------------- tags

type TagKind = "rekey" | "exclude";

interface Tag {
  readonly kind: TagKind;
  readonly round: number;
  readonly group: string;
}

function tagOf(kind: TagKind, round: number, group: string): string {
  return `${kind} ${round} ${group}`;
}

function readTag(text: string): Tag {
  const [kind, round, group] = text.split(" ");
  return { kind: kind as TagKind, round: Number(round), group: group! };
}

/** Undefined where the group is not served any more, or not with G-IKEv2, whose rekeys alone travel in IKE SAs. */
function lookUp(turn: Turn, sa: SaNumber, tag: string) {
  const { kind, round, group: id } = readTag(tag);
  const group = turn.state.groups.get(id);
  const branch = group && branchOf(group, "gikev2");
  if (group === undefined || branch === undefined) return undefined;
  const reference = turn.state.membersBySa.get(sa)?.find((one) => one.group === id);
  const member = reference === undefined ? undefined : group.members.get(reference.member);
  return { kind, group, branch, member, current: branch.round?.number === round };
}

// ------------------------------------------------------------------------------------------------------------- answers

/** A member answered. */
export function onRekeyResponse(turn: Turn, sa: SaNumber, tag: string): void {
  const found = lookUp(turn, sa, tag);
  if (found === undefined) return;
  const { kind, group, branch, member, current } = found;
  if (kind === "exclude") endExcluded(turn, group, branch, sa, current, true);
  else if (member !== undefined) noteAnswer(turn, group, member, current);
}

/** A copy left. */
export function onRekeyRetransmitted(turn: Turn, sa: SaNumber, tag: string, copy: number): void {
  const found = lookUp(turn, sa, tag);
  if (found === undefined) return;
  const { kind, group, branch, member, current } = found;
  noteCopy(turn, group, branch, kind === "exclude" ? undefined : member, current, copy);
}

/** All copies went by. */
export function onRekeyUnanswered(turn: Turn, sa: SaNumber, tag: string): void {
  const found = lookUp(turn, sa, tag);
  if (found === undefined) return;
  const { kind, group, branch, member, current } = found;
  if (kind === "exclude") endExcluded(turn, group, branch, sa, current, false);
  else if (member?.awaited === true) noteSilence(turn, group, member);
}
