/** Traffic selectors: what two sides have in common, and whether one holds the other. RFC 7296 section 2.9. */
import type { Bytes } from "../base/bytes.ts";
import { formatAddress, parseAddress } from "../wire/address.ts";
import type { AddressSelector, TrafficSelector } from "../wire/ikev2.ts";
import { isLower } from "./childState.ts";

const ANY_PORT = { startPort: 0, endPort: 65535 } as const;
/** Ports are there but cannot be seen, as in fragments. RFC 7296 section 3.13.1. */
const OPAQUE = { startPort: 65535, endPort: 0 } as const;

/** What a responder grants of an offer; empty: TS_UNACCEPTABLE. In the order of the offer, without repetitions. */
export function narrow(offered: readonly TrafficSelector[], own: readonly TrafficSelector[]): AddressSelector[] {
  const granted: AddressSelector[] = [];
  for (const theirs of offered) {
    for (const mine of own) {
      const common = intersect(theirs, mine);
      if (common !== undefined && !granted.some((known) => holds(known, common))) granted.push(common);
    }
  }
  return granted;
}

/** Every selector of the answer lies within one of the offer. */
export function isWithin(answer: readonly TrafficSelector[], offered: readonly TrafficSelector[]): boolean {
  return answer.length > 0 && answer.every((inner) => offered.some((outer) => holds(outer, inner)));
}

function holds(outer: TrafficSelector, inner: TrafficSelector): boolean {
  const common = intersect(outer, inner);
  return common !== undefined && isAddress(inner) && sameSelector(common, inner);
}

function sameSelector(a: AddressSelector, b: AddressSelector): boolean {
  return (
    a.ipProtocol === b.ipProtocol &&
    a.startPort === b.startPort &&
    a.endPort === b.endPort &&
    a.startAddress === b.startAddress &&
    a.endAddress === b.endAddress
  );
}

function isAddress(selector: TrafficSelector): selector is AddressSelector {
  return "startAddress" in selector;
}

/** Undefined where nothing is common, or where a selector is of a kind that is not known. */
function intersect(a: TrafficSelector, b: TrafficSelector): AddressSelector | undefined {
  if (a.type !== b.type || !isAddress(a) || !isAddress(b)) return undefined;
  if (a.ipProtocol !== b.ipProtocol && a.ipProtocol !== 0 && b.ipProtocol !== 0) return undefined;
  const ports = commonPorts(a, b);
  const start = higher(octets(a.startAddress), octets(b.startAddress));
  const end = lower(octets(a.endAddress), octets(b.endAddress));
  if (ports === undefined || isLower(end, start)) return undefined;
  return {
    type: a.type,
    ipProtocol: a.ipProtocol === 0 ? b.ipProtocol : a.ipProtocol,
    ...ports,
    startAddress: formatAddress(start),
    endAddress: formatAddress(end),
  };
}

type Ports = Pick<AddressSelector, "startPort" | "endPort">;

function commonPorts(a: Ports, b: Ports): Ports | undefined {
  const opaque = isSame(a, OPAQUE) || isSame(b, OPAQUE);
  if (opaque) return isSame(a, b) || isSame(a, ANY_PORT) || isSame(b, ANY_PORT) ? OPAQUE : undefined;
  const startPort = Math.max(a.startPort, b.startPort);
  const endPort = Math.min(a.endPort, b.endPort);
  return startPort <= endPort ? { startPort, endPort } : undefined;
}

function isSame(a: Ports, b: Ports): boolean {
  return a.startPort === b.startPort && a.endPort === b.endPort;
}

function octets(address: string): Bytes {
  return parseAddress(address)!;
}

function higher(a: Bytes, b: Bytes): Bytes {
  return isLower(a, b) ? b : a;
}

function lower(a: Bytes, b: Bytes): Bytes {
  return isLower(a, b) ? a : b;
}
