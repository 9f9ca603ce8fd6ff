/** Address translation as the running configuration prints it. */
import { formatIpv4 } from "../../base/ipv4.ts";
import { DEFAULTS } from "../defaults.ts";
import type { NatConfig, NatPool, NatSource, NatStatic } from "../model.ts";
import { pair, unless } from "./writer.ts";

export function printNat(nat: NatConfig): string[] {
  const timeout = (word: string, key: keyof typeof DEFAULTS.nat) =>
    unless<number>(DEFAULTS.nat[key], nat[key], (seconds) => `ip nat translation ${word} ${seconds}`);
  return [
    ...timeout("timeout", "timeoutSeconds"),
    ...timeout("tcp-timeout", "tcpSeconds"),
    ...timeout("udp-timeout", "udpSeconds"),
    ...timeout("icmp-timeout", "icmpSeconds"),
    ...[...nat.pools.values()].map(printPool),
    ...nat.sources.map(printSource),
    ...nat.statics.map(printStatic),
  ];
}

function printPool({ name, first, last, mask }: NatPool): string {
  return `ip nat pool ${name} ${pair(first, last)} netmask ${formatIpv4(mask)}`;
}

function printSource({ acl, pool, interface: port, overload }: NatSource): string {
  const target = port === undefined ? `pool ${pool!.name}` : `interface ${port.name}`;
  return `ip nat inside source list ${acl.name} ${target}${overload ? " overload" : ""}`;
}

function printStatic({ local, global, ports }: NatStatic): string {
  const start = "ip nat inside source static";
  if (ports === undefined) return `${start} ${pair(local, global)}`;
  return `${start} ${ports.protocol} ${formatIpv4(local)} ${ports.local} ${formatIpv4(global)} ${ports.global}`;
}
