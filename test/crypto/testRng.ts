/** A small seeded source for tests of this room: the simulator's own streams live further up. */
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import { noble } from "../../src/crypto/noble.ts";

/** SHA-256 in counter mode over the name. */
export function testRng(name: string): Rng {
  let counter = 0;
  let pool: number[] = [];
  function octet(): number {
    if (pool.length === 0) pool = [...noble.hash("sha256", utf8(`${name}/${counter++}`))];
    return pool.shift()!;
  }
  function u32(): number {
    return ((octet() << 24) | (octet() << 16) | (octet() << 8) | octet()) >>> 0;
  }
  return {
    u32,
    below: (bound) => u32() % bound,
    chance: (hits, outOf) => u32() % outOf < hits,
    bytes: (count) => Uint8Array.from({ length: count }, octet),
    fork: (child) => testRng(fromUtf8(utf8(`${name}/${child}`))),
  };
}
