/** What the Diffie-Hellman groups are, apart from how a back end computes in them. */
import { DHGroups } from "micro-rsa-dsa-dh/dh.js";
import type { Bytes } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { CurveName, DhGroup } from "./api.ts";
import { bigFrom, bigTo, bitLength, powMod } from "./bigint.ts";

export interface ModpGroup {
  readonly kind: "modp";
  readonly prime: bigint;
  readonly primeOctets: Bytes;
  readonly generator: bigint;
  readonly generatorOctets: Bytes;
  /** Of the subgroup, where the generator spans only a part: then peers' values are checked to lie in it. */
  readonly order?: bigint;
}
export interface EcpGroup {
  readonly kind: "ecp";
  readonly curve: CurveName;
}
export interface X25519Group {
  readonly kind: "x25519";
}

export interface Curve {
  /** Octets of a coordinate and of a scalar. */
  readonly size: number;
  readonly order: bigint;
}

/** Field sizes and orders of the NIST curves. FIPS 186-4 appendix D.1.2. */
export const CURVES: Readonly<Record<CurveName, Curve>> = {
  "P-256": { size: 32, order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  "P-384": {
    size: 48,
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  "P-521": {
    size: 66,
    order:
      0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
};

function modp(name: string): ModpGroup {
  const prime = DHGroups[name]!.p;
  return modpGroup(prime, 2n);
}

function modpGroup(prime: bigint, generator: bigint, order?: bigint): ModpGroup {
  const octets = (value: bigint): Bytes => bigTo(value, (bitLength(value) + 7) >> 3);
  return {
    kind: "modp",
    prime,
    primeOctets: octets(prime),
    generator,
    generatorOctets: octets(generator),
    ...(order === undefined ? {} : { order }),
  };
}

/** 2048-bit prime with a 256-bit prime order subgroup. RFC 5114 section 2.3. */
const MODP_2048_256 = modpGroup(
  0x87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4faf7df4561b2aa3016c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c022e0b1ef4275bf7b6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76b63acae1caa6b7902d52526735488a0ef13c6d9a51bfa4ab3ad8347796524d8ef6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375d7014103a4b54330c198af126116d2276e11715f693877fad7ef09cadb094ae91e1a1597n,
  0x3fb32c9b73134d0b2e77506660edbd484ca7b18f21ef205407f4793a1a0ba12510dbc15077be463fff4fed4aac0bb555be3a6c1b0c6b47b1bc3773bf7e8c6f62901228f8c28cbb18a55ae31341000a650196f931c77a57f2ddf463e5e9ec144b777de62aaab8a8628ac376d282d6ed3864e67982428ebc831d14348f6f2f9193b5045af2767164e1dfc967c1fb3f2e55a4bd1bffe83b9c80d052b985d182ea0adb2a3b7313d3fe14c8484b1e052588b9b7d2bbd2df016199ecd06e1557cd0915b3353bbb64e0ec377fd028370df92b52c7891428cdc67eb6184b523d1db246c32f63078490f00ef8d647d148d47954515e2327cfef98c582664b4c0f6cc41659n,
  0x8cf83642a709a097b447997640129da299b1a47d1eb3750ba308b0fe64f5fbd3n,
);

/** RFC 2409 section 6, RFC 3526, RFC 5114, RFC 5903, RFC 8031. */
export const DH_GROUPS: Readonly<Record<DhGroup, ModpGroup | EcpGroup | X25519Group>> = {
  1: modp("modp1"),
  2: modp("modp2"),
  5: modp("modp5"),
  14: modp("modp14"),
  15: modp("modp15"),
  16: modp("modp16"),
  19: { kind: "ecp", curve: "P-256" },
  20: { kind: "ecp", curve: "P-384" },
  21: { kind: "ecp", curve: "P-521" },
  24: MODP_2048_256,
  31: { kind: "x25519" },
};

/**
 * The scalar that private octets stand for: themselves where they are in 1 .. order - 1, otherwise reduced into that
 * range, so that any draw of the field size is a key (66 random octets nearly always exceed the order of P-521).
 */
export function privateScalar(curve: Curve, octets: Bytes): Bytes {
  assert(octets.length === curve.size, () => `private key of ${octets.length} octets, ${curve.size} needed`);
  const value = bigFrom(octets);
  if (value > 0n && value < curve.order) return octets;
  return bigTo((value % (curve.order - 1n)) + 1n, curve.size);
}

/** Private octets of a group without a scalar range of its own: an exponent of any length, or 32 octets of Curve25519. */
export function checkExponent(group: ModpGroup | X25519Group, octets: Bytes): void {
  const fits = group.kind === "modp" ? octets.length > 0 : octets.length === 32;
  assert(fits, () => `${group.kind} private key of ${octets.length} octets`);
}

/**
 * Whether a peer's MODP value can be used: as long as the prime (RFC 7296 section 3.4) and 1 < y < p - 1 (RFC 6989
 * section 2.1); in a group with a small subgroup it must lie in that (RFC 6989 section 2.2).
 */
export function acceptableModp(group: ModpGroup, peer: Bytes): boolean {
  const { primeOctets, order } = group;
  if (peer.length !== primeOctets.length || !isBetween(peer, primeOctets)) return false;
  return order === undefined || powMod(bigFrom(peer), order, group.prime) === 1n;
}

/**
 * 1 < value < prime - 1, octet by octet: as whole numbers it takes some 10 us for 256 octets, for each shared secret. The
 * prime is odd, so prime - 1 has all its octets but the last one, which is one less.
 */
function isBetween(value: Bytes, prime: Bytes): boolean {
  const last = prime.length - 1;
  let i = 0;
  while (i < last && value[i] === prime[i]) i++;
  const isBelow = i < last ? value[i]! < prime[i]! : value[last]! < prime[last]! - 1;
  return isBelow && (value[last]! > 1 || value.subarray(0, last).some((octet) => octet !== 0));
}
