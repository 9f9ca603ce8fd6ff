/**
 * Rekeys as a member takes them: messages under the KEK for all members or for this one, and what every rekey leads to.
 * The order of checks is that of RFC 9838 section 2.4.1.4: rekey SA by its SPI - integrity - signature - message ID -
 * contents. Where the number is encrypted with the rest (GDOI) it is looked at in front of the signature, RFC 6407 section
 * 4.4. Whatever fails before the contents is dropped and counted: a bad message proves nothing about the group.
 */
import type { Bytes } from "../base/bytes.ts";
import { equal } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import { encrSpec } from "../crypto/suite.ts";
import type { Arrival, GroupMessageHeader } from "../gdoi/groupMessage.ts";
import type { RekeySa } from "../gikev2/dialect.ts";
import type { Deletion, GroupUpdate } from "../gikev2/policy.ts";
import { readRekeyMessage } from "../gikev2/rekeyReading.ts";
import { shortenedLifetime } from "../gikev2/shortenedLifetime.ts";
import { markedIf } from "../wire/nonEsp.ts";
import { gmEvent, protocolEvent } from "./events.ts";
import { applyUpdate, dropKek, dropTeks, refreshKeys } from "./install.ts";
import { noteUnknownSpi } from "./missedRekey.ts";
import { waitToRegister } from "./registration.ts";
import type { GmGroup, HeldTek, Turn } from "./state.ts";
import { groupsOf, moveTo, rekeyProtocolOf, stopTimer } from "./state.ts";

/**
 * A GSA_REKEY to all members or to this one, for whichever group holds its rekey SA. Replay is judged for each rekey SA by
 * itself: section 2.3.3 says "for the group", but message IDs begin anew with each SA (note 5 of docs/rfc9838-notes.md).
 */
export function onRekeyMessage(turn: Turn, arrival: Arrival, header: GroupMessageHeader): void {
  const { octets } = arrival;
  const { protocol, spi } = header;
  const group = groupsOf(turn, protocol).find(({ held }) => held?.kek?.sa.spi === spi || held?.previousKekSpi === spi);
  const held = group?.held;
  if (group === undefined || held === undefined) {
    turn.state.unknownRekeys += 1;
    for (const one of turn.state.groups) noteUnknownSpi(turn, one, spi);
    return;
  }
  const { kek } = held;
  // Looking at the number before the integrity check spares the work for copies; it changes nothing but a counter.
  if (kek?.sa.spi !== spi || (header.messageId ?? kek.nextMessageId) < kek.nextMessageId) {
    takeCopy(turn, group, arrival, header.messageId ?? 0, kek?.sa.spi === spi);
    return;
  }
  const rekeys = rekeyProtocolOf(group);
  const standing = { assembly: held.assembly, path: held.path, nextMessageId: kek.nextMessageId };
  const reading = readRekeyMessage(turn.tools.crypto, rekeys, kek.sa, octets, standing);
  if (reading.kind === "refused") {
    reject(turn, group, reading.reason, header.messageId ?? 0, reading.problem);
    return;
  }
  if (reading.kind === "old") {
    takeCopy(turn, group, arrival, reading.messageId, true);
    return;
  }
  if (reading.kind === "part") {
    held.assembly = reading.assembly;
    return;
  }
  const { messageId, update } = reading;
  held.assembly = undefined;
  kek.nextMessageId = messageId + 1;
  if (!update.ok) {
    // It is the key server's own word, and not understood: the member needs its policy another way.
    reject(turn, group, "contents", messageId, update.problem);
    comeBack(turn, group);
    return;
  }
  const { transport } = held;
  group.counters[transport === "multicast" ? "rekeysMulticast" : "rekeysUnicast"] += 1;
  held.sequence = messageId + 1 - rekeys.firstMessageId;
  // Under the KEK that the rekey came with, which may be gone when its contents are in place.
  const answer = transport === "unicast" ? answerTo(turn, group, kek.sa, messageId) : undefined;
  held.answered = answer && { request: octets, answer };
  if ("excluded" in update.value) {
    turn.out.push(protocolEvent(group, "gm.noKeyPath", { sequence: held.sequence }));
    exclude(turn, group, false);
    return;
  }
  accept(turn, group, update.value, transport);
  if (answer !== undefined) sendAnswer(turn, group, arrival, answer);
}

/** A rekey that is known, or one under the KEK before: the answer to it may have got lost. `isCurrent`: under the KEK now. */
function takeCopy(turn: Turn, group: GmGroup, arrival: Arrival, messageId: number, isCurrent: boolean): void {
  const { kek, answered } = group.held!;
  group.counters.duplicates += 1;
  const first = rekeyProtocolOf(group).firstMessageId;
  const expected = kek?.nextMessageId ?? 0;
  turn.out.push(
    protocolEvent(group, "gm.rekeyDuplicate", {
      messageId,
      expected,
      sequence: messageId + 1 - first,
      last: expected - first,
      replayed: isCurrent && messageId + 1 < expected,
    }),
  );
  if (answered !== undefined && equal(answered.request, arrival.octets)) {
    sendAnswer(turn, group, arrival, answered.answer);
  }
}

function answerTo(turn: Turn, group: GmGroup, sa: RekeySa, messageId: number): Bytes | undefined {
  const { address } = group.config.local;
  const leaf = group.held?.path.at(-1)?.key;
  const answer = { messageId, nextIv: () => ackIv(turn, sa), address, ...(leaf === undefined ? {} : { leaf }) };
  return rekeyProtocolOf(group).rekeyAck(turn.tools.crypto, sa, answer);
}

/**
 * All members answer under one key, and the key server counts its IVs there from 0: theirs begin with a one bit, and 63
 * random ones keep them apart from each other's.
 */
function ackIv({ tools }: Turn, { suite }: RekeySa): Bytes {
  const spec = encrSpec(suite.encr, suite.encrKeyBits)!;
  const iv = tools.rng.bytes(spec.iv);
  if (spec.ivKind === "counter") iv[0]! |= 0x80;
  return iv;
}

/** Back by the way that the rekey came. */
function sendAnswer(turn: Turn, group: GmGroup, { local, remote, marked }: Arrival, octets: Bytes): void {
  group.counters.acksSent += 1;
  turn.out.push({ kind: "send", local, remote, octets: markedIf(marked, octets) });
}

export function reject(turn: Turn, group: GmGroup, reason: string, messageId: number, problem: string): void {
  group.counters.rejected += 1;
  turn.out.push(protocolEvent(group, "gm.rekeyRejected", { reason, messageId, problem }));
}

// ------------------------------------------------------------------------------------------------ what rekeys lead to

export function accept(turn: Turn, group: GmGroup, update: GroupUpdate, transport: "unicast" | "multicast"): void {
  const { config } = group;
  const held = group.held!;
  const { sequence } = held;
  const { policy, deletions } = update;
  held.rekeys += 1;
  held.rekeyedAt = turn.now;
  turn.out.push(
    gmEvent("gm.rekeyReceived", {
      group: config.name,
      protocol: config.protocol.kind,
      server: held.server.address,
      address: config.local.address,
      sequence,
      transport,
      teks: policy.dataSas.length,
      kek: policy.kek !== undefined,
    }),
  );
  if (isAmong(deletions, "member")) {
    exclude(turn, group, isAmong(deletions, "allDataSas"));
    return;
  }
  const problem = applyUpdate(turn, group, update);
  if (problem !== undefined) {
    reject(turn, group, problem, sequence, "");
    comeBack(turn, group);
    return;
  }
  // Waiting for another try, or for a lost SA: the keys are there, so there is nothing left to ask for.
  if (group.phase.at === "waiting" && policy.dataSas.length > 0) {
    stopTimer(turn, "retry", group);
    moveTo(group, "rekeyed", { at: "registered" });
  }
}

function isAmong(deletions: readonly Deletion[], kind: Deletion["kind"]): boolean {
  for (const deletion of deletions) if (deletion.kind === kind) return true;
  return false;
}

/** Registers again after a random few seconds; whoever is about to do so anyway needs no telling. */
export function comeBack(turn: Turn, group: GmGroup): void {
  if (group.phase.at !== "registered") return;
  waitToRegister(turn, group, "lost", group.tuning.exclusionSecondsMost * SECOND);
}

/**
 * The key server has put the member out: its KEK is gone at once. Its TEKs are gone too where all data SAs were deleted,
 * otherwise they go on for the shortened life, and the member comes back before that has passed.
 */
function exclude(turn: Turn, group: GmGroup, immediate: boolean): void {
  const held = group.held!;
  dropKek(turn, group, "excluded");
  let most = group.tuning.exclusionSecondsMost * SECOND;
  if (immediate) dropTeks(turn, group, "excluded");
  else most = Math.min(group.tuning.gentleExclusionMost, Math.floor(shortenTeks(turn, held.teks) / 2));
  refreshKeys(turn, group);
  const waitSeconds = group.phase.at === "registered" ? waitToRegister(turn, group, "excluded", most) : 0;
  turn.out.push(protocolEvent(group, "gm.deleteReceived", { immediate, waitSeconds }));
}

/** Gives all TEKs the shortened life of obsolete ones; returns the longest that is left. */
function shortenTeks(turn: Turn, teks: readonly HeldTek[]): Micros {
  let longest = 0;
  for (const tek of teks) {
    const life = shortenedLifetime(tek.expiresAt - turn.now, tek.lifetimeSeconds);
    tek.expiresAt = turn.now + life;
    longest = Math.max(longest, life);
  }
  return longest;
}
