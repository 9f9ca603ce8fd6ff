/**
 * A key server whose configuration changes while it works. Lifetimes, lists and transforms count from the next rekey on;
 * the TEKs in use live to their end. What members were told at registration, the way that rekeys take and the key that
 * signs them, stays as long as the group has keys.
 */
import { cancelTimer } from "../base/timers.ts";
import type { KsGroupConfig } from "./config.ts";
import type { KsGroup, KsState, KsTimer } from "./state.ts";
import { removeMember, timerKey } from "./state.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface KsChange {
  /** Local names. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Groups whose members will be told something else than now. */
  readonly changed: readonly string[];
}

/** Takes over the configuration that `next` was made from; undefined: the router serves no group any more. */
export function adoptConfig(state: KsState, next: KsState | undefined): KsChange {
  const change = { added: [] as string[], removed: [] as string[], changed: [] as string[] };
  for (const group of [...state.groups.values()]) {
    const other = next?.groups.get(group.id);
    if (other === undefined) {
      removeGroup(state, group);
      change.removed.push(group.config.name);
    } else if (policyText(other.config) !== policyText(group.config)) change.changed.push(other.config.name);
  }
  if (next === undefined) return change;
  (state as Writable<KsState>).config = next.config;
  (state.endpoint as Writable<KsState["endpoint"]>).config = next.endpoint.config;
  for (const [id, group] of next.groups) {
    const own = state.groups.get(id);
    if (own === undefined) {
      state.groups.set(id, group);
      change.added.push(group.config.name);
    } else Object.assign(own, { config: merged(own, group.config), tuning: group.tuning });
  }
  return change;
}

/** What a rekey would bring to members. */
function policyText({ dataSas, mode, kek, transport }: KsGroupConfig): string {
  const { suite, lifetimeSeconds } = kek;
  const entries = dataSas.map(({ lifetimeSeconds: _, ...sa }) => sa);
  return JSON.stringify([entries, mode, suite, lifetimeSeconds, transport]);
}

function merged({ kek, config }: KsGroup, next: KsGroupConfig): KsGroupConfig {
  if (kek === undefined) return next;
  const { signer } = config.kek;
  return { ...next, transport: config.transport, kek: { ...next.kek, ...(signer === undefined ? {} : { signer }) } };
}

const GROUP_TIMERS: readonly KsTimer[] = ["rekeyTek", "rekeyKek", "batch", "copy"];

function removeGroup(state: KsState, group: KsGroup): void {
  for (const timer of GROUP_TIMERS) cancelTimer(state.timers, timerKey(timer, group.id));
  for (const member of [...group.members.values()]) removeMember(state, group, member);
  state.groups.delete(group.id);
}
