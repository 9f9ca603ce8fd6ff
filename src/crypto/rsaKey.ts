/**
 * RSA key pairs as a pure function of a random stream: the same stream gives the same key in Node and in a browser. The
 * key generators of the libraries draw from the system, so a run could not be repeated with them.
 */
import { assert } from "../base/errors.ts";
import type { Rng } from "../base/rng.ts";
import type { RsaPrivateKey } from "./api.ts";
import { bigFrom, bigToMin, invMod, powMod } from "./bigint.ts";

const PUBLIC_EXPONENT = 65_537n;
/** Odd numbers looked at from one random start on. A prime of 2,048 bits is one odd number in 710. */
const WINDOW = 8_192;
/** FIPS 186-5 table B.1 asks for 4 to 7 rounds for an error of 2^-100 at the lengths in use. */
const ROUNDS = 8;

const SMALL_PRIMES: readonly number[] = smallPrimes(1 << 14);

function smallPrimes(limit: number): number[] {
  const composite = new Uint8Array(limit);
  const primes: number[] = [];
  for (let n = 2; n < limit; n++) {
    if (composite[n] === 1) continue;
    if (n > 2) primes.push(n);
    for (let m = n * n; m < limit; m += n) composite[m] = 1;
  }
  return primes;
}

/**
 * `bits`: length of the modulus, even, 512 to 4096; e = 65537. Primes of half the length with their two highest bits
 * set, so that the modulus has exactly `bits` bits; p > q; d modulo lcm(p - 1, q - 1) (RFC 8017 section 3.2).
 */
export function rsaKey(rng: Rng, bits: number): RsaPrivateKey {
  assert(bits >= 512 && bits <= 4096 && bits % 16 === 0, `no RSA modulus of ${bits} bits`);
  const first = findPrime(rng, bits / 2);
  let second = findPrime(rng, bits / 2);
  while (second === first) second = findPrime(rng, bits / 2);
  return first > second ? rsaKeyFromPrimes(first, second) : rsaKeyFromPrimes(second, first);
}

/** Two different odd primes, p > q, neither of them 1 modulo 65537. */
export function rsaKeyFromPrimes(p: bigint, q: bigint): RsaPrivateKey {
  const [p1, q1] = [p - 1n, q - 1n];
  const d = invMod(PUBLIC_EXPONENT, (p1 * q1) / gcd(p1, q1))!;
  return {
    type: "rsa",
    n: bigToMin(p * q),
    e: bigToMin(PUBLIC_EXPONENT),
    d: bigToMin(d),
    p: bigToMin(p),
    q: bigToMin(q),
    dp: bigToMin(d % p1),
    dq: bigToMin(d % q1),
    qi: bigToMin(invMod(q, p)!),
  };
}

/** From a random odd start upwards, what small primes divide sieved out first. */
function findPrime(rng: Rng, bits: number): bigint {
  const top = 3n << BigInt(bits - 2);
  const limit = 1n << BigInt(bits);
  for (;;) {
    const start = bigFrom(rng.bytes(bits / 8)) | top | 1n;
    const composite = sieve(start);
    for (let i = 0; i < WINDOW; i++) {
      if (composite[i] === 1) continue;
      const candidate = start + BigInt(2 * i);
      if (candidate >= limit) break;
      if (candidate % PUBLIC_EXPONENT !== 1n && isProbablePrime(rng, candidate)) return candidate;
    }
  }
}

/** One octet for each of `start`, `start + 2`, ...: 1 where a small prime divides it. */
function sieve(start: bigint): Uint8Array {
  const composite = new Uint8Array(WINDOW);
  for (const prime of SMALL_PRIMES) {
    const rest = Number(start % BigInt(prime));
    // The first i with start + 2i divisible: 2i = -rest modulo prime.
    let i = (prime - rest) % prime;
    i = i % 2 === 0 ? i / 2 : (i + prime) / 2;
    for (; i < WINDOW; i += prime) composite[i] = 1;
  }
  return composite;
}

/** Miller-Rabin: base 2 first, which stops nearly all composites without a draw, then bases from the stream. FIPS 186-5 B.3.1. */
function isProbablePrime(rng: Rng, candidate: bigint): boolean {
  if (!passes(candidate, 2n)) return false;
  const octets = candidate.toString(16).length >> 1;
  for (let round = 0; round < ROUNDS; round++) {
    const base = (bigFrom(rng.bytes(octets)) % (candidate - 3n)) + 2n;
    if (!passes(candidate, base)) return false;
  }
  return true;
}

function passes(candidate: bigint, base: bigint): boolean {
  const minusOne = candidate - 1n;
  let odd = minusOne;
  let twos = 0;
  while ((odd & 1n) === 0n) {
    odd >>= 1n;
    twos++;
  }
  let power = powMod(base, odd, candidate);
  if (power === 1n || power === minusOne) return true;
  for (let i = 1; i < twos; i++) {
    power = (power * power) % candidate;
    if (power === minusOne) return true;
  }
  return false;
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
