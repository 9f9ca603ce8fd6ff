/**
 * The filter language of the event list. Terms are separated by blanks and must all hold; `-` before a term turns it
 * round; commas give alternatives; a value in quotation marks may hold blanks.
 *
 *     type:rekey,ack gm:7 t:10..20      -kind:esp.*      lost:yes      "no such group"
 *
 * | key                     | value                                                              |
 * | ----------------------- | ------------------------------------------------------------------ |
 * | `type`                  | registration, rekey, ack, data, clear, other, event, lost          |
 * | `kind`                  | kind of event; `*` stands for any text                             |
 * | `node`, `gm`, `ks`      | device name; `gm:7` is `gm7`; `*` stands for any text              |
 * | `role`                  | ks, gm, router, host, cloud                                        |
 * | `link`                  | link name; `*` stands for any text                                 |
 * | `t`                     | seconds or durations: `t:10..20`, `t:..1m`, `t:5`                  |
 * | `event`, `packet`       | number or range: `packet:12`, `event:100..200`                     |
 * | `src`, `dst`, `ip`      | address; `*` stands for any text                                   |
 * | `spi`                   | ESP SPI in hexadecimal                                             |
 * | `lost`, `packetless`    | yes or no                                                          |
 * | text without a key      | is part of the kind, the device's name or the data                 |
 */
import { parseDuration, SECOND } from "../../src/base/micros.ts";
import { eventSummary } from "./eventText.ts";
import { PACKET_CLASSES } from "./packetFacts.ts";
import type { TraceView } from "./traceView.ts";

export interface Term {
  readonly text: string;
  readonly key: string;
  readonly values: readonly string[];
  readonly negated: boolean;
  /** Where the term stands in the query. */
  readonly at: number;
}

/** - `unknownKey` no such key, `badValue` the key does not take this value, `unclosedQuote` a `"` without its pair */
export type FilterErrorCode = "unknownKey" | "badValue" | "unclosedQuote";

export interface FilterProblem {
  readonly code: FilterErrorCode;
  readonly message: string;
  readonly at: number;
}

export type Predicate = (event: number) => boolean;

export interface Filter {
  readonly terms: readonly Term[];
  /** True for events that pass; absent where the query has a problem. */
  readonly test?: Predicate;
  readonly problem?: FilterProblem;
}

class FilterError extends Error {
  readonly problem: FilterProblem;
  constructor(code: FilterErrorCode, message: string, at: number) {
    super(message);
    this.problem = { code, message, at };
  }
}

type Compile = (trace: TraceView, value: string, term: Term) => Predicate;

const YES_NO: Readonly<Record<string, boolean>> = { yes: true, true: true, no: false, false: false };

const KEYS: Readonly<Record<string, Compile>> = {
  type: compileType,
  kind: (trace, value) => byText(value, (event) => trace.kindOf(event)),
  node: (trace, value) => byDevice(trace, value),
  gm: (trace, value) => byDevice(trace, /^\d/.test(value) ? `gm${value}` : value),
  ks: (trace, value) => byDevice(trace, /^\d/.test(value) ? `ks${value}` : value),
  role: (trace, value) => (event) => trace.head.devices[trace.deviceOf(event)]?.role === value,
  link: (trace, value) => byText(value, (event) => String(trace.dataOf(event).link ?? "")),
  t: (trace, value, term) => byRange(range(value, term, seconds), (event) => trace.timeOf(event)),
  event: (_trace, value, term) => byRange(range(value, term, whole), (event) => event),
  packet: (trace, value, term) => byRange(range(value, term, whole), (event) => trace.packetOf(event)),
  src: (trace, value) => byPacketText(trace, value, (facts) => [facts.source]),
  dst: (trace, value) => byPacketText(trace, value, (facts) => [facts.target]),
  ip: (trace, value) => byPacketText(trace, value, (facts) => [facts.source, facts.target]),
  spi: compileSpi,
  lost: (trace, value, term) => {
    const wanted = yesNo(value, term);
    return (event) => (trace.kindOf(event) === "packet.lost") === wanted;
  },
  packetless: (trace, value, term) => {
    const wanted = yesNo(value, term);
    return (event) => trace.packetOf(event) < 0 === wanted;
  },
};

export const FILTER_KEYS: readonly string[] = Object.keys(KEYS);

/** Reads `query`; an empty one lets everything pass. Never throws. */
export function compileFilter(query: string, trace: TraceView): Filter {
  let terms: readonly Term[] = [];
  try {
    terms = parseTerms(query);
    const tests = terms.map((term) => compileTerm(term, trace));
    return { terms, test: (event) => tests.every((test) => test(event)) };
  } catch (error) {
    if (error instanceof FilterError) return { terms, problem: error.problem };
    throw error;
  }
}

/** Splits a query. Throws a FilterError `unclosedQuote`. */
function parseTerms(query: string): readonly Term[] {
  const terms: Term[] = [];
  for (const match of query.matchAll(/(-?)(?:([A-Za-z]+):)?((?:"[^"]*"|[^\s"])*"?[^\s]*)/g)) {
    const text = match[0];
    if (text === "" || text === "-") continue;
    if ((text.match(/"/g)?.length ?? 0) % 2 === 1) {
      throw new FilterError("unclosedQuote", `close the quotation mark in ${text}`, match.index);
    }
    const value = match[3]!;
    const values = value.includes('"') ? [value.replaceAll('"', "")] : value.split(",").filter((part) => part !== "");
    terms.push({ text, negated: match[1] === "-", key: match[2]?.toLowerCase() ?? "", values, at: match.index });
  }
  return terms;
}

function compileTerm(term: Term, trace: TraceView): Predicate {
  const compile = term.key === "" ? compileText : KEYS[term.key];
  if (compile === undefined || (term.key !== "" && !Object.hasOwn(KEYS, term.key))) {
    throw new FilterError("unknownKey", `unknown key ${term.key}: use ${FILTER_KEYS.join(", ")}`, term.at);
  }
  if (term.values.length === 0) throw new FilterError("badValue", `${term.key}: wants a value`, term.at);
  const tests = term.values.map((value) => compile(trace, value, term));
  const any: Predicate = tests.length === 1 ? tests[0]! : (event) => tests.some((test) => test(event));
  return term.negated ? (event) => !any(event) : any;
}

function compileType(trace: TraceView, value: string, term: Term): Predicate {
  if (value === "lost") return (event) => trace.kindOf(event) === "packet.lost";
  if (value === "event") return (event) => trace.packetOf(event) < 0;
  const wanted = PACKET_CLASSES.find((name) => name === value);
  if (wanted === undefined) {
    throw new FilterError("badValue", `type: wants one of ${PACKET_CLASSES.join(", ")}, event, lost`, term.at);
  }
  return (event) => {
    const packet = trace.packetOf(event);
    return packet >= 0 && trace.classOf(packet) === wanted;
  };
}

function compileSpi(trace: TraceView, value: string): Predicate {
  const wanted = value.toLowerCase().replace(/^0x/, "").replace(/^0+/, "");
  const same = (text: string) => text.toLowerCase().replace(/^0x/, "").replace(/^0+/, "") === wanted;
  return (event) => {
    const named = trace.dataOf(event).spi;
    if (named !== undefined && same(String(named))) return true;
    const packet = trace.packetOf(event);
    return packet >= 0 && same(trace.factsOf(packet).spi ?? "");
  };
}

function compileText(trace: TraceView, value: string): Predicate {
  const wanted = value.toLowerCase();
  return (event) =>
    trace.kindOf(event).toLowerCase().includes(wanted) ||
    trace.deviceName(trace.deviceOf(event)).toLowerCase().includes(wanted) ||
    eventSummary(trace, event).toLowerCase().includes(wanted);
}

/** Devices are few: the pattern is tried once on each of them. */
function byDevice(trace: TraceView, value: string): Predicate {
  const matches = pattern(value);
  const wanted = trace.head.devices.map((device) => matches(device.name));
  return (event) => wanted[trace.deviceOf(event)] === true;
}

function byText(value: string, textOf: (event: number) => string): Predicate {
  const matches = pattern(value);
  const known = new Map<string, boolean>();
  return (event) => {
    const text = textOf(event);
    let result = known.get(text);
    if (result === undefined) {
      result = matches(text);
      known.set(text, result);
    }
    return result;
  };
}

function byPacketText(
  trace: TraceView,
  value: string,
  texts: (facts: ReturnType<TraceView["factsOf"]>) => readonly string[],
): Predicate {
  const matches = pattern(value);
  return (event) => {
    const packet = trace.packetOf(event);
    return packet >= 0 && texts(trace.factsOf(packet)).some(matches);
  };
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function byRange(wanted: Range, numberOf: (event: number) => number): Predicate {
  return (event) => {
    const number = numberOf(event);
    return number >= wanted.from && number <= wanted.to;
  };
}

/** `10..20`, `..20`, `10..` or `10`. */
function range(text: string, term: Term, read: (text: string) => number | undefined): Range {
  const dots = text.indexOf("..");
  const parts = dots < 0 ? [text, text] : [text.slice(0, dots), text.slice(dots + 2)];
  const from = parts[0] === "" ? Number.NEGATIVE_INFINITY : read(parts[0]!);
  const to = parts[1] === "" ? Number.POSITIVE_INFINITY : read(parts[1]!);
  if (from === undefined || to === undefined || text === "..") {
    throw new FilterError("badValue", `${term.key}: wants a number or a range such as 10..20, not ${text}`, term.at);
  }
  return { from, to };
}

function whole(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Seconds without a unit, or a duration with one; microseconds. */
function seconds(text: string): number | undefined {
  return /^\d+(?:\.\d+)?$/.test(text) ? Math.round(Number(text) * SECOND) : parseDuration(text);
}

function yesNo(value: string, term: Term): boolean {
  const wanted = Object.hasOwn(YES_NO, value) ? YES_NO[value] : undefined;
  if (wanted === undefined) throw new FilterError("badValue", `${term.key}: wants yes or no`, term.at);
  return wanted;
}

/** Equality without regard to case, `*` for any run of characters. */
function pattern(text: string): (candidate: string) => boolean {
  const wanted = text.toLowerCase();
  if (!wanted.includes("*")) return (candidate) => candidate.toLowerCase() === wanted;
  const escaped = wanted.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  const expression = new RegExp(`^${escaped.join(".*")}$`);
  return (candidate) => expression.test(candidate.toLowerCase());
}
