/** What a scenario says about a line, as the rules that links and paths are made of. */
import { assert } from "../../src/base/errors.ts";
import { type Micros, parseDuration } from "../../src/base/micros.ts";
import { type LinkRule, ruleProblem } from "../net/linkRule.ts";
import type { Path } from "./document.ts";
import type { Problems } from "./problems.ts";
import { type Odds, parseOctets, parseOdds, parseRate } from "./quantity.ts";
import type { LineInput } from "./schema.ts";

const QUEUE_OCTETS_DEFAULT = 64_000;

/**
 * The rules of a line, in the order of `LinkRule`. Problem codes: `badDuration`, `badOdds`, `badRate`, `badSize` for values
 * that cannot be exact, `outOfRange` beyond the bounds of a rule, `conflict` for a queue without a rate.
 */
export function lineRules(line: LineInput, path: Path, problems: Problems): readonly LinkRule[] {
  const rules: LinkRule[] = [];
  const add = (key: string, rule: LinkRule): void => {
    const problem = ruleProblem(rule);
    if (problem === undefined) rules.push(rule);
    else problems.add("outOfRange", [...path, key], problem);
  };
  if (line.mtu !== undefined) add("mtu", { kind: "mtu", octets: line.mtu });
  if (line.rate !== undefined) {
    const bitsPerSecond = quantity(parseRate, "badRate", line.rate, [...path, "rate"], problems) ?? 1;
    const queueOctets =
      line.queue === undefined ? QUEUE_OCTETS_DEFAULT : octets(line.queue, [...path, "queue"], problems);
    add("rate", { kind: "rate", bitsPerSecond, queueOctets });
  } else if (line.queue !== undefined) {
    problems.add("conflict", [...path, "queue"], "a queue needs a rate", { of: "key" });
  }
  if (line.loss !== undefined) add("loss", { kind: "loss", ...odds(line.loss, [...path, "loss"], problems) });
  if (line.latency !== undefined) add("latency", { kind: "latency", micros: latency(line.latency, path, problems) });
  if (line.jitter !== undefined) {
    const maxMicros = duration(line.jitter, [...path, "jitter"], problems);
    add("jitter", { kind: "jitter", maxMicros, ...(line.ordered === undefined ? {} : { ordered: line.ordered }) });
  } else if (line.ordered !== undefined) {
    problems.add("conflict", [...path, "ordered"], "`ordered` says something about jitter only", { of: "key" });
  }
  if (line.reorder !== undefined) {
    const at = [...path, "reorder"];
    const extraMicros = duration(line.reorder.by, [...at, "by"], problems);
    add("reorder", { kind: "reorder", ...odds(line.reorder.odds, [...at, "odds"], problems), extraMicros });
  }
  if (line.duplicate !== undefined) {
    add("duplicate", { kind: "duplicate", ...odds(line.duplicate, [...path, "duplicate"], problems) });
  }
  return rules;
}

/** The keys of a line out of an object that has others besides. */
export function lineOf(input: LineInput): LineInput {
  const { latency, jitter, ordered, loss, duplicate, reorder, rate, queue, mtu } = input;
  return { latency, jitter, ordered, loss, duplicate, reorder, rate, queue, mtu };
}

/** Keys of `line` where it has them, else those of `defaults`. */
export function withDefaults(line: LineInput, defaults: LineInput | undefined): LineInput {
  const merged: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(lineOf(line))) if (value !== undefined) merged[key] = value;
  return merged as LineInput;
}

function latency(value: string | readonly string[], path: Path, problems: Problems): Micros | readonly Micros[] {
  if (typeof value === "string") return duration(value, [...path, "latency"], problems);
  return value.map((entry, index) => duration(entry, [...path, "latency", index], problems));
}

/** A duration that the schema has let through; 0 with a problem where it is no whole number of microseconds. */
export function duration(text: string, path: Path, problems: Problems): Micros {
  return quantity(parseDuration, "badDuration", text, path, problems) ?? 0;
}

export function odds(text: string, path: Path, problems: Problems): Odds {
  return quantity(parseOdds, "badOdds", text, path, problems) ?? { hits: 0, outOf: 1 };
}

function octets(text: string, path: Path, problems: Problems): number {
  return quantity(parseOctets, "badSize", text, path, problems) ?? 1;
}

const INEXACT: Readonly<Record<string, string>> = {
  badDuration: "a whole number of microseconds",
  badOdds: "odds of at most 1, with at most seven decimals",
  badRate: "a whole number of bits per second",
  badSize: "a whole number of octets",
};

function quantity<T>(
  parse: (text: string) => T | undefined,
  code: string,
  text: string,
  path: Path,
  problems: Problems,
): T | undefined {
  const value = parse(text);
  if (value !== undefined) return value;
  const expected = INEXACT[code];
  assert(expected !== undefined, `wording for ${code}`);
  problems.add(code, path, "this value cannot be taken exactly", { expected });
  return undefined;
}
