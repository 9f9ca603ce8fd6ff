/**
 * The IPv4 header as forwarding and classification see it: read at its offsets, addresses as numbers. This runs for each
 * packet at each hop; the layout itself is declared in src/wire/ip.ts, and the tests hold the two against each other.
 */
import type { Bytes } from "../base/bytes.ts";

export const IP_HEADER_OCTETS = 20;
export const IP_PACKET_MAX = 65_535;

const DF = 0x4000;
const MF = 0x2000;

export interface IpHeader {
  readonly headerOctets: number;
  readonly totalOctets: number;
  /** DSCP and ECN. */
  readonly tos: number;
  readonly identification: number;
  readonly isDf: boolean;
  readonly hasMore: boolean;
  /** Octets. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  /** Unsigned 32-bit numbers. */
  readonly source: number;
  readonly destination: number;
}

/** Undefined where this is no whole IPv4 packet or its header checksum is wrong. Octets behind its end are an error too. */
export function ipHeader(packet: Bytes): IpHeader | undefined {
  if (packet.length < IP_HEADER_OCTETS || packet[0]! >>> 4 !== 4) return undefined;
  const headerOctets = (packet[0]! & 15) * 4;
  const totalOctets = half(packet, 2);
  if (headerOctets < IP_HEADER_OCTETS || totalOctets < headerOctets || totalOctets !== packet.length) return undefined;
  if (headerSum(packet, headerOctets) !== 0xffff) return undefined;
  const flags = half(packet, 6);
  return {
    headerOctets,
    totalOctets,
    tos: packet[1]!,
    identification: half(packet, 4),
    isDf: (flags & DF) !== 0,
    hasMore: (flags & MF) !== 0,
    fragmentOffset: (flags & 0x1fff) * 8,
    ttl: packet[8]!,
    protocol: packet[9]!,
    source: word(packet, 12),
    destination: word(packet, 16),
  };
}

/** What `buildPacket` leaves to the caller, beside the protocol. */
export interface PacketFields {
  readonly tos: number;
  readonly identification: number;
  readonly isDf: boolean;
  readonly hasMore?: boolean;
  /** Octets, a multiple of 8. */
  readonly fragmentOffset?: number;
  readonly ttl: number;
  readonly source: number;
  readonly destination: number;
}

export interface HeaderFields extends PacketFields {
  readonly protocol: number;
}

/** A packet with its checksum. `options`: a multiple of 4 octets, at most 40. */
export function buildPacket(fields: HeaderFields, payload: Bytes, options?: Bytes): Bytes {
  const headerOctets = IP_HEADER_OCTETS + (options?.length ?? 0);
  const packet = new Uint8Array(headerOctets + payload.length);
  if (options !== undefined) packet.set(options, IP_HEADER_OCTETS);
  packet.set(payload, headerOctets);
  writeIpHeader(packet, fields, fields.protocol, headerOctets);
  return packet;
}

/** Fills in the fixed header of a packet whose options are there, with the checksum. */
export function writeIpHeader(header: Bytes, fields: PacketFields, protocol: number, headerOctets: number): void {
  header[0] = 0x40 | (headerOctets >>> 2);
  header[1] = fields.tos;
  putHalf(header, 2, header.length);
  putHalf(header, 4, fields.identification);
  const flags = (fields.isDf ? DF : 0) | (fields.hasMore === true ? MF : 0);
  putHalf(header, 6, flags | ((fields.fragmentOffset ?? 0) >>> 3));
  header[8] = fields.ttl;
  header[9] = protocol;
  putHalf(header, 12, fields.source >>> 16);
  putHalf(header, 14, fields.source & 0xffff);
  putHalf(header, 16, fields.destination >>> 16);
  putHalf(header, 18, fields.destination & 0xffff);
  putHalf(header, 10, ~headerSum(header, headerOctets) & 0xffff);
}

/** A copy with the TTL one less. The caller has seen to it that it was more than one. */
export function withTtlDecremented(packet: Bytes): Bytes {
  const copy = packet.slice();
  copy[8]! -= 1;
  // RFC 1141: the checksum grows by what the word of TTL and protocol shrinks.
  const sum = half(copy, 10) + 0x100;
  putHalf(copy, 10, (sum + (sum >>> 16)) & 0xffff);
  return copy;
}

export function half(octets: Bytes, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

export function word(octets: Bytes, at: number): number {
  return ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0;
}

export function putHalf(octets: Bytes, at: number, value: number): void {
  octets[at] = value >>> 8;
  octets[at + 1] = value;
}

/** One's complement sum; 0xffff where the checksum in it is right. RFC 1071. */
function headerSum(header: Bytes, octets: number): number {
  let sum = 0;
  for (let at = 0; at < octets; at += 2) sum += half(header, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
