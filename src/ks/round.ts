/**
 * A rekey on its way to members one by one: batches, copies for those that do not answer, deletion of those that stay
 * silent. In the IKE SA of each member the response of the exchange is the acknowledgement; messages under the KEK and
 * what comes back for them are in `push.ts`.
 */
import { SECOND } from "../base/micros.ts";
import { cancelTimer } from "../base/timers.ts";
import { passOn } from "../gikev2/outcomes.ts";
import type { RequestOptions, SaNumber } from "../ikev2/api.ts";
import { request, saView } from "../ikev2/endpoint.ts";
import { endExcluded, finishIfDone, lastFour, noteAnswer, noteCopy, noteSilence } from "./answers.ts";
import type { GroupMessage } from "./multicast.ts";
import { sealFor } from "./multicast.ts";
import { startPush } from "./push.ts";
import type { KsGroup, KsMember, RekeyRound, RoundMessage, Turn } from "./state.ts";
import { dialectFor, rekeysInband, startTimer, timerKey } from "./state.ts";

/** `members`: in the order of sending. With `excluding` they are gone from the group already. */
export function startRound(
  turn: Turn,
  group: KsGroup,
  message: GroupMessage,
  sequence: number,
  members: readonly KsMember[],
  excluding: boolean,
): void {
  flushRound(turn, group);
  group.rounds += 1;
  group.counters.lastRetransmits = 0;
  group.round = {
    number: group.rounds,
    sequence,
    startedAt: turn.now,
    message: messageOf(turn, group, message),
    queue: members,
    next: 0,
    open: 0,
    retransmits: 0,
    excluding,
  };
  sendBatch(turn, group);
}

function messageOf(turn: Turn, group: KsGroup, message: GroupMessage): RoundMessage {
  const dialect = dialectFor(group);
  const { kek, update } = message;
  if (rekeysInband(group)) return { kind: "inband", prepared: dialect.prepareInband(update) };
  const messageId = kek.sequence + dialect.firstMessageId;
  return { kind: "push", sa: kek.sa, messageId, datagrams: sealFor(turn, group, message) };
}

/** What an earlier round still owes leaves at once: its keys are what the next round builds on. */
function flushRound(turn: Turn, group: KsGroup): void {
  if (group.round === undefined) return;
  sendSome(turn, group, group.round.queue.length);
  cancelTimer(turn.state.timers, timerKey("batch", group.id));
  for (const member of group.members.values()) member.awaited = false;
  group.round = undefined;
}

export function sendBatch(turn: Turn, group: KsGroup): void {
  const { round, tuning } = group;
  if (round === undefined) return;
  sendSome(turn, group, tuning.batchSize === 0 ? round.queue.length : tuning.batchSize);
  if (round.next < round.queue.length) startTimer(turn, "batch", group.id, turn.now + tuning.batchPause);
  else finishIfDone(turn, group);
}

function sendSome(turn: Turn, group: KsGroup, most: number): void {
  const round = group.round!;
  for (let sent = 0; sent < most && round.next < round.queue.length; ) {
    const member = round.queue[round.next++]!;
    // Whoever registered again or was lost since then has another entry, or none.
    const current = round.excluding || group.members.get(member.key) === member;
    if (current && sendOne(turn, group, member)) sent += 1;
  }
}

function sendOne(turn: Turn, group: KsGroup, member: KsMember): boolean {
  const { endpoint } = turn.state;
  const round = group.round!;
  const { message } = round;
  if (message.kind === "push") {
    startPush(turn, group, member, message, copiesFor(group, member));
    noteSent(round, member);
    return true;
  }
  if (member.sa === undefined || saView(endpoint, member.sa)?.established !== true) return false;
  const dialect = dialectFor(group);
  // Excluded members have left the list of their SA already: whoever is still in it is in another group.
  const users = (turn.state.membersBySa.get(member.sa)?.length ?? 0) + (round.excluding ? 1 : 0);
  const named = users > 1 ? group.config.id : undefined;
  const payloads = dialect.inbandRekey(turn.tools.crypto, member.kwk, message.prepared, named);
  const options: RequestOptions = {
    tag: tagOf(round.excluding ? "exclude" : "rekey", round.number, group.id),
    retransmit: { first: group.config.retransmit.seconds * SECOND, factor: 1, repeats: copiesFor(group, member) },
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

function lookUp(turn: Turn, sa: SaNumber, tag: string) {
  const { kind, round, group: id } = readTag(tag);
  const group = turn.state.groups.get(id)!;
  const reference = turn.state.membersBySa.get(sa)?.find((one) => one.group === id);
  const member = reference === undefined ? undefined : group.members.get(reference.member);
  return { kind, group, member, current: group.round?.number === round };
}

// ------------------------------------------------------------------------------------------------------------- answers

/** A member answered. */
export function onRekeyResponse(turn: Turn, sa: SaNumber, tag: string): void {
  const { kind, group, member, current } = lookUp(turn, sa, tag);
  if (kind === "exclude") endExcluded(turn, group, sa, current, true);
  else if (member !== undefined) noteAnswer(turn, group, member, current);
}

/** A copy left. */
export function onRekeyRetransmitted(turn: Turn, sa: SaNumber, tag: string, copy: number): void {
  const { kind, group, member, current } = lookUp(turn, sa, tag);
  noteCopy(turn, group, kind === "exclude" ? undefined : member, current, copy);
}

/** All copies went by. */
export function onRekeyUnanswered(turn: Turn, sa: SaNumber, tag: string): void {
  const { kind, group, member, current } = lookUp(turn, sa, tag);
  if (kind === "exclude") endExcluded(turn, group, sa, current, false);
  else if (member?.awaited === true) noteSilence(turn, group, member);
}
