/** Selectors of the data plane to and from traffic selectors on the wire. RFC 7296 section 3.13.1. */
import { formatIpv4, parseIpv4 } from "../base/ipv4.ts";
import type { Selector } from "../esp/api.ts";
import type { AddressSelector, TrafficSelector } from "../wire/ikev2.ts";
import { NotifyType, TrafficSelectorType } from "../wire/ikev2Numbers.ts";
import { IpProtocol } from "../wire/ip.ts";
import type { RekeySelector } from "./policy.ts";
import { ProtocolError } from "./protocolError.ts";

const TYPE4 = TrafficSelectorType.TS_IPV4_ADDR_RANGE;
const TYPE6 = TrafficSelectorType.TS_IPV6_ADDR_RANGE;

interface SelectorPair {
  readonly source: TrafficSelector;
  readonly destination: TrafficSelector;
}

/** Source and destination of data traffic as a pair of bare selectors, which is how policy carries them. */
export function selectorToWire(selector: Selector): SelectorPair {
  return {
    source: {
      type: TYPE4,
      ipProtocol: selector.protocol,
      startPort: selector.sourcePortFirst,
      endPort: selector.sourcePortLast,
      startAddress: formatIpv4(selector.sourceFirst),
      endAddress: formatIpv4(selector.sourceLast),
    },
    destination: {
      type: TYPE4,
      ipProtocol: selector.protocol,
      startPort: selector.destinationPortFirst,
      endPort: selector.destinationPortLast,
      startAddress: formatIpv4(selector.destinationFirst),
      endAddress: formatIpv4(selector.destinationLast),
    },
  };
}

/** Throws ProtocolError: NO_PROPOSAL_CHOSEN for what the data plane cannot select on, INVALID_SYNTAX for nonsense. */
export function selectorFromWire({ source, destination }: SelectorPair): Selector {
  const from = ipv4Range(source);
  const to = ipv4Range(destination);
  if (source.ipProtocol !== destination.ipProtocol) fault("source and destination name different protocols");
  return {
    sourceFirst: from.first,
    sourceLast: from.last,
    destinationFirst: to.first,
    destinationLast: to.last,
    protocol: source.ipProtocol,
    sourcePortFirst: from.portFirst,
    sourcePortLast: from.portLast,
    destinationPortFirst: to.portFirst,
    destinationPortLast: to.portLast,
  };
}

function ipv4Range(selector: TrafficSelector) {
  if (selector.type !== TYPE4) {
    throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, `traffic selector of type ${selector.type}`);
  }
  const { startAddress, endAddress, startPort, endPort } = selector as AddressSelector;
  const first = parseIpv4(startAddress)!;
  const last = parseIpv4(endAddress)!;
  if (first > last || startPort > endPort) fault("a range that ends before it begins");
  return { first, last, portFirst: startPort, portLast: endPort };
}

function fault(problem: string): never {
  throw new ProtocolError(NotifyType.INVALID_SYNTAX, problem);
}

/** One end of a rekey SA: UDP, a range of addresses, one port. */
export function rekeySelectorToWire({ first, last, port }: RekeySelector): TrafficSelector {
  const type = first.includes(":") ? TYPE6 : TYPE4;
  return { type, ipProtocol: IpProtocol.UDP, startPort: port, endPort: port, startAddress: first, endAddress: last };
}

export function rekeySelectorFromWire(selector: TrafficSelector): RekeySelector {
  if (selector.type !== TYPE4 && selector.type !== TYPE6) fault(`rekey selector of type ${selector.type}`);
  const { startAddress, endAddress, startPort } = selector as AddressSelector;
  return { first: startAddress, last: endAddress, port: startPort };
}

/** Equal for equal selectors: tells which data SAs follow each other. */
export function selectorKey(selector: Selector): string {
  const { sourceFirst, sourceLast, destinationFirst, destinationLast, protocol } = selector;
  const ports = `${selector.sourcePortFirst}-${selector.sourcePortLast} ${selector.destinationPortFirst}-${selector.destinationPortLast}`;
  return `${protocol} ${sourceFirst}-${sourceLast} ${destinationFirst}-${destinationLast} ${ports}`;
}

/** `10.0.0.0-10.255.255.255 any, protocol 1`: for views and logs. */
export function formatSelector(selector: Selector): string {
  const range = (first: number, last: number) =>
    first === 0 && last === 0xffffffff
      ? "any"
      : first === last
        ? formatIpv4(first)
        : `${formatIpv4(first)}-${formatIpv4(last)}`;
  const port = (first: number, last: number) =>
    first === 0 && last === 65535 ? "" : ` port ${first === last ? first : `${first}-${last}`}`;
  const source =
    range(selector.sourceFirst, selector.sourceLast) + port(selector.sourcePortFirst, selector.sourcePortLast);
  const destination =
    range(selector.destinationFirst, selector.destinationLast) +
    port(selector.destinationPortFirst, selector.destinationPortLast);
  return `${selector.protocol === 0 ? "ip" : selector.protocol} ${source} ${destination}`;
}
