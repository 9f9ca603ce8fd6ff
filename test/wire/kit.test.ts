import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import {
  chain,
  chainMarker,
  counted,
  lengthOf,
  lengthOfStruct,
  numberSpace,
  rest,
  sizedBytes,
  struct,
  u8,
  u16,
  zero,
} from "../../src/wire/kit.ts";
import { leavesCover } from "./cover.ts";

const Color = numberSpace("Colours", "none", { RED: 1, BLUE: 2 });

const Item = struct("Item", "", { marker: chainMarker(3), reserved: zero(1), length: lengthOfStruct(u16), data: rest });
const Box = struct("Box", "", {
  color: u8.named(Color),
  nameSize: lengthOf(u8, "name"),
  itemCount: lengthOf(u8, "items"),
  name: sizedBytes("name"),
  items: chain(Item, 3, "Item", "items"),
});

const box = { color: 2, name: fromHex("aabb"), items: [{ data: fromHex("01") }, { data: fromHex("") }] };
const octets = fromHex("02 02 02 aabb 03000005 01 00000004");

function codeOf(run: () => unknown): string {
  try {
    run();
    return "no error";
  } catch (error) {
    return error instanceof WireError ? `${error.code} ${error.path} ${error.offset}` : String(error);
  }
}

describe("a declared format", () => {
  it("fills in lengths, counts and chain markers when it encodes", () => {
    expect(toHex(Box.encode(box))).toBe(toHex(octets));
  });

  it("gives the same value back when it decodes", () => {
    expect(Box.decode(octets)).toEqual(box);
  });

  it("keeps numbers that its registry does not know", () => {
    const other = octets.slice();
    other[0] = 77;
    expect(Box.decode(other).color).toBe(77);
    expect(Box.dissect(other).children[0]?.text).toBe("unknown(77) (77)");
  });

  it("names the path and the offset of what is wrong", () => {
    const long = octets.slice();
    long[8] = 99;
    expect(codeOf(() => Box.decode(long))).toBe("badLength items.length 7");
    expect(codeOf(() => Box.decode(octets.subarray(0, 4)))).toBe("truncated name 3");
    const many = octets.slice();
    many[2] = 3;
    expect(codeOf(() => Box.decode(many))).toContain("badLength items");
    expect(codeOf(() => Box.decode(fromHex(`${toHex(octets)}00`)))).toContain("trailing");
    const marker = octets.slice();
    marker[5] = 7;
    expect(codeOf(() => Box.decode(marker))).toBe("badValue items.marker 5");
  });

  it("refuses to encode a value whose length field would overflow", () => {
    expect(codeOf(() => Box.encode({ ...box, name: new Uint8Array(256) }))).toContain("tooMany");
  });

  it("ignores reserved octets on receipt and sends zeros", () => {
    const set = octets.slice();
    set[6] = 0xff;
    expect(Box.decode(set)).toEqual(box);
    expect(toHex(Box.encode(Box.decode(set)))).toBe(toHex(octets));
  });

  it("covers every octet of whatever it dissects exactly once, truncated and flipped octets included", () => {
    for (let cut = 0; cut <= octets.length; cut++) {
      leavesCover(Box.dissect(octets.subarray(0, cut)), octets.subarray(0, cut));
    }
    for (let at = 0; at < octets.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const broken = octets.slice();
        broken[at]! ^= flip;
        leavesCover(Box.dissect(broken), broken);
      }
    }
  });

  it("leaves a problem at the innermost field that it could not read", () => {
    const tree = Box.dissect(octets.subarray(0, 9));
    expect(JSON.stringify(tree)).toContain("problem");
    const good = Box.dissect(octets);
    expect(JSON.stringify(good)).not.toContain("problem");
  });
});

describe("a counted list", () => {
  const List = struct("List", "", { count: lengthOf(u8, "values"), values: counted(u16, "values", "Value") });
  it("reads exactly as many elements as announced", () => {
    expect(List.decode(fromHex("02 0001 0002")).values).toEqual([1, 2]);
    expect(codeOf(() => List.decode(fromHex("03 0001 0002")))).toContain("truncated");
  });
});
