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
import { createGeneration, createKek, keysOf, liveTeks, policyOf } from "./keys.ts";
import { armKek, armTek, ensureKeys, kekRekeyAt, unicastRetransmit } from "./keyTimers.ts";
import { sendToAll } from "./multicast.ts";
import { startRound } from "./round.ts";
import { nextSequence, rekeyMargin, takesKekAlong } from "./schedule.ts";
import type { KsGroup, KsKek, KsMember, TekGeneration, Turn } from "./state.ts";
import { dialectFor, timerKey, unbindSa } from "./state.ts";

/** Old TEKs: left to their end, given the shortened life of a replaced policy, or deleted at once. */
export type OldTeks = "keep" | "shorten" | "delete";

/** The newest TEKs are due. The KEK goes along where its own time has nearly come. */
export function rekeyTeks(turn: Turn, group: KsGroup): void {
  const newest = group.generations[0]!;
  const margins = newest.teks.map((tek) => rekeyMargin("tek", tek.lifetimeSeconds, unicastRetransmit(group)));
  rekey(turn, group, true, takesKekAlong(turn.now, kekRekeyAt(group), Math.max(...margins)), "keep");
}

/** A rekey for the KEK alone brings no TEK. Where TEKs are due at the same instant, their rekey takes the KEK along. */
export function rekeyKek(turn: Turn, group: KsGroup): void {
  const tekAt = timerAt(turn.state.timers, timerKey("rekeyTek", group.id));
  if (tekAt !== undefined && tekAt <= turn.now) return;
  rekey(turn, group, false, true, "keep");
}

/** `crypto gkm ks rekey [replace-now]`: everything is new. */
export function rekeyByCommand(turn: Turn, group: KsGroup, replaceNow: boolean): void {
  if (group.kek === undefined) return;
  rekey(turn, group, true, true, replaceNow ? "delete" : "shorten");
}

/** `kek`, `tek`: which of them are renewed. */
export function rekey(turn: Turn, group: KsGroup, tek: boolean, kek: boolean, old: OldTeks): void {
  const carrier = group.kek!;
  const newKek = kek ? createKek(turn, group) : undefined;
  const update = tek ? renewTeks(turn, group, newKek, old) : updateOf(turn, group, newKek, undefined, KEEP);
  const { sent, shown } = nextSequence(carrier.sequence, kek);
  announce(turn, group, sent, tek, kek, old !== "keep");
  if (group.config.transport.kind === "multicast") sendToAll(turn, group, [{ kek: carrier, update }]);
  else startRound(turn, group, { kek: carrier, update }, sent, [...group.members.values()], false);
  carrier.sequence = sent;
  if (newKek !== undefined) {
    newKek.sequence = shown;
    group.kek = newKek;
    armKek(turn, group);
  }
  if (tek) armTek(turn, group);
}

/** Makes a generation of TEKs; what the members are told of it, of the end of the others, and of a new KEK. */
export function renewTeks(turn: Turn, group: KsGroup, newKek: KsKek | undefined, old: OldTeks): GroupUpdate {
  const retired = retireOld(turn, group, old);
  const generation = createGeneration(turn, group);
  group.generations = [generation, ...group.generations.filter((one) => liveTeks(one, turn.now).length > 0)];
  return updateOf(turn, group, newKek, generation, retired);
}

/** The algorithm is part of the policy and stays: a key of another kind is a mistake of the caller. */
export function changeSigner(turn: Turn, group: KsGroup, key: PrivateKey): void {
  const { signer } = group;
  assert(signer !== undefined && signer.key.type === key.type, "a signer of another kind");
  group.signer = { key, scheme: signer.scheme };
  if (group.kek !== undefined) rekey(turn, group, false, true, "keep");
}

interface Retired {
  readonly deletions: readonly Deletion[];
  readonly dtdSeconds?: number;
}

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

function updateOf(
  turn: Turn,
  group: KsGroup,
  newKek: KsKek | undefined,
  generation: TekGeneration | undefined,
  { deletions, dtdSeconds }: Retired,
): GroupUpdate {
  const teks = generation?.teks ?? [];
  const policy = policyOf(group, newKek, teks, turn.now);
  return {
    policy: {
      ...policy,
      ...(policy.kek === undefined ? {} : { kek: kekOfRekey(group, policy.kek) }),
      ...(dtdSeconds === undefined ? {} : { dtdSeconds }),
    },
    keys: keysOf(newKek, teks),
    deletions,
  };
}

/**
 * How rekeys are authenticated was told at registration and stays (RFC 9838 section 4.4.2.1); the key that they are
 * signed with is told only where it is another one (section 4.5.3.2). The message itself is signed with the old one.
 * draft-yeung has the whole policy in each message that brings a KEK.
 */
export function kekOfRekey(group: KsGroup, kek: KekPolicy): KekPolicy {
  if (dialectFor(group).repeatsAuthentication) return kek;
  const { authentication: _, publicKey, ...rest } = kek;
  const changed = group.kek!.signer?.key !== group.signer?.key;
  return changed && publicKey !== undefined ? { ...rest, publicKey } : rest;
}

export function announce(
  turn: Turn,
  group: KsGroup,
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
      address: turn.state.config.local.address,
      destination,
      transport: transport.kind,
      sequence,
      members: group.members.size,
      tek,
      kek,
      replace,
    }),
  );
}

// -------------------------------------------------------------------------------------------------------- all members

/**
 * Puts all members out and makes new keys: their old ones must not protect what follows. `immediate`: members give up
 * their TEKs at once instead of after a shortened life. RFC 9838 section 2.4.3: Delete with SPI 0 of the rekey SA, and of
 * the data SAs for a clean start.
 */
export function excludeAll(turn: Turn, group: KsGroup, immediate: boolean): void {
  const carrier = group.kek;
  if (carrier === undefined) return;
  const members = [...group.members.values()];
  const deletions: Deletion[] = immediate ? [{ kind: "allDataSas" }, { kind: "member" }] : [{ kind: "member" }];
  const update: GroupUpdate = { policy: NO_POLICY, keys: NO_KEYS, deletions };
  const sequence = carrier.sequence + 1;
  announce(turn, group, sequence, false, false, true);
  if (group.config.transport.kind === "multicast") sendToAll(turn, group, [{ kek: carrier, update }]);
  else startRound(turn, group, { kek: carrier, update }, sequence, members.map(copyForRound), true);
  for (const member of members) dropMember(turn, group, member);
  group.kek = undefined;
  group.generations = [];
  group.nextTekSpis = [];
  group.nextKekSpi = undefined;
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
  const carrier = group.kek;
  const live = group.generations.flatMap((generation) => liveTeks(generation, turn.now));
  const doomed = live.filter((tek) => spis === undefined || spis.includes(tek.spi));
  if (carrier === undefined || doomed.length === 0) return;
  for (const tek of doomed) tek.expiresAt = turn.now;
  const deletion: Deletion =
    doomed.length === live.length ? { kind: "allDataSas" } : { kind: "dataSas", spis: doomed.map((tek) => tek.spi) };
  tellAll(turn, group, carrier, { policy: NO_POLICY, keys: NO_KEYS, deletions: [deletion] });
}

/** A message that leaves KEK and TEKs as they are. */
function tellAll(turn: Turn, group: KsGroup, carrier: KsKek, update: GroupUpdate): void {
  const sequence = carrier.sequence + 1;
  announce(turn, group, sequence, false, false, false);
  if (group.config.transport.kind === "multicast") sendToAll(turn, group, [{ kek: carrier, update }]);
  else startRound(turn, group, { kek: carrier, update }, sequence, [...group.members.values()], false);
  carrier.sequence = sequence;
}
