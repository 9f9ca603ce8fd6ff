/**
 * Payloads one behind the other, each naming the type of the next. A chain is a whole ISAKMP message, what an encrypted
 * message holds, or the policies inside of GDOI's SA payload.
 */
import { type Bytes, type Reader, toHex, type Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { type Codec, NO_SCOPE, type NumberSpace, nameOf, withOne } from "./kit.ts";
import type { PayloadsShape } from "./shape.ts";
import type { Tree } from "./tree.ts";

// biome-ignore lint/suspicious/noExplicitAny: codecs of unlike types
type AnyCodec = Codec<any>;

/** What payload numbers mean in a domain of interpretation. */
export interface PayloadSet {
  readonly numbers: NumberSpace;
  readonly byNumber: ReadonlyMap<number, { readonly kind: string; readonly codec: AnyCodec }>;
  readonly byKind: ReadonlyMap<string, { readonly number: number; readonly codec: AnyCodec }>;
}

export function payloadSet(
  numbers: NumberSpace,
  rows: readonly (readonly [kind: string, number: number, codec: AnyCodec])[],
): PayloadSet {
  return {
    numbers,
    byNumber: new Map(rows.map(([kind, number, codec]) => [number, { kind, codec }])),
    byKind: new Map(rows.map(([kind, number, codec]) => [kind, { number, codec }])),
  };
}

/** The set as data. */
export function payloadsShape({ numbers, byNumber }: PayloadSet): PayloadsShape {
  const bodies = [...byNumber].map(([number, { kind, codec }]) => [number, { kind, shape: codec.shape }] as const);
  return { numbers, bodies: new Map(bodies) };
}

/** A payload of a number that the set does not know survives as octets. */
export interface UnknownIsakmpPayload {
  readonly kind: "unknown";
  readonly type: number;
  readonly body: Bytes;
}
type AnyPayload = { readonly kind: string; readonly body: unknown } | UnknownIsakmpPayload;

const NONE = 0;
/** More payloads than any exchange has use for: a longer chain is refused before it costs anything. */
const PAYLOADS_MAX = 64;
const HEADER_LENGTH = 4;

/** Type of the first payload, 0 for none: what the header in front of the chain names. */
export function firstNumber(payloads: readonly AnyPayload[], known: PayloadSet): number {
  return payloads.length === 0 ? NONE : numberOf(payloads[0]!, known);
}

function numberOf(payload: AnyPayload, known: PayloadSet): number {
  if ("type" in payload) return payload.type;
  const entry = known.byKind.get(payload.kind);
  if (entry === undefined) throw new WireError("badValue", `${payload.kind} is no payload of this DOI`, 0);
  return entry.number;
}

export function writePayloads(w: Writer, payloads: readonly AnyPayload[], known: PayloadSet): void {
  for (let i = 0; i < payloads.length; i++) {
    const payload = payloads[i]!;
    const start = w.at;
    w.u8(i + 1 < payloads.length ? numberOf(payloads[i + 1]!, known) : NONE);
    w.u8(0);
    w.u16(0);
    if ("type" in payload) w.bytes(payload.body);
    else known.byKind.get(payload.kind)!.codec.write(w, payload.body, undefined);
    const length = w.at - start;
    if (length > 0xffff) throw new WireError("badLength", `${payload.kind} payload of ${length} octets`, start);
    w.patch16(start + 2, length);
  }
}

/**
 * Reads the chain that begins with payload `first`, up to the payload that names none; the reader then stands behind it.
 * What follows is padding in decrypted octets and an error elsewhere: the caller knows. A reserved octet that is not zero
 * is refused (RFC 2408 section 5.3): it is how a wrong key shows. Throws WireError.
 */
export function readPayloads<P>(r: Reader, first: number, known: PayloadSet, tree?: Tree): P[] {
  let payloads: AnyPayload[] | undefined;
  for (let number = first, count = 0; number !== NONE; count++) {
    if (count >= PAYLOADS_MAX) throw new WireError("tooMany", `more than ${PAYLOADS_MAX} payloads`, r.at);
    const name = nameOf(known.numbers, number);
    const start = r.at;
    const end = r.end;
    tree?.enter(`${name} payload`, start);
    const next = readHeader(r, known, tree, name);
    const entry = known.byNumber.get(number);
    if (tree !== undefined) dissectBody(r, tree, entry?.codec);
    else if (entry === undefined) payloads = withOne(payloads, { kind: "unknown", type: number, body: r.rest() });
    else payloads = withOne(payloads, { kind: entry.kind, body: readBody(r, name, entry.codec) });
    tree?.leave(r.at, "");
    r.end = end;
    number = next;
  }
  return (payloads ?? []) as P[];
}

/** The four octets of a generic payload header; the reader is then narrowed to the body. RFC 2408 section 3.2. */
function readHeader(r: Reader, known: PayloadSet, tree: Tree | undefined, name: string): number {
  const start = r.at;
  const next = r.u8();
  tree?.leaf("Next payload", start, r.at, `${nameOf(known.numbers, next)} (${next})`, "RFC 2408 3.2");
  const reserved = r.u8();
  tree?.leaf("Reserved", start + 1, r.at, String(reserved));
  if (reserved !== 0) throw new WireError("badValue", `reserved octet ${reserved}`, start + 1, name);
  const length = r.u16();
  tree?.leaf("Payload length", start + 2, r.at, String(length));
  if (length < HEADER_LENGTH || start + length > r.end) {
    throw new WireError("badLength", `payload length ${length}, ${r.end - start} octets are there`, start + 2, name);
  }
  r.end = start + length;
  return next;
}

function readBody(r: Reader, name: string, codec: AnyCodec): unknown {
  try {
    const body: unknown = codec.read(r, undefined, name, NO_SCOPE);
    if (r.left > 0) throw new WireError("trailing", `${r.left} octets after the last field`, r.at);
    return body;
  } catch (error) {
    throw error instanceof WireError ? error.within(name) : error;
  }
}

/** A body that breaks its rules is marked; the next payload is found all the same. */
function dissectBody(r: Reader, tree: Tree, codec: AnyCodec | undefined): void {
  const end = r.end;
  tree.attempt(r, end, () => {
    if (codec !== undefined) return void codec.read(r, tree, "", NO_SCOPE);
    const at = r.at;
    const octets = r.rest();
    tree.leaf("Data", at, end, octets.length <= 32 ? toHex(octets) : `${octets.length} octets`);
  });
}
