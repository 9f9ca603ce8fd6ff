/**
 * IKE fragmentation: large encrypted messages travel in pieces that are protected one by one. RFC 7383.
 *
 * The octets of the inner payloads are cut, not the message: a piece that is altered or forged is thrown away before it
 * costs memory.
 */
import { type Bytes, concat } from "../base/bytes.ts";
import { bodyOctets, type Protection } from "../crypto/protector.ts";
import { IKE_HEADER_LENGTH, type SealedPart } from "../wire/ikeMessage.ts";
import { NON_ESP_MARKER } from "../wire/nonEsp.ts";
import type { IkeSa, Turn } from "./state.ts";

const FRAGMENTS_MAX = 64;
/** Sets that may be incomplete at one time: more than any window needs. */
const ASSEMBLIES_MAX = 8;
const UDP_HEADER = 8;
const SKF_HEADER = 8;
const SK_HEADER = 4;

/** Pieces of one message that have arrived, all of them genuine. */
export interface Assembly {
  readonly messageId: number;
  readonly response: boolean;
  readonly total: number;
  readonly parts: (Bytes | undefined)[];
  count: number;
  /** Type of the first inner payload: in the first piece only. */
  firstInner: number;
  /** Datagram of the first piece, by which a repetition of the message is known. */
  firstDatagram: Bytes | undefined;
}

/** A message that is whole. */
export interface Whole {
  readonly inner: Bytes;
  readonly firstInner: number;
  /** What a repetition of the request is compared with. */
  readonly datagram: Bytes;
}

/** Octets of inner payloads for each datagram of a message; one entry where it needs no fragments. */
export function splitInner(turn: Turn, sa: IkeSa, protection: Protection, inner: Bytes): readonly Bytes[] {
  const { fragmentation } = turn.endpoint.config;
  if (fragmentation === undefined || !sa.fragments) return [inner];
  const ipHeader = sa.remote.address.includes(":") ? 40 : 20;
  const room = fragmentation.mtu - ipHeader - UDP_HEADER - (sa.marker ? NON_ESP_MARKER.length : 0) - IKE_HEADER_LENGTH;
  const { block } = protection.encr;
  const whole = Math.ceil((inner.length + 1) / block) * block;
  if (SK_HEADER + bodyOctets(protection, whole) <= room) return [inner];
  const plain = room - SKF_HEADER - bodyOctets(protection, 0);
  // At least one octet travels in each piece, however small the link is said to be.
  const size = Math.max(Math.floor(plain / block) * block - 1, 1);
  const parts: Bytes[] = [];
  for (let at = 0; at < inner.length; at += size) parts.push(inner.subarray(at, at + size));
  return parts;
}

/**
 * Adds a genuine piece. Returns the message once it is whole, `more` while it is not, and `refused` for a piece that
 * repeats another, breaks a limit or fits no set.
 */
export function collectPart(
  turn: Turn,
  sa: IkeSa,
  messageId: number,
  response: boolean,
  part: SealedPart,
  inner: Bytes,
  datagram: Bytes,
): Whole | "more" | "refused" {
  const { fragmentation } = turn.endpoint.config;
  if (!sa.fragments || part.fragments > (fragmentation?.fragmentsMax ?? FRAGMENTS_MAX)) return "refused";
  const assembly = assemblyFor(sa, messageId, response, part.fragments);
  if (assembly === undefined || assembly.parts[part.fragment - 1] !== undefined) return "refused";
  assembly.parts[part.fragment - 1] = inner;
  assembly.count += 1;
  if (part.fragment === 1) {
    assembly.firstInner = part.firstInner;
    assembly.firstDatagram = datagram;
  }
  if (assembly.count < assembly.total) return "more";
  sa.assemblies.splice(sa.assemblies.indexOf(assembly), 1);
  return {
    inner: concat(...assembly.parts.map((octets) => octets!)),
    firstInner: assembly.firstInner,
    datagram: assembly.firstDatagram!,
  };
}

/** A larger total replaces what has been collected, a smaller one is from an older try. RFC 7383 section 2.6. */
function assemblyFor(sa: IkeSa, messageId: number, response: boolean, total: number): Assembly | undefined {
  const { assemblies } = sa;
  const index = assemblies.findIndex((entry) => entry.messageId === messageId && entry.response === response);
  if (index >= 0) {
    const known = assemblies[index]!;
    if (known.total >= total) return known.total === total ? known : undefined;
    assemblies.splice(index, 1);
  }
  if (assemblies.length >= ASSEMBLIES_MAX) assemblies.shift();
  const parts = new Array<Bytes | undefined>(total).fill(undefined);
  const made: Assembly = { messageId, response, total, parts, count: 0, firstInner: 0, firstDatagram: undefined };
  assemblies.push(made);
  return made;
}
