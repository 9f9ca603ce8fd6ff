/** ECDSA signing with the nonce derived from key and message, over any back end's HMAC and point multiplication. */
import type { Bytes } from "../base/bytes.ts";
import { concat } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { HashName } from "./api.ts";
import { bigFrom, bigTo, bitLength, invMod } from "./bigint.ts";
import type { Curve } from "./dhGroup.ts";

export interface EcdsaTools {
  hash(name: HashName, data: Bytes): Bytes;
  hmac(name: HashName, key: Bytes, data: Bytes): Bytes;
  /** x coordinate of k times the generator; `k` has the curve's size. */
  baseX(k: Bytes): Bytes;
}

const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);

/** r and s side by side. `d`: the private scalar, of the curve's size. RFC 6979 section 3.2, the same hash for both uses. */
export function signEcdsa(tools: EcdsaTools, curve: Curve, hash: HashName, d: Bytes, message: Bytes): Bytes {
  const { order, size } = curve;
  const bits = bitLength(order);
  const secret = bigFrom(d);
  assert(d.length === size && secret > 0n && secret < order, "ECDSA private key out of range");
  const digest = tools.hash(hash, message);
  const z = bitsToInt(digest, bits) % order;
  const seed = concat(d, bigTo(z, size));

  let v: Bytes = new Uint8Array(digest.length).fill(1);
  let k: Bytes = new Uint8Array(digest.length);
  k = tools.hmac(hash, k, concat(v, ZERO, seed));
  v = tools.hmac(hash, k, v);
  k = tools.hmac(hash, k, concat(v, ONE, seed));
  v = tools.hmac(hash, k, v);
  for (;;) {
    const pieces: Bytes[] = [];
    for (let octets = 0; 8 * octets < bits; octets += v.length) {
      v = tools.hmac(hash, k, v);
      pieces.push(v);
    }
    const nonce = bitsToInt(concat(...pieces), bits);
    if (nonce > 0n && nonce < order) {
      const r = bigFrom(tools.baseX(bigTo(nonce, size))) % order;
      const s = (invMod(nonce, order)! * (z + r * secret)) % order;
      if (r !== 0n && s !== 0n) return concat(bigTo(r, size), bigTo(s, size));
    }
    k = tools.hmac(hash, k, concat(v, ZERO));
    v = tools.hmac(hash, k, v);
  }
}

/** The leftmost `bits` of the octets as a number. RFC 6979 section 2.3.2. */
function bitsToInt(octets: Bytes, bits: number): bigint {
  const excess = 8 * octets.length - bits;
  const value = bigFrom(octets);
  return excess > 0 ? value >> BigInt(excess) : value;
}
