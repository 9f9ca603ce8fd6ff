/** Fragmentation of IPv4 packets and their reassembly. RFC 791 sections 2.3 and 3.2. */
import type { Bytes } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import { buildPacket, IP_PACKET_MAX, type IpHeader, ipHeader } from "./ipHeader.ts";

/**
 * Fragments of at most `mtu` octets; the packet itself where it fits. Undefined where it does not fit and DF forbids to
 * cut it, or where it is no IPv4 packet. Options are repeated in each fragment only where their copied flag says so; as
 * nothing here sends options, they stay with the first one.
 */
export function fragment(packet: Bytes, mtu: number): readonly Bytes[] | undefined {
  const header = ipHeader(packet);
  if (header === undefined) return undefined;
  if (packet.length <= mtu) return [packet];
  if (header.isDf) return undefined;
  const out: Bytes[] = [];
  const payload = packet.subarray(header.headerOctets);
  let at = 0;
  while (at < payload.length) {
    const options = at === 0 && header.headerOctets > 20 ? packet.subarray(20, header.headerOctets) : undefined;
    const room = Math.floor((mtu - 20 - (options?.length ?? 0)) / 8) * 8;
    if (room < 8) return undefined;
    const part = payload.subarray(at, at + room);
    const fields = {
      ...header,
      fragmentOffset: header.fragmentOffset + at,
      hasMore: header.hasMore || at + part.length < payload.length,
    };
    out.push(buildPacket(fields, part, options));
    at += part.length;
  }
  return out;
}

/** Parts of one packet that have arrived, ordered by offset. */
interface Assembly {
  readonly startedAt: Micros;
  readonly parts: { readonly header: IpHeader; readonly packet: Bytes }[];
}

/** Plain data: what a receiver holds of unfinished packets, oldest first. */
export interface Reassembly {
  readonly pending: Map<string, Assembly>;
}

/** RFC 1122 section 3.3.2 asks for 60 to 120 s; routers take less, lest fragments eat their memory. */
export const REASSEMBLY_TIME: Micros = 30 * SECOND;
const PENDING_MAX = 256;
const PARTS_MAX = 64;

export function createReassembly(): Reassembly {
  return { pending: new Map() };
}

/**
 * Takes a packet in. Returns it at once where it is whole, or the whole packet where it was the last part missing; else
 * undefined. Parts that overlap make the packet void (RFC 5722 does that for IPv6, and a fuzzer would find the rest).
 */
export function reassemble(state: Reassembly, header: IpHeader, packet: Bytes, now: Micros): Bytes | undefined {
  if (!header.hasMore && header.fragmentOffset === 0) return packet;
  forgetOld(state, now);
  const key = `${header.source}/${header.destination}/${header.protocol}/${header.identification}`;
  const assembly = state.pending.get(key) ?? { startedAt: now, parts: [] };
  state.pending.set(key, assembly);
  const { parts } = assembly;
  if (parts.some((part) => part.header.fragmentOffset === header.fragmentOffset)) return undefined;
  parts.push({ header, packet });
  parts.sort((a, b) => a.header.fragmentOffset - b.header.fragmentOffset);
  if (parts.length > PARTS_MAX || overlaps(assembly)) {
    state.pending.delete(key);
    return undefined;
  }
  if (!isComplete(assembly)) return undefined;
  state.pending.delete(key);
  return join(assembly);
}

function forgetOld(state: Reassembly, now: Micros): void {
  for (const [key, { startedAt }] of state.pending) {
    if (startedAt + REASSEMBLY_TIME > now && state.pending.size < PENDING_MAX) return;
    state.pending.delete(key);
  }
}

function endOf(header: IpHeader): number {
  return header.fragmentOffset + header.totalOctets - header.headerOctets;
}

function overlaps({ parts }: Assembly): boolean {
  return parts.some(({ header }, i) => i > 0 && endOf(parts[i - 1]!.header) > header.fragmentOffset);
}

function isComplete({ parts }: Assembly): boolean {
  if (parts[0]!.header.fragmentOffset !== 0 || parts[parts.length - 1]!.header.hasMore) return false;
  return parts.every(({ header }, i) => i === 0 || endOf(parts[i - 1]!.header) === header.fragmentOffset);
}

function join({ parts }: Assembly): Bytes | undefined {
  const first = parts[0]!;
  const size = endOf(parts[parts.length - 1]!.header);
  if (first.header.headerOctets + size > IP_PACKET_MAX) return undefined;
  const payload = new Uint8Array(size);
  for (const { header, packet } of parts) payload.set(packet.subarray(header.headerOctets), header.fragmentOffset);
  const options = first.header.headerOctets > 20 ? first.packet.subarray(20, first.header.headerOctets) : undefined;
  return buildPacket({ ...first.header, hasMore: false, fragmentOffset: 0 }, payload, options);
}
