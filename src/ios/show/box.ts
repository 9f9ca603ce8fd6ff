/** Views of the whole box: interfaces, routes, access lists, clock, version. */
import { formatIpv4, lengthOfMask, parseIpv4 } from "../../base/ipv4.ts";
import { formatEntry } from "../acl.ts";
import { clockLine } from "../clock.ts";
import { DEFAULTS } from "../defaults.ts";
import type { AccessList, AclEntry, IosConfig, IosInterface } from "../model.ts";
import { lines, VERSIONS } from "./text.ts";
import type { InterfaceView, RouterView, RouteView } from "./views.ts";

/** `show ip interface brief`. */
export function interfaceBrief(interfaces: readonly InterfaceView[]): string {
  const row = (name: string, address: string, ok: string, method: string, status: string, protocol: string) =>
    `${name.padEnd(22)} ${address.padEnd(15)} ${ok.padEnd(3)} ${method.padEnd(6)} ${status.padEnd(21)} ${protocol.padEnd(8)}`;
  return lines(
    row("Interface", "IP-Address", "OK?", "Method", "Status", "Protocol").trimEnd(),
    interfaces.map(({ name, address, isShutdown, isUp }) => {
      const status = isShutdown ? "administratively down" : isUp ? "up" : "down";
      const method = address === undefined ? "unset" : "manual";
      return row(name, address ?? "unassigned", "YES", method, status, isUp && !isShutdown ? "up" : "down");
    }),
  );
}

/** `show interfaces [NAME]`: state, address and size; packets are counted in the trace. `name`: canonical. */
export function interfaceDetails({ interfaces, config }: RouterView, name: string | undefined): string {
  const shown = interfaces.filter((one) => name === undefined || one.name === name);
  return shown.map((one) => interfaceText(one, config.interfaces.get(one.name))).join("");
}

function interfaceText({ name, isShutdown, isUp }: InterfaceView, configured: IosInterface | undefined): string {
  const state = isShutdown ? "administratively down" : isUp ? "up" : "down";
  const { description, address, mtu = DEFAULTS.interface.mtu, bandwidthKbit } = configured ?? {};
  const length = address && lengthOfMask(address.mask);
  const bandwidth = bandwidthKbit === undefined ? "" : `, BW ${bandwidthKbit} Kbit/sec`;
  return lines(
    `${name} is ${state}, line protocol is ${isUp && !isShutdown ? "up" : "down"} `,
    `  Hardware is ${name.startsWith("Loopback") ? "Loopback" : "simulated Ethernet"}`,
    ...(description === undefined ? [] : [`  Description: ${description}`]),
    ...(address === undefined ? [] : [`  Internet address is ${formatIpv4(address.address)}/${length ?? 32}`]),
    `  MTU ${mtu} bytes${bandwidth}`,
  );
}

const CODES = { local: "L", connected: "C", static: "S", ospf: "O" } as const;

const LEGEND = [
  "Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP",
  "       O - OSPF, IA - OSPF inter area, * - candidate default",
  "",
];

/** `show ip route`: networks below the classful one that they belong to. */
export function ipRoutes(routes: readonly RouteView[]): string {
  const sorted = [...routes].sort((a, b) => numberOf(a) - numberOf(b) || a.length - b.length || rank(a) - rank(b));
  const fallback = sorted.find(({ length, network }) => length === 0 && network === "0.0.0.0");
  const last =
    fallback === undefined
      ? "Gateway of last resort is not set"
      : `Gateway of last resort is ${fallback.nextHop ?? "0.0.0.0"} to network 0.0.0.0`;
  const body = byMajor(sorted).flatMap(({ major, members }) => [
    ...(major === undefined ? [] : [heading(major, members)]),
    ...members.map((route) => routeLine(route, major !== undefined && lengths(members).length === 1)),
  ]);
  return lines(LEGEND, last, "", body);
}

function numberOf({ network }: RouteView): number {
  return parseIpv4(network) ?? 0;
}

/** A local route stands behind the connected one. */
function rank({ source }: RouteView): number {
  return source === "local" ? 1 : 0;
}

function classOf(network: number): number {
  if (network < 0x80000000) return 8;
  return network < 0xc0000000 ? 16 : 24;
}

/** Subnets of one classful network, or a route that is no subnet and needs no heading. */
interface MajorNetwork {
  readonly major: string | undefined;
  readonly members: RouteView[];
}

/** A route to the whole classful network stands among its subnets where there are any. */
function byMajor(routes: readonly RouteView[]): readonly MajorNetwork[] {
  const majorOf = (route: RouteView) => {
    const length = classOf(numberOf(route));
    const network = numberOf(route) - (numberOf(route) % 2 ** (32 - length));
    return route.length < length ? undefined : `${formatIpv4(network)}/${length}`;
  };
  const isSubnet = (route: RouteView) => route.length > classOf(numberOf(route));
  const subnetted = new Set(routes.filter(isSubnet).map(majorOf));
  const networks: MajorNetwork[] = [];
  for (const route of routes) {
    const own = majorOf(route);
    const major = subnetted.has(own) ? own : undefined;
    const known = major === undefined ? undefined : networks.find((one) => one.major === major);
    if (known === undefined) networks.push({ major, members: [route] });
    else known.members.push(route);
  }
  return networks;
}

function lengths(routes: readonly RouteView[]): readonly number[] {
  return [...new Set(routes.map(({ length }) => length))];
}

function heading(major: string, members: readonly RouteView[]): string {
  const networks = new Set(members.map(({ network, length }) => `${network}/${length}`)).size;
  const masks = lengths(members);
  if (masks.length === 1) return `      ${major.split("/")[0]}/${masks[0]} is subnetted, ${networks} subnets`;
  return `      ${major} is variably subnetted, ${networks} subnets, ${masks.length} masks`;
}

function routeLine(route: RouteView, isMaskKnown: boolean): string {
  const { network, length, source, distance, metric, nextHop, interface: name } = route;
  const star = length === 0 ? "*" : "";
  const prefix = isMaskKnown ? network : `${network}/${length}`;
  const start = `${`${CODES[source]}${star}`.padEnd(9)}${prefix}`;
  if (nextHop === undefined) {
    if (source === "ospf") return `${start} [${distance}/${metric}], ${name ?? "Null0"}`;
    return `${start} is directly connected, ${name ?? "Null0"}`;
  }
  return `${start} [${distance}/${metric}] via ${nextHop}${name === undefined ? "" : `, ${name}`}`;
}

/** `show access-lists [NAME]`. */
export function accessLists(config: IosConfig, name: string | undefined): string {
  const lists = [...config.accessLists.values()].filter((list) => name === undefined || list.name === name);
  return lists.map(accessListText).join("");
}

function accessListText(list: AccessList): string {
  const isExtended = list.kind === "extended";
  return lines(
    `${isExtended ? "Extended" : "Standard"} IP access list ${list.name}`,
    list.entries.map((entry) => `    ${entry.sequence} ${isExtended ? formatEntry(entry) : standardText(entry)}`),
  );
}

/** `permit 10.0.0.0, wildcard bits 0.255.255.255`. */
function standardText({ action, source: { address, wildcard }, log }: AclEntry): string {
  const bits = wildcard === 0 ? formatIpv4(address) : `${formatIpv4(address)}, wildcard bits ${formatIpv4(wildcard)}`;
  return `${action} ${wildcard === ANY_ADDRESS ? "any" : bits}${log === undefined ? "" : ` ${log}`}`;
}

const ANY_ADDRESS = 0xffffffff;

export function clock({ nowMicros }: RouterView): string {
  return lines(clockLine(nowMicros));
}

/** `show version`: what this is, and for how long it has been up. */
export function version(view: RouterView): string {
  return lines(
    `getvpn-sim, a simulated router with the command line of Cisco IOS (platform profile ${view.platform})`,
    `GKM versions: key server ${VERSIONS.server}, group member ${VERSIONS.member}`,
    "",
    `${view.hostname} uptime is ${uptimeText(view.uptimeSeconds)}`,
    "System returned to ROM by power-on",
    "",
    `${view.interfaces.length} interfaces`,
    "",
    "Configuration register is 0x2102",
  );
}

function uptimeText(seconds: number): string {
  const units: readonly (readonly [name: string, seconds: number])[] = [
    ["week", 604_800],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  const parts: string[] = [];
  let left = seconds;
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    left %= size;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
  }
  return parts.length === 0 ? "0 minutes" : parts.join(", ");
}
