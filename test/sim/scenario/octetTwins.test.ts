import { describe, expect, test } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { OctetTwins } from "../../../sim/scenario/octetTwins.ts";

const rng = createRng("octet twins");
const [sealed, aad, key, result] = [60, 28, 32, 44].map((size) => rng.bytes(size)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

describe("a result for the other end", () => {
  test("is given away once, in a buffer of its own", () => {
    const twins = new OctetTwins();
    twins.put([sealed, aad, key], ["aes-gcm", 16], result);
    const taken = twins.take([sealed.slice(), aad, key], ["aes-gcm", 16]);
    expect(taken).toEqual(result);
    taken!.fill(0);
    expect(twins.take([sealed, aad, key], ["aes-gcm", 16])).toBeUndefined();
  });

  test("stays what it was when its owners write to what they gave", () => {
    const twins = new OctetTwins();
    const [mine, given] = [sealed.slice(), result.slice()];
    twins.put([mine, aad], [], given);
    mine[0]! ^= 1;
    given.fill(0);
    expect(twins.take([mine, aad], [])).toBeUndefined();
    expect(twins.take([sealed, aad], [])).toEqual(result);
  });

  const changed = (octets: Uint8Array) => octets.map((octet, i) => (i === 3 ? octet ^ 1 : octet));
  test.each<[string, [Uint8Array, ...Uint8Array[]], (string | number)[]]>([
    ["other octets", [changed(sealed), aad, key], ["aes-gcm", 16]],
    ["another key", [sealed, aad, changed(key)], ["aes-gcm", 16]],
    ["one string fewer", [sealed, aad], ["aes-gcm", 16]],
    [
      "the same octets cut elsewhere",
      [sealed, aad.subarray(0, 27), new Uint8Array([aad[27]!, ...key])],
      ["aes-gcm", 16],
    ],
    ["another word", [sealed, aad, key], ["aes-gcm", 12]],
    ["a word fewer", [sealed, aad, key], ["aes-gcm"]],
  ])("is not given for %s", (_, octets, words) => {
    const twins = new OctetTwins();
    twins.put([sealed, aad, key], ["aes-gcm", 16], result);
    expect(twins.take(octets, words)).toBeUndefined();
    expect(twins.take([sealed, aad, key], ["aes-gcm", 16])).toEqual(result);
  });

  test("is forgotten when the stretch has gone round, whoever was written over it", () => {
    const twins = new OctetTwins();
    twins.put([sealed], [], result);
    const large = new Uint8Array(5_000_000);
    const marks = [1, 2, 3, 4].map((mark) => Uint8Array.of(0, 0, mark, mark));
    for (const mark of marks) twins.put([mark], [], large.fill(mark[3]!));
    expect(twins.take([sealed], [])).toBeUndefined();
    expect(twins.take([marks[0]!], [])).toBeUndefined();
    for (const mark of marks.slice(1)) expect(twins.take([mark], [])?.every((octet) => octet === mark[3])).toBe(true);
  });

  test("that is larger than the stretch is not kept", () => {
    const twins = new OctetTwins();
    twins.put([sealed], [], new Uint8Array(20_000_000));
    expect(twins.take([sealed], [])).toBeUndefined();
  });
});
