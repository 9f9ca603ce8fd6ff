/**
 * Routes of all devices, computed once from the configurations: connected, static, and OSPF as converged (see ospf.ts).
 * What is known of other sites of a cloud is one table for all its sites, so that 10,000 members do not hold 10,000
 * routes each.
 */
import { type Ipv4, type Ipv4Prefix, lengthOfMask } from "../../src/base/ipv4.ts";
import type { IosConfig } from "../../src/ios/model.ts";
import {
  announcePrefix,
  createRouteTable as createSiteTable,
  lookUp,
  type RouteTable as SiteTable,
} from "../net/routeTable.ts";
import type { Device, Port } from "./device.ts";
import { globalAddresses } from "./nat.ts";
import { advertised, areNeighbours, type OspfNode, ospfCost, ospfMode, shortestPaths } from "./ospf.ts";
import { addRoute, DISTANCE, findRoute, type Route } from "./routeTable.ts";
import type { CloudSpec } from "./spec.ts";

/** What the sites of a cloud have told each other by OSPF; announcers are site numbers. */
export interface CloudRoutes {
  readonly cloud: number;
  readonly learned: SiteTable;
  /** Everything that the cloud delivers to a site: addresses on it, OSPF, static routes that lead there, and extras. */
  readonly announcements: readonly (readonly Ipv4Prefix[])[];
}

/** How a device reaches the other sites of a cloud: the port towards the nearest router that stands on it. */
export interface WanExit {
  readonly routes: CloudRoutes;
  readonly port: number;
  readonly site: number;
}

/** Fills in `routes` and `wanExit` of all devices and returns what each cloud announces. */
export function converge(devices: readonly Device[], clouds: readonly CloudSpec[]): readonly CloudRoutes[] {
  for (const device of devices) addLocalRoutes(device);
  const nodes = ospfNodes(devices);
  const reach = new Map([...nodes.keys()].map((start) => [start, shortestPaths(nodes, start)]));
  for (const [start, reached] of reach) {
    for (const { node, cost, port } of reached) {
      if (port === undefined) continue;
      for (const prefix of advertised(configOf(devices[node]!)!)) {
        addRoute(devices[start]!.routes, {
          network: prefix.network,
          length: prefix.length,
          distance: DISTANCE.ospf,
          metric: cost + prefix.metric,
          port,
          nextHop: undefined,
          source: "ospf",
        });
      }
    }
  }
  return clouds.map((spec, cloud) => convergeCloud(devices, spec, cloud, reach));
}

/** The way to a destination: the device's own table and what it learned of other sites, longest prefix first. */
export function routeTo(device: Device, destination: Ipv4): Route | undefined {
  const own = findRoute(device.routes, destination, (port) => device.ports[port]!.isUp);
  const exit = device.wanExit;
  if (exit === undefined || own?.length === 32 || !device.ports[exit.port]!.isUp) return own;
  const learned = learnedRoute(exit, destination);
  if (learned === undefined) return own;
  if (own === undefined || learned.length > own.length) return learned;
  return own.length === learned.length && own.distance > DISTANCE.ospf ? learned : own;
}

function learnedRoute({ routes, port, site }: WanExit, destination: Ipv4): Route | undefined {
  for (const length of routes.learned.lengths) {
    const table = { byLength: routes.learned.byLength, lengths: [length] };
    const announcer = lookUp(table, destination);
    if (announcer === undefined) continue;
    // Our own site's prefixes are in the device's own table or out of reach.
    if (announcer === site) return undefined;
    return {
      network: destination,
      length,
      distance: DISTANCE.ospf,
      metric: 0,
      port,
      nextHop: undefined,
      source: "ospf",
    };
  }
  return undefined;
}

function configOf(device: Device): IosConfig | undefined {
  return device.spec.kind === "router" ? device.spec.config : undefined;
}

function addLocalRoutes(device: Device): void {
  for (const port of device.ports) {
    for (const { address, mask } of port.addresses) {
      const length = lengthOfMask(mask) ?? 32;
      addRoute(device.routes, {
        network: address,
        length,
        distance: DISTANCE.connected,
        metric: 0,
        port: port.index,
        nextHop: undefined,
        source: "connected",
      });
    }
  }
  if (device.spec.kind === "host") {
    const { gateway } = device.spec;
    if (gateway !== undefined) addStatic(device, 0, 0, DISTANCE.static, gateway, undefined);
    return;
  }
  for (const route of device.spec.config.staticRoutes) {
    addStatic(device, route.network, lengthOfMask(route.mask) ?? 32, route.distance, route.nextHop, route.interface);
  }
}

/** Next hops are resolved through connected networks, as all of them are at the start; others are left out, as IOS does. */
function addStatic(
  device: Device,
  network: Ipv4,
  length: number,
  distance: number,
  nextHop: Ipv4 | undefined,
  interfaceName: string | undefined,
): void {
  const isNull = interfaceName?.startsWith("Null") ?? false;
  const named = device.ports.find(({ name }) => name === interfaceName)?.index;
  const resolved = nextHop === undefined ? undefined : findRoute(device.routes, nextHop, () => true)?.port;
  const port = named ?? resolved;
  if (port === undefined && !isNull) return;
  addRoute(device.routes, { network, length, distance, metric: 0, port, nextHop, source: "static" });
}

/** Routers and their neighbours over links. */
function ospfNodes(devices: readonly Device[]): ReadonlyMap<number, OspfNode> {
  const nodes = new Map<number, OspfNode>();
  for (const device of devices) {
    const config = configOf(device);
    if (config === undefined || config.ospf.size === 0) continue;
    const neighbours = device.ports.flatMap((port) => {
      const other = port.attachment?.kind === "link" ? devices[port.attachment.peerDevice] : undefined;
      const otherConfig = other === undefined ? undefined : configOf(other);
      if (other === undefined || otherConfig === undefined || port.attachment?.kind !== "link") return [];
      const iface = config.interfaces.get(port.name);
      const otherIface = otherConfig.interfaces.get(other.ports[port.attachment.peerPort]!.name);
      if (iface === undefined || otherIface === undefined) return [];
      if (!areNeighbours({ config, iface }, { config: otherConfig, iface: otherIface })) return [];
      return [{ node: other.number, cost: ospfCost(iface), port: port.index }];
    });
    nodes.set(device.number, { neighbours });
  }
  return nodes;
}

function convergeCloud(
  devices: readonly Device[],
  spec: CloudSpec,
  cloud: number,
  reach: ReadonlyMap<number, ReturnType<typeof shortestPaths>>,
): CloudRoutes {
  const learned = createSiteTable();
  const byName = new Map(devices.map((device) => [device.name, device]));
  const announcements = spec.sites.map((): Ipv4Prefix[] => []);
  const siteOfAddress = new Map<Ipv4, number>();
  const result: CloudRoutes = { cloud, learned, announcements };
  for (const [site, { device: name, interface: portName, announce }] of spec.sites.entries()) {
    const device = byName.get(name)!;
    const port = device.ports.find((one) => one.name === portName)!;
    const own = announcements[site]!;
    for (const { address } of port.addresses) {
      own.push({ network: address, length: 32 });
      siteOfAddress.set(address, site);
    }
    own.push(...(announce ?? []));
    const config = configOf(device);
    // The router answers for them on the access link, as proxy ARP does on a segment.
    if (config?.interfaces.get(portName)?.nat === "outside") {
      own.push(...globalAddresses(config).map((address) => ({ network: address, length: 32 })));
    }
    const iface = config?.interfaces.get(portName);
    if (config === undefined || iface === undefined || ospfMode(config, iface) !== "active") continue;
    device.wanExit ??= { routes: result, port: port.index, site };
    for (const { node } of reach.get(device.number) ?? []) {
      const inner = configOf(devices[node]!)!;
      for (const prefix of advertised(inner)) {
        if (node === device.number && prefix.interface === portName) continue;
        announcePrefix(learned, prefix, site);
        own.push({ network: prefix.network, length: prefix.length });
      }
    }
  }
  for (const device of devices) device.wanExit ??= exitThroughNeighbour(device, devices, result, reach);
  for (const device of devices) announceStatics(device, cloud, siteOfAddress, announcements);
  return result;
}

/** A router behind the one on the cloud leaves by its way there; the nearest of several. */
function exitThroughNeighbour(
  device: Device,
  devices: readonly Device[],
  routes: CloudRoutes,
  reach: ReadonlyMap<number, ReturnType<typeof shortestPaths>>,
): WanExit | undefined {
  for (const { node, port } of reach.get(device.number) ?? []) {
    const exit = port === undefined ? undefined : devices[node]!.wanExit;
    if (exit?.routes === routes) return { routes, port: port!, site: exit.site };
  }
  return undefined;
}

/**
 * Two routers on one cloud may point static routes at each other's address, as if it were a segment: the cloud, which
 * forwards by destination, has to know about them. A default route announces nothing: every site has one.
 */
function announceStatics(
  device: Device,
  cloud: number,
  siteOfAddress: ReadonlyMap<Ipv4, number>,
  announcements: readonly Ipv4Prefix[][],
): void {
  for (const route of configOf(device)?.staticRoutes ?? []) {
    const length = lengthOfMask(route.mask) ?? 32;
    const site = route.nextHop === undefined ? undefined : siteOfAddress.get(route.nextHop);
    if (site === undefined || length === 0 || !standsOn(device, cloud)) continue;
    announcements[site]!.push({ network: route.network, length });
  }
}

function standsOn(device: Device, cloud: number): boolean {
  return device.ports.some(({ attachment }) => attachment?.kind === "cloud" && attachment.cloud === cloud);
}

/** The address that a packet leaves from, unless somebody chose another: that of the port. */
export function sourceAddress(port: Port): Ipv4 | undefined {
  return port.addresses[0]?.address;
}
