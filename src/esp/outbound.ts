/** A packet leaves by an interface with a crypto map. */
import type { Bytes } from "../base/bytes.ts";
import { u32 } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import type { Rng } from "../base/rng.ts";
import type { Crypto } from "../crypto/api.ts";
import { bodyOctets } from "../crypto/protector.ts";
import { ESP_HEADER_LENGTH } from "../wire/esp.ts";
import {
  classify,
  count,
  type DataPlane,
  type Dropped,
  drop,
  type GroupPolicy,
  type InstalledSa,
  isAlive,
  isOwnControl,
} from "./dataPlane.ts";
import { alignmentOf, sealEsp } from "./espPacket.ts";
import { fragment } from "./fragment.ts";
import { buildPacket, IP_PACKET_MAX, type IpHeader, ipHeader } from "./ipHeader.ts";
import { plaintextMtu } from "./mtu.ts";
import { flowOf } from "./selector.ts";

export interface EspTools {
  readonly crypto: Crypto;
  readonly rng: Rng;
}

export type Outbound =
  | { readonly kind: "clear"; readonly packet: Bytes }
  /** In the order of sending; several where the packet was cut before it was sealed. */
  | { readonly kind: "sealed"; readonly packets: readonly Bytes[]; readonly group: string; readonly spi: number }
  /** It does not fit and must not be cut: the sender hears of the largest size that fits (ICMP type 3 code 4). */
  | { readonly kind: "tooBig"; readonly mtu: number; readonly group: string; readonly spi: number }
  | Dropped;

const ESP = 50;
const IPV4 = 4;
/** IOS gives the outer header a whole life of its own. */
const OUTER_TTL = 255;
const SEQUENCE_MAX = 0xffffffff;

/**
 * `packet`: a whole IPv4 packet, its TTL already decremented. `mtu`: octets of the largest packet that the interface
 * sends. The outer header of tunnel mode preserves source, destination and DSCP with ECN of the inner one; TTL,
 * identification and protocol are new, DF is as configured.
 */
export function outbound(plane: DataPlane, tools: EspTools, packet: Bytes, mtu: number, now: Micros): Outbound {
  const header = ipHeader(packet);
  if (header === undefined) return drop(plane, "send", "notIp");
  const flow = flowOf(header, packet);
  if (isOwnControl(plane, header, flow, packet, flow.source)) return { kind: "clear", packet };
  const verdict = classify(plane, flow);
  switch (verdict.verdict) {
    case "clear":
    case "unmatched":
      return { kind: "clear", packet };
    case "failClose":
      return drop(plane, "send", "failClose");
    case "protect":
      return seal(plane, tools, verdict.group, verdict.family, header, packet, mtu, now);
  }
}

function seal(
  plane: DataPlane,
  tools: EspTools,
  group: GroupPolicy,
  family: number,
  header: IpHeader,
  packet: Bytes,
  mtu: number,
  now: Micros,
): Outbound {
  const spi = group.senders[family];
  const installed = spi === undefined ? undefined : plane.sas.get(spi);
  if (installed === undefined || !isAlive(installed, now)) return drop(plane, "send", "noSa", group, undefined, spi);
  const { sa, protection } = installed;
  const refuse = (reason: "senderId" | "fragment" | "sequence" | "tooLarge"): Dropped =>
    drop(plane, "send", reason, group, installed);
  if (protection.encr.ivKind === "counter" && sa.senderId === undefined) return refuse("senderId");
  const isFragment = header.hasMore || header.fragmentOffset > 0;
  if (sa.mode === "transport" && isFragment) return refuse("fragment");
  const inner = cut(plane, installed, header, packet, mtu);
  if (typeof inner === "number") {
    return { kind: "tooBig", mtu: inner, group: group.name, spi: sa.spi };
  }
  if (installed.sequence + inner.length > SEQUENCE_MAX) return refuse("sequence");
  const packets: Bytes[] = [];
  for (const part of inner) {
    if (sealedOctets(installed, part.length) > IP_PACKET_MAX) return refuse("tooLarge");
    packets.push(sealPacket(plane, tools, installed, part));
    count(["encaps", "encrypt", "digest"], plane, group, installed);
  }
  return { kind: "sealed", packets, group: group.name, spi: sa.spi };
}

/**
 * The packets to be sealed, or the MTU that the sender must hear of. Look-ahead fragmentation is for tunnel mode; with
 * DF set inside and `df-bit clear` the sealed packet is left to be cut by the interface.
 */
function cut(
  { config }: DataPlane,
  { sa, protection }: InstalledSa,
  header: IpHeader,
  packet: Bytes,
  mtu: number,
): readonly Bytes[] | number {
  // Transport mode saves the second header, and nothing else differs.
  const room = plaintextMtu(mtu, protection) + (sa.mode === "transport" ? header.headerOctets : 0);
  if (packet.length <= room) return [packet];
  if (header.isDf) return config.df === "clear" ? [packet] : room;
  if (!config.lookAhead || sa.mode === "transport") return [packet];
  return fragment(packet, room) ?? [packet];
}

/** Upper bound of the size of the sealed packet. */
function sealedOctets({ protection }: InstalledSa, octets: number): number {
  const alignment = alignmentOf(protection.encr);
  const plain = Math.ceil((octets + 2) / alignment) * alignment;
  return 20 + ESP_HEADER_LENGTH + bodyOctets(protection, plain);
}

function sealPacket(plane: DataPlane, tools: EspTools, installed: InstalledSa, packet: Bytes): Bytes {
  const header = ipHeader(packet)!;
  const { sa, protection, keys } = installed;
  installed.sequence += 1;
  const label = { spi: sa.spi, sequence: installed.sequence };
  const iv = ivFor(installed, tools.rng);
  if (sa.mode === "transport") {
    const payload = packet.subarray(header.headerOctets);
    const options = header.headerOctets > 20 ? packet.subarray(20, header.headerOctets) : undefined;
    const sealed = sealEsp(tools.crypto, protection, keys, label, iv, { nextHeader: header.protocol, payload });
    return buildPacket({ ...header, isDf: outerDf(plane, header), protocol: ESP }, sealed, options);
  }
  const sealed = sealEsp(tools.crypto, protection, keys, label, iv, { nextHeader: IPV4, payload: packet });
  plane.identification = (plane.identification + 1) & 0xffff;
  const outer = {
    tos: header.tos,
    identification: plane.identification,
    isDf: outerDf(plane, header),
    ttl: OUTER_TTL,
    protocol: ESP,
    source: header.source,
    destination: header.destination,
  };
  return buildPacket(outer, sealed);
}

function outerDf({ config }: DataPlane, header: IpHeader): boolean {
  return config.df === "copy" ? header.isDf : config.df === "set";
}

/**
 * Sender ID in the leftmost bits, behind it the sequence number: it never repeats under one key, and no two senders
 * meet. RFC 6054 section 3. CBC needs an IV that nobody can foresee.
 */
function ivFor({ sa, protection, sequence }: InstalledSa, rng: Rng): Bytes {
  const { encr } = protection;
  if (encr.ivKind === "none") return new Uint8Array(0);
  if (encr.ivKind === "random") return rng.bytes(encr.iv);
  const { value, bits } = sa.senderId!;
  const iv = new Uint8Array(8);
  iv.set(u32(value * 2 ** (32 - bits)));
  iv.set(u32(sequence), 4);
  return iv;
}
