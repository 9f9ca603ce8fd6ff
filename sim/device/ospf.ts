/**
 * OSPF as it stands when it has converged: no packets, no timers, all at time 0. Every interface that a `network`
 * statement or `ip ospf area` covers is advertised; routers on one point-to-point link are neighbours when both ends run
 * OSPF, neither is passive, and they share a subnet. The provider of a cloud takes part: what a site advertises by its
 * access link is known at every other site that runs OSPF there. Areas, redistribution and link failures are not
 * modelled; within a site, ways through the site are preferred to ways through the cloud.
 */
import { type Ipv4, lengthOfMask, sameNetwork } from "../../src/base/ipv4.ts";
import { matchAddress } from "../../src/ios/acl.ts";
import type { IosConfig, IosInterface } from "../../src/ios/model.ts";

export interface OspfPrefix {
  readonly network: Ipv4;
  readonly length: number;
  readonly metric: number;
}

/** Megabits per second of an interface type, where `bandwidth` says nothing. Longest key first. */
const BANDWIDTH_KBIT: readonly (readonly [type: string, kbit: number])[] = [
  ["TenGigabitEthernet", 10_000_000],
  ["GigabitEthernet", 1_000_000],
  ["FastEthernet", 100_000],
  ["Ethernet", 10_000],
  ["Serial", 1_544],
  ["Loopback", 8_000_000],
];
/** IOS: `auto-cost reference-bandwidth 100`. */
const REFERENCE_KBIT = 100_000;

export function ospfCost(iface: IosInterface): number {
  if (iface.ospfCost !== undefined) return iface.ospfCost;
  const kbit = iface.bandwidthKbit ?? BANDWIDTH_KBIT.find(([type]) => iface.name.startsWith(type))?.[1] ?? 100_000;
  return Math.max(1, Math.floor(REFERENCE_KBIT / kbit));
}

/** Whether an interface runs OSPF, and whether it makes neighbours. */
export function ospfMode(config: IosConfig, iface: IosInterface): "off" | "passive" | "active" {
  const { address } = iface;
  if (address === undefined || iface.shutdown) return "off";
  const number =
    iface.ospfArea?.process ??
    [...config.ospf.values()].find(({ networks }) => networks.some((network) => matchAddress(network, address.address)))
      ?.process;
  if (number === undefined) return "off";
  const process = config.ospf.get(number);
  const isException = process?.passiveExceptions.includes(iface.name) ?? false;
  const isPassive = process !== undefined && process.passiveDefault !== isException;
  return isPassive || isLoopback(iface.name) ? "passive" : "active";
}

export function isLoopback(name: string): boolean {
  return name.startsWith("Loopback");
}

/** What a router advertises by itself: loopbacks as host routes, as OSPF does. */
export function advertised(config: IosConfig): readonly (OspfPrefix & { readonly interface: string })[] {
  const prefixes: (OspfPrefix & { interface: string })[] = [];
  for (const iface of config.interfaces.values()) {
    if (ospfMode(config, iface) === "off") continue;
    for (const { address, mask } of [iface.address!, ...iface.secondaryAddresses]) {
      const length = isLoopback(iface.name) ? 32 : (lengthOfMask(mask) ?? 32);
      prefixes.push({ network: address, length, metric: ospfCost(iface), interface: iface.name });
    }
  }
  return prefixes;
}

/** Whether two interfaces on one link become neighbours. */
export function areNeighbours(
  a: { readonly config: IosConfig; readonly iface: IosInterface },
  b: { readonly config: IosConfig; readonly iface: IosInterface },
): boolean {
  if (ospfMode(a.config, a.iface) !== "active" || ospfMode(b.config, b.iface) !== "active") return false;
  return sameNetwork(a.iface.address!.address, b.iface.address!.address, a.iface.address!.mask);
}

/** A router of a site: its neighbours over links, with the cost of the way there and the port that it leaves by. */
export interface OspfNode {
  readonly neighbours: readonly { readonly node: number; readonly cost: number; readonly port: number }[];
}

export interface Reached {
  readonly node: number;
  readonly cost: number;
  /** Port of the start that the way leaves by; undefined for the start itself. */
  readonly port: number | undefined;
}

/** All nodes within reach, nearest first (Dijkstra); of equal ways the one that was found first. */
export function shortestPaths(nodes: ReadonlyMap<number, OspfNode>, start: number): readonly Reached[] {
  const done = new Map<number, Reached>();
  const open: Reached[] = [{ node: start, cost: 0, port: undefined }];
  while (open.length > 0) {
    let best = 0;
    for (let i = 1; i < open.length; i++) if (open[i]!.cost < open[best]!.cost) best = i;
    const [here] = open.splice(best, 1);
    if (done.has(here!.node)) continue;
    done.set(here!.node, here!);
    for (const { node, cost, port } of nodes.get(here!.node)?.neighbours ?? []) {
      if (!done.has(node)) open.push({ node, cost: here!.cost + cost, port: here!.port ?? port });
    }
  }
  return [...done.values()];
}
