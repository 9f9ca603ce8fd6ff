/**
 * What the `show` commands print of a router at work: its roles' state, its data planes, its configuration and the clock,
 * read and not changed.
 */
import { formatIpv4, lengthOfMask, maskOfLength, networkOf } from "../../src/base/ipv4.ts";
import type { Micros } from "../../src/base/micros.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { IosConfig } from "../../src/ios/model.ts";
import type { InterfaceView, RouterView, RouteView } from "../../src/ios/show/views.ts";
import type { Device } from "./device.ts";
import type { Network } from "./networkState.ts";
import type { RouterSpec } from "./spec.ts";
import { logOf } from "./syslog.ts";
import { ikev2Views } from "./views/ikev2.ts";
import { ikev2StatsView } from "./views/ikev2Stats.ts";
import { ipsecViews } from "./views/ipsec.ts";
import { isakmpViews } from "./views/isakmp.ts";
import { memberViews } from "./views/member.ts";
import { natViews } from "./views/nat.ts";
import { rsaKeyViews, trustpointViews } from "./views/pki.ts";
import { serverViews } from "./views/server.ts";

/** `now`: not before the last event of the network. Undefined for a host and for a router without power. */
export function routerView(network: Network, device: Device, now: Micros): RouterView | undefined {
  const { spec } = device;
  if (spec.kind !== "router" || !device.isUp) return undefined;
  const roles = device.hosted.flatMap(({ machine }) => machine.role ?? []);
  return {
    hostname: spec.config.hostname ?? spec.name,
    nowMicros: now,
    uptimeSeconds: Math.floor((now - device.startedAt) / SECOND),
    platform: spec.cpu.profile,
    config: spec.config,
    interfaces: device.ports.map((port) => interfaceView(spec, port)),
    routes: routeViews(network, device),
    servers: serverViews(spec.config, roles, now),
    members: memberViews(spec.config, roles, [...device.planes.values()], now),
    ikev2Sas: roles.flatMap(({ state }) =>
      state.endpoint === undefined ? [] : ikev2Views(spec.config, state.endpoint, now),
    ),
    isakmpSas: roles.flatMap((role) => isakmpViews(role, now)),
    nat: natViews(device.nat, now),
    trustpoints: trustpointViews(spec),
    rsaKeys: () => rsaKeyViews(spec),
    ikev2Stats: () => ikev2StatsView(network, device, spec),
    log: () => logOf(network, device),
    ipsec: device.ports.flatMap((port) => ipsecViews(device, spec.config, roles, port, now)),
  };
}

/** The configuration of a router as it runs; undefined for a host. */
export function runningConfig(device: Device): IosConfig | undefined {
  return device.spec.kind === "router" ? device.spec.config : undefined;
}

function interfaceView({ config }: RouterSpec, port: Device["ports"][number]): InterfaceView {
  const address = config.interfaces.get(port.name)?.address;
  return {
    name: port.name,
    address: address === undefined ? undefined : formatIpv4(address.address),
    isShutdown: port.isShutdown,
    isUp: port.isUp,
  };
}

/** Routes whose interface is up, the best ones for each prefix, and what the cloud has told of other sites. */
function routeViews(network: Network, device: Device): RouteView[] {
  const views: RouteView[] = [];
  for (const [length, networks] of device.routes.byLength) {
    for (const routes of networks.values()) {
      const usable = routes.filter(({ port }) => port === undefined || device.ports[port]!.isUp);
      const best = usable.filter(
        ({ distance, metric }) => distance === usable[0]!.distance && metric === usable[0]!.metric,
      );
      for (const route of best) {
        views.push({
          network: formatIpv4(route.network),
          length,
          source: route.source,
          distance: route.distance,
          metric: route.metric,
          nextHop: route.nextHop === undefined ? undefined : formatIpv4(route.nextHop),
          interface: route.port === undefined ? "Null0" : device.ports[route.port]!.name,
        });
      }
    }
  }
  return [...views, ...localRoutes(device), ...learnedRoutes(network, device, views)];
}

/** IOS lists each address of its own as a host route beside the network that it is in. */
function localRoutes(device: Device): RouteView[] {
  return device.ports.flatMap((port) =>
    port.addresses.flatMap(({ address, mask }): RouteView[] => {
      const length = lengthOfMask(mask) ?? 32;
      if (!port.isUp || length === 32) return [];
      const common = { distance: 0, metric: 0, nextHop: undefined, interface: port.name } as const;
      return [{ network: formatIpv4(address), length: 32, source: "local", ...common }];
    }),
  );
}

const OSPF_DISTANCE = 110;

/** Prefixes of other sites: the next hop is the address of the router that stands there. */
function learnedRoutes(network: Network, device: Device, own: readonly RouteView[]): RouteView[] {
  const exit = device.wanExit;
  if (exit === undefined || !device.ports[exit.port]!.isUp) return [];
  const known = new Set(own.map((route) => `${route.network}/${route.length}`));
  const sites = network.spec.clouds[exit.routes.cloud]!.sites;
  const views: RouteView[] = [];
  for (const length of exit.routes.learned.lengths) {
    for (const [prefix, announcers] of exit.routes.learned.byLength[length]!) {
      const site = announcers[0]!;
      const text = formatIpv4(networkOf(prefix, maskOfLength(length)));
      if (site === exit.site || known.has(`${text}/${length}`)) continue;
      const peer = network.byName.get(sites[site]!.device)!;
      const address = peer.ports.find(({ name }) => name === sites[site]!.interface)?.addresses[0]?.address;
      views.push({
        network: text,
        length,
        source: "ospf",
        distance: OSPF_DISTANCE,
        metric: 0,
        nextHop: address === undefined ? undefined : formatIpv4(address),
        interface: device.ports[exit.port]!.name,
      });
    }
  }
  return views;
}
