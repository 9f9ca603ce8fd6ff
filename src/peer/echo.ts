/** ICMP echo in user space: what `ping` sends and what a host answers. RFC 792. */
import { type Bytes, Reader } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { buildPacket, ipHeader } from "../esp/ipHeader.ts";
import { IcmpEcho, IcmpType, IpProtocol } from "../wire/ip.ts";

const TTL = 64;

export interface Echo {
  readonly isRequest: boolean;
  /** Unsigned 32-bit numbers. */
  readonly source: number;
  readonly destination: number;
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Bytes;
}

/** An IPv4 packet. */
export function echoPacket(echo: Echo): Bytes {
  const { isRequest, source, destination, identifier, sequence, data } = echo;
  const type = isRequest ? IcmpType.ECHO : IcmpType.ECHO_REPLY;
  const message = IcmpEcho.encode({ type, code: 0, identifier, sequence, data });
  const header = { tos: 0, identification: sequence, isDf: true, ttl: TTL, protocol: IpProtocol.ICMP };
  return buildPacket({ ...header, source, destination }, message);
}

/** Undefined where the packet is no echo, a fragment, or has a wrong checksum. */
export function readEcho(packet: Bytes): Echo | undefined {
  const header = ipHeader(packet);
  if (header === undefined || header.protocol !== IpProtocol.ICMP) return undefined;
  if (header.hasMore || header.fragmentOffset > 0) return undefined;
  try {
    const icmp = IcmpEcho.read(new Reader(packet.subarray(header.headerOctets)), undefined, "ICMP", {});
    const isRequest = icmp.type === IcmpType.ECHO;
    if ((!isRequest && icmp.type !== IcmpType.ECHO_REPLY) || icmp.code !== 0) return undefined;
    const { identifier, sequence, data } = icmp;
    return { isRequest, source: header.source, destination: header.destination, identifier, sequence, data };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The answer of the host that was asked. */
export function echoReply(request: Echo): Echo {
  return { ...request, isRequest: false, source: request.destination, destination: request.source };
}
