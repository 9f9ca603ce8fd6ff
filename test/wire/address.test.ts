import { describe, expect, it } from "vitest";
import { toHex, Writer } from "../../src/base/bytes.ts";
import { matchingBits, writeAddress } from "../../src/wire/address.ts";

describe("addresses in networks", () => {
  it.each([
    ["10.0.0.0", "255.0.0.0", "10.1.2.3", 8],
    ["0.0.0.0", "0.0.0.0", "255.255.255.255", 0],
    ["192.0.2.1", "255.255.255.255", "192.0.2.1", 32],
    ["128.0.0.0", "128.0.0.0", "200.1.1.1", 1],
    ["2001:db8::", "ffff:ffff::", "2001:db8::7", 32],
    ["::", "::", "2001:db8::7", 0],
  ])("%s %s holds %s with %i ones", (network, mask, address, bits) => {
    expect(matchingBits(network, mask, address)).toBe(bits);
  });

  it.each([
    ["10.0.0.0", "255.0.0.0", "11.0.0.1"],
    ["2001:db8::", "ffff:ffff::", "2001:db9::1"],
    ["10.0.0.0", "255.0.0.0", "2001:db8::1"],
    ["2001:db8::", "ffff:ffff::", "10.0.0.1"],
    ["10.0.0.0", "ffff::", "10.0.0.1"],
    ["10.0.0.0", "255.0.0.0", "gm1.example"],
  ])("%s %s does not hold %s", (network, mask, address) => {
    expect(matchingBits(network, mask, address)).toBe(-1);
  });

  it("are written as 4 or 16 octets, other text as none", () => {
    const w = new Writer();
    for (const text of ["192.0.2.1", "gm1.example", "2001:db8::1"]) writeAddress(w, text);
    expect(toHex(w.finish())).toBe("c000020120010db8000000000000000000000001");
  });
});
