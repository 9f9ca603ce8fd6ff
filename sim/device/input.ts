/** Packets arrive at a device: data plane, then for itself, onwards, or nowhere. */
import type { Bytes } from "../../src/base/bytes.ts";
import { formatIpv4, type Ipv4, isMulticastIpv4 } from "../../src/base/ipv4.ts";
import { reassemble } from "../../src/esp/fragment.ts";
import { inbound } from "../../src/esp/inbound.ts";
import { type IpHeader, ipHeader, withTtlDecremented } from "../../src/esp/ipHeader.ts";
import { readUdp } from "../../src/esp/udpPacket.ts";
import { inboundPair, type PairPlane } from "../../src/peer/pairPlane.ts";
import { IpProtocol } from "../../src/wire/ip.ts";
import { ALL_SPF_ROUTERS } from "../../src/wire/ospf.ts";
import { type Device, nextIdentification, type Port, pairPlaneOf, planeOf } from "./device.ts";
import { hearHello } from "./hello.ts";
import { echoReply, readIcmp, Unreachable } from "./icmp.ts";
import { giveDatagram, tellUnknownSpi } from "./machineHost.ts";
import { fromOutside, toOutside } from "./nat.ts";
import { type EngineDone, type Looped, type Network, note, noteDrop } from "./networkState.ts";
import {
  addressTowards,
  noteEspDrop,
  outputOn,
  outputVia,
  sendError,
  sendOwn,
  sendTimeExceeded,
  throughEngine,
} from "./output.ts";
import { pingHeard } from "./ping.ts";
import { routeTo } from "./routing.ts";

/** UDP ports of IKE: 500, 4500 behind a NAT, 848 for group keys. */
const MACHINE_PORTS: ReadonlySet<number> = new Set([500, 848, 4500]);

/** A packet has come in at a port. `cause`: its `packet.received`. */
export function receive(network: Network, device: Device, port: Port, packet: Bytes, cause: number): void {
  const header = ipHeader(packet);
  if (header === undefined) {
    noteDrop(network, device, "header", packet, cause);
    return;
  }
  const pairPlane = pairPlaneOf(device, port);
  if (pairPlane !== undefined) {
    receiveByPair(network, device, port, pairPlane, packet, header, cause);
    return;
  }
  const plane = planeOf(device, port);
  if (plane === undefined) {
    accept(network, device, port, packet, header, cause);
    return;
  }
  const { now } = network.scheduler;
  // Whoever opens ESP needs all of it, also where the packet is for somebody else; of the device's own control traffic
  // only the first fragment shows the port.
  const isWanted = header.protocol === IpProtocol.ESP || isForDevice(device, header.destination);
  const whole = isWanted ? reassemble(device.reassembly, header, packet, now) : packet;
  if (whole === undefined) return;
  const result = inbound(plane, device.espCrypto, whole, now);
  if (result.kind === "dropped") {
    const dropped = noteEspDrop(network, device, result, whole, cause);
    if (result.reason === "invalidSa") tellUnknownSpi(network, device, result.spi!, dropped);
  } else if (result.opened === undefined) acceptWhole(network, device, port, whole, packet, header, cause);
  else throughEngine(network, device, { way: "in", port: port.index, packets: [result.packet], cause });
}

/** By an interface with tunnels to single peers: sealed packets are addressed to the router itself. */
function receiveByPair(
  network: Network,
  device: Device,
  port: Port,
  plane: PairPlane,
  packet: Bytes,
  header: IpHeader,
  cause: number,
): void {
  const { now } = network.scheduler;
  const isOwn = device.ownAddresses.has(header.destination);
  const whole = isOwn ? reassemble(device.reassembly, header, packet, now) : packet;
  if (whole === undefined) return;
  const result = inboundPair(plane, device.espCrypto, whole, now);
  switch (result.kind) {
    case "dropped":
      noteEspDrop(network, device, result, whole, cause);
      return;
    case "opened":
      throughEngine(network, device, { way: "in", port: port.index, packets: [result.packet], cause });
      return;
    default:
      acceptWhole(network, device, port, whole, packet, header, cause);
  }
}

function isForDevice(device: Device, destination: Ipv4): boolean {
  return device.ownAddresses.has(destination) || device.groups.has(destination);
}

/** `header`: of `last`, the fragment that made the packet whole, or the packet itself. */
function acceptWhole(
  network: Network,
  device: Device,
  port: Port,
  whole: Bytes,
  last: Bytes,
  header: IpHeader,
  cause: number,
): void {
  accept(network, device, port, whole, whole === last ? header : ipHeader(whole)!, cause);
}

/** An opened packet comes out of the engine. */
export function engineIn(network: Network, { device, port, packets, cause }: EngineDone): void {
  for (const packet of packets) accept(network, device, device.ports[port]!, packet, ipHeader(packet)!, cause);
}

/** What a device has sent to itself. */
export function loopedBack(network: Network, { device, packet, cause }: Looped): void {
  deliver(network, device, packet, ipHeader(packet)!, cause);
}

/** A packet in clear, as it came or as it was opened: translated first, where it comes from outside. */
function accept(network: Network, device: Device, port: Port, given: Bytes, before: IpHeader, cause: number): void {
  const packet = fromOutside(network, device, port, before, given, cause);
  if (packet === undefined) return;
  const header = packet === given ? before : ipHeader(packet)!;
  if (header.destination === ALL_SPF_ROUTERS) {
    hearHello(network, device, port, packet, header, cause);
    return;
  }
  if (isMulticastIpv4(header.destination)) {
    acceptGroup(network, device, port, packet, header, cause);
    return;
  }
  if (device.ownAddresses.has(header.destination) || isBroadcast(port, header.destination)) {
    deliver(network, device, packet, header, cause);
    return;
  }
  if (device.forwards) forward(network, device, port, packet, header, cause);
  else noteDrop(network, device, "notForMe", packet, cause);
}

function isBroadcast(port: Port, destination: Ipv4): boolean {
  if (destination === 0xffffffff) return true;
  return port.addresses.some(({ address, mask }) => (address | ~mask) >>> 0 === destination && mask < 0xfffffffe);
}

function forward(network: Network, device: Device, from: Port, packet: Bytes, header: IpHeader, cause: number): void {
  if (header.ttl <= 1) {
    const dropped = noteDrop(network, device, "ttl", packet, cause);
    sendTimeExceeded(network, device, packet, dropped);
    return;
  }
  const route = routeTo(device, header.destination);
  if (route?.port === undefined) {
    const dropped = noteDrop(network, device, "noRoute", packet, cause);
    sendError(network, device, Unreachable.host, packet, dropped);
    return;
  }
  const onward = withTtlDecremented(packet);
  const translated = toOutside(network, device, from, device.ports[route.port]!, ipHeader(onward)!, onward, cause);
  if (translated !== undefined) outputVia(network, device, route, header.destination, translated, cause);
}

/**
 * A multicast packet goes to the device itself if it has joined, from a link to the clouds, and from anywhere to the
 * hosts on its links that have joined. It must come from where its source is (reverse path), so that it cannot circle.
 */
function acceptGroup(
  network: Network,
  device: Device,
  port: Port,
  packet: Bytes,
  header: IpHeader,
  cause: number,
): void {
  if (routeTo(device, header.source)?.port !== port.index && device.forwards) {
    noteDrop(network, device, "notForMe", packet, cause);
    return;
  }
  const isOurs = device.groups.has(header.destination);
  if (isOurs) deliver(network, device, packet, header, cause);
  const targets = device.forwards ? groupPorts(network, device, port, header.destination) : [];
  if (targets.length === 0) {
    if (!isOurs) noteDrop(network, device, "notForMe", packet, cause);
    return;
  }
  if (header.ttl <= 1) {
    noteDrop(network, device, "ttl", packet, cause);
    return;
  }
  const onward = withTtlDecremented(packet);
  for (const target of targets) outputOn(network, device, target, onward, cause);
}

function groupPorts(network: Network, device: Device, from: Port, group: Ipv4): readonly Port[] {
  return device.ports.filter(({ index, isUp, attachment }) => {
    if (index === from.index || !isUp || attachment === undefined) return false;
    if (attachment.kind === "cloud") return from.attachment?.kind === "link";
    const peer = network.devices[attachment.peerDevice]!;
    return !peer.forwards && peer.groups.has(group);
  });
}

/** A packet for the device itself, put together where it came in parts. */
function deliver(network: Network, device: Device, packet: Bytes, header: IpHeader, cause: number): void {
  const whole = reassemble(device.reassembly, header, packet, network.scheduler.now);
  if (whole === undefined) return;
  const own = whole === packet ? header : ipHeader(whole)!;
  switch (own.protocol) {
    case IpProtocol.ICMP:
      deliverIcmp(network, device, whole, own, cause);
      return;
    case IpProtocol.UDP:
      deliverUdp(network, device, whole, own, cause);
      return;
    default: {
      const dropped = noteDrop(network, device, "protocol", whole, cause);
      sendError(network, device, Unreachable.protocol, whole, dropped);
    }
  }
}

function deliverIcmp(network: Network, device: Device, packet: Bytes, header: IpHeader, cause: number): void {
  const icmp = readIcmp(packet.subarray(header.headerOctets));
  if (icmp === undefined) {
    noteDrop(network, device, "checksum", packet, cause);
    return;
  }
  if (icmp.kind !== "echo") {
    pingHeard(network, device, header.source, icmp, cause);
    return;
  }
  const isGroup = isMulticastIpv4(header.destination);
  const source = isGroup ? addressTowards(device, header.source) : header.destination;
  if (source === undefined || (!isGroup && !device.ownAddresses.has(source))) return;
  const data = { from: formatIpv4(header.source), to: formatIpv4(header.destination) };
  const answered = note(network, device.number, "echo.answered", cause, undefined, data);
  const origin = { source, destination: header.source, identification: nextIdentification(device) };
  sendOwn(network, device, echoReply(header, icmp.echo, origin), answered);
}

function deliverUdp(network: Network, device: Device, packet: Bytes, header: IpHeader, cause: number): void {
  const udp = readUdp(packet, header);
  if (udp === undefined) {
    noteDrop(network, device, "checksum", packet, cause);
    return;
  }
  const source = formatIpv4(header.source);
  const destination = formatIpv4(header.destination);
  const datagram = {
    local: { address: destination, port: udp.destinationPort },
    remote: { address: source, port: udp.sourcePort },
    octets: udp.payload,
  };
  if (MACHINE_PORTS.has(udp.destinationPort) && giveDatagram(network, device, datagram, cause)) return;
  const dropped = noteDrop(network, device, "port", packet, cause);
  sendError(network, device, Unreachable.port, packet, dropped);
}
