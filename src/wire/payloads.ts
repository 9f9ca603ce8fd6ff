/**
 * The chain of payloads that every IKEv2 message is, and the registries that say what a payload number means. RFC 9838
 * and draft-yeung give 51 and 52 different contents, so the registry is chosen by the dialect of the SA, never by looking
 * at the octets.
 */
import { type Bytes, type Reader, Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import * as G from "./gdoi.ts";
import * as Ike from "./ikev2.ts";
import { PayloadType as P } from "./ikev2Numbers.ts";
import { type Codec, NO_SCOPE, nameOf, withOne } from "./kit.ts";
import * as R from "./rfc9838.ts";
import type { Tree } from "./tree.ts";
import * as Y from "./yeung07.ts";

/** Kinds of payload with the type of their bodies. */
export interface PayloadBodies {
  SA: Ike.Sa;
  KE: Ike.Ke;
  IDi: Ike.Id;
  IDr: Ike.Id;
  CERT: Ike.Cert;
  CERTREQ: Ike.CertReq;
  AUTH: Ike.Auth;
  NONCE: Ike.Nonce;
  N: Ike.Notify;
  D: Ike.Delete;
  V: Ike.VendorId;
  TSi: Ike.TrafficSelectors;
  TSr: Ike.TrafficSelectors;
  CP: Ike.Opaque;
  EAP: Ike.Opaque;
  IDg: Ike.Id;
  GSA: R.Gsa;
  KD: R.Kd;
  /** GSA and KD of draft-yeung. */
  GSA07: Y.Gsa;
  KD07: Y.Kd;
  /** Number of the last rekey in GDOI's layout, under a payload number of the private range. */
  SEQ07: G.Sequence;
}
export type PayloadKind = keyof PayloadBodies;

export type KnownPayload = {
  [K in PayloadKind]: { readonly kind: K; readonly body: PayloadBodies[K]; readonly critical?: boolean };
}[PayloadKind];

export interface UnknownPayload {
  readonly kind: "unknown";
  readonly type: number;
  readonly critical: boolean;
  readonly body: Bytes;
}
export type Payload = KnownPayload | UnknownPayload;

// biome-ignore lint/suspicious/noExplicitAny: codecs of unlike types
type AnyCodec = Codec<any>;

export interface Registry {
  readonly byNumber: ReadonlyMap<number, { readonly kind: PayloadKind; readonly codec: AnyCodec }>;
  readonly byKind: ReadonlyMap<string, { readonly number: number; readonly codec: AnyCodec }>;
}

function registry(table: Readonly<Partial<Record<PayloadKind, readonly [number, AnyCodec]>>>): Registry {
  const entries = Object.entries(table) as [PayloadKind, readonly [number, AnyCodec]][];
  return {
    byNumber: new Map(entries.map(([kind, [number, codec]]) => [number, { kind, codec }])),
    byKind: new Map(entries.map(([kind, [number, codec]]) => [kind as string, { number, codec }])),
  };
}

const BASE = {
  SA: [P.SA, Ike.Sa],
  KE: [P.KE, Ike.Ke],
  IDi: [P.IDi, Ike.Id],
  IDr: [P.IDr, Ike.Id],
  CERT: [P.CERT, Ike.Cert],
  CERTREQ: [P.CERTREQ, Ike.CertReq],
  AUTH: [P.AUTH, Ike.Auth],
  NONCE: [P.NONCE, Ike.Nonce],
  N: [P.N, Ike.Notify],
  D: [P.D, Ike.Delete],
  V: [P.V, Ike.VendorId],
  TSi: [P.TSi, Ike.TrafficSelectors],
  TSr: [P.TSr, Ike.TrafficSelectors],
  CP: [P.CP, Ike.Opaque],
  EAP: [P.EAP, Ike.Opaque],
} as const;

/** Plain IKEv2 without groups. */
export const IKEV2: Registry = registry(BASE);

/** IKEv2 with the group payloads of RFC 9838. */
export const RFC9838: Registry = registry({ ...BASE, IDg: [P.IDg, Ike.Id], GSA: [P.GSA, R.Gsa], KD: [P.KD, R.Kd] });

/** IKEv2 with the group payloads of draft-yeung-g-ikev2-07. */
export const YEUNG07: Registry = registry({
  ...BASE,
  IDg: [P.IDg, Ike.Id],
  GSA07: [P.GSA, Y.Gsa],
  KD07: [P.KD, Y.Kd],
  SEQ07: [P.X_SEQ, G.Sequence],
});

/** More payloads than any exchange has use for: a longer chain is refused before it costs anything. */
const PAYLOADS_MAX = 128;

/** Octets of a chain and the number of its first payload (0 for an empty chain). */
export interface Chain {
  readonly first: number;
  readonly octets: Bytes;
}

export function payloadNumber(payload: Payload, known: Registry): number {
  if (payload.kind === "unknown") return payload.type;
  const entry = known.byKind.get(payload.kind);
  if (entry === undefined) throw new WireError("badValue", `${payload.kind} is no payload of this dialect`, 0);
  return entry.number;
}

export function encodeChain(payloads: readonly Payload[], known: Registry): Chain {
  const w = new Writer(512);
  writeChain(w, payloads, known, P.NONE);
  return { first: firstNumber(payloads, known), octets: w.finish() };
}

/** Number of the first payload of a chain, 0 of an empty one. */
export function firstNumber(payloads: readonly Payload[], known: Registry): number {
  return payloads.length === 0 ? P.NONE : payloadNumber(payloads[0]!, known);
}

/** Writes the payloads one after the other; the last one names `after` as its next payload. */
export function writeChain(w: Writer, payloads: readonly Payload[], known: Registry, after: number): void {
  for (let i = 0; i < payloads.length; i++) {
    const payload = payloads[i]!;
    const start = w.at;
    w.u8(i + 1 < payloads.length ? payloadNumber(payloads[i + 1]!, known) : after);
    w.u8(payload.critical ? 0x80 : 0);
    w.u16(0);
    if (payload.kind === "unknown") w.bytes(payload.body);
    else known.byKind.get(payload.kind)!.codec.write(w, payload.body, undefined);
    const length = w.at - start;
    if (length > 0xffff) throw new WireError("badLength", `${payload.kind} payload of ${length} octets`, start);
    w.patch16(start + 2, length);
  }
}

/** What `readChain` found. */
export interface ReadChain {
  readonly payloads: readonly Payload[];
  /** Number of the encrypted payload that ends the chain, 0 where there is none. */
  readonly sealed: number;
}

/**
 * Reads a chain that begins with payload `first`. It ends where a payload names `NONE`, or at an SK or SKF payload (which
 * is always last): the reader then stands at its generic header. Throws WireError with the path.
 */
export function readChain(r: Reader, first: number, known: Registry, tree?: Tree): ReadChain {
  let payloads: Payload[] | undefined;
  let number = first;
  for (let count = 0; number !== P.NONE; count++) {
    if (count >= PAYLOADS_MAX) throw new WireError("tooMany", `more than ${PAYLOADS_MAX} payloads`, r.at);
    if (number === P.SK || number === P.SKF) return { payloads: payloads ?? NO_PAYLOADS, sealed: number };
    const start = r.at;
    const outerEnd = r.end;
    const next = r.u8();
    const critical = (r.u8() & 0x80) !== 0;
    const length = r.u16();
    const end = start + length;
    if (length < 4 || end > outerEnd) {
      const error = new WireError(
        "badLength",
        `payload length ${length}, ${outerEnd - start} octets are there`,
        start + 2,
      );
      throw error.within(nameOf(P.space, number));
    }
    const entry = known.byNumber.get(number);
    r.end = end;
    if (tree !== undefined) dissectPayload(tree, r, start, number, next, critical, entry?.codec);
    else payloads = withOne(payloads, readPayload(r, number, entry, critical));
    r.at = end;
    r.end = outerEnd;
    number = next;
  }
  return { payloads: payloads ?? NO_PAYLOADS, sealed: P.NONE };
}

const NO_PAYLOADS: readonly Payload[] = [];

function readPayload(
  r: Reader,
  type: number,
  entry: { kind: PayloadKind; codec: AnyCodec } | undefined,
  critical: boolean,
): Payload {
  if (entry === undefined) return { kind: "unknown", type, critical, body: r.rest() };
  try {
    const body: unknown = entry.codec.read(r, undefined, entry.kind, NO_SCOPE);
    if (r.left > 0) throw new WireError("trailing", `${r.left} octets after the last field`, r.at);
    return (critical ? { kind: entry.kind, body, critical } : { kind: entry.kind, body }) as Payload;
  } catch (error) {
    throw error instanceof WireError ? error.within(entry.kind) : error;
  }
}

function dissectPayload(
  tree: Tree,
  body: Reader,
  start: number,
  number: number,
  next: number,
  critical: boolean,
  codec: AnyCodec | undefined,
): void {
  const label = `${nameOf(P.space, number)} payload`;
  tree.enter(label, start);
  payloadHeader(tree, start, next, critical, body.end - start);
  const end = body.end;
  tree.attempt(body, end, () => {
    if (codec === undefined) {
      tree.leaf("Data", body.at, end, `${end - body.at} octets`);
      body.at = end;
    } else codec.read(body, tree, "", NO_SCOPE);
  });
  tree.leave(end, "");
}

/** The four octets of a generic payload header. RFC 7296 section 3.2. */
export function payloadHeader(tree: Tree, start: number, next: number, critical: boolean, length: number): void {
  tree.leaf("Next payload", start, start + 1, `${nameOf(P.space, next)} (${next})`, "RFC 7296 3.2");
  tree.leaf("Critical and reserved", start + 1, start + 2, critical ? "critical" : "not critical");
  tree.leaf("Payload length", start + 2, start + 4, String(length));
}

/** Body of the first payload of a kind. */
export function payloadOf<K extends PayloadKind>(payloads: readonly Payload[], kind: K): PayloadBodies[K] | undefined {
  for (const payload of payloads) if (payload.kind === kind) return payload.body as PayloadBodies[K];
  return undefined;
}

/** Bodies of all payloads of a kind, in order. */
export function payloadsOf<K extends PayloadKind>(payloads: readonly Payload[], kind: K): PayloadBodies[K][] {
  const bodies: PayloadBodies[K][] = [];
  for (const payload of payloads) if (payload.kind === kind) bodies.push(payload.body as PayloadBodies[K]);
  return bodies;
}

/** The first Notify of a type. */
export function notifyOf(payloads: readonly Payload[], type: number): Ike.Notify | undefined {
  for (const payload of payloads) if (payload.kind === "N" && payload.body.type === type) return payload.body;
  return undefined;
}
