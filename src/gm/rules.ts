/**
 * The list that the data plane classifies by. In front stand the member's own key management traffic and its local deny
 * entries, then the group's policy in its order: a deny entry of the key server exempts traffic from the permits behind it.
 */
import { parseIpv4 } from "../base/ipv4.ts";
import type { Selector, TrafficRule } from "../esp/api.ts";
import { sameSelector } from "../esp/selector.ts";
import type { GroupPolicy } from "../gikev2/policy.ts";
import { IpProtocol } from "../wire/ip.ts";
import type { GmGroup } from "./state.ts";

/**
 * The rules that `policy` asks for: of a registration, or of a rekey that has data SAs, the newest generation first.
 * `standing`: the rules so far; the same list is returned where they say it all already, as in most rekeys.
 */
export function trafficRules(
  group: GmGroup,
  policy: GroupPolicy,
  standing: readonly TrafficRule[],
): readonly TrafficRule[] {
  const draft: Draft = { standing, size: 0, changed: undefined };
  for (const rule of ownRules(group)) {
    if (!keeps(draft, rule.action, rule.selector, rule.family)) add(draft, rule);
  }
  let place = 0;
  let hint = 0;
  for (const { selector, more = NO_MORE } of policy.dataSas) {
    const family = familyOf(group, selector, hint);
    hint = family + 1;
    for (let i = -1; i < more.length; i++) {
      putBypass(draft, policy, place++);
      putProtect(draft, i < 0 ? selector : more[i]!, family);
    }
  }
  putBypass(draft, policy, place);
  return finished(draft);
}

const NO_FAMILY = -1;
const NO_MORE: readonly Selector[] = [];

/** Rules in front by what was configured: they are the same at each rekey. */
const rulesInFront = new WeakMap<GmGroup["config"], readonly TrafficRule[]>();

function ownRules({ config }: GmGroup): readonly TrafficRule[] {
  let rules = rulesInFront.get(config);
  if (rules === undefined) {
    const control = config.bypassControl ? controlTraffic(config.local.address, config.local.port) : [];
    rules = [...control, ...config.localBypass].map(bypass);
    rulesInFront.set(config, rules);
  }
  return rules;
}

/**
 * The number of a family of data SAs, which the first selector of the SA names; one that was never seen gets the next
 * one. `hint`: where it is looked for first.
 */
export function familyOf({ families }: GmGroup, selector: Selector, hint: number): number {
  const likely = families[hint];
  if (likely !== undefined && sameSelector(likely, selector)) return hint;
  const known = families.findIndex((one) => sameSelector(one, selector));
  return known >= 0 ? known : families.push(selector) - 1;
}

// --------------------------------------------------------------------------------------- a list that mostly stays as it is

/** The first `size` rules of `standing`, until one is to be another; from then on a list of its own. */
interface Draft {
  readonly standing: readonly TrafficRule[];
  size: number;
  changed: TrafficRule[] | undefined;
}

/** Whether the next rule is in its place already. */
function keeps(draft: Draft, action: TrafficRule["action"], selector: Selector, family: number): boolean {
  const rule = draft.changed === undefined ? draft.standing[draft.size] : undefined;
  if (rule === undefined || rule.action !== action || rule.family !== family) return false;
  if (!sameSelector(rule.selector, selector)) return false;
  draft.size++;
  return true;
}

function add(draft: Draft, rule: TrafficRule): void {
  draft.changed ??= draft.standing.slice(0, draft.size);
  draft.changed.push(rule);
}

/** Older generations repeat the selectors of the newest: they are in the list, which has each of them but once. */
function putProtect(draft: Draft, selector: Selector, family: number): void {
  if (keeps(draft, "protect", selector, family) || isProtected(draft, selector)) return;
  add(draft, { action: "protect", selector, family });
}

function isProtected({ standing, size, changed }: Draft, selector: Selector): boolean {
  const rules = changed ?? standing;
  const count = changed === undefined ? size : changed.length;
  for (let i = 0; i < count; i++) {
    const rule = rules[i]!;
    if (rule.action === "protect" && sameSelector(rule.selector, selector)) return true;
  }
  return false;
}

function putBypass(draft: Draft, policy: GroupPolicy, place: number): void {
  for (const { before, selector } of policy.bypass) {
    if (before === place && !keeps(draft, "bypass", selector, NO_FAMILY)) add(draft, bypass(selector));
  }
}

function bypass(selector: Selector): TrafficRule {
  return { action: "bypass", selector, family: NO_FAMILY };
}

function finished({ standing, size, changed }: Draft): readonly TrafficRule[] {
  return changed ?? (size === standing.length ? standing : standing.slice(0, size));
}

const ANY_PORT = [0, 65535] as const;

/** Datagrams between the port that the member registers from and anybody's port of the same number, both ways. */
function controlTraffic(address: string, port: number): Selector[] {
  const own = parseIpv4(address);
  if (own === undefined) return [];
  const from: Selector = {
    sourceFirst: own,
    sourceLast: own,
    destinationFirst: 0,
    destinationLast: 0xffffffff,
    protocol: IpProtocol.UDP,
    sourcePortFirst: port,
    sourcePortLast: port,
    destinationPortFirst: ANY_PORT[0],
    destinationPortLast: ANY_PORT[1],
  };
  const to: Selector = {
    protocol: IpProtocol.UDP,
    sourceFirst: 0,
    sourceLast: 0xffffffff,
    destinationFirst: own,
    destinationLast: own,
    sourcePortFirst: ANY_PORT[0],
    sourcePortLast: ANY_PORT[1],
    destinationPortFirst: port,
    destinationPortLast: port,
  };
  return [from, to];
}
