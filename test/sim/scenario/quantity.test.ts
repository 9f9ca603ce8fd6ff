import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOctets, parseOdds, parseRate } from "../../../sim/scenario/quantity.ts";

describe("odds", () => {
  test.each([
    ["20%", 1, 5],
    ["0.1%", 1, 1000],
    ["12.5%", 1, 8],
    ["100%", 1, 1],
    ["0%", 0, 1],
    ["1/5", 1, 5],
    ["4/20", 1, 5],
    ["0/7", 0, 1],
    ["0.0000001%", 1, 1_000_000_000],
  ])("%s is exactly %i in %i", (text, hits, outOf) => {
    expect(parseOdds(text)).toEqual({ hits, outOf });
  });

  test.each(["", "20", "0.2", "101%", "5/4", "1/0", "-5%", "1e2%", " 5%", "%", "/5", "NaN%", "0.12345678%"])(
    "%j is refused",
    (text) => {
      expect(parseOdds(text)).toBeUndefined();
    },
  );

  test("a percentage of any decimals keeps its value", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (millionths) => {
        const odds = parseOdds(`${Math.floor(millionths / 10_000)}.${String(millionths % 10_000).padStart(4, "0")}%`)!;
        expect(odds.hits * 1_000_000).toBe(millionths * odds.outOf);
      }),
    );
  });
});

describe("rates and sizes", () => {
  test("units are powers of ten for rates, and of 1024 where the unit says so", () => {
    expect(parseRate("1.5Mbit/s")).toBe(1_500_000);
    expect(parseRate("512kbit/s")).toBe(512_000);
    expect(parseRate("10Gbit/s")).toBe(10_000_000_000);
    expect(parseOctets("64kB")).toBe(64_000);
    expect(parseOctets("64KiB")).toBe(65_536);
    expect(parseOctets("1500B")).toBe(1_500);
  });

  test.each(["0bit/s", "1.5bit/s", "10Mbps", "10M", "-1kbit/s", "1 Mbit/s"])("the rate %j is refused", (text) => {
    expect(parseRate(text)).toBeUndefined();
  });

  test.each(["0B", "0.5B", "64k", "64 kB", "1.0001kB"])("the size %j is refused", (text) => {
    expect(parseOctets(text)).toBeUndefined();
  });
});
