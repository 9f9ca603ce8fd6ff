/** Groups, ends of the rekey SA and traffic as ISAKMP identities. RFC 6407 sections 5.1, 5.3 and 5.5. */
import { type Bytes, concat, u32, uintFrom } from "../base/bytes.ts";
import { lengthOfMask, maskOfLength } from "../base/ipv4.ts";
import type { Selector } from "../esp/api.ts";
import type { GroupId } from "../gikev2/groupId.ts";
import type { RekeySelector } from "../gikev2/policy.ts";
import { addressOctets, formatAddress } from "../wire/address.ts";
import type { GdoiIdentity } from "../wire/gdoi.ts";
import type { Id } from "../wire/isakmp.ts";
import { IsakmpIdType as T } from "../wire/isakmpNumbers.ts";
import { malformed, unsupported } from "./gdoiError.ts";

/** A group number is a KEY_ID of four octets, big-endian (section 5.1); a group may also have an IPv4 address (IOS). */
export function idOfGroup(id: GroupId): Id {
  return id.kind === "number"
    ? { type: T.KEY_ID, protocol: 0, port: 0, data: u32(id.number) }
    : { type: T.IPV4_ADDR, protocol: 0, port: 0, data: addressOctets(id.address) };
}

/** Undefined for an identity that no group here can have. */
export function groupOfId({ type, data }: Id): GroupId | undefined {
  if (data.length !== 4) return undefined;
  if (type === T.KEY_ID) return { kind: "number", number: uintFrom(data) };
  return type === T.IPV4_ADDR ? { kind: "address", address: formatAddress(data) } : undefined;
}

// ------------------------------------------------------------------------------------------------ ends of the rekey SA

export function rekeyEndToWire({ first, last, port }: RekeySelector): GdoiIdentity {
  const six = first.includes(":");
  const [from, to] = [addressOctets(first), addressOctets(last)];
  if (first === last) return { type: six ? T.IPV6_ADDR : T.IPV4_ADDR, port, data: from };
  return { type: six ? T.IPV6_ADDR_RANGE : T.IPV4_ADDR_RANGE, port, data: concat(from, to) };
}

export function rekeyEndFromWire({ type, port, data }: GdoiIdentity): RekeySelector {
  const six = type === T.IPV6_ADDR || type === T.IPV6_ADDR_RANGE;
  const size = six ? 16 : 4;
  const isRange = type === T.IPV4_ADDR_RANGE || type === T.IPV6_ADDR_RANGE;
  if (type === T.IPV4_ADDR_SUBNET && data.length === 8) {
    const { first, last } = subnet(data);
    return { first: formatAddress(u32(first)), last: formatAddress(u32(last)), port };
  }
  const isKnown = isRange || type === T.IPV4_ADDR || type === T.IPV6_ADDR;
  if (!isKnown) unsupported(`identity of type ${type} in a KEK policy`);
  if (data.length !== (isRange ? 2 * size : size)) malformed(`identity of ${data.length} octets`);
  return { first: formatAddress(data.subarray(0, size)), last: formatAddress(data.subarray(data.length - size)), port };
}

// ------------------------------------------------------------------------------------------------------------- traffic

interface Range {
  readonly first: number;
  readonly last: number;
}

function subnet(data: Bytes): Range {
  const [address, mask] = [uintFrom(data.subarray(0, 4)), uintFrom(data.subarray(4))];
  if (lengthOfMask(mask) === undefined) unsupported("a mask with holes");
  const first = (address & mask) >>> 0;
  return { first, last: (first | ~mask) >>> 0 };
}

/** The prefix length of a range that is a subnet. */
function prefixOf({ first, last }: Range): number | undefined {
  for (let length = 0; length <= 32; length++) {
    const mask = maskOfLength(length);
    if ((first & mask) >>> 0 === first && (first | ~mask) >>> 0 === last) return length;
  }
  return undefined;
}

function rangeToWire(range: Range, port: number): GdoiIdentity {
  const { first, last } = range;
  if (first === last) return { type: T.IPV4_ADDR, port, data: u32(first) };
  const length = prefixOf(range);
  if (length !== undefined) {
    return { type: T.IPV4_ADDR_SUBNET, port, data: concat(u32(first), u32(maskOfLength(length))) };
  }
  return { type: T.IPV4_ADDR_RANGE, port, data: concat(u32(first), u32(last)) };
}

const ANY: Range = { first: 0, last: 0xffffffff };

/** Section 5.5.1 speaks of "3 octets or zero" for many senders without saying more: both are taken as any source. */
function rangeFromWire({ type, data }: GdoiIdentity): Range {
  if (data.length === 0 || (data.length === 3 && data.every((octet) => octet === 0))) return ANY;
  const pair = type === T.IPV4_ADDR_SUBNET || type === T.IPV4_ADDR_RANGE;
  if (!pair && type !== T.IPV4_ADDR) unsupported(`identity of type ${type} in a TEK policy`);
  if (data.length !== (pair ? 8 : 4)) malformed(`identity of ${data.length} octets`);
  if (type === T.IPV4_ADDR_SUBNET) return subnet(data);
  const [first, last] = [uintFrom(data.subarray(0, 4)), uintFrom(data.subarray(data.length - 4))];
  if (first > last) malformed("a range that ends before it begins");
  return { first, last };
}

/** One port, 0 for any; undefined for a range, which an identity cannot say. */
function portToWire(first: number, last: number): number | undefined {
  if (first === 0 && last === 0xffff) return 0;
  return first === last && first !== 0 ? first : undefined;
}

function portsFromWire(port: number): Range {
  return port === 0 ? { first: 0, last: 0xffff } : { first: port, last: port };
}

/** Whether the policy's identities hold all of it: ranges of ports need an attribute of ours. */
export function hasPortRange(selector: Selector): boolean {
  return (
    portToWire(selector.sourcePortFirst, selector.sourcePortLast) === undefined ||
    portToWire(selector.destinationPortFirst, selector.destinationPortLast) === undefined
  );
}

export interface TrafficOnWire {
  readonly ipProtocol: number;
  readonly source: GdoiIdentity;
  readonly destination: GdoiIdentity;
}

export function trafficToWire(selector: Selector): TrafficOnWire {
  const source = { first: selector.sourceFirst, last: selector.sourceLast };
  const destination = { first: selector.destinationFirst, last: selector.destinationLast };
  return {
    ipProtocol: selector.protocol,
    source: rangeToWire(source, portToWire(selector.sourcePortFirst, selector.sourcePortLast) ?? 0),
    destination: rangeToWire(destination, portToWire(selector.destinationPortFirst, selector.destinationPortLast) ?? 0),
  };
}

export function trafficFromWire({ ipProtocol, source, destination }: TrafficOnWire): Selector {
  const [from, to] = [rangeFromWire(source), rangeFromWire(destination)];
  const [fromPorts, toPorts] = [portsFromWire(source.port), portsFromWire(destination.port)];
  return {
    sourceFirst: from.first,
    sourceLast: from.last,
    destinationFirst: to.first,
    destinationLast: to.last,
    protocol: ipProtocol,
    sourcePortFirst: fromPorts.first,
    sourcePortLast: fromPorts.last,
    destinationPortFirst: toPorts.first,
    destinationPortLast: toPorts.last,
  };
}
