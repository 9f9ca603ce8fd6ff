import { expect, test } from "vitest";
import { globMatches } from "../../../sim/check/glob.ts";

test.each([
  ["gm1", "gm1", true],
  ["gm*", "gm12", true],
  ["*", "", true],
  ["*1", "gm11", true],
  ["g*m*1", "gxmx1", true],
  ["a*a", "a", false],
  ["gm", "gm1", false],
  ["*2*", "gm1", false],
  ["ab*bc", "abc", false],
])("%s against %s: %s", (pattern, text, fits) => {
  expect(globMatches(pattern, text)).toBe(fits);
});

test("a pattern of many stars takes no time that grows beyond measure", () => {
  expect(globMatches("*a".repeat(50), `${"a".repeat(5_000)}b`)).toBe(false);
});
