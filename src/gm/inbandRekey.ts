/** Rekeys in the IKE SA of a member: GSA_INBAND_REKEY. RFC 9838 section 2.4.2. */
import { groupIdText } from "../gikev2/groupId.ts";
import type { GroupUpdate } from "../gikev2/policy.ts";
import { selectorKey } from "../gikev2/selectors.ts";
import type { SaNumber } from "../ikev2/api.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { sendWithdrawal } from "./gikev2Registration.ts";
import { accept, comeBack, reject } from "./rekey.ts";
import type { GmGroup, Turn } from "./state.ts";
import { dialectFor, groupsOf } from "./state.ts";

interface InbandAnswer {
  /** Payloads of the response, which is the acknowledgement. */
  readonly payloads: readonly Payload[];
  /** Called after the response has left: what follows from the rekey may need an exchange of its own. */
  readonly afterwards: () => void;
}

/** A GSA_INBAND_REKEY. The IKE room answers repetitions from its memory, so each rekey comes here once. */
export function onInbandRekey(turn: Turn, sa: SaNumber, messageId: number, payloads: readonly Payload[]): InbandAnswer {
  const groups = groupsOf(turn, "gikev2").filter(({ held }) => held?.sa === sa);
  const [first] = groups;
  if (first === undefined) return { payloads: [], afterwards: () => {} };
  const dialect = dialectFor(first);
  // One IKE SA has one key-wrap key, whatever group is meant.
  const update = dialect.readInbandRekey(turn.tools.crypto, first.held!.kwk!, payloads);
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
