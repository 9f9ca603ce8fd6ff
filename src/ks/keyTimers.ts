/** When the keys of a group come to be, and when their renewal is due. */
import { wrapOctets } from "../gikev2/keyMaterial.ts";
import { createGeneration, createKek } from "./keys.ts";
import { createKeyTree } from "./keyTree.ts";
import { rekeyInstant } from "./schedule.ts";
import type { KsGroup, Turn } from "./state.ts";
import { dialectFor, startTimer } from "./state.ts";

/** Keys are made for the first member that registers, not by configuration. */
export function ensureKeys(turn: Turn, group: KsGroup): void {
  if (group.kek !== undefined) return;
  group.kek = createKek(turn, group);
  group.tree = usesTree(group) ? createKeyTree(wrapOctets(group.config.kek.suite)) : undefined;
  group.generations = [createGeneration(turn, group)];
  armTek(turn, group);
  armKek(turn, group);
}

function usesTree(group: KsGroup): boolean {
  const { tuning, config } = group;
  return tuning.keyTree === "lkh" && config.transport.kind === "multicast" && dialectFor(group).hasKeyHierarchy;
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

export function armKek(turn: Turn, group: KsGroup): void {
  startTimer(turn, "rekeyKek", group.id, kekRekeyAt(group));
}

export function kekRekeyAt(group: KsGroup): number {
  const { expiresAt, lifetimeSeconds } = group.kek!;
  return rekeyInstant("kek", expiresAt, lifetimeSeconds, unicastRetransmit(group));
}
