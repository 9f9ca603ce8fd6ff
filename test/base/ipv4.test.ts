import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  broadcastOf,
  formatIpv4,
  formatIpv4Prefix,
  invertMask,
  isMulticastIpv4,
  lengthOfMask,
  maskOfLength,
  networkOf,
  parseIpv4,
  parseIpv4Prefix,
  sameNetwork,
} from "../../src/base/ipv4.ts";

describe("IPv4 text and numbers", () => {
  it.each([
    ["0.0.0.0", 0],
    ["192.0.2.1", 0xc0000201],
    ["255.255.255.255", 0xffffffff],
    ["010.001.000.009", 0x0a010009],
  ])("%s is %i", (text, value) => {
    expect(parseIpv4(text)).toBe(value);
  });

  it("texts that were made before are told apart from those of other addresses in their place", () => {
    const addresses = Array.from({ length: 8 }, (_, i) => (0x0a000001 + i * 0x10000000) >>> 0);
    const texts = ["10.0.0.1", "26.0.0.1", "42.0.0.1", "58.0.0.1", "74.0.0.1", "90.0.0.1", "106.0.0.1", "122.0.0.1"];
    for (let round = 0; round < 2; round++) expect(addresses.map(formatIpv4)).toEqual(texts);
  });

  it.each(["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3", ".1.2.3", "1.2.3.", "1.2.3.4 ", "a.b.c.d", "1.2.3.0004"])(
    "%j is no address",
    (text) => {
      expect(parseIpv4(text)).toBeUndefined();
    },
  );

  it("any 32-bit number survives the way to text and back", () => {
    fc.assert(fc.property(fc.nat(0xffffffff), (value) => parseIpv4(formatIpv4(value)) === value));
  });
});

describe("masks", () => {
  it("every prefix length has its mask and the mask gives the length back", () => {
    for (let length = 0; length <= 32; length++) expect(lengthOfMask(maskOfLength(length))).toBe(length);
    expect(formatIpv4(maskOfLength(20))).toBe("255.255.240.0");
  });

  it("a mask with holes has no length", () => {
    expect(lengthOfMask(0xff00ff00)).toBeUndefined();
    expect(lengthOfMask(0x00ffffff)).toBeUndefined();
  });

  it("network, broadcast and wildcard are unsigned", () => {
    const mask = maskOfLength(24);
    expect(formatIpv4(networkOf(0xc0a80105, mask))).toBe("192.168.1.0");
    expect(formatIpv4(broadcastOf(0xc0a80105, mask))).toBe("192.168.1.255");
    expect(formatIpv4(invertMask(mask))).toBe("0.0.0.255");
    expect(sameNetwork(0xc0a80105, 0xc0a801fe, mask)).toBe(true);
    expect(sameNetwork(0xc0a80105, 0xc0a802fe, mask)).toBe(false);
  });

  it("only 224.0.0.0/4 is multicast", () => {
    expect(isMulticastIpv4(0xe0000001)).toBe(true);
    expect(isMulticastIpv4(0xefffffff)).toBe(true);
    expect(isMulticastIpv4(0xdfffffff)).toBe(false);
    expect(isMulticastIpv4(0xf0000000)).toBe(false);
  });

  it("prefixes are read and printed", () => {
    expect(parseIpv4Prefix("10.0.0.0/8")).toEqual({ network: 0x0a000000, length: 8 });
    expect(formatIpv4Prefix({ network: 0x0a000000, length: 8 })).toBe("10.0.0.0/8");
    for (const bad of ["10.0.0.0/33", "10.0.0/8", "10.0.0.0", "10.0.0.0/"])
      expect(parseIpv4Prefix(bad)).toBeUndefined();
  });
});
