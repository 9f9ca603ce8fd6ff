import { describe, expect, it } from "vitest";
import { EMPTY } from "../../src/base/bytes.ts";
import { clearMeter, metered, meterRows, newMeter, OPERATIONS, operationNumber } from "../../src/crypto/meter.ts";
import { native } from "../../src/crypto/native.ts";
import { ecPrivateKey, ed25519PrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import { testRng } from "./testRng.ts";

describe("the meter", () => {
  it("has a name of its own for each operation", () => {
    expect(new Set(OPERATIONS).size).toBe(OPERATIONS.length);
    for (const name of ["dh.14.public", "rsa.2048.sign", "aes-gcm.seal", "hmac.sha256", "aes-kwp.unwrap"]) {
      expect(OPERATIONS[operationNumber(name)!]).toBe(name);
    }
    expect(operationNumber("dh.23.public")).toBeUndefined();
    expect(operationNumber("constructor")).toBeUndefined();
  });

  it("counts every operation under its name with its octets, and changes no result", () => {
    const meter = newMeter();
    const crypto = metered(native, meter);
    const [key16, key24, key8, iv] = [16, 24, 8, 16].map((length) => new Uint8Array(length)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const nonce = new Uint8Array(12);
    const data = new Uint8Array(32);
    expect(crypto.backend).toBe("native");
    expect(crypto.hash("sha1", data)).toEqual(native.hash("sha1", data));
    expect(crypto.hmac("sha512", key16, data)).toEqual(native.hmac("sha512", key16, data));
    crypto.cbcEncrypt("aes", key16, iv, data);
    crypto.cbcDecrypt("3des", key24, key8, data);
    crypto.cbcEncrypt("des", key8, key8, data);
    crypto.aesCtr(key16, iv, data.subarray(0, 5));
    const sealed = crypto.seal("aes-gcm", key16, nonce, data, data.subarray(0, 10), 8);
    expect(crypto.open("aes-gcm", key16, nonce, data, sealed, 8)).toEqual(data.subarray(0, 10));
    crypto.seal("aes-gcm", key16, nonce, data, EMPTY, 16);
    crypto.open("chacha20-poly1305", data, nonce, EMPTY, EMPTY, 16);
    const wrapped = crypto.wrapKey(key16, data);
    expect(crypto.unwrapKey(key16, wrapped)).toEqual(data);
    const value = crypto.dhPublic(
      19,
      data.map(() => 3),
    );
    crypto.dhShared(
      19,
      data.map(() => 4),
      value,
    );
    const keys = [
      rsaKey(testRng("meter"), 512),
      ecPrivateKey("P-384", new Uint8Array(48)),
      ed25519PrivateKey(data),
    ] as const;
    const schemes = [
      { kind: "rsa-pkcs1", hash: "sha1" },
      { kind: "ecdsa", hash: "sha384", encoding: "raw" },
      { kind: "ed25519" },
    ] as const;
    keys.forEach((key, i) => {
      const signature = crypto.sign(key, schemes[i]!, data);
      expect(crypto.verify(publicHalf(key), schemes[i]!, data, signature)).toBe(true);
    });
    expect(meterRows(meter).map(({ operation, count, octets }) => `${operation} ${count} ${octets}`)).toEqual([
      "hash.sha1 1 32",
      "hmac.sha512 1 32",
      "aes-cbc.encrypt 1 32",
      "des-cbc.encrypt 1 32",
      "3des-cbc.decrypt 1 32",
      "aes-ctr.crypt 1 5",
      "aes-gcm.seal 2 42",
      "aes-gcm.open 1 10",
      "chacha20-poly1305.open 1 0",
      "aes-kwp.wrap 1 32",
      "aes-kwp.unwrap 1 40",
      "dh.19.public 1 0",
      "dh.19.shared 1 0",
      "rsa.512.sign 1 32",
      "rsa.512.verify 1 32",
      "ecdsa.P-384.sign 1 32",
      "ecdsa.P-384.verify 1 32",
      "ed25519.sign 1 32",
      "ed25519.verify 1 32",
    ]);
    clearMeter(meter);
    expect(meterRows(meter)).toEqual([]);
  });

  it("RSA keys count under the next listed length", () => {
    const meter = newMeter();
    const crypto = metered(native, meter);
    for (const octets of [64, 65, 256, 257, 2048, 4096]) {
      const n = new Uint8Array(octets).fill(255);
      crypto.verify({ type: "rsa", n, e: Uint8Array.of(3) }, { kind: "rsa-pkcs1", hash: "sha1" }, EMPTY, EMPTY);
    }
    expect(meterRows(meter).map(({ operation, count }) => [operation, count])).toEqual([
      ["rsa.512.verify", 1],
      ["rsa.768.verify", 1],
      ["rsa.2048.verify", 1],
      ["rsa.3072.verify", 1],
      ["rsa.16384.verify", 2],
    ]);
  });

  it("is plain data that structuredClone copies", () => {
    const meter = newMeter();
    metered(native, meter).hash("md5", EMPTY);
    expect(meterRows(structuredClone(meter))).toEqual(meterRows(meter));
  });
});
