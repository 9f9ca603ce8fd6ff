/**
 * One member is put out and the others go on. What they get must be out of its reach (RFC 9838 section 3.2.1): a message
 * that takes a member out carries no TEKs, because it travels under the KEK that the member holds.
 *
 *     key tree      a new KEK by the tree under the old one, then new TEKs under the new KEK
 *     multicast     no way to leave one member out: all are put out, and come back without it
 *     unicast       the member is told in its IKE SA, the others get KEK and TEKs in theirs
 *     push          to one member each, but under the KEK that all hold: as with multicast
 */
import { passOn } from "../gikev2/outcomes.ts";
import type { Deletion } from "../gikev2/policy.ts";
import { NO_KEYS, NO_POLICY } from "../gikev2/policy.ts";
import { close } from "../ikev2/endpoint.ts";
import { settle } from "./answers.ts";
import { ksEvent } from "./events.ts";
import { createKek, keysOf, policyOf } from "./keys.ts";
import { armKek, armTek, ensureKeys } from "./keyTimers.ts";
import { excludeLeaf } from "./keyTree.ts";
import { sendToAll } from "./multicast.ts";
import type { OldTeks } from "./rekey.ts";
import { announce, copyForRound, dropMember, excludeAll, kekOfRekey, rekey, renewTeks } from "./rekey.ts";
import { startRound } from "./round.ts";
import type { KsGroup, KsMember, Turn } from "./state.ts";
import { rekeysInband } from "./state.ts";

/** `immediate`: the others give up the TEKs in use at once. `bar`: the member's address is refused from now on. */
export function evict(turn: Turn, group: KsGroup, member: KsMember, immediate: boolean, bar: boolean): void {
  const { address } = member.remote;
  if (bar) group.barred.add(address);
  turn.out.push(ksEvent("ks.memberEvicted", { group: group.config.name, member: member.key, immediate, barred: bar }));
  const old = immediate ? "delete" : "shorten";
  if (rekeysInband(group)) {
    evictInband(turn, group, member, old);
    return;
  }
  if (group.tree === undefined) {
    excludeAll(turn, group, immediate);
    return;
  }
  const { sa } = member;
  dropMember(turn, group, member);
  settle(turn, group, member);
  if (sa !== undefined && !turn.state.membersBySa.has(sa)) {
    passOn(turn.out, close(turn.state.endpoint, turn.tools, sa, turn.now));
  }
  lockOut(turn, group, member.leaf, old);
}

function evictInband(turn: Turn, group: KsGroup, member: KsMember, old: OldTeks): void {
  const evicted = copyForRound(member);
  dropMember(turn, group, member);
  settle(turn, group, member);
  const deletions: readonly Deletion[] = [{ kind: "allDataSas" }, { kind: "member" }];
  const farewell = { kek: group.kek!, update: { policy: NO_POLICY, keys: NO_KEYS, deletions } };
  startRound(turn, group, farewell, group.kek!.sequence, [evicted], true);
  rekey(turn, group, true, true, old);
}

/**
 * After a member of the tree is gone from the group. Both messages go out together, copy for copy: whoever meets the
 * second one first cannot open it, and takes it from the next copy.
 */
export function lockOut(turn: Turn, group: KsGroup, leaf: number, old: OldTeks): void {
  const carrier = group.kek!;
  const hierarchy = excludeLeaf(group.tree!, turn.tools, leaf);
  if (hierarchy === undefined) {
    startAnew(turn, group);
    return;
  }
  const newKek = createKek(turn, group);
  const policy = policyOf(group, newKek, [], turn.now);
  const update = {
    policy: { ...policy, kek: kekOfRekey(group, policy.kek!) },
    keys: { ...keysOf(newKek, []), hierarchy },
    deletions: [],
  };
  announce(turn, group, carrier.sequence + 1, false, true, false);
  announce(turn, group, 1, true, false, true);
  const teks = renewTeks(turn, group, undefined, old);
  group.kek = newKek;
  sendToAll(turn, group, [
    { kek: carrier, update },
    { kek: newKek, update: teks },
  ]);
  newKek.sequence = 1;
  armKek(turn, group);
  armTek(turn, group);
}

/** Nobody is left to be told. */
function startAnew(turn: Turn, group: KsGroup): void {
  group.kek = undefined;
  group.generations = [];
  group.nextTekSpis = [];
  group.nextKekSpi = undefined;
  ensureKeys(turn, group);
}
