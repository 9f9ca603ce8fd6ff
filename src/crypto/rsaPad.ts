/**
 * RSA signature encodings of RFC 8017 section 9, shared by both back ends: a back end adds only the modular power. That
 * keeps odd signatures from being judged differently by two libraries.
 */
import type { Bytes } from "../base/bytes.ts";
import { concat, EMPTY, equal, fromHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { HashName, RsaPublicKey, SignatureScheme } from "./api.ts";
import { octetBits } from "./bigint.ts";

type Hash = (name: HashName, data: Bytes) => Bytes;
type RsaScheme = Extract<SignatureScheme, { kind: "rsa-pkcs1" | "rsa-pkcs1-raw" | "rsa-pss" }>;

/** DigestInfo up to the digest. RFC 8017 section 9.2, note 1. */
const DIGEST_INFO: Readonly<Record<HashName, Bytes>> = {
  md5: fromHex("3020300c06082a864886f70d020505000410"),
  sha1: fromHex("3021300906052b0e03021a05000414"),
  sha256: fromHex("3031300d060960864801650304020105000420"),
  sha384: fromHex("3041300d060960864801650304020205000430"),
  sha512: fromHex("3051300d060960864801650304020305000440"),
};

const MODULUS_BITS_MIN = 512;
const MODULUS_BITS_MAX = 16_384;
/** OpenSSL's own bound for long moduli; it also bounds the time of one verification. */
const EXPONENT_BITS_MAX = 64;

/** Whether both back ends can compute with this key in bounded time: 512 to 16,384 bits, odd, 1 < e < n, e up to 64 bits. */
export function usableRsaKey(key: RsaPublicKey): boolean {
  const bits = octetBits(key.n);
  const exponentBits = octetBits(key.e);
  if (bits < MODULUS_BITS_MIN || bits > MODULUS_BITS_MAX) return false;
  if (exponentBits < 2 || exponentBits > EXPONENT_BITS_MAX) return false;
  return (key.n.at(-1)! & 1) === 1 && (key.e.at(-1)! & 1) === 1;
}

/** Octets of the modulus, and so of a signature. */
export function modulusOctets(key: RsaPublicKey): number {
  return (octetBits(key.n) + 7) >> 3;
}

/** The block that the private operation is applied to: as long as the modulus. Throws where the key is too short for it. */
export function encodeRsaBlock(hash: Hash, key: RsaPublicKey, scheme: RsaScheme, message: Bytes): Bytes {
  const size = modulusOctets(key);
  if (scheme.kind === "rsa-pss") {
    const salt = scheme.salt ?? EMPTY;
    assert(salt.length === scheme.saltLength, "PSS salt is not of the announced length");
    const encoded = encodePss(hash, scheme.hash, octetBits(key.n) - 1, message, salt);
    return encoded.length === size ? encoded : concat(new Uint8Array(size - encoded.length), encoded);
  }
  const block = encodePkcs1(size, pkcs1Content(hash, scheme, message));
  assert(block !== undefined, "RSA modulus is too short for this signature");
  return block;
}

/** Whether a block that the public operation yielded encodes this message. */
export function checkRsaBlock(hash: Hash, key: RsaPublicKey, scheme: RsaScheme, message: Bytes, block: Bytes): boolean {
  const size = modulusOctets(key);
  if (scheme.kind !== "rsa-pss") {
    const expected = encodePkcs1(size, pkcs1Content(hash, scheme, message));
    return expected !== undefined && equal(expected, block);
  }
  const bits = octetBits(key.n) - 1;
  const encodedSize = (bits + 7) >> 3;
  if (encodedSize < size && block[0] !== 0) return false;
  return checkPss(hash, scheme.hash, bits, message, scheme.saltLength, block.subarray(size - encodedSize));
}

function pkcs1Content(hash: Hash, scheme: Exclude<RsaScheme, { kind: "rsa-pss" }>, message: Bytes): Bytes {
  if (scheme.kind === "rsa-pkcs1-raw") return message;
  return concat(DIGEST_INFO[scheme.hash], hash(scheme.hash, message));
}

/** 00 01 ff..ff 00 content, with at least eight ff; undefined where it does not fit. RFC 8017 section 9.2. */
function encodePkcs1(size: number, content: Bytes): Bytes | undefined {
  if (content.length > size - 11) return undefined;
  const block = new Uint8Array(size).fill(0xff);
  block[0] = 0;
  block[1] = 1;
  block[size - content.length - 1] = 0;
  block.set(content, size - content.length);
  return block;
}

/** RFC 8017 section 9.1.1. */
function encodePss(hash: Hash, name: HashName, bits: number, message: Bytes, salt: Bytes): Bytes {
  const size = (bits + 7) >> 3;
  const digest = pssDigest(hash, name, message, salt);
  const dbSize = size - digest.length - 1;
  assert(dbSize >= salt.length + 1, "RSA modulus is too short for this signature");
  const db = new Uint8Array(dbSize);
  db[dbSize - salt.length - 1] = 1;
  db.set(salt, dbSize - salt.length);
  xorInto(db, mgf1(hash, name, digest, dbSize));
  db[0]! &= 0xff >>> (8 * size - bits);
  return concat(db, digest, Uint8Array.of(0xbc));
}

/** RFC 8017 section 9.1.2. */
function checkPss(
  hash: Hash,
  name: HashName,
  bits: number,
  message: Bytes,
  saltLength: number,
  encoded: Bytes,
): boolean {
  const size = encoded.length;
  const digestSize = DIGEST_OCTETS[name];
  const dbSize = size - digestSize - 1;
  if (dbSize < saltLength + 1 || encoded[size - 1] !== 0xbc) return false;
  const spare = 0xff >>> (8 * size - bits);
  if ((encoded[0]! & ~spare) !== 0) return false;
  const digest = encoded.subarray(dbSize, dbSize + digestSize);
  const db = encoded.slice(0, dbSize);
  xorInto(db, mgf1(hash, name, digest, dbSize));
  db[0]! &= spare;
  for (let i = 0; i < dbSize - saltLength - 1; i++) if (db[i] !== 0) return false;
  if (db[dbSize - saltLength - 1] !== 1) return false;
  return equal(digest, pssDigest(hash, name, message, db.subarray(dbSize - saltLength)));
}

export const DIGEST_OCTETS: Readonly<Record<HashName, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

function pssDigest(hash: Hash, name: HashName, message: Bytes, salt: Bytes): Bytes {
  return hash(name, concat(new Uint8Array(8), hash(name, message), salt));
}

/** RFC 8017 appendix B.2.1. */
function mgf1(hash: Hash, name: HashName, seed: Bytes, length: number): Bytes {
  const out = new Uint8Array(length);
  const block = concat(seed, new Uint8Array(4));
  for (let at = 0, counter = 0; at < length; counter++) {
    new DataView(block.buffer).setUint32(seed.length, counter);
    const piece = hash(name, block);
    out.set(piece.subarray(0, Math.min(piece.length, length - at)), at);
    at += piece.length;
  }
  return out;
}

function xorInto(target: Bytes, mask: Bytes): void {
  for (let i = 0; i < target.length; i++) target[i]! ^= mask[i]!;
}
