/**
 * What a packet is, read off its first octets: enough to colour and to list it. The inspector's field tree comes from
 * the dissector; this is the quick look that a hundred thousand packets get.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { formatIpv4 } from "../../src/base/ipv4.ts";

/** In the order in which the density strip stacks them. */
export const PACKET_CLASSES = ["registration", "rekey", "ack", "data", "clear", "other"] as const;
export type PacketClass = (typeof PACKET_CLASSES)[number];

export interface PacketFacts {
  readonly class: PacketClass;
  /** Such as `GSA_AUTH response` or `ESP`. */
  readonly label: string;
  readonly source: string;
  readonly target: string;
  readonly multicast: boolean;
  readonly octets: number;
  /** IKE message ID, or ESP sequence number. */
  readonly sequence?: number;
  /** Lower-case hexadecimal with `0x`: ESP SPI. */
  readonly spi?: string;
}

interface Kind {
  readonly class: PacketClass;
  readonly label: string;
}

/** IANA "IKEv2 Exchange Types": class of the request, class of the response. */
const IKEV2_EXCHANGES: Readonly<Record<number, readonly [string, PacketClass, PacketClass]>> = {
  34: ["IKE_SA_INIT", "registration", "registration"],
  35: ["IKE_AUTH", "registration", "registration"],
  36: ["CREATE_CHILD_SA", "other", "other"],
  37: ["INFORMATIONAL", "other", "other"],
  39: ["GSA_AUTH", "registration", "registration"],
  40: ["GSA_REGISTRATION", "registration", "registration"],
  41: ["GSA_REKEY", "rekey", "ack"],
  42: ["GSA_INBAND_REKEY", "rekey", "ack"],
};

/** Exchange types of ISAKMP with GDOI (RFC 2408, RFC 6407 and RFC 8263). */
const ISAKMP_EXCHANGES: Readonly<Record<number, readonly [string, PacketClass]>> = {
  2: ["Main Mode", "registration"],
  4: ["Aggressive Mode", "registration"],
  5: ["Informational", "other"],
  32: ["GROUPKEY-PULL", "registration"],
  33: ["GROUPKEY-PUSH", "rekey"],
  35: ["GROUPKEY-PUSH-ACK", "ack"],
  // Cisco's own acknowledgement, under the first number for private use.
  240: ["GROUPKEY-PUSH-ACK", "ack"],
};

const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: "ICMP echo reply",
  3: "ICMP unreachable",
  8: "ICMP echo request",
  11: "ICMP time exceeded",
};

const IP_PROTOCOLS: Readonly<Record<number, Kind>> = {
  1: { class: "clear", label: "ICMP" },
  2: { class: "other", label: "IGMP" },
  6: { class: "clear", label: "TCP" },
  17: { class: "clear", label: "UDP" },
  47: { class: "clear", label: "GRE" },
  88: { class: "clear", label: "EIGRP" },
  89: { class: "clear", label: "OSPF" },
  103: { class: "other", label: "PIM" },
};

const IKE_PORTS: ReadonlySet<number> = new Set([500, 848]);
const UDP_ENCAPSULATION_PORT = 4500;
const RESPONSE_FLAG = 0x20;

/** Reads `octets` from the IP header on. Never throws: what cannot be read is class `other`. */
export function packetFacts(octets: Bytes): PacketFacts {
  const version = (octets[0] ?? 0) >> 4;
  if (version === 4 && octets.length >= 20) {
    const facts = {
      source: formatIpv4(u32(octets, 12)),
      target: formatIpv4(u32(octets, 16)),
      multicast: octets[16]! >= 224 && octets[16]! < 240,
      octets: octets.length,
    };
    return { ...facts, ...transport(octets, (octets[0]! & 15) * 4, octets[9]!) };
  }
  if (version === 6 && octets.length >= 40) {
    const facts = {
      source: formatIpv6(octets, 8),
      target: formatIpv6(octets, 24),
      multicast: octets[24] === 0xff,
      octets: octets.length,
    };
    return { ...facts, ...transport(octets, 40, octets[6]!) };
  }
  return { class: "other", label: "not IP", source: "?", target: "?", multicast: false, octets: octets.length };
}

type Transport = Kind & { readonly sequence?: number; readonly spi?: string };

function transport(octets: Bytes, at: number, protocol: number): Transport {
  if (protocol === 50) return esp(octets, at);
  if (protocol === 17 && octets.length >= at + 8) return udp(octets, at);
  if (protocol === 1 && octets.length > at) {
    return { class: "clear", label: ICMP_TYPES[octets[at]!] ?? `ICMP type ${octets[at]}` };
  }
  return IP_PROTOCOLS[protocol] ?? { class: "clear", label: `IP protocol ${protocol}` };
}

function udp(octets: Bytes, at: number): Transport {
  const source = u16(octets, at);
  const target = u16(octets, at + 2);
  if (IKE_PORTS.has(source) || IKE_PORTS.has(target)) return ike(octets, at + 8);
  if (source === UDP_ENCAPSULATION_PORT || target === UDP_ENCAPSULATION_PORT) {
    if (octets.length === at + 9) return { class: "other", label: "NAT keepalive" };
    // Four zero octets tell IKE from ESP on this port. RFC 3948 section 2.2.
    return octets.length >= at + 12 && u32(octets, at + 8) === 0 ? ike(octets, at + 12) : esp(octets, at + 8);
  }
  return { class: "clear", label: `UDP ${source} to ${target}` };
}

function ike(octets: Bytes, at: number): Transport {
  if (octets.length < at + 28) return { class: "other", label: "short IKE" };
  const exchange = octets[at + 18]!;
  if (octets[at + 17]! >> 4 === 1) {
    const [label, kind] = ISAKMP_EXCHANGES[exchange] ?? [`ISAKMP exchange ${exchange}`, "other" as const];
    return { class: kind, label };
  }
  const response = (octets[at + 19]! & RESPONSE_FLAG) !== 0;
  const row = IKEV2_EXCHANGES[exchange] ?? ([`IKE exchange ${exchange}`, "other", "other"] as const);
  return {
    class: response ? row[2] : row[1],
    label: `${row[0]} ${response ? "response" : "request"}`,
    sequence: u32(octets, at + 20),
  };
}

function esp(octets: Bytes, at: number): Transport {
  if (octets.length < at + 8) return { class: "other", label: "short ESP" };
  return {
    class: "data",
    label: "ESP",
    spi: `0x${u32(octets, at).toString(16).padStart(8, "0")}`,
    sequence: u32(octets, at + 4),
  };
}

function u16(octets: Bytes, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

function u32(octets: Bytes, at: number): number {
  return ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0;
}

function formatIpv6(octets: Bytes, at: number): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(u16(octets, at + i).toString(16));
  // The longest run of zero groups becomes `::`. RFC 5952 section 4.2.
  const runs = [...groups.join(":").matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const text = groups.join(":");
  const longest = runs[0];
  if (longest === undefined) return text;
  const head = text.slice(0, longest.index);
  const tail = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${head}::${tail}`;
}
