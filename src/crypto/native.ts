/**
 * The fast back end over node:crypto, with the same octets as the portable one. Only deterministic calls are used: node's
 * own ECDSA draws its nonce and its PSS draws a salt, so nonces, salts and paddings are made here and OpenSSL does the
 * arithmetic. Keys are imported as JWK: OpenSSL 3 takes 2 to 30 times longer over DER and PEM.
 */
import type { CipherGCMTypes, JsonWebKey, KeyObject } from "node:crypto";
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createDiffieHellman,
  createECDH,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash as nodeHash,
  sign as nodeSign,
  verify as nodeVerify,
  privateEncrypt,
  publicEncrypt,
} from "node:crypto";
import type { Bytes } from "../base/bytes.ts";
import { concat, fromHex } from "../base/bytes.ts";
import type { Crypto, CurveName, EcPublicKey, HashName, PrivateKey, PublicKey } from "./api.ts";
import type { Aead, CbcCipher } from "./argument.ts";
import { checkAead, checkAesKey, checkCbc, checkMismatch, checkWrap, mayBeWrapped } from "./argument.ts";
import type { ModpGroup } from "./dhGroup.ts";
import { acceptableModp, CURVES, checkExponent, DH_GROUPS, privateScalar } from "./dhGroup.ts";
import { ecdsaFromDer, ecdsaToDer } from "./ecdsaCoding.ts";
import type { EcdsaTools } from "./rfc6979.ts";
import { signEcdsa } from "./rfc6979.ts";
import { checkRsaBlock, encodeRsaBlock, modulusOctets, usableRsaKey } from "./rsaPad.ts";

const OPENSSL_CURVES: Readonly<Record<CurveName, string>> = {
  "P-256": "prime256v1",
  "P-384": "secp384r1",
  "P-521": "secp521r1",
};
const UNCOMPRESSED = Uint8Array.of(4);
/** Alternative initial value of RFC 5649 section 3, without the length that OpenSSL appends. */
const KWP_IV = fromHex("a65959a6");

/**
 * A plain Uint8Array that owns its memory: a Buffer may be a window on a pool, and its `slice` does not copy. Octets that
 * fit are copied into the heap: memory outside it costs some 200 octets more for as long as a key is held.
 */
function own(buffer: Uint8Array): Bytes {
  if (buffer.length <= HEAP_OCTETS) return new Uint8Array(buffer);
  return buffer.byteLength === buffer.buffer.byteLength ? new Uint8Array(buffer.buffer) : new Uint8Array(buffer);
}

/** V8 keeps arrays up to this length in its heap. */
const HEAP_OCTETS = 64;

function undefinedOnThrow<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}

/**
 * Octets that node tells as text of one character each. A Buffer has memory of its own outside the heap, which costs more
 * to get and to give back than reading 20 or 32 characters: an HMAC takes 1.9 us this way and 2.6 by a Buffer.
 */
function fromBinary(text: string): Bytes {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < octets.length; i++) octets[i] = text.charCodeAt(i);
  return octets;
}

function hash(name: HashName, data: Bytes): Bytes {
  return fromBinary(nodeHash(name, data, "binary"));
}

function hmac(name: HashName, key: Bytes, data: Bytes): Bytes {
  return fromBinary(createHmac(name, key).update(data).digest("binary"));
}

/** Single DES is triple DES with one key three times: OpenSSL 3 keeps plain DES in a provider that is not loaded. */
function cbcKey(cipher: CbcCipher, key: Bytes): Bytes {
  return cipher === "des" ? concat(key, key, key) : key;
}

function cbcName(cipher: CbcCipher, key: Bytes): string {
  return cipher === "aes" ? `aes-${8 * key.length}-cbc` : "des-ede3-cbc";
}

const AES_GCM: Readonly<Record<number, CipherGCMTypes>> = { 16: "aes-128-gcm", 24: "aes-192-gcm", 32: "aes-256-gcm" };

const WRAP_PAD: Readonly<Record<number, string>> = {
  16: "id-aes128-wrap-pad",
  24: "id-aes192-wrap-pad",
  32: "id-aes256-wrap-pad",
};

const TAG_OF: Readonly<Record<number, { readonly authTagLength: number }>> = Object.fromEntries(
  [4, 8, 12, 16].map((length) => [length, { authTagLength: length }]),
);

/** The two AEADs share their call shapes; the declared types are told apart by name only. */
function aeadName(aead: Aead, key: Bytes): CipherGCMTypes {
  return aead === "aes-gcm" ? AES_GCM[key.length]! : ("chacha20-poly1305" as CipherGCMTypes);
}

function base64(octets: Bytes): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("base64url");
}

function fromBase64(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

function publicJwk(key: PublicKey): JsonWebKey {
  switch (key.type) {
    case "rsa":
      return { kty: "RSA", n: base64(key.n), e: base64(key.e) };
    case "ec": {
      const size = key.point.length / 2;
      return { kty: "EC", crv: key.curve, x: base64(key.point.subarray(0, size)), y: base64(key.point.subarray(size)) };
    }
    case "ed25519":
      return { kty: "OKP", crv: "Ed25519", x: base64(key.point) };
  }
}

function privateJwk(key: PrivateKey): JsonWebKey {
  switch (key.type) {
    case "rsa":
      return {
        ...publicJwk(key),
        d: base64(key.d),
        p: base64(key.p),
        q: base64(key.q),
        dp: base64(key.dp),
        dq: base64(key.dq),
        qi: base64(key.qi),
      };
    case "ec":
      return { ...publicJwk(key), d: base64(key.d) };
    case "ed25519":
      return { ...publicJwk(key), d: base64(key.seed) };
  }
}

const publicKeys = new WeakMap<PublicKey, KeyObject | null>();
const privateKeys = new WeakMap<PrivateKey, KeyObject>();

/** Imported once for each key object; undefined where OpenSSL refuses the key, such as a point off its curve. */
function importPublic(key: PublicKey): KeyObject | undefined {
  let imported = publicKeys.get(key);
  if (imported === undefined) {
    imported = undefinedOnThrow(() => createPublicKey({ key: publicJwk(key), format: "jwk" })) ?? null;
    publicKeys.set(key, imported);
  }
  return imported ?? undefined;
}

function importPrivate(key: PrivateKey): KeyObject {
  let imported = privateKeys.get(key);
  if (imported === undefined) {
    imported = createPrivateKey({ key: privateJwk(key), format: "jwk" });
    privateKeys.set(key, imported);
  }
  return imported;
}

const x25519Keys = new WeakMap<Bytes, KeyObject>();

/**
 * Imported once for each array of octets, which an endpoint keeps from its public value to the shared secret: the import
 * is a multiplication on the curve like the other two, and without the table a fifth of a registration went there. The
 * public half may be anything in an OKP private JWK: OpenSSL derives it.
 */
function x25519Private(privateKey: Bytes): KeyObject {
  let imported = x25519Keys.get(privateKey);
  if (imported === undefined) {
    const d = base64(privateKey);
    imported = createPrivateKey({ key: { kty: "OKP", crv: "X25519", d, x: d }, format: "jwk" });
    x25519Keys.set(privateKey, imported);
  }
  return imported;
}

/** Node's value has no leading zeros (about one in 250 is short), a KE payload has them. RFC 7296 section 3.4. */
function padLeft(octets: Uint8Array, length: number): Bytes {
  if (octets.length === length) return own(octets);
  const out = new Uint8Array(length);
  out.set(octets, length - octets.length);
  return out;
}

/** The group by its prime: the named group objects take no private key from outside. */
function modpKey(group: ModpGroup, privateKey: Bytes) {
  const dh = createDiffieHellman(group.primeOctets, group.generatorOctets);
  dh.setPrivateKey(privateKey);
  return dh;
}

function ecKey(curve: CurveName, scalar: Bytes) {
  const ecdh = createECDH(OPENSSL_CURVES[curve]);
  ecdh.setPrivateKey(scalar);
  return ecdh;
}

const ecdsaTools = Object.fromEntries(
  (Object.keys(CURVES) as CurveName[]).map((curve): [CurveName, EcdsaTools] => [
    curve,
    {
      hash,
      hmac,
      baseX: (k) =>
        ecKey(curve, k)
          .getPublicKey()
          .subarray(1, 1 + CURVES[curve].size),
    },
  ]),
) as Record<CurveName, EcdsaTools>;

function ecVerify(key: EcPublicKey, name: HashName, message: Bytes, raw: Bytes): boolean {
  const imported = importPublic(key);
  return imported !== undefined && nodeVerify(name, message, { key: imported, dsaEncoding: "ieee-p1363" }, raw);
}

export const native: Crypto = {
  backend: "native",

  hash,
  hmac,

  cbcEncrypt(cipher, key, iv, data) {
    checkCbc(cipher, key, iv, data);
    return own(createCipheriv(cbcName(cipher, key), cbcKey(cipher, key), iv).setAutoPadding(false).update(data));
  },

  cbcDecrypt(cipher, key, iv, data) {
    checkCbc(cipher, key, iv, data);
    return own(createDecipheriv(cbcName(cipher, key), cbcKey(cipher, key), iv).setAutoPadding(false).update(data));
  },

  aesCtr(key, counterBlock, data) {
    checkAesKey(key);
    return own(createCipheriv(`aes-${8 * key.length}-ctr`, key, counterBlock).update(data));
  },

  seal(aead, key, nonce, aad, plain, tagLength) {
    checkAead(aead, key, nonce, tagLength);
    const cipher = createCipheriv(aeadName(aead, key), key, nonce, TAG_OF[tagLength]);
    if (aad.length > 0) cipher.setAAD(aad);
    const out = new Uint8Array(plain.length + tagLength);
    if (plain.length > 0) out.set(cipher.update(plain));
    cipher.final();
    out.set(cipher.getAuthTag(), plain.length);
    return out;
  },

  open(aead, key, nonce, aad, sealed, tagLength) {
    checkAead(aead, key, nonce, tagLength);
    const size = sealed.length - tagLength;
    if (size < 0) return undefined;
    const decipher = createDecipheriv(aeadName(aead, key), key, nonce, TAG_OF[tagLength]);
    decipher.setAuthTag(sealed.subarray(size));
    if (aad.length > 0) decipher.setAAD(aad);
    const plain = size > 0 ? own(decipher.update(sealed.subarray(0, size))) : new Uint8Array(0);
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plain;
  },

  wrapKey(kek, plain) {
    checkWrap(kek, plain);
    return own(createCipheriv(WRAP_PAD[kek.length]!, kek, KWP_IV).update(plain));
  },

  unwrapKey(kek, wrapped) {
    checkAesKey(kek);
    if (!mayBeWrapped(wrapped)) return undefined;
    try {
      return own(createDecipheriv(WRAP_PAD[kek.length]!, kek, KWP_IV).update(wrapped));
    } catch {
      return undefined;
    }
  },

  dhPublic(group, privateKey) {
    const spec = DH_GROUPS[group];
    if (spec.kind !== "ecp") checkExponent(spec, privateKey);
    if (spec.kind === "x25519") {
      const { x } = createPublicKey(x25519Private(privateKey)).export({ format: "jwk" });
      return fromBase64(x!);
    }
    if (spec.kind === "modp") {
      return padLeft(modpKey(spec, privateKey).generateKeys(), spec.primeOctets.length);
    }
    return new Uint8Array(ecKey(spec.curve, privateScalar(CURVES[spec.curve], privateKey)).getPublicKey().subarray(1));
  },

  dhShared(group, privateKey, peer) {
    const spec = DH_GROUPS[group];
    if (spec.kind !== "ecp") checkExponent(spec, privateKey);
    if (spec.kind === "x25519") {
      if (peer.length !== 32) return undefined;
      return undefinedOnThrow(() => {
        const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: base64(peer) }, format: "jwk" });
        return own(diffieHellman({ privateKey: x25519Private(privateKey), publicKey }));
      });
    }
    if (spec.kind === "modp") {
      if (!acceptableModp(spec, peer)) return undefined;
      return padLeft(modpKey(spec, privateKey).computeSecret(peer), spec.primeOctets.length);
    }
    const curve = CURVES[spec.curve];
    if (peer.length !== 2 * curve.size) return undefined;
    const ecdh = ecKey(spec.curve, privateScalar(curve, privateKey));
    return undefinedOnThrow(() => own(ecdh.computeSecret(concat(UNCOMPRESSED, peer))));
  },

  sign(key, scheme, message) {
    if (scheme.kind === "ed25519") {
      if (key.type !== "ed25519") return checkMismatch(scheme.kind);
      return own(nodeSign(null, message, importPrivate(key)));
    }
    if (scheme.kind === "ecdsa") {
      if (key.type !== "ec") return checkMismatch(scheme.kind);
      const raw = signEcdsa(ecdsaTools[key.curve], CURVES[key.curve], scheme.hash, key.d, message);
      return scheme.encoding === "raw" ? raw : ecdsaToDer(raw);
    }
    if (key.type !== "rsa") return checkMismatch(scheme.kind);
    const block = encodeRsaBlock(hash, key, scheme, message);
    return own(privateEncrypt({ key: importPrivate(key), padding: constants.RSA_NO_PADDING }, block));
  },

  verify(key, scheme, message, signature) {
    if (scheme.kind === "ed25519") {
      if (key.type !== "ed25519") return false;
      const imported = importPublic(key);
      return imported !== undefined && nodeVerify(null, message, imported, signature);
    }
    if (scheme.kind === "ecdsa") {
      if (key.type !== "ec") return false;
      const { size } = CURVES[key.curve];
      const raw = scheme.encoding === "raw" ? signature : ecdsaFromDer(signature, size);
      if (raw?.length !== 2 * size || key.point.length !== 2 * size) return false;
      return undefinedOnThrow(() => ecVerify(key, scheme.hash, message, raw)) ?? false;
    }
    if (key.type !== "rsa" || !usableRsaKey(key) || signature.length !== modulusOctets(key)) return false;
    const imported = importPublic(key);
    if (imported === undefined) return false;
    const block = undefinedOnThrow(() =>
      own(publicEncrypt({ key: imported, padding: constants.RSA_NO_PADDING }, signature)),
    );
    return block !== undefined && checkRsaBlock(hash, key, scheme, message, block);
  },
};
