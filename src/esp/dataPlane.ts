/**
 * The data plane of one router: the groups of its crypto map, their rules, their SAs and what has been counted. Roles
 * change it by orders (`apply`); `outbound.ts` and `inbound.ts` pass packets through it.
 *
 * Lists are asked in this order, the first match decides (getvpn: local denies, downloaded policy, fail-close):
 *
 *     own UDP 848, own IKE on 4500 -> clear | local rules | rules of each group, in the order of the map |
 *     fail-close rules, then drop | clear
 *
 * Fail-close rules count while any group of the map has no policy yet; the end of an SA does not bring them back.
 */
import type { Bytes } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Micros } from "../base/micros.ts";
import type { SaKeys } from "../crypto/prf.ts";
import type { Protection } from "../crypto/protector.ts";
import { encrSpec, integSpec } from "../crypto/suite.ts";
import { isMarked, isNatKeepalive, NAT_PORT } from "../wire/nonEsp.ts";
import type { DataPlaneOrder, DataSa, TrafficRule } from "./api.ts";
import { type CounterName, type Counters, DROP_COUNTERS, type DropReason, NO_COUNTS, newCounters } from "./counters.ts";
import type { IpHeader } from "./ipHeader.ts";
import { createReplayWindow, type ReplayWindow } from "./replayWindow.ts";
import { type Flow, firstMatch } from "./selector.ts";

export interface DataPlaneConfig {
  /** Groups of the crypto map, in the order of its entries. */
  readonly groups: readonly string[];
  /** Access list of the member itself, asked before what it downloads: `bypass` rules only. */
  readonly localRules: readonly TrafficRule[];
  /** Present: `fail-close` with `activate`. Its `bypass` rules pass in clear before registration, all else is dropped. */
  readonly failClose?: readonly TrafficRule[];
  /** Of the router: its own UDP 848 and IKE on 4500 are never protected and always accepted (`client bypass-policy`). */
  readonly ownAddresses: readonly number[];
  readonly bypassControl: boolean;
  /** DF of the outer header. IOS: copy. */
  readonly df: "copy" | "set" | "clear";
  /** Cut what is too large before it is sealed, so that the receiver need not put it together. IOS: yes. */
  readonly lookAhead: boolean;
  /**
   * Numbers in the anti-replay window of each SA, a multiple of 32; 0: none. One window serves all senders of a group,
   * which number their packets independently, so it makes sense with one sender only; SAs whose sequence numbers are
   * unspecified (RFC 9827) have none in any case.
   */
  readonly replayWindow: number;
}

export const DEFAULT_CONFIG: DataPlaneConfig = {
  groups: [],
  localRules: [],
  ownAddresses: [],
  bypassControl: true,
  df: "copy",
  lookAhead: true,
  replayWindow: 0,
};

export interface InstalledSa {
  readonly sa: DataSa;
  readonly protection: Protection;
  readonly keys: SaKeys;
  /** Number of the last packet sent; the first one is 1. */
  sequence: number;
  readonly window: ReplayWindow | undefined;
  counters: Counters;
}

export interface GroupPolicy {
  readonly name: string;
  /** Empty: no policy (not registered, or it was cleared). */
  rules: readonly TrafficRule[];
  /** SPI to send with, by family: families are numbered from 0. */
  readonly senders: (number | undefined)[];
  counters: Counters;
}

/** Plain data. */
export interface DataPlane {
  readonly config: DataPlaneConfig;
  readonly groups: Map<string, GroupPolicy>;
  /** By SPI: members of several groups get different SPIs for them. */
  readonly sas: Map<number, InstalledSa>;
  /** Of the whole data plane. */
  counters: Counters;
  /** Of the last outer header. */
  identification: number;
}

export function createDataPlane(config: Partial<DataPlaneConfig> = {}): DataPlane {
  const whole = { ...DEFAULT_CONFIG, ...config };
  const groups = new Map(whole.groups.map((name) => [name, newGroup(name)]));
  return { config: whole, groups, sas: new Map(), counters: NO_COUNTS, identification: 0 };
}

/**
 * Carries an order out. `join` and `leave` concern the interfaces and are the router's business: nothing happens here.
 * A suite that this program does not know is a failed assertion, as the role has agreed to it.
 */
export function apply(plane: DataPlane, order: DataPlaneOrder): void {
  switch (order.kind) {
    case "install":
      install(plane, order.sa);
      return;
    case "remove":
      remove(plane, order.group, order.spi);
      return;
    case "sendWith":
      groupOf(plane, order.group).senders[order.family] = order.spi;
      return;
    case "rules":
      groupOf(plane, order.group).rules = order.rules;
      return;
    case "join":
    case "leave":
      return;
  }
}

/** What the lists say about a packet. `unmatched`: no list knows it. */
export type Verdict =
  | { readonly verdict: "clear" }
  | { readonly verdict: "unmatched" }
  | { readonly verdict: "failClose" }
  | { readonly verdict: "protect"; readonly group: GroupPolicy; readonly family: number };

export function classify(plane: DataPlane, flow: Flow): Verdict {
  const { config } = plane;
  if (firstMatch(config.localRules, flow)?.action === "bypass") return { verdict: "clear" };
  for (const group of plane.groups.values()) {
    const rule = firstMatch(group.rules, flow);
    if (rule?.action === "bypass") return { verdict: "clear" };
    if (rule?.action === "protect") return { verdict: "protect", group, family: rule.family };
  }
  if (config.failClose === undefined || hasPolicy(plane)) return { verdict: "unmatched" };
  return { verdict: firstMatch(config.failClose, flow)?.action === "bypass" ? "clear" : "failClose" };
}

/** Whether every group of the map has brought its policy. */
export function hasPolicy(plane: DataPlane): boolean {
  for (const group of plane.groups.values()) if (group.rules.length === 0) return false;
  return plane.groups.size > 0;
}

/** SPIs that the groups send with. */
export function sendersOf(plane: DataPlane): number[] {
  return [...plane.groups.values()].flatMap(({ senders }) => senders.filter((spi) => spi !== undefined));
}

const UDP = 17;
const UDP_HEADER_OCTETS = 8;
export const GKM_PORT = 848;

/**
 * Registration and rekey traffic of this very router. `own`: is one of its addresses, or a group that it listens to. Behind
 * a NAT it shares UDP 4500 with ESP, and only what the marker says is IKE passes: whoever puts ESP into UDP is no better
 * off than with plain ESP.
 */
export function isOwnControl(plane: DataPlane, header: IpHeader, flow: Flow, packet: Bytes, own: number): boolean {
  if (!plane.config.bypassControl || flow.protocol !== UDP || !plane.config.ownAddresses.includes(own)) return false;
  if (usesPort(flow, GKM_PORT)) return true;
  if (!usesPort(flow, NAT_PORT)) return false;
  const payload = packet.subarray(header.headerOctets + UDP_HEADER_OCTETS);
  return isMarked(payload) || isNatKeepalive(payload);
}

function usesPort({ sourcePort, destinationPort }: Flow, port: number): boolean {
  return sourcePort === port || destinationPort === port;
}

/** True while the SA may be used. */
export function isAlive({ sa }: InstalledSa, now: Micros): boolean {
  return now < sa.expiresAt;
}

export interface Dropped {
  readonly kind: "dropped";
  readonly reason: DropReason;
  /** Group whose policy or SA decided, where there is one. */
  readonly group?: string;
  /** Entry of a crypto map with single peers. */
  readonly tunnel?: string;
  /** SPI of the packet or of the SA, where there is one. */
  readonly spi?: number;
  /** Addresses of the opened packet, with the reason `addressesChanged`. */
  readonly inner?: { readonly source: number; readonly destination: number };
}

/** Counts a drop and says so. */
export function drop(
  plane: DataPlane,
  direction: "send" | "recv",
  reason: DropReason,
  group?: GroupPolicy,
  installed?: InstalledSa,
  spi: number | undefined = installed?.sa.spi,
): Dropped {
  const errors: CounterName = direction === "send" ? "sendErrors" : "recvErrors";
  count([DROP_COUNTERS[reason], errors], plane, group, installed);
  return { kind: "dropped", reason, group: group?.name, spi };
}

export function count(names: readonly CounterName[], ...owners: readonly ({ counters: Counters } | undefined)[]): void {
  for (const owner of owners) {
    if (owner === undefined) continue;
    if (owner.counters === NO_COUNTS) owner.counters = newCounters();
    for (const name of names) owner.counters[name] += 1;
  }
}

function install(plane: DataPlane, sa: DataSa): void {
  const encr = encrSpec(sa.encr, sa.encrKeyBits);
  const integ = integSpec(sa.integ);
  assert(encr !== undefined, () => `SA with an unknown cipher: ${sa.encr}/${sa.encrKeyBits}`);
  assert(integ !== undefined || sa.integ === 0, () => `SA with an unknown integrity algorithm: ${sa.integ}`);
  groupOf(plane, sa.group);
  const size = plane.config.replayWindow;
  const known = plane.sas.get(sa.spi);
  // Registering again brings the same SA: a number or an IV that was used once must not come back with it.
  const isSame = known !== undefined && sameKey(known.sa, sa);
  plane.sas.set(sa.spi, {
    sa,
    protection: { encr, integ },
    keys: { encr: sa.encrKey.secret, integ: sa.integKey.secret },
    sequence: isSame ? known.sequence : 0,
    window: isSame ? known.window : sa.sequenceNumbers === 0 && size > 0 ? createReplayWindow(size) : undefined,
    counters: isSame ? known.counters : NO_COUNTS,
  });
}

function sameKey(a: DataSa, b: DataSa): boolean {
  const one = a.encrKey.secret;
  const other = b.encrKey.secret;
  return one.length === other.length && one.every((octet, i) => octet === other[i]);
}

function remove(plane: DataPlane, group: string, spi: number): void {
  if (plane.sas.get(spi)?.sa.group !== group) return;
  plane.sas.delete(spi);
  const { senders } = groupOf(plane, group);
  for (let family = 0; family < senders.length; family++) if (senders[family] === spi) senders[family] = undefined;
}

function groupOf(plane: DataPlane, name: string): GroupPolicy {
  const known = plane.groups.get(name);
  if (known !== undefined) return known;
  const group = newGroup(name);
  plane.groups.set(name, group);
  return group;
}

function newGroup(name: string): GroupPolicy {
  return { name, rules: [], senders: [], counters: NO_COUNTS };
}
