/**
 * Rekeys as a member takes them: in its IKE SA, or as messages for all members under the KEK. The order of checks is that
 * of RFC 9838 section 2.4.1.4: rekey SA by its SPI - integrity - signature - message ID - contents.
 */
import type { Bytes } from "../base/bytes.ts";
import { equal } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Datagram } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import { encrSpec } from "../crypto/suite.ts";
import type { RekeySa } from "../gikev2/dialect.ts";
import { groupIdText } from "../gikev2/groupId.ts";
import type { GroupUpdate } from "../gikev2/policy.ts";
import type { RekeyHeader } from "../gikev2/rekeyHeader.ts";
import { selectorKey } from "../gikev2/selectors.ts";
import { shortenedLifetime } from "../gikev2/shortenedLifetime.ts";
import type { SaNumber } from "../ikev2/api.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { gmEvent } from "./events.ts";
import { applyUpdate, dropKek, dropTeks, refreshKeys } from "./install.ts";
import { noteUnknownSpi } from "./missedRekey.ts";
import { sendWithdrawal, waitToRegister } from "./registration.ts";
import type { GmGroup, HeldTek, Turn } from "./state.ts";
import { dialectFor, moveTo, stopTimer } from "./state.ts";

// ------------------------------------------------------------------------------------------------------- under the KEK

/**
 * A GSA_REKEY to all members or to this one, for whichever group holds its rekey SA. Replay is judged for each rekey SA by
 * itself: section 2.3.3 says "for the group", but message IDs begin anew with each SA (note 5 of docs/rfc9838-notes.md).
 */
export function onRekeyMessage(turn: Turn, datagram: Datagram, { spi, messageId }: RekeyHeader): void {
  const { octets } = datagram;
  const group = turn.state.groups.find(({ held }) => held?.kek?.sa.spi === spi || held?.previousKekSpi === spi);
  const held = group?.held;
  if (group === undefined || held === undefined) {
    turn.state.unknownRekeys += 1;
    for (const one of turn.state.groups) noteUnknownSpi(turn, one, spi);
    return;
  }
  const { kek } = held;
  // Looking at the number before the integrity check spares the work for copies; it changes nothing but a counter.
  if (kek?.sa.spi !== spi || messageId < kek.nextMessageId) {
    group.counters.duplicates += 1;
    const data = { group: group.config.name, messageId, expected: kek?.nextMessageId ?? 0 };
    turn.out.push(gmEvent("gm.rekeyDuplicate", data));
    const { answered } = held;
    if (answered !== undefined && equal(answered.request, octets)) sendAnswer(turn, group, datagram, answered.answer);
    return;
  }
  const dialect = dialectFor(group);
  const opened = dialect.openRekey(turn.tools.crypto, kek.sa, octets, held.assembly, kek.nextMessageId);
  if (opened.kind === "refused") {
    reject(turn, group, opened.reason, messageId, opened.problem);
    return;
  }
  if (opened.kind === "part") {
    held.assembly = opened.assembly;
    return;
  }
  assert(opened.kind === "whole", "the number of a G-IKEv2 rekey is looked at before");
  held.assembly = undefined;
  kek.nextMessageId = opened.messageId + 1;
  const update = dialect.readRekey(turn.tools.crypto, kek.sa, opened.payloads, held.path);
  if (!update.ok) {
    // It is the key server's own word, and not understood: the member needs its policy another way.
    reject(turn, group, "contents", messageId, update.problem);
    comeBack(turn, group);
    return;
  }
  const { transport } = held;
  group.counters[transport === "multicast" ? "rekeysMulticast" : "rekeysUnicast"] += 1;
  held.sequence = opened.messageId + 1 - dialect.firstMessageId;
  // Under the KEK that the rekey came with, which may be gone when its contents are in place.
  const answer = transport === "unicast" ? answerTo(turn, group, kek.sa, opened.messageId) : undefined;
  held.answered = answer && { request: octets, answer };
  if ("excluded" in update.value) {
    turn.out.push(gmEvent("gm.noKeyPath", { group: group.config.name, sequence: held.sequence }));
    exclude(turn, group, false);
    return;
  }
  accept(turn, group, update.value, transport);
  if (answer !== undefined) sendAnswer(turn, group, datagram, answer);
}

function answerTo(turn: Turn, group: GmGroup, sa: RekeySa, messageId: number): Bytes | undefined {
  const { address } = group.config.local;
  return dialectFor(group).rekeyAck(turn.tools.crypto, sa, { messageId, nextIv: () => ackIv(turn, sa), address });
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

function sendAnswer(turn: Turn, group: GmGroup, { local, remote }: Datagram, octets: Bytes): void {
  group.counters.acksSent += 1;
  turn.out.push({ kind: "send", local, remote, octets });
}

function reject(turn: Turn, group: GmGroup, reason: string, messageId: number, problem: string): void {
  group.counters.rejected += 1;
  turn.out.push(gmEvent("gm.rekeyRejected", { group: group.config.name, reason, messageId, problem }));
}

// ------------------------------------------------------------------------------------------------------ in the IKE SA

interface InbandAnswer {
  /** Payloads of the response, which is the acknowledgement. */
  readonly payloads: readonly Payload[];
  /** Called after the response has left: what follows from the rekey may need an exchange of its own. */
  readonly afterwards: () => void;
}

/** A GSA_INBAND_REKEY. The IKE room answers repetitions from its memory, so each rekey comes here once. */
export function onInbandRekey(turn: Turn, sa: SaNumber, messageId: number, payloads: readonly Payload[]): InbandAnswer {
  const groups = turn.state.groups.filter(({ held }) => held?.sa === sa);
  const [first] = groups;
  if (first === undefined) return { payloads: [], afterwards: () => {} };
  const dialect = dialectFor(first);
  // One IKE SA has one key-wrap key, whatever group is meant.
  const update = dialect.readInbandRekey(turn.tools.crypto, first.held!.kwk, payloads);
  if (update.ok) {
    const group = groupMeant(groups, update.value);
    if (group !== undefined) return acknowledge(turn, group, update.value);
  }
  const { notify, problem } = update.ok ? { notify: NotifyType.NO_PROPOSAL_CHOSEN, problem: "of which group" } : update;
  for (const group of groups) reject(turn, group, "contents", messageId, problem);
  first.counters.acksSent += 1;
  // Badly formed: an error. Well formed but of no use: an empty answer, and the member withdraws (section 2.3.2).
  const malformed = notify === NotifyType.INVALID_SYNTAX;
  const afterwards = () => {
    for (const group of groups) {
      if (!malformed) sendWithdrawal(turn, group, sa, notify);
      comeBack(turn, group);
    }
  };
  return { payloads: malformed ? dialect.refusal(notify) : [], afterwards };
}

function acknowledge(turn: Turn, group: GmGroup, update: GroupUpdate): InbandAnswer {
  group.counters.acksSent += 1;
  group.counters.rekeysUnicast += 1;
  group.held!.sequence += 1;
  return { payloads: [], afterwards: () => accept(turn, group, update, "unicast") };
}

/**
 * Of several groups over one IKE SA: the one that the key server names, else the only one that holds a data SA to be
 * deleted, else the only one that knows all selectors of the new data SAs. Undefined where that does not decide.
 */
function groupMeant(groups: readonly GmGroup[], { group: id, deletions, policy }: GroupUpdate): GmGroup | undefined {
  if (groups.length === 1) return groups[0];
  if (id !== undefined) return groups.find(({ config }) => groupIdText(config.id) === groupIdText(id));
  const spis = deletions.flatMap((deletion) => (deletion.kind === "dataSas" ? deletion.spis : []));
  const holders = groups.filter(({ held }) => held!.teks.some((tek) => spis.includes(tek.spi)));
  if (holders.length > 0) return holders.length === 1 ? holders[0] : undefined;
  const keys = policy.dataSas.map(({ selector }) => selectorKey(selector));
  const knowing = groups.filter(({ families }) => keys.length > 0 && keys.every((key) => families.has(key)));
  return knowing.length === 1 ? knowing[0] : undefined;
}

// ---------------------------------------------------------------------------------------------------------------- both

function accept(turn: Turn, group: GmGroup, update: GroupUpdate, transport: "unicast" | "multicast"): void {
  const held = group.held!;
  const { sequence } = held;
  const { policy, deletions } = update;
  held.rekeys += 1;
  held.rekeyedAt = turn.now;
  turn.out.push(
    gmEvent("gm.rekeyReceived", {
      group: group.config.name,
      server: held.server.address,
      address: group.config.local.address,
      sequence,
      transport,
      teks: policy.dataSas.length,
      kek: policy.kek !== undefined,
    }),
  );
  if (deletions.some((deletion) => deletion.kind === "member")) {
    exclude(
      turn,
      group,
      deletions.some((deletion) => deletion.kind === "allDataSas"),
    );
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

/** Registers again after a random few seconds; whoever is about to do so anyway needs no telling. */
function comeBack(turn: Turn, group: GmGroup): void {
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
  turn.out.push(gmEvent("gm.deleteReceived", { group: group.config.name, immediate, waitSeconds }));
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
