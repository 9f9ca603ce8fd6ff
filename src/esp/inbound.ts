/** A packet comes in by an interface with a crypto map. */
import type { Bytes } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import type { Crypto } from "../crypto/api.ts";
import {
  classify,
  count,
  type DataPlane,
  type Dropped,
  drop,
  hasPolicy,
  type InstalledSa,
  isAlive,
  isOwnControl,
} from "./dataPlane.ts";
import { DUMMY, type EspContent, openEsp, readLabel } from "./espPacket.ts";
import { buildPacket, type IpHeader, ipHeader } from "./ipHeader.ts";
import { isFresh, markSeen } from "./replayWindow.ts";
import { type Flow, firstMatch, flowOf } from "./selector.ts";

export type Inbound =
  /** `opened`: the SA that it came through; absent where it came in clear. */
  | {
      readonly kind: "clear";
      readonly packet: Bytes;
      readonly opened?: { readonly group: string; readonly spi: number };
    }
  | Dropped;

const ESP = 50;
const IPV4 = 4;
const IPV6 = 41;

/**
 * `packet`: a whole IPv4 packet, no fragment of ESP. ESP finds its SA by the SPI alone: in a group the outer destination
 * is that of the user's packet. ESP with an SPI that nobody here knows passes where the policy says that ESP passes, or
 * where there is no policy yet and it is for somebody else; another's IPsec may run through a member.
 */
export function inbound(plane: DataPlane, crypto: Crypto, packet: Bytes, now: Micros): Inbound {
  const header = ipHeader(packet);
  if (header === undefined) return drop(plane, "recv", "notIp");
  const flow = flowOf(header, packet);
  if (header.protocol === ESP) return inboundEsp(plane, crypto, header, flow, packet, now);
  return inboundClear(plane, header, flow, packet);
}

function inboundClear(plane: DataPlane, header: IpHeader, flow: Flow, packet: Bytes): Inbound {
  if (isOwnControl(plane, header, flow, packet, flow.destination) || isGroupControl(plane, header, flow)) {
    return { kind: "clear", packet };
  }
  const verdict = classify(plane, flow);
  switch (verdict.verdict) {
    case "clear":
    case "unmatched":
      return { kind: "clear", packet };
    case "failClose":
      return drop(plane, "recv", "failClose");
    case "protect":
      // Whoever sends in clear what must be protected is not a member.
      return drop(plane, "recv", "clear", verdict.group);
  }
}

/** Multicast rekeys come to a group address, from the key server's port 848. */
function isGroupControl(plane: DataPlane, header: IpHeader, flow: Flow): boolean {
  return plane.config.bypassControl && header.destination >>> 28 === 14 && flow.destinationPort === 848;
}

function inboundEsp(
  plane: DataPlane,
  crypto: Crypto,
  header: IpHeader,
  flow: Flow,
  packet: Bytes,
  now: Micros,
): Inbound {
  const octets = packet.subarray(header.headerOctets);
  const label = readLabel(octets);
  if (label === undefined) return drop(plane, "recv", "malformed");
  const installed = plane.sas.get(label.spi);
  if (installed === undefined) {
    const verdict = classify(plane, flow).verdict;
    const isForeign = !plane.config.ownAddresses.includes(header.destination);
    if (verdict === "clear" || (verdict === "unmatched" && isForeign && !hasPolicy(plane))) {
      return { kind: "clear", packet };
    }
    return drop(plane, "recv", "invalidSa", undefined, undefined, label.spi);
  }
  return open(plane, crypto, installed, header, packet, label.sequence, now);
}

/**
 * The order of RFC 4303 section 3.4: window, ICV, window again; then what is inside. Time-based anti-replay would look at
 * the opened payload, in front of the inner header.
 */
function open(
  plane: DataPlane,
  crypto: Crypto,
  installed: InstalledSa,
  outer: IpHeader,
  outerPacket: Bytes,
  sequence: number,
  now: Micros,
): Inbound {
  const { sa, window } = installed;
  const group = plane.groups.get(sa.group);
  const refuse = (reason: Parameters<typeof drop>[2]): Dropped => drop(plane, "recv", reason, group, installed);
  if (!isAlive(installed, now)) return refuse("expired");
  if (window !== undefined && !isFresh(window, sequence)) return refuse("replay");
  const opened = openEsp(crypto, installed.protection, installed.keys, outerPacket.subarray(outer.headerOctets));
  if (opened === "verify") return refuse("verify");
  if (typeof opened === "string") return refuse("malformed");
  if (window !== undefined) markSeen(window, sequence);
  count(["decaps", "decrypt", "verify"], plane, group, installed);
  if (opened.nextHeader === DUMMY) return refuse("dummy");
  const packet = sa.mode === "tunnel" ? tunnelled(opened) : transported(outer, outerPacket, opened);
  if (packet === undefined) return refuse("protocol");
  const inner = ipHeader(packet);
  if (inner === undefined) return refuse("malformed");
  // Address preservation, seen from the receiver: whatever changed the outer header (NAT) is caught here.
  if (inner.source !== outer.source || inner.destination !== outer.destination) {
    return { ...refuse("addressesChanged"), inner: { source: inner.source, destination: inner.destination } };
  }
  const rule = firstMatch(group?.rules ?? [], flowOf(inner, packet));
  if (rule?.action !== "protect" || rule.family !== sa.family) return refuse("selector");
  return { kind: "clear", packet, opened: { group: sa.group, spi: sa.spi } };
}

function tunnelled({ nextHeader, payload }: EspContent): Bytes | undefined {
  return nextHeader === IPV4 ? payload : undefined;
}

function transported(outer: IpHeader, outerPacket: Bytes, content: EspContent): Bytes | undefined {
  if (content.nextHeader === IPV4 || content.nextHeader === IPV6 || content.nextHeader === ESP) return undefined;
  const options = outer.headerOctets > 20 ? outerPacket.subarray(20, outer.headerOctets) : undefined;
  return buildPacket({ ...outer, protocol: content.nextHeader }, content.payload, options);
}
