/**
 * Finds the command that a line means. All patterns of a mode are followed at once, word by word: a keyword typed in full
 * beats everything, a prefix must belong to one keyword only, an argument takes what its kind accepts.
 */
import { Args, type Captured } from "./args.ts";
import { ambiguous, INCOMPLETE, INVALID_INPUT, type IosError } from "./iosError.ts";
import type { Token } from "./lines.ts";
import type { Place } from "./model.ts";
import type { Edge, Pattern } from "./pattern.ts";

/** A pattern and whatever belongs to it. */
export interface Row {
  readonly pattern: Pattern;
  /** A line that merely starts like this row is not taken for a mistyped form of it. */
  readonly vague?: boolean;
}

export type Match<R extends Row> =
  | { readonly ok: true; readonly row: R; readonly args: Args; readonly abbreviated: number }
  | {
      readonly ok: false;
      /** More than one command fits. */
      readonly ambiguous: boolean;
      /** Worked out when it is read: most failures are of a mode whose turn it was not, and nobody asks what it expects. */
      readonly error: IosError;
      /** Words that were understood before the failure. */
      readonly progress: number;
      /** True when the line had got past the leading keywords of some pattern: it is that command, with a mistake. */
      readonly recognised: boolean;
    };

export interface MatchInput {
  readonly tokens: readonly Token[];
  /** The line without prompt, for messages and for arguments that take the rest of a line. */
  readonly text: string;
  /** Column of the first character of `text`. */
  readonly column: number;
  readonly file: string;
  readonly line: number;
}

/** Whether a pattern may end early in a `no` form: IOS removes `rekey retransmit` whatever values follow. */
export type EndsEarly<R extends Row> = (row: R) => boolean;

interface Thread<R extends Row> {
  readonly row: R;
  readonly state: number;
  readonly abbreviated: number;
  readonly trail: Trail | undefined;
}

/** Steps taken so far, newest first: threads that share a beginning share its memory. */
interface Trail {
  readonly before: Trail | undefined;
  readonly edge: Edge;
  readonly token: Token;
  readonly value: string | number;
}

interface Step<R extends Row> {
  readonly thread: Thread<R>;
  readonly edge: Edge;
  readonly value: string | number;
}

/**
 * Matches the tokens from `input.tokens[0]` on against all rows. A row that takes the rest of the line is what remains when
 * no other row fits to the end.
 */
export function matchLine<R extends Row>(rows: readonly R[], input: MatchInput, endsEarly?: EndsEarly<R>): Match<R> {
  let threads = startedAt(rowsFor(rows, input.tokens[0]));
  const greedy: Thread<R>[] = [];
  let recognised = false;
  for (let at = 0; at < input.tokens.length; at++) {
    const token = input.tokens[at]!;
    const steps = stepsFrom(threads, token, input);
    if (token.text.startsWith("!") && !steps.some(({ edge }) => isRaw(edge))) break;
    const chosen = choose(steps, token);
    if (chosen === "ambiguous" || chosen.length === 0) {
      if (greedy.length > 0) return succeed(greedy, input);
      const ambiguous = chosen === "ambiguous";
      const expecting = threads;
      return {
        ok: false,
        ambiguous,
        progress: at,
        recognised,
        get error() {
          if (ambiguous) return severalFit(input, token);
          return invalidInput(at === 0 ? startedAt(rows) : expecting, token, input.tokens[at - 1]);
        },
      };
    }
    threads = [];
    for (const step of chosen) (isLine(step.edge) ? greedy : threads).push(advance(step, token));
    recognised ||= [...threads, ...greedy].some(({ row }) => row.vague !== true && at + 1 >= row.pattern.lead);
  }
  return finish(threads, greedy, input, recognised, endsEarly);
}

function startedAt<R extends Row>(rows: readonly R[]): Thread<R>[] {
  return rows.map((row) => ({ row, state: 0, abbreviated: 0, trail: undefined }));
}

/** Rows by the first character of their first word; those that begin with an argument stand under every one. */
const startingWith = new WeakMap<readonly Row[], Map<string, readonly Row[]>>();

/**
 * The rows that a line with this first word can mean: an abbreviation shares at least its first character with the
 * keyword. Global mode has 190 rows and at most 20 of them per letter: 5,000 lines `access-list 101 permit ...` take
 * 180 ms instead of 340.
 */
function rowsFor<R extends Row>(rows: readonly R[], first: Token | undefined): readonly R[] {
  const initial = first?.text.charAt(0).toLowerCase() ?? "";
  // No keyword begins so; the index must not grow with whatever characters a file holds.
  if (!/^[a-z]$/.test(initial)) return rows;
  const index = startingWith.get(rows) ?? new Map<string, readonly R[]>();
  startingWith.set(rows, index);
  const known = index.get(initial) as readonly R[] | undefined;
  const fitting =
    known ?? rows.filter(({ pattern }) => pattern.states[0]!.edges.some((edge) => mayBegin(edge, initial)));
  index.set(initial, fitting);
  return fitting;
}

function mayBegin({ accepts }: Edge, initial: string): boolean {
  return accepts.kind === "value" || accepts.word.startsWith(initial);
}

/** What may stand behind words that have been understood. */
export interface Continuation {
  /** Keywords in full, arguments by what they take. */
  readonly words: readonly { readonly text: string; readonly isKeyword: boolean }[];
  /** The words are a whole command. */
  readonly isComplete: boolean;
}

/** For `?` and Tab; undefined where the words are no beginning of any row, or an ambiguous one. */
export function whatFollows<R extends Row>(rows: readonly R[], input: MatchInput): Continuation | undefined {
  let threads = startedAt(rows);
  for (const token of input.tokens) {
    const steps = stepsFrom(threads, token, input);
    const chosen = choose(steps, token);
    if (chosen === "ambiguous" || chosen.length === 0) return undefined;
    threads = chosen.map((step) => advance(step, token));
  }
  const words = new Map<string, boolean>();
  for (const { accepts } of threads.flatMap((thread) => edgesOf(thread))) {
    if (accepts.kind === "keyword") words.set(accepts.word, true);
    else if (!words.has(accepts.value.label)) words.set(accepts.value.label, false);
  }
  const list = [...words].map(([text, isKeyword]) => ({ text, isKeyword }));
  return { words: list.sort((a, b) => (a.text < b.text ? -1 : 1)), isComplete: threads.some(isAccepting) };
}

function severalFit(input: MatchInput, token: Token): IosError {
  return { code: "iosAmbiguous", message: ambiguous(input.text), column: token.column };
}

function edgesOf<R extends Row>(thread: Thread<R>): readonly Edge[] {
  return thread.row.pattern.states[thread.state]!.edges;
}

function isRaw(edge: Edge): boolean {
  return edge.accepts.kind === "value" && edge.accepts.value.raw === true;
}

function isLine(edge: Edge): boolean {
  return edge.accepts.kind === "value" && edge.accepts.value.line === true;
}

function stepsFrom<R extends Row>(threads: readonly Thread<R>[], token: Token, input: MatchInput): Step<R>[] {
  const steps: Step<R>[] = [];
  const typed = token.text.toLowerCase();
  // A number is no abbreviation: `1` is never `128`.
  const inFull = /^\d+$/.test(typed);
  for (const thread of threads) {
    for (const edge of edgesOf(thread)) {
      const { accepts } = edge;
      if (accepts.kind === "keyword") {
        const fits = inFull ? accepts.word === typed : accepts.word.startsWith(typed);
        if (fits) steps.push({ thread, edge, value: accepts.word });
        continue;
      }
      const text = accepts.value.line ? input.text.slice(token.column - input.column).trimEnd() : token.text;
      const value = accepts.value.read(text);
      if (value !== undefined) steps.push({ thread, edge, value });
    }
  }
  return steps;
}

function isExact<R extends Row>(step: Step<R>, token: Token): boolean {
  return step.edge.accepts.kind === "keyword" && step.edge.accepts.word.length === token.text.length;
}

function choose<R extends Row>(steps: readonly Step<R>[], token: Token): readonly Step<R>[] | "ambiguous" {
  const exact = steps.filter((step) => isExact(step, token));
  if (exact.length > 0) return exact;
  const values = steps.filter(({ edge }) => edge.accepts.kind === "value");
  const words = new Set(steps.map(({ edge }) => (edge.accepts.kind === "keyword" ? edge.accepts.word : "")));
  words.delete("");
  if (words.size <= 1) return steps;
  return values.length > 0 ? values : "ambiguous";
}

function advance<R extends Row>(step: Step<R>, token: Token): Thread<R> {
  const { thread, edge, value } = step;
  const short = edge.accepts.kind === "keyword" && !isExact(step, token) ? 1 : 0;
  const trail = { before: thread.trail, edge, token, value };
  return { row: thread.row, state: edge.to, abbreviated: thread.abbreviated + short, trail };
}

function finish<R extends Row>(
  threads: readonly Thread<R>[],
  greedy: readonly Thread<R>[],
  input: MatchInput,
  recognised: boolean,
  endsEarly: EndsEarly<R> | undefined,
): Match<R> {
  const complete = threads.filter(isAccepting);
  const early = threads.filter((thread) => mayEnd(thread, endsEarly));
  if (complete.length > 0 || early.length > 0) return succeed(complete.length > 0 ? complete : early, input);
  if (greedy.length > 0) return succeed(greedy, input);
  const end = input.column + input.text.length;
  const error: IosError = { code: "iosIncomplete", message: INCOMPLETE, column: end, expected: expectedAt(threads) };
  return { ok: false, ambiguous: false, error, progress: input.tokens.length, recognised };
}

/** Of several readings the one with the fewest abbreviations, then the one declared first. */
function succeed<R extends Row>(complete: readonly Thread<R>[], input: MatchInput): Match<R> {
  const best = complete.reduce((a, b) => (b.abbreviated < a.abbreviated ? b : a));
  return { ok: true, row: best.row, args: argsOf(best.trail, input), abbreviated: best.abbreviated };
}

function isAccepting<R extends Row>(thread: Thread<R>): boolean {
  return thread.row.pattern.states[thread.state]!.accepting;
}

function mayEnd<R extends Row>(thread: Thread<R>, endsEarly: EndsEarly<R> | undefined): boolean {
  if (endsEarly === undefined || !endsEarly(thread.row)) return false;
  return trailLength(thread.trail) >= thread.row.pattern.lead;
}

function trailLength(trail: Trail | undefined): number {
  let count = 0;
  for (let at = trail; at !== undefined; at = at.before) count += 1;
  return count;
}

function argsOf(trail: Trail | undefined, input: MatchInput): Args {
  const steps: Trail[] = [];
  for (let at = trail; at !== undefined; at = at.before) steps.unshift(at);
  const captured: Captured[] = [];
  for (const { edge, token, value } of steps) {
    if (edge.capture === undefined) continue;
    const last = captured[captured.length - 1];
    if (edge.starts || last === undefined) captured.push({ name: edge.capture, value, column: token.column });
    else captured[captured.length - 1] = { ...last, value: `${last.value}${glue(edge)}${value}` };
  }
  const at: Place = { file: input.file, line: input.line, column: input.tokens[0]?.column ?? input.column };
  return new Args(captured, at, steps.map(wordOf));
}

/** Keywords of one choice are joined as in `aes-256`, the two halves of an interface name without anything. */
function glue(edge: Edge): string {
  return edge.accepts.kind === "keyword" ? "-" : "";
}

function wordOf({ edge, token, value }: Trail): string {
  if (edge.accepts.kind === "keyword") return edge.accepts.word;
  return edge.accepts.value.line ? String(value) : token.text;
}

/** Column of the first character that fits nothing: IOS puts the caret inside a keyword that starts right. */
function invalidInput<R extends Row>(threads: readonly Thread<R>[], token: Token, before: Token | undefined): IosError {
  const edges = threads.flatMap((thread) => edgesOf(thread));
  const ranged = edges.some(({ accepts }) => accepts.kind === "value" && accepts.value.range !== undefined);
  const expected = edges.length === 0 ? "end of line" : expectedAt(threads);
  // What follows a key may be the rest of the key, typed with a blank: it is not repeated in messages.
  const found = token.secretive || before?.secretive === true ? undefined : token.text;
  if (ranged && /^-?\d+$/.test(token.text)) {
    return { code: "iosRange", message: INVALID_INPUT, column: token.column, expected, found };
  }
  const fitting = edges.map(({ accepts }) => (accepts.kind === "keyword" ? commonPrefix(token.text, accepts.word) : 0));
  const column = token.column + Math.max(0, ...fitting);
  return { code: "iosInvalidInput", message: INVALID_INPUT, column, expected, found };
}

function commonPrefix(typed: string, word: string): number {
  const lower = typed.toLowerCase();
  let count = 0;
  while (count < lower.length && lower[count] === word[count]) count += 1;
  return count;
}

const EXPECTED_SHOWN = 12;

function expectedAt<R extends Row>(threads: readonly Thread<R>[]): string {
  const labels = new Set<string>();
  for (const thread of threads) {
    for (const { accepts } of edgesOf(thread)) {
      labels.add(accepts.kind === "keyword" ? accepts.word : accepts.value.label);
    }
    if (thread.row.pattern.states[thread.state]!.accepting) labels.add("end of line");
  }
  const all = [...labels];
  const shown = all.slice(0, EXPECTED_SHOWN).join(" | ");
  return all.length > EXPECTED_SHOWN ? `${shown} | ...` : shown;
}
