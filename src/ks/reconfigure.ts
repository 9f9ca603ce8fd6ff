/**
 * A key server whose configuration changes while it works. Lifetimes, lists and transforms count from the next rekey on;
 * the TEKs in use live to their end. What members were told at registration, the way that rekeys take and the key that
 * signs them, stays as long as the group has keys.
 */
import { cancelTimer } from "../base/timers.ts";
import type { KsGroupConfig } from "./config.ts";
import { hasKeys } from "./rekey.ts";
import type { KsBranch, KsGroup, KsState, KsTimer } from "./state.ts";
import { branchOf, membersOf, removeMember, timerKey } from "./state.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** `name`: local. `transport`: of rekeys, where it is another one from now on; a new group begins with multicast. */
export interface ChangedGroup {
  readonly name: string;
  readonly transport?: "unicast" | "multicast";
}

export interface KsChange {
  readonly added: readonly ChangedGroup[];
  /** Local names. */
  readonly removed: readonly string[];
  /** Groups whose members will be told something else than now. */
  readonly changed: readonly ChangedGroup[];
}

/** Takes over the configuration that `next` was made from; undefined: the router serves no group any more. */
export function adoptConfig(state: KsState, next: KsState | undefined): KsChange {
  const change = { added: [] as ChangedGroup[], removed: [] as string[], changed: [] as ChangedGroup[] };
  for (const group of [...state.groups.values()]) {
    const other = next?.groups.get(group.id);
    if (other === undefined) {
      removeGroup(state, group);
      change.removed.push(group.config.name);
    } else if (policyText(other.config) !== policyText(group.config)) {
      change.changed.push(transition(other.config, hasKeys(group) ? undefined : group.config.transport.kind));
    }
  }
  if (next === undefined) return change;
  (state as Writable<KsState>).config = next.config;
  adoptEndpoints(state, next);
  for (const [id, group] of next.groups) {
    const own = state.groups.get(id);
    if (own === undefined) {
      state.groups.set(id, group);
      change.added.push(transition(group.config, "multicast"));
    } else {
      Object.assign(own, { config: merged(own, group.config), tuning: group.tuning });
      adoptBranches(state, own, group);
    }
  }
  return change;
}

/** `before`: how rekeys went so far; undefined where they go on in that way. */
function transition({ name, transport }: KsGroupConfig, before: "unicast" | "multicast" | undefined): ChangedGroup {
  return before === undefined || before === transport.kind ? { name } : { name, transport: transport.kind };
}

/** SAs that stand go on where a protocol is served on; those of one that is not are gone without a word. */
function adoptEndpoints(state: KsState, next: KsState): void {
  const own = state as Writable<KsState>;
  if (own.endpoint === undefined || next.endpoint === undefined) own.endpoint = next.endpoint;
  else (own.endpoint as Writable<typeof own.endpoint>).config = next.endpoint.config;
  if (own.isakmp === undefined || next.isakmp === undefined) own.isakmp = next.isakmp;
  else {
    const { config } = next.isakmp;
    (own.isakmp.endpoint as Writable<typeof own.isakmp.endpoint>).config = config;
    own.isakmp = { ...own.isakmp, config };
  }
}

/**
 * `gdoi`, `gikev2` and their negations. A protocol that comes to a group with keys has a KEK when its first member
 * registers; members of one that goes are forgotten, and get no more rekeys.
 */
function adoptBranches(state: KsState, group: KsGroup, { branches }: KsGroup): void {
  for (const branch of [...group.branches]) {
    if (!branches.some(({ kind }) => kind === branch.kind)) removeBranch(state, group, branch);
  }
  const fresh = branches.filter(({ kind }) => branchOf(group, kind) === undefined);
  // The order of a new group: what is sent to both is sent in it.
  const all = [...group.branches, ...fresh].sort((a, b) => indexOf(branches, a) - indexOf(branches, b));
  group.branches.splice(0, group.branches.length, ...all);
}

function indexOf(branches: readonly KsBranch[], { kind }: KsBranch): number {
  return branches.findIndex((branch) => branch.kind === kind);
}

/** What a rekey would bring to members. */
function policyText({ dataSas, mode, kek, transport, gikev2, gdoi }: KsGroupConfig): string {
  const entries = dataSas.map(({ lifetimeSeconds: _, ...sa }) => sa);
  return JSON.stringify([entries, mode, gikev2?.kekSuite, gdoi?.kekSuite, kek.lifetimeSeconds, transport]);
}

function merged(group: KsGroup, next: KsGroupConfig): KsGroupConfig {
  const { config } = group;
  if (!hasKeys(group)) return next;
  const { signer } = config.kek;
  return { ...next, transport: config.transport, kek: { ...next.kek, ...(signer === undefined ? {} : { signer }) } };
}

const BRANCH_TIMERS: readonly KsTimer[] = ["rekeyKek", "batch", "copy"];

function removeGroup(state: KsState, group: KsGroup): void {
  cancelTimer(state.timers, timerKey("rekeyTek", group.id));
  for (const branch of [...group.branches]) removeBranch(state, group, branch);
  state.groups.delete(group.id);
}

function removeBranch(state: KsState, group: KsGroup, branch: KsBranch): void {
  for (const timer of BRANCH_TIMERS) cancelTimer(state.timers, timerKey(timer, branch.id));
  for (const member of membersOf(group, branch)) removeMember(state, group, member);
  group.branches.splice(group.branches.indexOf(branch), 1);
}
