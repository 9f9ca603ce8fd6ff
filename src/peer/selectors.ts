/** Traffic selectors of a Child SA: as typed, and whether a packet fits them. RFC 7296 section 3.13. */
import { broadcastOf, formatIpv4, maskOfLength, networkOf, parseIpv4, parseIpv4Prefix } from "../base/ipv4.ts";
import type { AddressSelector, TrafficSelector } from "../wire/ikev2.ts";
import { TrafficSelectorType } from "../wire/ikev2Numbers.ts";

/** `10.200.1.0/24`, `10.200.1.1` or `10.200.1.1-10.200.1.9`, all protocols and ports; undefined for anything else. */
export function parseSelector(text: string): TrafficSelector | undefined {
  const [from = "", to, ...more] = text.split("-");
  if (more.length > 0) return undefined;
  const prefix = parseIpv4Prefix(from.includes("/") ? from : `${from}/32`);
  if (prefix === undefined) return undefined;
  const mask = maskOfLength(prefix.length);
  const first = networkOf(prefix.network, mask);
  const last = to === undefined ? broadcastOf(prefix.network, mask) : from.includes("/") ? undefined : parseIpv4(to);
  if (last === undefined || last < first) return undefined;
  return {
    type: TrafficSelectorType.TS_IPV4_ADDR_RANGE,
    ipProtocol: 0,
    startPort: 0,
    endPort: 65_535,
    startAddress: formatIpv4(first),
    endAddress: formatIpv4(last),
  };
}

/** What is compared: one end of a packet. `port` is undefined where the protocol has none or a fragment hides it. */
export interface FlowEnd {
  /** Unsigned 32-bit number. */
  readonly address: number;
  readonly protocol: number;
  readonly port: number | undefined;
}

function hasAddresses(selector: TrafficSelector): selector is AddressSelector {
  return "startAddress" in selector;
}

/** True where one of the selectors takes this end of a packet. Selectors of other types than IPv4 take none. */
export function admits(selectors: readonly TrafficSelector[], end: FlowEnd): boolean {
  return selectors.some((selector) => {
    if (!hasAddresses(selector)) return false;
    const first = parseIpv4(selector.startAddress);
    const last = parseIpv4(selector.endAddress);
    if (first === undefined || last === undefined || end.address < first || end.address > last) return false;
    if (selector.ipProtocol !== 0 && selector.ipProtocol !== end.protocol) return false;
    const anyPort = selector.startPort === 0 && selector.endPort === 65_535;
    return anyPort || (end.port !== undefined && end.port >= selector.startPort && end.port <= selector.endPort);
  });
}

/** True where each of `narrow` lies within one of `wide`. */
export function covers(wide: readonly TrafficSelector[], narrow: readonly TrafficSelector[]): boolean {
  return narrow.every((one) => wide.some((other) => contains(other, one)));
}

function contains(wide: TrafficSelector, narrow: TrafficSelector): boolean {
  if (!hasAddresses(wide) || !hasAddresses(narrow) || wide.type !== narrow.type) return false;
  if (wide.ipProtocol !== 0 && wide.ipProtocol !== narrow.ipProtocol) return false;
  if (narrow.startPort < wide.startPort || narrow.endPort > wide.endPort) return false;
  const [first, last] = [parseIpv4(wide.startAddress), parseIpv4(wide.endAddress)];
  const [from, to] = [parseIpv4(narrow.startAddress), parseIpv4(narrow.endAddress)];
  if (first === undefined || last === undefined || from === undefined || to === undefined) return false;
  return from >= first && to <= last;
}

/**
 * An address for traffic of our own: the first one of a single address or pair, else the second, as the first one of a
 * network is no host's. Undefined without an IPv4 selector.
 */
export function hostAddress(selectors: readonly TrafficSelector[]): number | undefined {
  for (const selector of selectors) {
    if (!hasAddresses(selector)) continue;
    const first = parseIpv4(selector.startAddress);
    const last = parseIpv4(selector.endAddress);
    if (first !== undefined && last !== undefined) return last - first < 2 ? first : first + 1;
  }
  return undefined;
}
