import { describe, expect, it } from "vitest";
import type { IkeProposal } from "../../src/ikev2/api.ts";
import { checkAnswer, offer, select, transform } from "../../src/ikev2/proposal.ts";
import type { Sa, Transform } from "../../src/wire/ikev2.ts";
import { TransformType } from "../../src/wire/ikev2Numbers.ts";

const MIXED: IkeProposal = {
  encr: [
    { id: 20, keyBits: 256 },
    { id: 12, keyBits: 256 },
  ],
  prf: [7, 5],
  integ: [14, 12],
  dh: [19, 14],
  kwa: [],
};
const GROUP: IkeProposal = { ...MIXED, kwa: [3] };

function changed(sa: Sa, change: (transforms: readonly Transform[]) => readonly Transform[]): Sa {
  return { proposals: sa.proposals.map((entry) => ({ ...entry, transforms: change(entry.transforms) })) };
}

describe("an offer", () => {
  it("keeps AEAD ciphers apart from those that need an integrity algorithm", () => {
    const { proposals } = offer([MIXED]);
    expect(proposals.map(({ number }) => number)).toEqual([1, 2]);
    const types = proposals.map(
      ({ transforms }) => transforms.filter(({ type }) => type === TransformType.INTEG).length,
    );
    expect(types).toEqual([0, 2]);
  });
});

describe("a choice", () => {
  it("follows our own order, but takes the group of the KE payload where we have it", () => {
    expect(select([MIXED], offer([MIXED]), 14)?.suite).toEqual({
      encr: 20,
      encrKeyBits: 256,
      prf: 7,
      integ: 0,
      dh: 14,
      kwa: 0,
    });
    expect(select([MIXED], offer([MIXED]), 31)?.suite.dh).toBe(19);
  });

  it("answers with the number of the offered proposal", () => {
    const cbc = { ...MIXED, encr: [{ id: 12, keyBits: 256 }] };
    expect(select([cbc], offer([MIXED]), 19)?.answer.proposals[0]?.number).toBe(2);
  });

  it("of a key wrap algorithm is made only where both want one", () => {
    expect(select([GROUP], offer([GROUP]), 19)?.suite.kwa).toBe(3);
    expect(select([MIXED], offer([GROUP]), 19)).toBeUndefined();
    expect(select([GROUP], offer([MIXED]), 19)).toBeUndefined();
    expect(select([MIXED], offer([GROUP, MIXED]), 19)?.answer.proposals[0]?.number).toBe(3);
  });

  it("passes over a proposal with an unknown type, and over a transform with an unknown attribute", () => {
    const sa = offer([MIXED]);
    expect(
      select(
        [MIXED],
        changed(sa, (list) => [...list, transform(77, 1)]),
        19,
      ),
    ).toBeUndefined();
    const odd = changed(sa, (list) =>
      list.map((entry) =>
        entry.type === TransformType.PRF && entry.id === 7
          ? { ...entry, attributes: [{ kind: "unknown", type: 99, value: 1 }] }
          : entry,
      ),
    );
    expect(select([MIXED], odd, 19)?.suite.prf).toBe(5);
  });

  it("needs the key length where the cipher has several", () => {
    const bare = changed(offer([MIXED]), (list) => list.map((entry) => ({ ...entry, attributes: [] })));
    expect(select([MIXED], bare, 19)).toBeUndefined();
  });
});

describe("an answer", () => {
  const offered = offer([MIXED]);
  const { answer } = select([MIXED], offered, 19)!;

  it("that keeps to the offer is taken", () => {
    expect(checkAnswer(offered, answer)?.suite.encr).toBe(20);
  });

  it("with two of a type, one not offered, a missing type, another number or two proposals is not", () => {
    const twice = changed(answer, (list) => [...list, transform(TransformType.PRF, 5)]);
    const foreign = changed(answer, (list) =>
      list.map((entry) => (entry.type === TransformType.DH ? transform(TransformType.DH, 31) : entry)),
    );
    const missing = changed(answer, (list) => list.filter((entry) => entry.type !== TransformType.PRF));
    const renumbered = { proposals: [{ ...answer.proposals[0]!, number: 7 }] };
    const two = { proposals: [...answer.proposals, ...answer.proposals] };
    for (const bad of [twice, foreign, missing, renumbered, two, { proposals: [] }]) {
      expect(checkAnswer(offered, bad)).toBeUndefined();
    }
  });

  it("may write out that there is no integrity algorithm beside an AEAD cipher", () => {
    const written = changed(answer, (list) => [...list, transform(TransformType.INTEG, 0)]);
    expect(checkAnswer(offered, written)?.suite.integ).toBe(0);
  });
});
