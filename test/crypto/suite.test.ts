import { p256, p384, p521 } from "@noble/curves/nist.js";
import { describe, expect, it } from "vitest";
import type { DhGroup } from "../../src/crypto/api.ts";
import { DH_PRIVATE_LENGTH } from "../../src/crypto/api.ts";
import { CURVES } from "../../src/crypto/dhGroup.ts";
import { native } from "../../src/crypto/native.ts";
import { dhSpec, encrSpec, integSpec, kwaSpec, prfSpec } from "../../src/crypto/suite.ts";

describe("transform tables", () => {
  it("AES ciphers exist for their three key lengths and for no other", () => {
    for (const id of [12, 13, 18, 19, 20, 21]) {
      for (const bits of [128, 192, 256]) expect(encrSpec(id, bits)?.key).toBe(bits / 8);
      for (const bits of [undefined, 0, 64, 512, 129, Number.NaN, -128]) expect(encrSpec(id, bits)).toBeUndefined();
    }
  });

  it("ciphers with one key length forbid the attribute", () => {
    for (const [id, key] of [
      [3, 24],
      [11, 0],
      [28, 32],
    ] as const) {
      expect(encrSpec(id, undefined)?.key).toBe(key);
      expect(encrSpec(id, 0)?.key).toBe(key);
      expect(encrSpec(id, 8 * key || 128)).toBeUndefined();
    }
  });

  it("octets of key material, IV and ICV are those of the RFCs", () => {
    const shape = (id: number, bits?: number) => {
      const spec = encrSpec(id, bits)!;
      return [spec.name, spec.key + spec.salt, spec.iv, spec.icv, spec.block];
    };
    expect(shape(3)).toEqual(["ENCR_3DES", 24, 8, 0, 8]);
    expect(shape(11)).toEqual(["ENCR_NULL", 0, 0, 0, 1]);
    expect(shape(12, 256)).toEqual(["ENCR_AES_CBC_256", 32, 16, 0, 16]);
    expect(shape(13, 128)).toEqual(["ENCR_AES_CTR_128", 20, 8, 0, 1]);
    expect(shape(18, 128)).toEqual(["ENCR_AES_GCM_8_128", 20, 8, 8, 1]);
    expect(shape(19, 192)).toEqual(["ENCR_AES_GCM_12_192", 28, 8, 12, 1]);
    expect(shape(20, 256)).toEqual(["ENCR_AES_GCM_16_256", 36, 8, 16, 1]);
    expect(shape(21, 256)).toEqual(["ENCR_NULL_AUTH_AES_GMAC_256", 36, 8, 16, 1]);
    expect(shape(28)).toEqual(["ENCR_CHACHA20_POLY1305", 36, 8, 16, 1]);
    expect([0, 1, 2, 5, 8, 12, 13, 14].map((id) => [integSpec(id)?.key, integSpec(id)?.icv])).toEqual([
      [undefined, undefined],
      [16, 12],
      [20, 12],
      [16, 12],
      [16, 12],
      [32, 16],
      [48, 24],
      [64, 32],
    ]);
    expect([1, 2, 4, 5, 6, 7, 8].map((id) => prfSpec(id)?.output)).toEqual([16, 20, 16, 32, 48, 64, 16]);
    expect([1, 2, 3].map((id) => kwaSpec(id)?.key)).toEqual([16, 24, 32]);
  });

  it("numbers that are not listed yield undefined", () => {
    for (const id of [-1, 2, 14, 1024, 65535, Number.NaN]) {
      expect(encrSpec(id, 128)).toBeUndefined();
      expect(dhSpec(id === 2 || id === 14 ? 0 : id)).toBeUndefined();
    }
    for (const id of [0, 3, 9, 99]) {
      expect(prfSpec(id)).toBeUndefined();
      expect(integSpec(id)).toBeUndefined();
    }
    expect(kwaSpec(0)).toBeUndefined();
    expect(kwaSpec(4)).toBeUndefined();
  });

  it("every group's sizes are those of its values", () => {
    for (const group of Object.keys(DH_PRIVATE_LENGTH).map(Number) as DhGroup[]) {
      const key = new Uint8Array(DH_PRIVATE_LENGTH[group]).fill(5);
      const value = native.dhPublic(group, key);
      expect(dhSpec(group)?.public).toBe(value.length);
      expect(dhSpec(group)?.shared).toBe(native.dhShared(group, key, value)?.length);
    }
  });

  it("curve orders and sizes are those of the curves", () => {
    for (const [name, curve] of [
      ["P-256", p256],
      ["P-384", p384],
      ["P-521", p521],
    ] as const) {
      expect(CURVES[name]).toEqual({ order: curve.Point.Fn.ORDER, size: curve.lengths.secretKey });
    }
  });
});
