/** Packets leave a device: route, data plane, fragmentation, line. */
import type { Bytes } from "../../src/base/bytes.ts";
import { formatIpv4, type Ipv4, isMulticastIpv4 } from "../../src/base/ipv4.ts";
import { MILLISECOND } from "../../src/base/micros.ts";
import { COUNTERS, DROP_COUNTERS } from "../../src/esp/counters.ts";
import type { Dropped } from "../../src/esp/dataPlane.ts";
import { fragment } from "../../src/esp/fragment.ts";
import { ipHeader } from "../../src/esp/ipHeader.ts";
import { outbound } from "../../src/esp/outbound.ts";
import { buildUdpPacket } from "../../src/esp/udpPacket.ts";
import { outboundPair, type PairPlane } from "../../src/peer/pairPlane.ts";
import { IcmpType } from "../../src/wire/ip.ts";
import { type Device, nextIdentification, type Port, pairPlaneOf, planeOf } from "./device.ts";
import { deservesError, icmpError, Unreachable } from "./icmp.ts";
import { tellTunnelWanted } from "./machineHost.ts";
import { errorInside } from "./nat.ts";
import { type EngineDone, type Network, note, noteDrop } from "./networkState.ts";
import { userTrafficNanos } from "./platform.ts";
import type { Route } from "./routeTable.ts";
import { routeTo, sourceAddress } from "./routing.ts";
import { countSealed } from "./sealed.ts";
import { sendOnPort } from "./transmission.ts";

/** IOS gives its own control traffic precedence 6. */
const CONTROL_TOS = 0xc0;
const TTL = 255;

/** A UDP datagram of the device's own. `source`: one of its addresses. */
export function sendUdp(
  network: Network,
  device: Device,
  source: { readonly address: string; readonly port: number },
  target: { readonly address: string; readonly port: number },
  addresses: { readonly source: Ipv4; readonly destination: Ipv4 },
  payload: Bytes,
  cause: number,
): void {
  const fields = {
    tos: CONTROL_TOS,
    identification: nextIdentification(device),
    isDf: false,
    ttl: TTL,
    ...addresses,
  };
  const packet = buildUdpPacket(fields, source.port, target.port, payload);
  sendOwn(network, device, packet, cause);
}

/** A packet of the device's own, whole and with its source address. */
export function sendOwn(network: Network, device: Device, packet: Bytes, cause: number): void {
  const header = ipHeader(packet)!;
  if (isMulticastIpv4(header.destination)) {
    for (const port of multicastPorts(device, header.source)) outputOn(network, device, port, packet, cause);
    return;
  }
  if (device.ownAddresses.has(header.destination)) {
    const { scheduler, targets } = network;
    scheduler.schedule(scheduler.now, targets.loop, { device, life: device.life, packet, cause });
    return;
  }
  const route = routeTo(device, header.destination);
  if (route === undefined) noteDrop(network, device, "noRoute", packet, cause);
  else outputVia(network, device, route, header.destination, packet, cause);
}

/** The packet leaves by a route. Routes to `Null0` swallow it. */
export function outputVia(
  network: Network,
  device: Device,
  route: Route,
  destination: Ipv4,
  packet: Bytes,
  cause: number,
): void {
  const port = route.port === undefined ? undefined : device.ports[route.port]!;
  if (port === undefined) noteDrop(network, device, "noRoute", packet, cause);
  else if (!hasNeighbour(network, port, route, destination)) {
    noteDrop(network, device, "noNeighbour", packet, cause);
  } else outputOn(network, device, port, packet, cause);
}

/** On a link, the next router or the destination itself must be the device at the other end. */
function hasNeighbour(network: Network, { attachment }: Port, route: Route, destination: Ipv4): boolean {
  const next = route.nextHop ?? (route.source === "connected" ? destination : undefined);
  if (next === undefined || attachment?.kind !== "link") return true;
  return network.devices[attachment.peerDevice]!.ownAddresses.has(next);
}

/** By the port that the source address belongs to; from a loopback, by every port that is plugged in. */
function multicastPorts(device: Device, source: Ipv4): readonly Port[] {
  const usable = device.ports.filter(({ isUp, attachment }) => isUp && attachment !== undefined);
  const own = usable.filter(({ addresses }) => addresses.some(({ address }) => address === source));
  return own.length > 0 ? own : usable;
}

/** The packet leaves by this port: its TTL is what it is to be on the line. */
export function outputOn(network: Network, device: Device, port: Port, packet: Bytes, cause: number): void {
  if (!port.isUp || port.attachment === undefined) {
    noteDrop(network, device, "interfaceDown", packet, cause);
    return;
  }
  const pairPlane = pairPlaneOf(device, port);
  if (pairPlane !== undefined) {
    throughPair(network, device, port, pairPlane, packet, cause);
    return;
  }
  const plane = planeOf(device, port);
  if (plane === undefined) {
    putOnLine(network, device, port, packet, cause);
    return;
  }
  const { now } = network.scheduler;
  const tools = { crypto: device.espCrypto, rng: device.espRng };
  const result = outbound(plane, tools, packet, port.mtu, now);
  switch (result.kind) {
    case "clear":
      putOnLine(network, device, port, packet, cause);
      return;
    case "sealed":
      countSealed(device.sealed, packet, result.packets);
      throughEngine(network, device, { way: "out", port: port.index, packets: result.packets, cause });
      return;
    case "tooBig":
      note(network, device.number, "esp.tooBig", cause, packet, { mtu: result.mtu, group: result.group });
      sendError(network, device, Unreachable.fragmentationNeeded, packet, cause, result.mtu);
      return;
    case "dropped":
      noteEspDrop(network, device, result, packet, cause);
      return;
  }
}

/** By an interface with tunnels to single peers. A packet that needs one which is not there is the last of its kind to
 * be lost silently: the role hears of it. */
function throughPair(
  network: Network,
  device: Device,
  port: Port,
  plane: PairPlane,
  packet: Bytes,
  cause: number,
): void {
  const result = outboundPair(plane, { crypto: device.espCrypto, rng: device.espRng }, packet, port.mtu);
  switch (result.kind) {
    case "sealed":
      countSealed(device.sealed, packet, result.packets);
      throughEngine(network, device, { way: "out", port: port.index, packets: result.packets, cause });
      return;
    case "tooBig":
      note(network, device.number, "esp.tooBig", cause, packet, { mtu: result.mtu, tunnel: result.policy });
      sendError(network, device, Unreachable.fragmentationNeeded, packet, cause, result.mtu);
      return;
    case "dropped": {
      const dropped = noteEspDrop(network, device, result, packet, cause);
      if (result.wants !== undefined) tellTunnelWanted(network, device, result.wants, dropped);
      return;
    }
    default:
      putOnLine(network, device, port, result.packet, cause);
  }
}

export function noteEspDrop(network: Network, device: Device, drop: Dropped, packet: Bytes, cause: number): number {
  const header = ipHeader(packet);
  return note(network, device.number, "esp.dropped", cause, packet, {
    reason: drop.reason,
    ...(header && { source: formatIpv4(header.source), destination: formatIpv4(header.destination) }),
    counter: COUNTERS[DROP_COUNTERS[drop.reason]],
    ...(drop.group === undefined ? {} : { group: drop.group }),
    ...(drop.tunnel === undefined ? {} : { tunnel: drop.tunnel }),
    ...(drop.spi === undefined ? {} : { spi: drop.spi.toString(16).padStart(8, "0") }),
    ...(drop.inner === undefined ? {} : changedAddresses(drop.inner)),
  });
}

/** Address preservation copies the inner header outside: where both differ, somebody has rewritten what nothing protects. */
function changedAddresses({ source, destination }: NonNullable<Dropped["inner"]>) {
  return {
    innerSource: formatIpv4(source),
    innerDestination: formatIpv4(destination),
    why: "the outer header differs from the protected inner header it was copied from: a NAT on the way changed it",
  };
}

/** Cuts what is too large for the line, or says that it must not be cut. */
function putOnLine(network: Network, device: Device, port: Port, packet: Bytes, cause: number): void {
  if (packet.length <= port.mtu) {
    sendOnPort(network, device, port, packet, cause);
    return;
  }
  const parts = fragment(packet, port.mtu);
  if (parts === undefined) {
    const dropped = noteDrop(network, device, "mtu", packet, cause);
    sendError(network, device, Unreachable.fragmentationNeeded, packet, dropped, port.mtu);
    return;
  }
  for (const part of parts) sendOnPort(network, device, port, part, cause);
}

/** User traffic keeps its order: a packet waits for the ones before it. */
export function throughEngine(
  network: Network,
  device: Device,
  work: Pick<EngineDone, "way" | "port" | "packets" | "cause">,
): void {
  const { scheduler, targets } = network;
  const { now } = scheduler;
  let nanos = 0;
  for (const packet of work.packets) nanos += userTrafficNanos(device.cpu.platform, packet.length);
  const start = Math.max(now, device.engineFreeAt);
  device.engineFreeAt = start + Math.ceil(nanos / 1_000);
  scheduler.schedule(device.engineFreeAt, targets.engine, { device, life: device.life, ...work });
}

/** Sealed packets come out of the engine. */
export function engineOut(network: Network, { device, port, packets, cause }: EngineDone): void {
  const out = device.ports[port]!;
  for (const packet of packets) {
    if (out.isUp) putOnLine(network, device, out, packet, cause);
    else noteDrop(network, device, "interfaceDown", packet, cause);
  }
}

/** IOS: one unreachable in 500 ms, and the same again for those that tell an MTU. */
const UNREACHABLE_SPACING = 500 * MILLISECOND;

/** ICMP destination unreachable to the source of `packet`, where it deserves one. */
export function sendError(network: Network, device: Device, code: number, packet: Bytes, cause: number, mtu = 0): void {
  const { now } = network.scheduler;
  const which = code === Unreachable.fragmentationNeeded ? "mtu" : "other";
  const last = device.lastUnreachable[which];
  if (!deservesError(packet) || (last !== undefined && now - last < UNREACHABLE_SPACING)) return;
  device.lastUnreachable[which] = now;
  sendIcmpError(network, device, IcmpType.DESTINATION_UNREACHABLE, code, packet, cause, mtu);
}

export function sendTimeExceeded(network: Network, device: Device, packet: Bytes, cause: number): void {
  if (deservesError(packet)) sendIcmpError(network, device, IcmpType.TIME_EXCEEDED, 0, packet, cause, 0);
}

/** From the address of the port towards the one that is to hear of it. */
function sendIcmpError(
  network: Network,
  device: Device,
  type: number,
  code: number,
  packet: Bytes,
  cause: number,
  mtu: number,
): void {
  const destination = ipHeader(packet)!.source;
  const source = device.ownAddresses.has(destination) ? destination : addressTowards(device, destination);
  if (source === undefined) return;
  const origin = { source, destination, identification: nextIdentification(device) };
  sendOwn(network, device, errorInside(network, device, icmpError(type, code, packet, origin, mtu)), cause);
}

/** The address that a packet to a destination leaves from; undefined without a way or an address there. */
export function addressTowards(device: Device, destination: Ipv4): Ipv4 | undefined {
  if (device.ownAddresses.has(destination)) return destination;
  if (isMulticastIpv4(destination)) {
    const port = device.ports.find(({ isUp, attachment }) => isUp && attachment !== undefined);
    return port === undefined ? undefined : sourceAddress(port);
  }
  const port = routeTo(device, destination)?.port;
  return port === undefined ? undefined : sourceAddress(device.ports[port]!);
}
