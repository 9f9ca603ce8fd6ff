/** Pseudo-random functions and the key schedules of IKEv2. RFC 7296 sections 2.13, 2.14, 2.17 and 2.18. */
import { type Bytes, concat, EMPTY } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Crypto } from "./api.ts";
import { computeMac, prfKey } from "./mac.ts";
import type { EncrSpec, IntegSpec, PrfSpec } from "./suite.ts";

export function prf(crypto: Crypto, spec: PrfSpec, key: Bytes, data: Bytes): Bytes {
  return computeMac(crypto, spec.mac, prfKey(crypto, spec.mac, key), data);
}

/** `length` octets of T1 | T2 | ..., Tn = prf(key, T(n-1) | seed | n). At most 255 blocks. RFC 7296 section 2.13. */
export function prfPlus(crypto: Crypto, spec: PrfSpec, key: Bytes, seed: Bytes, length: number): Bytes {
  const count = Math.ceil(length / spec.output);
  assert(count <= 255, "prf+ has no more than 255 blocks");
  const input = new Uint8Array(spec.output + seed.length + 1);
  input.set(seed, spec.output);
  const out = new Uint8Array(count * spec.output);
  for (let n = 1; n <= count; n++) {
    input[input.length - 1] = n;
    const block = prf(crypto, spec, key, n === 1 ? input.subarray(spec.output) : input);
    out.set(block, (n - 1) * spec.output);
    input.set(block);
  }
  return out.subarray(0, length);
}

/** The MAC that an integrity algorithm puts on the wire, truncated. */
export function integrity(crypto: Crypto, spec: IntegSpec, key: Bytes, data: Bytes): Bytes {
  return computeMac(crypto, spec.mac, key, data).subarray(0, spec.icv);
}

/**
 * SKEYSEED = prf(Ni | Nr, g^ir). The AES PRFs have keys of 16 octets and take 8 of each nonce. `shared`: as `dhShared`
 * returns it. RFC 7296 section 2.14.
 */
export function skeyseed(crypto: Crypto, spec: PrfSpec, ni: Bytes, nr: Bytes, shared: Bytes): Bytes {
  const key = spec.mac.kind === "hmac" ? concat(ni, nr) : concat(ni.subarray(0, 8), nr.subarray(0, 8));
  return prf(crypto, spec, key, shared);
}

/**
 * SKEYSEED = prf(SK_d of the old SA, g^ir | Ni | Nr). `spec` is the PRF of the old SA, the keys that follow are made
 * with that of the new one. RFC 7296 section 2.18.
 */
export function rekeySkeyseed(crypto: Crypto, spec: PrfSpec, skD: Bytes, shared: Bytes, ni: Bytes, nr: Bytes): Bytes {
  return prf(crypto, spec, skD, concat(shared, ni, nr));
}

/** What the keys of an IKE SA are cut to; `integ` undefined with an AEAD cipher. */
export interface IkeSuite {
  readonly encr: EncrSpec;
  readonly integ: IntegSpec | undefined;
  readonly prf: PrfSpec;
}

/** i: messages of the original initiator. `ei` and `er`: cipher key with its salt last; `ai` and `ar` empty with an AEAD. */
export interface IkeKeys {
  readonly d: Bytes;
  readonly ai: Bytes;
  readonly ar: Bytes;
  readonly ei: Bytes;
  readonly er: Bytes;
  readonly pi: Bytes;
  readonly pr: Bytes;
}

/** SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr). RFC 7296 section 2.14. */
export function ikeKeys(
  crypto: Crypto,
  suite: IkeSuite,
  seed: Bytes,
  ni: Bytes,
  nr: Bytes,
  spiInitiator: Bytes,
  spiResponder: Bytes,
): IkeKeys {
  const p = suite.prf.output;
  const a = integKeyOctets(suite.integ);
  const e = encrKeyOctets(suite.encr);
  const material = prfPlus(crypto, suite.prf, seed, concat(ni, nr, spiInitiator, spiResponder), 3 * p + 2 * a + 2 * e);
  const [d, ai, ar, ei, er, pi, pr] = cut(material, [p, a, a, e, e, p, p]);
  return { d: d!, ai: ai!, ar: ar!, ei: ei!, er: er!, pi: pi!, pr: pr! };
}

/** Keys of one direction of a Child SA or of a group SA: cipher key with its salt last, then the integrity key. */
export interface SaKeys {
  readonly encr: Bytes;
  /** Empty where there is no integrity algorithm. */
  readonly integ: Bytes;
}

/** Octets that one direction takes from key material. */
export function saKeyOctets(encr: EncrSpec, integ: IntegSpec | undefined): number {
  return encrKeyOctets(encr) + integKeyOctets(integ);
}

/**
 * The parts of one direction's key material, whose length must be `saKeyOctets`: copies, or where there is no integrity
 * key the material itself. RFC 7296 section 2.17.
 */
export function splitSaKeys(encr: EncrSpec, integ: IntegSpec | undefined, material: Bytes): SaKeys {
  assert(material.length === saKeyOctets(encr, integ), "key material is not of the suite's length");
  if (integ === undefined) return { encr: material, integ: EMPTY };
  const size = encrKeyOctets(encr);
  return { encr: material.slice(0, size), integ: material.slice(size) };
}

/** KEYMAT = prf+(SK_d, [g^ir |] Ni | Nr), first the direction from the exchange's initiator. RFC 7296 section 2.17. */
export function childKeymat(
  crypto: Crypto,
  suite: IkeSuite,
  skD: Bytes,
  child: { readonly encr: EncrSpec; readonly integ: IntegSpec | undefined },
  ni: Bytes,
  nr: Bytes,
  shared?: Bytes,
): { readonly initiator: SaKeys; readonly responder: SaKeys } {
  const size = saKeyOctets(child.encr, child.integ);
  const seed = shared === undefined ? concat(ni, nr) : concat(shared, ni, nr);
  const material = prfPlus(crypto, suite.prf, skD, seed, 2 * size);
  return {
    initiator: splitSaKeys(child.encr, child.integ, material.subarray(0, size)),
    responder: splitSaKeys(child.encr, child.integ, material.subarray(size)),
  };
}

/** Octets of a cipher's key with its salt. */
export function encrKeyOctets(encr: EncrSpec): number {
  return encr.key + encr.salt;
}

function integKeyOctets(integ: IntegSpec | undefined): number {
  return integ?.key ?? 0;
}

/** Views: the keys live and die together, and seven buffers of their own would take some 120 octets each. */
function cut(material: Bytes, sizes: readonly number[]): Bytes[] {
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return material.subarray(at - size, at);
  });
}
