/**
 * OSPF's hellos, for those who want to see them: each router sends one by every interface that makes neighbours, every ten
 * seconds, and names those that it has heard within forty. Routes do not follow from them (see ospf.ts): no database is
 * exchanged and no designated router elected. They go through the crypto map like any packet of the router's own, so that
 * a group whose access list covers them would seal them.
 *
 * At the provider's edge they end: what the provider's router says itself is not modelled.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { formatIpv4, type Ipv4, parseIpv4 } from "../../src/base/ipv4.ts";
import { type Micros, SECOND } from "../../src/base/micros.ts";
import { buildPacket, type IpHeader } from "../../src/esp/ipHeader.ts";
import { matchAddress } from "../../src/ios/acl.ts";
import type { IosConfig, IosInterface } from "../../src/ios/model.ts";
import { IpProtocol } from "../../src/wire/ip.ts";
import { ALL_SPF_ROUTERS, OspfHello, OspfType } from "../../src/wire/ospf.ts";
import { type Device, nextIdentification, type Port } from "./device.ts";
import { type Network, note, noteDrop } from "./networkState.ts";
import { isLoopback, ospfMode } from "./ospf.ts";
import { outputOn } from "./output.ts";

/** On Ethernet. RFC 2328 appendix C.3, and IOS. */
const HELLO_SECONDS = 10;
const DEAD_SECONDS = 40;
/** The E bit: external routes are welcome. */
const OPTIONS = 0x02;
const PRIORITY = 1;
const CONTROL_TOS = 0xc0;

/** The first hello leaves somewhere in the first interval: routers are not switched on in step. */
export function startHellos(network: Network, device: Device): void {
  if (network.spec.ospfHellos !== true || device.spec.kind !== "router" || device.spec.config.ospf.size === 0) return;
  const { scheduler, targets } = network;
  const wait = device.rng.fork(`life${device.life}/ospf`).below(HELLO_SECONDS * SECOND);
  scheduler.schedule(scheduler.now + wait, targets.hello, { device, life: device.life });
}

/** Hellos leave by all interfaces that make neighbours; the next ones are due in an interval. */
export function helloDue(network: Network, device: Device): void {
  const { scheduler, targets } = network;
  scheduler.schedule(scheduler.now + HELLO_SECONDS * SECOND, targets.hello, { device, life: device.life });
  if (device.spec.kind !== "router") return;
  const { config } = device.spec;
  for (const port of device.ports) {
    const iface = config.interfaces.get(port.name);
    if (iface === undefined || !port.isUp || port.attachment === undefined) continue;
    if (ospfMode(config, iface) !== "active") continue;
    const sent = note(network, device.number, "ospf.hello", -1, undefined, { interface: port.name });
    outputOn(network, device, port, helloPacket(device, config, iface, port, scheduler.now), sent);
  }
}

function helloPacket(device: Device, config: IosConfig, iface: IosInterface, port: Port, now: Micros): Bytes {
  const { address, mask } = iface.address!;
  const heard = [...(device.neighbours.get(port.index) ?? [])].filter(([, at]) => now - at < DEAD_SECONDS * SECOND);
  const hello = OspfHello.encode({
    version: 2,
    type: OspfType.HELLO,
    routerId: formatIpv4(routerId(config)),
    area: areaOf(config, iface),
    authenticationType: 0,
    authentication: new Uint8Array(8),
    networkMask: formatIpv4(mask),
    helloInterval: HELLO_SECONDS,
    options: OPTIONS,
    priority: PRIORITY,
    deadInterval: DEAD_SECONDS,
    designatedRouter: "0.0.0.0",
    backupRouter: "0.0.0.0",
    neighbours: heard.map(([id]) => formatIpv4(id)),
  });
  const fields = {
    tos: CONTROL_TOS,
    identification: nextIdentification(device),
    isDf: false,
    ttl: 1,
    protocol: IpProtocol.OSPF,
    source: address,
    destination: ALL_SPF_ROUTERS,
  };
  return buildPacket(fields, hello);
}

/** As configured, or the highest address of a loopback, or else of any interface. RFC 2328 section C.1, and IOS. */
function routerId(config: IosConfig): Ipv4 {
  const [process] = config.ospf.values();
  if (process?.routerId !== undefined) return process.routerId;
  const live = [...config.interfaces.values()].filter(({ shutdown }) => !shutdown);
  const loopbacks = live.filter(({ name }) => isLoopback(name));
  const highest = (list: readonly IosInterface[]) => Math.max(0, ...list.map((one) => one.address?.address ?? 0));
  return highest(loopbacks) || highest(live);
}

function areaOf(config: IosConfig, iface: IosInterface): number {
  if (iface.ospfArea !== undefined) return iface.ospfArea.area;
  const networks = [...config.ospf.values()].flatMap((process) => process.networks);
  return networks.find((network) => matchAddress(network, iface.address!.address))?.area ?? 0;
}

/** What came to 224.0.0.5. Where hellos are not sent, nobody listens for them either. */
export function hearHello(
  network: Network,
  device: Device,
  port: Port,
  packet: Bytes,
  header: IpHeader,
  cause: number,
): void {
  const hello = header.protocol === IpProtocol.OSPF ? readHello(packet.subarray(header.headerOctets)) : undefined;
  const config = device.spec.kind === "router" ? device.spec.config : undefined;
  const iface = config?.interfaces.get(port.name);
  const listens = config !== undefined && iface !== undefined && ospfMode(config, iface) === "active";
  if (hello === undefined || !listens) {
    noteDrop(network, device, "notForMe", packet, cause);
    return;
  }
  const { now } = network.scheduler;
  const heard = device.neighbours.get(port.index) ?? new Map<Ipv4, Micros>();
  device.neighbours.set(port.index, heard);
  const id = parseIpv4(hello.routerId)!;
  const last = heard.get(id);
  heard.set(id, now);
  if (last !== undefined && now - last < DEAD_SECONDS * SECOND) return;
  note(network, device.number, "ospf.neighbour", cause, undefined, { neighbour: hello.routerId, interface: port.name });
}

function readHello(octets: Bytes): OspfHello | undefined {
  try {
    const hello = OspfHello.decode(octets);
    return hello.type === OspfType.HELLO ? hello : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
