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
  const { config } = group;
  const rules: TrafficRule[] = [];
  if (config.bypassControl) rules.push(...controlTraffic(config.local.address, config.local.port).map(bypass));
  rules.push(...config.localBypass.map(bypass));
  const seen = new Set<string>();
  let place = 0;
  for (const { selector: first, more = [] } of policy.dataSas) {
    const family = familyOf(group, selectorKey(first));
    for (const selector of [first, ...more]) {
      rules.push(...bypassAt(policy, place++));
      const key = selectorKey(selector);
      // Older generations repeat the selectors of the newest.
      if (!seen.has(key)) rules.push({ action: "protect", selector, family });
      seen.add(key);
    }
  }
  rules.push(...bypassAt(policy, place));
  return rules;
}

function bypassAt(policy: GroupPolicy, place: number): TrafficRule[] {
  return policy.bypass.filter(({ before }) => before === place).map(({ selector }) => bypass(selector));
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
