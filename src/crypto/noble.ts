/** The portable back end: synchronous, the same in Node and in a browser, over the noble libraries. */
import { aeskwp, cbc, ctr, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { ecdsa } from "@noble/curves/abstract/weierstrass.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../base/bytes.ts";
import { concat, EMPTY, equal } from "../base/bytes.ts";
import type {
  Crypto,
  CurveName,
  DhGroup,
  EcPrivateKey,
  EcPublicKey,
  HashName,
  RsaPrivateKey,
  RsaPublicKey,
} from "./api.ts";
import { checkAead, checkAesKey, checkCbc, checkMismatch, checkWrap, mayBeWrapped } from "./argument.ts";
import { bigFrom, bigTo, fixedBase, mod, powMod } from "./bigint.ts";
import { desCbcDecrypt, desCbcEncrypt } from "./des.ts";
import type { ModpGroup } from "./dhGroup.ts";
import { acceptableModp, CURVES, checkExponent, DH_GROUPS, privateScalar } from "./dhGroup.ts";
import { ecdsaFromDer, ecdsaToDer } from "./ecdsaCoding.ts";
import { checkRsaBlock, encodeRsaBlock, modulusOctets, usableRsaKey } from "./rsaPad.ts";

const HASHES = { md5, sha1, sha256, sha384, sha512 } as const satisfies Record<HashName, unknown>;
const NIST: Readonly<Record<CurveName, ECDSA>> = { "P-256": p256, "P-384": p384, "P-521": p521 };
const UNCOMPRESSED = Uint8Array.of(4);
const NO_PADDING = { disablePadding: true } as const;

function hash(name: HashName, data: Bytes): Bytes {
  return HASHES[name](data);
}

/** ECDSA over a curve with a hash that need not be the curve's own; built once for each pair that occurs. */
const ecdsaVariants = new Map<string, ECDSA>();
function ecdsaOf(curve: CurveName, name: HashName): ECDSA {
  const key = `${curve} ${name}`;
  const known = ecdsaVariants.get(key);
  if (known !== undefined) return known;
  const made = ecdsa(NIST[curve].Point, HASHES[name]);
  ecdsaVariants.set(key, made);
  return made;
}

/** Powers of the generator for each MODP group in use: a table serves every key pair of a run. */
const generators = new Map<DhGroup, (exponent: bigint) => bigint>();
function generatorPower(group: DhGroup, modp: ModpGroup, exponent: bigint): bigint {
  let power = generators.get(group);
  if (power === undefined) {
    power = fixedBase(modp.generator, modp.prime);
    generators.set(group, power);
  }
  return power(exponent);
}

function undefinedOnThrow<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}

/** By the Chinese remainder theorem. RFC 8017 section 5.1.2, step 2b. */
function rsaPrivate(key: RsaPrivateKey, block: Bytes): Bytes {
  const [p, q] = [bigFrom(key.p), bigFrom(key.q)];
  const input = bigFrom(block);
  const m1 = powMod(input, bigFrom(key.dp), p);
  const m2 = powMod(input, bigFrom(key.dq), q);
  return bigTo(m2 + q * mod((m1 - m2) * bigFrom(key.qi), p), modulusOctets(key));
}

function rsaPublic(key: RsaPublicKey, signature: Bytes): Bytes | undefined {
  const n = bigFrom(key.n);
  const input = bigFrom(signature);
  if (signature.length !== modulusOctets(key) || input >= n) return undefined;
  return bigTo(powMod(input, bigFrom(key.e), n), signature.length);
}

function ecSign(key: EcPrivateKey, name: HashName, message: Bytes): Bytes {
  return ecdsaOf(key.curve, name).sign(message, key.d, { prehash: true, lowS: false, format: "compact" });
}

function ecVerify(key: EcPublicKey, name: HashName, message: Bytes, raw: Bytes): boolean {
  const options = { prehash: true, lowS: false, format: "compact" } as const;
  return ecdsaOf(key.curve, name).verify(raw, message, concat(UNCOMPRESSED, key.point), options);
}

/**
 * The check of RFC 8032 section 5.1.7 in the form OpenSSL computes it: without cofactor, R compared as octets, and
 * points of small order not refused. The library's own two modes answer differently for crafted keys.
 */
function ed25519Verify(point: Bytes, message: Bytes, signature: Bytes): boolean {
  if (point.length !== 32 || signature.length !== 64) return false;
  const { Point } = ed25519;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const order = Point.Fn.ORDER;
  if (s >= order) return false;
  const a = Point.fromBytes(point, true);
  const k = littleEndian(sha512(concat(r, point, message))) % order;
  const found = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return equal(found.toBytes(), r);
}

function littleEndian(octets: Bytes): bigint {
  return bigFrom(Uint8Array.from(octets).reverse());
}

export const noble: Crypto = {
  backend: "noble",

  hash,

  hmac(name, key, data) {
    return hmac(HASHES[name], key, data);
  },

  cbcEncrypt(cipher, key, iv, data) {
    checkCbc(cipher, key, iv, data);
    if (cipher !== "aes") return desCbcEncrypt(key, iv, data);
    return data.length === 0 ? EMPTY : cbc(key, iv, NO_PADDING).encrypt(data);
  },

  cbcDecrypt(cipher, key, iv, data) {
    checkCbc(cipher, key, iv, data);
    if (cipher !== "aes") return desCbcDecrypt(key, iv, data);
    return data.length === 0 ? EMPTY : cbc(key, iv, NO_PADDING).decrypt(data);
  },

  aesCtr(key, counterBlock, data) {
    checkAesKey(key);
    return ctr(key, counterBlock).encrypt(data);
  },

  seal(aead, key, nonce, aad, plain, tagLength) {
    checkAead(aead, key, nonce, tagLength);
    if (aead === "chacha20-poly1305") return chacha20poly1305(key, nonce, aad).encrypt(plain);
    const sealed = gcm(key, nonce, aad).encrypt(plain);
    return tagLength === 16 ? sealed : sealed.slice(0, plain.length + tagLength);
  },

  open(aead, key, nonce, aad, sealed, tagLength) {
    checkAead(aead, key, nonce, tagLength);
    if (sealed.length < tagLength) return undefined;
    if (aead === "chacha20-poly1305") return undefinedOnThrow(() => chacha20poly1305(key, nonce, aad).decrypt(sealed));
    if (tagLength === 16) return undefinedOnThrow(() => gcm(key, nonce, aad).decrypt(sealed));
    // The library knows whole tags only: decrypt first, then compare the start of the tag of what came out.
    // GCM's cipher is a key stream, so that encrypting the ciphertext decrypts it.
    const text = sealed.subarray(0, sealed.length - tagLength);
    const plain = gcm(key, nonce, aad).encrypt(text).slice(0, text.length);
    const again = gcm(key, nonce, aad).encrypt(plain);
    return equal(again.subarray(0, sealed.length), sealed) ? plain : undefined;
  },

  wrapKey(kek, plain) {
    checkWrap(kek, plain);
    return aeskwp(kek).encrypt(plain);
  },

  unwrapKey(kek, wrapped) {
    checkAesKey(kek);
    if (!mayBeWrapped(wrapped)) return undefined;
    return undefinedOnThrow(() => aeskwp(kek).decrypt(wrapped));
  },

  dhPublic(group, privateKey) {
    const spec = DH_GROUPS[group];
    if (spec.kind !== "ecp") checkExponent(spec, privateKey);
    if (spec.kind === "x25519") return x25519.getPublicKey(privateKey);
    if (spec.kind === "modp") {
      return bigTo(generatorPower(group, spec, bigFrom(privateKey)), spec.primeOctets.length);
    }
    const scalar = privateScalar(CURVES[spec.curve], privateKey);
    return NIST[spec.curve].getPublicKey(scalar, false).slice(1);
  },

  dhShared(group, privateKey, peer) {
    const spec = DH_GROUPS[group];
    if (spec.kind !== "ecp") checkExponent(spec, privateKey);
    if (spec.kind === "x25519") {
      return peer.length === 32 ? undefinedOnThrow(() => x25519.getSharedSecret(privateKey, peer)) : undefined;
    }
    if (spec.kind === "modp") {
      if (!acceptableModp(spec, peer)) return undefined;
      return bigTo(powMod(bigFrom(peer), bigFrom(privateKey), spec.prime), spec.primeOctets.length);
    }
    const curve = CURVES[spec.curve];
    if (peer.length !== 2 * curve.size) return undefined;
    const scalar = privateScalar(curve, privateKey);
    const point = concat(UNCOMPRESSED, peer);
    return undefinedOnThrow(() => NIST[spec.curve].getSharedSecret(scalar, point, false).slice(1, 1 + curve.size));
  },

  sign(key, scheme, message) {
    if (scheme.kind === "ed25519") {
      return key.type === "ed25519" ? ed25519.sign(message, key.seed) : checkMismatch(scheme.kind);
    }
    if (scheme.kind === "ecdsa") {
      if (key.type !== "ec") return checkMismatch(scheme.kind);
      const raw = ecSign(key, scheme.hash, message);
      return scheme.encoding === "raw" ? raw : ecdsaToDer(raw);
    }
    if (key.type !== "rsa") return checkMismatch(scheme.kind);
    return rsaPrivate(key, encodeRsaBlock(hash, key, scheme, message));
  },

  verify(key, scheme, message, signature) {
    if (scheme.kind === "ed25519") {
      return key.type === "ed25519" && (undefinedOnThrow(() => ed25519Verify(key.point, message, signature)) ?? false);
    }
    if (scheme.kind === "ecdsa") {
      if (key.type !== "ec") return false;
      const { size } = CURVES[key.curve];
      const raw = scheme.encoding === "raw" ? signature : ecdsaFromDer(signature, size);
      if (raw?.length !== 2 * size || key.point.length !== 2 * size) return false;
      return undefinedOnThrow(() => ecVerify(key, scheme.hash, message, raw)) ?? false;
    }
    if (key.type !== "rsa" || !usableRsaKey(key)) return false;
    const block = rsaPublic(key, signature);
    return block !== undefined && checkRsaBlock(hash, key, scheme, message, block);
  },
};
