/**
 * Members that come: who is welcome, and what they are given. The checks stand in the order of Cisco key servers:
 * authentication (done by the IKE room) - group known - profile and authorization - policy usable - Sender-ID at hand.
 */
import { parseIpv4 } from "../base/ipv4.ts";
import type { Secret } from "../base/secret.ts";
import type { Dialect, RegistrationIntent } from "../gikev2/dialect.ts";
import { dialectOf } from "../gikev2/dialects.ts";
import { groupIdText, groupOfId } from "../gikev2/groupId.ts";
import type { Grant, Registration } from "../gikev2/policy.ts";
import { isCounterMode, suits } from "../gikev2/policy.ts";
import { selectorKey } from "../gikev2/selectors.ts";
import type { SaNumber, SaView } from "../ikev2/api.ts";
import { saView } from "../ikev2/endpoint.ts";
import { identityText } from "../pki/identity.ts";
import type { Id } from "../wire/ikev2.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { payloadOf } from "../wire/payloads.ts";
import { settle } from "./answers.ts";
import type { Authorization } from "./config.ts";
import { SENDER_ID_BITS } from "./config.ts";
import { ksEvent } from "./events.ts";
import { lockOut } from "./eviction.ts";
import { keysOf, liveTeks, policyOf } from "./keys.ts";
import { ensureKeys } from "./keyTimers.ts";
import { addLeaf, pathOf } from "./keyTree.ts";
import { reinitialise } from "./rekey.ts";
import type { KsGroup, KsMember, KsState, Tek, Turn } from "./state.ts";
import { bindSa, dialectFor, memberKey, rekeysInband, removeMember, startTimer, unbindSa } from "./state.ts";

/**
 * A request is read by the dialect of the group that it names. Where there is no such group it is that of all groups of the
 * key server, or RFC 9838 where they differ.
 */
export function dialectOfRequest(state: KsState, payloads: readonly Payload[]): Dialect {
  const id = payloadOf(payloads, "IDg");
  const named = id && groupOfId(id);
  const group = named && state.groups.get(groupIdText(named));
  if (group !== undefined) return dialectFor(group);
  const [first, ...others] = state.groups.values();
  const same = first !== undefined && others.every(({ config }) => config.dialect === first.config.dialect);
  return same ? dialectFor(first) : dialectOf("rfc9838");
}

type RefusalReason =
  | "malformed"
  | "unknownGroup"
  | "barred"
  | "profile"
  | "authorization"
  | "full"
  | "keyWrap"
  | "capabilities"
  | "senderIds";

const NOTIFY: Readonly<Record<Exclude<RefusalReason, "malformed">, number>> = {
  unknownGroup: NotifyType.INVALID_GROUP_ID,
  barred: NotifyType.AUTHORIZATION_FAILED,
  profile: NotifyType.AUTHORIZATION_FAILED,
  authorization: NotifyType.AUTHORIZATION_FAILED,
  full: NotifyType.REGISTRATION_FAILED,
  keyWrap: NotifyType.NO_PROPOSAL_CHOSEN,
  capabilities: NotifyType.NO_PROPOSAL_CHOSEN,
  senderIds: NotifyType.REGISTRATION_FAILED,
};

/** A registration over an authenticated IKE SA: the payloads that answer it. */
export function register(turn: Turn, sa: SaNumber, identity: Id, exchange: number, payloads: readonly Payload[]) {
  const view = saView(turn.state.endpoint, sa)!;
  const dialect = dialectOfRequest(turn.state, payloads);
  const read = dialect.readRegistration(payloads);
  if (!read.ok) return refuse(turn, view, identity, dialect, undefined, "malformed", "", read.notify);
  const intent = read.value;
  const id = groupIdText(intent.kind === "join" ? intent.registration.group : intent.group);
  const group = turn.state.groups.get(id);
  if (group === undefined) return refuse(turn, view, identity, dialect, undefined, "unknownGroup", id);
  return intent.kind === "join"
    ? join(turn, group, view, identity, exchange, intent.registration)
    : leave(turn, group, view, intent);
}

function join(
  turn: Turn,
  group: KsGroup,
  view: SaView,
  identity: Id,
  exchange: number,
  wish: Registration,
): readonly Payload[] {
  const dialect = dialectFor(group);
  const kwk = view.skD && dialect.unicastKwk(turn.tools.crypto, view.suite, view.skD);
  const refusal = refusalOf(group, view, identity, kwk);
  if (refusal !== undefined || kwk === undefined) {
    return refuse(turn, view, identity, dialect, group, refusal ?? "keyWrap", group.id);
  }
  ensureKeys(turn, group);
  const senderIds = grantedSenderIds(turn, group, wish);
  if (senderIds === undefined) return refuse(turn, view, identity, dialect, group, "senderIds", group.id);
  const grant = grantOf(turn, group, wish, senderIds);
  if (wish.capabilities !== undefined && !suits(wish.capabilities, grant.policy)) {
    return refuse(turn, view, identity, dialect, group, "capabilities", group.id);
  }
  const { leaf } = admit(turn, group, view, identity, exchange, kwk, senderIds);
  return dialect.grant(turn.tools.crypto, kwk, leaf === 0 ? grant : withPath(group, grant, leaf));
}

function refusalOf(group: KsGroup, view: SaView, identity: Id, kwk: Secret | undefined): RefusalReason | undefined {
  const { config, members, tuning, barred } = group;
  if (barred.has(view.remote.address)) return "barred";
  if (view.profile !== config.profile) return "profile";
  if (config.authorization !== undefined && !isAuthorized(config.authorization, view, identity)) return "authorization";
  if (!members.has(memberKey(view.remote)) && members.size >= tuning.membersMost) return "full";
  return kwk === undefined ? "keyWrap" : undefined;
}

function isAuthorized({ addresses, identities }: Authorization, view: SaView, identity: Id): boolean {
  const address = parseIpv4(view.remote.address);
  const here = address !== undefined && addresses?.some(({ first, last }) => first <= address && address <= last);
  return (addresses === undefined || here === true) && (identities?.includes(identityText(identity)) ?? true);
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
  if (group !== undefined) group.counters.refusals += 1;
  const data = {
    group: group?.config.name ?? "",
    member: memberKey(view.remote),
    identity: identityText(identity),
    notify,
    reason,
    requested,
  };
  turn.out.push(ksEvent("ks.refused", data));
  // Where the IKE SA stands (RFC 9838 section 2.3.1) the member may try another group for a while.
  const tuning = group?.tuning ?? turn.state.groups.values().next().value?.tuning;
  if (!turn.state.membersBySa.has(view.number) && tuning !== undefined) {
    startTimer(turn, "close", view.number, turn.now + tuning.refusedClose);
  }
  return dialect.refusal(notify);
}

// ---------------------------------------------------------------------------------------------------------- Sender-IDs

/**
 * As many Sender-IDs as asked for and allowed, in sequence and never twice under the same keys. Where none is left all
 * members are excluded and new keys made, which starts the count anew. RFC 9838 section 2.5.1. Undefined where even then
 * there is none.
 */
function grantedSenderIds(turn: Turn, group: KsGroup, wish: Registration): readonly number[] | undefined {
  if (wish.senderIds === undefined || !group.config.dataSas.some((sa) => isCounterMode(sa.suite))) return [];
  const { first, count } = senderIdRange(group);
  if (group.senderIdsUsed >= count) reinitialise(turn, group);
  const given = Math.min(wish.senderIds, group.tuning.senderIdsMost, count - group.senderIdsUsed);
  if (given <= 0) return undefined;
  const start = first + group.senderIdsUsed;
  group.senderIdsUsed += given;
  return Array.from({ length: given }, (_, i) => start + i);
}

function senderIdRange({ config }: KsGroup): { readonly first: number; readonly count: number } {
  return config.senderIds ?? { first: 0, count: 2 ** (config.senderIdBits ?? SENDER_ID_BITS) };
}

// -------------------------------------------------------------------------------------------------------------- answers

/**
 * All keys that live. Of an older generation only the TEKs whose traffic the policy still protects: the others end
 * unused, and a newcomer could not tell them from the policy in force.
 */
function grantOf(turn: Turn, group: KsGroup, wish: Registration, senderIds: readonly number[]): Grant {
  const { generations } = group;
  const kek = wish.want === "teks" ? undefined : group.kek;
  const [newest, ...older] = generations;
  const inForce = new Set(newest!.teks.map((tek) => selectorKey(tek.selector)));
  const teks: Tek[] = [...liveTeks(newest!, turn.now)];
  for (const generation of older) {
    teks.push(...liveTeks(generation, turn.now).filter((tek) => inForce.has(selectorKey(tek.selector))));
  }
  if (wish.want === "kek") teks.length = 0;
  const policy = policyOf(group, kek, teks, turn.now);
  const counted = wish.senderIds !== undefined && teks.some((tek) => isCounterMode(tek.suite));
  const senderIdBits = group.config.senderIdBits ?? SENDER_ID_BITS;
  return {
    policy: counted ? { senderIdBits, ...policy } : policy,
    keys: keysOf(kek, teks),
    senderIds,
    deletions: [],
  };
}

/** The KEK reaches the member through the key tree: it learns all keys above its leaf. */
function withPath(group: KsGroup, grant: Grant, leaf: number): Grant {
  const keys = { hierarchy: pathOf(group.tree!, leaf), ...grant.keys };
  return { keys, policy: grant.policy, senderIds: grant.senderIds, deletions: grant.deletions };
}

/** A member that registers again keeps its leaf. */
function leafFor(turn: Turn, group: KsGroup, previous: KsMember | undefined): number {
  if (group.tree === undefined) return 0;
  return previous === undefined ? addLeaf(group.tree, turn.tools) : previous.leaf;
}

/** A member that registers again replaces what was known of it; its old IKE SA has served its purpose. */
function admit(
  turn: Turn,
  group: KsGroup,
  view: SaView,
  identity: Id,
  exchange: number,
  kwk: Secret,
  senderIds: readonly number[],
): KsMember {
  const key = memberKey(view.remote);
  const previous = group.members.get(key);
  if (previous !== undefined && previous.sa !== view.number) {
    const { sa } = previous;
    if (unbindSa(turn.state, group, previous) && sa !== undefined) startTimer(turn, "close", sa, turn.now);
    settle(turn, group, previous);
  }
  const member: KsMember = {
    key,
    remote: view.remote,
    identity: identityText(identity),
    sa: view.number,
    kwk,
    registeredAt: turn.now,
    senderIds,
    fragments: view.fragments,
    leaf: leafFor(turn, group, previous),
    round: group.rounds,
    awaited: false,
    rekeysSent: 0,
    rekeyRetries: 0,
    acksReceived: 0,
    acksMissed: 0,
    sequencesSent: [],
    sequencesAcked: [],
    silentTransmissions: 0,
    silentRekeys: 0,
  };
  group.members.set(key, member);
  group.counters.registrations += 1;
  bindSa(turn.state, view.number, { group: group.id, member: key });
  if (!rekeysInband(group) && dialectFor(group).closesIdleSas) {
    startTimer(turn, "close", view.number, turn.now + group.tuning.idleClose);
  }
  const data = { group: group.config.name, member: key, identity: member.identity, exchange };
  turn.out.push(ksEvent("ks.registered", { replaced: previous !== undefined, members: group.members.size, ...data }));
  return member;
}

/** The member does not want the group any more, or cannot use its policy. RFC 9838 section 2.3.2: the answer is empty. */
function leave(
  turn: Turn,
  group: KsGroup,
  view: SaView,
  { notify }: Extract<RegistrationIntent, { kind: "leave" }>,
): readonly Payload[] {
  const member = group.members.get(memberKey(view.remote));
  if (member === undefined || member.sa !== view.number) return [];
  removeMember(turn.state, group, member);
  settle(turn, group, member);
  turn.out.push(ksEvent("ks.left", { group: group.config.name, member: member.key, notify }));
  if (group.tree !== undefined) lockOut(turn, group, member.leaf, "shorten");
  if (!turn.state.membersBySa.has(view.number)) {
    startTimer(turn, "close", view.number, turn.now + group.tuning.refusedClose);
  }
  return [];
}
