/**
 * Attributes of our own in the private-use ranges, for what a Cisco policy has and RFC 6407 has not. They are sent only
 * where a policy needs them, and never with the switch `denyEntries` on `refuse`.
 *
 *     GAP attribute 128, TLV of 28 octets: a deny entry of the access list
 *     | before 2 | protocol 1 | zero 1 | source first 4, last 4 | destination first 4, last 4 | ports 4 times 2 |
 *
 *     SA attribute 32001, TLV of 8 octets: ports of a SAT whose identities say any
 *     | source first 2, last 2 | destination first 2, last 2 |
 */
import { type Bytes, Reader, Writer } from "../base/bytes.ts";
import type { Selector } from "../esp/api.ts";
import type { BypassRule } from "../gikev2/policy.ts";
import { malformed } from "./gdoiError.ts";

/** GAP attributes from 128 on are for private use (RFC 6407 section 5.4). */
export const GAP_X_BYPASS = 128;
/** SA attributes from 32001 on are for private use (RFC 2407 section 6.7). */
export const SA_X_PORTS = 32001;

interface UnknownAttribute {
  readonly kind: "unknown";
  readonly type: number;
  readonly value: number | Bytes;
}

const BYPASS_LENGTH = 28;
const PORTS_LENGTH = 8;

export function bypassAttribute({ before, selector }: BypassRule): UnknownAttribute {
  const w = new Writer();
  w.u16(before);
  w.u8(selector.protocol);
  w.u8(0);
  w.u32(selector.sourceFirst);
  w.u32(selector.sourceLast);
  w.u32(selector.destinationFirst);
  w.u32(selector.destinationLast);
  writePorts(w, selector);
  return { kind: "unknown", type: GAP_X_BYPASS, value: w.finish() };
}

export function bypassOf(value: number | Bytes): BypassRule {
  if (typeof value === "number" || value.length !== BYPASS_LENGTH) malformed("a deny entry of another length");
  const r = new Reader(value);
  const before = r.u16();
  const protocol = r.u8();
  r.u8();
  const [sourceFirst, sourceLast, destinationFirst, destinationLast] = [r.u32(), r.u32(), r.u32(), r.u32()];
  if (sourceFirst > sourceLast || destinationFirst > destinationLast) malformed("a deny entry with an empty range");
  return {
    before,
    selector: { sourceFirst, sourceLast, destinationFirst, destinationLast, protocol, ...readPorts(r) },
  };
}

export function portsAttribute(selector: Selector): UnknownAttribute {
  const w = new Writer();
  writePorts(w, selector);
  return { kind: "unknown", type: SA_X_PORTS, value: w.finish() };
}

export function portsOf(value: number | Bytes): Ports {
  if (typeof value === "number" || value.length !== PORTS_LENGTH) malformed("ports of another length");
  return readPorts(new Reader(value));
}

type Ports = Pick<Selector, "sourcePortFirst" | "sourcePortLast" | "destinationPortFirst" | "destinationPortLast">;

function writePorts(w: Writer, ports: Ports): void {
  w.u16(ports.sourcePortFirst);
  w.u16(ports.sourcePortLast);
  w.u16(ports.destinationPortFirst);
  w.u16(ports.destinationPortLast);
}

function readPorts(r: Reader): Ports {
  const ports = {
    sourcePortFirst: r.u16(),
    sourcePortLast: r.u16(),
    destinationPortFirst: r.u16(),
    destinationPortLast: r.u16(),
  };
  if (ports.sourcePortFirst > ports.sourcePortLast || ports.destinationPortFirst > ports.destinationPortLast) {
    malformed("an empty range of ports");
  }
  return ports;
}
