/** Families of messages as mutators see them: fields in their places, and payloads that can be exchanged. */
import type { Bytes } from "../../src/base/bytes.ts";
import { Reader } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { Field } from "../../src/wire/field.ts";
import { decodeMessage, dissectIke, encodeMessage } from "../../src/wire/ikeMessage.ts";
import {
  decodeIsakmp,
  dissectIsakmp,
  encodeIsakmp,
  encodeIsakmpChain,
  readIsakmpChain,
} from "../../src/wire/isakmpMessage.ts";
import { ISAKMP, type IsakmpPayload, type IsakmpSet } from "../../src/wire/isakmpPayloads.ts";
import { encodeChain, type Payload, type Registry, RFC9838, readChain } from "../../src/wire/payloads.ts";

/** A payload, as far as a mutator cares. */
export interface Part {
  readonly kind: string;
  readonly body: unknown;
}

/** A chain of payloads without a header around it. */
export interface ChainFormat {
  /** Throws WireError. */
  readonly read: (octets: Bytes, first: number) => Part[];
  readonly encode: (parts: readonly Part[]) => { readonly first: number; readonly octets: Bytes };
  /** A payload that nobody knows. */
  readonly unknown: (type: number, body: Bytes) => Part;
}

export interface Format {
  readonly dissect: (octets: Bytes) => Field;
  /** The message with other payloads; undefined where they cannot be seen. Throws WireError. */
  readonly rewrite: (octets: Bytes, change: (parts: Part[]) => readonly Part[]) => Bytes | undefined;
  readonly chain: ChainFormat;
  /** An SA payload of as many proposals as its length field can hold, up to 200 of 200 transforms. */
  readonly proposals: (rng: Rng) => Part;
  /** The payload with another Diffie-Hellman group in it, where it names one. */
  readonly otherGroup: (part: Part, group: number) => Part;
}

function transformCount(rng: Rng): number {
  return 1 + rng.below(200);
}

/** How many proposals of this size an SA payload holds. */
function proposalCount(size: number): number {
  return Math.max(1, Math.min(200, Math.floor(60_000 / size)));
}

// --------------------------------------------------------------------------------------------------------------- IKEv2

export function ikev2Chain(known: Registry): ChainFormat {
  return {
    read: (octets, first) => [...readChain(new Reader(octets), first, known).payloads],
    encode: (parts) => encodeChain(parts as readonly Payload[], known),
    unknown: (type, body) => ({ kind: "unknown", type, critical: true, body }) as Payload,
  };
}

function ikev2Proposals(rng: Rng): Payload {
  const transforms = Array.from({ length: transformCount(rng) }, (_, i) => ({
    type: 1 + (i % 5),
    id: rng.below(40),
    attributes: i % 3 === 0 ? [{ kind: "KEY_LENGTH" as const, value: [0, 128, 192, 256, 65535][rng.below(5)]! }] : [],
  }));
  const size = 8 + transforms.reduce((sum, transform) => sum + 8 + 4 * transform.attributes.length, 0);
  const proposals = Array.from({ length: proposalCount(size) }, (_, i) => ({
    number: (i % 255) + 1,
    protocol: 1,
    spi: new Uint8Array(0),
    transforms,
  }));
  return { kind: "SA", body: { proposals } };
}

export const IKEV2_FORMAT: Format = {
  dissect: (octets) => dissectIke(octets, RFC9838),
  rewrite: (octets, change) => {
    const message = decodeMessage(octets, RFC9838);
    if (message.sealed !== undefined || message.payloads.length === 0) return undefined;
    return encodeMessage(message, change([...message.payloads]) as readonly Payload[], RFC9838);
  },
  chain: ikev2Chain(RFC9838),
  proposals: ikev2Proposals,
  otherGroup: (part, group) => {
    const payload = part as Payload;
    return payload.kind === "KE" ? { ...payload, body: { ...payload.body, group } } : part;
  },
};

// -------------------------------------------------------------------------------------------------------------- ISAKMP

export function isakmpChain(known: IsakmpSet): ChainFormat {
  return {
    read: (octets, first) => [...readIsakmpChain(octets, first, known).payloads],
    encode: (parts) => encodeIsakmpChain(parts as readonly IsakmpPayload[], known),
    unknown: (type, body) => ({ kind: "unknown", type, body }) as IsakmpPayload,
  };
}

function isakmpProposals(rng: Rng): IsakmpPayload {
  const transforms = Array.from({ length: transformCount(rng) }, (_, i) => ({
    number: (i % 255) + 1,
    id: 1,
    attributes: [
      { kind: "ENCRYPTION" as const, value: rng.below(9) },
      { kind: "HASH" as const, value: rng.below(8) },
      { kind: "GROUP" as const, value: rng.below(32) },
      { kind: "AUTHENTICATION" as const, value: rng.below(12) },
      ...(i % 3 === 0 ? [{ kind: "KEY_LENGTH" as const, value: [0, 128, 192, 256, 65535][rng.below(5)]! }] : []),
    ],
  }));
  const size = 8 + transforms.reduce((sum, transform) => sum + 8 + 4 * transform.attributes.length, 0);
  const proposals = Array.from({ length: proposalCount(size) }, (_, i) => ({
    number: (i % 255) + 1,
    protocol: 1,
    spi: new Uint8Array(0),
    transforms,
  }));
  return { kind: "SA", body: { doi: 1 + rng.below(2), situation: rng.below(2), proposals } };
}

function withGroup(part: Part, group: number): Part {
  const payload = part as IsakmpPayload;
  if (payload.kind !== "SA") return part;
  const proposals = payload.body.proposals.map((proposal) => ({
    ...proposal,
    transforms: proposal.transforms.map((transform) => ({
      ...transform,
      attributes: transform.attributes.map((one) => (one.kind === "GROUP" ? { ...one, value: group } : one)),
    })),
  }));
  return { kind: "SA", body: { ...payload.body, proposals } } as IsakmpPayload;
}

/** What stands in clear: phase 1, and the acknowledgement of a rekey. */
export function isakmpFormat(known: IsakmpSet): Format {
  return {
    dissect: (octets) => dissectIsakmp(octets, known),
    rewrite: (octets, change) => {
      const message = decodeIsakmp(octets, known);
      if (message.sealed !== undefined || message.payloads.length === 0) return undefined;
      return encodeIsakmp(message, change([...message.payloads]) as readonly IsakmpPayload[], known);
    },
    chain: isakmpChain(known),
    proposals: isakmpProposals,
    otherGroup: withGroup,
  };
}

export const ISAKMP_FORMAT = isakmpFormat(ISAKMP);

// ----------------------------------------------------------------------------------------------------------------- DER

const CONSTRUCTED = 0x20;
const DEPTH_MAX = 16;

/** Tag, length and content of every element: what a certificate or a revocation list is made of. */
function derElements(octets: Bytes, from: number, to: number, depth: number): Field[] {
  const fields: Field[] = [];
  const leaf = (label: string, offset: number, end: number): void => {
    if (end > offset) fields.push({ label, offset, length: end - offset, text: "", children: [] });
  };
  let at = from;
  while (at + 2 <= to) {
    const short = octets[at + 1]!;
    const count = short < 0x80 ? 0 : short & 0x7f;
    let length = count === 0 ? short : 0;
    for (let i = 0; i < count; i++) length = length * 256 + (octets[at + 2 + i] ?? 0);
    const content = at + 2 + count;
    if (content + length > to) break;
    leaf("tag", at, at + 1);
    leaf("length", at + 1, content);
    if ((octets[at]! & CONSTRUCTED) !== 0 && depth < DEPTH_MAX) {
      fields.push(...derElements(octets, content, content + length, depth + 1));
    } else leaf("content", content, content + length);
    at = content + length;
  }
  leaf("rest", at, to);
  return fields;
}

export const DER_FORMAT: Format = {
  dissect: (octets) => ({
    label: "DER",
    offset: 0,
    length: octets.length,
    text: "",
    children: derElements(octets, 0, octets.length, 0),
  }),
  rewrite: () => undefined,
  chain: IKEV2_FORMAT.chain,
  proposals: IKEV2_FORMAT.proposals,
  otherGroup: (part) => part,
};
