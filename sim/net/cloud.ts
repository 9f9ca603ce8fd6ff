/**
 * The WAN cloud: a provider's network with sites around it. A packet that comes in over the access link of one site goes
 * to the site that announced the longest prefix of its destination, or, for a multicast destination, to every site that
 * has joined the group. Between each two sites lies a path with rules of its own (latency, jitter, loss ...).
 *
 * The cloud looks at the destination address and at nothing else. It hands on the octets that it got: like an MPLS
 * provider that does not propagate the TTL, it is no hop to the customer, so the TTL and the header checksum stay.
 * Sites join groups by the call of the device that stands there, not by IGMP on the access link. Link-local groups
 * (224.0.0.0/24) never leave their site.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import { type Ipv4, type Ipv4Prefix, isMulticastIpv4 } from "../../src/base/ipv4.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Streams } from "../core/streams.ts";
import type { LinkRule, LinkRuleKind, LossReason } from "./linkRule.ts";
import { admit, clearPathRule, createPath, type Path, setPathRule } from "./path.ts";
import { announcePrefix, createRouteTable, lookUp, type RouteTable, withdrawPrefix } from "./routeTable.ts";

/**
 * Why the cloud itself did not carry a packet.
 * - `notIpv4` no whole IPv4 header
 * - `noRoute` no site announced the destination
 * - `noReceiver` no other site has joined the group
 * - `sourceSite` the destination is at the site that it came from: it would only come back
 */
export type CloudDrop = "notIpv4" | "noRoute" | "noReceiver" | "sourceSite";

/** Rules that hold for the way from one site to another, instead of the default list. */
export interface BackbonePath {
  readonly from: string;
  readonly to: string;
  readonly rules: readonly LinkRule[];
}

/** Who receives a multicast group. */
export interface CloudGroup {
  /** Sites with at least one member, in the order of their numbers: that in which copies leave, whoever joined first. */
  readonly sites: number[];
  /** Members by site. */
  readonly members: Map<number, number>;
}

/** Plain data, changed in place by the functions of this file only. Sites are numbered in the order of `sites`. */
export interface Cloud {
  readonly name: string;
  readonly sites: readonly string[];
  readonly routes: RouteTable;
  readonly groups: Map<Ipv4, CloudGroup>;
  /** Rules of each way that has not been used yet and has none of its own. */
  defaults: readonly LinkRule[];
  /** Ways in use, by `from * sites + to`. */
  readonly paths: Map<number, Path>;
  readonly drops: Record<CloudDrop, number>;
}

/** One copy of a packet on its way to a site, or lost in the backbone before it. */
export type CloudCopy =
  | { readonly site: number; readonly deliverAt: Micros }
  | { readonly site: number; readonly lostAt: Micros; readonly reason: LossReason };

/** What the cloud does with one packet: `copies` in the order of site numbers, or the reason of a drop. */
export type Forwarding = { readonly copies: readonly CloudCopy[] } | { readonly drop: CloudDrop };

/** `backbone`: rules between any two sites; `pairs`: exceptions, each for one direction. */
export function createCloud(
  name: string,
  sites: readonly string[],
  backbone: readonly LinkRule[] = [],
  pairs: readonly BackbonePath[] = [],
): Cloud {
  assert(new Set(sites).size === sites.length, `${name} has two sites of one name`);
  const cloud: Cloud = {
    name,
    sites: [...sites],
    routes: createRouteTable(),
    groups: new Map(),
    defaults: backbone,
    paths: new Map(),
    drops: { notIpv4: 0, noRoute: 0, noReceiver: 0, sourceSite: 0 },
  };
  for (const { from, to, rules } of pairs) {
    const key = pathKey(cloud, siteNumber(cloud, from), siteNumber(cloud, to));
    assert(!cloud.paths.has(key), `${name} has two lists of rules from ${from} to ${to}`);
    cloud.paths.set(key, createPath(pathName(cloud, from, to), rules));
  }
  return cloud;
}

export function siteNumber(cloud: Cloud, site: string): number {
  const number = cloud.sites.indexOf(site);
  assert(number >= 0, `${cloud.name} has no site ${site}`);
  return number;
}

/** A site announces a prefix. Of several announcers of one prefix the site with the lowest number gets the packets. */
export function announce(cloud: Cloud, site: number, prefix: Ipv4Prefix): void {
  checkSite(cloud, site);
  announcePrefix(cloud.routes, prefix, site);
}

/** False where the site had not announced it. */
export function withdraw(cloud: Cloud, site: number, prefix: Ipv4Prefix): boolean {
  return withdrawPrefix(cloud.routes, prefix, site);
}

/** A member at a site joins a group; a site with several members stays in until the last has left. */
export function join(cloud: Cloud, site: number, group: Ipv4): void {
  checkSite(cloud, site);
  assert(isMulticastIpv4(group), "a group is an address of 224.0.0.0/4");
  const { sites, members } = cloud.groups.get(group) ?? addGroup(cloud, group);
  const count = members.get(site) ?? 0;
  members.set(site, count + 1);
  if (count === 0) sites.splice(lowerBound(sites, site), 0, site);
}

/** False where the site has no member in the group. */
export function leave(cloud: Cloud, site: number, group: Ipv4): boolean {
  const entry = cloud.groups.get(group);
  const count = entry?.members.get(site);
  if (entry === undefined || count === undefined) return false;
  if (count > 1) {
    entry.members.set(site, count - 1);
    return true;
  }
  entry.members.delete(site);
  entry.sites.splice(lowerBound(entry.sites, site), 1);
  if (entry.sites.length === 0) cloud.groups.delete(group);
  return true;
}

/**
 * A packet has come in from a site at `now`. Each copy enters the path from there to its site; at `deliverAt` it stands
 * at the cloud's end of that site's access link. `packet`: from the IP header on; the copies are the same octets.
 */
export function forward(cloud: Cloud, from: number, packet: Bytes, now: Micros, streams: Streams): Forwarding {
  if (packet.length < 20 || packet[0]! >>> 4 !== 4) return dropped(cloud, "notIpv4");
  const target = ((packet[16]! << 24) | (packet[17]! << 16) | (packet[18]! << 8) | packet[19]!) >>> 0;
  if (isMulticastIpv4(target)) return forwardGroup(cloud, from, target, packet.length, now, streams);
  const site = lookUp(cloud.routes, target);
  if (site === undefined) return dropped(cloud, "noRoute");
  if (site === from) return dropped(cloud, "sourceSite");
  return { copies: carry(cloud, from, site, packet.length, now, streams) };
}

/** Changes the way between two sites from now on; `undefined` stands for every site. */
export function setBackboneRule(cloud: Cloud, from: number | undefined, to: number | undefined, rule: LinkRule): void {
  forEachPath(cloud, from, to, (path) => setPathRule(path, rule));
  if (from === undefined && to === undefined) {
    cloud.defaults = [...cloud.defaults.filter(({ kind }) => kind !== rule.kind), rule];
  }
}

export function clearBackboneRule(
  cloud: Cloud,
  from: number | undefined,
  to: number | undefined,
  kind: LinkRuleKind,
): void {
  forEachPath(cloud, from, to, (path) => clearPathRule(path, kind));
  if (from === undefined && to === undefined) cloud.defaults = cloud.defaults.filter((rule) => rule.kind !== kind);
}

function forwardGroup(
  cloud: Cloud,
  from: number,
  group: Ipv4,
  octets: number,
  now: Micros,
  streams: Streams,
): Forwarding {
  const isLinkLocal = group >>> 8 === 0xe00000;
  const sites = isLinkLocal ? undefined : cloud.groups.get(group)?.sites;
  const copies: CloudCopy[] = [];
  for (const site of sites ?? []) {
    if (site !== from) copies.push(...carry(cloud, from, site, octets, now, streams));
  }
  return copies.length === 0 ? dropped(cloud, "noReceiver") : { copies };
}

function addGroup(cloud: Cloud, group: Ipv4): CloudGroup {
  const entry: CloudGroup = { sites: [], members: new Map() };
  cloud.groups.set(group, entry);
  return entry;
}

/** Index of the first number that is not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function carry(
  cloud: Cloud,
  from: number,
  to: number,
  octets: number,
  now: Micros,
  streams: Streams,
): readonly CloudCopy[] {
  const path = pathBetween(cloud, from, to);
  return admit(path, now, octets, streams).map((fate) => ({ site: to, ...fate }));
}

function dropped(cloud: Cloud, drop: CloudDrop): Forwarding {
  cloud.drops[drop]++;
  return { drop };
}

function pathBetween(cloud: Cloud, from: number, to: number): Path {
  const key = pathKey(cloud, from, to);
  const known = cloud.paths.get(key);
  if (known !== undefined) return known;
  const path = createPath(pathName(cloud, cloud.sites[from]!, cloud.sites[to]!), cloud.defaults);
  cloud.paths.set(key, path);
  return path;
}

function forEachPath(
  cloud: Cloud,
  from: number | undefined,
  to: number | undefined,
  change: (path: Path) => void,
): void {
  if (from !== undefined) checkSite(cloud, from);
  if (to !== undefined) checkSite(cloud, to);
  if (from === undefined && to === undefined) {
    for (const path of cloud.paths.values()) change(path);
    return;
  }
  const all = cloud.sites.map((_, site) => site);
  for (const source of from === undefined ? all : [from]) {
    for (const target of to === undefined ? all : [to]) {
      if (source !== target) change(pathBetween(cloud, source, target));
    }
  }
}

function pathKey(cloud: Cloud, from: number, to: number): number {
  checkSite(cloud, from);
  checkSite(cloud, to);
  return from * cloud.sites.length + to;
}

function pathName(cloud: Cloud, from: string, to: string): string {
  return `cloud/${cloud.name}/${from}/${to}`;
}

function checkSite(cloud: Cloud, site: number): void {
  assert(site >= 0 && site < cloud.sites.length, `${cloud.name} has no site ${site}`);
}
