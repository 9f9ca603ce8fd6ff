/** Rekeys in the IKE SA of a member: GSA_INBAND_REKEY. RFC 9838 section 2.4.2. */
import type { Selector } from "../esp/api.ts";
import { sameSelector } from "../esp/selector.ts";
import { groupIdText } from "../gikev2/groupId.ts";
import type { GroupUpdate } from "../gikev2/policy.ts";
import type { SaNumber } from "../ikev2/api.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { sendWithdrawal } from "./gikev2Registration.ts";
import { accept, comeBack, reject } from "./rekey.ts";
import type { GmGroup, Turn } from "./state.ts";
import { dialectFor, groupsOf } from "./state.ts";

/** How a rekey was taken. What follows from it may need an exchange of its own: it is done when the answer has left. */
export type InbandReading =
  | { readonly kind: "accepted"; readonly group: GmGroup; readonly update: GroupUpdate }
  /** `notify`: what is wrong, of use to none of the groups over the SA. */
  | { readonly kind: "refused"; readonly groups: readonly GmGroup[]; readonly notify: number }
  /** No group is registered over the SA. */
  | { readonly kind: "nobody" };

/** A GSA_INBAND_REKEY. The IKE room answers repetitions from its memory, so each rekey comes here once. */
export function readInbandRekey(
  turn: Turn,
  sa: SaNumber,
  messageId: number,
  payloads: readonly Payload[],
): InbandReading {
  const groups = registeredOver(turn, sa);
  const [first] = groups;
  if (first === undefined) return { kind: "nobody" };
  // One IKE SA has one key-wrap key, whatever group is meant.
  const update = dialectFor(first).readInbandRekey(turn.tools.crypto, first.held!.kwk!, payloads);
  if (update.ok) {
    const group = groups.length === 1 ? first : groupMeant(groups, update.value);
    if (group !== undefined) {
      group.counters.acksSent += 1;
      group.counters.rekeysUnicast += 1;
      group.held!.sequence += 1;
      return { kind: "accepted", group, update: update.value };
    }
  }
  const { notify, problem } = update.ok ? { notify: NotifyType.NO_PROPOSAL_CHOSEN, problem: "of which group" } : update;
  for (const group of groups) reject(turn, group, "contents", messageId, problem);
  first.counters.acksSent += 1;
  return { kind: "refused", groups, notify };
}

/** Payloads of the response, which is the acknowledgement. Badly formed: an error; well formed but of no use: an empty one. */
export function inbandAnswer(reading: InbandReading): readonly Payload[] {
  if (reading.kind !== "refused" || !isMalformed(reading.notify)) return NO_PAYLOADS;
  return dialectFor(reading.groups[0]!).refusal(reading.notify);
}

/** A member that cannot use the rekey withdraws. RFC 9838 section 2.3.2. */
export function followInbandRekey(turn: Turn, sa: SaNumber, reading: InbandReading): void {
  if (reading.kind === "accepted") accept(turn, reading.group, reading.update, "unicast");
  if (reading.kind !== "refused") return;
  for (const group of reading.groups) {
    if (!isMalformed(reading.notify)) sendWithdrawal(turn, group, sa, reading.notify);
    comeBack(turn, group);
  }
}

const NO_PAYLOADS: readonly Payload[] = [];

function isMalformed(notify: number): boolean {
  return notify === NotifyType.INVALID_SYNTAX;
}

function registeredOver(turn: Turn, sa: SaNumber): readonly GmGroup[] {
  const groups = groupsOf(turn, "gikev2");
  for (const { held } of groups) if (held?.sa !== sa) return groups.filter((group) => group.held?.sa === sa);
  return groups;
}

/**
 * Of several groups over one IKE SA: the one that the key server names, else the only one that holds a data SA to be
 * deleted, else the only one that knows all selectors of the new data SAs. Undefined where that does not decide.
 */
function groupMeant(groups: readonly GmGroup[], { group: id, deletions, policy }: GroupUpdate): GmGroup | undefined {
  if (id !== undefined) return groups.find(({ config }) => groupIdText(config.id) === groupIdText(id));
  const spis = deletions.flatMap((deletion) => (deletion.kind === "dataSas" ? deletion.spis : []));
  const holders = groups.filter(({ held }) => held!.teks.some((tek) => spis.includes(tek.spi)));
  if (holders.length > 0) return holders.length === 1 ? holders[0] : undefined;
  if (policy.dataSas.length === 0) return undefined;
  const knowing = groups.filter((group) => policy.dataSas.every(({ selector }) => isKnown(group, selector)));
  return knowing.length === 1 ? knowing[0] : undefined;
}

function isKnown({ families }: GmGroup, selector: Selector): boolean {
  return families.some((one) => sameSelector(one, selector));
}
