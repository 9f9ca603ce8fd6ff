/** Routes of one device: longest prefix first, then lowest distance, then lowest metric, then the order of insertion. */
import { type Ipv4, maskOfLength, networkOf } from "../../src/base/ipv4.ts";

/** Administrative distances of IOS. */
export const DISTANCE = { connected: 0, static: 1, ospf: 110 } as const;

export interface Route {
  readonly network: Ipv4;
  readonly length: number;
  readonly distance: number;
  readonly metric: number;
  /** Index of the port to leave by; undefined discards (`Null0`). */
  readonly port: number | undefined;
  /** Address of the next router, where one was given. */
  readonly nextHop: Ipv4 | undefined;
  readonly source: "connected" | "static" | "ospf";
}

/** Plain data. */
export interface RouteTable {
  readonly byLength: Map<number, Map<Ipv4, Route[]>>;
  /** Lengths in use, longest first. */
  lengths: readonly number[];
}

export function createRouteTable(): RouteTable {
  return { byLength: new Map(), lengths: [] };
}

export function addRoute(table: RouteTable, route: Route): void {
  const network = networkOf(route.network, maskOfLength(route.length));
  const networks = table.byLength.get(route.length) ?? new Map<Ipv4, Route[]>();
  table.byLength.set(route.length, networks);
  const routes = networks.get(network) ?? [];
  networks.set(network, routes);
  routes.push({ ...route, network });
  routes.sort((a, b) => a.distance - b.distance || a.metric - b.metric);
  table.lengths = [...table.byLength.keys()].sort((a, b) => b - a);
}

/** The best route whose port `isUsable`. */
export function findRoute(
  table: RouteTable,
  destination: Ipv4,
  isUsable: (port: number) => boolean,
): Route | undefined {
  for (const length of table.lengths) {
    const routes = table.byLength.get(length)!.get(networkOf(destination, maskOfLength(length)));
    const route = routes?.find(({ port }) => port === undefined || isUsable(port));
    if (route !== undefined) return route;
  }
  return undefined;
}
