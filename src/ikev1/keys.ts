/**
 * The keys, hashes and IVs of IKEv1. RFC 2409 section 5 and appendix B. `ni` and `nr` are nonces without payload headers,
 * `shared` is g^xy as `dhShared` returns it, `gxi` and `gxr` are KE bodies as they travelled.
 */
import type { Bytes } from "../base/bytes.ts";
import { concat, u32 } from "../base/bytes.ts";
import type { Crypto, HashName } from "../crypto/api.ts";
import type { Ikev1Cipher } from "./suite.ts";

/** The cookies of an ISAKMP SA, 8 octets each. */
export interface Cookies {
  readonly initiator: Bytes;
  readonly responder: Bytes;
}

/** SKEYID with what is derived from it: d for further keys, a for hashes, e for encryption. */
export interface Skeyids {
  readonly skeyid: Bytes;
  readonly d: Bytes;
  readonly a: Bytes;
  readonly e: Bytes;
}

/** SKEYID = prf(pre-shared key, Ni | Nr). */
export function skeyidPsk(crypto: Crypto, hash: HashName, psk: Bytes, ni: Bytes, nr: Bytes): Bytes {
  return crypto.hmac(hash, psk, concat(ni, nr));
}

/** SKEYID = prf(Ni | Nr, g^xy): with signatures. */
export function skeyidSignature(crypto: Crypto, hash: HashName, ni: Bytes, nr: Bytes, shared: Bytes): Bytes {
  return crypto.hmac(hash, concat(ni, nr), shared);
}

/** SKEYID_x = prf(SKEYID, [the one before |] g^xy | CKY-I | CKY-R | n), n = 0, 1, 2. */
export function skeyids(crypto: Crypto, hash: HashName, skeyid: Bytes, shared: Bytes, cookies: Cookies): Skeyids {
  const input = concat(skeyid, shared, cookies.initiator, cookies.responder, Uint8Array.of(0));
  const next = (n: number, before: Bytes) => {
    input.set(before);
    input[input.length - 1] = n;
    return crypto.hmac(hash, skeyid, input);
  };
  // What stands in front is always as long as SKEYID, which is not part of the first input.
  const d = crypto.hmac(hash, skeyid, input.subarray(skeyid.length));
  const a = next(1, d);
  const e = next(2, a);
  return { skeyid, d, a, e };
}

/**
 * The key of the cipher: the front of SKEYID_e where that is long enough, else K1 | K2 | ... with K1 = prf(SKEYID_e, 0)
 * and Kn = prf(SKEYID_e, Kn-1). The appendix shows the expansion for 3DES, yet states the rule for keys that are longer
 * than SKEYID_e; with SHA2-256 the two readings differ, and the general one is followed, as strongSwan does. The weak
 * keys of DES are not skipped: a run with one in 2^52 is not to be seen.
 */
export function cipherKey(crypto: Crypto, hash: HashName, skeyidE: Bytes, length: number): Bytes {
  if (skeyidE.length >= length) return skeyidE.slice(0, length);
  let key = crypto.hmac(hash, skeyidE, Uint8Array.of(0));
  for (let block = key; key.length < length; key = concat(key, block)) block = crypto.hmac(hash, skeyidE, block);
  return key.slice(0, length);
}

/** IV of the first encrypted message of phase 1: hash(g^xi | g^xr), cut to the block. */
export function phase1Iv(crypto: Crypto, hash: HashName, cipher: Ikev1Cipher, gxi: Bytes, gxr: Bytes): Bytes {
  return crypto.hash(hash, concat(gxi, gxr)).slice(0, cipher.block);
}

/**
 * IV of the first message of a phase 2 exchange: hash(last ciphertext block of phase 1 | message ID), cut to the block.
 * Where phase 1 had no ciphertext (Aggressive Mode ending in clear), its IV stands for the block.
 */
export function phase2Iv(
  crypto: Crypto,
  hash: HashName,
  cipher: Ikev1Cipher,
  lastBlock: Bytes,
  messageId: number,
): Bytes {
  return crypto.hash(hash, concat(lastBlock, u32(messageId))).slice(0, cipher.block);
}

/** The next IV of an exchange: its last block of ciphertext, whoever sent it. */
export function lastBlock(cipher: Ikev1Cipher, ciphertext: Bytes): Bytes {
  return ciphertext.slice(ciphertext.length - cipher.block);
}

/** What both hashes of phase 1 cover. `sa` and the identity are bodies without payload header. */
export interface Phase1HashInput {
  readonly gxi: Bytes;
  readonly gxr: Bytes;
  readonly cookies: Cookies;
  /** The initiator's whole offer, for both sides. */
  readonly sa: Bytes;
  /** Of the side whose hash it is. */
  readonly id: Bytes;
}

/** HASH_I = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi | IDii). RFC 2409 section 5. */
export function hashInitiator(crypto: Crypto, hash: HashName, skeyid: Bytes, input: Phase1HashInput): Bytes {
  const { gxi, gxr, cookies, sa, id } = input;
  return crypto.hmac(hash, skeyid, concat(gxi, gxr, cookies.initiator, cookies.responder, sa, id));
}

/** HASH_R = prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi | IDir). */
export function hashResponder(crypto: Crypto, hash: HashName, skeyid: Bytes, input: Phase1HashInput): Bytes {
  const { gxi, gxr, cookies, sa, id } = input;
  return crypto.hmac(hash, skeyid, concat(gxr, gxi, cookies.responder, cookies.initiator, sa, id));
}

/**
 * The HASH payload of a phase 2 message: prf(SKEYID_a, message ID | what is known | rest). `before`: nonce bodies of
 * earlier messages of the exchange; `rest`: all payloads behind HASH with their headers, padding excluded. It is the one
 * rule behind HASH(1) and HASH(2) of Quick Mode, Informational and the four hashes of a PULL. RFC 2409 sections 5.5 and
 * 5.7, RFC 6407 section 3.2. HASH(3) of Quick Mode alone has another form: a zero octet in front, see `hashQuick3`.
 */
export function hashPhase2(
  crypto: Crypto,
  hash: HashName,
  skeyidA: Bytes,
  messageId: number,
  before: readonly Bytes[],
  rest: Bytes,
): Bytes {
  return crypto.hmac(hash, skeyidA, concat(u32(messageId), ...before, rest));
}

/** HASH(3) of Quick Mode = prf(SKEYID_a, 0 | message ID | Ni | Nr). RFC 2409 section 5.5. */
export function hashQuick3(
  crypto: Crypto,
  hash: HashName,
  skeyidA: Bytes,
  messageId: number,
  ni: Bytes,
  nr: Bytes,
): Bytes {
  return crypto.hmac(hash, skeyidA, concat(Uint8Array.of(0), u32(messageId), ni, nr));
}
