/** Classification: which packets a traffic rule is about. First match wins. */
import type { Bytes } from "../base/bytes.ts";
import type { Selector, TrafficRule } from "./api.ts";
import { half, type IpHeader } from "./ipHeader.ts";

/** The part of a packet that selectors look at. Ports are undefined where the packet shows none. */
export interface Flow {
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
}

const TCP = 6;
const UDP = 17;
const SCTP = 132;

export function flowOf(header: IpHeader, packet: Bytes): Flow {
  const { protocol, source, destination, headerOctets } = header;
  const hasPorts = protocol === UDP || protocol === TCP || protocol === SCTP;
  const shown = hasPorts && header.fragmentOffset === 0 && packet.length >= headerOctets + 4;
  return {
    protocol,
    source,
    destination,
    sourcePort: shown ? half(packet, headerOctets) : undefined,
    destinationPort: shown ? half(packet, headerOctets + 2) : undefined,
  };
}

/** Whether two selectors are about the same packets. */
export function sameSelector(a: Selector, b: Selector): boolean {
  if (a === b) return true;
  return (
    a.sourceFirst === b.sourceFirst &&
    a.sourceLast === b.sourceLast &&
    a.destinationFirst === b.destinationFirst &&
    a.destinationLast === b.destinationLast &&
    a.protocol === b.protocol &&
    a.sourcePortFirst === b.sourcePortFirst &&
    a.sourcePortLast === b.sourcePortLast &&
    a.destinationPortFirst === b.destinationPortFirst &&
    a.destinationPortLast === b.destinationPortLast
  );
}

/**
 * The first rule that matches. A fragment behind the first shows no ports: it matches a `protect` rule by the rest of
 * the selector and a `bypass` rule only where any port will do, so that nothing leaves in clear by being cut (IOS treats
 * non-initial fragments against permit and deny entries with ports in the same way).
 */
export function firstMatch(rules: readonly TrafficRule[], flow: Flow): TrafficRule | undefined {
  for (const rule of rules) if (matches(rule.selector, flow, rule.action === "protect")) return rule;
  return undefined;
}

function matches(selector: Selector, flow: Flow, isLenient: boolean): boolean {
  if (selector.protocol !== 0 && selector.protocol !== flow.protocol) return false;
  if (flow.source < selector.sourceFirst || flow.source > selector.sourceLast) return false;
  if (flow.destination < selector.destinationFirst || flow.destination > selector.destinationLast) return false;
  return (
    portMatches(flow.sourcePort, selector.sourcePortFirst, selector.sourcePortLast, isLenient) &&
    portMatches(flow.destinationPort, selector.destinationPortFirst, selector.destinationPortLast, isLenient)
  );
}

function portMatches(port: number | undefined, first: number, last: number, isLenient: boolean): boolean {
  if (first === 0 && last === 65_535) return true;
  return port === undefined ? isLenient : port >= first && port <= last;
}
