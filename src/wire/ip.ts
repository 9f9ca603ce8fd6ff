/** IPv4, IPv6, UDP and ICMP: what travels on every link of the simulator, with real checksums. */
import { type Bytes, Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { addressField, addressOctets } from "./address.ts";
import {
  bytes,
  type Codec,
  type Derived,
  hexNumber,
  type Infer,
  nameOf,
  numberSpace,
  rest,
  struct,
  u8,
  u16,
  zero,
} from "./kit.ts";

export const IpProtocol = numberSpace("Assigned Internet Protocol Numbers", "IANA", {
  ICMP: 1,
  IGMP: 2,
  IPV4: 4,
  TCP: 6,
  UDP: 17,
  IPV6: 41,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  EIGRP: 88,
  OSPF: 89,
  PIM: 103,
});

/** One's complement sum of 16-bit words, folded but not inverted. RFC 1071. */
function sum16(octets: Bytes, start: number, end: number, from: number): number {
  let sum = from;
  let i = start;
  for (; i + 1 < end; i += 2) sum += (octets[i]! << 8) | octets[i + 1]!;
  if (i < end) sum += octets[i]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Internet checksum over the first `headerLength` octets of the struct: filled in at the end, checked when read. */
function headerChecksum(headerLength: (octets: Bytes, start: number, end: number) => number): Derived {
  return {
    derived: true,
    write: (w) => w.u16(0),
    finish(w, start, at) {
      const octets = w.view();
      w.patch16(at, ~sum16(octets, start, start + headerLength(octets, start, w.at), 0) & 0xffff);
    },
    read(r, tree, name, _scope, start) {
      const at = r.at;
      const value = r.u16();
      const good = sum16(r.octets, start, Math.min(r.end, start + headerLength(r.octets, start, r.end)), 0) === 0xffff;
      tree?.leaf(name, at, r.at, `${hexNumber(2)(value)} ${good ? "correct" : "wrong"}`);
      if (!good) {
        if (tree === undefined) throw new WireError("badValue", "wrong checksum", at);
        tree.problem("wrong checksum");
      }
    },
  };
}

/** Version and header length share an octet; the length follows from the options. */
const versionAndLength: Derived = {
  derived: true,
  write: (w, value) => w.u8(0x45 + ((value.options as Bytes).length >>> 2)),
  read(r, tree, name, scope) {
    const at = r.at;
    const value = r.u8();
    tree?.leaf(name, at, r.at, `IPv${value >>> 4}, ${(value & 15) * 4} octets`);
    if (value >>> 4 !== 4 || (value & 15) < 5) throw new WireError("badValue", "no IPv4 header", at);
    scope.optionsLength = ((value & 15) - 5) * 4;
  },
};

/** Length of the whole packet. What lies beyond it (padding of a link layer) is an error for `decode`. */
const totalLength: Derived = {
  derived: true,
  write: (w) => w.u16(0),
  finish: (w, start, at) => w.patch16(at, w.at - start),
  read(r, tree, name, _scope, start) {
    const at = r.at;
    const value = r.u16();
    tree?.leaf(name, at, r.at, String(value));
    if (value < 20 || start + value > r.end) {
      throw new WireError("badLength", `total length ${value}, ${r.end - start} octets are there`, at);
    }
    r.end = start + value;
  },
};

/** `dscp` holds the whole former TOS octet: DSCP and ECN. RFC 791 section 3.1, RFC 2474. */
export const Ipv4 = struct(
  "IPv4",
  "RFC 791 3.1",
  {
    versionAndHeaderLength: versionAndLength,
    tos: u8.shown((value) => `DSCP ${value >>> 2}, ECN ${value & 3}`),
    totalLength,
    identification: u16.shown(hexNumber(2)),
    flagsAndOffset: u16.shown((value) => {
      const flags = `${value & 0x4000 ? "DF " : ""}${value & 0x2000 ? "MF " : ""}`;
      return `${flags}offset ${(value & 0x1fff) * 8}`;
    }),
    ttl: u8,
    protocol: u8.named(IpProtocol),
    headerChecksum: headerChecksum((octets, start) => (octets[start]! & 15) * 4),
    source: addressField(4),
    destination: addressField(4),
    options: bytes("optionsLength"),
    payload: rest,
  },
  (ip) => `${ip.source} to ${ip.destination}, ${nameOf(IpProtocol.space, ip.protocol)}`,
);
export type Ipv4 = Infer<typeof Ipv4>;

/** RFC 8200 section 3. Extension headers are part of the payload. */
export const Ipv6 = struct(
  "IPv6",
  "RFC 8200 3",
  {
    versionAndClass: versionAndClass(),
    flowLabel: u16.shown(hexNumber(2)),
    payloadLength: payloadLength6(),
    nextHeader: u8.named(IpProtocol),
    hopLimit: u8,
    source: addressField(16),
    destination: addressField(16),
    payload: rest,
  },
  (ip) => `${ip.source} to ${ip.destination}, ${nameOf(IpProtocol.space, ip.nextHeader)}`,
);
export type Ipv6 = Infer<typeof Ipv6>;

/** Version, traffic class and the upper four bits of the flow label, as one 16-bit number below the version. */
function versionAndClass(): Codec<number> {
  return {
    write: (w, value) => w.u16(0x6000 | value),
    read(r, tree, name) {
      const at = r.at;
      const value = r.u16();
      tree?.leaf(name, at, r.at, `IPv${value >>> 12}, class ${(value >>> 4) & 255}`);
      if (value >>> 12 !== 6) throw new WireError("badValue", "no IPv6 header", at);
      return value & 0xfff;
    },
  };
}

function payloadLength6(): Derived {
  return {
    derived: true,
    write: (w) => w.u16(0),
    finish: (w, start, at) => w.patch16(at, w.at - start - 40),
    read(r, tree, name, _scope, start) {
      const at = r.at;
      const value = r.u16();
      tree?.leaf(name, at, r.at, String(value));
      if (start + 40 + value > r.end) throw new WireError("badLength", `payload length ${value}`, at);
      r.end = start + 40 + value;
    },
  };
}

/** The checksum needs the IP addresses: `encodeUdp` fills it in, `checkUdp` checks it. */
export const Udp = struct(
  "UDP",
  "RFC 768",
  {
    sourcePort: u16,
    destinationPort: u16,
    length: u16,
    checksum: u16.shown(hexNumber(2)),
    payload: rest,
  },
  (udp) => `${udp.sourcePort} to ${udp.destinationPort}`,
);
export type Udp = Infer<typeof Udp>;

export const UDP_HEADER_LENGTH = 8;

/** Sum over the pseudo-header. RFC 768, RFC 8200 section 8.1. */
function pseudoSum(source: Bytes, destination: Bytes, protocol: number, length: number): number {
  return sum16(source, 0, source.length, sum16(destination, 0, destination.length, protocol + length));
}

/** A UDP datagram with its checksum; addresses in text form, both of one family. */
export function encodeUdp(
  source: string,
  destination: string,
  sourcePort: number,
  destinationPort: number,
  payload: Bytes,
): Bytes {
  const w = new Writer(UDP_HEADER_LENGTH + payload.length);
  const length = UDP_HEADER_LENGTH + payload.length;
  Udp.write(w, { sourcePort, destinationPort, length, checksum: 0, payload }, undefined);
  const octets = w.finish();
  const pseudo = pseudoSum(addressOctets(source), addressOctets(destination), IpProtocol.UDP, length);
  const checksum = ~sum16(octets, 0, octets.length, pseudo) & 0xffff;
  // A computed zero is sent as all ones: zero means "no checksum".
  const sent = checksum === 0 ? 0xffff : checksum;
  octets[6] = sent >>> 8;
  octets[7] = sent & 255;
  return octets;
}

/** Whether length and checksum of a UDP datagram hold; a checksum of zero was not computed and passes. */
export function checkUdp(source: string, destination: string, octets: Bytes): boolean {
  if (octets.length < UDP_HEADER_LENGTH) return false;
  if (((octets[4]! << 8) | octets[5]!) !== octets.length) return false;
  if (octets[6] === 0 && octets[7] === 0) return true;
  const pseudo = pseudoSum(addressOctets(source), addressOctets(destination), IpProtocol.UDP, octets.length);
  return sum16(octets, 0, octets.length, pseudo) === 0xffff;
}

/**
 * Whether the checksum field holds but the sum over the pseudo-header: the sender left the rest to its network card, and
 * the capture was taken before that. Linux does so on all interfaces that can, virtual ones included.
 */
export function isUdpSumPartial(source: string, destination: string, octets: Bytes): boolean {
  if (octets.length < UDP_HEADER_LENGTH) return false;
  if (((octets[4]! << 8) | octets[5]!) !== octets.length) return false;
  const sum = pseudoSum(addressOctets(source), addressOctets(destination), IpProtocol.UDP, octets.length);
  return ((octets[6]! << 8) | octets[7]!) === sum;
}

export const IcmpType = numberSpace("ICMP Type Numbers", "RFC 792", {
  ECHO_REPLY: 0,
  DESTINATION_UNREACHABLE: 3,
  ECHO: 8,
  TIME_EXCEEDED: 11,
});

/** Internet checksum over the whole struct. */
export const wholeChecksum = headerChecksum((_octets, start, end) => end - start);

/** Echo and echo reply. RFC 792. */
export const IcmpEcho = struct(
  "ICMP",
  "RFC 792",
  {
    type: u8.named(IcmpType),
    code: u8,
    checksum: wholeChecksum,
    identifier: u16,
    sequence: u16,
    data: rest,
  },
  (icmp) => `${nameOf(IcmpType.space, icmp.type)} ${icmp.identifier}/${icmp.sequence}`,
);
export type IcmpEcho = Infer<typeof IcmpEcho>;

/** Destination unreachable with code 4 carries the MTU of the next hop. RFC 792, RFC 1191 section 4. */
export const IcmpUnreachable = struct("ICMP", "RFC 792", {
  type: u8.named(IcmpType),
  code: u8,
  checksum: wholeChecksum,
  unused: zero(2),
  nextHopMtu: u16,
  original: rest,
});
export type IcmpUnreachable = Infer<typeof IcmpUnreachable>;

/** IP version of a packet: its first four bits. */
export function ipVersion(octets: Bytes): number {
  return octets.length === 0 ? 0 : octets[0]! >>> 4;
}
