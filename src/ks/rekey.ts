/**
 * Renewal of keys: by schedule, by command, and with all members put out where their keys must not serve any more.
 *
 * The message that brings a new KEK travels under the old one (multicast) or in the members' IKE SAs (unicast); the old
 * KEK is gone with it. Old TEKs live on until their end, so members change over without losing a packet.
 */
import { assert } from "../base/errors.ts";
import { SECOND } from "../base/micros.ts";
import { timerAt } from "../base/timers.ts";
import type { PrivateKey } from "../crypto/api.ts";
import type { Deletion, GroupUpdate, KekPolicy } from "../gikev2/policy.ts";
import { NO_KEYS, NO_POLICY } from "../gikev2/policy.ts";
import { shortenedLifetime } from "../gikev2/shortenedLifetime.ts";
import { ksEvent } from "./events.ts";
import { createGeneration, createKek, keysOf, liveTeks, policyOf, treeForNextKek } from "./keys.ts";
import { armKek, armTek, ensureKeys, kekRekeyAt, unicastRetransmit } from "./keyTimers.ts";
import { type GroupMessage, sendToAll } from "./multicast.ts";
import { startRound } from "./round.ts";
import { nextSequence, rekeyMargin, takesKekAlong } from "./schedule.ts";
import type { KsBranch, KsGroup, KsKek, KsMember, Tek, Turn } from "./state.ts";
import { membersOf, protocolOf, rekeyedMembersOf, timerKey, unbindSa } from "./state.ts";

/** Old TEKs: left to their end, given the shortened life of a replaced policy, or deleted at once. */
export type OldTeks = "keep" | "shorten" | "delete";

/** The newest TEKs are due. A KEK goes along where its own time has nearly come. */
export function rekeyTeks(turn: Turn, group: KsGroup): void {
  const newest = group.generations[0]!;
  const retransmit = unicastRetransmit(group);
  const margin = Math.max(...newest.teks.map((tek) => rekeyMargin("tek", tek.lifetimeSeconds, retransmit)));
  rekey(turn, group, true, (branch) => takesKekAlong(turn.now, kekRekeyAt(group, branch), margin), "keep");
}

/** A rekey for the KEK alone brings no TEK. Where TEKs are due at the same instant, their rekey takes the KEK along. */
export function rekeyKek(turn: Turn, group: KsGroup, branch: KsBranch): void {
  const tekAt = timerAt(turn.state.timers, timerKey("rekeyTek", group.id));
  if (tekAt !== undefined && tekAt <= turn.now) return;
  rekey(turn, group, false, (one) => one === branch, "keep");
}

/** `crypto gkm ks rekey [replace-now]`: everything is new. */
export function rekeyByCommand(turn: Turn, group: KsGroup, replaceNow: boolean): void {
  if (!hasKeys(group)) return;
  rekey(turn, group, true, ALL, replaceNow ? "delete" : "shorten");
}

export const ALL = () => true;

export function hasKeys({ generations }: KsGroup): boolean {
  return generations.length > 0;
}

/**
 * One message in each branch that gets something new: new TEKs go to all of them, a KEK to its own branch. `kek`: which
 * branches renew it.
 */
export function rekey(
  turn: Turn,
  group: KsGroup,
  tek: boolean,
  kek: (branch: KsBranch) => boolean,
  old: OldTeks,
): void {
  const plans = group.branches
    .filter((branch) => branch.kek !== undefined && (tek || kek(branch)))
    .map((branch) => ({ branch, newKek: kek(branch) ? createKek(turn, group, branch) : undefined }));
  const news = tek ? renewTeks(turn, group, old) : NO_NEWS;
  for (const { branch, newKek } of plans) spread(turn, group, branch, newKek, news, old !== "keep");
  if (tek) armTek(turn, group);
}

/** The message of one branch. */
export function spread(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  newKek: KsKek | undefined,
  news: TekNews,
  replace: boolean,
): void {
  const carrier = branch.kek!;
  const update = updateOf(turn, group, branch, newKek, news);
  const { sent, shown } = nextSequence(carrier.sequence, newKek !== undefined);
  announce(turn, group, branch, sent, news.teks.length > 0, newKek !== undefined, replace);
  distribute(turn, group, branch, { kek: carrier, update }, sent);
  carrier.sequence = sent;
  if (newKek === undefined) return;
  newKek.sequence = shown;
  branch.previousSa = carrier.sa;
  branch.kek = newKek;
  branch.tree = treeForNextKek(group, branch);
  armKek(turn, group, branch);
}

/** To all members of the branch, in the way of the group. */
function distribute(turn: Turn, group: KsGroup, branch: KsBranch, message: GroupMessage, sequence: number): void {
  if (group.config.transport.kind === "multicast") sendToAll(turn, group, branch, [message]);
  else startRound(turn, group, branch, message, sequence, rekeyedMembersOf(group, branch), false);
}

/** New TEKs, and what members are told of the end of the others. */
export interface TekNews {
  readonly teks: readonly Tek[];
  readonly deletions: readonly Deletion[];
  readonly dtdSeconds?: number;
}

const NO_NEWS: TekNews = { teks: [], deletions: [] };

/** Makes a generation of TEKs. */
export function renewTeks(turn: Turn, group: KsGroup, old: OldTeks): TekNews {
  const retired = retireOld(turn, group, old);
  const generation = createGeneration(turn, group);
  group.generations = [generation, ...group.generations.filter((one) => liveTeks(one, turn.now).length > 0)];
  return { teks: generation.teks, ...retired };
}

/** The algorithm is part of the policy and stays: a key of another kind is a mistake of the caller. */
export function changeSigner(turn: Turn, group: KsGroup, key: PrivateKey): void {
  const { signer } = group;
  assert(signer !== undefined && signer.key.type === key.type, "a signer of another kind");
  group.signer = { key, scheme: signer.scheme };
  if (hasKeys(group)) rekey(turn, group, false, ALL, "keep");
}

type Retired = Omit<TekNews, "teks">;

const KEEP: Retired = { deletions: [] };

/**
 * What happens to the TEKs in use. The shortened life travels as a deletion with the deactivation delay of RFC 9838
 * (section 4.4.3.1): members take the SAs out when it has passed. A group with a delay of its own lets go of the TEKs
 * that a rekey replaces in the same way; without one they live to their end.
 */
function retireOld(turn: Turn, group: KsGroup, old: OldTeks): Retired {
  const { dtdSeconds } = group.config;
  const teks = group.generations.flatMap((generation) => liveTeks(generation, turn.now));
  if ((old === "keep" && dtdSeconds === undefined) || teks.length === 0) return KEEP;
  const deletions: Deletion[] = [{ kind: "dataSas", spis: teks.map((tek) => tek.spi) }];
  if (old === "delete") {
    for (const tek of teks) tek.expiresAt = turn.now;
    return { deletions };
  }
  let longest = 0;
  for (const tek of teks) {
    const left = tek.expiresAt - turn.now;
    const life = old === "keep" ? Math.min(left, dtdSeconds! * SECOND) : shortenedLifetime(left, tek.lifetimeSeconds);
    tek.expiresAt = turn.now + life;
    longest = Math.max(longest, life);
  }
  return { deletions, dtdSeconds: Math.min(0xffff, Math.ceil(longest / SECOND)) };
}

export function updateOf(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  newKek: KsKek | undefined,
  { teks, deletions, dtdSeconds }: TekNews,
): GroupUpdate {
  const policy = policyOf(group, branch, newKek, teks, turn.now);
  return {
    policy: {
      ...policy,
      ...(policy.kek === undefined ? {} : { kek: kekOfRekey(group, branch, policy.kek) }),
      ...(dtdSeconds === undefined ? {} : { dtdSeconds }),
    },
    keys: keysOf(newKek, teks),
    deletions,
  };
}

/**
 * How rekeys are authenticated was told at registration and stays (RFC 9838 section 4.4.2.1); the key that they are
 * signed with is told only where it is another one (section 4.5.3.2). The message itself is signed with the old one.
 * draft-yeung and GDOI have the whole policy in each message that brings a KEK.
 */
export function kekOfRekey(group: KsGroup, branch: KsBranch, kek: KekPolicy): KekPolicy {
  if (protocolOf(group, branch).repeatsAuthentication) return kek;
  const { authentication: _, publicKey, ...rest } = kek;
  const changed = branch.kek!.signer?.key !== group.signer?.key;
  return changed && publicKey !== undefined ? { ...rest, publicKey } : rest;
}

export function announce(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  sequence: number,
  tek: boolean,
  kek: boolean,
  replace: boolean,
): void {
  const { transport, name } = group.config;
  group.counters.rekeys += 1;
  const destination = transport.kind === "multicast" ? transport.destination.address : "";
  turn.out.push(
    ksEvent("ks.rekeyStarted", {
      group: name,
      protocol: branch.kind,
      address: turn.state.config.local.address,
      destination,
      transport: transport.kind,
      sequence,
      members: rekeyedMembersOf(group, branch).length,
      tek,
      kek,
      replace,
    }),
  );
}

// -------------------------------------------------------------------------------------------------------- all members

/**
 * Puts all members out and makes new keys: their old ones must not protect what follows. `immediate`: members give up
 * their TEKs at once instead of after a shortened life.
 */
export function excludeAll(turn: Turn, group: KsGroup, immediate: boolean): void {
  if (!hasKeys(group)) return;
  for (const branch of group.branches) {
    if (branch.kek !== undefined) excludeBranch(turn, group, branch, immediate);
  }
  startAnew(turn, group);
}

/**
 * Puts out all members of one protocol, and with them its KEK. RFC 9838 section 2.4.3, RFC 6407 section 5.9: Delete with
 * SPI 0 of the rekey SA, and of the data SAs for a clean start.
 */
export function excludeBranch(turn: Turn, group: KsGroup, branch: KsBranch, immediate: boolean): void {
  const carrier = branch.kek!;
  const members = membersOf(group, branch);
  const deletions: Deletion[] = immediate ? [{ kind: "allDataSas" }, { kind: "member" }] : [{ kind: "member" }];
  const message = { kek: carrier, update: { policy: NO_POLICY, keys: NO_KEYS, deletions } };
  const sequence = carrier.sequence + 1;
  announce(turn, group, branch, sequence, false, false, true);
  if (group.config.transport.kind === "multicast") sendToAll(turn, group, branch, [message]);
  else startRound(turn, group, branch, message, sequence, rekeyedMembersOf(group, branch).map(copyForRound), true);
  for (const member of members) dropMember(turn, group, member);
  branch.previousSa = carrier.sa;
  branch.kek = undefined;
  branch.nextKekSpi = undefined;
}

/** All keys are new, and nobody is told. */
export function startAnew(turn: Turn, group: KsGroup): void {
  for (const branch of group.branches) {
    branch.kek = undefined;
    branch.nextKekSpi = undefined;
  }
  group.generations = [];
  group.nextTekSpis = [];
  group.senderIdsUsed = 0;
  ensureKeys(turn, group);
}

/** The round goes on with the IKE SA after the group has let go of it. */
export function copyForRound(member: KsMember): KsMember {
  return { ...member };
}

export function dropMember(turn: Turn, group: KsGroup, member: KsMember): void {
  group.members.delete(member.key);
  unbindSa(turn.state, group, member);
}

/** `clear crypto gkm ks members [now]`. */
export function clearMembers(turn: Turn, group: KsGroup, immediate: boolean): void {
  const members = group.members.size;
  excludeAll(turn, group, immediate);
  turn.out.push(ksEvent("ks.membersCleared", { group: group.config.name, members, immediate }));
}

/** No Sender-ID is left: only new keys allow the count to begin anew. RFC 9838 section 2.5.1. */
export function reinitialise(turn: Turn, group: KsGroup): void {
  const members = group.members.size;
  excludeAll(turn, group, true);
  turn.out.push(ksEvent("ks.reinitialised", { group: group.config.name, members }));
}

/** Data SAs that are to serve no more; new ones come with the next rekey of TEKs. RFC 9838 section 2.4.3. */
export function deleteDataSas(turn: Turn, group: KsGroup, spis: readonly number[] | undefined): void {
  const live = group.generations.flatMap((generation) => liveTeks(generation, turn.now));
  const doomed = live.filter((tek) => spis === undefined || spis.includes(tek.spi));
  if (doomed.length === 0) return;
  for (const tek of doomed) tek.expiresAt = turn.now;
  const deletion: Deletion =
    doomed.length === live.length ? { kind: "allDataSas" } : { kind: "dataSas", spis: doomed.map((tek) => tek.spi) };
  for (const branch of group.branches) {
    const carrier = branch.kek;
    if (carrier === undefined) continue;
    const sequence = carrier.sequence + 1;
    announce(turn, group, branch, sequence, false, false, false);
    const update = { policy: NO_POLICY, keys: NO_KEYS, deletions: [deletion] };
    distribute(turn, group, branch, { kek: carrier, update }, sequence);
    carrier.sequence = sequence;
  }
}
