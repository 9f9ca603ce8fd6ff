/**
 * Broken payloads under a good integrity check: what a member that holds the keys, or a faulty implementation, can send.
 * A recorded message is opened with the session's keys, its inner octets are mutated and sealed again.
 */
import { type Bytes, concat } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import { OVERSIZED } from "./certificates.ts";
import { type ChainFormat, DER_FORMAT, type Part } from "./format.ts";
import { MUTATOR_NAMES, MUTATORS } from "./mutate.ts";

export interface Inner {
  /** How the payloads of this SA are read. */
  readonly chain: ChainFormat;
  readonly first: number;
  readonly octets: Bytes;
}

export type InnerMutator = (inner: Inner, rng: Rng) => Inner;

function bent(octets: Bytes, rng: Rng, count: number): Bytes {
  const copy = octets.slice();
  for (let i = 0; i < count && copy.length > 0; i++) copy[rng.below(copy.length)] = rng.below(256);
  return copy;
}

/** Places of the generic headers, walking the chain as far as it makes sense. */
function headers(octets: Bytes): number[] {
  const places: number[] = [];
  for (let at = 0; at + 4 <= octets.length; ) {
    places.push(at);
    const length = (octets[at + 2]! << 8) | octets[at + 3]!;
    if (length < 4) break;
    at += length;
  }
  return places;
}

function onPayloads(inner: Inner, rng: Rng, change: (parts: Part[]) => readonly Part[]): Inner {
  const { chain } = inner;
  try {
    const parts = chain.read(inner.octets, inner.first);
    if (parts.length === 0) return { ...inner, octets: rng.bytes(8) };
    return { chain, ...chain.encode(change(parts)) };
  } catch {
    return { ...inner, octets: bent(inner.octets, rng, 1) };
  }
}

/** Certificates and lists of a message: broken in themselves, under another encoding, with a key far too long, or many. */
function changeCertificates(parts: readonly Part[], rng: Rng): readonly Part[] {
  return parts.flatMap((part) => {
    if (part.kind !== "CERT") return [part];
    const body = part.body as { readonly encoding: number; readonly data: Bytes };
    const mutator = MUTATORS[MUTATOR_NAMES[rng.below(MUTATOR_NAMES.length)]!]!;
    switch (rng.below(4)) {
      case 0:
        return [{ ...part, body: { ...body, data: mutator(body.data, rng, DER_FORMAT) } }];
      case 1:
        return [{ ...part, body: { ...body, encoding: rng.below(16) } }];
      case 2:
        return [{ ...part, body: { ...body, data: OVERSIZED } }];
      default:
        return Array.from({ length: 20 }, () => part);
    }
  });
}

function setLength(inner: Inner, rng: Rng): Inner {
  const places = headers(inner.octets);
  if (places.length === 0) return inner;
  const at = places[rng.below(places.length)]!;
  const copy = inner.octets.slice();
  const value = [0, 3, 4, 0xffff, ((copy[at + 2]! << 8) | copy[at + 3]!) + 1, rng.below(65536)][rng.below(6)]!;
  copy[at + 2] = value >>> 8;
  copy[at + 3] = value;
  return { ...inner, octets: copy };
}

/** A payload that names itself as the next one: a chain without end, were it not for the lengths. */
function loop(inner: Inner, rng: Rng): Inner {
  const places = headers(inner.octets);
  const copy = inner.octets.slice();
  let number = inner.first;
  for (const at of places) {
    const next = copy[at]!;
    if (rng.chance(1, 2)) copy[at] = number;
    number = next;
  }
  return { ...inner, octets: copy };
}

const INNER: Readonly<Record<string, InnerMutator>> = {
  innerOneOctet: (inner, rng) => ({ ...inner, octets: bent(inner.octets, rng, 1) }),
  innerTwoOctets: (inner, rng) => ({ ...inner, octets: bent(inner.octets, rng, 2) }),
  innerTruncate: (inner, rng) => ({ ...inner, octets: inner.octets.slice(0, rng.below(inner.octets.length + 1)) }),
  innerExtend: (inner, rng) => ({ ...inner, octets: concat(inner.octets, rng.bytes(1 + rng.below(40))) }),
  innerLength: setLength,
  innerLoop: loop,
  innerFirst: (inner, rng) => ({ ...inner, first: rng.below(256) }),
  /** SK of IKEv2, a number for private use in ISAKMP: a message within the message. */
  innerNested: (inner) => ({ ...inner, first: 46 }),
  innerDuplicate: (inner, rng) => onPayloads(inner, rng, (list) => [...list, list[rng.below(list.length)]!]),
  innerDrop: (inner, rng) =>
    onPayloads(inner, rng, (list) => {
      const index = rng.below(list.length);
      return list.filter((_, i) => i !== index);
    }),
  innerReverse: (inner, rng) => onPayloads(inner, rng, (list) => list.reverse()),
  innerUnknown: (inner, rng) => onPayloads(inner, rng, (list) => [...list, inner.chain.unknown(99, rng.bytes(9))]),
  innerCertificate: (inner, rng) => onPayloads(inner, rng, (list) => changeCertificates(list, rng)),
  innerEmpty: ({ chain }) => ({ chain, first: 0, octets: new Uint8Array(0) }),
};

export const INNER_NAMES: readonly string[] = Object.keys(INNER);

export function innerMutator(name: string): InnerMutator {
  return INNER[name]!;
}
