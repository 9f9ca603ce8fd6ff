/**
 * Members of GDOI that come: GROUPKEY-PULL over an IKEv1 SA. RFC 6407 section 3.4. Who they are is proved in phase 1; what
 * is asked here is whether they may join. Message 1 changes nothing but that the group has keys from then on; the member is
 * entered with message 3, which shows that it is there.
 */
import { judgePeer } from "../gdoi/peerCertificates.ts";
import { obstacle } from "../gdoi/policySa.ts";
import { grantKeys, offerPolicy, type PullId, type PullOutcome, refusePull, takePullOutcome } from "../gdoi/pull.ts";
import { DEFAULT_SWITCHES } from "../gdoi/switches.ts";
import { groupIdText } from "../gikev2/groupId.ts";
import type { GroupPolicy, RekeySelector } from "../gikev2/policy.ts";
import type { Ikev1Outcome, SaView } from "../ikev1/api.ts";
import { answerAuth, saView } from "../ikev1/endpoint.ts";
import { identityText } from "../pki/identity.ts";
import { GdoiExchange, IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import {
  admit,
  countsIvs,
  grantedSenderIds,
  grantOf,
  isFull,
  noteRefusal,
  type RefusalReason,
  refillSenderIds,
  rekeySource,
  wayOfKek,
} from "./admission.ts";
import { unauthorized } from "./authorization.ts";
import { ensureKeys } from "./keyTimers.ts";
import { hasKeys } from "./rekey.ts";
import { branchOf, type IsakmpSide, type KsBranch, type KsGroup, type Turn } from "./state.ts";

/** GDOI has no notifies of its own. */
const NOTIFY: Readonly<Record<RefusalReason, number>> = {
  malformed: IsakmpNotifyType["PAYLOAD-MALFORMED"],
  unknownGroup: IsakmpNotifyType["INVALID-ID-INFORMATION"],
  protocol: IsakmpNotifyType["INVALID-ID-INFORMATION"],
  barred: IsakmpNotifyType["AUTHENTICATION-FAILED"],
  profile: IsakmpNotifyType["AUTHENTICATION-FAILED"],
  address: IsakmpNotifyType["AUTHENTICATION-FAILED"],
  identity: IsakmpNotifyType["AUTHENTICATION-FAILED"],
  full: IsakmpNotifyType["NO-PROPOSAL-CHOSEN"],
  keyWrap: IsakmpNotifyType["NO-PROPOSAL-CHOSEN"],
  capabilities: IsakmpNotifyType["NO-PROPOSAL-CHOSEN"],
  senderIds: IsakmpNotifyType["NO-PROPOSAL-CHOSEN"],
  rekeyed: IsakmpNotifyType["NO-PROPOSAL-CHOSEN"],
};

/** What the IKEv1 room has to say; nothing of it concerns members that are registered, who need no phase 1. */
export function followIsakmp(turn: Turn, side: IsakmpSide, outcomes: readonly PullOutcome[]): void {
  for (const outcome of outcomes) followOne(turn, side, outcome);
}

function followOne(turn: Turn, side: IsakmpSide, outcome: PullOutcome): void {
  const { tools, now } = turn;
  switch (outcome.kind) {
    case "send":
    case "event":
    case "keys":
      turn.out.push(outcome);
      break;
    case "authenticating": {
      const answer = judgePeer(tools.crypto, side.config, outcome, now);
      followIsakmp(turn, side, answerAuth(side.endpoint, tools, outcome.sa, answer, now));
      break;
    }
    case "pullAsked":
      onAsked(turn, side, outcome);
      break;
    case "pullWanted":
      onWanted(turn, side, outcome);
      break;
    case "pullGranted":
    case "pullRefused":
      // Of a member.
      break;
    default:
      followIsakmp(turn, side, ofPulls(turn, side, outcome));
  }
}

function ofPulls({ tools, now }: Turn, { pulls, endpoint }: IsakmpSide, outcome: Ikev1Outcome): readonly PullOutcome[] {
  return takePullOutcome(pulls, endpoint, tools, outcome, now);
}

type Asked = Extract<PullOutcome, { kind: "pullAsked" }>;
type Wanted = Extract<PullOutcome, { kind: "pullWanted" }>;

/** Message 1: the policy is offered. Sender-IDs are refilled first, since that makes the keys anew. */
function onAsked(turn: Turn, side: IsakmpSide, { pull, group: id }: Asked): void {
  const found = groupFor(turn, side, pull, groupIdText(id));
  if (found === undefined) return;
  const { group, branch } = found;
  ensureKeys(turn, group);
  if (countsIvs(group)) refillSenderIds(turn, group);
  const { policy, keys } = grantOf(turn, group, branch, { senderIds: 1 }, []);
  const offered = withEnds(turn, found.view, policy);
  if (obstacle(offered, { ...DEFAULT_SWITCHES, ...group.config.gdoi?.switches }) !== undefined) {
    refuse(turn, side, pull, group, "capabilities", group.id);
    return;
  }
  const { tools, now } = turn;
  followIsakmp(turn, side, offerPolicy(side.pulls, side.endpoint, tools, pull, { policy: offered, keys }, now));
}

/**
 * Message 3: the member is entered and gets its keys. Those of a policy that has been renewed since message 2 would leave
 * it behind all others, so that it has to ask again.
 */
function onWanted(turn: Turn, side: IsakmpSide, { pull, group: id, offered, senderIds: wanted }: Wanted): void {
  const found = groupFor(turn, side, pull, groupIdText(id));
  if (found === undefined) return;
  const { group, branch, view } = found;
  if (!isCurrent(group, branch, offered)) {
    refuse(turn, side, pull, group, "rekeyed", group.id);
    return;
  }
  const senderIds = countsIvs(group) ? grantedSenderIds(turn, group, { senderIds: wanted }) : [];
  // The last Sender-ID may have gone to another member in between, and with new keys the policy is not that of message 2.
  if (senderIds === undefined || !isCurrent(group, branch, offered)) {
    refuse(turn, side, pull, group, "senderIds", group.id);
    return;
  }
  const exchange = GdoiExchange.GROUPKEY_PULL;
  const newcomer = { ends: view, identity: nameOf(view), exchange, fragments: false, senderIds, wantsKek: true };
  const hierarchy = wayOfKek(branch, admit(turn, group, branch, newcomer));
  const granted = hierarchy === undefined ? { senderIds } : { senderIds, hierarchy };
  const { tools, now } = turn;
  followIsakmp(turn, side, grantKeys(side.pulls, side.endpoint, tools, pull, granted, now));
}

/** Nothing was renewed since: neither the KEK nor the TEKs. */
function isCurrent(group: KsGroup, { kek }: KsBranch, offered: GroupPolicy): boolean {
  const newest = group.generations[0]?.teks ?? [];
  const spis = new Set(offered.dataSas.map(({ spi }) => spi));
  return hasKeys(group) && kek?.sa.spi === offered.kek?.spi && newest.every(({ spi }) => spis.has(spi));
}

/**
 * Unicast rekeys go to the member's own address; what IOS writes into the policy is not public. Multicast ones have their
 * ends already.
 */
function withEnds(turn: Turn, view: SaView, policy: GroupPolicy): GroupPolicy {
  const { kek } = policy;
  if (kek === undefined || kek.destination.first === kek.destination.last) return policy;
  const source = host(rekeySource(turn, view));
  return { ...policy, kek: { ...kek, source, destination: host(view.remote) } };
}

function host({ address, port }: { readonly address: string; readonly port: number }): RekeySelector {
  return { first: address, last: address, port };
}

// -------------------------------------------------------------------------------------------------------------- checks

/** The group that is asked for, where the member may join it; otherwise it is refused when this returns. */
function groupFor(turn: Turn, side: IsakmpSide, pull: PullId, id: string) {
  const view = saView(side.endpoint, pull.sa);
  if (view === undefined) return undefined;
  const group = turn.state.groups.get(id);
  const branch = group && branchOf(group, "gdoi");
  const reason = group === undefined ? "unknownGroup" : branch === undefined ? "protocol" : refusalOf(group, view);
  if (group === undefined || branch === undefined || reason !== undefined) {
    refuse(turn, side, pull, group, reason!, id);
    return undefined;
  }
  return { group, branch, view };
}

function refusalOf(group: KsGroup, view: SaView): RefusalReason | undefined {
  if (group.barred.has(view.remote.address)) return "barred";
  const reason = unauthorized(group.config.gdoi?.authorization ?? {}, view);
  return reason ?? (isFull(group, view.remote) ? "full" : undefined);
}

/** Identity types have the same numbers in both versions of IKE. */
function nameOf({ identity }: SaView): string {
  return identity === undefined ? "" : identityText({ type: identity.type, data: identity.data });
}

function refuse(
  turn: Turn,
  side: IsakmpSide,
  pull: PullId,
  group: KsGroup | undefined,
  reason: RefusalReason,
  requested: string,
): void {
  const { remote, ...view } = saView(side.endpoint, pull.sa)!;
  const notify = NOTIFY[reason];
  noteRefusal(turn, group, "gdoi", remote, nameOf({ remote, ...view }), notify, reason, requested);
  followIsakmp(turn, side, refusePull(side.pulls, side.endpoint, turn.tools, pull, notify, turn.now));
}
