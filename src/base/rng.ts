/** Named random streams. The implementation belongs to the host: `sim/core` seeds it, `src/host` takes real entropy. */
import type { Bytes } from "./bytes.ts";

export interface Rng {
  /** Uniform over 0 .. 2^32 - 1. */
  u32(): number;
  /** Uniform over 0 .. bound - 1; bound from 1 to 2^32. */
  below(bound: number): number;
  /** True with odds `hits` in `outOf`, both whole numbers, 0 <= hits <= outOf <= 2^32. */
  chance(hits: number, outOf: number): boolean;
  bytes(count: number): Bytes;
  /** An independent stream named by path: draws on it change nobody else's. */
  fork(name: string): Rng;
}
