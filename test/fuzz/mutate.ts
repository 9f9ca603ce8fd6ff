/**
 * Broken datagrams made of good ones. Every mutator is a row of a table, so a report can say which one found something,
 * and a seed brings the same octets back.
 */
import { type Bytes, concat, u16 } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { Field } from "../../src/wire/field.ts";
import { PayloadType } from "../../src/wire/ikev2Numbers.ts";
import type { Format, Part } from "./format.ts";

export type Mutator = (octets: Bytes, rng: Rng, format: Format) => Bytes;

function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[rng.below(items.length)]!;
}

function changed(octets: Bytes, change: (copy: Bytes) => void): Bytes {
  const copy = octets.slice();
  change(copy);
  return copy;
}

function flipBits(octets: Bytes, rng: Rng, count: number): Bytes {
  return changed(octets, (copy) => {
    for (let i = 0; i < count; i++) copy[rng.below(copy.length)]! ^= 1 << rng.below(8);
  });
}

function setOctets(octets: Bytes, rng: Rng, count: number): Bytes {
  return changed(octets, (copy) => {
    for (let i = 0; i < count; i++) copy[rng.below(copy.length)] = rng.below(256);
  });
}

/** All leaves of the field tree: every number and string of the message with its place. */
function leaves(field: Field): Field[] {
  if (field.children.length === 0 || field.plain !== undefined) return [field];
  return field.children.flatMap(leaves);
}

function writeNumber(copy: Bytes, field: Field, value: number): void {
  for (let i = field.length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
    copy[field.offset + i] = rest % 256;
  }
}

function readNumber(octets: Bytes, field: Field): number {
  let value = 0;
  for (let i = 0; i < field.length; i++) value = value * 256 + octets[field.offset + i]!;
  return value;
}

/** Overwrites one field of up to four octets: lengths and counts with the values that parsers trip over. */
function setField(octets: Bytes, rng: Rng, format: Format, which: (field: Field) => boolean): Bytes {
  const fields = leaves(format.dissect(octets)).filter((field) => field.length <= 4 && which(field));
  if (fields.length === 0) return setOctets(octets, rng, 1);
  const field = pick(rng, fields);
  const value = readNumber(octets, field);
  const most = 2 ** (8 * field.length) - 1;
  const values = [0, 3, 4, most, most - 1, value + 1, Math.max(0, value - 1), rng.below(most + 1)];
  return changed(octets, (copy) => writeNumber(copy, field, pick(rng, values)));
}

const isLength = (field: Field): boolean => /length|count|size|total/i.test(field.label);
const isNext = (field: Field): boolean => /next payload/i.test(field.label);

/** Works on the payloads of a message that can be read; others are changed in one field instead. */
function onPayloads(octets: Bytes, rng: Rng, format: Format, change: (parts: Part[]) => readonly Part[]): Bytes {
  try {
    return format.rewrite(octets, change) ?? setField(octets, rng, format, () => true);
  } catch {
    return flipBits(octets, rng, 1);
  }
}

function swap(payloads: Part[], rng: Rng): Part[] {
  const i = rng.below(payloads.length);
  const j = rng.below(payloads.length);
  [payloads[i], payloads[j]] = [payloads[j]!, payloads[i]!];
  return payloads;
}

/** Public values that a careless implementation accepts. */
function badKeyExchange(data: Bytes, rng: Rng): Bytes {
  const filled = (size: number, octet: number): Bytes => new Uint8Array(size).fill(octet);
  const one = filled(data.length, 0);
  if (one.length > 0) one[one.length - 1] = 1;
  return pick(rng, [
    filled(data.length, 0),
    one,
    filled(data.length, 0xff),
    filled(0, 0),
    filled(1, 2),
    data.subarray(0, data.length >>> 1),
    concat(data, filled(1, 0)),
    filled(data.length, 0xed),
    rng.bytes(data.length),
    rng.bytes(2048),
  ]);
}

/** Fragment numbers that no sender uses. RFC 7383 section 2.5. */
function fragment(octets: Bytes, rng: Rng): Bytes {
  const [number, total] = pick(rng, [
    [0, 0],
    [1, 65535],
    [65535, 65535],
    [2, 1],
    [0, 1],
    [1, 0],
  ] as const);
  const header = octets.slice(0, 28);
  header[16] = PayloadType.SKF;
  const body = octets.subarray(Math.min(octets.length, 32));
  const payload = concat(Uint8Array.of(35, 0), u16(8 + body.length), u16(number), u16(total), body);
  const whole = concat(header, payload);
  new DataView(whole.buffer).setUint32(24, whole.length);
  return whole;
}

/** SEQUENCEs within SEQUENCEs, up to 2,000 of them: no reader may follow them on its stack without a bound. */
function deepNesting(octets: Bytes, rng: Rng): Bytes {
  let nested = octets;
  for (let depth = pick(rng, [1, 10, 100, 2000]); depth > 0 && nested.length < 60_000; depth--) {
    const { length } = nested;
    nested = concat(Uint8Array.of(0x30, 0x83, length >>> 16, length >>> 8, length), nested);
  }
  return nested;
}

export const MUTATORS: Readonly<Record<string, Mutator>> = {
  flipOneBit: (octets, rng) => flipBits(octets, rng, 1),
  flipTwoBits: (octets, rng) => flipBits(octets, rng, 2),
  setOneOctet: (octets, rng) => setOctets(octets, rng, 1),
  setTwoOctets: (octets, rng) => setOctets(octets, rng, 2),
  truncate: (octets, rng) => octets.slice(0, rng.below(octets.length + 1)),
  extend: (octets, rng) => concat(octets, rng.bytes(1 + rng.below(64))),
  extendZeros: (octets, rng) => concat(octets, new Uint8Array(1 + rng.below(64))),
  setLengthField: (octets, rng, format) => setField(octets, rng, format, isLength),
  setNextPayload: (octets, rng, format) => setField(octets, rng, format, isNext),
  setAnyField: (octets, rng, format) => setField(octets, rng, format, () => true),
  duplicatePayload: (octets, rng, format) => onPayloads(octets, rng, format, (list) => [...list, pick(rng, list)]),
  repeatPayload: (octets, rng, format) =>
    onPayloads(octets, rng, format, (list) => Array.from({ length: 150 }, () => list[list.length - 1]!)),
  reorderPayloads: (octets, rng, format) => onPayloads(octets, rng, format, (list) => swap(list, rng)),
  dropPayload: (octets, rng, format) =>
    onPayloads(octets, rng, format, (list) => {
      const index = rng.below(list.length);
      return list.filter((_, i) => i !== index);
    }),
  criticalUnknown: (octets, rng, format) =>
    onPayloads(octets, rng, format, (list) => [
      ...list,
      format.chain.unknown(200 + rng.below(50), rng.bytes(rng.below(40))),
    ]),
  badKeyExchange: (octets, rng, format) =>
    onPayloads(octets, rng, format, (list) =>
      list.map((part) => {
        if (part.kind !== "KE") return part;
        const body = part.body as { readonly data: Bytes };
        return { ...part, body: { ...body, data: badKeyExchange(body.data, rng) } };
      }),
    ),
  otherGroup: (octets, rng, format) =>
    onPayloads(octets, rng, format, (list) => {
      const group = rng.below(40);
      return list.map((part) => format.otherGroup(part, group));
    }),
  manyProposals: (octets, rng, format) =>
    onPayloads(octets, rng, format, (list) => list.map((part) => (part.kind === "SA" ? format.proposals(rng) : part))),
  fragment,
  deepNesting,
  noise: (octets, rng) => rng.bytes(rng.below(octets.length * 2 + 1)),
  empty: () => new Uint8Array(0),
};

export const MUTATOR_NAMES: readonly string[] = Object.keys(MUTATORS);
