/**
 * Faults as plain data: what goes wrong, where. When is said by the timeline that holds them. `applyFault` of the network
 * carries them out; this file decides which datagrams a tampering concerns and what becomes of their octets.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { concat } from "../../src/base/bytes.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Direction } from "../net/link.ts";
import type { LinkRule, LinkRuleKind } from "../net/linkRule.ts";

/** Links are those of the specification and the access links of clouds, which bear the names of their sites. */
export type Fault =
  /** Both ends see their line protocol go down, or up again. */
  | { readonly kind: "linkDown" | "linkUp"; readonly link: string }
  /** Loss, latency, rate or whatever else: the rule is set from now on, or taken away. */
  | { readonly kind: "setRule"; readonly link: string; readonly direction: Direction | "both"; readonly rule: LinkRule }
  | {
      readonly kind: "clearRule";
      readonly link: string;
      readonly direction: Direction | "both";
      readonly rule: LinkRuleKind;
    }
  /** Nothing that `from` sends over the link arrives; what it receives does. Absent: neither way. */
  | { readonly kind: "partition" | "heal"; readonly link: string; readonly from?: string }
  /** Between sites of a cloud; absent: every site. */
  | {
      readonly kind: "setBackboneRule";
      readonly cloud: string;
      readonly from?: string;
      readonly to?: string;
      readonly rule: LinkRule;
    }
  | {
      readonly kind: "clearBackboneRule";
      readonly cloud: string;
      readonly from?: string;
      readonly to?: string;
      readonly rule: LinkRuleKind;
    }
  /** The device forgets everything but its configuration and is back after `downtime`. */
  | { readonly kind: "reload"; readonly device: string; readonly downtime: Micros }
  | { readonly kind: "powerOff" | "powerOn"; readonly device: string }
  | Tampering;

/** Changes packets that match on their way into a link: the `nth` from now on (from 1) and the `count - 1` after it. */
export interface Tampering {
  readonly kind: "tamper";
  /** Any link when absent. */
  readonly link?: string;
  readonly match: PacketMatch;
  readonly nth: number;
  /** Default 1. */
  readonly count?: number;
  readonly change: PacketChange;
}

/** All that is given must hold. */
export interface PacketMatch {
  /** Name of the device that puts the packet on the link. */
  readonly from?: string;
  readonly protocol?: number;
  /** Unsigned 32-bit numbers. */
  readonly source?: number;
  readonly destination?: number;
  /** Of UDP, either of the two. */
  readonly port?: number;
  /** IKE exchange type, for UDP 500 and 848. */
  readonly exchange?: number;
}

export type PacketChange =
  /** Bit 0 is the most significant of the first octet behind the IP header; the IP header stays as it is. */
  | { readonly kind: "flip"; readonly bit: number }
  /** So many octets of the IP payload stay; total length and header checksum fit again. */
  | { readonly kind: "truncate"; readonly octets: number }
  | { readonly kind: "duplicate" }
  | { readonly kind: "drop" };

/** A tampering that waits or is at work. Plain data. */
export interface Tamperer {
  readonly fault: Tampering;
  seen: number;
}

/**
 * The copies that enter the link instead of `packet`: the packet itself where no tampering concerns it. The first
 * tampering that does has its way; all of them count what they match.
 */
export function tamper(tamperers: readonly Tamperer[], link: string, from: string, packet: Bytes): readonly Bytes[] {
  let chosen: Tampering | undefined;
  for (const tamperer of tamperers) {
    const { fault } = tamperer;
    if (fault.link !== undefined && fault.link !== link) continue;
    if (!matches(fault.match, from, packet)) continue;
    tamperer.seen += 1;
    const isDue = tamperer.seen >= fault.nth && tamperer.seen < fault.nth + (fault.count ?? 1);
    if (isDue && chosen === undefined) chosen = fault;
  }
  return chosen === undefined ? [packet] : change(packet, chosen.change);
}

/** True once the last packet that it waited for is through. */
export function isSpent({ fault, seen }: Tamperer): boolean {
  return seen >= fault.nth + (fault.count ?? 1) - 1;
}

const UDP = 17;

function matches(match: PacketMatch, from: string, packet: Bytes): boolean {
  if (packet.length < 20 || packet[0]! >>> 4 !== 4) return false;
  if (match.from !== undefined && match.from !== from) return false;
  const protocol = packet[9]!;
  if (match.protocol !== undefined && match.protocol !== protocol) return false;
  if (match.source !== undefined && match.source !== word(packet, 12)) return false;
  if (match.destination !== undefined && match.destination !== word(packet, 16)) return false;
  if (match.port === undefined && match.exchange === undefined) return true;
  const at = headerLength(packet);
  if (protocol !== UDP || packet.length < at + 8) return false;
  const ports = [half(packet, at), half(packet, at + 2)];
  if (match.port !== undefined && !ports.includes(match.port)) return false;
  if (match.exchange === undefined) return true;
  return packet.length >= at + 8 + 28 && packet[at + 8 + 18] === match.exchange;
}

function change(packet: Bytes, how: PacketChange): readonly Bytes[] {
  switch (how.kind) {
    case "duplicate":
      return [packet, packet.slice()];
    case "drop":
      return [];
    case "flip":
      return [flip(packet, how.bit)];
    case "truncate":
      return [truncate(packet, how.octets)];
  }
}

/** A bit beyond the end counts on from the start of the payload. */
function flip(packet: Bytes, bit: number): Bytes {
  const start = headerLength(packet);
  const copy = packet.slice();
  if (packet.length === start) return copy;
  const at = start + ((bit >>> 3) % (packet.length - start));
  copy[at]! ^= 0x80 >>> (bit & 7);
  return copy;
}

function truncate(packet: Bytes, octets: number): Bytes {
  const start = headerLength(packet);
  const kept = Math.min(packet.length, start + octets);
  const header = packet.slice(0, start);
  header[2] = kept >>> 8;
  header[3] = kept & 255;
  header[10] = 0;
  header[11] = 0;
  let sum = 0;
  for (let i = 0; i < start; i += 2) sum += half(header, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  header[10] = (~sum >>> 8) & 255;
  header[11] = ~sum & 255;
  return concat(header, packet.subarray(start, kept));
}

function headerLength(packet: Bytes): number {
  return Math.min(packet.length, (packet[0]! & 15) * 4);
}

function half(octets: Bytes, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

function word(octets: Bytes, at: number): number {
  return ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0;
}
