import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { newKekKeys } from "../../src/gdoi/kek.ts";
import { kdOfKeys, keysOfKd } from "../../src/gdoi/keys.ts";
import { treeKeyOctets } from "../../src/gdoi/lkh.ts";
import { policyOfSa, saOfPolicy } from "../../src/gdoi/policySa.ts";
import { openPush, readPush, sealPayloads, sealPush } from "../../src/gdoi/push.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import {
  type GroupUpdate,
  type KekKeys,
  type KekPolicy,
  type KekSuite,
  type KeyHierarchy,
  NO_POLICY,
  type TreeKey,
} from "../../src/gikev2/policy.ts";
import { addLeaf, createKeyTree, excludeLeaf, type KeyTree, pathOf } from "../../src/ks/keyTree.ts";
import { type GroupSa, KeyDownload } from "../../src/wire/gdoi.ts";
import type { IsakmpPayload } from "../../src/wire/isakmpPayloads.ts";
import { testRng } from "../crypto/testRng.ts";
import { KEK, rekeySaOf, SIGNER } from "./group.ts";

const TOOLS = { crypto: native, rng: testRng("lkh") };

interface Member {
  readonly leaf: number;
  path: readonly TreeKey[];
  kek: KekKeys;
}

interface Group {
  readonly tree: KeyTree;
  kek: KekPolicy;
  keys: KekKeys;
  round: number;
  readonly members: Member[];
}

function groupOf(suite: KekSuite): Group {
  const kek = { ...KEK, suite };
  const keys = newKekKeys(TOOLS.rng, suite);
  return { tree: createKeyTree(treeKeyOctets(suite)!), kek, keys, round: 1, members: [] };
}

/** What message 4 of a PULL says to a newcomer, by way of its octets. */
function join(group: Group): void {
  const leaf = addLeaf(group.tree, TOOLS);
  const policy = { ...NO_POLICY, kek: group.kek };
  const kd = kdOfKeys(policy, { kek: group.keys, teks: new Map(), hierarchy: pathOf(group.tree, leaf) }, []);
  const read = keysOfKd(KeyDownload.decode(KeyDownload.encode(kd)), policy)!;
  expect(read.keys.kek).toEqual(group.keys);
  group.members.push({ leaf, path: read.keys.path!, kek: read.keys.kek! });
}

/** The rekey that puts a member out. */
function evict(group: Group, leaf: number): { readonly update: GroupUpdate; readonly octets: Uint8Array } {
  const hierarchy = excludeLeaf(group.tree, TOOLS, leaf)!;
  group.round += 1;
  const kek = { ...group.kek, spi: group.round.toString(16).padStart(32, "0"), nextMessageId: 1 };
  const keys = { kek: newKekKeys(TOOLS.rng, kek.suite), teks: new Map(), hierarchy };
  const update = { policy: { ...NO_POLICY, kek }, keys, deletions: [] };
  const octets = sealPush(native, saOf(group), SIGNER, update, 1, DEFAULT_SWITCHES);
  return { update, octets };
}

function saOf({ kek, keys }: Pick<Group, "kek" | "keys">) {
  return rekeySaOf(kek, { kek: keys, teks: new Map() });
}

function take(group: Group, octets: Uint8Array, path: readonly TreeKey[], crypto: Crypto = native) {
  const opened = openPush(crypto, saOf(group), octets, 0);
  if (opened.kind !== "whole") throw new Error(JSON.stringify(opened));
  const read = readPush(saOf(group), opened.payloads, DEFAULT_SWITCHES, { crypto, path });
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

const SUITES: readonly [name: string, KekSuite][] = [
  ["AES-128", { encr: 12, encrKeyBits: 128, integ: 0, kwa: 0 }],
  ["AES-192, whose keys are padded", { encr: 12, encrKeyBits: 192, integ: 0, kwa: 0 }],
  ["AES-256", { encr: 12, encrKeyBits: 256, integ: 0, kwa: 0 }],
  ["3DES", { encr: 3, encrKeyBits: 0, integ: 0, kwa: 0 }],
];

describe.each(SUITES)("a key hierarchy under %s", (_name, suite) => {
  it("takes all members along but the one that is put out, joins and evictions mixed", () => {
    const group = groupOf(suite);
    for (let i = 0; i < 9; i++) join(group);
    const rng = testRng("who goes");
    for (let turn = 0; turn < 12; turn++) {
      if (turn % 3 === 2) join(group);
      const [gone] = group.members.splice(rng.below(group.members.length), 1);
      const { update, octets } = evict(group, gone!.leaf);
      expect(take(group, octets, gone!.path)).toEqual({ excluded: true });
      for (const [index, member] of group.members.entries()) {
        const content = take(group, octets, member.path, index === 0 ? noble : native);
        if ("excluded" in content) throw new Error(`member ${member.leaf} is put out`);
        expect(content.keys.kek).toEqual(update.keys.kek);
        member.path = content.keys.path!;
        member.kek = content.keys.kek!;
      }
      group.kek = update.policy.kek!;
      group.keys = update.keys.kek!;
    }
    expect(new Set(group.members.map(({ path }) => path.at(-1)!.id)).size).toBe(group.members.length);
  });
});

describe("the arrays of a key hierarchy", () => {
  const [, suite] = SUITES[0]!;

  function lkhOf(hierarchy: KeyHierarchy, crypto?: Crypto) {
    const policy = { ...NO_POLICY, kek: KEK };
    const keys = { kek: newKekKeys(testRng("root"), suite), teks: new Map(), hierarchy };
    return kdOfKeys(policy, keys, [], crypto).packets[0]!;
  }

  function fourMembers() {
    const tree = createKeyTree(treeKeyOctets(suite)!);
    const leaves = Array.from({ length: 4 }, () => addLeaf(tree, TOOLS));
    return { tree, leaves };
  }

  it("of a download begin with the leaf and end with the KEK, in clear", () => {
    const { tree, leaves } = fourMembers();
    const packet = lkhOf(pathOf(tree, leaves[2]!));
    expect(packet.type).toBe(3);
    const [array] = packet.attributes as unknown as { kind: string; value: { keys: { handle: number }[] } }[];
    expect(array!.kind).toBe("LKH_DOWNLOAD_ARRAY");
    const handles = array!.value.keys.map(({ handle }) => handle);
    expect([handles[0], handles.at(-1)]).toEqual([leaves[2], 0]);
  });

  it("of an update are one for each subtree that stays, and hold no key in clear", () => {
    const { tree, leaves } = fourMembers();
    const hierarchy = excludeLeaf(tree, TOOLS, leaves[3]!)!;
    const packet = lkhOf(hierarchy, native);
    const updates = packet.attributes.filter(({ kind }) => kind === "LKH_UPDATE_ARRAY");
    expect(updates.length).toBeGreaterThan(1);
    expect(updates.length).toBeLessThanOrEqual(4);
    const octets = toHex(KeyDownload.encode({ packets: [packet] }));
    for (const { inner } of hierarchy.links) expect(octets).not.toContain(toHex(inner.key.secret.subarray(16)));
  });

  it("are announced in the policy of a PUSH and not in that of a PULL", () => {
    const named = (sa: GroupSa) => JSON.stringify(sa.policies).includes("KEK_MANAGEMENT_ALGORITHM");
    const policy = { ...NO_POLICY, kek: KEK };
    expect([saOfPolicy(policy, true), saOfPolicy(policy)].map(named)).toEqual([true, false]);
    expect(policyOfSa(saOfPolicy(policy, true), DEFAULT_SWITCHES)).toEqual(
      policyOfSa(saOfPolicy(policy), DEFAULT_SWITCHES),
    );
  });

  it("with another version, no keys, keys of another length or cipher, or both kinds at once are refused", () => {
    const { tree, leaves } = fourMembers();
    const path = pathOf(tree, leaves[0]!).links.map(({ inner }) => inner);
    const packet = lkhOf(excludeLeaf(tree, TOOLS, leaves[3]!)!, native);
    const [first] = packet.attributes as unknown as { kind: string; value: Record<string, unknown> }[];
    const keys = first!.value.keys as { data: Uint8Array; keyType: number }[];
    const broken: readonly Record<string, unknown>[] = [
      { version: 2 },
      { keys: [] },
      { keys: keys.map((key) => ({ ...key, data: key.data.subarray(16) })) },
      { keys: keys.map((key) => ({ ...key, keyType: 1 })) },
    ];
    const download = lkhOf(pathOf(tree, leaves[0]!)).attributes;
    const changed = [
      ...broken.map((change) => [{ ...first!, value: { ...first!.value, ...change } }]),
      [...packet.attributes, ...download],
      [],
    ];
    const group = { ...groupOf(suite), kek: { ...KEK, suite } };
    const next = { ...KEK, spi: "ee".repeat(16) };
    for (const attributes of changed) {
      const body = { packets: [{ ...packet, spi: new Uint8Array(16).fill(0xee), attributes }] } as KeyDownload;
      const payloads: IsakmpPayload[] = [
        { kind: "SEQ", body: { number: 1 } },
        { kind: "GSA", body: saOfPolicy({ ...NO_POLICY, kek: next }, true) },
        { kind: "KD", body },
      ];
      const opened = openPush(
        native,
        saOf(group),
        sealPayloads(native, saOf(group), SIGNER, payloads, DEFAULT_SWITCHES),
        0,
      );
      if (opened.kind !== "whole") throw new Error(JSON.stringify(opened));
      const read = readPush(saOf(group), opened.payloads, DEFAULT_SWITCHES, { crypto: native, path });
      expect(read).toMatchObject({ ok: false, notify: 16 });
    }
    const update = { packets: [packet] };
    expect(() => keysOfKd(update, { ...NO_POLICY, kek: KEK })).toThrow("in a registration");
  });
});
