/**
 * A rekey to one member under the KEK, as Cisco's key servers do it: the same datagrams for every member, repeated to those
 * that have not acknowledged them. An acknowledgement proves that somebody with the KEK sent it, and its address says who;
 * it counts for the member that the rekey went to, and once.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Datagram } from "../base/machine.ts";
import { SECOND } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import { cancelTimer } from "../base/timers.ts";
import type { GroupMessageHeader } from "../gdoi/groupMessage.ts";
import { markedIf } from "../wire/nonEsp.ts";
import { endExcluded, noteAnswer, noteCopy, noteSilence } from "./answers.ts";
import { ksEvent } from "./events.ts";
import type { KsBranch, KsGroup, KsMember, Push, Turn } from "./state.ts";
import { branchOf, memberKey, protocolOf, startTimer, timerKey } from "./state.ts";

/** `left`: repetitions at most. The member has been sent the first copy when this returns. */
export function startPush(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  member: KsMember,
  message: Push["message"],
  left: number,
): void {
  const { number: round, excluding } = branch.round!;
  const push: Push = { member, message, round, excluding, copies: 0, left };
  branch.pushes.set(keyOfPush(push), push);
  send(turn, group, branch, push);
}

function pushKey(member: string, spi: string, messageId: number): string {
  return `${member}#${spi}#${messageId}`;
}

function keyOfPush({ member, message }: Push): string {
  return pushKey(member.key, message.sa.spi, message.messageId);
}

function timerArgument(branch: KsBranch, key: string): string {
  return `${branch.id}/${key}`;
}

/** One copy of a rekey to a member. */
export function sendCopyTo(turn: Turn, { local, remote, marker }: KsMember, datagrams: readonly Bytes[]): void {
  for (const octets of datagrams) turn.out.push({ kind: "send", local, remote, octets: markedIf(marker, octets) });
}

function send(turn: Turn, group: KsGroup, branch: KsBranch, push: Push): void {
  sendCopyTo(turn, push.member, push.message.datagrams);
  const { seconds } = group.config.retransmit;
  startTimer(turn, "repeat", timerArgument(branch, keyOfPush(push)), turn.now + seconds * SECOND);
}

/** What is under way to a member in the round of its branch. */
function pushTo({ round, pushes }: KsBranch, member: string): Push | undefined {
  if (round?.message.kind !== "push") return undefined;
  const { sa, messageId } = round.message;
  return pushes.get(pushKey(member, sa.spi, messageId));
}

/** Members that are being excluded have left the group already. */
function leafKeyOf(group: KsGroup, branch: KsBranch, member: string): Secret | undefined {
  return (pushTo(branch, member)?.member ?? group.members.get(member))?.leafKey;
}

function isCurrent(branch: KsBranch, { round }: Push): boolean {
  return branch.round?.number === round;
}

/** Whoever registered again, left or was lost since then is not waited for. */
function isGone(group: KsGroup, { member, excluding }: Push): boolean {
  return !excluding && group.members.get(member.key) !== member;
}

/** No acknowledgement came in time: the next copy leaves, or the member is given up. `key`: of the push. */
export function repeatPush(turn: Turn, group: KsGroup, branch: KsBranch, key: string): void {
  const push = branch.pushes.get(key);
  if (push === undefined) return;
  const { member, excluding } = push;
  if (isGone(group, push)) {
    branch.pushes.delete(key);
    return;
  }
  const current = isCurrent(branch, push);
  if (push.left > 0) {
    push.left -= 1;
    push.copies += 1;
    send(turn, group, branch, push);
    noteCopy(turn, group, branch, excluding ? undefined : member, current, push.copies);
    return;
  }
  branch.pushes.delete(key);
  if (excluding) endExcluded(turn, group, branch, member.sa, current, false);
  else if (current && member.awaited) noteSilence(turn, group, member);
}

/** False for what is no acknowledgement of a rekey that this key server sends: the IKE rooms count it. */
export function takeRekeyAck(turn: Turn, datagram: Datagram, header: GroupMessageHeader): boolean {
  for (const group of turn.state.groups.values()) {
    const branch = branchOf(group, header.protocol);
    if (branch !== undefined && takeInBranch(turn, group, branch, datagram, header)) return true;
  }
  return false;
}

function takeInBranch(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  { remote, octets }: Datagram,
  { spi, messageId }: GroupMessageHeader,
): boolean {
  const address = memberKey(remote);
  const named = messageId === undefined ? undefined : branch.pushes.get(pushKey(address, spi, messageId));
  const sa = named?.message.sa ?? [branch.kek?.sa, branch.previousSa].find((one) => one?.spi === spi);
  const number =
    sa && protocolOf(group, branch).readRekeyAck(turn.tools.crypto, sa, octets, leafKeyOf(group, branch, address));
  if (number === undefined || (messageId !== undefined && number !== messageId)) return false;
  const key = pushKey(address, spi, number);
  const push = branch.pushes.get(key);
  if (push === undefined) {
    if (!group.members.has(address)) return false;
    // The message that this one leads is under way: its answer is the one that counts.
    if (pushTo(branch, address)?.message.leadSpi === spi) return true;
    const data = { group: group.config.name, protocol: branch.kind, member: address };
    turn.out.push(ksEvent("ks.unsolicitedAck", data));
    return true;
  }
  branch.pushes.delete(key);
  cancelTimer(turn.state.timers, timerKey("repeat", timerArgument(branch, key)));
  const current = isCurrent(branch, push);
  if (push.excluding) endExcluded(turn, group, branch, push.member.sa, current, true);
  else if (!isGone(group, push)) noteAnswer(turn, group, push.member, current);
  return true;
}
