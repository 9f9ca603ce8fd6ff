import { describe, expect, it } from "vitest";
import { type GroupPolicies, readGroupKeys } from "../../../sim/capture/groupKeys.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { native } from "../../../src/crypto/native.ts";
import { kekToWire, newKekKeys } from "../../../src/gdoi/kek.ts";
import { kdOfKeys } from "../../../src/gdoi/keys.ts";
import { treeKeyOctets } from "../../../src/gdoi/lkh.ts";
import { saOfPolicy } from "../../../src/gdoi/policySa.ts";
import { type KeyHierarchy, NO_POLICY } from "../../../src/gikev2/policy.ts";
import { addLeaf, createKeyTree, excludeLeaf, pathOf } from "../../../src/ks/keyTree.ts";
import { readIsakmpChain } from "../../../src/wire/isakmpMessage.ts";
import { GDOI } from "../../../src/wire/isakmpPayloads.ts";
import { testRng } from "../../crypto/testRng.ts";
import { KEK } from "../../gdoi/group.ts";
import { describeShared, readSharedJson } from "../../shared.ts";

interface Vector {
  readonly keks: readonly { readonly spi: string; readonly iv: string; readonly key: string }[];
  readonly teks: readonly {
    readonly spi: string;
    readonly policy: { readonly transform: number };
    readonly keys: readonly { readonly hex: string }[];
  }[];
  readonly messages: readonly { readonly exchange: number; readonly wire: string; readonly plaintext?: string }[];
}

describeShared("vectors/gdoi", "keys that a group hands out", () => {
  it("are those of the reference implementation, each under its policy", () => {
    const { keks, teks, messages } = readSharedJson<Vector>("vectors/gdoi/keys.json");
    let policies: GroupPolicies = { keks: new Map(), teks: new Map() };
    const rekeys = new Map<string, string>();
    const data = new Map<string, readonly [encr: number, keyBits: number, integ: number, keys: string]>();
    for (const { exchange, wire, plaintext } of messages) {
      if (exchange < 32) continue;
      const { payloads } = readIsakmpChain(fromHex(plaintext!), fromHex(wire)[16]!, GDOI);
      const keys = readGroupKeys(payloads, policies);
      policies = keys.policies;
      for (const [spi, { iv, key }] of keys.rekeys) rekeys.set(spi, toHex(iv) + toHex(key));
      for (const { spi, encr, encrKeyBits, integ, encrKey, integKey } of keys.teks) {
        data.set(spi, [encr, encrKeyBits, integ, toHex(encrKey.secret) + toHex(integKey.secret)]);
      }
    }
    expect([...rekeys]).toEqual(keks.map(({ spi, iv, key }) => [spi, iv + key]));
    expect(data.size).toBe(teks.length);
    for (const { spi, policy, keys } of teks) {
      // 20 is AES-GCM, whose key ends with the salt; 12 is AES-CBC, which comes with HMAC-SHA2-256.
      const integ = policy.transform === 20 ? 0 : 12;
      expect(data.get(spi)).toEqual([policy.transform, 128, integ, keys.map(({ hex }) => hex).join("")]);
    }
  });
  it("are not taken without the policy that names their algorithms", () => {
    const { messages } = readSharedJson<Vector>("vectors/gdoi/keys.json");
    const { wire, plaintext } = messages[9]!;
    const { payloads } = readIsakmpChain(fromHex(plaintext!), fromHex(wire)[16]!, GDOI);
    const { rekeys, teks } = readGroupKeys(payloads, { keks: new Map(), teks: new Map() });
    expect([rekeys.size, teks.length]).toEqual([0, 0]);
  });
});

describe("keys that a PULL hands out in a key hierarchy", () => {
  const tools = { crypto: native, rng: testRng("tree") };
  const tree = createKeyTree(treeKeyOctets(KEK.suite)!);
  const leaves = Array.from({ length: 4 }, () => addLeaf(tree, tools));
  const kek = newKekKeys(tools.rng, KEK.suite);
  const policy = { ...NO_POLICY, kek: KEK };
  const handedOut = (hierarchy: KeyHierarchy) =>
    readGroupKeys(
      [
        { kind: "GSA", body: saOfPolicy(policy) },
        { kind: "KD", body: kdOfKeys(policy, { kek, teks: new Map(), hierarchy }, [], native) },
      ],
      { keks: new Map(), teks: new Map() },
    );

  it("hold the KEK behind all others; an update holds none for those who are not in the tree", () => {
    const { iv, key } = handedOut(pathOf(tree, leaves[0]!)).rekeys.get(KEK.spi)!;
    expect(toHex(iv) + toHex(key)).toBe(toHex(kekToWire(KEK.suite, kek)));
    expect(handedOut(excludeLeaf(tree, tools, leaves[1]!)!).rekeys.size).toBe(0);
  });
});
