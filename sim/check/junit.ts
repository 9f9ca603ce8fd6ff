/** Expectations as a JUnit report: one suite a run, one case an expectation, the form that every CI system reads. */
import type { Outcome } from "./expectation.ts";

export interface JunitSuite {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
  /** Shown as properties, such as the seed and the fingerprint. */
  readonly properties: Readonly<Record<string, string | number>>;
}

/** The report as XML text. Inconclusive expectations are `skipped`. It holds no clock and no host, so it can be compared. */
export function junitXml({ name, outcomes, properties }: JunitSuite): string {
  const count = (verdict: Outcome["verdict"]) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const counts = { tests: outcomes.length, failures: count("failed"), errors: 0, skipped: count("inconclusive") };
  const suite = element("testsuite", { name, ...counts }, [
    element(
      "properties",
      {},
      Object.entries(properties).map(([key, value]) => element("property", { name: key, value })),
    ),
    ...outcomes.map((outcome) => testCase(name, outcome)),
  ]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", counts, [suite])}`;
}

function testCase(classname: string, { name, verdict, expected, found }: Outcome): string {
  const message = `expected ${expected}, found ${found}`;
  const inner = {
    passed: [],
    failed: [element("failure", { message }, [])],
    inconclusive: [element("skipped", { message }, [])],
  };
  return element("testcase", { classname, name }, inner[verdict]);
}

function element(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[] = [],
): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  const open = `<${tag}${pairs.join("")}`;
  if (children.length === 0) return `${open}/>\n`;
  const body = children.join("").replace(/^(?=.)/gm, "  ");
  return `${open}>\n${body}</${tag}>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Text for an attribute. Characters that XML 1.0 cannot hold at all become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replace(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character]!);
}
