/** When the keys of a group come to be, and when their renewal is due. */
import { createGeneration, createKek, treeKeyOctets } from "./keys.ts";
import { createKeyTree } from "./keyTree.ts";
import { rekeyInstant } from "./schedule.ts";
import type { KsBranch, KsGroup, Turn } from "./state.ts";
import { startTimer } from "./state.ts";

/** Keys are made for the first member that registers, not by configuration. */
export function ensureKeys(turn: Turn, group: KsGroup): void {
  const bare = group.branches.filter(({ kek }) => kek === undefined);
  if (bare.length === 0) return;
  for (const branch of bare) startBranch(turn, group, branch);
  if (group.generations.length === 0) {
    group.generations = [createGeneration(turn, group)];
    armTek(turn, group);
  }
  for (const branch of bare) armKek(turn, group, branch);
}

function startBranch(turn: Turn, group: KsGroup, branch: KsBranch): void {
  const keyOctets = treeKeyOctets(group, branch);
  branch.tree = keyOctets === undefined ? undefined : createKeyTree(keyOctets);
  branch.holders.clear();
  branch.kek = createKek(turn, group, branch);
}

/** Retransmission widens the margins of unicast groups only. */
export function unicastRetransmit({ config }: KsGroup) {
  return config.transport.kind === "unicast" ? config.retransmit : undefined;
}

/** The TEK of the newest generation that is due first takes all others of the group along. */
export function armTek(turn: Turn, group: KsGroup): void {
  const retransmit = unicastRetransmit(group);
  const instants = group.generations[0]!.teks.map((tek) =>
    rekeyInstant("tek", tek.expiresAt, tek.lifetimeSeconds, retransmit),
  );
  startTimer(turn, "rekeyTek", group.id, Math.min(...instants));
}

export function armKek(turn: Turn, group: KsGroup, branch: KsBranch): void {
  startTimer(turn, "rekeyKek", branch.id, kekRekeyAt(group, branch));
}

export function kekRekeyAt(group: KsGroup, { kek }: KsBranch): number {
  const { expiresAt, lifetimeSeconds } = kek!;
  return rekeyInstant("kek", expiresAt, lifetimeSeconds, unicastRetransmit(group));
}
