import { describe, expect, it } from "vitest";
import { Spill } from "../../../sim/core/blockList.ts";
import { OctetColumn } from "../../../sim/core/octetColumn.ts";

/** Of `length` octets, told from others by its first ones. */
function octets(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 7 + i) & 255);
}

describe("a column of octet strings", () => {
  it("gives each string back by its number, the empty one and those that are longer than a block too", () => {
    const lengths = [0, 1, 20, (1 << 20) - 30, 9, 1, 3 * (1 << 20) + 5, 0, 1 << 20, 400];
    const column = new OctetColumn();
    lengths.forEach((length, seed) => {
      column.push(octets(seed, length));
    });
    expect(column.size).toBe(lengths.length);
    lengths.forEach((length, seed) => {
      expect(Buffer.compare(column.at(seed), octets(seed, length))).toBe(0);
    });
  });

  it("holds more strings than its first columns have room for, and has no other numbers", () => {
    const column = new OctetColumn();
    for (let seed = 0; seed < 1000; seed++) column.push(octets(seed, 3));
    expect(column.at(999)).toEqual(octets(999, 3));
    expect(column.at(0)).toEqual(octets(0, 3));
    expect(() => column.at(1000)).toThrow(/1000/);
    expect(() => column.at(-1)).toThrow();
  });

  it("keeps a copy: what is written to the original later does not show", () => {
    const original = octets(5, 8);
    const column = new OctetColumn();
    column.push(original);
    original.fill(0);
    expect(column.at(0)).toEqual(octets(5, 8));
  });

  it("leaves what was read as it was when blocks are filled anew", () => {
    const written: Uint8Array[] = [];
    const store = {
      write: (block: Uint8Array) => written.push(block.slice()) - 1,
      read: (place: number, into: Uint8Array) => into.set(written[place]!),
    };
    const column = new OctetColumn(new Spill(store, 0));
    column.push(octets(3, 700));
    const first = column.at(0);
    for (let seed = 0; seed < 4_000; seed++) column.push(octets(seed, 700));
    expect(written.length).toBeGreaterThan(1);
    expect(first).toEqual(octets(3, 700));
    expect(column.at(0)).toEqual(first);
    expect(column.at(4_000)).toEqual(octets(3_999, 700));
  });

  it("copies the strings from one on into a buffer that holds nothing else", () => {
    const column = new OctetColumn();
    for (let seed = 0; seed < 10; seed++) column.push(octets(seed, 5));
    const copies = column.copyFrom(7);
    expect(copies).toEqual([octets(7, 5), octets(8, 5), octets(9, 5)]);
    expect(copies[0]!.buffer.byteLength).toBe(15);
    expect(column.copyFrom(10)).toEqual([]);
  });
});
