import { expect, it } from "vitest";
import { type GroupPolicies, readGroupKeys } from "../../../sim/capture/groupKeys.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { readIsakmpChain } from "../../../src/wire/isakmpMessage.ts";
import { GDOI } from "../../../src/wire/isakmpPayloads.ts";
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
