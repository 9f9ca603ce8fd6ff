/**
 * A key server, members, and a cloud between them that delays every datagram and loses those that a rule names. Virtual
 * time jumps to whatever is due next. Multicast reaches every member that has joined. Orders to the data plane are kept
 * in a small table per member, so that tests can ask what a member sends with.
 */
import { createRng } from "../../sim/core/rng.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { isMulticastIpv4, parseIpv4 } from "../../src/base/ipv4.ts";
import type { Datagram, EventData, Happened } from "../../src/base/machine.ts";
import { MILLISECOND, type Micros, SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import type { Crypto, RsaPrivateKey } from "../../src/crypto/api.ts";
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import { native } from "../../src/crypto/native.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import type { DataPlaneOrder, DataSa, Selector, TrafficRule } from "../../src/esp/api.ts";
import type { DialectChoice } from "../../src/gikev2/dialects.ts";
import type { GmConfig, GmGroupConfig, GroupProtocol } from "../../src/gm/config.ts";
import { createGmState, type GmCommand, type GmState, handleGm, nextGmTimeout } from "../../src/gm/groupMember.ts";
import type { AuthProfile, EndpointConfig, Tools } from "../../src/ikev2/api.ts";
import type { GikeService, KsConfig, KsGroupConfig } from "../../src/ks/config.ts";
import { createKsState, handleKs, type KsCommand, type KsState, nextKsTimeout } from "../../src/ks/keyServer.ts";
import { addressOctets } from "../../src/wire/address.ts";
import { IdType } from "../../src/wire/ikev2Numbers.ts";

export const DELAY: Micros = 10 * MILLISECOND;
export const KS_ADDRESS = "192.168.1.254";
export const REKEY_ADDRESS = "239.192.1.1";

export const RSA: RsaPrivateKey = rsaKey(createRng("rekey signer"), 1024);

export function selector(change: Partial<Selector> = {}): Selector {
  return {
    sourceFirst: 0,
    sourceLast: 0xffffffff,
    destinationFirst: 0,
    destinationLast: 0xffffffff,
    protocol: 0,
    sourcePortFirst: 0,
    sourcePortLast: 65535,
    destinationPortFirst: 0,
    destinationPortLast: 65535,
    ...change,
  };
}

export const ICMP = selector({ protocol: 1 });
export const SSH = selector({ protocol: 6, destinationPortFirst: 22, destinationPortLast: 22 });

export const CBC = { encr: 12, encrKeyBits: 128, integ: 12 };
export const GCM = { encr: 20, encrKeyBits: 256, integ: 0 };

export function profile(address: string, key: string): AuthProfile {
  const octets = secret(utf8(key));
  return {
    name: "GETVPN",
    localIdentity: { type: IdType.IPV4_ADDR, data: addressOctets(address) },
    local: "pre-share",
    remote: ["pre-share"],
    match: { remoteAddresses: [{ network: "0.0.0.0", mask: "0.0.0.0" }], remoteIdentities: [], anyRemote: false },
    keys: [{ peer: "any", address: { network: "0.0.0.0", mask: "0.0.0.0" }, localKey: octets, remoteKey: octets }],
    lifetimeSeconds: 0,
  };
}

export function ike(address: string, key = "cisco", change: Partial<EndpointConfig> = {}): EndpointConfig {
  return {
    proposals: [{ encr: [{ id: 20, keyBits: 256 }], prf: [5], integ: [], dh: [31], kwa: [3] }],
    profiles: [profile(address, key)],
    retransmit: { first: 2 * SECOND, factor: 2, repeats: 3 },
    ...change,
  };
}

/** What a group serves members of G-IKEv2 with. */
export function gike(change: Partial<GikeService> = {}): GikeService {
  return { dialect: "rfc9838", profile: "GETVPN", kekSuite: { ...GCM, kwa: 3 }, ...change };
}

export function ksGroup(change: Partial<KsGroupConfig> = {}): KsGroupConfig {
  return {
    name: "GROUP",
    id: { kind: "number", number: 1111 },
    gikev2: gike(),
    transport: { kind: "unicast" },
    kek: {
      lifetimeSeconds: 86400,
      signer: { key: RSA, scheme: { kind: "rsa-pkcs1", hash: "sha256" } },
    },
    dataSas: [
      {
        number: 1,
        lifetimeSeconds: 3600,
        suite: CBC,
        sequenceNumbers: 2,
        entries: [
          { action: "deny", selector: SSH },
          { action: "permit", selector: ICMP },
        ],
      },
    ],
    mode: "tunnel",
    retransmit: { seconds: 10, count: 2 },
    ...change,
  };
}

export const MULTICAST: KsGroupConfig["transport"] = {
  kind: "multicast",
  source: { address: KS_ADDRESS, port: 848 },
  destination: { address: REKEY_ADDRESS, port: 848 },
};

export function gmAddress(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

/** How the members of these tests register unless told otherwise. */
export function gikev2(choice: Partial<DialectChoice> = {}): GroupProtocol {
  return { kind: "gikev2", dialect: "rfc9838", profile: "GETVPN", ...choice };
}

export function gmGroup(index: number, change: Partial<GmGroupConfig> = {}): GmGroupConfig {
  return {
    name: "GROUP",
    id: { kind: "number", number: 1111 },
    protocol: gikev2(),
    local: { address: gmAddress(index), port: 848 },
    servers: [{ address: KS_ADDRESS, port: 848 }],
    senderIds: 1,
    localBypass: [],
    bypassControl: true,
    ...change,
  };
}

export interface Event {
  readonly at: Micros;
  readonly name: string;
  readonly data: EventData;
}

export interface Member {
  readonly index: number;
  readonly address: string;
  readonly state: GmState;
  readonly tools: Tools;
  readonly events: Event[];
  readonly orders: DataPlaneOrder[];
  /** The data plane: SAs by SPI, the SPI that each family sends with, the rules. */
  readonly sas: Map<number, DataSa>;
  readonly sending: Map<number, number>;
  rules: readonly TrafficRule[];
  readonly joined: Set<string>;
}

export interface Server {
  readonly address: string;
  readonly state: KsState;
  readonly tools: Tools;
  readonly events: Event[];
}

interface Flight {
  readonly at: Micros;
  readonly datagram: Datagram;
  readonly to: Server | Member;
}

export interface Wire {
  readonly at: Micros;
  readonly from: string;
  readonly to: string;
  readonly exchange: number;
  readonly response: boolean;
  readonly octets: Uint8Array;
}

export interface Network {
  now: Micros;
  readonly servers: Server[];
  readonly members: Member[];
  readonly flights: Flight[];
  readonly wire: Wire[];
  /** Keys that the machines handed out for export. */
  readonly keys: KeyEntry[];
  /** True loses the datagram. `target`: a member's or the server's address, also for a multicast copy. */
  lose: (wire: Wire, target: string) => boolean;
  /** May change a datagram on its way. */
  alter: (wire: Wire, target: string) => Uint8Array;
}

export interface NetworkOptions {
  readonly members: number;
  readonly group?: Partial<KsGroupConfig>;
  readonly member?: (index: number) => Partial<GmGroupConfig>;
  readonly gmConfig?: (index: number, config: GmConfig) => GmConfig;
  readonly ksConfig?: (config: KsConfig & { readonly ike: EndpointConfig }) => KsConfig;
  readonly crypto?: Crypto;
  readonly seed?: string;
}

export function createNetwork(options: NetworkOptions): Network {
  const rng = createRng(options.seed ?? "network");
  const crypto = options.crypto ?? native;
  const base = {
    local: { address: KS_ADDRESS, port: 848 },
    ike: ike(KS_ADDRESS),
    groups: [ksGroup(options.group)],
  };
  const server: Server = {
    address: KS_ADDRESS,
    state: createKsState(options.ksConfig?.(base) ?? base),
    tools: { crypto, rng: rng.fork("ks1") },
    events: [],
  };
  const members = Array.from({ length: options.members }, (_, i): Member => {
    const index = i + 1;
    const config: GmConfig = { ike: ike(gmAddress(index)), groups: [gmGroup(index, options.member?.(index))] };
    return {
      index,
      address: gmAddress(index),
      state: createGmState(options.gmConfig?.(index, config) ?? config),
      tools: { crypto, rng: rng.fork(`gm${index}`) },
      events: [],
      orders: [],
      sas: new Map(),
      sending: new Map(),
      rules: [],
      joined: new Set(),
    };
  });
  return {
    now: 0,
    servers: [server],
    members,
    flights: [],
    wire: [],
    keys: [],
    lose: () => false,
    alter: (wire) => wire.octets,
  };
}

function isServer(node: Server | Member): node is Server {
  return !("index" in node);
}

export function commandGm(net: Network, member: Member, command: GmCommand): void {
  take(net, member, handleGm(member.state, member.tools, { kind: "command", command }, net.now));
}

export function commandKs(net: Network, command: KsCommand, server = net.servers[0]!): void {
  take(net, server, handleKs(server.state, server.tools, { kind: "command", command }, net.now));
}

/** Applies the crypto map at every member, one millisecond after the other. */
export function startAll(net: Network): void {
  for (const member of net.members) {
    commandGm(net, member, { name: "mapApplied", group: "GROUP" });
    runUntil(net, net.now + MILLISECOND);
  }
}

type Output = ReturnType<typeof handleGm>[number];

function take(net: Network, node: Server | Member, outputs: readonly Output[]): void {
  for (const output of outputs) {
    if (output.kind === "send") deliver(net, output);
    else if (output.kind === "keys") net.keys.push(output.entry);
    else if (output.kind === "event") node.events.push(eventOf(net.now, output));
    else if (output.kind === "order" && !isServer(node)) obey(node, output.order);
  }
}

function eventOf(at: Micros, { name, data }: Happened): Event {
  return { at, name, data };
}

function obey(member: Member, order: DataPlaneOrder): void {
  member.orders.push(order);
  switch (order.kind) {
    case "install":
      member.sas.set(order.sa.spi, order.sa);
      break;
    case "remove":
      if (!member.sas.delete(order.spi)) throw new Error("an SA is removed that was not there");
      break;
    case "sendWith":
      if (!member.sas.has(order.spi)) throw new Error("an SA is to send that was not there");
      member.sending.set(order.family, order.spi);
      break;
    case "rules":
      member.rules = order.rules;
      break;
    case "join":
      member.joined.add(order.address);
      break;
    case "leave":
      member.joined.delete(order.address);
  }
}

function deliver(net: Network, { local, remote, octets }: Datagram): void {
  const wire: Wire = {
    at: net.now,
    from: local.address,
    to: remote.address,
    exchange: octets[18] ?? 0,
    response: ((octets[19] ?? 0) & 0x20) !== 0,
    octets,
  };
  net.wire.push(wire);
  const nodes: (Server | Member)[] = [...net.servers, ...net.members];
  const multicast = isMulticastIpv4(parseIpv4(remote.address)!);
  for (const to of nodes) {
    const meant = multicast ? !isServer(to) && to.joined.has(remote.address) : to.address === remote.address;
    if (!meant || net.lose(wire, to.address)) continue;
    const datagram = { local: remote, remote: local, octets: net.alter(wire, to.address) };
    net.flights.push({ at: net.now + DELAY, datagram, to });
  }
}

function timeoutOf(node: Server | Member): Micros | undefined {
  return isServer(node) ? nextKsTimeout(node.state) : nextGmTimeout(node.state);
}

function handle(
  net: Network,
  node: Server | Member,
  input: { kind: "timeout" } | { kind: "datagram"; datagram: Datagram },
) {
  const outputs = isServer(node)
    ? handleKs(node.state, node.tools, input, net.now)
    : handleGm(node.state, node.tools, input, net.now);
  take(net, node, outputs);
}

/** Injects a datagram as if it came from the network. */
export function inject(net: Network, node: Server | Member, datagram: Datagram): void {
  handle(net, node, { kind: "datagram", datagram });
}

/** Lets everything happen that is due up to `end`. */
export function runUntil(net: Network, end: Micros): void {
  const nodes: (Server | Member)[] = [...net.servers, ...net.members];
  for (;;) {
    const flight = net.flights[0];
    let next = flight?.at ?? Number.POSITIVE_INFINITY;
    let due: Server | Member | undefined;
    for (const node of nodes) {
      const at = timeoutOf(node);
      if (at === undefined || at >= next) continue;
      next = at;
      due = node;
    }
    if (next > end) break;
    net.now = Math.max(net.now, next);
    if (due !== undefined) handle(net, due, { kind: "timeout" });
    else {
      net.flights.shift();
      handle(net, flight!.to, { kind: "datagram", datagram: flight!.datagram });
    }
  }
  net.now = end;
}

export function named(events: readonly Event[], name: string): readonly Event[] {
  return events.filter((event) => event.name === name);
}

export function ksEvents(net: Network, name: string): readonly Event[] {
  return named(net.servers[0]!.events, name);
}

/** SPIs that a member holds, in ascending order. */
export function spis(member: Member): readonly number[] {
  return [...member.sas.keys()].sort((a, b) => a - b);
}
