/**
 * What a key server notes of a rekey to one member, whichever way it travels: answers, copies, silence. When the last
 * member has answered or was given up the round is over.
 */
import { passOn } from "../gikev2/outcomes.ts";
import type { SaNumber } from "../ikev2/api.ts";
import { close, forget } from "../ikev2/endpoint.ts";
import { ksEvent } from "./events.ts";
import type { KsBranch, KsGroup, KsMember, Turn } from "./state.ts";
import { branchOfMember, ikeOf, removeMember, unbindSa } from "./state.ts";

/** The latest first. With room for no more: every member keeps two of these. */
export function lastFour(sequence: number, earlier: readonly number[]): number[] {
  const latest = new Array<number>(Math.min(earlier.length + 1, 4));
  latest[0] = sequence;
  for (let i = 1; i < latest.length; i++) latest[i] = earlier[i - 1]!;
  return latest;
}

/** `current`: to the round that is under way. */
export function noteAnswer(turn: Turn, group: KsGroup, member: KsMember, current: boolean): void {
  member.silentTransmissions = 0;
  member.silentRekeys = 0;
  const { protocol, key } = member;
  const { name } = group.config;
  if (!current || !member.awaited) {
    turn.out.push(ksEvent("ks.unsolicitedAck", { group: name, protocol, member: key }));
    return;
  }
  const { sequence } = branchOfMember(group, member).round!;
  member.acksReceived += 1;
  member.sequencesAcked = lastFour(sequence, member.sequencesAcked);
  turn.out.push(ksEvent("ks.rekeyAcked", { sequence, group: name, protocol, member: key }));
  settle(turn, group, member);
}

/** `member`: undefined for one that is excluded. */
export function noteCopy(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  member: KsMember | undefined,
  current: boolean,
  copy: number,
): void {
  group.counters.retransmits += 1;
  if (current) {
    branch.round!.retransmits += 1;
    group.counters.lastRetransmits += 1;
  }
  if (member === undefined) return;
  member.rekeyRetries += 1;
  member.silentTransmissions += 1;
  const sequence = current ? branch.round!.sequence : 0;
  const data = { group: group.config.name, protocol: branch.kind, member: member.key, sequence, copy };
  turn.out.push(ksEvent("ks.rekeyRetransmitted", data));
}

export function noteSilence(turn: Turn, group: KsGroup, member: KsMember): void {
  member.acksMissed += 1;
  member.silentRekeys += 1;
  const sequence = branchOfMember(group, member).round?.sequence ?? 0;
  const data = { group: group.config.name, protocol: member.protocol, member: member.key, sequence };
  turn.out.push(ksEvent("ks.rekeyUnanswered", data));
  const { unit, count } = group.tuning.ejectAfter;
  const silent = unit === "transmission" ? member.silentTransmissions : member.silentRekeys;
  if (silent >= count) eject(turn, group, member, silent);
  else settle(turn, group, member);
}

/** The member gets no more rekeys; it comes back by registering once its keys end. */
function eject(turn: Turn, group: KsGroup, member: KsMember, silent: number): void {
  const { sa } = member;
  if (unbindSa(turn.state, group, member) && sa !== undefined) forget(ikeOf(turn.state), sa);
  removeMember(turn.state, group, member);
  group.counters.ejected += 1;
  const { unit } = group.tuning.ejectAfter;
  const data = { group: group.config.name, protocol: member.protocol, member: member.key, silent, unit };
  turn.out.push(ksEvent("ks.memberEjected", data));
  settle(turn, group, member);
}

/** No answer is awaited from this member any more. */
export function settle(turn: Turn, group: KsGroup, member: KsMember): void {
  if (!member.awaited) return;
  const branch = branchOfMember(group, member);
  const { round } = branch;
  member.awaited = false;
  if (round === undefined || member.round !== round.number) return;
  round.open -= 1;
  finishIfDone(turn, group, branch);
}

/** `sa`: of the excluded member, which nobody needs now unless it is in another group. */
export function endExcluded(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  sa: SaNumber | undefined,
  current: boolean,
  answered: boolean,
): void {
  if (sa !== undefined && !turn.state.membersBySa.has(sa)) {
    if (answered) passOn(turn.out, close(ikeOf(turn.state), turn.tools, sa, turn.now));
    else forget(ikeOf(turn.state), sa);
  }
  if (!current) return;
  branch.round!.open -= 1;
  finishIfDone(turn, group, branch);
}

export function finishIfDone(turn: Turn, group: KsGroup, branch: KsBranch): void {
  const { round } = branch;
  if (round === undefined || round.open > 0 || round.next < round.queue.length) return;
  const durationMillis = Math.floor((turn.now - round.startedAt) / 1000);
  group.counters.lastDurationMillis = durationMillis;
  branch.round = undefined;
  const { sequence, retransmits } = round;
  const data = { group: group.config.name, protocol: branch.kind, sequence, durationMillis, retransmits };
  turn.out.push(ksEvent("ks.rekeyDone", data));
}
