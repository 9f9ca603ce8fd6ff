/**
 * A router or a host as it runs: ports, routes, what it has joined, its data planes, its machines and its pings. The
 * functions of the neighbouring files change it; a reload makes everything anew but what the configuration says.
 */
import type { Ipv4 } from "../../src/base/ipv4.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { type Meter, metered, newMeter } from "../../src/crypto/meter.ts";
import type { TrafficRule } from "../../src/esp/api.ts";
import { createDataPlane, type DataPlane } from "../../src/esp/dataPlane.ts";
import { createReassembly, type Reassembly } from "../../src/esp/fragment.ts";
import type { IosConfig, IosInterface } from "../../src/ios/model.ts";
import { tunnelName } from "../../src/peer/fromIos.ts";
import { adoptPairs, createPairPlane, type PairPlane } from "../../src/peer/pairPlane.ts";
import { type EventHandle, NO_EVENT } from "../core/scheduler.ts";
import type { Nat } from "../net/nat.ts";
import { aclRules } from "./aclRules.ts";
import { type Cpu, createCpu } from "./cpu.ts";
import { natAfter, natOf } from "./nat.ts";
import { isLoopback } from "./ospf.ts";
import type { Ping } from "./ping.ts";
import { createRouteTable, type RouteTable } from "./routeTable.ts";
import type { WanExit } from "./routing.ts";
import { newSealedCount, type SealedCount } from "./sealed.ts";
import type { DeviceSpec, HostedMachine, MachineInput, RouterSpec } from "./spec.ts";

/** What a port is plugged into. */
export type Attachment =
  | { readonly kind: "link"; readonly line: number; readonly peerDevice: number; readonly peerPort: number }
  | { readonly kind: "cloud"; readonly line: number; readonly cloud: number; readonly site: number };

export interface Port {
  readonly index: number;
  readonly name: string;
  /** Primary first; a loopback, too, has one. */
  addresses: readonly { readonly address: Ipv4; readonly mask: Ipv4 }[];
  /** Octets of the largest IP packet. */
  mtu: number;
  readonly isLoopback: boolean;
  /** Name of the crypto map on it. */
  map: string | undefined;
  /** The side of the address translation that it is on. */
  nat: "inside" | "outside" | undefined;
  isShutdown: boolean;
  attachment: Attachment | undefined;
  /** Line protocol. */
  isUp: boolean;
}

/** A role at work. */
export interface Hosted {
  readonly name: string;
  readonly machine: HostedMachine;
  /** A timeout is in the queue of the CPU. */
  isTimeoutQueued: boolean;
  /** Deadline of last time, and the event that led to it: the cause of what happens then. */
  deadline: Micros | undefined;
  deadlineCause: number;
}

export interface Job {
  readonly hosted: Hosted;
  readonly input: MachineInput;
  readonly cause: number;
}

export interface Device {
  /** In the trace. */
  readonly number: number;
  readonly name: string;
  spec: DeviceSpec;
  readonly forwards: boolean;
  readonly ports: Port[];
  ownAddresses: ReadonlySet<Ipv4>;
  routes: RouteTable;
  wanExit: WanExit | undefined;
  isUp: boolean;
  /** When it was last switched on. */
  startedAt: Micros;
  /** Starts so far; what was scheduled for an earlier life is void. */
  life: number;
  /** Multicast groups, and how many parts of the device are in them. */
  readonly groups: Map<Ipv4, number>;
  /** Data planes by crypto map. */
  planes: Map<string, DataPlane>;
  /** Data planes of the crypto maps with tunnels to single peers. */
  pairPlanes: Map<string, PairPlane>;
  /** SPIs that the roles have been told of. */
  readonly unknownSpis: Set<number>;
  reassembly: Reassembly;
  /** OSPF routers heard, by port: router ID and when. */
  readonly neighbours: Map<number, Map<Ipv4, Micros>>;
  /** Present where addresses are translated. */
  nat: Nat | undefined;
  natWake: EventHandle;
  natWakeAt: Micros | undefined;
  hosted: Hosted[];
  readonly cpu: Cpu<Job>;
  /** What its data planes have done so far. */
  readonly sealed: SealedCount;
  /** When the engine for user traffic is free again. */
  engineFreeAt: Micros;
  readonly meter: Meter;
  /** Counts in `meter`. */
  readonly crypto: Crypto;
  /** Not metered: user traffic has an engine of its own. */
  readonly espCrypto: Crypto;
  readonly rng: Rng;
  /** Draws of the data plane. */
  espRng: Rng;
  identification: number;
  /** When the last unreachable was sent, for the limit of their rate. */
  lastUnreachable: { mtu?: Micros; other?: Micros };
  /** Pings so far, over all lives. */
  pingCount: number;
  readonly pings: Map<number, Ping>;
  wake: EventHandle;
  wakeAt: Micros | undefined;
}

const MTU_DEFAULT = 1500;

export function createDevice(number: number, spec: DeviceSpec, crypto: Crypto, rng: Rng): Device {
  const ports = spec.kind === "host" ? [hostPort(spec)] : routerPorts(spec.config);
  const meter = newMeter();
  return {
    number,
    name: spec.name,
    spec,
    forwards: spec.kind === "router",
    ports,
    ownAddresses: addressesOf(ports),
    routes: createRouteTable(),
    wanExit: undefined,
    isUp: false,
    startedAt: 0,
    life: 0,
    groups: new Map(),
    planes: new Map(),
    pairPlanes: new Map(),
    unknownSpis: new Set(),
    reassembly: createReassembly(),
    neighbours: new Map(),
    nat: undefined,
    natWake: NO_EVENT,
    natWakeAt: undefined,
    hosted: [],
    cpu: createCpu(spec.kind === "router" ? spec.cpu : { profile: "ideal" }),
    sealed: newSealedCount(),
    engineFreeAt: 0,
    meter,
    crypto: metered(crypto, meter),
    espCrypto: crypto,
    rng,
    espRng: rng,
    identification: 0,
    lastUnreachable: {},
    pingCount: 0,
    pings: new Map(),
    wake: NO_EVENT,
    wakeAt: undefined,
  };
}

function addressesOf(ports: readonly Port[]): ReadonlySet<Ipv4> {
  return new Set(ports.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
}

/**
 * The ports and data planes that the configuration of `spec` describes, in place of those of the old one. Ports keep their
 * numbers and what they are plugged into; one that the configuration does not name any more is shut. Policies and SAs stay
 * where their crypto map stays.
 */
export function adoptSpec(device: Device, spec: RouterSpec): void {
  device.spec = spec;
  const { interfaces } = spec.config;
  for (const port of device.ports) {
    const iface = interfaces.get(port.name);
    const { addresses, mtu, map, nat, isShutdown } = iface === undefined ? UNNAMED : routerPort(iface, port.index);
    Object.assign(port, { addresses, mtu: mtu ?? port.mtu, map, nat, isShutdown });
    if (port.isLoopback) port.isUp = !isShutdown;
  }
  for (const iface of interfaces.values()) {
    if (!device.ports.some(({ name }) => name === iface.name))
      device.ports.push(routerPort(iface, device.ports.length));
  }
  device.ownAddresses = addressesOf(device.ports);
  device.nat = natAfter(spec.config, device.nat);
  const before = device.planes;
  device.planes = createPlanes(spec, [...device.ownAddresses]);
  const pairsBefore = device.pairPlanes;
  device.pairPlanes = createPairPlanes(spec, [...device.ownAddresses]);
  for (const [name, plane] of device.pairPlanes) adoptPairs(plane, pairsBefore.get(name));
  for (const [name, plane] of device.planes) {
    const old = before.get(name);
    if (old === undefined) continue;
    for (const [group, policy] of old.groups) if (plane.groups.has(group)) plane.groups.set(group, policy);
    for (const [spi, sa] of old.sas) if (plane.groups.has(sa.sa.group)) plane.sas.set(spi, sa);
    Object.assign(plane, { counters: old.counters, identification: old.identification });
  }
}

const UNNAMED = { addresses: [], mtu: undefined, map: undefined, nat: undefined, isShutdown: true };

/** Back to the state behind the boot loader; machines are started by `machineHost.ts`. */
export function resetDevice(device: Device): void {
  device.life += 1;
  device.groups.clear();
  device.unknownSpis.clear();
  device.reassembly = createReassembly();
  device.neighbours.clear();
  device.nat = device.spec.kind === "router" ? natOf(device.spec.config) : undefined;
  device.natWake = NO_EVENT;
  device.natWakeAt = undefined;
  device.hosted = [];
  device.engineFreeAt = 0;
  device.identification = 0;
  device.lastUnreachable = {};
  device.pings.clear();
  device.espRng = device.rng.fork(`life${device.life}/esp`);
  const own = [...device.ownAddresses];
  device.planes = device.spec.kind === "router" ? createPlanes(device.spec, own) : new Map();
  device.pairPlanes = device.spec.kind === "router" ? createPairPlanes(device.spec, own) : new Map();
}

function hostPort(spec: Extract<DeviceSpec, { kind: "host" }>): Port {
  return {
    index: 0,
    name: spec.interface,
    addresses: [{ address: spec.address, mask: spec.mask }],
    mtu: MTU_DEFAULT,
    isLoopback: false,
    map: undefined,
    nat: undefined,
    isShutdown: false,
    attachment: undefined,
    isUp: false,
  };
}

function routerPorts(config: IosConfig): Port[] {
  return [...config.interfaces.values()].map((iface, index) => routerPort(iface, index));
}

function routerPort(iface: IosInterface, index: number): Port {
  const loopback = isLoopback(iface.name);
  const addresses = iface.address === undefined ? [] : [iface.address, ...iface.secondaryAddresses];
  return {
    index,
    name: iface.name,
    addresses: iface.shutdown ? [] : addresses.map(({ address, mask }) => ({ address, mask })),
    mtu: iface.ipMtu ?? iface.mtu,
    isLoopback: loopback,
    map: iface.cryptoMap?.name,
    nat: iface.nat,
    isShutdown: iface.shutdown,
    attachment: undefined,
    isUp: loopback && !iface.shutdown,
  };
}

/** One data plane for each crypto map that an interface carries. */
function createPlanes({ config }: RouterSpec, ownAddresses: readonly Ipv4[]): Map<string, DataPlane> {
  const planes = new Map<string, DataPlane>();
  for (const { cryptoMap } of config.interfaces.values()) {
    const map = cryptoMap === undefined ? undefined : config.cryptoMaps.get(cryptoMap.name);
    if (map === undefined || planes.has(map.name) || map.tunnels.size > 0) continue;
    const entries = [...map.entries.values()];
    const names = entries.flatMap(({ group }) => (group === undefined ? [] : [group.name]));
    const { failClose } = map;
    planes.set(
      map.name,
      createDataPlane({
        groups: names,
        localRules: entries.flatMap(({ acl }) => bypassRules(config, acl?.name)),
        failClose: failClose?.activated === true ? bypassRules(config, failClose.acl?.name) : undefined,
        ownAddresses,
        bypassControl: names.every((name) => config.groups.get(name)?.client.bypassPolicy !== false),
        df: config.ipsecDfBit,
        lookAhead: config.ipsecFragmentation === "before-encryption",
      }),
    );
  }
  return planes;
}

/** One for each crypto map with tunnels that an interface carries. Entries that lack a part are skipped, as IOS does. */
function createPairPlanes({ config }: RouterSpec, ownAddresses: readonly Ipv4[]): Map<string, PairPlane> {
  const planes = new Map<string, PairPlane>();
  for (const { cryptoMap } of config.interfaces.values()) {
    const map = cryptoMap === undefined ? undefined : config.cryptoMaps.get(cryptoMap.name);
    if (map === undefined || planes.has(map.name) || map.tunnels.size === 0) continue;
    const policies = [...map.tunnels.values()].flatMap((entry) => {
      const list = entry.acl && config.accessLists.get(entry.acl.name);
      if (list === undefined || entry.peer === undefined) return [];
      return [{ name: tunnelName(map, entry), rules: aclRules(list) }];
    });
    const lookAhead = config.ipsecFragmentation === "before-encryption";
    planes.set(map.name, createPairPlane({ policies, ownAddresses, df: config.ipsecDfBit, lookAhead }));
  }
  return planes;
}

/** Local lists may hold deny entries only; a permit in one is an error of the configuration and counts for nothing. */
function bypassRules(config: IosConfig, name: string | undefined): readonly TrafficRule[] {
  const list = name === undefined ? undefined : config.accessLists.get(name);
  return list === undefined ? [] : aclRules(list).filter(({ action }) => action === "bypass");
}

export function planeOf(device: Device, port: Port): DataPlane | undefined {
  return port.map === undefined ? undefined : device.planes.get(port.map);
}

export function pairPlaneOf(device: Device, port: Port): PairPlane | undefined {
  return port.map === undefined ? undefined : device.pairPlanes.get(port.map);
}

/** The next identification for a packet of the device's own. */
export function nextIdentification(device: Device): number {
  device.identification = (device.identification + 1) & 0xffff;
  return device.identification;
}
