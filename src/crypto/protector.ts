/**
 * Protection of one packet, the same for the SK payload of IKEv2 (RFC 7296 section 3.14, RFC 5282) and for ESP (RFC
 * 4303): what is in front stays in clear and is authenticated, then follow IV, ciphertext and ICV.
 *
 *     | prefix                     | IV | ciphertext of plain | ICV |
 *     | IKE header .. SK/SKF header|<-------- body --------------->|
 *     | SPI, sequence number       |
 *
 * Padding belongs to the plaintext and to the caller: the two protocols pad differently.
 */
import { type Bytes, concat, EMPTY, equal, passingOctets } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Crypto } from "./api.ts";
import type { SaKeys } from "./prf.ts";
import { encrKeyOctets, integrity } from "./prf.ts";
import type { EncrSpec, IntegSpec } from "./suite.ts";

/** `integ` is undefined with an AEAD cipher; ESP may also go without (RFC 4303 section 3.2.2 allows it, and IOS). */
export interface Protection {
  readonly encr: EncrSpec;
  readonly integ: IntegSpec | undefined;
}

export interface ProtectInput {
  /** Everything from the start of the IKE header, or SPI and sequence number, up to the IV. */
  readonly prefix: Bytes;
  /** Of the cipher's IV length. */
  readonly iv: Bytes;
  /** With its padding, a multiple of the cipher's block. */
  readonly plain: Bytes;
  /**
   * ESP with extended sequence numbers: the upper four octets, which do not travel. An AEAD authenticates them between
   * SPI and lower half (RFC 4106 section 5), a separate MAC at the very end (RFC 4303 section 2.2.1).
   */
  readonly sequenceHigh?: Bytes;
}

export interface UnprotectInput {
  readonly prefix: Bytes;
  /** IV, ciphertext and ICV: the rest of the packet. */
  readonly body: Bytes;
  readonly sequenceHigh?: Bytes;
}

/** Octets of the ICV at the end of the body. */
export function icvOctets(protection: Protection): number {
  return protection.encr.icv + (protection.integ?.icv ?? 0);
}

/** Octets of the body for a padded plaintext: known before the packet is built, as its headers carry the length. */
export function bodyOctets(protection: Protection, plainOctets: number): number {
  return protection.encr.iv + plainOctets + icvOctets(protection);
}

/** What travels: `input.prefix`, then what `protect` makes. The plainest case is joined once instead of twice. */
export function protectBehind(crypto: Crypto, protection: Protection, keys: SaKeys, input: ProtectInput): Bytes {
  if (!protection.encr.aead) return concat(input.prefix, protect(crypto, protection, keys, input));
  checkInput(protection, keys, input);
  const { prefix, iv } = input;
  const sealed = seal(crypto, protection.encr, keys.encr, input);
  const packet = passingOctets(prefix.length + iv.length + sealed.length);
  packet.set(prefix);
  packet.set(iv, prefix.length);
  packet.set(sealed, prefix.length + iv.length);
  return packet;
}

/** IV, ciphertext and ICV. */
export function protect(crypto: Crypto, protection: Protection, keys: SaKeys, input: ProtectInput): Bytes {
  const { encr, integ } = protection;
  const { iv, plain } = input;
  checkInput(protection, keys, input);
  if (encr.aead) return concat(iv, seal(crypto, encr, keys.encr, input));
  const text = concat(iv, encipher(crypto, encr, keys.encr, iv, plain));
  if (integ === undefined) return text;
  return concat(text, integrity(crypto, integ, keys.integ, macInput(input.prefix, text, input.sequenceHigh)));
}

/**
 * The padded plaintext, or undefined where the ICV is wrong or the body cannot be one of this suite. With NULL and GMAC
 * it is a view of the body.
 */
export function unprotect(
  crypto: Crypto,
  protection: Protection,
  keys: SaKeys,
  input: UnprotectInput,
): Bytes | undefined {
  const { encr, integ } = protection;
  const { body } = input;
  checkKeys(protection, keys);
  const size = body.length - encr.iv - icvOctets(protection);
  if (size < 0 || size % encr.block !== 0) return undefined;
  if (encr.aead) return open(crypto, encr, keys.encr, input);
  const text = body.subarray(0, encr.iv + size);
  if (integ !== undefined) {
    const expected = integrity(crypto, integ, keys.integ, macInput(input.prefix, text, input.sequenceHigh));
    if (!equal(expected, body.subarray(text.length))) return undefined;
  }
  return decipher(crypto, encr, keys.encr, body.subarray(0, encr.iv), text.subarray(encr.iv));
}

function checkInput(protection: Protection, keys: SaKeys, { iv, plain }: ProtectInput): void {
  const { encr } = protection;
  checkKeys(protection, keys);
  assert(iv.length === encr.iv, () => `IV of ${iv.length} octets, ${encr.iv} needed`);
  assert(plain.length % encr.block === 0, () => `plaintext of ${plain.length} octets is no multiple of ${encr.block}`);
}

function checkKeys({ encr, integ }: Protection, keys: SaKeys): void {
  assert(keys.encr.length === encrKeyOctets(encr), () => `${encr.name} with a key of ${keys.encr.length} octets`);
  assert(integ === undefined || keys.integ.length === integ.key, () => `integrity key of ${keys.integ.length} octets`);
}

/** The MAC covers what travels in front of it, and the upper half of an extended sequence number last. */
function macInput(prefix: Bytes, text: Bytes, sequenceHigh: Bytes = EMPTY): Bytes {
  return concat(prefix, text, sequenceHigh);
}

/** RFC 5282 section 5.1 (IKE), RFC 4106 section 5 (ESP): the prefix, with an extended sequence number made whole. */
function associated(prefix: Bytes, sequenceHigh: Bytes | undefined): Bytes {
  return sequenceHigh === undefined ? prefix : concat(prefix.subarray(0, 4), sequenceHigh, prefix.subarray(4));
}

/**
 * The salt lies behind the key in key material and in front of the IV in the nonce. `text` begins with the IV. Valid until
 * the next call, like the result of `keyOf`: a back end is done with its arguments when it returns, and fresh arrays for
 * them were 2 of the 29 kB that a rekey of one member allocates.
 */
function nonceOf(encr: EncrSpec, key: Bytes, text: Bytes): Bytes {
  assert(encr.salt + encr.iv === NONCE.length, () => `${encr.name} has no nonce of ${NONCE.length} octets`);
  for (let i = 0; i < encr.salt; i++) NONCE[i] = key[encr.key + i]!;
  for (let i = 0; i < encr.iv; i++) NONCE[encr.salt + i] = text[i]!;
  return NONCE;
}

/** The key itself, without its salt. */
function keyOf(encr: EncrSpec, key: Bytes): Bytes {
  const bare = KEYS[encr.key]!;
  for (let i = 0; i < bare.length; i++) bare[i] = key[i]!;
  return bare;
}

const NONCE: Bytes = new Uint8Array(12);
const KEYS: Readonly<Record<number, Bytes>> = {
  16: new Uint8Array(16),
  24: new Uint8Array(24),
  32: new Uint8Array(32),
};

function seal(crypto: Crypto, encr: EncrSpec, encrKey: Bytes, input: ProtectInput): Bytes {
  const key = keyOf(encr, encrKey);
  const nonce = nonceOf(encr, encrKey, input.iv);
  const aad = associated(input.prefix, input.sequenceHigh);
  if (encr.kind === "aes-gmac") {
    const tag = crypto.seal("aes-gcm", key, nonce, gmacInput(aad, input.iv, input.plain), EMPTY, encr.icv);
    return concat(input.plain, tag);
  }
  return crypto.seal(aeadOf(encr), key, nonce, aad, input.plain, encr.icv);
}

function open(crypto: Crypto, encr: EncrSpec, encrKey: Bytes, input: UnprotectInput): Bytes | undefined {
  const { body } = input;
  const key = keyOf(encr, encrKey);
  const nonce = nonceOf(encr, encrKey, body);
  const aad = associated(input.prefix, input.sequenceHigh);
  const sealed = body.subarray(encr.iv);
  if (encr.kind === "aes-gmac") {
    const iv = body.subarray(0, encr.iv);
    const plain = sealed.subarray(0, sealed.length - encr.icv);
    const tag = sealed.subarray(plain.length);
    return crypto.open("aes-gcm", key, nonce, gmacInput(aad, iv, plain), tag, encr.icv) && plain;
  }
  return crypto.open(aeadOf(encr), key, nonce, aad, sealed, encr.icv);
}

/**
 * GMAC authenticates the IV too. RFC 4543 section 7 says otherwise; draft-mcgrew-gcm-test-01 calls that sentence an
 * error, and what is deployed includes it.
 */
function gmacInput(aad: Bytes, iv: Bytes, plain: Bytes): Bytes {
  return concat(aad, iv, plain);
}

function aeadOf(encr: EncrSpec): "aes-gcm" | "chacha20-poly1305" {
  return encr.kind === "chacha20-poly1305" ? "chacha20-poly1305" : "aes-gcm";
}

/** Counter block of AES-CTR: nonce, IV, and a count from 1. RFC 3686 section 4. */
function counterBlock(nonce: Bytes): Bytes {
  return concat(nonce, Uint8Array.of(0, 0, 0, 1));
}

function encipher(crypto: Crypto, encr: EncrSpec, encrKey: Bytes, iv: Bytes, plain: Bytes): Bytes {
  switch (encr.kind) {
    case "cbc-aes":
      return crypto.cbcEncrypt("aes", encrKey, iv, plain);
    case "cbc-3des":
      return crypto.cbcEncrypt("3des", encrKey, iv, plain);
    default:
      return stream(crypto, encr, encrKey, iv, plain);
  }
}

function decipher(crypto: Crypto, encr: EncrSpec, encrKey: Bytes, iv: Bytes, text: Bytes): Bytes {
  switch (encr.kind) {
    case "cbc-aes":
      return crypto.cbcDecrypt("aes", encrKey, iv, text);
    case "cbc-3des":
      return crypto.cbcDecrypt("3des", encrKey, iv, text);
    default:
      return stream(crypto, encr, encrKey, iv, text);
  }
}

/** AES-CTR and NULL undo themselves. */
function stream(crypto: Crypto, encr: EncrSpec, encrKey: Bytes, iv: Bytes, data: Bytes): Bytes {
  if (encr.kind === "null") return data;
  return crypto.aesCtr(keyOf(encr, encrKey), counterBlock(nonceOf(encr, encrKey, iv)), data);
}
