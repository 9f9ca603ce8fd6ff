/**
 * UDP in IPv4, built and read at once on the addresses as numbers: what a router does for each datagram of its own. The
 * layouts are declared in src/wire/ip.ts, and the tests hold the two against each other.
 */
import { type Bytes, passingOctets } from "../base/bytes.ts";
import { half, IP_HEADER_OCTETS, type IpHeader, type PacketFields, putHalf, writeIpHeader } from "./ipHeader.ts";

const UDP_HEADER_OCTETS = 8;
const PROTOCOL_UDP = 17;

/** A packet with both checksums. */
export function buildUdpPacket(
  fields: PacketFields,
  sourcePort: number,
  destinationPort: number,
  payload: Bytes,
): Bytes {
  const udpOctets = UDP_HEADER_OCTETS + payload.length;
  const packet = passingOctets(IP_HEADER_OCTETS + udpOctets);
  writeIpHeader(packet, fields, PROTOCOL_UDP, IP_HEADER_OCTETS);
  putHalf(packet, IP_HEADER_OCTETS, sourcePort);
  putHalf(packet, IP_HEADER_OCTETS + 2, destinationPort);
  putHalf(packet, IP_HEADER_OCTETS + 4, udpOctets);
  packet.set(payload, IP_HEADER_OCTETS + UDP_HEADER_OCTETS);
  const sum = ~udpSum(packet, IP_HEADER_OCTETS, packet.length, fields.source, fields.destination) & 0xffff;
  // A computed zero is sent as all ones: zero means "no checksum". RFC 768.
  putHalf(packet, IP_HEADER_OCTETS + 6, sum === 0 ? 0xffff : sum);
  return packet;
}

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** A view of the packet. */
  readonly payload: Bytes;
}

/** The datagram in a whole packet; undefined where its length or its checksum is wrong. `header`: of this packet. */
export function readUdp(packet: Bytes, header: IpHeader): UdpDatagram | undefined {
  const at = header.headerOctets;
  const octets = packet.length - at;
  if (octets < UDP_HEADER_OCTETS || half(packet, at + 4) !== octets) return undefined;
  const isSummed = half(packet, at + 6) !== 0;
  if (isSummed && udpSum(packet, at, packet.length, header.source, header.destination) !== 0xffff) return undefined;
  return {
    sourcePort: half(packet, at),
    destinationPort: half(packet, at + 2),
    payload: packet.subarray(at + UDP_HEADER_OCTETS),
  };
}

/** One's complement sum over the pseudo-header and the octets from `start` to `end`. RFC 768, RFC 1071. */
function udpSum(packet: Bytes, start: number, end: number, source: number, destination: number): number {
  let sum = PROTOCOL_UDP + end - start;
  sum += (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff);
  let at = start;
  for (; at + 1 < end; at += 2) sum += (packet[at]! << 8) | packet[at + 1]!;
  if (at < end) sum += packet[at]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
