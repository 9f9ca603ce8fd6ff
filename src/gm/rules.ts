/**
 * The list that the data plane classifies by. In front stand the member's own key management traffic and its local deny
 * entries, then the group's policy in its order: a deny entry of the key server exempts traffic from the permits behind it.
 */
import { parseIpv4 } from "../base/ipv4.ts";
import type { Selector, TrafficRule } from "../esp/api.ts";
import type { GroupPolicy } from "../gikev2/policy.ts";
import { selectorKey } from "../gikev2/selectors.ts";
import { IpProtocol } from "../wire/ip.ts";
import type { GmGroup } from "./state.ts";

/** `policy`: of a registration or a rekey that has data SAs, the newest generation first. */
export function trafficRules(group: GmGroup, policy: GroupPolicy): TrafficRule[] {
  const rules = [...ownRules(group)];
  const seen = new Set<string>();
  let place = 0;
  for (const { selector: first, more = [] } of policy.dataSas) {
    const firstKey = selectorKey(first);
    const family = familyOf(group, firstKey);
    for (const selector of more.length === 0 ? [first] : [first, ...more]) {
      addBypass(rules, policy, place++);
      const key = selector === first ? firstKey : selectorKey(selector);
      // Older generations repeat the selectors of the newest.
      if (!seen.has(key)) rules.push({ action: "protect", selector, family });
      seen.add(key);
    }
  }
  addBypass(rules, policy, place);
  return rules;
}

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

function addBypass(rules: TrafficRule[], policy: GroupPolicy, place: number): void {
  for (const { before, selector } of policy.bypass) if (before === place) rules.push(bypass(selector));
}

function bypass(selector: Selector): TrafficRule {
  return { action: "bypass", selector, family: -1 };
}

/** The number of a family of data SAs, which the first selector of the SA names; one that was never seen gets the next one. */
export function familyOf(group: GmGroup, key: string): number {
  const known = group.families.get(key);
  if (known !== undefined) return known;
  const family = group.families.size;
  group.families.set(key, family);
  return family;
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
