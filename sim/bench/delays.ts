/**
 * Cheap numbers for models that are timed: delays and a generator. The same ones drive every contestant, so what they
 * cost is the same in all of them. They decide nothing outside a benchmark.
 */

const DELAY_BITS = 12;
const DELAY_MASK = (1 << DELAY_BITS) - 1;

/**
 * Delays in microseconds that are distributed like Exp(`meanMicros`): entry i is the expected i-th smallest of as many
 * draws, which is a sum of unit fractions. Quotients and sums are the same in every engine; a logarithm need not be.
 */
export function exponentialDelays(meanMicros: number): Int32Array {
  const table = new Int32Array(1 << DELAY_BITS);
  let sum = 0;
  for (let i = 0; i < table.length; i++) {
    sum += meanMicros / (table.length - i);
    table[i] = Math.round(sum);
  }
  return table;
}

/** Index of the delay to take with the generator's state `draw`; its high bits are the better ones. */
export function delayIndex(draw: number): number {
  return (draw >>> 16) & DELAY_MASK;
}

/** Marsaglia's xorshift of 32 bits; `state`: any number but 0. Returns the next state, a signed 32-bit number. */
export function xorshift(state: number): number {
  let x = state;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x;
}

export const XORSHIFT_SEED = 2_463_534_242 | 0;
