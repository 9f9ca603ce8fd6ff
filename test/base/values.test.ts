import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { ConfigError, formatProblem } from "../../src/base/errors.ts";
import { formatSeconds, parseDuration } from "../../src/base/micros.ts";
import { printSecret, secret } from "../../src/base/secret.ts";

describe("a secret", () => {
  it("prints its length and a check value, never its octets", () => {
    const text = printSecret(secret(utf8("MY_KEY")));
    expect(text).toMatch(/^<secret 6 B #[0-9a-f]{4}>$/);
    expect(text).not.toContain("MY_KEY");
  });

  it("prints alike on two devices that hold the same key, and otherwise not", () => {
    expect(printSecret(secret(utf8("a")))).toBe(printSecret(secret(utf8("a"))));
    expect(printSecret(secret(utf8("a")))).not.toBe(printSecret(secret(utf8("b"))));
  });

  it("survives the copying of a machine's state", () => {
    expect(structuredClone(secret(utf8("a")))).toEqual(secret(utf8("a")));
  });
});

describe("durations", () => {
  it.each([
    ["250us", 250],
    ["1.5ms", 1500],
    ["0.1s", 100_000],
    ["2m30s", 150_000_000],
    ["1h", 3_600_000_000],
    ["0s", 0],
  ])("%s is %i microseconds", (text, micros) => expect(parseDuration(text)).toBe(micros));

  it.each(["", "5", "-1s", "NaN", "1.5us", "s", "1e3s", "9999999999999d", "1s "])("%s is none, or is trimmed", (text) =>
    expect(parseDuration(text)).toBe(text === "1s " ? 1_000_000 : undefined),
  );

  it("are written with six decimals", () => expect(formatSeconds(12_345_678)).toBe("12.345678"));
});

describe("configuration problems", () => {
  it("name file, line, column, code, place and what was expected", () => {
    const problem = { code: "wrongType", file: "a.yaml", line: 3, column: 7, path: "wan.loss", message: "no odds" };
    const text = formatProblem({ ...problem, expected: "1/5", found: "much" });
    expect(text).toBe("a.yaml:3:7: wrongType at wan.loss: no odds (expected 1/5, found much)");
    expect(new ConfigError([problem, problem]).message.split("\n")).toHaveLength(2);
  });
});
