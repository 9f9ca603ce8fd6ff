/**
 * Rekeys as a member takes them: in its IKE SA, or as messages for all members under the KEK. The order of checks is that
 * of RFC 9838 section 2.4.1.4: rekey SA by its SPI - integrity - signature - message ID - contents.
 */
import type { Datagram } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import type { GroupUpdate } from "../gikev2/policy.ts";
import type { RekeyHeader } from "../gikev2/rekeyHeader.ts";
import { shortenedLifetime } from "../gikev2/shortenedLifetime.ts";
import type { SaNumber } from "../ikev2/api.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { gmEvent } from "./events.ts";
import { applyUpdate, dropKek, dropTeks, refreshKeys } from "./install.ts";
import { sendWithdrawal, waitToRegister } from "./registration.ts";
import type { GmGroup, HeldTek, Turn } from "./state.ts";
import { dialectFor, moveTo, stopTimer } from "./state.ts";

// ----------------------------------------------------------------------------------------------------------- multicast

/** A GSA_REKEY, for whichever group holds its rekey SA. */
export function onRekeyMessage(turn: Turn, { octets }: Datagram, { spi, messageId }: RekeyHeader): void {
  const group = turn.state.groups.find(({ held }) => held?.kek?.sa.spi === spi || held?.previousKekSpi === spi);
  const held = group?.held;
  if (group === undefined || held === undefined) {
    turn.state.unknownRekeys += 1;
    return;
  }
  const { kek } = held;
  // Looking at the number before the integrity check spares the work for copies; it changes nothing but a counter.
  if (kek?.sa.spi !== spi || messageId < kek.nextMessageId) {
    group.counters.duplicates += 1;
    const data = { group: group.config.name, messageId, expected: kek?.nextMessageId ?? 0 };
    turn.out.push(gmEvent("gm.rekeyDuplicate", data));
    return;
  }
  const dialect = dialectFor(group);
  const opened = dialect.openRekey(turn.tools.crypto, kek.sa, octets);
  if (!opened.ok) {
    reject(turn, group, opened.reason, messageId, opened.problem);
    return;
  }
  kek.nextMessageId = opened.messageId + 1;
  const update = dialect.readRekey(turn.tools.crypto, kek.sa, opened.payloads);
  if (!update.ok) {
    // It is the key server's own word, and not understood: the member needs its policy another way.
    reject(turn, group, "contents", messageId, update.problem);
    comeBack(turn, group);
    return;
  }
  group.counters.rekeysMulticast += 1;
  held.sequence = opened.messageId + 1;
  accept(turn, group, update.value, "multicast");
}

function reject(turn: Turn, group: GmGroup, reason: string, messageId: number, problem: string): void {
  group.counters.rejected += 1;
  turn.out.push(gmEvent("gm.rekeyRejected", { group: group.config.name, reason, messageId, problem }));
}

// ------------------------------------------------------------------------------------------------------------- unicast

interface InbandAnswer {
  /** Payloads of the response, which is the acknowledgement. */
  readonly payloads: readonly Payload[];
  /** Called after the response has left: what follows from the rekey may need an exchange of its own. */
  readonly afterwards: () => void;
}

/** A GSA_INBAND_REKEY. The IKE room answers repetitions from its memory, so each rekey comes here once. */
export function onInbandRekey(turn: Turn, sa: SaNumber, messageId: number, payloads: readonly Payload[]): InbandAnswer {
  const group = turn.state.groups.find(({ held }) => held?.sa === sa);
  const held = group?.held;
  if (group === undefined || held === undefined) return { payloads: [], afterwards: () => {} };
  const dialect = dialectFor(group);
  const update = dialect.readInbandRekey(turn.tools.crypto, held.kwk, payloads);
  group.counters.acksSent += 1;
  if (update.ok) {
    group.counters.rekeysUnicast += 1;
    held.sequence += 1;
    return { payloads: [], afterwards: () => accept(turn, group, update.value, "unicast") };
  }
  reject(turn, group, "contents", messageId, update.problem);
  // Badly formed: an error. Well formed but of no use: an empty answer, and the member withdraws (section 2.3.2).
  if (update.notify === NotifyType.INVALID_SYNTAX) {
    return { payloads: dialect.refusal(update.notify), afterwards: () => comeBack(turn, group) };
  }
  const withdraw = () => {
    sendWithdrawal(turn, group, sa, update.notify);
    comeBack(turn, group);
  };
  return { payloads: [], afterwards: withdraw };
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
