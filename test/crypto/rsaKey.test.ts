import { checkPrimeSync, createPrivateKey, createSign, createVerify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { bigFrom, bitLength } from "../../src/crypto/bigint.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import { testRng } from "./testRng.ts";

describe("RSA keys from a stream", () => {
  it.each([512, 768, 1024, 2048])("a key of %i bits holds together", (bits) => {
    const key = rsaKey(testRng(`rsa ${bits}`), bits);
    const [n, e, d, p, q] = [key.n, key.e, key.d, key.p, key.q].map(bigFrom) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    expect(bitLength(n)).toBe(bits);
    expect(n).toBe(p * q);
    expect(p > q).toBe(true);
    expect(checkPrimeSync(p) && checkPrimeSync(q)).toBe(true);
    expect((e * d) % (p - 1n)).toBe(1n);
    expect((e * d) % (q - 1n)).toBe(1n);
    expect(bigFrom(key.dp)).toBe(d % (p - 1n));
    expect(bigFrom(key.dq)).toBe(d % (q - 1n));
    expect((bigFrom(key.qi) * q) % p).toBe(1n);
    const message = Uint8Array.of(1, 2, 3);
    const signature = noble.sign(key, { kind: "rsa-pkcs1", hash: "sha256" }, message);
    expect(native.verify(publicHalf(key), { kind: "rsa-pkcs1", hash: "sha256" }, message, signature)).toBe(true);
  });

  it("the same stream gives the same key, another stream another", () => {
    const key = rsaKey(testRng("same"), 512);
    expect(rsaKey(testRng("same"), 512)).toEqual(key);
    expect(rsaKey(testRng("other"), 512)).not.toEqual(key);
  });

  it("the key of a stream stays what it is", () => {
    const { n } = rsaKey(testRng("pinned"), 1024);
    expect(toHex(noble.hash("sha256", n))).toBe("e84fd1c89b268bdb6661745a90ef7ddcd3711da697f00e2403a5e8f232fce232");
  });

  it("node's own signing and PSS verification take the key", () => {
    const key = rsaKey(testRng("node"), 1024);
    const jwk = Object.fromEntries(
      (["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const).map((name) => [
        name,
        Buffer.from(key[name]).toString("base64url"),
      ]),
    );
    const imported = createPrivateKey({ key: { kty: "RSA", ...jwk }, format: "jwk" });
    const message = Buffer.from("message");
    const theirs = createSign("sha256").update(message).sign({ key: imported, padding: 6, saltLength: 32 });
    const scheme = { kind: "rsa-pss", hash: "sha256", saltLength: 32 } as const;
    for (const crypto of [native, noble]) {
      expect(crypto.verify(publicHalf(key), scheme, message, theirs)).toBe(true);
      expect(crypto.verify(publicHalf(key), { ...scheme, saltLength: 20 }, message, theirs)).toBe(false);
      const ours = crypto.sign(key, { ...scheme, salt: new Uint8Array(32).fill(9) }, message);
      expect(createVerify("sha256").update(message).verify({ key: imported, padding: 6, saltLength: 32 }, ours)).toBe(
        true,
      );
    }
  });

  it("lengths that are not offered are the caller's bug", () => {
    for (const bits of [0, 256, 1025, 8192]) expect(() => rsaKey(testRng("bad"), bits)).toThrow();
  });
});
