/**
 * Command patterns: one string says what a command looks like, and is compiled once to a small automaton.
 *
 *     rekey retransmit <10-60:seconds> [number <1-10:count> | mode:{periodic}]
 *
 * - `word` is a keyword, typed in full or as a unique prefix
 * - `<kind:name>` is an argument (values.ts), kept under `name`; a range is a kind; `<interface:name>` takes `Gi0/0` as
 *   well as `GigabitEthernet 0/0`
 * - `{a | b}` is a choice, `[a | b]` an optional one
 * - `name:{...}` and `name:[...]` keep the keywords of the alternative taken, joined by a hyphen: `aes 256` is `aes-256`
 * - `...` behind an argument or a group repeats it
 */
import { assert } from "../base/errors.ts";
import { canonicalInterface, interfaceType, isInterfaceNumber } from "./interfaceName.ts";
import { type ValueKind, valueKind } from "./values.ts";

export type Acceptor =
  | { readonly kind: "keyword"; readonly word: string }
  | { readonly kind: "value"; readonly value: ValueKind };

export interface Edge {
  readonly accepts: Acceptor;
  readonly to: number;
  /** Under which name the token is kept. */
  readonly capture?: string;
  /** False: the token continues the item that an earlier one began. */
  readonly starts: boolean;
}

/** A state with all edges that leave it, optional parts skipped. */
export interface PatternState {
  readonly edges: readonly Edge[];
  readonly accepting: boolean;
}

export interface Pattern {
  readonly text: string;
  readonly states: readonly PatternState[];
  /** How many keywords stand at the start before the first argument or choice. */
  readonly lead: number;
}

interface Draft {
  edges: Edge[];
  skips: number[];
}

type Item =
  | { readonly kind: "keyword"; readonly word: string }
  | { readonly kind: "value"; readonly type: string; readonly name: string; readonly repeat: boolean }
  | {
      readonly kind: "group";
      readonly options: readonly (readonly Item[])[];
      readonly optional: boolean;
      readonly name?: string;
      readonly repeat: boolean;
    };

const LEXEME = /<[^>]*>|[a-zA-Z][\w-]*:(?=[{[])|[{}[\]|]|\.\.\.|[^\s{}[\]|<>]+/g;

/** Compiles a pattern. A malformed one is our own mistake and fails an assertion. */
export function compilePattern(text: string): Pattern {
  const lexemes = text.match(LEXEME) ?? [];
  const reader = { lexemes, at: 0 };
  const options = readOptions(reader, text);
  assert(reader.at === lexemes.length && options.length === 1, `pattern "${text}" is malformed`);
  const items = options[0]!;
  const drafts: Draft[] = [{ edges: [], skips: [] }];
  const last = addSequence(drafts, 0, items, undefined);
  const lead = items.findIndex((item) => item.kind !== "keyword");
  return { text, states: drafts.map((_, i) => closeState(drafts, i, last)), lead: lead < 0 ? items.length : lead };
}

interface LexemeReader {
  readonly lexemes: readonly string[];
  at: number;
}

function readOptions(reader: LexemeReader, text: string): Item[][] {
  const options: Item[][] = [[]];
  let name: string | undefined;
  while (reader.at < reader.lexemes.length) {
    const lexeme = reader.lexemes[reader.at]!;
    if (lexeme === "}" || lexeme === "]") break;
    reader.at += 1;
    const sequence = options[options.length - 1]!;
    if (lexeme === "|") options.push([]);
    else if (lexeme.endsWith(":")) name = lexeme.slice(0, -1);
    else if (lexeme === "{" || lexeme === "[") {
      const inner = readOptions(reader, text);
      assert(reader.lexemes[reader.at] === (lexeme === "{" ? "}" : "]"), `pattern "${text}" has an open bracket`);
      reader.at += 1;
      sequence.push({ kind: "group", options: inner, optional: lexeme === "[", name, repeat: takeRepeat(reader) });
      name = undefined;
    } else if (lexeme.startsWith("<")) {
      const [type, label] = lexeme.slice(1, -1).split(":");
      assert(label !== undefined, `pattern "${text}": ${lexeme} has no name`);
      sequence.push({ kind: "value", type: type!, name: label, repeat: takeRepeat(reader) });
    } else sequence.push({ kind: "keyword", word: lexeme.toLowerCase() });
  }
  return options;
}

function takeRepeat(reader: LexemeReader): boolean {
  if (reader.lexemes[reader.at] !== "...") return false;
  reader.at += 1;
  return true;
}

function newState(drafts: Draft[]): number {
  drafts.push({ edges: [], skips: [] });
  return drafts.length - 1;
}

/** Adds the items from state `from` on; returns the state behind the last one. */
function addSequence(drafts: Draft[], from: number, items: readonly Item[], capture: string | undefined): number {
  let at = from;
  let starts = true;
  for (const item of items) {
    if (item.kind === "keyword") {
      const to = newState(drafts);
      drafts[at]!.edges.push({ accepts: { kind: "keyword", word: item.word }, to, capture, starts });
      starts = false;
      at = to;
    } else if (item.kind === "value") at = addValue(drafts, at, item);
    else at = addGroup(drafts, at, item);
  }
  return at;
}

function addValue(drafts: Draft[], before: number, item: Item & { kind: "value" }): number {
  // A state of its own at the start keeps a repeated argument from repeating what else may stand there.
  const from = newState(drafts);
  drafts[before]!.skips.push(from);
  const to = newState(drafts);
  const add = (at: number, value: ValueKind, next: number, starts: boolean) =>
    drafts[at]!.edges.push({ accepts: { kind: "value", value }, to: next, capture: item.name, starts });
  if (item.type === "interface") {
    const middle = newState(drafts);
    add(from, INTERFACE, to, true);
    add(from, INTERFACE_TYPE, middle, true);
    add(middle, INTERFACE_NUMBER, to, false);
  } else {
    const kind = valueKind(item.type);
    assert(kind !== undefined, `no kind of argument is called ${item.type}`);
    add(from, kind, to, true);
  }
  if (item.repeat) drafts[to]!.skips.push(from);
  return to;
}

function addGroup(drafts: Draft[], from: number, item: Item & { kind: "group" }): number {
  // As above: repetition leads back to the group's own start.
  const start = newState(drafts);
  drafts[from]!.skips.push(start);
  const end = newState(drafts);
  for (const option of item.options) drafts[addSequence(drafts, start, option, item.name)]!.skips.push(end);
  if (item.optional) drafts[start]!.skips.push(end);
  if (item.repeat) drafts[end]!.skips.push(start);
  return end;
}

function closeState(drafts: readonly Draft[], state: number, last: number): PatternState {
  const seen = new Set<number>([state]);
  for (const at of seen) for (const skip of drafts[at]!.skips) seen.add(skip);
  return { edges: [...seen].flatMap((at) => drafts[at]!.edges), accepting: seen.has(last) };
}

const INTERFACE: ValueKind = { label: "interface", read: canonicalInterface };
const INTERFACE_TYPE: ValueKind = { label: "interface", read: interfaceType };
const INTERFACE_NUMBER: ValueKind = {
  label: "interface number",
  read: (token) => (isInterfaceNumber(token) ? token : undefined),
};
