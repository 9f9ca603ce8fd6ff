/**
 * Named random streams by Alea, seeded by seedrandom. Every consumer has its own, seeded with the run's seed and its path, so
 * a device, a link or a log line more changes nobody else's draws.
 *
 * Alea keeps three fractions of 32 bits and a small carry; all its arithmetic is exact in a double, so each draw is a
 * whole number of 2^-32 and every engine gives the same stream.
 */
import alea from "seedrandom/lib/alea.js";
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import type { Rng } from "../../src/base/rng.ts";

/** Plain data from which `restoreRng` makes the stream go on where `save` was called. */
export interface RngState {
  readonly seed: string;
  /** Names of the forks that led here, joined with `/`; empty for the root. */
  readonly path: string;
  readonly c: number;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
}

export interface SeededRng extends Rng {
  readonly seed: string;
  readonly path: string;
  /** The stream of that name, from its beginning: forking twice by one name gives the same draws twice. */
  fork(name: string): SeededRng;
  save(): RngState;
}

const TWO_32 = 2 ** 32;

interface AleaState {
  c: number;
  s0: number;
  s1: number;
  s2: number;
}

class AleaStream implements SeededRng {
  readonly seed: string;
  readonly path: string;
  // The step is done here: seedrandom's generator is five functions, 400 octets more for each member of a group.
  private c: number;
  private s0: number;
  private s1: number;
  private s2: number;

  constructor(seed: string, path: string, state?: AleaState) {
    this.seed = seed;
    this.path = path;
    // The length tells the seed "a/b" from the fork "b" of the seed "a".
    const text = `${seed.length}:${seed}/${path}`;
    const { c, s0, s1, s2 } = state ?? (alea(text, { state: true }).state() as unknown as AleaState);
    this.c = c;
    this.s0 = s0;
    this.s1 = s1;
    this.s2 = s2;
  }

  u32(): number {
    const t = 2_091_639 * this.s0 + this.c / TWO_32;
    this.c = Math.trunc(t);
    this.s0 = this.s1;
    this.s1 = this.s2;
    this.s2 = t - this.c;
    return (this.s2 * TWO_32) >>> 0;
  }

  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1 && bound <= TWO_32, () => `no whole bound from 1 to 2^32: ${bound}`);
    // Draws above the last whole multiple of the bound would favour small numbers; they are drawn again.
    const limit = TWO_32 - (TWO_32 % bound);
    for (;;) {
      const value = this.u32();
      if (value < limit) return value % bound;
    }
  }

  chance(hits: number, outOf: number): boolean {
    assert(Number.isInteger(hits) && hits >= 0 && hits <= outOf, () => `no odds: ${hits} in ${outOf}`);
    return this.below(outOf) < hits;
  }

  /** Four octets a draw, least significant first; what is left of the last draw is dropped. */
  bytes(count: number): Bytes {
    const out = new Uint8Array(count);
    for (let at = 0; at < count; at += 4) {
      const value = this.u32();
      const end = Math.min(count, at + 4);
      for (let i = at; i < end; i++) out[i] = value >>> (8 * (i - at));
    }
    return out;
  }

  fork(name: string): SeededRng {
    return new AleaStream(this.seed, this.path === "" ? name : `${this.path}/${name}`);
  }

  save(): RngState {
    const { seed, path, c, s0, s1, s2 } = this;
    return { seed, path, c, s0, s1, s2 };
  }
}

/**
 * The root stream of a run. `fork("gm7/nonce")` and `fork("gm7").fork("nonce")` name the same stream; no stream is
 * part of another.
 */
export function createRng(seed: string): SeededRng {
  return new AleaStream(seed, "");
}

/** A stream that continues where `save` was called. */
export function restoreRng(state: RngState): SeededRng {
  return new AleaStream(state.seed, state.path, { c: state.c, s0: state.s0, s1: state.s1, s2: state.s2 });
}
