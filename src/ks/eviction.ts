/**
 * One member is put out and the others go on. What they get must be out of its reach (RFC 9838 section 3.2.1): a message
 * that takes a member out carries no TEKs, because it travels under the KEK that the member holds.
 *
 *     key tree      a new KEK by the tree under the old one, with new TEKs under the new KEK behind it: to all at once, or
 *                   both to each of the others
 *     multicast     no way to leave one member out: all are put out, and come back without it
 *     unicast       the member is told in its IKE SA, the others get KEK and TEKs in theirs; there is no tree
 *     push          to one member each, but under the KEK that all hold: as with multicast
 *
 * All of that concerns the protocol of the member. Members of another one have a KEK that it never held: they get the new
 * TEKs under that, and stay.
 */
import { passOn } from "../gikev2/outcomes.ts";
import type { Deletion } from "../gikev2/policy.ts";
import { NO_KEYS, NO_POLICY } from "../gikev2/policy.ts";
import { close } from "../ikev2/endpoint.ts";
import { settle } from "./answers.ts";
import { ksEvent } from "./events.ts";
import { createKek, keysOf, policyOf } from "./keys.ts";
import { armKek, armTek, ensureKeys, treeForNextKek } from "./keyTimers.ts";
import { excludeLeaf } from "./keyTree.ts";
import { type GroupMessage, sealFor, sendToAll } from "./multicast.ts";
import type { OldTeks } from "./rekey.ts";
import {
  announce,
  copyForRound,
  dropMember,
  excludeBranch,
  kekOfRekey,
  rekey,
  renewTeks,
  spread,
  startAnew,
  updateOf,
} from "./rekey.ts";
import { startRound } from "./round.ts";
import type { KsBranch, KsGroup, KsMember, Turn } from "./state.ts";
import { branchOfMember, ikeOf, membersOf, rekeysInband } from "./state.ts";

/** `immediate`: the others give up the TEKs in use at once. `bar`: the member's address is refused from now on. */
export function evict(turn: Turn, group: KsGroup, member: KsMember, immediate: boolean, bar: boolean): void {
  const { address } = member.remote;
  const branch = branchOfMember(group, member);
  if (bar) group.barred.add(address);
  const data = { group: group.config.name, protocol: branch.kind, member: member.key, immediate, barred: bar };
  turn.out.push(ksEvent("ks.memberEvicted", data));
  const old = immediate ? "delete" : "shorten";
  if (rekeysInband(group, branch)) {
    evictInband(turn, group, branch, member, old);
    return;
  }
  if (treeForNextKek(group, branch) === undefined) {
    excludeBranch(turn, group, branch, immediate);
    goOnWithout(turn, group, branch, old);
    return;
  }
  const { sa } = member;
  dropMember(turn, group, member);
  settle(turn, group, member);
  if (sa !== undefined && !turn.state.membersBySa.has(sa)) {
    passOn(turn.out, close(ikeOf(turn.state), turn.tools, sa, turn.now));
  }
  lockOut(turn, group, branch, member, old, true);
}

function evictInband(turn: Turn, group: KsGroup, branch: KsBranch, member: KsMember, old: OldTeks): void {
  const evicted = copyForRound(member);
  dropMember(turn, group, member);
  settle(turn, group, member);
  const deletions: readonly Deletion[] = [{ kind: "allDataSas" }, { kind: "member" }];
  const kek = branch.kek!;
  const farewell = { kek, update: { policy: NO_POLICY, keys: NO_KEYS, deletions } };
  startRound(turn, group, branch, farewell, kek.sequence, [evicted], true);
  rekey(turn, group, true, (one) => one === branch, old);
}

/** The branch has no members left who could be told: it has a new KEK for those to come, other branches new TEKs. */
function goOnWithout(turn: Turn, group: KsGroup, branch: KsBranch, old: OldTeks): void {
  if (group.branches.length === 1) {
    startAnew(turn, group);
    return;
  }
  branch.kek = undefined;
  branch.nextKekSpi = undefined;
  rekey(turn, group, true, () => false, old);
  ensureKeys(turn, group);
}

/**
 * After a member of the tree is gone from the group; nothing happens where there is none. Both messages go out together,
 * copy for copy: whoever meets the second one first cannot open it, and takes it from the next copy. `isTold`: the member
 * is sent the first one too, in which it finds nothing for itself.
 */
export function lockOut(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  member: KsMember,
  old: OldTeks,
  isTold: boolean,
): void {
  branch.tree = treeForNextKek(group, branch);
  if (branch.tree === undefined) return;
  const carrier = branch.kek!;
  const hierarchy = excludeLeaf(branch.tree, turn.tools, member.leaf);
  if (hierarchy === undefined) {
    goOnWithout(turn, group, branch, old);
    return;
  }
  const newKek = createKek(turn, group, branch);
  const policy = policyOf(group, branch, newKek, [], turn.now);
  const update = {
    policy: { ...policy, kek: kekOfRekey(group, branch, policy.kek!) },
    keys: { ...keysOf(newKek, []), hierarchy },
    deletions: [],
  };
  announce(turn, group, branch, carrier.sequence + 1, false, true, false);
  announce(turn, group, branch, 1, true, false, true);
  const news = renewTeks(turn, group, old);
  const teks = updateOf(turn, group, branch, undefined, news);
  branch.previousSa = carrier.sa;
  branch.kek = newKek;
  const lead = { kek: carrier, update };
  const message = { kek: newKek, update: teks };
  if (group.config.transport.kind === "multicast") sendToAll(turn, group, branch, [lead, message]);
  else pushBoth(turn, group, branch, lead, message, isTold ? member : undefined);
  newKek.sequence = 1;
  for (const other of group.branches) if (other !== branch) spread(turn, group, other, undefined, news, true);
  armKek(turn, group, branch);
  armTek(turn, group);
}

function pushBoth(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  lead: GroupMessage,
  message: GroupMessage,
  told: KsMember | undefined,
): void {
  const datagrams = sealFor(turn, group, branch, lead);
  if (told !== undefined) {
    const { local } = turn.state.config;
    for (const octets of datagrams) turn.out.push({ kind: "send", local, remote: told.remote, octets });
  }
  const leading = { spi: lead.kek.sa.spi, datagrams };
  startRound(turn, group, branch, message, 1, membersOf(group, branch), false, leading);
}
