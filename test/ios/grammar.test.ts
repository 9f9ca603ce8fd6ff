import { describe, expect, it } from "vitest";
import { execRows, isIosError, parseExec } from "../../src/ios/exec.ts";
import { allModes } from "../../src/ios/grammar/global.ts";
import { understandLine } from "../../src/ios/parse.ts";
import type { Edge, Pattern } from "../../src/ios/pattern.ts";

const SAMPLES: Readonly<Record<string, string>> = {
  WORD: "NAME-1",
  LINE: "some text here",
  "A.B.C.D": "255.255.255.0",
  "X:X:X:X::X": "2001:db8::1",
  interface: "GigabitEthernet0/0",
  "interface number": "0/0",
  "<0-65535> or a port name": "848",
};

function wordOf(edge: Edge): string {
  if (edge.accepts.kind === "keyword") return edge.accepts.word;
  const { label, range } = edge.accepts.value;
  return range === undefined ? SAMPLES[label]! : String(range[0]);
}

/** Shortest ways: from each state to an accepting one. */
function waysOut(pattern: Pattern): string[][] {
  const ways: (string[] | undefined)[] = pattern.states.map((state) => (state.accepting ? [] : undefined));
  for (let changed = true; changed; ) {
    changed = false;
    pattern.states.forEach((state, i) => {
      for (const edge of state.edges) {
        const rest = ways[edge.to];
        const known = ways[i];
        if (rest === undefined || (known !== undefined && known.length <= rest.length + 1)) continue;
        ways[i] = [wordOf(edge), ...rest];
        changed = true;
      }
    });
  }
  return ways.map((way) => way ?? []);
}

/** Lines that together walk over every edge of a pattern. */
function examples(pattern: Pattern): string[] {
  const out = waysOut(pattern);
  const lines = new Set<string>();
  const reached = new Map<number, string[]>([[0, []]]);
  for (const [state, way] of reached) {
    for (const edge of pattern.states[state]!.edges) {
      const here = [...way, wordOf(edge)];
      if (!reached.has(edge.to)) reached.set(edge.to, here);
      // The second word of a split interface name needs a first word without a number.
      const line = [...here, ...out[edge.to]!].join(" ").replace(/GigabitEthernet0\/0 0\/0/g, "GigabitEthernet 0/0");
      lines.add(line);
    }
  }
  return [...lines];
}

describe("every command pattern", () => {
  for (const mode of allModes) {
    it(`of mode ${mode.name} accepts lines that walk over all its words`, () => {
      for (const { pattern, command } of mode.commands) {
        for (const line of examples(pattern)) {
          const match = understandLine(line, "t", mode);
          expect(match.ok, `${line} (${pattern.text})`).toBe(true);
          if (match.ok && !/<(?:line|word)/.test(pattern.text)) expect(match.row.command.pattern).toBe(command.pattern);
        }
      }
    });
  }

  it("of the exec prompt accepts lines that walk over all its words", () => {
    for (const { pattern } of execRows) {
      for (const line of examples(pattern))
        expect(isIosError(parseExec(line)), `${line} (${pattern.text})`).toBe(false);
    }
  });

  it("is declared once in its mode", () => {
    for (const mode of allModes) {
      const texts = mode.commands.map(({ pattern }) => pattern.text);
      expect(texts.filter((text, i) => texts.indexOf(text) !== i)).toEqual([]);
    }
  });
});
