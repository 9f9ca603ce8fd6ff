/**
 * Members of G-IKEv2 that come. The checks stand in the order of Cisco key servers: authentication (done by the IKE room) -
 * group known - protocol served - profile - policy usable - Sender-ID at hand.
 */
import type { Secret } from "../base/secret.ts";
import type { Dialect, RegistrationIntent } from "../gikev2/dialect.ts";
import { dialectOf } from "../gikev2/dialects.ts";
import { groupIdText, groupOfId } from "../gikev2/groupId.ts";
import type { Grant, KeyHierarchy, Registration } from "../gikev2/policy.ts";
import { suits } from "../gikev2/policy.ts";
import type { SaNumber, SaView } from "../ikev2/api.ts";
import { saView } from "../ikev2/endpoint.ts";
import { identityText } from "../pki/identity.ts";
import type { Id } from "../wire/ikev2.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { payloadOf } from "../wire/payloads.ts";
import { admit, grantedSenderIds, grantOf, isFull, noteRefusal, type RefusalReason, wayOfKek } from "./admission.ts";
import { settle } from "./answers.ts";
import { ksEvent } from "./events.ts";
import { lockOut } from "./eviction.ts";
import { ensureKeys } from "./keyTimers.ts";
import type { KsBranch, KsGroup, KsMember, KsState, Turn } from "./state.ts";
import { branchOf, dialectFor, ikeOf, memberKey, rekeysInband, removeMember, startTimer } from "./state.ts";

/**
 * A request is read by the dialect of the group that it names. Where there is no such group it is that of all groups of the
 * key server, or RFC 9838 where they differ.
 */
export function dialectOfRequest(state: KsState, payloads: readonly Payload[]): Dialect {
  const id = payloadOf(payloads, "IDg");
  const named = id && groupOfId(id);
  const group = named && state.groups.get(groupIdText(named));
  if (group?.config.gikev2 !== undefined) return dialectFor(group);
  const [first, ...others] = [...state.groups.values()].filter(({ config }) => config.gikev2 !== undefined);
  const dialect = first?.config.gikev2?.dialect;
  const same = others.every(({ config }) => config.gikev2?.dialect === dialect);
  return first !== undefined && same ? dialectFor(first) : dialectOf("rfc9838");
}

const NOTIFY: Readonly<Record<Exclude<RefusalReason, "malformed">, number>> = {
  unknownGroup: NotifyType.INVALID_GROUP_ID,
  protocol: NotifyType.INVALID_GROUP_ID,
  barred: NotifyType.AUTHORIZATION_FAILED,
  profile: NotifyType.AUTHORIZATION_FAILED,
  address: NotifyType.AUTHORIZATION_FAILED,
  identity: NotifyType.AUTHORIZATION_FAILED,
  full: NotifyType.REGISTRATION_FAILED,
  keyWrap: NotifyType.NO_PROPOSAL_CHOSEN,
  capabilities: NotifyType.NO_PROPOSAL_CHOSEN,
  senderIds: NotifyType.REGISTRATION_FAILED,
  rekeyed: NotifyType.REGISTRATION_FAILED,
};

/** A registration over an authenticated IKE SA: the payloads that answer it. */
export function register(turn: Turn, sa: SaNumber, identity: Id, exchange: number, payloads: readonly Payload[]) {
  const view = saView(ikeOf(turn.state), sa)!;
  const dialect = dialectOfRequest(turn.state, payloads);
  const read = dialect.readRegistration(payloads);
  if (!read.ok) return refuse(turn, view, identity, dialect, undefined, "malformed", "", read.notify);
  const intent = read.value;
  const id = groupIdText(intent.kind === "join" ? intent.registration.group : intent.group);
  const group = turn.state.groups.get(id);
  if (group === undefined) return refuse(turn, view, identity, dialect, undefined, "unknownGroup", id);
  const branch = branchOf(group, "gikev2");
  if (branch === undefined) return refuse(turn, view, identity, dialect, group, "protocol", id);
  return intent.kind === "join"
    ? join(turn, group, branch, view, identity, exchange, intent.registration)
    : leave(turn, group, branch, view, intent);
}

function join(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  view: SaView,
  identity: Id,
  exchange: number,
  wish: Registration,
): readonly Payload[] {
  const dialect = dialectFor(group);
  const kwk = view.skD && dialect.unicastKwk(turn.tools.crypto, view.suite, view.skD);
  const refusal = refusalOf(group, view, kwk);
  if (refusal !== undefined || kwk === undefined) {
    return refuse(turn, view, identity, dialect, group, refusal ?? "keyWrap", group.id);
  }
  ensureKeys(turn, group);
  const senderIds = grantedSenderIds(turn, group, wish);
  if (senderIds === undefined) return refuse(turn, view, identity, dialect, group, "senderIds", group.id);
  const grant = grantOf(turn, group, branch, wish, senderIds);
  if (wish.capabilities !== undefined && !suits(wish.capabilities, grant.policy)) {
    return refuse(turn, view, identity, dialect, group, "capabilities", group.id);
  }
  const { number: sa, fragments } = view;
  const member = admit(turn, group, branch, {
    ends: view,
    identity: identityText(identity),
    exchange,
    sa,
    kwk,
    fragments,
    senderIds,
    wantsKek: wish.want !== "teks",
  });
  if (!rekeysInband(group, branch) && dialect.closesIdleSas) {
    startTimer(turn, "close", sa, turn.now + group.tuning.idleClose);
  }
  const hierarchy = grant.keys.kek && wayOfKek(branch, member);
  return dialect.grant(turn.tools.crypto, kwk, hierarchy === undefined ? grant : withWay(grant, hierarchy));
}

function refusalOf(group: KsGroup, view: SaView, kwk: Secret | undefined): RefusalReason | undefined {
  const { config, barred } = group;
  if (barred.has(view.remote.address)) return "barred";
  if (view.profile !== config.gikev2!.profile) return "profile";
  if (isFull(group, view.remote)) return "full";
  return kwk === undefined ? "keyWrap" : undefined;
}

function refuse(
  turn: Turn,
  view: SaView,
  identity: Id,
  dialect: Dialect,
  group: KsGroup | undefined,
  reason: RefusalReason,
  requested: string,
  given?: number,
): readonly Payload[] {
  const notify = given ?? NOTIFY[reason as Exclude<RefusalReason, "malformed">];
  noteRefusal(turn, group, "gikev2", view.remote, identityText(identity), notify, reason, requested);
  // Where the IKE SA stands (RFC 9838 section 2.3.1) the member may try another group for a while.
  const tuning = group?.tuning ?? turn.state.groups.values().next().value?.tuning;
  if (!turn.state.membersBySa.has(view.number) && tuning !== undefined) {
    startTimer(turn, "close", view.number, turn.now + tuning.refusedClose);
  }
  return dialect.refusal(notify);
}

/** The KEK reaches the member through the key tree: it learns all keys above its leaf. */
function withWay(grant: Grant, hierarchy: KeyHierarchy): Grant {
  const keys = { hierarchy, ...grant.keys };
  return { keys, policy: grant.policy, senderIds: grant.senderIds, deletions: grant.deletions };
}

/** The member does not want the group any more, or cannot use its policy. RFC 9838 section 2.3.2: the answer is empty. */
function leave(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  view: SaView,
  { notify }: Extract<RegistrationIntent, { kind: "leave" }>,
): readonly Payload[] {
  const member: KsMember | undefined = group.members.get(memberKey(view.remote));
  if (member === undefined || member.sa !== view.number) return [];
  removeMember(turn.state, group, member);
  settle(turn, group, member);
  turn.out.push(ksEvent("ks.left", { group: group.config.name, protocol: branch.kind, member: member.key, notify }));
  lockOut(turn, group, member);
  if (!turn.state.membersBySa.has(view.number)) {
    startTimer(turn, "close", view.number, turn.now + group.tuning.refusedClose);
  }
  return [];
}
