import { beforeEach, describe, expect, test } from "vitest";
import { boardCrypto, KeyBoard, sharedMemoryFor } from "../../../sim/cli/keyBoard.ts";
import { createRng } from "../../../sim/core/rng.ts";
import type { Crypto, DhGroup } from "../../../src/crypto/api.ts";
import { native } from "../../../src/crypto/native.ts";

const rng = createRng("board");
let calls = 0;
const counted: Crypto = {
  ...native,
  dhPublic(group, key) {
    calls++;
    return native.dhPublic(group, key);
  },
  dhShared(group, key, peer) {
    calls++;
    return native.dhShared(group, key, peer);
  },
};

beforeEach(() => {
  calls = 0;
});

/** Two threads' views of one memory: the run's and a helper's. */
function boards(groups: readonly DhGroup[]) {
  const memory = sharedMemoryFor(groups);
  return { run: new KeyBoard(memory, groups), helper: new KeyBoard(memory, groups) };
}

describe.each([14, 16, 19, 21, 31] as const)("an exchange of group %i", (group) => {
  const length = { 14: 32, 16: 40, 19: 32, 21: 66, 31: 32 }[group];
  const [a, b] = [rng.bytes(length), rng.bytes(length)];
  const [publicA, publicB] = [native.dhPublic(group, a), native.dhPublic(group, b)];
  const secret = native.dhShared(group, a, publicB);

  test("that a helper has worked out costs the run nothing", () => {
    const { run, helper } = boards([31, group]);
    helper.offer(2, a);
    helper.settle(2, native);
    helper.offer(3, b);
    helper.settle(3, native);
    const crypto = boardCrypto(counted, run);
    expect(crypto.dhPublic(group, a)).toEqual(publicA);
    expect(crypto.dhShared(group, b, publicA)).toEqual(secret);
    expect(crypto.dhPublic(group, b)).toEqual(publicB);
    expect(crypto.dhShared(group, a, publicB)).toEqual(secret);
    expect(calls).toBe(0);
    expect(run.asked).toBe(2);
  });

  test("that the run comes to first is worked out once, and serves the helper", () => {
    const { run, helper } = boards([group]);
    helper.offer(0, a);
    const crypto = boardCrypto(counted, run);
    expect(crypto.dhPublic(group, a)).toEqual(publicA);
    expect(helper.settle(0, counted)).toBe(true);
    expect(helper.publicValue(0)).toEqual(publicA);
    expect(calls).toBe(1);
  });
});

describe("what nobody has forecast", () => {
  const [a, b, stranger] = [rng.bytes(32), rng.bytes(32), rng.bytes(32)];
  const { run, helper } = boards([31]);
  helper.offer(0, a);
  helper.settle(0, native);
  helper.offer(1, b);
  helper.settle(1, native);
  const crypto = boardCrypto(counted, run);

  test.each([
    ["another private key", (with_: typeof crypto) => with_.dhPublic(31, stranger), native.dhPublic(31, stranger)],
    ["the same octets in another group", (with_: typeof crypto) => with_.dhPublic(19, a), native.dhPublic(19, a)],
    [
      "another peer",
      (with_: typeof crypto) => with_.dhShared(31, a, native.dhPublic(31, stranger)),
      native.dhShared(31, a, native.dhPublic(31, stranger)),
    ],
    ["a value of small order", (with_: typeof crypto) => with_.dhShared(31, b, new Uint8Array(32)), undefined],
  ])("is computed: %s", (_, ask, result) => {
    expect(ask(crypto)).toEqual(result);
    expect(calls).toBe(1);
  });

  test("and what is only half known is not waited for", () => {
    const half = boards([31]);
    half.helper.offer(0, a);
    const shared = boardCrypto(counted, half.run).dhShared(31, a, native.dhPublic(31, b));
    expect(shared).toEqual(native.dhShared(31, a, native.dhPublic(31, b)));
    expect(calls).toBe(1);
  });

  test("and no key is mistaken for another whose place in the table is the same", () => {
    const groups: DhGroup[] = [31, 31];
    const keys = [0, 1, 2].map((last) => Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? last : 8)));
    const pair = boards(groups);
    pair.helper.offer(0, keys[0]!);
    pair.helper.offer(2, keys[1]!);
    const crypto = boardCrypto(counted, pair.run);
    for (const key of keys) expect(crypto.dhPublic(31, key)).toEqual(native.dhPublic(31, key));
  });
});

test("a helper sees that the run has ended", () => {
  const { run, helper } = boards([31]);
  expect(helper.isStopped).toBe(false);
  run.stop();
  expect(helper.isStopped).toBe(true);
});
