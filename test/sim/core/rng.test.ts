import fc from "fast-check";
import alea from "seedrandom/lib/alea.js";
import { describe, expect, it } from "vitest";
import { createRng, restoreRng } from "../../../sim/core/rng.ts";
import { toHex } from "../../../src/base/bytes.ts";
import type { Rng } from "../../../src/base/rng.ts";

/** As alea itself gives them for the seeds `2:42/` and `2:42/gm7/nonce`. */
const RECORDED = {
  root: [908958624, 60309785, 598018544, 3085884716],
  fork: [1743180563, 664577225, 2162193667, 3632875359],
  bytes: "a09b2d361941",
};

const draws = (rng: Rng, count = 8) => Array.from({ length: count }, () => rng.u32());

describe("streams", () => {
  it("give the same draws for the same seed and path, for ever", () => {
    expect(draws(createRng("42"), 4)).toEqual(RECORDED.root);
    expect(draws(createRng("42").fork("gm7/nonce"), 4)).toEqual(RECORDED.fork);
    expect(toHex(createRng("42").bytes(6))).toBe(RECORDED.bytes);
  });

  it("are those of seedrandom's alea", () => {
    const theirs = alea("2:42/gm7");
    expect(draws(createRng("42").fork("gm7"), 10_000)).toEqual(
      Array.from({ length: 10_000 }, () => theirs.int32() >>> 0),
    );
  });

  it("are named by their whole path", () => {
    const root = createRng("s");
    expect(draws(root.fork("a").fork("b"))).toEqual(draws(root.fork("a/b")));
    expect(draws(root.fork("a"))).not.toEqual(draws(root.fork("b")));
    expect(draws(createRng("s").fork("a"))).not.toEqual(draws(createRng("t").fork("a")));
    expect(draws(createRng("a/b"))).not.toEqual(draws(createRng("a").fork("b")));
  });

  it("do not notice what is drawn elsewhere", () => {
    const quiet = createRng("s");
    const busy = createRng("s");
    draws(busy, 100);
    draws(busy.fork("other"), 100);
    expect(draws(busy.fork("mine"))).toEqual(draws(quiet.fork("mine")));
  });

  it("go on where their saved state was taken, even through a copy of it", () => {
    const rng = createRng("s").fork("x");
    draws(rng, 13);
    const state = structuredClone(rng.save());
    const expected = draws(rng);
    const again = restoreRng(state);
    expect(draws(again)).toEqual(expected);
    expect(draws(again.fork("y"))).toEqual(draws(rng.fork("y")));
  });
});

describe("draws", () => {
  it("stay within their bound and reach every value of a small one", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const value = createRng(seed).below(bound);
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      }),
    );
    const rng = createRng("dice");
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) counts[rng.below(6)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it("are not biased by a bound that does not divide 2^32", () => {
    // Taken modulo 3 * 2^30, a quarter of all draws would fall twice into the lower third.
    const rng = createRng("bias");
    let low = 0;
    for (let i = 0; i < 30_000; i++) if (rng.below(3 * 2 ** 30) < 2 ** 30) low++;
    expect(Math.abs(low - 10_000)).toBeLessThan(400);
  });

  it("keep integer odds, with never and always exact", () => {
    const rng = createRng("odds");
    let hits = 0;
    for (let i = 0; i < 100_000; i++) if (rng.chance(3, 100)) hits++;
    expect(Math.abs(hits - 3000)).toBeLessThan(250);
    for (let i = 0; i < 100; i++) {
      expect(rng.chance(0, 7)).toBe(false);
      expect(rng.chance(7, 7)).toBe(true);
    }
  });

  it("refuse bounds and odds that mean nothing", () => {
    const rng = createRng("");
    for (const bound of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) expect(() => rng.below(bound)).toThrow();
    for (const [hits, outOf] of [
      [2, 1],
      [-1, 4],
      [0.5, 1],
      [0, 0],
    ] as const) {
      expect(() => rng.chance(hits, outOf)).toThrow();
    }
  });

  it("fill any number of octets", () => {
    for (const count of [0, 1, 3, 4, 5, 33]) expect(createRng("b").bytes(count)).toHaveLength(count);
    expect(toHex(createRng("b").bytes(3))).toBe(toHex(createRng("b").bytes(8)).slice(0, 6));
  });
});
