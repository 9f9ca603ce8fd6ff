/** ICMP messages as whole packets. RFC 792, RFC 1191. */
import type { Bytes } from "../../src/base/bytes.ts";
import { Reader } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import type { Ipv4 } from "../../src/base/ipv4.ts";
import { buildPacket, type IpHeader, ipHeader } from "../../src/esp/ipHeader.ts";
import { IcmpEcho, IcmpType, IcmpUnreachable, IpProtocol } from "../../src/wire/ip.ts";

/** Codes of destination unreachable. */
export const Unreachable = { network: 0, host: 1, protocol: 2, port: 3, fragmentationNeeded: 4 } as const;

const TTL = 255;

interface Origin {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly identification: number;
}

export interface EchoFields extends Origin {
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Bytes;
  readonly tos: number;
  readonly isDf: boolean;
}

export function echoRequest(fields: EchoFields): Bytes {
  return echo(IcmpType.ECHO, fields);
}

function echo(type: number, fields: EchoFields): Bytes {
  const { identifier, sequence, data } = fields;
  const payload = IcmpEcho.encode({ type, code: 0, identifier, sequence, data });
  return buildPacket({ ttl: TTL, protocol: IpProtocol.ICMP, ...fields }, payload);
}

/** The answer keeps identifier, sequence, data, TOS and DF of the request. */
export function echoReply(header: IpHeader, request: IcmpEcho, origin: Origin): Bytes {
  return echo(IcmpType.ECHO_REPLY, { tos: header.tos, isDf: header.isDf, ...origin, ...request });
}

/** An error message about `packet`: its header and the first 8 octets behind it come along. `mtu`: for code 4. */
export function icmpError(type: number, code: number, packet: Bytes, origin: Origin, mtu = 0): Bytes {
  const original = packet.subarray(0, (packet[0]! & 15) * 4 + 8);
  const payload = IcmpUnreachable.encode({ type, code, nextHopMtu: mtu, original });
  // IOS sends these with precedence 6, so that they get through when the line is full.
  return buildPacket({ tos: 0xc0, isDf: false, ttl: TTL, protocol: IpProtocol.ICMP, ...origin }, payload);
}

export type Icmp =
  | { readonly kind: "echo" | "reply"; readonly echo: IcmpEcho }
  /** About a packet that this device sent; `original`: its header, `echo`: identifier and sequence where it was an echo. */
  | {
      readonly kind: "error";
      readonly type: number;
      readonly code: number;
      readonly mtu: number;
      readonly about:
        | { readonly destination: Ipv4; readonly identifier: number; readonly sequence: number }
        | undefined;
    }
  | { readonly kind: "other" };

/** Undefined where the checksum is wrong or the message is cut short. */
export function readIcmp(payload: Bytes): Icmp | undefined {
  const type = payload[0];
  try {
    if (type === IcmpType.ECHO || type === IcmpType.ECHO_REPLY) {
      return { kind: type === IcmpType.ECHO ? "echo" : "reply", echo: IcmpEcho.decode(payload) };
    }
    if (type === IcmpType.DESTINATION_UNREACHABLE || type === IcmpType.TIME_EXCEEDED) {
      const message = IcmpUnreachable.read(new Reader(payload), undefined, "ICMP", {});
      return { kind: "error", type, code: message.code, mtu: message.nextHopMtu, about: aboutEcho(message.original) };
    }
    return { kind: "other" };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function aboutEcho(original: Bytes) {
  if (original.length < 28 || original[9] !== IpProtocol.ICMP) return undefined;
  const at = (original[0]! & 15) * 4;
  if (original.length < at + 8 || original[at] !== IcmpType.ECHO) return undefined;
  const r = new Reader(original, 16);
  const destination = r.u32();
  r.at = at + 4;
  return { destination, identifier: r.u16(), sequence: r.u16() };
}

/** No error is sent about an ICMP error, a later fragment, or what was sent to many. RFC 1122 section 3.2.2. */
export function deservesError(packet: Bytes): boolean {
  const header = ipHeader(packet);
  if (header === undefined || header.fragmentOffset > 0 || header.destination >>> 28 >= 14) return false;
  if (header.protocol !== IpProtocol.ICMP) return true;
  const type = packet[header.headerOctets];
  return type === IcmpType.ECHO || type === IcmpType.ECHO_REPLY;
}
