import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../sim/check/expectation.ts";
import { escapeXml, junitXml } from "../../../sim/check/junit.ts";

const outcome = (name: string, verdict: Outcome["verdict"]): Outcome => ({
  name,
  verdict,
  ok: verdict === "passed",
  expected: "exactly 1",
  found: "2",
  at: -1,
});

describe("a JUnit report", () => {
  test("has a case for each expectation, and counts those that failed and those that were not decided", () => {
    const xml = junitXml({
      name: "lab",
      outcomes: [outcome("a", "passed"), outcome("b", "failed"), outcome("c", "inconclusive")],
      properties: { seed: "s", run: 0 },
    });
    expect(xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="0" skipped="1">
  <testsuite name="lab" tests="3" failures="1" errors="0" skipped="1">
    <properties>
      <property name="seed" value="s"/>
      <property name="run" value="0"/>
    </properties>
    <testcase classname="lab" name="a"/>
    <testcase classname="lab" name="b">
      <failure message="expected exactly 1, found 2"/>
    </testcase>
    <testcase classname="lab" name="c">
      <skipped message="expected exactly 1, found 2"/>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  test("survives names that are markup, line ends, and characters that XML cannot hold", () => {
    expect(escapeXml(`<a & "b" 'c'>`)).toBe("&lt;a &amp; &quot;b&quot; &apos;c&apos;&gt;");
    expect(escapeXml("a\nb\tc\rd")).toBe("a&#10;b&#9;c&#13;d");
    expect(escapeXml("\u0000\u001b\ud800\uffff")).toBe("\ufffd\ufffd\ufffd\ufffd");
    expect(escapeXml("✓ \u{1f511}")).toBe("✓ \u{1f511}");
  });
});
