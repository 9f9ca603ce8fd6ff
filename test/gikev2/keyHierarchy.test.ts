/** The worked example of RFC 9838 appendix A: a tree of eight members, key numbers as printed there. */
import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { EMPTY } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import type { KeyHierarchy, TreeKey } from "../../src/gikev2/policy.ts";
import { findKey } from "../../src/gikev2/rfc9838/keyPath.ts";
import { wrapUnder } from "../../src/gikev2/rfc9838/keyWrap.ts";
import { addLeaf, createKeyTree, excludeLeaf, type KeyTree, pathOf } from "../../src/ks/keyTree.ts";
import type { WrappedKey } from "../../src/wire/rfc9838.ts";

const TOOLS = { crypto: native, rng: createRng("appendix A") };
const key = (octet: number) => secret(new Uint8Array(32).fill(octet));
const GSK_W = key(0xee);
const KEK = new Uint8Array(68).fill(0x4b);

/** Node n has the children 2n + 1 and 2n + 2; 7 to 14 are the leaves of A to H. */
function appendixA(): KeyTree {
  const tree = createKeyTree(32);
  tree.nextId = 15;
  tree.height = 3;
  tree.tops.push(1, 2);
  for (let id = 1; id <= 14; id++) {
    const children = id <= 6 ? [2 * id + 1, 2 * id + 2] : [];
    const parent = Math.floor((id - 1) / 2);
    const leaves = id <= 2 ? 4 : id <= 6 ? 2 : 1;
    tree.nodes.set(id, { id, key: key(id), parent, children, leaves, stale: false });
  }
  return tree;
}

const LEAF = { A: 7, B: 8, C: 9, D: 10, E: 11, F: 12, G: 13, H: 14 } as const;

/** `3{1}`: key 1 wrapped under key 3; K is the SA's key, G is GSK_w. */
function written({ tops, links }: KeyHierarchy): readonly string[] {
  const copies = tops.map(({ id }) => `${id}{K}`);
  return [...copies, ...links.map(({ inner, outer }) => `${outer?.id ?? "G"}{${inner.id}}`)];
}

function onTheWire(hierarchy: KeyHierarchy): { copies: WrappedKey[]; links: WrappedKey[] } {
  return {
    copies: hierarchy.tops.map((top) => wrapUnder(native, top, 0, KEK)),
    links: hierarchy.links.map(({ inner, outer }) =>
      wrapUnder(native, outer ?? { id: 0, key: GSK_W }, inner.id, inner.key.secret),
    ),
  };
}

function found(path: readonly TreeKey[], message: { copies: WrappedKey[]; links: WrappedKey[] }) {
  return findKey(native, { kwk: GSK_W, path, ...message, size: { saKey: 68, treeKey: 32 } });
}

const ids = (path: readonly TreeKey[] | undefined) => path?.map(({ id }) => id);
const held = (...path: number[]): TreeKey[] => path.map((id) => ({ id, key: key(id) }));

describe("the key hierarchy of appendix A", () => {
  it("gives A at its registration 1{K}, 3{1}, 7{3} and GSK_w{7}, from which A keeps the path 1, 3, 7", () => {
    const hierarchy = pathOf(appendixA(), LEAF.A);
    expect(written(hierarchy)).toEqual(["1{K}", "3{1}", "7{3}", "G{7}"]);
    const way = found([], onTheWire(hierarchy));
    expect(way?.material.secret).toEqual(KEK);
    expect(way?.path).toEqual(held(1, 3, 7));
  });

  it("leaves all paths alone in a plain rekey under GSK_w", () => {
    const copies = [wrapUnder(native, { id: 0, key: GSK_W }, 0, KEK)];
    const way = found(held(1, 3, 7), { copies, links: [] });
    expect(way?.material.secret).toEqual(KEK);
    expect(way?.path).toBeUndefined();
  });

  it("excludes F by 1{K}, 15{K}, 6{15}, 16{15}, 11{16}: every other member finds its way, F finds none", () => {
    const tree = appendixA();
    const hierarchy = excludeLeaf(tree, TOOLS, LEAF.F)!;
    expect([...written(hierarchy)].sort()).toEqual(["1{K}", "11{16}", "15{K}", "16{15}", "6{15}"].sort());
    const message = onTheWire(hierarchy);
    const paths: Record<string, readonly number[] | "none" | undefined> = {};
    const old = {
      A: [1, 3, 7],
      B: [1, 3, 8],
      C: [1, 4, 9],
      D: [1, 4, 10],
      E: [2, 5, 11],
      G: [2, 6, 13],
      H: [2, 6, 14],
    };
    for (const [name, path] of Object.entries(old)) {
      const way = found(held(...path), message);
      expect(way?.material.secret).toEqual(KEK);
      paths[name] = ids(way?.path);
    }
    const same = undefined;
    expect(paths).toEqual({ A: same, B: same, C: same, D: same, E: [15, 16, 11], G: [15, 6, 13], H: [15, 6, 14] });
    expect(found(held(2, 5, 12), message)).toBeUndefined();
  });
});

describe("the search for a key", () => {
  const wrapped = (keyId: number, kwkId: number, under: number) =>
    wrapUnder(native, { id: kwkId, key: key(under) }, keyId, key(keyId).secret);
  const copy = (kwkId: number) => wrapUnder(native, { id: kwkId, key: key(kwkId) }, 0, KEK);

  it("ends where wrapped keys form a ring", () => {
    expect(found([], { copies: [copy(1)], links: [wrapped(1, 2, 2), wrapped(2, 1, 1)] })).toBeUndefined();
  });

  it("takes another way where the first one does not open", () => {
    const links = [wrapped(1, 7, 0x55), wrapped(1, 8, 8)];
    expect(ids(found(held(7, 8), { copies: [copy(1)], links })?.path)).toEqual([1, 8]);
  });

  it("passes over a copy that was altered or says that it is no key of the SA", () => {
    const altered = { ...copy(7), wrapped: EMPTY };
    expect(found(held(7), { copies: [altered, { ...copy(7), keyId: 3 }], links: [] })).toBeUndefined();
    expect(found(held(7), { copies: [altered, copy(7)], links: [] })?.material.secret).toEqual(KEK);
  });
});

describe("a tree that members join and leave in any order", () => {
  it("always leads those who are in to the key, and those who were put out nowhere", () => {
    const rng = createRng("joins and leaves");
    const tools = { crypto: native, rng: rng.fork("keys") };
    const tree = createKeyTree(32);
    const members = new Map<number, readonly TreeKey[]>();
    const gone: (readonly TreeKey[])[] = [];
    for (let step = 0; step < 120; step++) {
      if (members.size < 2 || rng.chance(3, 5)) {
        const leaf = addLeaf(tree, tools);
        members.set(leaf, found([], onTheWire(pathOf(tree, leaf)))!.path!);
        continue;
      }
      const leaf = [...members.keys()][rng.below(members.size)]!;
      gone.push(members.get(leaf)!);
      members.delete(leaf);
      const message = onTheWire(excludeLeaf(tree, tools, leaf)!);
      for (const [id, path] of members) {
        const way = found(path, message);
        expect(way?.material.secret).toEqual(KEK);
        if (way?.path !== undefined) members.set(id, way.path);
        expect(ids(members.get(id))?.at(-1)).toBe(id);
      }
      for (const path of gone) expect(found(path, message)).toBeUndefined();
    }
    expect(gone.length).toBeGreaterThan(30);
  });

  it.each([1000, 1024, 1025])("of %i is shallow, and any of them is put out with few wrapped keys", (members) => {
    const levels = Math.ceil(Math.log2(members));
    for (const index of [0, 512, 700, members - 1]) {
      const tree = createKeyTree(32);
      const leaves = Array.from({ length: members }, () => addLeaf(tree, TOOLS));
      expect(pathOf(tree, leaves[index]!).links).toHaveLength(levels);
      // Those that the tree has grown by are handed out as well.
      expect(excludeLeaf(tree, TOOLS, leaves[index]!)!.links.length).toBeLessThan(4 * levels);
      expect(excludeLeaf(tree, TOOLS, leaves[index === 700 ? 701 : 700]!)!.links.length).toBeLessThan(2 * levels);
    }
  });

  it("gives a free place away before it grows", () => {
    const tree = createKeyTree(32);
    const leaves = Array.from({ length: 16 }, () => addLeaf(tree, TOOLS));
    for (const index of [3, 9, 10, 11]) excludeLeaf(tree, TOOLS, leaves[index]!);
    const others = Array.from({ length: 4 }, () => addLeaf(tree, TOOLS));
    for (const leaf of others) expect(pathOf(tree, leaf).links).toHaveLength(4);
    expect(pathOf(tree, addLeaf(tree, TOOLS)).links).toHaveLength(5);
  });

  it("has nobody to tell when its last member goes", () => {
    const tree = createKeyTree(32);
    expect(excludeLeaf(tree, TOOLS, addLeaf(tree, TOOLS))).toBeUndefined();
    expect(tree.nodes.size).toBe(0);
  });
});
