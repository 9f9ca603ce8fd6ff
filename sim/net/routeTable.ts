/** Longest-prefix routing over IPv4: which of the announcers of a prefix gets a packet. */
import { type Ipv4, type Ipv4Prefix, maskOfLength, networkOf } from "../../src/base/ipv4.ts";

/** Plain data. `byLength[n]` holds the prefixes of n bits: network to announcers, lowest number first. */
export interface RouteTable {
  readonly byLength: readonly Map<Ipv4, number[]>[];
  /** Lengths in use, longest first. */
  lengths: readonly number[];
}

export function createRouteTable(): RouteTable {
  return { byLength: Array.from({ length: 33 }, () => new Map<Ipv4, number[]>()), lengths: [] };
}

/** Announces a prefix; host bits are cleared. The same one announced twice is one announcement. */
export function announcePrefix(table: RouteTable, prefix: Ipv4Prefix, announcer: number): void {
  const networks = table.byLength[prefix.length]!;
  const network = networkOf(prefix.network, maskOfLength(prefix.length));
  const announcers = networks.get(network) ?? [];
  if (!announcers.includes(announcer)) announcers.push(announcer);
  announcers.sort((a, b) => a - b);
  networks.set(network, announcers);
  table.lengths = usedLengths(table);
}

/** Withdraws an announcement; false where there was none. */
export function withdrawPrefix(table: RouteTable, prefix: Ipv4Prefix, announcer: number): boolean {
  const networks = table.byLength[prefix.length]!;
  const network = networkOf(prefix.network, maskOfLength(prefix.length));
  const announcers = networks.get(network);
  const at = announcers?.indexOf(announcer) ?? -1;
  if (announcers === undefined || at < 0) return false;
  announcers.splice(at, 1);
  if (announcers.length === 0) networks.delete(network);
  table.lengths = usedLengths(table);
  return true;
}

/** The announcer of the longest prefix that covers an address, of several the one with the lowest number. */
export function lookUp(table: RouteTable, address: Ipv4): number | undefined {
  for (const length of table.lengths) {
    const announcers = table.byLength[length]!.get(networkOf(address, maskOfLength(length)));
    if (announcers !== undefined) return announcers[0];
  }
  return undefined;
}

function usedLengths(table: RouteTable): readonly number[] {
  const lengths: number[] = [];
  for (let length = 32; length >= 0; length--) if (table.byLength[length]!.size > 0) lengths.push(length);
  return lengths;
}
