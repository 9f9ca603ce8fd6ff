/** Packets on lines and through clouds: `packet.sent`, then `packet.received` or `packet.lost`. */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Micros } from "../../src/base/micros.ts";
import { IP_HEADER_OCTETS, word } from "../../src/esp/ipHeader.ts";
import { IpProtocol } from "../../src/wire/ip.ts";
import { ALL_SPF_ROUTERS } from "../../src/wire/ospf.ts";
import { isSpent, tamper } from "../fault/fault.ts";
import { forward } from "../net/cloud.ts";
import { type Direction, transmit } from "../net/link.ts";
import type { Device, Port } from "./device.ts";
import {
  type Arrival,
  type CloudNode,
  type Crossing,
  type Line,
  type LineEnd,
  type Loss,
  type Network,
  note,
} from "./networkState.ts";

/** A device gives a packet to the line at a port. The port is up and plugged in. */
export function sendOnPort(network: Network, device: Device, port: Port, packet: Bytes, cause: number): void {
  const line = network.lines[port.attachment!.line]!;
  const isA = line.a.kind === "port" && line.a.device === device.number && line.a.port === port.index;
  put(network, line, isA ? "ab" : "ba", device.number, device.name, port.name, packet, cause);
}

function put(
  network: Network,
  line: Line,
  direction: Direction,
  from: number,
  fromName: string,
  interfaceName: string,
  packet: Bytes,
  cause: number,
): void {
  const { tamperers } = network;
  if (tamperers.length === 0) {
    sendCopy(network, line, direction, from, interfaceName, packet, cause);
    return;
  }
  for (const copy of tamper(tamperers, line.link.name, fromName, packet)) {
    sendCopy(network, line, direction, from, interfaceName, copy, cause);
  }
  for (let i = tamperers.length - 1; i >= 0; i--) if (isSpent(tamperers[i]!)) tamperers.splice(i, 1);
}

function sendCopy(
  network: Network,
  line: Line,
  direction: Direction,
  from: number,
  interfaceName: string,
  packet: Bytes,
  cause: number,
): void {
  const { scheduler, trace, streams, targets } = network;
  const { now } = scheduler;
  const link = line.link.name;
  const sent = trace.append(now, from, "packet.sent", cause, packet, {
    link,
    interface: interfaceName,
    octets: packet.length,
  });
  const end = direction === "ab" ? line.b : line.a;
  for (const fate of transmit(line.link, direction, now, packet.length, streams)) {
    if ("reason" in fate) {
      lose(network, fate.lostAt, { device: from, link, reason: fate.reason, packet, cause: sent });
    } else {
      scheduler.schedule(fate.deliverAt, targets.arrive, { line, end, packet, cause: sent });
    }
  }
}

/** The trace is in the order of time: what vanishes later is noted later. */
function lose(network: Network, at: Micros, loss: Loss): void {
  if (at > network.scheduler.now) network.scheduler.schedule(at, network.targets.lose, loss);
  else noteLoss(network, loss);
}

export function noteLoss(network: Network, { device, link, reason, packet, cause }: Loss): void {
  network.trace.append(network.scheduler.now, device, "packet.lost", cause, packet, { link, reason });
}

/** Notes that a packet is there, and at which port of which device it is; undefined where a cloud goes on with it. */
export function arrive(
  network: Network,
  { line, end, packet, cause }: Arrival,
): { device: Device; port: Port; received: number } | undefined {
  const link = line.link.name;
  if (end.kind === "cloud") {
    enterCloud(network, network.clouds[end.cloud]!, end.site, link, packet, cause);
    return undefined;
  }
  const device = network.devices[end.device]!;
  const port = device.ports[end.port]!;
  if (!device.isUp || port.isShutdown) {
    noteLoss(network, { device: otherEnd(network, line, end), link, reason: "down", packet, cause });
    return undefined;
  }
  const received = network.trace.append(network.scheduler.now, device.number, "packet.received", cause, packet, {
    link,
    interface: port.name,
  });
  return { device, port, received };
}

/** A lost packet is noted at its sender. */
function otherEnd(network: Network, line: Line, end: LineEnd): number {
  const other = end === line.a ? line.b : line.a;
  return other.kind === "cloud" ? network.clouds[other.cloud]!.number : other.device;
}

function enterCloud(network: Network, node: CloudNode, site: number, link: string, packet: Bytes, cause: number): void {
  const { scheduler, trace, streams, targets } = network;
  const { now } = scheduler;
  const interfaceName = node.cloud.sites[site]!;
  const received = trace.append(now, node.number, "packet.received", cause, packet, { link, interface: interfaceName });
  // The provider's edge takes part in the customer's routing: it takes hellos in.
  if (isHello(packet)) return;
  const result = forward(node.cloud, site, packet, now, streams);
  if ("drop" in result) {
    note(network, node.number, "cloud.dropped", received, packet, { reason: result.drop, site: interfaceName });
    return;
  }
  for (const copy of result.copies) {
    if ("reason" in copy) {
      const way = `${node.name}/${interfaceName}/${node.cloud.sites[copy.site]!}`;
      lose(network, copy.lostAt, { device: node.number, link: way, reason: copy.reason, packet, cause: received });
    } else {
      scheduler.schedule(copy.deliverAt, targets.cross, { cloud: node, site: copy.site, packet, cause: received });
    }
  }
}

function isHello(packet: Bytes): boolean {
  return packet.length >= IP_HEADER_OCTETS && packet[9] === IpProtocol.OSPF && word(packet, 16) === ALL_SPF_ROUTERS;
}

/** A copy has crossed the cloud and leaves it by the access line of its site. */
export function leaveCloud(network: Network, { cloud, site, packet, cause }: Crossing): void {
  const line = network.lines[cloud.lines[site]!]!;
  put(network, line, "ba", cloud.number, cloud.name, cloud.cloud.sites[site]!, packet, cause);
}
