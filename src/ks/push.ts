/**
 * A rekey to one member under the KEK, as Cisco's key servers do it: the same datagrams for every member, repeated to those
 * that have not acknowledged them. An acknowledgement proves that somebody with the KEK sent it, and its address says who;
 * it counts for the member that the rekey went to, and once.
 */
import type { Datagram } from "../base/machine.ts";
import { SECOND } from "../base/micros.ts";
import { cancelTimer } from "../base/timers.ts";
import type { RekeyHeader } from "../gikev2/rekeyHeader.ts";
import { endExcluded, noteAnswer, noteCopy, noteSilence } from "./answers.ts";
import { ksEvent } from "./events.ts";

import type { KsGroup, KsMember, Push, Turn } from "./state.ts";
import { dialectFor, memberKey, startTimer, timerKey } from "./state.ts";

/** `left`: repetitions at most. The member has been sent the first copy when this returns. */
export function startPush(turn: Turn, group: KsGroup, member: KsMember, message: Push["message"], left: number): void {
  const { number: round, excluding } = group.round!;
  const push: Push = { member, message, round, excluding, copies: 0, left };
  group.pushes.set(pushKey(member.key, message.sa.spi, message.messageId), push);
  send(turn, group, push);
}

function pushKey(member: string, spi: string, messageId: number): string {
  return `${member}#${spi}#${messageId}`;
}

function keyOfPush({ member, message }: Push): string {
  return pushKey(member.key, message.sa.spi, message.messageId);
}

/** The group's identity has no slash in it. */
function timerArgument(group: KsGroup, key: string): string {
  return `${group.id}/${key}`;
}

function send(turn: Turn, group: KsGroup, push: Push): void {
  const { local } = turn.state.config;
  for (const octets of push.message.datagrams) {
    turn.out.push({ kind: "send", local, remote: push.member.remote, octets });
  }
  const { seconds } = group.config.retransmit;
  startTimer(turn, "repeat", timerArgument(group, keyOfPush(push)), turn.now + seconds * SECOND);
}

function isCurrent(group: KsGroup, { round }: Push): boolean {
  return group.round?.number === round;
}

/** Whoever registered again, left or was lost since then is not waited for. */
function isGone(group: KsGroup, { member, excluding }: Push): boolean {
  return !excluding && group.members.get(member.key) !== member;
}

/** No acknowledgement came in time: the next copy leaves, or the member is given up. */
export function repeatPush(turn: Turn, argument: string): void {
  const slash = argument.indexOf("/");
  const group = turn.state.groups.get(argument.slice(0, slash))!;
  const key = argument.slice(slash + 1);
  const push = group.pushes.get(key);
  if (push === undefined) return;
  const { member, excluding } = push;
  if (isGone(group, push)) {
    group.pushes.delete(key);
    return;
  }
  if (push.left > 0) {
    push.left -= 1;
    push.copies += 1;
    send(turn, group, push);
    noteCopy(turn, group, excluding ? undefined : member, isCurrent(group, push), push.copies);
    return;
  }
  group.pushes.delete(key);
  if (excluding) endExcluded(turn, group, member.sa, isCurrent(group, push), false);
  else if (isCurrent(group, push) && member.awaited) noteSilence(turn, group, member);
}

/** False for what is no acknowledgement of a rekey that this key server sends: the IKE room counts it. */
export function takeRekeyAck(turn: Turn, { remote, octets }: Datagram, { spi, messageId }: RekeyHeader): boolean {
  const address = memberKey(remote);
  for (const group of turn.state.groups.values()) {
    const key = pushKey(address, spi, messageId);
    const push = group.pushes.get(key);
    const member = group.members.get(address);
    const sa = push?.message.sa ?? (member !== undefined && group.kek?.sa.spi === spi ? group.kek.sa : undefined);
    if (sa === undefined || dialectFor(group).readRekeyAck(turn.tools.crypto, sa, octets) !== messageId) continue;
    if (push === undefined) {
      turn.out.push(ksEvent("ks.unsolicitedAck", { group: group.config.name, member: address }));
      return true;
    }
    group.pushes.delete(key);
    cancelTimer(turn.state.timers, timerKey("repeat", timerArgument(group, key)));
    if (push.excluding) endExcluded(turn, group, push.member.sa, isCurrent(group, push), true);
    else if (!isGone(group, push)) noteAnswer(turn, group, push.member, isCurrent(group, push));
    return true;
  }
  return false;
}
