/**
 * GROUPKEY-PUSH: one message for all members under the KEK. RFC 6407 section 4.
 *
 *     | ISAKMP header, cookies = SPI of the KEK | ciphertext of: SEQ, D ..., SA, KD, SIG, zeros |
 *
 * SIG covers "rekey", the header and all payloads before SIG in clear. The IV is the one stored with the KEK, the same
 * for every message: a number is never used twice with different content.
 */
import { type Bytes, concat, EMPTY, fromHex, u32, utf8 } from "../base/bytes.ts";
import { assert, WireError } from "../base/errors.ts";
import type { Crypto, PrivateKey } from "../crypto/api.ts";
import type { Excluded, RekeySa } from "../gikev2/dialect.ts";
import type { HeldPath } from "../gikev2/lkh.ts";
import { type Deletion, type GroupPolicy, type GroupUpdate, NO_KEYS, NO_POLICY } from "../gikev2/policy.ts";
import type { Read } from "../gikev2/protocolError.ts";
import {
  decodeIsakmp,
  decodeIsakmpHeader,
  encodeIsakmpChain,
  encodeSealedIsakmp,
  ISAKMP_HEADER_LENGTH,
  type IsakmpHead,
  readIsakmpChain,
} from "../wire/isakmpMessage.ts";
import { GdoiExchange, ISAKMP_ENCRYPTED } from "../wire/isakmpNumbers.ts";
import { GDOI, type IsakmpPayload, isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { deleteOfDeletion, deletionOfDelete } from "./deletion.ts";
import { malformed, reading } from "./gdoiError.ts";
import { type KekParts, kekParts } from "./kek.ts";
import { kdOfKeys, keysOfKd } from "./keys.ts";
import { policyOfSa, saOfPolicy } from "./policySa.ts";
import { type PushSignature, pushSignature, signatureOctets, signPush, verifyPush } from "./signature.ts";
import type { GdoiSwitches } from "./switches.ts";

const PREFIX = utf8("rekey");
const PAYLOAD_HEADER_LENGTH = 4;

/** 32 hexadecimal digits: the KEK's SPI of a PUSH; undefined for other octets. Nothing is authenticated yet. */
export function pushSpiOf(octets: Bytes): string | undefined {
  return spiOf(octets, GdoiExchange.GROUPKEY_PUSH);
}

/** Of a message of this exchange type whose cookies are the SPI of a KEK. */
export function spiOf(octets: Bytes, exchange: number): string | undefined {
  // The exchange type stands at offset 18; looking at it first spares all other traffic a decoding.
  if (octets.length < ISAKMP_HEADER_LENGTH || octets[18] !== exchange) return undefined;
  const { cookieInitiator, cookieResponder, version } = decodeIsakmpHeader(octets);
  return version >>> 4 === 1 ? cookieInitiator + cookieResponder : undefined;
}

export function headOf(spi: string, exchange: number, flags: number): IsakmpHead {
  return { cookieInitiator: spi.slice(0, 16), cookieResponder: spi.slice(16), exchange, flags, messageId: 0 };
}

/** What is signed: the header with its Length field as if the content had `length` octets, and the payloads before SIG. */
function signedOctets(header: Bytes, content: Bytes, length: number): Bytes {
  const total = u32(ISAKMP_HEADER_LENGTH + length);
  return concat(PREFIX, header.subarray(0, ISAKMP_HEADER_LENGTH - total.length), total, content);
}

function signatureOf(sa: RekeySa): PushSignature {
  const signature = pushSignature(sa.authentication);
  assert(signature !== undefined, "a rekey SA of GDOI without a signature");
  return signature;
}

function roundUp(length: number, block: number): number {
  return Math.ceil(length / block) * block;
}

// ------------------------------------------------------------------------------------------------------------ sealing

/** `sequence`: of the message under this KEK, from 1. */
export function sealPush(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey,
  update: GroupUpdate,
  sequence: number,
  switches: GdoiSwitches,
): Bytes {
  const payloads: IsakmpPayload[] = [
    { kind: "SEQ", body: { number: sequence } },
    ...spokenDeletions(update).map((deletion): IsakmpPayload => ({ kind: "D", body: deleteOfDeletion(deletion) })),
    ...contentOf(crypto, update),
  ];
  return sealPayloads(crypto, sa, signer, payloads, switches);
}

/**
 * Where a message with new TEKs has a deactivation delay, that says when those go that they replace (RFC 6407 section 5.4).
 * A Delete would be obeyed before anything else in the message (section 5.9), and leave members nothing to receive with.
 */
function isDelayed({ dtdSeconds, dataSas }: GroupPolicy): boolean {
  return dtdSeconds !== undefined && dataSas.length > 0;
}

function spokenDeletions({ deletions, policy }: GroupUpdate): readonly Deletion[] {
  return isDelayed(policy) ? deletions.filter(({ kind }) => kind !== "dataSas") : deletions;
}

/** Neither SA nor KD where nothing is to be distributed. RFC 6407 section 5.9. */
function contentOf(crypto: Crypto, { policy, keys }: GroupUpdate): IsakmpPayload[] {
  if (policy.kek === undefined && policy.dataSas.length === 0) return [];
  return [
    { kind: "GSA", body: saOfPolicy(policy, keys.hierarchy !== undefined) },
    { kind: "KD", body: kdOfKeys(policy, keys, [], crypto) },
  ];
}

export function sealPayloads(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey,
  payloads: readonly IsakmpPayload[],
  switches: GdoiSwitches,
): Bytes {
  const kek = kekParts(sa.suite, sa.keys);
  const head = headOf(sa.spi, GdoiExchange.GROUPKEY_PUSH, ISAKMP_ENCRYPTED);
  // SIG is part of the chain before it is made: the payload in front names it, and the length counts it.
  const size = signatureOctets(signer);
  const { first, octets } = encodeIsakmpChain(
    [...payloads, { kind: "SIG", body: { data: new Uint8Array(size) } }],
    GDOI,
  );
  const plain = new Uint8Array(roundUp(octets.length, kek.block));
  plain.set(octets);
  const content = octets.subarray(0, octets.length - size - PAYLOAD_HEADER_LENGTH);
  const length = switches.signedLength === "unpadded" ? octets.length : plain.length;
  const header = encodeSealedIsakmp(head, { first, ciphertext: EMPTY });
  const signature = signPush(crypto, signer, signatureOf(sa), signedOctets(header, content, length), switches);
  assert(signature.length === size, `signature of ${signature.length} octets, ${size} foreseen`);
  plain.set(signature, octets.length - size);
  return encodeSealedIsakmp(head, { first, ciphertext: encrypt(crypto, kek, plain) });
}

function encrypt(crypto: Crypto, { cipher, keyOctets, iv }: KekParts, plain: Bytes): Bytes {
  return crypto.cbcEncrypt(cipher, keyOctets, iv, plain);
}

// ------------------------------------------------------------------------------------------------------------ opening

export type OpenedPush =
  | { readonly kind: "whole"; readonly sequence: number; readonly payloads: readonly IsakmpPayload[] }
  /** The number has been seen; where it equals the last one, a member that acknowledges may do so again. */
  | { readonly kind: "old"; readonly sequence: number }
  | { readonly kind: "refused"; readonly reason: "malformed" | "signature"; readonly problem: string };

/**
 * Decrypts and checks, the cheap tests first: format, number, signature. `last`: the last number that was accepted under
 * this KEK. The caller has found the SA by the SPI and advances the number once all is done.
 */
export function openPush(crypto: Crypto, sa: RekeySa, octets: Bytes, last: number): OpenedPush {
  try {
    return openMessage(crypto, sa, octets, last);
  } catch (error) {
    if (error instanceof WireError) return refused("malformed", `${error.path}: ${error.message}`);
    throw error;
  }
}

function refused(reason: "malformed" | "signature", problem: string): OpenedPush {
  return { kind: "refused", reason, problem };
}

function openMessage(crypto: Crypto, sa: RekeySa, octets: Bytes, last: number): OpenedPush {
  const { sealed, flags, messageId, exchange } = decodeIsakmp(octets, GDOI);
  const isPush = exchange === GdoiExchange.GROUPKEY_PUSH && flags === ISAKMP_ENCRYPTED && messageId === 0;
  const { block, cipher, keyOctets, iv } = kekParts(sa.suite, sa.keys);
  if (!isPush || sealed === undefined || sealed.ciphertext.length === 0 || sealed.ciphertext.length % block !== 0) {
    return refused("malformed", "no GROUPKEY-PUSH");
  }
  const plain = crypto.cbcDecrypt(cipher, keyOctets, iv, sealed.ciphertext);
  const { payloads, used } = readIsakmpChain(plain, sealed.first, GDOI);
  const problem = shapeProblem(payloads);
  if (problem !== undefined) return refused("malformed", problem);
  const { number: sequence } = isakmpPayloadOf(payloads, "SEQ")!;
  if (sequence <= last) return { kind: "old", sequence };
  const { data: signature } = isakmpPayloadOf(payloads, "SIG")!;
  const content = plain.subarray(0, used - signature.length - PAYLOAD_HEADER_LENGTH);
  const isGenuine =
    sa.publicKey !== undefined &&
    // Without padding first: so the reference implementation signs, and so do we.
    [used, plain.length].some((length) =>
      verifyPush(crypto, sa.publicKey!, signatureOf(sa), signedOctets(octets, content, length), signature),
    );
  return isGenuine ? { kind: "whole", sequence, payloads } : refused("signature", "SIG");
}

/** SEQ first, then D, then SA and KD or neither, SIG last. */
const SHAPE = /^SEQ( D)*( GSA KD)? SIG$/;

function shapeProblem(payloads: readonly IsakmpPayload[]): string | undefined {
  const kinds = payloads.map(({ kind }) => kind).join(" ");
  return SHAPE.test(kinds) ? undefined : `payloads ${kinds}`;
}

// ------------------------------------------------------------------------------------------------------------ reading

/**
 * What a genuine PUSH says. Some key servers repeat the KEK that carries the message; that is no change and left out.
 * Deletions come first: they are to be applied before what is new. `held`: what the member holds of a key hierarchy.
 */
export function readPush(
  sa: RekeySa,
  payloads: readonly IsakmpPayload[],
  switches: GdoiSwitches,
  held?: HeldPath,
): Read<GroupUpdate | Excluded> {
  return reading((): GroupUpdate | Excluded => {
    const kekSpi = fromHex(sa.spi);
    const deletions = payloads.flatMap((payload) =>
      payload.kind === "D" ? (deletionOfDelete(payload.body, kekSpi) ?? []) : [],
    );
    const gsa = isakmpPayloadOf(payloads, "GSA");
    const kd = isakmpPayloadOf(payloads, "KD");
    if (gsa === undefined || kd === undefined) {
      if (!payloads.some(({ kind }) => kind === "D")) malformed("neither policy nor deletion");
      return { policy: NO_POLICY, keys: NO_KEYS, deletions };
    }
    const { kek, ...rest } = policyOfSa(gsa, switches);
    const isNew = kek !== undefined && kek.spi !== sa.spi;
    const policy = isNew ? { ...rest, kek } : rest;
    const read = keysOfKd(kd, policy, sa.spi, held);
    if (read === undefined) return { excluded: true };
    const { keys, member } = read;
    const { publicKey = sa.publicKey } = member;
    const renewed = isNew ? { kek: { ...kek, ...(publicKey === undefined ? {} : { publicKey }) } } : {};
    const replaced: readonly Deletion[] = isDelayed(rest) ? [{ kind: "allDataSas" }] : [];
    return { policy: { ...rest, ...renewed }, keys, deletions: [...replaced, ...deletions] };
  });
}
