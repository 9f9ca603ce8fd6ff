import { describe, expect, it } from "vitest";
import { EMPTY, fromHex, toHex } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { openEsp, sealEsp } from "../../src/esp/espPacket.ts";

const octets = (count: number, first: number) => Uint8Array.from({ length: count }, (_, i) => first + i);

/** IPv4 and UDP from 10.0.0.1 to 239.2.2.2, 28 octets. */
const INNER = fromHex("4500001c00010000401100000a000001ef0202020400040000080000");
const LABEL = { spi: 0xa1b2c3d4, sequence: 1 };
const IV = fromHex("0100000000000000");
const KEYS = { encr: octets(36, 0x80), integ: EMPTY };
const CONTENT = { nextHeader: 4, payload: INNER };

describe("one packet, octet by octet", () => {
  it("AES-256-GCM is what Wireshark opens", () => {
    const protection = { encr: encrSpec(20, 256)!, integ: undefined };
    const expected =
      "a1b2c3d4000000010100000000000000" +
      "71a9239f5f53e59c3f1f78383e6fa572803373c6a33151f7331ff284767e8fad" +
      "4508196d5a2cfa622480851af2ab851a";
    for (const crypto of [native, noble]) {
      expect(toHex(sealEsp(crypto, protection, KEYS, LABEL, IV, CONTENT))).toBe(expected);
    }
  });

  it("GMAC leaves everything readable and authenticates the IV too", () => {
    const protection = { encr: encrSpec(21, 256)!, integ: undefined };
    const sealed = sealEsp(native, protection, KEYS, LABEL, IV, CONTENT);
    expect(toHex(sealed.subarray(16, 44))).toBe(toHex(INNER));
    expect(toHex(sealed.subarray(-16))).toBe("ce8ede491078fc572088c733ddb02778");
    const forged = sealed.slice();
    forged[10]! ^= 1;
    expect(openEsp(native, protection, KEYS, forged)).toBe("verify");
  });
});

/** Cipher, key bits, integrity, octets of the ICV. */
const SUITES: readonly [encr: number, keyBits: number, integ: number, icv: number][] = [
  [11, 0, 12, 16],
  [12, 192, 13, 24],
  [13, 256, 14, 32],
  [18, 128, 0, 8],
  [19, 256, 0, 12],
  [21, 128, 0, 16],
  [28, 0, 0, 16],
  [12, 128, 5, 12],
  [12, 128, 8, 12],
];

describe.each(SUITES)("suite %i/%i with %i", (encr, keyBits, integ, icv) => {
  const protection = { encr: encrSpec(encr, keyBits)!, integ: integSpec(integ) };
  const keys = {
    encr: octets(protection.encr.key + protection.encr.salt, 1),
    integ: octets(protection.integ?.key ?? 0, 50),
  };
  const iv = octets(protection.encr.iv, 7);

  it("pads to its alignment with 1, 2, 3 and opens what it sealed, for every size of a payload", () => {
    const alignment = Math.max(4, protection.encr.block);
    for (let size = 0; size < 40; size++) {
      const content = { nextHeader: 4, payload: octets(size, 3) };
      const sealed = sealEsp(native, protection, keys, LABEL, iv, content);
      expect((sealed.length - 8 - iv.length - icv) % alignment).toBe(0);
      expect(sealed.length - 8 - iv.length - icv - size - 2).toBeLessThan(alignment);
      expect(openEsp(native, protection, keys, sealed)).toEqual(content);
    }
  });

  it("refuses every packet with one octet changed or cut off", () => {
    const sealed = sealEsp(native, protection, keys, LABEL, iv, CONTENT);
    for (let at = 0; at < sealed.length; at++) {
      const forged = sealed.slice();
      forged[at]! ^= 0x10;
      expect(openEsp(native, protection, keys, forged), `octet ${at}`).toBe("verify");
      expect(typeof openEsp(native, protection, keys, sealed.subarray(0, at))).toBe("string");
    }
  });
});
