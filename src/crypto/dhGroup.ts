/** What the Diffie-Hellman groups are, apart from how a back end computes in them. */
import { DHGroups } from "micro-rsa-dsa-dh/dh.js";
import type { Bytes } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { CurveName, DhGroup } from "./api.ts";
import { bigFrom, bigTo, bitLength } from "./bigint.ts";

export interface ModpGroup {
  readonly kind: "modp";
  readonly prime: bigint;
  readonly primeOctets: Bytes;
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
  return { kind: "modp", prime, primeOctets: bigTo(prime, bitLength(prime) >> 3) };
}

/** RFC 2409 section 6, RFC 3526, RFC 5903, RFC 8031. The generator of all MODP groups here is 2. */
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
 * section 2.1).
 */
export function acceptableModp(group: ModpGroup, peer: Bytes): boolean {
  if (peer.length !== group.primeOctets.length) return false;
  const value = bigFrom(peer);
  return value > 1n && value < group.prime - 1n;
}
