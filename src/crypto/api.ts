/**
 * The one synchronous interface to cryptography. Two back ends implement it with the same octets: `noble` (everywhere)
 * and `native` (node:crypto). Nothing here draws randomness: private keys, nonces and IVs are arguments, and signatures
 * are deterministic (RSA PKCS#1 v1.5, RSA-PSS with the salt given or empty, ECDSA by RFC 6979, Ed25519).
 *
 * A key of the wrong length is a bug of the caller and throws; foreign octets (peer values, signatures, sealed text)
 * never throw: the result says so.
 */
import type { Bytes } from "../base/bytes.ts";

export type HashName = "md5" | "sha1" | "sha256" | "sha384" | "sha512";

/** IANA "Diffie-Hellman Group Transform IDs" that are implemented. */
export type DhGroup = 1 | 2 | 5 | 14 | 15 | 16 | 19 | 20 | 21 | 24 | 31;

export type CurveName = "P-256" | "P-384" | "P-521";

/** Big-endian unsigned octet strings without leading zeros. */
export interface RsaPublicKey {
  readonly type: "rsa";
  readonly n: Bytes;
  readonly e: Bytes;
}
export interface RsaPrivateKey extends RsaPublicKey {
  readonly d: Bytes;
  readonly p: Bytes;
  readonly q: Bytes;
  readonly dp: Bytes;
  readonly dq: Bytes;
  readonly qi: Bytes;
}
export interface EcPublicKey {
  readonly type: "ec";
  readonly curve: CurveName;
  /** x and y, each of the curve's field size, without the 0x04 prefix. */
  readonly point: Bytes;
}
export interface EcPrivateKey extends EcPublicKey {
  readonly d: Bytes;
}
export interface Ed25519PublicKey {
  readonly type: "ed25519";
  readonly point: Bytes;
}
export interface Ed25519PrivateKey extends Ed25519PublicKey {
  readonly seed: Bytes;
}
export type PublicKey = RsaPublicKey | EcPublicKey | Ed25519PublicKey;
export type PrivateKey = RsaPrivateKey | EcPrivateKey | Ed25519PrivateKey;

export type SignatureScheme =
  /** RSASSA-PKCS1-v1_5 with DigestInfo. RFC 8017 section 8.2. */
  | { readonly kind: "rsa-pkcs1"; readonly hash: HashName }
  /** PKCS#1 v1.5 type-1 block around the message itself, without DigestInfo (IKEv1 phase 1). RFC 2409 section 5.1. */
  | { readonly kind: "rsa-pkcs1-raw" }
  /** RSASSA-PSS, MGF1 with the same hash. `salt` is used for signing; verification takes `saltLength`. */
  | { readonly kind: "rsa-pss"; readonly hash: HashName; readonly saltLength: number; readonly salt?: Bytes }
  /** RFC 6979 nonces. `raw`: r and s, each of the field size; `der`: SEQUENCE of two INTEGERs. */
  | { readonly kind: "ecdsa"; readonly hash: HashName; readonly encoding: "raw" | "der" }
  | { readonly kind: "ed25519" };

export interface Crypto {
  readonly backend: "noble" | "native";

  hash(name: HashName, data: Bytes): Bytes;
  hmac(name: HashName, key: Bytes, data: Bytes): Bytes;

  /** CBC without padding: data is a multiple of the block (AES 16, DES and 3DES 8 octets). */
  cbcEncrypt(cipher: "aes" | "3des" | "des", key: Bytes, iv: Bytes, data: Bytes): Bytes;
  cbcDecrypt(cipher: "aes" | "3des" | "des", key: Bytes, iv: Bytes, data: Bytes): Bytes;
  /** AES-CTR; `counterBlock` is the 16-octet initial block. Its own inverse. */
  aesCtr(key: Bytes, counterBlock: Bytes, data: Bytes): Bytes;

  /**
   * AEAD: ciphertext followed by a tag of `tagLength` octets (GCM 4, 8, 12, 16; ChaCha20-Poly1305 16). The nonce has 12
   * octets, as IKE and ESP always make it; GCM takes longer ones and those of 8 too (NIST SP 800-38D section 7.1).
   */
  seal(
    aead: "aes-gcm" | "chacha20-poly1305",
    key: Bytes,
    nonce: Bytes,
    aad: Bytes,
    plain: Bytes,
    tagLength: number,
  ): Bytes;
  /** The plaintext, or undefined where the tag does not match. */
  open(
    aead: "aes-gcm" | "chacha20-poly1305",
    key: Bytes,
    nonce: Bytes,
    aad: Bytes,
    sealed: Bytes,
    tagLength: number,
  ): Bytes | undefined;

  /** AES key wrap with padding, RFC 5649. `kek` 16, 24 or 32 octets; output is a multiple of 8. */
  wrapKey(kek: Bytes, plain: Bytes): Bytes;
  /** The unwrapped key, or undefined where the check value, the length or the padding is wrong. */
  unwrapKey(kek: Bytes, wrapped: Bytes): Bytes | undefined;

  /**
   * Public value in the form of a KE payload: MODP padded to the prime, ECP x and y, Curve25519 32 octets. `privateKey`:
   * an exponent of any length (MODP), as many octets as the field has (ECP: values that are no scalar of the curve are
   * reduced into its range, so that any draw is a key), 32 octets (Curve25519).
   */
  dhPublic(group: DhGroup, privateKey: Bytes): Bytes;
  /**
   * Shared secret as it enters the PRF (MODP padded, ECP x only), or undefined where the peer's value is not acceptable:
   * of another length, not 1 < y < p - 1, off the curve, or of small order on Curve25519. RFC 6989 section 2.
   */
  dhShared(group: DhGroup, privateKey: Bytes, peer: Bytes): Bytes | undefined;

  sign(key: PrivateKey, scheme: SignatureScheme, message: Bytes): Bytes;
  /**
   * False for a bad signature and for a key or an encoding that cannot be used. RSA moduli from 512 to 16,384 bits with
   * exponents of up to 64 bits are computed with, all others refused: the time of one call is bounded.
   */
  verify(key: PublicKey, scheme: SignatureScheme, message: Bytes, signature: Bytes): boolean;

  /**
   * What `compute` returns, or what it returned before for equal inputs: a host may let the devices of one run share work
   * whose result is the same for all of them. Absent: everybody does it. `compute` depends on nothing but `inputs`, uses
   * this very object for its cryptography, and nobody writes to its result.
   */
  share?<T>(inputs: SharedInputs, compute: () => T): T;
}

/** All that a shared result depends on. Octets are equal by content, words by `===`. */
export interface SharedInputs {
  /** The last four octets of the first string tell calls apart: a tag, a signature, ciphertext. */
  readonly octets: readonly [Bytes, ...Bytes[]];
  readonly words: readonly unknown[];
  /** How many ask: the two ends of an exchange, or all members of a group. */
  readonly among: "two" | "many";
}

/** Octets of private key material that a group wants from the random stream. MODP: 256-bit exponents (up to group 14), 320 above. */
export const DH_PRIVATE_LENGTH: Readonly<Record<DhGroup, number>> = {
  1: 32,
  2: 32,
  5: 32,
  14: 32,
  15: 40,
  16: 40,
  19: 32,
  20: 48,
  21: 66,
  24: 32,
  31: 32,
};
