/** The field tree of a whole packet, from the IP header on; never throws. */

import { type Bytes, Reader } from "../../src/base/bytes.ts";
import { dissectEsp } from "../../src/wire/esp.ts";
import type { Field } from "../../src/wire/field.ts";
import { dissectIke } from "../../src/wire/ikeMessage.ts";
import {
  checkUdp,
  IcmpEcho,
  IcmpType,
  IcmpUnreachable,
  IpProtocol,
  Ipv4,
  Ipv6,
  ipVersion,
  isUdpSumPartial,
  Udp,
} from "../../src/wire/ip.ts";
import { dissectIsakmp } from "../../src/wire/isakmpMessage.ts";
import { GDOI, ISAKMP } from "../../src/wire/isakmpPayloads.ts";
import { OspfHello, OspfType } from "../../src/wire/ospf.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import { Tree } from "../../src/wire/tree.ts";
import type { KeyRing } from "./keyRing.ts";

/** UDP ports on which IKE is spoken; on 4500, and wherever four zero octets open the payload, behind the marker. */
const IKE_PORTS: ReadonlySet<number> = new Set([500, 848, 4500]);
const NAT_T_PORT = 4500;
const GDOI_PORT = 848;
/** From here on exchange numbers belong to the domain of interpretation. RFC 2408 section 3.1. */
const DOI_EXCHANGES = 32;

/** `ring` opens encrypted parts; without it they stay octets. */
export function dissectPacket(octets: Bytes, ring?: KeyRing): Field {
  const version = ipVersion(octets);
  const tree = new Tree(version === 6 ? "IPv6 packet" : "IPv4 packet", octets.length);
  const r = new Reader(octets);
  tree.attempt(r, octets.length, () => {
    if (version === 6) dissectIpv6(tree, r, ring);
    else dissectIpv4(tree, r, ring);
  });
  return tree.finish(octets.length);
}

/** The header is read by its declaration over the whole packet, whose payload leaf is then replaced by what is inside. */
function dissectIpv4(tree: Tree, r: Reader, ring: KeyRing | undefined): void {
  const header = Ipv4.dissect(r.octets);
  // Read beside a tree, a wrong checksum is a problem of its field and no reason to stop.
  const ip = decodeOr(() => Ipv4.read(new Reader(r.octets), new Tree("", 0), "", {}));
  const fragment = ip !== undefined && (ip.flagsAndOffset & 0x3fff) !== 0;
  if (ip === undefined || fragment) graftWhole(tree, r, header);
  else layers(tree, r, header, ip.payload, dissectTransport(ip.protocol, ip.source, ip.destination, ip.payload, ring));
}

function dissectIpv6(tree: Tree, r: Reader, ring: KeyRing | undefined): void {
  const header = Ipv6.dissect(r.octets);
  const ip = decodeOr(() => Ipv6.decode(r.octets));
  if (ip === undefined) graftWhole(tree, r, header);
  else
    layers(tree, r, header, ip.payload, dissectTransport(ip.nextHeader, ip.source, ip.destination, ip.payload, ring));
}

function graftWhole(tree: Tree, r: Reader, field: Field): void {
  tree.graft(field, 0);
  r.at = r.end;
}

/** Header fields first, then the layers of the payload side by side: IP, UDP, IKEv2. */
function layers(tree: Tree, r: Reader, header: Field, payload: Bytes, inner: readonly Field[]): void {
  const headerLength = r.octets.length - payload.length;
  tree.graft({ ...header, length: headerLength, children: header.children.filter((c) => c.offset < headerLength) }, 0);
  for (const field of inner) tree.graft(field, headerLength);
  r.at = r.end;
}

function decodeOr<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

/** Fields of a transport payload, offsets from its start. */
function dissectTransport(
  protocol: number,
  source: string,
  destination: string,
  payload: Bytes,
  ring: KeyRing | undefined,
): readonly Field[] {
  if (payload.length === 0) return [];
  if (protocol === IpProtocol.UDP) return dissectUdp(source, destination, payload, ring);
  if (protocol === IpProtocol.ESP) return [espField(payload, ring)];
  if (protocol === IpProtocol.ICMP) return [icmpField(payload)];
  if (protocol === IpProtocol.OSPF && payload[1] === OspfType.HELLO) return [OspfHello.dissect(payload)];
  return [raw("Payload", 0, payload.length)];
}

function raw(label: string, offset: number, length: number): Field {
  return { label, offset, length, text: `${length} octets`, children: [] };
}

function icmpField(payload: Bytes): Field {
  const codec = payload[0] === IcmpType.DESTINATION_UNREACHABLE ? IcmpUnreachable : IcmpEcho;
  return codec.dissect(payload);
}

function espField(payload: Bytes, ring: KeyRing | undefined): Field {
  return dissectEsp(
    payload,
    ring === undefined ? undefined : (octets, spi) => ring.openEsp(octets, spi),
    (nextHeader, octets) => dissectInner(nextHeader, octets, ring),
  );
}

function dissectInner(nextHeader: number, octets: Bytes, ring: KeyRing | undefined): Field {
  if (nextHeader === IpProtocol.IPV4 || nextHeader === IpProtocol.IPV6) return dissectPacket(octets, ring);
  if (nextHeader === IpProtocol.ICMP) return icmpField(octets);
  return raw("Payload", 0, octets.length);
}

function dissectUdp(source: string, destination: string, payload: Bytes, ring: KeyRing | undefined): readonly Field[] {
  const field = Udp.dissect(payload);
  const udp = decodeOr(() => Udp.decode(payload));
  if (udp === undefined) return [field];
  const good = checkUdp(source, destination, payload) || isUdpSumPartial(source, destination, payload);
  const header: Field = {
    ...field,
    length: 8,
    children: field.children.filter((child) => child.offset < 8),
    ...(good ? {} : { problem: "wrong length or checksum" }),
  };
  if (udp.payload.length === 0) return [header];
  return [header, ...udpPayload(udp, udp.payload, ring).map((child) => moved(child, 8))];
}

/** The same subtree `by` octets further on; what lies below decrypted octets counts from their own start. */
function moved(field: Field, by: number): Field {
  const shift = (one: Field): Field => ({
    ...one,
    offset: one.offset + by,
    children: one.plain === undefined ? one.children.map(shift) : one.children,
  });
  return shift(field);
}

function udpPayload(udp: Udp, payload: Bytes, ring: KeyRing | undefined): readonly Field[] {
  const ike = IKE_PORTS.has(udp.sourcePort) || IKE_PORTS.has(udp.destinationPort);
  const natT = udp.sourcePort === NAT_T_PORT || udp.destinationPort === NAT_T_PORT;
  const marked = payload.length >= 32 && payload.subarray(0, 4).every((octet) => octet === 0);
  if (natT && payload.length === 1 && payload[0] === 0xff)
    return [{ ...raw("NAT keepalive", 0, 1), rfc: "RFC 3948 2.3" }];
  if (natT && !marked) return [espField(payload, ring)];
  if (!ike && !(marked && looksLikeIke(payload.subarray(4)))) return [raw("Payload", 0, payload.length)];
  const message = marked ? payload.subarray(4) : payload;
  const field = dissectMessage(message, udp, ring);
  if (!marked) return [field];
  return [{ ...raw("Non-ESP marker", 0, 4), rfc: "RFC 7296 2.23" }, moved(field, 4)];
}

/** The major version tells IKEv1 from IKEv2. What else is on the port is shown as the current version, with its problem. */
function dissectMessage(message: Bytes, udp: Udp, ring: KeyRing | undefined): Field {
  const [version, exchange] = [message[17] ?? 0, message[18] ?? 0];
  if (version >>> 4 !== 1) return dissectIke(message, RFC9838, ring?.openIke);
  const isGroup = exchange >= DOI_EXCHANGES && (udp.sourcePort === GDOI_PORT || udp.destinationPort === GDOI_PORT);
  return dissectIsakmp(message, isGroup ? GDOI : ISAKMP, ring?.openIsakmp);
}

function looksLikeIke(octets: Bytes): boolean {
  if (octets.length < 28) return false;
  const length = octets[24]! * 0x1000000 + ((octets[25]! << 16) | (octets[26]! << 8) | octets[27]!);
  return length === octets.length && (octets[17]! >>> 4 === 2 || octets[17]! >>> 4 === 1);
}
