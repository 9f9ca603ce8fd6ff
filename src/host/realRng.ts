/** Randomness of the operating system behind the interface that machines draw from. */
import { randomBytes } from "node:crypto";
import type { Bytes } from "../base/bytes.ts";
import type { Rng } from "../base/rng.ts";

const SPAN = 2 ** 32;

export function realRng(): Rng {
  const u32 = (): number => randomBytes(4).readUInt32BE(0);
  /** Draws beyond the last whole multiple of `bound` are thrown away: every value stays equally likely. */
  const below = (bound: number): number => {
    const limit = SPAN - (SPAN % bound);
    for (;;) {
      const value = u32();
      if (value < limit) return value % bound;
    }
  };
  const rng: Rng = {
    u32,
    below,
    chance: (hits, outOf) => below(outOf) < hits,
    bytes: (count): Bytes => Uint8Array.from(randomBytes(count)),
    fork: () => rng,
  };
  return rng;
}
