import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, Reader, toHex, Writer } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { formatAddress, parseAddress } from "../../src/wire/address.ts";

describe("hexadecimal", () => {
  it("comes back as the octets it was made of", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        expect(fromHex(toHex(octets))).toEqual(octets);
      }),
    );
  });

  it("may be spaced and in capitals", () => {
    expect(fromHex(" A0:b1\nC2 ")).toEqual(Uint8Array.of(0xa0, 0xb1, 0xc2));
  });

  it.each(["0", "0g", "0x12", "é0"])("%s is refused with a typed error", (text) => {
    expect(() => fromHex(text)).toThrow(WireError);
  });
});

describe("addresses", () => {
  it("come back as the text they were made of", () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(formatAddress(parseAddress(text)!)).toBe(text);
      }),
    );
    const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(sixteen, (octets) => {
        expect(parseAddress(formatAddress(octets))).toEqual(octets);
      }),
    );
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.",
    "1..3.4",
    "1.2.3.4a",
    "1.2.3.0004",
    ":::",
    "1::2::3",
    "12345::",
  ])("%s is none", (text) => expect(parseAddress(text)).toBeUndefined());

  it("are written as RFC 5952 demands", () => {
    expect(formatAddress(parseAddress("2001:DB8:0:0:1:0:0:1")!)).toBe("2001:db8::1:0:0:1");
    expect(formatAddress(parseAddress("::")!)).toBe("::");
    expect(formatAddress(parseAddress("1:0:2:3:4:5:6:7")!)).toBe("1:0:2:3:4:5:6:7");
  });
});

describe("reader and writer", () => {
  it("write hexadecimal text as the octets that it stands for, and refuse what is none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        const w = new Writer();
        w.u8(7);
        w.hex(toHex(octets));
        expect(w.finish()).toEqual(Uint8Array.of(7, ...octets));
      }),
    );
    for (const text of ["0", "012", "0g", "a ", ":0"]) {
      expect(() => new Writer().hex(text)).toThrow(expect.objectContaining({ code: "badHex" }));
    }
  });

  it("agree about every width", () => {
    const w = new Writer(1);
    w.u8(0xff);
    w.u16(0xfffe);
    w.u24(0xfffffd);
    w.u32(0xfffffffc);
    const r = new Reader(w.finish());
    expect([r.u8(), r.u16(), r.u24(), r.u32(), r.left]).toEqual([0xff, 0xfffe, 0xfffffd, 0xfffffffc, 0]);
    expect(() => r.u8()).toThrow(WireError);
  });
});
