/**
 * Addresses and ports of a packet, read and changed in place of its octets, with all checksums kept right: those of the IP
 * header, of UDP, TCP and ICMP, and in an ICMP error those of the packet that it is about. RFC 3022 section 4.1 and 4.3,
 * RFC 5508 section 4. Sums are adjusted by what has changed (RFC 1624), so that a wrong one stays wrong.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Ipv4 } from "../../src/base/ipv4.ts";
import { half, IP_HEADER_OCTETS, putHalf, word } from "../../src/esp/ipHeader.ts";
import { IcmpType, IpProtocol } from "../../src/wire/ip.ts";

/** One end of a flow. The port of an echo is its identifier, at both ends; 0 where the protocol has none. */
export interface End {
  readonly address: Ipv4;
  readonly port: number;
}

export interface Ends {
  /** IANA protocol number. */
  readonly protocol: number;
  readonly source: End;
  readonly destination: End;
}

const { ICMP, TCP, UDP } = IpProtocol;
const ICMP_HEADER_OCTETS = 8;
const ERRORS: readonly number[] = [IcmpType.DESTINATION_UNREACHABLE, IcmpType.TIME_EXCEEDED];

/** Protocols whose flows a port tells apart. */
export function hasPorts(protocol: number): boolean {
  return protocol === ICMP || protocol === TCP || protocol === UDP;
}

function headerOctets(packet: Bytes): number {
  return (packet[0]! & 15) * 4;
}

/** Where the port of an end stands, -1 where there is none. `at`: behind the IP header. */
function portAt(packet: Bytes, at: number, end: "source" | "destination"): number {
  if (packet.length < at + 8) return -1;
  switch (packet[9]!) {
    case TCP:
    case UDP:
      return at + (end === "source" ? 0 : 2);
    case ICMP:
      return packet[at] === IcmpType.ECHO || packet[at] === IcmpType.ECHO_REPLY ? at + 4 : -1;
    default:
      return -1;
  }
}

/** Both ends of a whole packet, or of one that an ICMP error quotes: header and at least 8 octets. */
export function endsOf(packet: Bytes): Ends {
  const at = headerOctets(packet);
  const end = (which: "source" | "destination", address: number): End => {
    const port = portAt(packet, at, which);
    return { address: word(packet, address), port: port < 0 ? 0 : half(packet, port) };
  };
  return { protocol: packet[9]!, source: end("source", 12), destination: end("destination", 16) };
}

/** The packet that an ICMP error is about, a view; undefined where this is no such error. `packet`: whole. */
export function quotedIn(packet: Bytes): Bytes | undefined {
  const at = headerOctets(packet);
  if (packet[9] !== ICMP || !ERRORS.includes(packet[at] ?? -1)) return undefined;
  const quoted = packet.subarray(at + ICMP_HEADER_OCTETS);
  const isHeader = quoted.length >= IP_HEADER_OCTETS + 8 && quoted[0]! >>> 4 === 4;
  return isHeader && quoted.length >= headerOctets(quoted) + 8 ? quoted : undefined;
}

/** Changes one end, in place. Whoever calls has made a copy. */
export function setEnd(packet: Bytes, which: "source" | "destination", end: End): void {
  const at = headerOctets(packet);
  const address = which === "source" ? 12 : 16;
  const port = portAt(packet, at, which);
  const sum = sumAt(packet, at);
  const words = [end.address >>> 16, end.address & 0xffff] as const;
  for (const [i, value] of words.entries()) {
    const before = half(packet, address + 2 * i);
    putHalf(packet, address + 2 * i, value);
    adjust(packet, 10, before, value);
    // UDP and TCP count the addresses (pseudo-header), ICMP does not.
    if (packet[9] !== ICMP && sum >= 0) adjust(packet, sum, before, value);
  }
  if (port < 0) return;
  const before = half(packet, port);
  putHalf(packet, port, end.port);
  if (sum >= 0) adjust(packet, sum, before, end.port);
}

/** Where the checksum of the transport stands; -1 where none is sent or it is not among the octets. */
function sumAt(packet: Bytes, at: number): number {
  const offset = packet[9] === UDP ? 6 : packet[9] === TCP ? 16 : packet[9] === ICMP ? 2 : -1;
  if (offset < 0 || packet.length < at + offset + 2) return -1;
  return packet[9] === UDP && half(packet, at + offset) === 0 ? -1 : at + offset;
}

/** RFC 1624: HC' = ~(~HC + ~m + m'). A UDP sum of zero would mean that there is none. */
function adjust(packet: Bytes, at: number, before: number, after: number): void {
  let sum = (~half(packet, at) & 0xffff) + (~before & 0xffff) + after;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const result = ~sum & 0xffff;
  const isUdp = at > 10 && packet[9] === UDP;
  putHalf(packet, at, isUdp && result === 0 ? 0xffff : result);
}

/** Computes the checksum of an ICMP message anew, in place: what it quotes has changed. */
export function sealIcmp(packet: Bytes): void {
  const at = headerOctets(packet);
  putHalf(packet, at + 2, 0);
  let sum = 0;
  for (let i = at; i < packet.length; i += 2) sum += (packet[i]! << 8) | (packet[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  putHalf(packet, at + 2, ~sum & 0xffff);
}
