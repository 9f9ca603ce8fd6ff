import { describe, expect, test } from "vitest";
import { FILE_CHARS_MAX, readDocument } from "../../../sim/scenario/document.ts";

const codes = (text: string) => readDocument("f.yaml", text).problems.map((problem) => problem.code);

describe("a YAML text", () => {
  test("knows where each key and each value stands", () => {
    const document = readDocument("f.yaml", 'a: 1\nb:\n  - x: [10,\n        20]\n    "y": z\n');
    expect(document.position(["b", 0, "x", 1])).toEqual({ line: 4, column: 9 });
    expect(document.position(["b", 0, "y"], "key")).toEqual({ line: 5, column: 5 });
    expect(document.position(["b", 0, "y"])).toEqual({ line: 5, column: 10 });
  });

  test("gives the place of the innermost part that exists for a path that leads nowhere", () => {
    const document = readDocument("f.yaml", "a:\n  b: 1\n");
    expect(document.position(["a", "c", "d"])).toEqual({ line: 2, column: 3 });
  });

  test("tells where a block of text begins, and that its lines are lines of the file", () => {
    const document = readDocument("f.yaml", "a:\n  t: |\n\n      one\n      two\n  u: 'x'\n");
    expect(document.textStart(["a", "t"])).toEqual({ line: 3, column: 7, isVerbatim: true });
    expect(document.textStart(["a", "u"])).toEqual({ line: 6, column: 6, isVerbatim: false });
  });

  test("is refused where it cannot be read, with a code for each reason", () => {
    expect(codes("")).toEqual(["empty"]);
    expect(codes("# only a comment\n")).toEqual(["empty"]);
    expect(codes("null")).toEqual(["empty"]);
    expect(codes("a: [1")).toContain("badYaml");
    expect(codes("a: 1\na: 2\n")).toEqual(["duplicateKey"]);
    expect(codes("__proto__: { polluted: 1 }\n")).toEqual(["forbiddenKey"]);
    expect(codes(`name: ${"x".repeat(FILE_CHARS_MAX)}`)).toEqual(["tooLarge"]);
    expect(codes("[".repeat(1_000_000))).not.toEqual([]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("is refused where aliases multiply beyond measure", () => {
    const levels = Array.from({ length: 12 }, (_, i) =>
      `l${i}: &l${i} [${`*l${i - 1}, `.repeat(10)}]`.replaceAll("*l-1", "1"),
    );
    expect(codes(levels.join("\n"))).toEqual(["tooManyAliases"]);
  });
});
