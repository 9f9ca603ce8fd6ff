/**
 * The data plane of a crypto map with tunnels to single peers: policies in the order of the map, and for each of them the
 * pairs of Child SAs that exist. Classic tunnel mode: the outer header has the addresses of the two routers, whoever
 * speaks inside. RFC 4301 section 5, RFC 4303, RFC 3948.
 *
 *     packet -> first policy that permits it -> its SA, or none yet: it is dropped, and the role is told to make one
 *
 * IOS drops the packet that brings a tunnel up, and all that follow until it is there.
 */
import type { Bytes } from "../base/bytes.ts";
import { parseIpv4 } from "../base/ipv4.ts";
import type { Endpoint } from "../base/machine.ts";
import { type Micros, SECOND } from "../base/micros.ts";
import type { Rng } from "../base/rng.ts";
import type { Crypto } from "../crypto/api.ts";
import type { TrafficRule } from "../esp/api.ts";
import { type Counters, DROP_COUNTERS, type DropReason, newCounters } from "../esp/counters.ts";
import { count, type Dropped } from "../esp/dataPlane.ts";
import { readLabel } from "../esp/espPacket.ts";
import { fragment } from "../esp/fragment.ts";
import { buildPacket, type IpHeader, ipHeader } from "../esp/ipHeader.ts";
import { plaintextMtu } from "../esp/mtu.ts";
import { type Flow, firstMatch, flowOf } from "../esp/selector.ts";
import { buildUdpPacket, readUdp } from "../esp/udpPacket.ts";
import { IpProtocol } from "../wire/ip.ts";
import { NAT_PORT } from "../wire/nonEsp.ts";
import { type EspDrop, openTunnel, sealTunnel, type Tunnel } from "./tunnel.ts";

export interface PairPolicy {
  /** Of the map's entry, such as `MESH 10`. */
  readonly name: string;
  /** Its access list: `protect` through the tunnel, `bypass` on to the next entry. */
  readonly rules: readonly TrafficRule[];
}

export interface PairPlaneConfig {
  readonly policies: readonly PairPolicy[];
  readonly ownAddresses: readonly number[];
  /** DF of the outer header, and whether packets are cut before they are sealed: as for groups. */
  readonly df: "copy" | "set" | "clear";
  readonly lookAhead: boolean;
}

/** A pair of SAs as it is in use. */
interface Installed {
  readonly policy: string;
  readonly tunnel: Tunnel;
  /** Where it leads; a peer behind a NAT may move. */
  local: Endpoint;
  remote: Endpoint;
  /** It has a successor, and is there only for what is on its way. */
  fadesAt: Micros | undefined;
}

/** Plain data. */
export interface PairPlane {
  readonly config: PairPlaneConfig;
  /** By inbound SPI, oldest first. */
  readonly pairs: Map<number, Installed>;
  /** Inbound SPI of the pair that each policy sends with. */
  readonly senders: Map<string, number>;
  /** Policies whose tunnel is being made. */
  readonly wanted: Set<string>;
  readonly counters: Counters;
  /** The same by policy, over all pairs that it has had. */
  readonly byPolicy: Map<string, Counted>;
  identification: number;
}

interface Counted {
  readonly counters: Counters;
}

/** What the role tells the data plane of its router. */
export type PairOrder =
  | { readonly kind: "pairUp"; readonly policy: string; readonly tunnel: Tunnel }
  | { readonly kind: "pairDown"; readonly inboundSpi: number }
  | { readonly kind: "pairMoved"; readonly inboundSpi: number; readonly local: Endpoint; readonly remote: Endpoint }
  /** Nobody answers: the next packet may ask again. */
  | { readonly kind: "pairFailed"; readonly policy: string };

export type PairResult =
  | { readonly kind: "clear"; readonly packet: Bytes }
  | { readonly kind: "sealed"; readonly packets: readonly Bytes[] }
  | { readonly kind: "opened"; readonly packet: Bytes }
  | { readonly kind: "tooBig"; readonly mtu: number; readonly policy: string }
  /** `wants`: policy whose tunnel has to be made; told once until it is there or has failed. */
  | (Dropped & { readonly wants?: string });

const OUTER_TTL = 255;
/** How long a pair that has a successor still receives. As the peer's own tunnels. */
const FADE: Micros = 5 * SECOND;
const IKE_PORTS: readonly (number | undefined)[] = [500, NAT_PORT];
/** What encapsulation in UDP adds. RFC 3948 section 2.1. */
export const UDP_OCTETS = 8;

const REASONS = {
  spi: "invalidSa",
  replay: "replay",
  verify: "verify",
  malformed: "malformed",
  dummy: "dummy",
  selector: "selector",
  exhausted: "sequence",
} as const satisfies Record<EspDrop, DropReason>;

export function createPairPlane(config: PairPlaneConfig): PairPlane {
  return {
    config,
    pairs: new Map(),
    senders: new Map(),
    wanted: new Set(),
    counters: newCounters(),
    byPolicy: new Map(config.policies.map(({ name }) => [name, { counters: newCounters() }])),
    identification: 0,
  };
}

/** What a plane of an older configuration holds goes on in the one of the new, as far as its entries are still there. */
export function adoptPairs(plane: PairPlane, before: PairPlane | undefined): void {
  if (before === undefined) return;
  const names = new Set(plane.config.policies.map(({ name }) => name));
  for (const [spi, pair] of before.pairs) if (names.has(pair.policy)) plane.pairs.set(spi, pair);
  for (const [name, spi] of before.senders) if (names.has(name)) plane.senders.set(name, spi);
  for (const name of before.wanted) if (names.has(name)) plane.wanted.add(name);
  for (const [name, counted] of before.byPolicy) if (names.has(name)) plane.byPolicy.set(name, counted);
  Object.assign(plane, { counters: before.counters, identification: before.identification });
}

// ------------------------------------------------------------------------------------------------------------- orders

export function applyPair(plane: PairPlane, order: PairOrder, now: Micros): void {
  for (const [spi, { fadesAt }] of plane.pairs) if (hasFaded(fadesAt, now)) plane.pairs.delete(spi);
  switch (order.kind) {
    case "pairUp":
      install(plane, order.policy, order.tunnel);
      return;
    case "pairDown":
      remove(plane, order.inboundSpi, now);
      return;
    case "pairMoved": {
      const pair = plane.pairs.get(order.inboundSpi);
      if (pair !== undefined) Object.assign(pair, { local: order.local, remote: order.remote });
      return;
    }
    case "pairFailed":
      plane.wanted.delete(order.policy);
      return;
  }
}

function hasFaded(fadesAt: Micros | undefined, now: Micros): boolean {
  return fadesAt !== undefined && fadesAt <= now;
}

/** A successor receives at once and sends when the peer has it for certain. RFC 7296 section 2.8. */
function install(plane: PairPlane, policy: string, tunnel: Tunnel): void {
  const { inboundSpi, replaces, local, remote } = tunnel.view;
  plane.pairs.set(inboundSpi, { policy, tunnel, local, remote, fadesAt: undefined });
  const sending = plane.senders.get(policy);
  if (sending === undefined || sending !== replaces) plane.senders.set(policy, inboundSpi);
  plane.wanted.delete(policy);
}

function remove(plane: PairPlane, inboundSpi: number, now: Micros): void {
  const pair = plane.pairs.get(inboundSpi);
  if (pair === undefined) return;
  const others = [...plane.pairs].filter(([spi, other]) => {
    return spi !== inboundSpi && other.policy === pair.policy && other.fadesAt === undefined;
  });
  const successor = others.find(([, { tunnel }]) => tunnel.view.replaces === inboundSpi) ?? others.at(-1);
  if (successor === undefined) {
    plane.pairs.delete(inboundSpi);
    plane.senders.delete(pair.policy);
    return;
  }
  pair.fadesAt = now + FADE;
  if (plane.senders.get(pair.policy) === inboundSpi) plane.senders.set(pair.policy, successor[0]);
}

// ------------------------------------------------------------------------------------------------------------ outwards

/** A packet leaves by the interface of the map. `mtu`: octets of the largest packet on that line. */
export function outboundPair(
  plane: PairPlane,
  tools: { readonly crypto: Crypto; readonly rng: Rng },
  packet: Bytes,
  mtu: number,
): PairResult {
  const header = ipHeader(packet);
  if (header === undefined) return drop(plane, "send", "notIp");
  const flow = flowOf(header, packet);
  const policy = isOwnIke(plane, flow, flow.source) ? undefined : policyFor(plane, flow);
  if (policy === undefined) return { kind: "clear", packet };
  const pair = plane.pairs.get(plane.senders.get(policy.name) ?? 0);
  if (pair === undefined) {
    const isNew = !plane.wanted.has(policy.name);
    plane.wanted.add(policy.name);
    return { ...drop(plane, "send", "noSa", policy.name), ...(isNew && { wants: policy.name }) };
  }
  const room = plaintextMtu(mtu, pair.tunnel.protection, pair.tunnel.view.udp ? UDP_OCTETS : 0);
  const { df, lookAhead } = plane.config;
  const isLarge = packet.length > room;
  if (isLarge && header.isDf && df !== "clear") return { kind: "tooBig", mtu: room, policy: policy.name };
  const parts = isLarge && !header.isDf && lookAhead ? (fragment(packet, room) ?? [packet]) : [packet];
  const packets: Bytes[] = [];
  for (const part of parts) {
    const esp = sealTunnel(tools.crypto, tools.rng, pair.tunnel, part);
    if (typeof esp === "string") return drop(plane, "send", REASONS[esp], policy.name, pair);
    count(["encaps", "encrypt", "digest"], plane, plane.byPolicy.get(policy.name));
    packets.push(around(plane, pair, header, esp));
  }
  return { kind: "sealed", packets };
}

/** The outer header: router to router; in UDP where IKE has found a NAT. */
function around(plane: PairPlane, { tunnel, local, remote }: Installed, inner: IpHeader, esp: Bytes): Bytes {
  const { df } = plane.config;
  plane.identification = (plane.identification + 1) & 0xffff;
  const fields = {
    tos: inner.tos,
    identification: plane.identification,
    isDf: df === "copy" ? inner.isDf : df === "set",
    ttl: OUTER_TTL,
    source: parseIpv4(local.address)!,
    destination: parseIpv4(remote.address)!,
  };
  return tunnel.view.udp
    ? buildUdpPacket(fields, local.port, remote.port, esp)
    : buildPacket({ ...fields, protocol: IpProtocol.ESP }, esp);
}

function policyFor({ config }: PairPlane, flow: Flow): PairPolicy | undefined {
  return config.policies.find(({ rules }) => firstMatch(rules, flow)?.action === "protect");
}

/** IKE of the router itself is never put into its own tunnels. */
function isOwnIke({ config }: PairPlane, flow: Flow, own: number): boolean {
  if (flow.protocol !== IpProtocol.UDP || !config.ownAddresses.includes(own)) return false;
  return IKE_PORTS.includes(flow.sourcePort) || IKE_PORTS.includes(flow.destinationPort);
}

// ------------------------------------------------------------------------------------------------------------- inwards

/** A packet comes in by the interface of the map. ESP for somebody else passes. */
export function inboundPair(plane: PairPlane, crypto: Crypto, packet: Bytes, now: Micros): PairResult {
  const header = ipHeader(packet);
  if (header === undefined) return drop(plane, "recv", "notIp");
  const isOwn = plane.config.ownAddresses.includes(header.destination);
  if (isOwn) {
    const esp = header.protocol === IpProtocol.ESP ? packet.subarray(header.headerOctets) : espInUdp(packet, header);
    if (esp !== undefined) return openPair(plane, crypto, esp, now);
  }
  const flow = flowOf(header, packet);
  if (isOwnIke(plane, flow, flow.destination)) return { kind: "clear", packet };
  // Whoever sends in clear what has to come through a tunnel is not its peer.
  const policy = policyFor(plane, reversed(flow));
  return policy === undefined ? { kind: "clear", packet } : drop(plane, "recv", "clear", policy.name);
}

function reversed(flow: Flow): Flow {
  return {
    protocol: flow.protocol,
    source: flow.destination,
    destination: flow.source,
    sourcePort: flow.destinationPort,
    destinationPort: flow.sourcePort,
  };
}

/** On port 4500, four zeros are the marker of IKE and one octet is a keepalive; all else is ESP. RFC 3948 section 2. */
function espInUdp(packet: Bytes, header: IpHeader): Bytes | undefined {
  if (header.protocol !== IpProtocol.UDP || header.hasMore || header.fragmentOffset > 0) return undefined;
  const udp = readUdp(packet, header);
  if (udp === undefined || udp.destinationPort !== NAT_PORT) return undefined;
  const label = readLabel(udp.payload);
  return label === undefined || label.spi === 0 ? undefined : udp.payload;
}

function openPair(plane: PairPlane, crypto: Crypto, esp: Bytes, now: Micros): PairResult {
  const label = readLabel(esp);
  if (label === undefined) return drop(plane, "recv", "malformed");
  const pair = plane.pairs.get(label.spi);
  if (pair === undefined) return { ...drop(plane, "recv", "invalidSa"), spi: label.spi };
  if (hasFaded(pair.fadesAt, now)) {
    plane.pairs.delete(label.spi);
    return drop(plane, "recv", "invalidSa", pair.policy, pair);
  }
  const opened = openTunnel(crypto, pair.tunnel, esp);
  if (typeof opened === "string") return drop(plane, "recv", REASONS[opened], pair.policy, pair);
  count(["decaps", "decrypt", "verify"], plane, plane.byPolicy.get(pair.policy));
  const { replaces, inboundSpi } = pair.tunnel.view;
  if (replaces !== 0 && plane.senders.get(pair.policy) === replaces) plane.senders.set(pair.policy, inboundSpi);
  return { kind: "opened", packet: opened };
}

function drop(
  plane: PairPlane,
  direction: "send" | "recv",
  reason: DropReason,
  tunnel?: string,
  pair?: Installed,
): Dropped {
  const names = [DROP_COUNTERS[reason], direction === "send" ? "sendErrors" : "recvErrors"] as const;
  count(names, plane, tunnel === undefined ? undefined : plane.byPolicy.get(tunnel));
  return { kind: "dropped", reason, tunnel, spi: pair?.tunnel.view.inboundSpi };
}
