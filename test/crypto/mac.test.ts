import { cmac } from "@noble/ciphers/aes.js";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { computeMac, prfKey } from "../../src/crypto/mac.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { testRng } from "./testRng.ts";

const BOTH = [native, noble] as const;
const count = (length: number) => Uint8Array.from({ length }, (_, i) => i);

describe("AES MACs", () => {
  it("CMAC of RFC 4493 section 4", () => {
    const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
    const message = fromHex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    );
    const expected: [number, string][] = [
      [0, "bb1d6929e95937287fa37d129b756746"],
      [16, "070a16b46b4d4144f79bdd9dd04a287c"],
      [40, "dfa66747de9ae63030ca32611497c827"],
      [64, "51f0bebf7e3b9d92fc49741779363cfe"],
    ];
    for (const [length, mac] of expected) {
      for (const crypto of BOTH) {
        expect(toHex(computeMac(crypto, { kind: "cmac" }, key, message.subarray(0, length)))).toBe(mac);
      }
    }
  });

  it("CMAC equals another implementation's for every length up to 70 octets", () => {
    const rng = testRng("cmac");
    const key = rng.bytes(16);
    for (let length = 0; length <= 70; length++) {
      const data = rng.bytes(length);
      expect(computeMac(native, { kind: "cmac" }, key, data)).toEqual(cmac(data, key));
    }
  });

  it("XCBC-MAC of RFC 3566 section 4", () => {
    const expected: [number, string][] = [
      [0, "75f0251d528ac01c4573dfd584d79f29"],
      [3, "5b376580ae2f19afe7219ceef172756f"],
      [16, "d2a246fa349b68a79998a4394ff7a263"],
      [20, "47f51b4564966215b8985c63055ed308"],
    ];
    for (const [length, mac] of expected) {
      for (const crypto of BOTH)
        expect(toHex(computeMac(crypto, { kind: "xcbc" }, count(16), count(length)))).toBe(mac);
    }
  });

  it("PRF keys of other lengths, RFC 4434 section 3 and RFC 4615 section 4", () => {
    const cases = [
      ["xcbc", "000102030405060708090a0b0c0d0e0f", "47f51b4564966215b8985c63055ed308"],
      ["xcbc", "00010203040506070809", "0fa087af7d866e7653434e602fdde835"],
      ["xcbc", "000102030405060708090a0b0c0d0e0fedcb", "8cd3c93ae598a9803006ffb67c40e9e4"],
      ["cmac", "000102030405060708090a0b0c0d0e0fedcb", "84a348a4a45d235babfffc0d2b4da09a"],
      ["cmac", "000102030405060708090a0b0c0d0e0f", "980ae87b5f4c9c5214f5b6a8455e4c2d"],
      ["cmac", "00010203040506070809", "290d9e112edb09ee141fcf64c0b72f3d"],
    ] as const;
    for (const [kind, key, mac] of cases) {
      for (const crypto of BOTH) {
        const fitted = prfKey(crypto, { kind }, fromHex(key));
        expect(toHex(computeMac(crypto, { kind }, fitted, count(20)))).toBe(mac);
      }
    }
  });
});
