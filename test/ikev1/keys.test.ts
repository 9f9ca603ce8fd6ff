import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import type { HashName } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { cipherKey, phase1Iv, phase2Iv, skeyidPsk, skeyidSignature, skeyids } from "../../src/ikev1/keys.ts";
import { oakleyCipher, suiteOf } from "../../src/ikev1/suite.ts";
import { describeShared, readSharedJson } from "../shared.ts";

interface Case {
  readonly count: number;
  readonly ckyI: string;
  readonly ckyR: string;
  readonly ni: string;
  readonly nr: string;
  readonly gxy: string;
  readonly skeyid: string;
  readonly skeyidD: string;
  readonly skeyidA: string;
  readonly skeyidE: string;
  readonly psk?: string;
}
interface Cavs {
  readonly groups: readonly { readonly hash: string; readonly tests: readonly Case[] }[];
}

const HASHES: Readonly<Record<string, HashName>> = {
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

describeShared("vectors/cavs-ike", "the key schedule of the NIST validation system", () => {
  it.each([
    ["ikev1-psk.json", 102],
    ["ikev1-sig.json", 102],
  ])("gives every value of %s with both back ends", (file, count) => {
    let seen = 0;
    for (const { hash, tests } of readSharedJson<Cavs>(`vectors/cavs-ike/${file}`).groups) {
      const name = HASHES[hash]!;
      expect(name, hash).toBeDefined();
      for (const test of tests) {
        const [ni, nr, shared] = [test.ni, test.nr, test.gxy].map(fromHex) as [Uint8Array, Uint8Array, Uint8Array];
        const cookies = { initiator: fromHex(test.ckyI), responder: fromHex(test.ckyR) };
        for (const crypto of [native, noble]) {
          const first =
            test.psk === undefined
              ? skeyidSignature(crypto, name, ni, nr, shared)
              : skeyidPsk(crypto, name, fromHex(test.psk), ni, nr);
          const keys = skeyids(crypto, name, first, shared, cookies);
          expect([keys.skeyid, keys.d, keys.a, keys.e].map(toHex)).toEqual([
            test.skeyid,
            test.skeyidD,
            test.skeyidA,
            test.skeyidE,
          ]);
        }
        seen++;
      }
    }
    expect(seen).toBe(count);
  });
});

describe("cipher keys of IKEv1", () => {
  const skeyidE = concat(utf8("0123456789abcdefghij"));

  it("are the front of SKEYID_e where it is long enough", () => {
    expect(cipherKey(native, "sha1", skeyidE, 16)).toEqual(skeyidE.slice(0, 16));
    expect(cipherKey(native, "sha1", skeyidE, 20)).toEqual(skeyidE);
  });
  it("are K1 | K2 with feedback where it is too short", () => {
    const k1 = native.hmac("sha1", skeyidE, Uint8Array.of(0));
    const k2 = native.hmac("sha1", skeyidE, k1);
    expect(toHex(cipherKey(native, "sha1", skeyidE, 32))).toBe(toHex(concat(k1, k2).slice(0, 32)));
  });
  it("come with IVs of the cipher's block", () => {
    const des = oakleyCipher(1, undefined)!;
    const aes = oakleyCipher(7, 256)!;
    expect(phase1Iv(native, "sha256", des, skeyidE, skeyidE)).toHaveLength(8);
    expect(phase2Iv(native, "sha256", aes, skeyidE, 0x01020304)).toHaveLength(16);
  });
});

describe("phase 1 transforms", () => {
  it("need a key length with AES and allow none elsewhere", () => {
    expect(oakleyCipher(7, undefined)).toBeUndefined();
    expect(oakleyCipher(7, 64)).toBeUndefined();
    expect(oakleyCipher(5, 192)).toBeUndefined();
    expect(oakleyCipher(5, undefined)).toEqual({ cipher: "3des", key: 24, block: 8 });
  });
  it("are a suite where all four algorithms are known", () => {
    const attributes = [
      { kind: "ENCRYPTION", value: 7 },
      { kind: "KEY_LENGTH", value: 128 },
      { kind: "HASH", value: 2 },
      { kind: "AUTHENTICATION", value: 1 },
    ] as const;
    expect(suiteOf(attributes)).toBeUndefined();
    expect(suiteOf([...attributes, { kind: "GROUP", value: 999 }])).toBeUndefined();
    expect(suiteOf([...attributes, { kind: "GROUP", value: 14 }])).toEqual({
      hash: "sha1",
      cipher: { cipher: "aes", key: 16, block: 16 },
      group: 14,
      authentication: 1,
    });
  });
});
