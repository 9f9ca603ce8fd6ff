/**
 * An ISAKMP message: the 28-octet header and its chain of payloads, in clear or encrypted as a whole. Decryption is for
 * who holds the keys; the decrypted chain is read with `readIsakmpChain`.
 */
import { type Bytes, Reader, Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { cookie } from "./cookie.ts";
import type { Field } from "./field.ts";
import { firstNumber, readPayloads, writePayloads } from "./isakmpChain.ts";
import { ISAKMP_AUTHENTICATED, ISAKMP_COMMIT, ISAKMP_ENCRYPTED } from "./isakmpNumbers.ts";
import { GDOI, ISAKMP, type IsakmpPayload, type IsakmpSet } from "./isakmpPayloads.ts";
import { hexNumber, type Infer, NO_SCOPE, nameOf, struct, u8, u32 } from "./kit.ts";
import { Tree } from "./tree.ts";

export const ISAKMP_HEADER_LENGTH = 28;
const ISAKMP_VERSION = 0x10;

function header(known: IsakmpSet) {
  return struct("ISAKMP header", "RFC 2408 3.1", {
    cookieInitiator: cookie,
    cookieResponder: cookie,
    nextPayload: u8.named({ space: known.numbers }),
    version: u8.shown((value) => `${value >>> 4}.${value & 15}`),
    exchange: u8.named({ space: known.exchanges }),
    flags: u8.shown(flagsText),
    messageId: u32.shown(hexNumber(4)),
    length: u32,
  });
}
export const IsakmpHeader = header(ISAKMP);
/** The same octets with the names of DOI 2. */
export const GdoiHeader = header(GDOI);
export type IsakmpHeader = Infer<typeof IsakmpHeader>;

function flagsText(flags: number): string {
  const names: string[] = [];
  if (flags & ISAKMP_ENCRYPTED) names.push("encrypted");
  if (flags & ISAKMP_COMMIT) names.push("commit");
  if (flags & ISAKMP_AUTHENTICATED) names.push("authentication only");
  return `0x${flags.toString(16).padStart(2, "0")} ${names.length === 0 ? "in clear" : names.join(", ")}`;
}

/** What a sender decides of the header. Cookies: 16 hexadecimal digits. */
export interface IsakmpHead {
  readonly cookieInitiator: string;
  readonly cookieResponder: string;
  readonly exchange: number;
  readonly flags: number;
  readonly messageId: number;
}

export interface IsakmpMessage extends IsakmpHead {
  /** Empty where the message is encrypted. */
  readonly payloads: readonly IsakmpPayload[];
  readonly sealed?: SealedChain;
}

export interface SealedChain {
  /** Type of the first payload inside. */
  readonly first: number;
  readonly ciphertext: Bytes;
}

export function isEncrypted(message: { readonly flags: number }): boolean {
  return (message.flags & ISAKMP_ENCRYPTED) !== 0;
}

/** Header only; throws WireError. It finds the SA, and with it the set that reads the rest. */
export function decodeIsakmpHeader(octets: Bytes): IsakmpHeader {
  return IsakmpHeader.read(new Reader(octets), undefined, "header", NO_SCOPE);
}

/**
 * Throws WireError where the octets are no ISAKMP message of this length: a datagram of another size than its header says
 * is refused (RFC 2408 section 5.1).
 */
export function decodeIsakmp(octets: Bytes, known: IsakmpSet): IsakmpMessage {
  const r = new Reader(octets);
  const { cookieInitiator, cookieResponder, nextPayload, version, exchange, flags, messageId, length } =
    IsakmpHeader.read(r, undefined, "header", NO_SCOPE);
  if (version >>> 4 !== 1) throw new WireError("badValue", `major version ${version >>> 4}`, 17, "version");
  if (length !== octets.length) {
    throw new WireError("badLength", `length ${length}, datagram of ${octets.length}`, 24, "length");
  }
  // Named one by one: an object that begins with a spread and grows behind it costs V8 a microsecond.
  if (isEncrypted({ flags })) {
    const sealed = { first: nextPayload, ciphertext: r.rest() };
    return { cookieInitiator, cookieResponder, exchange, flags, messageId, payloads: [], sealed };
  }
  const payloads = readPayloads<IsakmpPayload>(r, nextPayload, known);
  if (r.left > 0) throw new WireError("trailing", `${r.left} octets after the last payload`, r.at);
  return { cookieInitiator, cookieResponder, exchange, flags, messageId, payloads };
}

/** A decrypted chain; `used` octets of it are payloads, the rest is padding. Throws WireError. */
export function readIsakmpChain(
  plain: Bytes,
  first: number,
  known: IsakmpSet,
): { readonly payloads: readonly IsakmpPayload[]; readonly used: number } {
  const r = new Reader(plain);
  const payloads = readPayloads<IsakmpPayload>(r, first, known);
  return { payloads, used: r.at };
}

/** The chain without padding, and the number of its first payload. */
export function encodeIsakmpChain(
  payloads: readonly IsakmpPayload[],
  known: IsakmpSet,
): { readonly first: number; readonly octets: Bytes } {
  const w = new Writer(512);
  writePayloads(w, payloads, known);
  return { first: firstNumber(payloads, known), octets: w.finish() };
}

/** A message in clear. */
export function encodeIsakmp(head: IsakmpHead, payloads: readonly IsakmpPayload[], known: IsakmpSet): Bytes {
  const { first, octets } = encodeIsakmpChain(payloads, known);
  return joined(head, first, octets);
}

/** An encrypted message; `head.flags` has the encryption bit. */
export function encodeSealedIsakmp(head: IsakmpHead, { first, ciphertext }: SealedChain): Bytes {
  return joined(head, first, ciphertext);
}

function joined(head: IsakmpHead, nextPayload: number, content: Bytes): Bytes {
  const w = new Writer(ISAKMP_HEADER_LENGTH + content.length);
  const length = ISAKMP_HEADER_LENGTH + content.length;
  const { cookieInitiator, cookieResponder, exchange, flags, messageId } = head;
  const version = ISAKMP_VERSION;
  const whole = { cookieInitiator, cookieResponder, nextPayload, version, exchange, flags, messageId, length };
  IsakmpHeader.write(w, whole, undefined);
  w.bytes(content);
  return w.finish();
}

/** What the holder of the keys made of an encrypted message. */
export interface OpenedChain {
  /** As long as the ciphertext, padding included. */
  readonly plain: Bytes;
  /** How to read it: by the DOI of the SA. */
  readonly known: IsakmpSet;
}

/** Returns undefined where no key is held. */
export type OpenIsakmp = (message: Bytes) => OpenedChain | undefined;

/** The field tree of an ISAKMP message; never throws. `known` reads what is in clear, and what `open` leaves closed. */
export function dissectIsakmp(octets: Bytes, known: IsakmpSet, open?: OpenIsakmp): Field {
  const tree = new Tree("ISAKMP", octets.length);
  const r = new Reader(octets);
  tree.attempt(r, octets.length, () => {
    const opened = open?.(octets);
    const used = opened?.known ?? known;
    const head = (used === GDOI ? GdoiHeader : IsakmpHeader).read(r, tree, "ISAKMP header", NO_SCOPE);
    if (head.length !== octets.length) tree.problem(`length ${head.length}, but the datagram has ${octets.length}`);
    const id = head.messageId === 0 ? "" : `, message ${hexNumber(4)(head.messageId)}`;
    tree.describe(`${nameOf(used.exchanges, head.exchange)}${id}`, "RFC 2408");
    if (!isEncrypted(head)) readPayloads(r, head.nextPayload, used, tree);
    else dissectSealed(tree, r, head.nextPayload, opened);
  });
  return tree.finish(octets.length);
}

function dissectSealed(tree: Tree, r: Reader, first: number, opened: OpenedChain | undefined): void {
  const at = r.at;
  const { length } = r.rest();
  if (opened === undefined) {
    tree.leaf("Encrypted payloads", at, r.at, `${length} octets`);
    return;
  }
  const { plain, known } = opened;
  tree.leaf("Encrypted payloads", at, r.at, `${length} octets, decrypted`);
  const inner = new Tree("Decrypted", plain.length);
  const chain = new Reader(plain);
  inner.attempt(chain, plain.length, () => {
    readPayloads(chain, first, known, inner);
    const padding = chain.at;
    chain.rest();
    inner.leaf("Padding", padding, plain.length, `${plain.length - padding} octets`);
  });
  const root = inner.finish(plain.length);
  const isWrapper = root.label === "Decrypted";
  tree.attach(plain, isWrapper ? root.children : [root]);
  if (isWrapper && root.problem !== undefined) tree.problem(root.problem);
}
