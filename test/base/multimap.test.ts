import { describe, expect, it } from "vitest";
import { addValue, type MultiMap, removeValue } from "../../src/base/multimap.ts";

describe("a map with several values for a key", () => {
  it("keeps them in the order in which they came", () => {
    const map: MultiMap<string, number> = new Map();
    addValue(map, "a", 2);
    addValue(map, "b", 3);
    addValue(map, "a", 1);
    expect([...map]).toEqual([
      ["a", [2, 1]],
      ["b", [3]],
    ]);
  });

  it("forgets a key with its last value, and ignores what is not there", () => {
    const map: MultiMap<string, number> = new Map([["a", [1, 2, 1]]]);
    removeValue(map, "a", 1);
    removeValue(map, "a", 9);
    removeValue(map, "b", 1);
    expect([...map]).toEqual([["a", [2, 1]]]);
    removeValue(map, "a", 2);
    removeValue(map, "a", 1);
    expect(map.size).toBe(0);
  });
});
