/** Big-endian octets as whole numbers, and the modular arithmetic that RSA, MODP groups and RFC 6979 need. */
import type { Bytes } from "../base/bytes.ts";
import { toHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";

export function bigFrom(octets: Bytes): bigint {
  return octets.length === 0 ? 0n : BigInt(`0x${toHex(octets)}`);
}

/** Padded with zeros on the left; throws where `value` does not fit in `length` octets. */
export function bigTo(value: bigint, length: number): Bytes {
  const text = value.toString(16).padStart(2 * length, "0");
  assert(value >= 0n && text.length === 2 * length, "number does not fit its octets");
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** Shortest octet string of a positive number; zero is one zero octet. */
export function bigToMin(value: bigint): Bytes {
  return bigTo(value, Math.max(1, (value.toString(16).length + 1) >> 1));
}

/** Number of bits of a number that is not negative; 0 for zero. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const text = value.toString(16);
  return 4 * text.length - Math.clz32(Number.parseInt(text[0]!, 16)) + 28;
}

/** Bits of a big-endian number, leading zero octets not counted. */
export function octetBits(octets: Bytes): number {
  let i = 0;
  while (i < octets.length && octets[i] === 0) i++;
  return i === octets.length ? 0 : 8 * (octets.length - i) - Math.clz32(octets[i]!) + 24;
}

/** Without leading zero octets; zero is the empty string. */
export function trimZeros(octets: Bytes): Bytes {
  let i = 0;
  while (i < octets.length && octets[i] === 0) i++;
  return i === 0 ? octets : octets.subarray(i);
}

/** Remainder in 0 .. modulus - 1. */
export function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** base^exponent mod modulus by windows of four bits; exponent not negative. */
export function powMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (modulus === 1n) return 0n;
  const digits = exponent.toString(16);
  const first = mod(base, modulus);
  if (digits.length <= 8) return powModSmall(first, Number(exponent), modulus);
  const table = [1n, first];
  for (let i = 2; i < 16; i++) table.push((table[i - 1]! * first) % modulus);
  let result = 1n;
  for (let i = 0; i < digits.length; i++) {
    if (i > 0) for (let k = 0; k < 4; k++) result = (result * result) % modulus;
    const digit = Number.parseInt(digits[i]!, 16);
    if (digit !== 0) result = (result * table[digit]!) % modulus;
  }
  return result;
}

/** Right for the short public exponents of RSA, where a table would cost more than it saves. */
function powModSmall(base: bigint, exponent: number, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * base) % modulus;
  }
  return result;
}

/** Inverse of `value` modulo `modulus`, or undefined where the two share a factor. */
export function invMod(value: bigint, modulus: bigint): bigint | undefined {
  let [r0, r1, s0, s1] = [modulus, mod(value, modulus), 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [s0, s1] = [s1, s0 - quotient * s1];
  }
  return r0 === 1n ? mod(s0, modulus) : undefined;
}

/**
 * Powers of one base that never changes: one multiplication for each four bits of the exponent and no squaring. The
 * table grows with the longest exponent seen (about 250 kB for 256 bits and MODP-2048).
 */
export function fixedBase(base: bigint, modulus: bigint): (exponent: bigint) => bigint {
  const rows: bigint[][] = [];
  let next = base % modulus;
  function grow(): void {
    const row = [1n];
    for (let i = 1; i < 16; i++) row.push((row[i - 1]! * next) % modulus);
    next = (row[15]! * next) % modulus;
    rows.push(row);
  }
  return (exponent) => {
    const digits = exponent.toString(16);
    while (rows.length < digits.length) grow();
    let result = 1n;
    for (let i = 0; i < digits.length; i++) {
      const digit = Number.parseInt(digits[digits.length - 1 - i]!, 16);
      if (digit !== 0) result = (result * rows[i]![digit]!) % modulus;
    }
    return result;
  };
}
