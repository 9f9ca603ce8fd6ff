import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

function filesBelow(folder: string): string[] {
  return readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`);
}

const PURE = [...filesBelow("src"), ...filesBelow("sim")].filter(
  (name) => !/^(src\/host|sim\/cli|sim\/serve)\//.test(name),
);
const ALL = ["src", "sim", "web", "test"].flatMap(filesBelow);

/** Comments may speak of a clock; code may not have one. */
function codeOf(name: string): string {
  return readFileSync(ROOT + name, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}

const BANNED: readonly [string, RegExp][] = [
  // `Validity Date: ` is text that IOS prints.
  ["a clock", /\bDate\b(?!: )|\bperformance\.|\bprocess\.hrtime/],
  ["a timer of the host", /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ["randomness of its own", /Math\.random|getRandomValues|randomBytes|randomUUID/],
  ["arithmetic that differs between engines", /Math\.(log|log2|log10|exp|pow|sin|cos|tan|atan2?|cbrt|hypot)\b/],
  ["an order that depends on the locale", /localeCompare|toLocale/],
];

describe("the pure rooms", () => {
  it.each(BANNED)("hold no %s", (_what, pattern) => {
    expect(PURE.filter((name) => pattern.test(codeOf(name)))).toEqual([]);
  });
});

describe("every source file", () => {
  it("is short enough to read in one sitting", () => {
    const long = ALL.filter((name) => readFileSync(ROOT + name, "utf8").split("\n").length > 700);
    expect(long).toEqual([]);
  });

  it("is finished", () => {
    expect(
      ALL.filter((name) => name !== "test/tidy.test.ts" && /TODO|FIXME|XXX/.test(readFileSync(ROOT + name, "utf8"))),
    ).toEqual([]);
  });
});

describe("imports", () => {
  it("point down only, and every module was looked at", async () => {
    const { createRequire } = await import("node:module");
    const rules = createRequire(import.meta.url)("../.dependency-cruiser.cjs");
    const { output } = await cruise(
      ["src", "sim", "web", "test"],
      { ...rules.options, baseDir: ROOT, ruleSet: { forbidden: rules.forbidden }, validate: true },
      undefined,
      { tsConfig: extractTSConfig(`${ROOT}tsconfig.json`) },
    );
    if (typeof output === "string") throw new Error(output);
    const seen = new Set(output.modules.map((module) => module.source));
    expect(output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
    expect(ALL.filter((name) => !seen.has(name))).toEqual([]);
  });
});
