/** Devices and links of a network as the head of a trace names them. */
import { formatIpv4 } from "../../src/base/ipv4.ts";
import type { TraceDevice, TraceLink } from "../core/traceTypes.ts";
import { baseLatency } from "../net/path.ts";
import type { Line, LineEnd, Network } from "./networkState.ts";

export function traceDevices(network: Network): readonly TraceDevice[] {
  const siteOf = new Map<string, string>();
  for (const { sites } of network.spec.clouds) for (const { name, device } of sites) siteOf.set(device, name);
  const devices = network.devices.map(({ name, spec, ports }): TraceDevice => {
    const addresses = ports.flatMap((port) => port.addresses.map(({ address }) => formatIpv4(address)));
    const site = spec.site ?? siteOf.get(name);
    const role = spec.kind === "host" ? "host" : spec.role;
    return site === undefined ? { name, role, addresses } : { name, role, site, addresses };
  });
  const clouds = network.clouds.map(({ name }): TraceDevice => ({ name, role: "cloud", addresses: [] }));
  return [...devices, ...clouds];
}

/** Links of the specification, then the access links of the clouds. */
export function traceLinks(network: Network): readonly TraceLink[] {
  return network.lines.map((line) => traceLink(network, line));
}

function traceLink(network: Network, { link, a, b }: Line): TraceLink {
  const one = endOf(network, a);
  const other = endOf(network, b);
  return {
    name: link.name,
    a: one.device,
    aInterface: one.interface,
    b: other.device,
    bInterface: other.interface,
    latencyMicros: baseLatency(link.ab),
  };
}

function endOf(network: Network, end: LineEnd): { device: number; interface: string } {
  if (end.kind === "cloud") {
    const node = network.clouds[end.cloud]!;
    return { device: node.number, interface: node.cloud.sites[end.site]! };
  }
  const device = network.devices[end.device]!;
  return { device: device.number, interface: device.ports[end.port]!.name };
}
