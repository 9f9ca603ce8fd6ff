/**
 * A key server and its members with nothing between them but delay and loss: the roles themselves with their data planes,
 * real IP and UDP octets with checksums, deadlines, and a trace. It is what `sim/device` does for a packet, without
 * routes, clouds and a modelled processor, of which the benchmarks ask nothing.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import { formatIpv4, type Ipv4, isMulticastIpv4, parseIpv4 } from "../../src/base/ipv4.ts";
import type { Datagram } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { Crypto, DhGroup } from "../../src/crypto/api.ts";
import { apply, createDataPlane, type DataPlane } from "../../src/esp/dataPlane.ts";
import { ipHeader } from "../../src/esp/ipHeader.ts";
import { buildUdpPacket, readUdp } from "../../src/esp/udpPacket.ts";
import {
  createGmState,
  type GmInput,
  type GmOutput,
  type GmState,
  handleGm,
  nextGmTimeout,
} from "../../src/gm/groupMember.ts";
import type { Tools } from "../../src/ikev2/api.ts";
import type { Signer } from "../../src/ks/config.ts";
import { createKsState, handleKs, type KsInput, type KsState, nextKsTimeout } from "../../src/ks/keyServer.ts";
import { IpProtocol } from "../../src/wire/ip.ts";
import { type KeyExchange, privateKeyStream } from "../core/keyExchange.ts";
import { createRng } from "../core/rng.ts";
import { type EventHandle, NO_EVENT, Scheduler, type Target } from "../core/scheduler.ts";
import { NONE, type Trace } from "../core/trace.ts";
import type { Credentials } from "./credentials.ts";
import { gdoiGmConfig, gdoiKsConfig } from "./gdoiGroup.ts";
import { type BenchDhGroup, benchAddress, GROUP_NAME, gmConfig, ksConfig } from "./group.ts";

export interface RoleNetworkOptions {
  readonly members: number;
  readonly dh: BenchDhGroup;
  readonly credentials: Credentials;
  readonly crypto: Crypto;
  /** Given: rekeys are multicast messages with its signature. */
  readonly signer?: Signer;
  /** True: members speak GDOI. */
  readonly gdoi?: boolean;
  /** Undefined: nothing is noted. */
  readonly trace: Trace | undefined;
  /** One way between the key server and a member (1 ..), in microseconds. */
  readonly delay: (member: number) => Micros;
  /** Whether the next packet is lost. */
  readonly isLost: () => boolean;
}

interface Node {
  /** Number in the trace: 0 for the key server. */
  readonly number: number;
  readonly name: string;
  readonly address: Ipv4;
  readonly addressText: string;
  /** Where its packets pass, as the trace has it. */
  readonly at: { readonly link: string; readonly interface: string };
  readonly role: { readonly kind: "ks"; readonly state: KsState } | { readonly kind: "gm"; readonly state: GmState };
  tools: Tools;
  readonly plane: DataPlane | undefined;
  identification: number;
  wake: EventHandle;
  wakeAt: Micros | undefined;
}

interface Arrival {
  readonly node: Node;
  readonly packet: Bytes;
  readonly cause: number;
}

/** Of the key server, and of all members together. */
export interface PacketCounts {
  sentByServer: number;
  sentByMembers: number;
  receivedByServer: number;
  receivedByMembers: number;
}

export interface RoleNetwork {
  readonly scheduler: Scheduler;
  readonly counts: PacketCounts;
  readonly server: KsState;
  member(number: number): GmState;
  /** From now on: another back end, another trace or none. */
  change(crypto: Crypto, trace: Trace | undefined): void;
  /** Gives a member a packet as it would come from its link. */
  inject(number: number, packet: Bytes): void;
  commandServer(command: Extract<KsInput, { kind: "command" }>["command"]): void;
  commandMember(number: number, command: Extract<GmInput, { kind: "command" }>["command"]): void;
}

/** Of all benchmarks on this network. */
export const SEED = "bench";

/** IOS gives its own control traffic precedence 6. */
const CONTROL_TOS = 0xc0;
const TTL = 255;
const INTERFACE = "Ethernet0/0";

type Input = Extract<KsInput, { kind: "datagram" | "timeout" }>;

export function createRoleNetwork(options: RoleNetworkOptions): RoleNetwork {
  const { members, delay, isLost } = options;
  let { trace } = options;
  const rng = createRng(SEED);
  const scheduler = new Scheduler();
  const counts: PacketCounts = { sentByServer: 0, sentByMembers: 0, receivedByServer: 0, receivedByMembers: 0 };
  const nodes = Array.from({ length: members + 1 }, (_, number) => createNode(number, options, rng));
  const arrive: Target<Arrival> = scheduler.register("packet arrives", onArrival);
  const wake: Target<Node> = scheduler.register("deadline", onWake);
  return {
    scheduler,
    counts,
    server: (nodes[0]!.role as Extract<Node["role"], { kind: "ks" }>).state,
    member: (number) => (nodes[number]!.role as Extract<Node["role"], { kind: "gm" }>).state,
    change(crypto, newTrace) {
      trace = newTrace;
      for (const node of nodes) node.tools = { ...node.tools, crypto };
    },
    inject: (number, packet) => onArrival({ node: nodes[number]!, packet, cause: NONE }),
    commandServer: (command) => perform(nodes[0]!, handle(nodes[0]!, { kind: "command", command }), NONE),
    commandMember: (number, command) =>
      perform(nodes[number]!, handle(nodes[number]!, { kind: "command", command }), NONE),
  };

  function handle(node: Node, input: Input | KsInput | GmInput): readonly GmOutput[] {
    const { role, tools } = node;
    return role.kind === "ks"
      ? handleKs(role.state, tools, input as KsInput, scheduler.now)
      : handleGm(role.state, tools, input as GmInput, scheduler.now);
  }

  function onArrival({ node, packet, cause }: Arrival): void {
    counts[node.number === 0 ? "receivedByServer" : "receivedByMembers"] += 1;
    const received = trace?.append(scheduler.now, node.number, "packet.received", cause, packet, node.at);
    const datagram = datagramOf(packet, node);
    if (datagram !== undefined) perform(node, handle(node, { kind: "datagram", datagram }), received ?? NONE);
  }

  function onWake(node: Node): void {
    node.wake = NO_EVENT;
    node.wakeAt = undefined;
    perform(node, handle(node, { kind: "timeout" }), NONE);
  }

  /** Carries out what a role answered, and sees to it that its next deadline is met. */
  function perform(node: Node, outputs: readonly GmOutput[], cause: number): void {
    let last = cause;
    for (const output of outputs) {
      if (output.kind === "send") send(node, output, last);
      else if (output.kind === "event") {
        last = trace?.append(scheduler.now, node.number, output.name, cause, undefined, output.data) ?? NONE;
      } else if (output.kind === "order") apply(node.plane!, output.order);
    }
    const due = node.role.kind === "ks" ? nextKsTimeout(node.role.state) : nextGmTimeout(node.role.state);
    if (due === node.wakeAt) return;
    scheduler.cancel(node.wake);
    node.wakeAt = due;
    node.wake = due === undefined ? NO_EVENT : scheduler.schedule(Math.max(due, scheduler.now), wake, node);
  }

  function send(node: Node, { local, remote, octets }: Datagram, cause: number): void {
    const address = parseIpv4(remote.address)!;
    const packet = packetOf(node, local.port, address, remote.port, octets);
    counts[node.number === 0 ? "sentByServer" : "sentByMembers"] += 1;
    const data = { link: node.name, interface: INTERFACE, octets: packet.length };
    const sent = trace?.append(scheduler.now, node.number, "packet.sent", cause, packet, data);
    if (!isMulticastIpv4(address)) deliver(node, nodeAt(address), packet, sent ?? NONE);
    else for (let number = 1; number <= members; number++) deliver(node, nodes[number]!, packet, sent ?? NONE);
  }

  function deliver(from: Node, to: Node, packet: Bytes, cause: number): void {
    if (isLost()) {
      trace?.append(scheduler.now, from.number, "packet.lost", cause, packet, { link: from.name, reason: "loss" });
      return;
    }
    const wait = delay(from.number === 0 ? to.number : from.number);
    scheduler.schedule(scheduler.now + wait, arrive, { node: to, packet, cause });
  }

  function nodeAt(address: Ipv4): Node {
    const node = address === nodes[0]!.address ? nodes[0] : nodes[address - benchAddress(1) + 1];
    assert(node !== undefined, () => `nobody has the address ${formatIpv4(address)}`);
    return node;
  }

  /** Undefined where a checksum is wrong, or the packet is for somebody else. */
  function datagramOf(packet: Bytes, node: Node): Datagram | undefined {
    const header = ipHeader(packet);
    if (header?.protocol !== IpProtocol.UDP) return undefined;
    const isMine = header.destination === node.address;
    if (!isMine && !isMulticastIpv4(header.destination)) return undefined;
    const udp = readUdp(packet, header);
    if (udp === undefined) return undefined;
    return {
      local: { address: isMine ? node.addressText : formatIpv4(header.destination), port: udp.destinationPort },
      remote: { address: nodeAt(header.source).addressText, port: udp.sourcePort },
      octets: udp.payload,
    };
  }
}

function nameOf(number: number): string {
  return number === 0 ? "ks1" : `gm${number}`;
}

/** The exchanges of the first registrations of all members. */
export function registrationForecast(members: number, group: DhGroup): readonly KeyExchange[] {
  const root = createRng(SEED);
  const streamOf = (number: number): string => privateKeyStream(root.fork(nameOf(number))).path;
  const responder = streamOf(0);
  return Array.from({ length: members }, (_, i) => ({ initiator: streamOf(i + 1), responder, group }));
}

function createNode(number: number, { dh, credentials, signer, gdoi, crypto }: RoleNetworkOptions, root: Rng): Node {
  const proof = credentials(number);
  const ks = () => ksConfig(dh, proof, signer);
  const gm = () => gmConfig(number, dh, proof);
  const name = nameOf(number);
  const rng = root.fork(name);
  const address = benchAddress(number);
  return {
    number,
    name,
    address,
    addressText: formatIpv4(address),
    at: { link: name, interface: INTERFACE },
    role:
      number === 0
        ? { kind: "ks", state: createKsState(gdoi === true ? gdoiKsConfig(ks(), dh) : ks()) }
        : { kind: "gm", state: createGmState(gdoi === true ? gdoiGmConfig(gm(), dh) : gm()) },
    tools: { crypto, rng, keys: privateKeyStream(rng) },
    plane: number === 0 ? undefined : createDataPlane({ groups: [GROUP_NAME], ownAddresses: [address] }),
    identification: 0,
    wake: NO_EVENT,
    wakeAt: undefined,
  };
}

function packetOf(node: Node, port: number, remote: Ipv4, remotePort: number, octets: Bytes): Bytes {
  node.identification = (node.identification + 1) & 0xffff;
  const fields = {
    tos: CONTROL_TOS,
    identification: node.identification,
    isDf: false,
    ttl: TTL,
    source: node.address,
    destination: remote,
  };
  return buildUdpPacket(fields, port, remotePort, octets);
}
