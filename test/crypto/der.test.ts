import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { DER_INTEGER, DER_OCTET_STRING, DER_SEQUENCE, DerReader, der, derUnsigned } from "../../src/crypto/der.ts";
import { ecdsaFromDer, ecdsaToDer } from "../../src/crypto/ecdsaCoding.ts";

function code(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return "none";
}

describe("DER", () => {
  it("writes lengths in their shortest form", () => {
    expect(toHex(der(DER_OCTET_STRING, new Uint8Array(127)).subarray(0, 3))).toBe("047f00");
    expect(toHex(der(DER_OCTET_STRING, new Uint8Array(128)).subarray(0, 3))).toBe("048180");
    expect(toHex(der(DER_OCTET_STRING, new Uint8Array(256)).subarray(0, 4))).toBe("04820100");
    expect(toHex(der(DER_OCTET_STRING, new Uint8Array(65536)).subarray(0, 5))).toBe("0483010000");
  });

  it("writes unsigned INTEGERs with a sign octet only where it is needed", () => {
    for (const [value, encoded] of [
      ["", "020100"],
      ["00", "020100"],
      ["7f", "02017f"],
      ["80", "02020080"],
      ["000001", "020101"],
    ]) {
      expect(toHex(derUnsigned(fromHex(value!)))).toBe(encoded);
    }
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const encoded = der(DER_SEQUENCE, der(DER_OCTET_STRING, octets), derUnsigned(octets));
        const reader = new DerReader(encoded).enter(DER_SEQUENCE);
        expect(reader.content(DER_OCTET_STRING)).toEqual(octets);
        expect(toHex(reader.unsigned())).toBe(toHex(octets).replace(/^(?:00)+/, ""));
        reader.done();
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  it("refuses what is not strict, with the reason", () => {
    const unsigned = (hex: string) => code(() => new DerReader(fromHex(hex)).unsigned());
    expect(unsigned("")).toBe("truncated");
    expect(unsigned("02")).toBe("truncated");
    expect(unsigned("0202ff")).toBe("truncated");
    expect(unsigned("0200")).toBe("badLength");
    expect(unsigned("020180")).toBe("badValue");
    expect(unsigned("02020001")).toBe("badValue");
    expect(unsigned("028101ff")).toBe("badLength");
    expect(unsigned("02820001ff")).toBe("badLength");
    expect(unsigned("0280ff0000")).toBe("badLength");
    expect(unsigned("028500000000ff")).toBe("badLength");
    expect(unsigned("040101")).toBe("badValue");
    expect(code(() => new DerReader(fromHex("0201010500")).done())).toBe("trailing");
  });

  it("throws only WireErrors for any octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        code(() => new DerReader(octets).enter(DER_SEQUENCE).content(DER_INTEGER));
        code(() => new DerReader(octets).element());
        code(() => new DerReader(octets).bitString());
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe("ECDSA signatures", () => {
  it("survive the way to DER and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (raw) => {
        expect(ecdsaFromDer(ecdsaToDer(raw), 32)).toEqual(raw);
      }),
      { numRuns: 100, seed: 7 },
    );
    expect(ecdsaFromDer(ecdsaToDer(new Uint8Array(64)), 32)).toEqual(new Uint8Array(64));
  });

  it("are refused where the encoding is loose or a number too long", () => {
    expect(ecdsaFromDer(fromHex("3006020101020101"), 32)).toBeDefined();
    for (const hex of [
      "",
      "3006020101020101 00",
      "3007020101020101 00",
      "300602010102018f",
      "30070201010202 0001",
      "308106020101020101",
    ]) {
      expect(ecdsaFromDer(fromHex(hex), 32)).toBeUndefined();
    }
    expect(ecdsaFromDer(ecdsaToDer(new Uint8Array(66).fill(1)), 32)).toBeUndefined();
  });
});
