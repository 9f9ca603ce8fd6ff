import { describe, expect, it } from "vitest";
import { DataTable } from "../../../sim/core/dataTable.ts";
import type { EventData } from "../../../src/base/machine.ts";

describe("a table of event data", () => {
  it("keeps equal data once", () => {
    const table = new DataTable();
    const first = { group: "G1", spi: "0a0b0c0d", family: 0, tek: true };
    expect(table.numberOf(first, 0)).toBe(0);
    expect(table.numberOf({ ...first }, 0)).toBe(0);
    expect(table.numberOf({ ...first, spi: "0a0b0c0e" }, 0)).toBe(1);
    expect(table.at(0)).toBe(first);
  });

  it("tells data apart by type, by the names of fields, by their order and by their number", () => {
    const all: readonly EventData[] = [
      {},
      { a: 1 },
      { a: "1" },
      { a: true },
      { b: 1 },
      { a: 1, b: 2 },
      { b: 2, a: 1 },
      { a: 0 },
      { a: 2 ** 32 },
      { a: "one text that ends like the other" },
      { a: "two text that ends like the other" },
    ];
    const table = new DataTable();
    const numbers = all.map((data) => table.numberOf(data, 0));
    expect(new Set(numbers).size).toBe(all.length);
    numbers.forEach((number, i) => {
      expect(JSON.stringify(table.at(number))).toBe(JSON.stringify(all[i]));
    });
  });

  it("finds equal data again after it has grown, and loses nothing where two have one place", () => {
    const table = new DataTable();
    const data = (i: number): EventData => ({ link: `gm${i}`, octets: i % 7 });
    const numbers = Array.from({ length: 5000 }, (_, i) => table.numberOf(data(i), 0));
    const again = numbers.map((_, i) => table.numberOf(data(i), 0));
    const said = again.map((number) => JSON.stringify(table.at(number)));
    expect(said).toEqual(again.map((_, i) => JSON.stringify(data(i))));
    const found = again.filter((number, i) => number === numbers[i]).length;
    expect(found).toBeGreaterThan(3500);
  });
});
