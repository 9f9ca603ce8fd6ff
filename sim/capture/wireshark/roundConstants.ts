/** The constants of SHA-2: the first bits of roots of primes. FIPS 180-4 sections 4.2 and 5.3. */

/** 64 bits as two halves. */
export type Pair = readonly [upper: number, lower: number];

function primes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let candidate = 2n; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0n)) found.push(candidate);
  }
  return found;
}

/** The largest whole number whose `power`-th power is not above `value`. */
function root(value: bigint, power: bigint): bigint {
  let low = 0n;
  let high = 1n << 128n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** power <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** The 64 bits behind the point of a root. */
function fraction(prime: bigint, power: bigint): Pair {
  const bits = root(prime << (64n * power), power) & ((1n << 64n) - 1n);
  return [Number(bits >> 32n), Number(bits & 0xffffffffn)];
}

/** Of the 80 rounds; the upper halves of the first 64 serve SHA-256. */
export function roundConstants(): Pair[] {
  return primes(80).map((prime) => fraction(prime, 3n));
}

/** What the eight words begin with: the first eight primes for SHA-512 and SHA-256, the next eight for SHA-384. */
export function startWords(hash: "sha512" | "sha384"): Pair[] {
  return primes(16)
    .slice(hash === "sha512" ? 0 : 8)
    .slice(0, 8)
    .map((prime) => fraction(prime, 2n));
}
