/** Finds the IP packet in a frame, by the link type of its interface (https://www.tcpdump.org/linktypes.html). */
import { type Bytes, EMPTY } from "../../src/base/bytes.ts";

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const VLAN_TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);

/** Where the IP packet begins; undefined where the frame holds none. */
type Locate = (frame: Bytes) => number | undefined;

/** BSD's address families for IPv4 and, by system, IPv6. */
const FAMILIES: ReadonlySet<number> = new Set([2, 10, 24, 28, 30]);

const raw: Locate = () => 0;

const LOCATE: Readonly<Record<number, Locate>> = {
  0: loopback,
  1: ethernet,
  12: raw,
  14: raw,
  101: raw,
  108: loopback,
  113: (frame) => (isIp(be16(frame, 14)) ? 16 : undefined),
  228: raw,
  229: raw,
  276: (frame) => (isIp(be16(frame, 0)) ? 20 : undefined),
};

/**
 * The packet from its IP header on, without the padding of short frames. Empty for other protocols, for frames that end
 * too early and for link types that are not in the table: 0 null, 1 Ethernet with any number of VLAN tags, 12, 14 and 101
 * raw IP, 108 loopback, 113 and 276 Linux cooked, 228 and 229 IPv4 and IPv6.
 */
export function ipPacket(linkType: number, frame: Bytes): Bytes {
  const start = (Object.hasOwn(LOCATE, linkType) ? LOCATE[linkType] : undefined)?.(frame);
  return start === undefined ? EMPTY : trim(frame.subarray(start));
}

function ethernet(frame: Bytes): number | undefined {
  let at = 12;
  while (VLAN_TAGS.has(be16(frame, at))) at += 4;
  return isIp(be16(frame, at)) ? at + 2 : undefined;
}

/** The family is in the order of the machine that captured, which nothing tells: one of both readings is small. */
function loopback(frame: Bytes): number | undefined {
  if (frame.length < 4) return undefined;
  const big = be16(frame, 0) === 0 ? be16(frame, 2) : -1;
  const little = be16(frame, 2) === 0 ? frame[0]! | (frame[1]! << 8) : -1;
  return FAMILIES.has(big) || FAMILIES.has(little) ? 4 : undefined;
}

function isIp(etherType: number): boolean {
  return etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6;
}

/** -1 beyond the end. */
function be16(octets: Bytes, at: number): number {
  return at + 2 <= octets.length ? (octets[at]! << 8) | octets[at + 1]! : -1;
}

/** Cuts the packet to the length that its header tells, where the frame holds more than that. */
function trim(packet: Bytes): Bytes {
  const version = packet.length === 0 ? 0 : packet[0]! >>> 4;
  if (version === 4 && packet.length >= 20) {
    const total = be16(packet, 2);
    // 0 stands in captures on a sender whose network card splits large packets.
    return total >= 20 && total < packet.length ? packet.subarray(0, total) : packet;
  }
  if (version === 6 && packet.length >= 40) {
    const payload = be16(packet, 4);
    return payload > 0 && payload + 40 < packet.length ? packet.subarray(0, payload + 40) : packet;
  }
  return version === 4 || version === 6 ? packet : EMPTY;
}
