import { describe, expect, it } from "vitest";
import { isWithin, narrow } from "../../src/ikev2/selectors.ts";
import type { AddressSelector } from "../../src/wire/ikev2.ts";

function ts(startAddress: string, endAddress: string, change: Partial<AddressSelector> = {}): AddressSelector {
  const type = startAddress.includes(":") ? 8 : 7;
  return { type, ipProtocol: 0, startPort: 0, endPort: 65535, startAddress, endAddress, ...change };
}

const TEN = ts("10.0.0.0", "10.255.255.255");
const ALL = ts("0.0.0.0", "255.255.255.255");

describe("narrowing", () => {
  it("gives what both have in common, of addresses, ports and protocol", () => {
    const udp = ts("10.1.0.0", "10.1.0.255", { ipProtocol: 17, startPort: 500, endPort: 900 });
    const mine = ts("10.1.0.128", "10.2.0.0", { startPort: 800, endPort: 65535 });
    expect(narrow([udp], [mine])).toEqual([
      ts("10.1.0.128", "10.1.0.255", { ipProtocol: 17, startPort: 800, endPort: 900 }),
    ]);
  });

  it("gives nothing where one dimension has nothing in common", () => {
    expect(narrow([TEN], [ts("11.0.0.0", "11.0.0.1")])).toEqual([]);
    expect(narrow([{ ...TEN, ipProtocol: 6 }], [{ ...TEN, ipProtocol: 17 }])).toEqual([]);
    expect(narrow([{ ...TEN, endPort: 10 }], [{ ...TEN, startPort: 11 }])).toEqual([]);
    expect(narrow([ts("::", "::ffff")], [ALL])).toEqual([]);
  });

  it("compares IPv6 addresses as numbers", () => {
    const wide = ts("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    expect(narrow([wide], [ts("2001:db8:9::", "2001:db8:10::")])).toEqual([ts("2001:db8:9::", "2001:db8:10::")]);
  });

  it("does not repeat what another selector of the answer holds", () => {
    expect(narrow([TEN, ts("10.1.0.0", "10.1.0.9")], [ALL])).toEqual([TEN]);
  });

  it("opaque ports meet only opaque or any ports", () => {
    const opaque = ts("10.0.0.0", "10.0.0.9", { startPort: 65535, endPort: 0 });
    expect(narrow([opaque], [TEN])).toEqual([opaque]);
    expect(narrow([opaque], [{ ...TEN, endPort: 1023 }])).toEqual([]);
  });

  it("selectors of an unknown type are passed over", () => {
    const odd = { type: 9, ipProtocol: 0, data: new Uint8Array(4) };
    expect(narrow([odd, TEN], [ALL])).toEqual([TEN]);
  });
});

describe("an answer", () => {
  it("lies within the offer or is refused", () => {
    expect(isWithin([ts("10.1.0.0", "10.1.0.9")], [TEN])).toBe(true);
    expect(isWithin([ALL], [TEN])).toBe(false);
    expect(isWithin([ts("10.1.0.0", "10.1.0.9"), ALL], [TEN])).toBe(false);
    expect(isWithin([], [TEN])).toBe(false);
  });
});
