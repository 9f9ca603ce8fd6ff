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
 * All of that concerns the protocols that the member has spoken in the group. Members of another one have a KEK that it never
 * held: they get the new TEKs under that, and stay.
 */
import { passOn } from "../gikev2/outcomes.ts";
import type { Deletion } from "../gikev2/policy.ts";
import { NO_KEYS, NO_POLICY } from "../gikev2/policy.ts";
import { close } from "../ikev2/endpoint.ts";
import { settle } from "./answers.ts";
import { ksEvent } from "./events.ts";
import { createKek, keysOf, policyOf, treeForNextKek } from "./keys.ts";
import { armKek, armTek, ensureKeys } from "./keyTimers.ts";
import { excludeLeaf } from "./keyTree.ts";
import { type GroupMessage, sealFor, sendToAll } from "./multicast.ts";
import { sendCopyTo } from "./push.ts";
import {
  announce,
  copyForRound,
  dropMember,
  excludeBranch,
  kekOfRekey,
  type OldTeks,
  renewTeks,
  spread,
  startAnew,
  type TekNews,
  updateOf,
} from "./rekey.ts";
import { startRound } from "./round.ts";
import type { KsBranch, KsGroup, KsMember, Turn } from "./state.ts";
import { branchOfMember, ikeOf, rekeyedMembersOf, rekeysInband } from "./state.ts";

/** `immediate`: the others give up the TEKs in use at once. `bar`: the member's address is refused from now on. */
export function evict(turn: Turn, group: KsGroup, member: KsMember, immediate: boolean, bar: boolean): void {
  const { address } = member.remote;
  const own = branchOfMember(group, member);
  if (bar) group.barred.add(address);
  const data = { group: group.config.name, protocol: own.kind, member: member.key, immediate, barred: bar };
  turn.out.push(ksEvent("ks.memberEvicted", data));
  const { leaves, others } = knownTo(group, member);
  const isInband = rekeysInband(group, own);
  if (isInband) sayFarewell(turn, group, own, member);
  else if (!others.includes(own)) letGo(turn, group, member);
  for (const branch of others) excludeBranch(turn, group, branch, immediate);
  goOn(turn, group, member, leaves, isInband ? own : undefined, immediate ? "delete" : "shorten", true);
}

/** A member has left by itself: where it holds keys of a tree it is put out of that, otherwise nothing happens. */
export function lockOut(turn: Turn, group: KsGroup, member: KsMember): void {
  const { leaves } = knownTo(group, member);
  if (leaves.size > 0) goOn(turn, group, member, leaves, undefined, "shorten", false);
}

type Leaves = ReadonlyMap<KsBranch, number>;

/** The branches whose KEK a member can know, whatever it speaks now: by their trees, and those that have none. */
function knownTo(group: KsGroup, { key }: KsMember): { readonly leaves: Leaves; readonly others: readonly KsBranch[] } {
  const leaves = new Map<KsBranch, number>();
  const others: KsBranch[] = [];
  for (const branch of group.branches) {
    const leaf = branch.holders.get(key);
    if (branch.kek === undefined || leaf === undefined || rekeysInband(group, branch)) continue;
    if (treeForNextKek(group, branch) === undefined) others.push(branch);
    else leaves.set(branch, leaf);
  }
  return { leaves, others };
}

function sayFarewell(turn: Turn, group: KsGroup, branch: KsBranch, member: KsMember): void {
  const evicted = copyForRound(member);
  dropMember(turn, group, member);
  settle(turn, group, member);
  const deletions: readonly Deletion[] = [{ kind: "allDataSas" }, { kind: "member" }];
  const kek = branch.kek!;
  const farewell = { kek, update: { policy: NO_POLICY, keys: NO_KEYS, deletions } };
  startRound(turn, group, branch, farewell, kek.sequence, [evicted], true);
}

function letGo(turn: Turn, group: KsGroup, member: KsMember): void {
  const { sa } = member;
  dropMember(turn, group, member);
  settle(turn, group, member);
  if (sa === undefined || turn.state.membersBySa.has(sa)) return;
  passOn(turn.out, close(ikeOf(turn.state), turn.tools, sa, turn.now));
}

/**
 * New keys for those who are left. `leaves`: what the member had. `inband`: the branch that gets its KEK in IKE SAs. A
 * branch that nobody is left in has a new KEK for those to come. `isTold`: the member is sent what leads in its branch.
 */
function goOn(
  turn: Turn,
  group: KsGroup,
  member: KsMember,
  leaves: Leaves,
  inband: KsBranch | undefined,
  old: OldTeks,
  isTold: boolean,
): void {
  const leads = new Map<KsBranch, GroupMessage>();
  for (const [branch, leaf] of leaves) {
    branch.holders.delete(member.key);
    const lead = leadWithout(turn, group, branch, leaf);
    if (lead !== undefined) leads.set(branch, lead);
  }
  const standing = group.branches.filter(({ kek }) => kek !== undefined);
  if (standing.length === 0) {
    startAnew(turn, group);
    return;
  }
  const newKek = inband && createKek(turn, group, inband);
  const news = renewTeks(turn, group, old);
  for (const [branch, lead] of leads) {
    sendBoth(turn, group, branch, lead, news, isTold && branch.kind === member.protocol ? member : undefined);
  }
  for (const branch of standing) {
    if (!leads.has(branch)) spread(turn, group, branch, branch === inband ? newKek : undefined, news, true);
  }
  armTek(turn, group);
  ensureKeys(turn, group);
}

/** The message that brings a new KEK to all but one leaf; undefined where that was the last one, and the KEK is gone. */
function leadWithout(turn: Turn, group: KsGroup, branch: KsBranch, leaf: number): GroupMessage | undefined {
  const carrier = branch.kek!;
  const hierarchy = excludeLeaf(branch.tree!, turn.tools, leaf);
  if (hierarchy === undefined) {
    branch.kek = undefined;
    branch.nextKekSpi = undefined;
    return undefined;
  }
  const newKek = createKek(turn, group, branch);
  const policy = policyOf(group, branch, newKek, [], turn.now);
  const update = {
    policy: { ...policy, kek: kekOfRekey(group, branch, policy.kek!) },
    keys: { ...keysOf(newKek, []), hierarchy },
    deletions: [],
  };
  announce(turn, group, branch, carrier.sequence + 1, false, true, false);
  branch.previousSa = carrier.sa;
  branch.kek = newKek;
  armKek(turn, group, branch);
  return { kek: carrier, update };
}

/**
 * New TEKs, and in front of them the KEK that they travel under. Both messages go out together, copy for copy: whoever meets
 * the second one first cannot open it, and takes it from the next copy.
 */
function sendBoth(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  lead: GroupMessage,
  news: TekNews,
  told: KsMember | undefined,
): void {
  const kek = branch.kek!;
  announce(turn, group, branch, kek.sequence + 1, true, false, true);
  const message = { kek, update: updateOf(turn, group, branch, undefined, news) };
  if (group.config.transport.kind === "multicast") sendToAll(turn, group, branch, [lead, message]);
  else pushBoth(turn, group, branch, lead, message, told);
  kek.sequence += 1;
}

/** `told`: the member that was put out; it finds nothing for itself in what leads. */
function pushBoth(
  turn: Turn,
  group: KsGroup,
  branch: KsBranch,
  lead: GroupMessage,
  message: GroupMessage,
  told: KsMember | undefined,
): void {
  const datagrams = sealFor(turn, group, branch, lead);
  if (told !== undefined) sendCopyTo(turn, told, datagrams);
  const leading = { spi: lead.kek.sa.spi, datagrams };
  startRound(turn, group, branch, message, 1, rekeyedMembersOf(group, branch), false, leading);
}
