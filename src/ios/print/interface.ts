/** Interfaces, crypto maps, routing and access lists as the running configuration prints them. */
import { formatIpv4, type Ipv4 } from "../../base/ipv4.ts";
import { formatAccessList } from "../acl.ts";
import { DEFAULTS } from "../defaults.ts";
import type { AccessList, CryptoMap, IosInterface, OspfProcess, StaticRoute, TunnelMapEntry } from "../model.ts";
import { block, optional, pair, unless, when } from "./writer.ts";

export function printInterface(one: IosInterface): string[] {
  const { address, ospfArea } = one;
  return block(`interface ${one.name}`, [
    ...optional(one.description, (value) => `description ${value}`),
    ...unless<number>(DEFAULTS.interface.mtu, one.mtu, (value) => `mtu ${value}`),
    ...optional(one.bandwidthKbit, (value) => `bandwidth ${value}`),
    ...one.secondaryAddresses.map((second) => `ip address ${pair(second.address, second.mask)} secondary`),
    ...(one.dhcp ? ["ip address dhcp"] : []),
    ...(address === undefined
      ? when(!one.dhcp, "no ip address")
      : [`ip address ${pair(address.address, address.mask)}`]),
    ...optional(one.nat, (side) => `ip nat ${side}`),
    ...optional(one.ipMtu, (value) => `ip mtu ${value}`),
    ...optional(ospfArea, ({ process, area }) => `ip ospf ${process} area ${area}`),
    ...optional(one.ospfCost, (value) => `ip ospf cost ${value}`),
    ...when(one.shutdown, "shutdown"),
    ...optional(one.cryptoMap, ({ name }) => `crypto map ${name}`),
  ]);
}

/** Entries of all kinds in the order of their numbers; of those that are not modelled only the heading. */
export function printCryptoMap(map: CryptoMap): string[] {
  const start = `crypto map ${map.family === "ipv6" ? "ipv6 " : ""}${map.name}`;
  const keyword = [...map.entries.values()][0]?.keyword ?? "gkm";
  const numbers = [...map.entries.keys(), ...map.tunnels.keys(), ...map.otherEntries.keys()].sort((a, b) => a - b);
  const { failClose, localAddress, isakmpProfile } = map;
  return [
    ...optional(localAddress, ({ name }) => `${start} local-address ${name}`),
    ...optional(isakmpProfile, ({ name }) => `${start} isakmp-profile ${name}`),
    ...(failClose === undefined
      ? []
      : block(`${start} ${keyword} fail-close`, [
          ...optional(failClose.acl, ({ name }) => `match address ${name}`),
          ...when(failClose.activated, "activate"),
        ])),
    ...numbers.flatMap((number) => {
      const entry = map.entries.get(number);
      const tunnel = map.tunnels.get(number);
      if (tunnel !== undefined) return block(`${start} ${number} ipsec-isakmp`, printTunnel(tunnel));
      if (entry === undefined) return [`${start} ${number} ipsec-manual`];
      return block(`${start} ${number} ${entry.keyword}`, [
        ...optional(entry.group, ({ name }) => `set group ${name}`),
        ...optional(entry.isakmpProfile, ({ name }) => `set isakmp-profile ${name}`),
        ...optional(entry.acl, ({ name }) => `match address ${name}`),
      ]);
    }),
  ];
}

function printTunnel({ peer, transformSets, lifetimeSeconds, pfsGroup, ikev2Profile, acl }: TunnelMapEntry): string[] {
  return [
    ...optional(peer, ({ value }) => `set peer ${formatIpv4(value)}`),
    ...unless<number>(
      DEFAULTS.ipsecProfile.lifetimeSeconds,
      lifetimeSeconds,
      (value) => `set security-association lifetime seconds ${value}`,
    ),
    ...when(transformSets.length > 0, `set transform-set ${transformSets.map(({ name }) => name).join(" ")}`),
    ...optional(pfsGroup, (group) => `set pfs group${group}`),
    ...optional(ikev2Profile, ({ name }) => `set ikev2-profile ${name}`),
    ...optional(acl, ({ name }) => `match address ${name}`),
  ];
}

export function printOspf(ospf: OspfProcess): string[] {
  const exception = ospf.passiveDefault ? "no passive-interface" : "passive-interface";
  return block(`router ospf ${ospf.process}`, [
    ...optional(ospf.routerId, (value) => `router-id ${formatIpv4(value)}`),
    ...when(ospf.passiveDefault, "passive-interface default"),
    ...ospf.passiveExceptions.map((name) => `${exception} ${name}`),
    ...ospf.networks.map(({ address, wildcard, area }) => `network ${pair(address, wildcard)} area ${area}`),
  ]);
}

export function printRoute({ network, mask, nextHop, interface: name, distance }: StaticRoute): string {
  const hop = (address: Ipv4 | undefined) => (address === undefined ? "" : ` ${formatIpv4(address)}`);
  const end = distance === DEFAULTS.route.distance ? "" : ` ${distance}`;
  return `ip route ${pair(network, mask)}${name === undefined ? "" : ` ${name}`}${hop(nextHop)}${end}`;
}

const STEP = 10;

/** Numbers appear where they are not those that the box would give by itself. */
export function printAccessList(list: AccessList): string[] {
  const [heading, ...lines] = formatAccessList(list);
  const isRemark = (line: string) => line.startsWith(" remark ");
  let last: number | undefined;
  let at = 0;
  const numbered = lines.map((line) => {
    if (isRemark(line)) return line;
    const { sequence } = list.entries[at++]!;
    const given = last === undefined ? STEP : (Math.floor(last / STEP) + 1) * STEP;
    last = sequence;
    return sequence === given ? line : ` ${sequence}${line}`;
  });
  return [heading!, ...numbered];
}
