import { describe, expect, test } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { drawPrivateKey } from "../../src/crypto/ephemeral.ts";

const streams = () => ({ rng: createRng("all"), keys: createRng("keys") });
const peer = createRng("peer").bytes(256);
const other = createRng("other peer").bytes(256);

describe("private keys", () => {
  test("come from the one stream where there is no other", () => {
    const { rng } = streams();
    expect(drawPrivateKey({ rng }, 14, peer)).toEqual(streams().rng.bytes(32));
    expect(drawPrivateKey({ rng }, 20)).toHaveLength(48);
  });

  test("of an initiator follow each other in a stream of their own", () => {
    const used = streams();
    const keys = [drawPrivateKey(used, 31), drawPrivateKey(used, 31)];
    const fresh = streams();
    expect(keys).toEqual([fresh.keys.bytes(32), fresh.keys.bytes(32)]);
    expect(used.rng.u32()).toBe(fresh.rng.u32());
  });

  test("of a responder depend on the value that it answers, not on who came before", () => {
    const [one, two] = [streams(), streams()];
    const late = [drawPrivateKey(one, 31, other), drawPrivateKey(one, 31, peer)][1];
    expect(drawPrivateKey(two, 31, peer)).toEqual(late);
    expect(drawPrivateKey(two, 31, other)).not.toEqual(late);
  });
});
