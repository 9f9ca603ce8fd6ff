/**
 * An IKEv2 message: the 28-octet header and its chain of payloads. Encrypted payloads stay octets here; who holds the
 * keys opens them and reads the inner chain with `readChain`.
 */
import { type Bytes, Reader, Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { cookie } from "./cookie.ts";
import type { Field } from "./field.ts";
import * as N from "./ikev2Numbers.ts";
import { type Infer, NO_SCOPE, nameOf, struct, u8, u16, u32 } from "./kit.ts";
import { firstNumber, type Payload, payloadHeader, type Registry, readChain, writeChain } from "./payloads.ts";
import { Tree } from "./tree.ts";

export const IKE_HEADER_LENGTH = 28;

/** RFC 7296 section 3.1. `length` is part of the value: a datagram may contradict it. */
export const IkeHeader = struct("IKE header", "RFC 7296 3.1", {
  spiInitiator: cookie,
  spiResponder: cookie,
  nextPayload: u8.named(N.PayloadType),
  version: u8.shown((value) => `${value >>> 4}.${value & 15}`),
  exchange: u8.named(N.Exchange),
  flags: u8.shown(flagsText),
  messageId: u32,
  length: u32,
});
export type IkeHeader = Infer<typeof IkeHeader>;

function flagsText(flags: number): string {
  const names: string[] = [];
  if (flags & N.FLAG_INITIATOR) names.push("initiator");
  if (flags & N.FLAG_VERSION) names.push("version");
  names.push(flags & N.FLAG_RESPONSE ? "response" : "request");
  return `0x${flags.toString(16).padStart(2, "0")} ${names.join(", ")}`;
}

/** What a sender decides of the header; the rest follows from the payloads. */
export interface MessageHead {
  readonly spiInitiator: string;
  readonly spiResponder: string;
  readonly exchange: number;
  readonly flags: number;
  readonly messageId: number;
}

export interface IkeMessage extends MessageHead {
  readonly version: number;
  /** Payloads in clear, in front of an encrypted one if there is one. */
  readonly payloads: readonly Payload[];
  /** The encrypted payload: SK (46) or SKF (53). */
  readonly sealed?: SealedPart;
}

export interface SealedPart {
  readonly number: number;
  /** Offset of its generic header: everything before it plus these 4 octets (8 for SKF) is authenticated. */
  readonly start: number;
  /** Type of the first inner payload. */
  readonly firstInner: number;
  /** RFC 7383 section 2.5; 1 of 1 for an SK payload. */
  readonly fragment: number;
  readonly fragments: number;
  /** IV, ciphertext and ICV. */
  readonly body: Bytes;
}

export const NO_SPI = "0000000000000000";
export const IKEV2_VERSION = 0x20;

export function isResponse(message: { readonly flags: number }): boolean {
  return (message.flags & N.FLAG_RESPONSE) !== 0;
}

export function isFromInitiator(message: { readonly flags: number }): boolean {
  return (message.flags & N.FLAG_INITIATOR) !== 0;
}

/** Header only; throws WireError. The first thing that a receiver looks at: it finds the SA. */
export function decodeHeader(octets: Bytes): IkeHeader {
  const r = new Reader(octets);
  return IkeHeader.read(r, undefined, "header", NO_SCOPE);
}

/** Throws WireError where the octets are no IKEv2 message of this length. `header`: theirs, where it was read before. */
export function decodeMessage(octets: Bytes, known: Registry, header = decodeHeader(octets)): IkeMessage {
  const r = new Reader(octets, IKE_HEADER_LENGTH);
  if (header.version >>> 4 !== 2)
    throw new WireError("badValue", `major version ${header.version >>> 4}`, 17, "version");
  if (header.length !== octets.length) {
    throw new WireError("badLength", `length ${header.length}, datagram of ${octets.length}`, 24, "length");
  }
  const { payloads, sealed: number } = readChain(r, header.nextPayload, known);
  const sealed = number === N.PayloadType.NONE ? undefined : readSealed(r, number);
  if (r.left > 0) throw new WireError("trailing", `${r.left} octets after the last payload`, r.at);
  const { spiInitiator, spiResponder, version, exchange, flags, messageId } = header;
  // One shape with an encrypted payload and another without: an absent property is not the same as an undefined one.
  if (sealed === undefined) return { spiInitiator, spiResponder, version, exchange, flags, messageId, payloads };
  return { spiInitiator, spiResponder, version, exchange, flags, messageId, payloads, sealed };
}

/** The reader stands at the generic header of an encrypted payload of this number. */
function readSealed(r: Reader, number: number): SealedPart {
  const start = r.at;
  const firstInner = r.u8();
  r.u8();
  const length = r.u16();
  if (start + length !== r.end) {
    throw new WireError("badLength", `payload length ${length}, ${r.end - start} octets are there`, start + 2, "SK");
  }
  if (number === N.PayloadType.SK) return { number, start, firstInner, fragment: 1, fragments: 1, body: r.rest() };
  const fragment = r.u16();
  const fragments = r.u16();
  if (fragment === 0 || fragments === 0 || fragment > fragments) {
    throw new WireError("badValue", `fragment ${fragment} of ${fragments}`, start + 4, "SKF");
  }
  return { number, start, firstInner, fragment, fragments, body: r.rest() };
}

/** A message without encryption. */
export function encodeMessage(head: MessageHead, payloads: readonly Payload[], known: Registry): Bytes {
  const w = new Writer(1024);
  writeHeader(w, head, firstNumber(payloads, known));
  writeChain(w, payloads, known, N.PayloadType.NONE);
  w.patch32(24, w.at);
  return w.finish();
}

function writeHeader(w: Writer, head: MessageHead, nextPayload: number): void {
  const { spiInitiator, spiResponder, exchange, flags, messageId } = head;
  const version = IKEV2_VERSION;
  // Named one by one: an object that begins with a spread and grows behind it costs V8 a microsecond.
  const whole = { spiInitiator, spiResponder, nextPayload, version, exchange, flags, messageId, length: 0 };
  IkeHeader.write(w, whole, undefined);
}

/**
 * Header and generic header of a message whose only payload is encrypted, with final lengths: the octets that an AEAD
 * cipher authenticates. `bodyLength` counts IV, ciphertext and ICV; with `fragment` the payload is an SKF.
 */
export function sealedPrefix(
  head: MessageHead,
  firstInner: number,
  bodyLength: number,
  fragment?: FragmentPlace,
): Bytes {
  const w = new Writer(IKE_HEADER_LENGTH + 8);
  writeSealedPrefix(w, head, firstInner, bodyLength, fragment);
  return w.finish();
}

/** Which piece of a message, from 1, and of how many. RFC 7383 section 2.5. */
export interface FragmentPlace {
  readonly number: number;
  readonly total: number;
}

/** The same at the beginning of what `w` writes. */
export function writeSealedPrefix(
  w: Writer,
  head: MessageHead,
  firstInner: number,
  bodyLength: number,
  fragment: FragmentPlace | undefined,
): void {
  writeHeader(w, head, fragment === undefined ? N.PayloadType.SK : N.PayloadType.SKF);
  w.u8(firstInner);
  w.u8(0);
  w.u16((fragment === undefined ? 4 : 8) + bodyLength);
  if (fragment !== undefined) {
    w.u16(fragment.number);
    w.u16(fragment.total);
  }
  w.patch32(24, w.at + bodyLength);
}

/** What the holder of the keys made of an encrypted payload. */
export interface OpenedPart {
  /** Decrypted octets with padding and pad length. */
  readonly plain: Bytes;
  readonly ivLength: number;
  readonly icvLength: number;
  /** Octets of `plain` that are payloads; the rest is padding. */
  readonly payloadLength: number;
  readonly problem?: string;
  /** How to read the inner payloads: the dialect of the SA. */
  readonly known: Registry;
}

/** Returns undefined where no key is held. */
export type OpenSealed = (message: Bytes, header: IkeHeader, part: SealedPart) => OpenedPart | undefined;

/** The field tree of an IKEv2 message; never throws. */
export function dissectIke(octets: Bytes, known: Registry, open?: OpenSealed): Field {
  const tree = new Tree("IKEv2", octets.length);
  const r = new Reader(octets);
  tree.attempt(r, octets.length, () => {
    const header = IkeHeader.read(r, tree, "IKE header", NO_SCOPE);
    if (header.length !== octets.length) tree.problem(`length ${header.length}, but the datagram has ${octets.length}`);
    tree.describe(
      `${nameOf(N.Exchange.space, header.exchange)} ${flagsText(header.flags).slice(5)}, message ${header.messageId}`,
      "RFC 7296",
    );
    const { sealed } = readChain(r, header.nextPayload, known, tree);
    if (sealed !== N.PayloadType.NONE) dissectSealed(tree, r, header, sealed, open);
  });
  return tree.finish(octets.length);
}

function dissectSealed(tree: Tree, r: Reader, header: IkeHeader, number: number, open: OpenSealed | undefined): void {
  const start = r.at;
  const fragmented = number === N.PayloadType.SKF;
  tree.enter(`${nameOf(N.PayloadType.space, number)} payload`, start, fragmented ? "RFC 7383 2.5" : "RFC 7296 3.14");
  r.need(fragmented ? 8 : 4);
  const firstInner = r.u8();
  const critical = (r.u8() & 0x80) !== 0;
  payloadHeader(tree, start, firstInner, critical, r.u16());
  if (fragmented) {
    u16.read(r, tree, "Fragment number", NO_SCOPE);
    u16.read(r, tree, "Total fragments", NO_SCOPE);
  }
  const part = tryPart(r, number, start);
  const opened = part === undefined ? undefined : open?.(r.octets, header, part);
  const at = r.at;
  const body = r.rest();
  if (opened === undefined) tree.leaf("Encrypted data and ICV", at, r.at, `${body.length} octets`);
  else dissectOpened(tree, at, r.at, firstInner, opened, part!.fragments > 1);
  tree.leave(r.at, "");
}

function tryPart(r: Reader, number: number, start: number): SealedPart | undefined {
  try {
    return readSealed(new Reader(r.octets, start, r.end), number);
  } catch {
    return undefined;
  }
}

function dissectOpened(
  tree: Tree,
  at: number,
  end: number,
  firstInner: number,
  opened: OpenedPart,
  part: boolean,
): void {
  const { plain, ivLength, icvLength } = opened;
  tree.leaf("IV", at, at + ivLength, `${ivLength} octets`);
  if (plain.length === 0) {
    // The integrity check failed, and with an AEAD cipher there is nothing to show then.
    tree.leaf("Encrypted data", at + ivLength, end - icvLength, `${end - icvLength - at - ivLength} octets`);
  } else {
    tree.leaf("Encrypted data", at + ivLength, end - icvLength, `${plain.length} octets, decrypted`);
    const root = decryptedTree(firstInner, opened, part);
    const isWrapper = root.label === "Decrypted";
    tree.attach(plain, isWrapper ? root.children : [root]);
    if (isWrapper && root.problem !== undefined) tree.problem(root.problem);
    if (opened.problem !== undefined) tree.problem(opened.problem);
  }
  tree.leaf("Integrity check value", end - icvLength, end, opened.problem ?? "correct");
  if (opened.problem !== undefined) tree.problem(opened.problem);
}

function decryptedTree(firstInner: number, { plain, payloadLength, known }: OpenedPart, part: boolean): Field {
  const inner = new Tree("Decrypted", plain.length);
  const r = new Reader(plain, 0, payloadLength);
  if (part) inner.leaf("Part of the payloads", 0, payloadLength, `${payloadLength} octets`);
  else inner.attempt(r, payloadLength, () => void readChain(r, firstInner, known, inner));
  const last = plain.length - 1;
  inner.leaf("Padding", payloadLength, last, `${last - payloadLength} octets`);
  inner.leaf("Pad length", last, plain.length, String(plain[last]));
  return inner.finish(plain.length);
}
