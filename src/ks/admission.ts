/** What the registrations of both protocols have in common: Sender-IDs, the grant, the entry of a member, refusals. */
import type { Endpoint } from "../base/machine.ts";
import type { Secret } from "../base/secret.ts";
import type { Grant, KeyHierarchy, Registration } from "../gikev2/policy.ts";
import { isCounterMode } from "../gikev2/policy.ts";
import { selectorKey } from "../gikev2/selectors.ts";
import type { SaNumber, SaView, Tools } from "../ikev2/api.ts";
import { settle } from "./answers.ts";
import { type ProtocolKind, SENDER_ID_BITS } from "./config.ts";
import { ksEvent } from "./events.ts";
import { keysOf, liveTeks, policyOf } from "./keys.ts";
import { addLeaf, pathOf } from "./keyTree.ts";
import { reinitialise } from "./rekey.ts";
import type { KsBranch, KsGroup, KsMember, Tek, Turn } from "./state.ts";
import { bindSa, memberKey, startTimer, unbindSa } from "./state.ts";

// ------------------------------------------------------------------------------------------------------------ refusals

/**
 * `protocol`: the group serves the other one alone. `address`, `identity`: not among those that are authorized (GDOI).
 * `profile`, `keyWrap`: of the IKE SA (G-IKEv2). `rekeyed`: the keys that were offered are not those of the group any more.
 */
export type RefusalReason =
  | "malformed"
  | "unknownGroup"
  | "protocol"
  | "barred"
  | "profile"
  | "address"
  | "identity"
  | "full"
  | "keyWrap"
  | "capabilities"
  | "senderIds"
  | "rekeyed";

export function noteRefusal(
  turn: Turn,
  group: KsGroup | undefined,
  protocol: ProtocolKind,
  remote: Endpoint,
  identity: string,
  notify: number,
  reason: RefusalReason,
  requested: string,
): void {
  if (group !== undefined) group.counters.refusals += 1;
  const { address } = remote;
  const data = { member: memberKey(remote), address, identity, notify, reason, requested };
  turn.out.push(ksEvent("ks.refused", { group: group?.config.name ?? "", protocol, ...data }));
}

/** Members beyond the limit of the group; one that registers again is in already. */
export function isFull({ members, tuning }: KsGroup, remote: Endpoint): boolean {
  return !members.has(memberKey(remote)) && members.size >= tuning.membersMost;
}

// ---------------------------------------------------------------------------------------------------------- Sender-IDs

/**
 * As many Sender-IDs as asked for and allowed, in sequence and never twice under the same keys. Where none is left all
 * members are excluded and new keys made, which starts the count anew. RFC 9838 section 2.5.1. Undefined where even then
 * there is none.
 */
export function grantedSenderIds(
  turn: Turn,
  group: KsGroup,
  wish: Pick<Registration, "senderIds">,
): readonly number[] | undefined {
  if (wish.senderIds === undefined || !countsIvs(group)) return [];
  refillSenderIds(turn, group);
  const { first, count } = senderIdRange(group);
  const given = Math.min(wish.senderIds, group.tuning.senderIdsMost, count - group.senderIdsUsed);
  if (given <= 0) return undefined;
  const start = first + group.senderIdsUsed;
  group.senderIdsUsed += given;
  return Array.from({ length: given }, (_, i) => start + i);
}

/** Sees to it that there is a Sender-ID to give out. */
export function refillSenderIds(turn: Turn, group: KsGroup): void {
  if (group.senderIdsUsed >= senderIdRange(group).count) reinitialise(turn, group);
}

/** Senders need a Sender-ID each. */
export function countsIvs({ config }: KsGroup): boolean {
  return config.dataSas.some((sa) => isCounterMode(sa.suite));
}

function senderIdRange({ config }: KsGroup): { readonly first: number; readonly count: number } {
  return config.senderIds ?? { first: 0, count: 2 ** (config.senderIdBits ?? SENDER_ID_BITS) };
}

// -------------------------------------------------------------------------------------------------------------- members

/**
 * All keys that live. Of an older generation only the TEKs whose traffic the policy still protects: the others end
 * unused, and a newcomer could not tell them from the policy in force.
 */
export function grantOf(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  wish: Pick<Registration, "senderIds" | "want">,
  senderIds: readonly number[],
): Grant {
  const { generations } = group;
  const kek = wish.want === "teks" ? undefined : branch.kek;
  const [newest, ...older] = generations;
  const teks: Tek[] = [...liveTeks(newest!, turn.now)];
  if (older.length > 0) {
    const inForce = new Set(newest!.teks.map((tek) => selectorKey(tek.selector)));
    for (const generation of older) {
      teks.push(...liveTeks(generation, turn.now).filter((tek) => inForce.has(selectorKey(tek.selector))));
    }
  }
  if (wish.want === "kek") teks.length = 0;
  const policy = policyOf(group, branch, kek, teks, turn.now);
  const counted = wish.senderIds !== undefined && teks.some((tek) => isCounterMode(tek.suite));
  const senderIdBits = group.config.senderIdBits ?? SENDER_ID_BITS;
  return {
    policy: counted ? { senderIdBits, ...policy } : policy,
    keys: keysOf(kek, teks),
    senderIds,
    deletions: [],
  };
}

/** A member that registers again keeps its leaf. Returns the key of that. */
function noteHolder({ tree, holders }: KsBranch, tools: Tools, member: string): Secret | undefined {
  const leaf = tree === undefined ? 0 : (holders.get(member) ?? addLeaf(tree, tools));
  holders.set(member, leaf);
  return tree?.nodes.get(leaf)?.key;
}

/** How the KEK reaches a member that was admitted; undefined where it is given as it is. */
export function wayOfKek({ tree, holders }: KsBranch, { key }: KsMember): KeyHierarchy | undefined {
  return tree && pathOf(tree, holders.get(key)!);
}

/** The two ends of an SA as the key server sees them, and whether the non-ESP marker stands in front of what it sends. */
type Ends = Pick<SaView, "local" | "remote" | "marker">;

/**
 * Where rekeys to one member leave from. A NAT lets nothing in but answers from where its inside has sent to, and there
 * ESP might share the port: whoever has moved to UDP 4500 for its registration is rekeyed there. RFC 6407 section 2.2.
 */
export function rekeySource({ state }: Turn, { local, marker }: Ends): Endpoint {
  return marker ? local : state.config.local;
}

export interface Newcomer {
  /** Of the SA that it has registered over. */
  readonly ends: Ends;
  readonly identity: string;
  /** Of the registration. */
  readonly exchange: number;
  /** IKE SA that rekeys come in, and what wraps keys there: G-IKEv2. */
  readonly sa?: SaNumber;
  readonly kwk?: Secret;
  readonly fragments: boolean;
  readonly senderIds: readonly number[];
  /** The KEK is among what it asked for. */
  readonly wantsKek: boolean;
}

/** A member that registers again replaces what was known of it; its old IKE SA has served its purpose. */
export function admit(turn: Turn, group: KsGroup, branch: KsBranch, newcomer: Newcomer): KsMember {
  const { ends, identity, exchange, sa, kwk, fragments, senderIds, wantsKek } = newcomer;
  const { remote, marker } = ends;
  const key = memberKey(remote);
  const previous = group.members.get(key);
  if (previous !== undefined) {
    const { sa: old } = previous;
    const isLeft = old !== sa && unbindSa(turn.state, group, previous);
    if (isLeft && old !== undefined) startTimer(turn, "close", old, turn.now);
    settle(turn, group, previous);
  }
  // What it holds of the part that it has not asked for stays, unless it has spoken another protocol in between.
  const hasKek = wantsKek || (previous?.protocol === branch.kind && previous.hasKek);
  const member: KsMember = {
    key,
    protocol: branch.kind,
    local: rekeySource(turn, ends),
    remote,
    marker,
    identity,
    sa,
    kwk,
    registeredAt: turn.now,
    senderIds,
    fragments,
    leafKey: hasKek ? noteHolder(branch, turn.tools, key) : undefined,
    hasKek,
    round: branch.rounds,
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
  if (sa !== undefined) bindSa(turn.state, sa, { group: group.id, member: key });
  const data = { group: group.config.name, protocol: branch.kind, member: key, identity, exchange };
  turn.out.push(ksEvent("ks.registered", { replaced: previous !== undefined, members: group.members.size, ...data }));
  return member;
}
