/**
 * Configuration text to model. The grammar is in grammar/; this file walks the lines: which mode is tried, what a line
 * that fits nowhere belongs to, and what is reported.
 *
 * A line is tried in the current mode, then in the modes around it and at last in global mode, as `configure terminal`
 * does; indentation and `!` do not decide what is legal. They are used only to tell whom an unknown line concerns, which
 * decides between a problem and a line left aside. Whatever happens, every line is either in the model, among the problems
 * or among the ignored lines, and the lines after it are still read.
 */
import type { ConfigProblem } from "../base/errors.ts";
import type { Args } from "./args.ts";
import { emptyConfig } from "./defaults.ts";
import { globalMode } from "./grammar/global.ts";
import type { CommandSpec, CompiledRow, Mode, RefusalCode, Session } from "./grammar.ts";
import { INCOMPLETE, type IosError, iosProblem } from "./iosError.ts";
import { readLine, type SourceLine, splitLines, type Token, withoutKeys } from "./lines.ts";
import { type Match, type MatchInput, matchLine } from "./match.ts";
import type { IgnoredLine, IosConfig, IosInterface } from "./model.ts";

export interface IosParseResult {
  readonly config: IosConfig;
  /** In the order of the lines. */
  readonly problems: readonly ConfigProblem[];
  readonly ignored: readonly IgnoredLine[];
}

/** Reads a whole configuration. `file` is the name that places carry. Never throws for text. */
export function parseConfig(text: string, file: string): IosParseResult {
  return run(emptyConfig(), text, file);
}

/**
 * Applies further configuration lines, as typed after `configure terminal`, to a copy of an existing model. `config` itself
 * stays as it is. Never throws for text.
 */
export function applyConfig(config: IosConfig, text: string, file: string): IosParseResult {
  return run(structuredClone(config), text, file);
}

/** A configuration that is being typed line by line, as after `configure terminal`. */
export interface ConfigSession {
  /** With all lines so far. */
  readonly config: IosConfig;
}

/** Begins with a copy of a model, in global mode. */
export function openConfig(config: IosConfig): ConfigSession {
  return newWalk(structuredClone(config), "console");
}

export interface TypedLine {
  /** The line is no command here. */
  readonly error?: IosError;
  /** What IOS refuses although the line is well formed. */
  readonly problems: readonly ConfigProblem[];
  readonly ignored: readonly IgnoredLine[];
}

/** One line; `exit` leaves a mode. Indentation and marks mean nothing here. Never throws for text. */
export function typeLine(session: ConfigSession, text: string): TypedLine {
  const walk = session as Walk;
  const line = { ...readLine(text, 1), indent: 0, promptMode: undefined };
  if (line.tokens.length === 0 || line.text.startsWith("!") || leaveMode(walk, line))
    return { problems: [], ignored: [] };
  const found = search(walk, line, formOf(line.tokens));
  if (!found.match.ok) return { error: found.match.error, problems: [], ignored: [] };
  execute(walk, line);
  walk.section = undefined;
  return { problems: walk.problems.splice(0), ignored: walk.ignored.splice(0) };
}

/** What stands between the parentheses of the prompt: `config`, `config-if`. */
export function promptOf(session: ConfigSession): string {
  return modesOf(session)[0]!.prompt;
}

/** The mode of the session and those around it, innermost first. */
export function modesOf(session: ConfigSession): readonly Mode[] {
  return (session as Walk).stack.map(({ mode }) => mode).reverse();
}

/** A mode that has been entered. */
interface Frame {
  readonly mode: Mode;
  readonly target: unknown;
  /** Of the line that led here; its own lines are indented deeper, where the author indents at all. */
  readonly indent: number;
}

/** A section of lines that nobody models. */
interface Section {
  readonly indent: number;
  readonly reason: IgnoredLine["reason"];
  readonly why: string;
}

interface Walk extends Session {
  readonly file: string;
  readonly problems: ConfigProblem[];
  readonly ignored: IgnoredLine[];
  stack: Frame[];
  section: Section | undefined;
  /** True when a line of the current mode stood deeper than its heading: then indentation means something here. */
  indented: boolean;
  /** True after a line with nothing but `!`: what is unknown now belongs to no mode. */
  closed: boolean;
  /** End mark of a banner that is being passed over. */
  banner: string | undefined;
  /** Unknown lines of interfaces: problems where a crypto map is applied, which may be said further down. */
  undecided: { readonly target: IosInterface; readonly error: IosError; readonly line: SourceLine }[];
}

function run(config: IosConfig, text: string, file: string): IosParseResult {
  const walk = newWalk(config, file);
  for (const line of splitLines(text)) readInto(walk, line);
  for (const { target, error, line } of walk.undecided) {
    if (target.cryptoMap !== undefined) walk.problems.push(iosProblem(error, file, line.line));
    else ignore(walk, line, "unknown", `not understood, on an interface without crypto map: ${error.message}`);
  }
  const byLine = (a: { line: number }, b: { line: number }) => a.line - b.line;
  return { config, problems: walk.problems.sort(byLine), ignored: walk.ignored.sort(byLine) };
}

function newWalk(config: IosConfig, file: string): Walk {
  const problems: ConfigProblem[] = [];
  return {
    config,
    file,
    problems,
    ignored: [],
    stack: [{ mode: globalMode, target: config, indent: -1 }],
    section: undefined,
    indented: false,
    closed: false,
    banner: undefined,
    undecided: [],
    refuse(code: RefusalCode, args: Args, name: string, message: string): void {
      const { line, column } = args.place(name);
      problems.push({ code, file, line, column, path: "", message });
    },
  };
}

function readInto(walk: Walk, line: SourceLine): void {
  if (walk.banner !== undefined) {
    if (line.text.includes(walk.banner)) walk.banner = undefined;
    ignore(walk, line, "understood", "part of a banner");
    return;
  }
  followPrompt(walk, line);
  if (line.tokens.length === 0) return;
  if (line.text.startsWith("!")) {
    // A bare mark closes a block of the running configuration; one with words is the author's note.
    if (/^!+$/.test(line.text)) walk.closed = true;
    return;
  }
  if (isElision(line.text)) ignore(walk, line, "understood", "an elision of a printed document");
  else if (line.promptMode === "exec") ignore(walk, line, "understood", "typed at the exec prompt");
  else if (belongsToSection(walk, line)) ignore(walk, line, walk.section!.reason, walk.section!.why);
  else if (!leaveMode(walk, line) && !startBanner(walk, line)) execute(walk, line);
}

/** Documents print `.` or `...` where they leave lines out. */
function isElision(text: string): boolean {
  return /^[.\u2026]+$/.test(text);
}

/** `R1(config)#` says that the lines before it have been left, whatever they were. */
function followPrompt(walk: Walk, line: SourceLine): void {
  if (line.promptMode !== "config" && line.promptMode !== "exec") return;
  toGlobal(walk);
  walk.section = undefined;
}

function toGlobal(walk: Walk): void {
  walk.stack.length = 1;
  walk.indented = false;
  walk.closed = false;
}

/** Lines of a section are deeper than its heading, or carry the prompt of some inner mode. */
function belongsToSection(walk: Walk, line: SourceLine): boolean {
  const section = walk.section;
  if (section === undefined) return false;
  const inside = line.promptMode === undefined ? line.indent > section.indent : line.promptMode !== "config";
  if (!inside) walk.section = undefined;
  return inside;
}

/** `exit` leaves one mode, `end` all of them. */
function leaveMode(walk: Walk, line: SourceLine): boolean {
  const word = line.text.toLowerCase();
  if (word === "end") toGlobal(walk);
  else if (word === "exit" || word === "quit") {
    if (walk.stack.length > 1) walk.stack.pop();
    walk.closed = false;
  } else return false;
  return true;
}

/** `banner motd ^C` runs to the next line with the same mark. */
function startBanner(walk: Walk, line: SourceLine): boolean {
  const match = /^banner\s+(?:\S+\s+)?(\^C|\S)(.*)$/i.exec(line.text);
  if (match === null) return false;
  if (!match[2]!.includes(match[1]!)) walk.banner = match[1]!;
  ignore(walk, line, "understood", "part of a banner");
  return true;
}

function ignore(walk: Walk, line: SourceLine, reason: IgnoredLine["reason"], why: string): void {
  walk.ignored.push({ file: walk.file, line: line.line, text: withoutKeys(line.text), reason, why });
}

// ---------------------------------------------------------------------------------------------- one command

type Form = "set" | "no" | "reset";

interface Typed {
  readonly form: Form;
  readonly tokens: readonly Token[];
}

/** `no` must be typed in full; `default` may be shortened as any keyword. */
function formOf(tokens: readonly Token[]): Typed {
  const first = tokens[0]!.text.toLowerCase();
  if (tokens.length < 2) return { form: "set", tokens };
  if (first === "no") return { form: "no", tokens: tokens.slice(1) };
  if (first.length >= 3 && "default".startsWith(first)) return { form: "reset", tokens: tokens.slice(1) };
  return { form: "set", tokens };
}

type Found = {
  readonly match: Match<CompiledRow>;
  /** Index in the stack of the mode that it was tried in. */
  readonly depth: number;
};

function execute(walk: Walk, line: SourceLine): void {
  const typed = formOf(line.tokens);
  const found = search(walk, line, typed);
  const frame = walk.stack[found.depth]!;
  if (!found.match.ok) {
    fail(walk, line, found);
    return;
  }
  if (found.depth > 0 && line.indent > frame.indent && line.promptMode === undefined) walk.indented = true;
  if (found.depth < walk.stack.length - 1) {
    walk.stack.length = found.depth + 1;
    walk.indented = line.indent > frame.indent && found.depth > 0;
  }
  walk.closed = false;
  apply(walk, line, typed.form, frame, found.match.row.command, found.match.args);
}

/**
 * The innermost mode where the line is legal, or the failure that got furthest. An inner mode that has to take words for
 * abbreviations gives way to an outer one that knows all of them in full: `ip route` is no `ip route-cache`.
 */
function search(walk: Walk, line: SourceLine, typed: Typed): Found {
  const { tokens } = typed;
  const input: MatchInput = { tokens, text: line.text, column: line.column, file: walk.file, line: line.line };
  let best: Found | undefined;
  for (let depth = walk.stack.length - 1; depth >= 0; depth--) {
    const match = matchIn(walk.stack[depth]!.mode, typed.form, input);
    if (best === undefined || isBetter(match, best.match)) best = { match, depth };
    const settled = best.match.ok ? best.match.abbreviated === 0 : best.match.ambiguous;
    if (settled) break;
  }
  return best!;
}

function isBetter(candidate: Match<CompiledRow>, best: Match<CompiledRow>): boolean {
  if (candidate.ok) return !best.ok || candidate.abbreviated === 0;
  return !best.ok && candidate.progress > best.progress;
}

function matchIn(mode: Mode, form: Form, input: MatchInput): Match<CompiledRow> {
  if (form === "set") return matchLine(mode.commands, input);
  const rows = form === "no" ? negatable(mode) : resettable(mode);
  return matchLine(rows, input, ({ command }) => command.noExact !== true);
}

const negatableRows = new WeakMap<Mode, readonly CompiledRow[]>();
const resettableRows = new WeakMap<Mode, readonly CompiledRow[]>();

function isAside(command: CommandSpec<unknown>): boolean {
  return command.aside !== undefined || command.unsupported !== undefined;
}

/** Rows with a `no` form, worked out once per mode. */
function negatable(mode: Mode): readonly CompiledRow[] {
  return remembered(negatableRows, mode, ({ command }) => command.no !== undefined || isAside(command));
}

function resettable(mode: Mode): readonly CompiledRow[] {
  const fits = ({ command }: CompiledRow) => command.no !== undefined || command.reset !== undefined;
  return remembered(resettableRows, mode, (row) => fits(row) || isAside(row.command));
}

function remembered(
  known: WeakMap<Mode, readonly CompiledRow[]>,
  mode: Mode,
  fits: (row: CompiledRow) => boolean,
): readonly CompiledRow[] {
  const rows = known.get(mode) ?? mode.commands.filter(fits);
  known.set(mode, rows);
  return rows;
}

function apply(
  walk: Walk,
  line: SourceLine,
  form: Form,
  frame: Frame,
  command: CommandSpec<unknown>,
  args: Args,
): void {
  const { target } = frame;
  if (command.aside !== undefined) ignore(walk, line, "understood", command.aside);
  if (form === "no") command.no?.(target, args, walk);
  else if (form === "reset") (command.reset ?? command.no)?.call(command, target, args, walk);
  else applySet(walk, line, target, command, args);
}

function applySet(walk: Walk, line: SourceLine, target: unknown, command: CommandSpec<unknown>, args: Args): void {
  if (command.unsupported !== undefined) {
    const message = `"${withoutKeys(line.text)}": ${command.unsupported}`;
    walk.problems.push({ ...placeOf(walk, line), code: "iosUnsupported", path: "", message });
  }
  if (command.section) walk.section = { indent: line.indent, reason: "understood", why: command.aside ?? "" };
  if (command.enter !== undefined) {
    const entered = command.enter(target, args, walk);
    if (entered !== undefined)
      walk.stack.push({ ...entered, indent: line.promptMode === undefined ? line.indent : -1 });
    walk.indented = false;
  } else if (command.set !== undefined) command.set(target, args, walk);
  else if (!isAside(command)) {
    const column = line.column + line.text.length;
    walk.problems.push(iosProblem({ code: "iosIncomplete", message: INCOMPLETE, column }, walk.file, line.line));
  }
}

function placeOf(walk: Walk, line: SourceLine): { file: string; line: number; column: number } {
  return { file: walk.file, line: line.line, column: line.column };
}

// ---------------------------------------------------------------------------------------------- what fits nowhere

function fail(walk: Walk, line: SourceLine, found: Found): void {
  const { match } = found;
  if (match.ok) return;
  const owner = ownerOf(walk, line);
  const problem = () => walk.problems.push(iosProblem(match.error, walk.file, line.line));
  if (match.recognised || isCrypto(line)) problem();
  else if (owner.mode.strict) problem();
  else if (isInterface(owner)) {
    walk.undecided.push({ target: owner.target as IosInterface, error: match.error, line });
  } else {
    ignore(walk, line, "unknown", `not understood: ${match.error.message}`);
    if (owner.mode === globalMode) {
      toGlobal(walk);
      walk.section = { indent: line.indent, reason: "unknown", why: `part of "${withoutKeys(line.text)}"` };
    }
  }
}

/** The mode that an unknown line concerns, judged by prompt, indentation and closing marks. */
function ownerOf(walk: Walk, line: SourceLine): Frame {
  const innermost = walk.stack[walk.stack.length - 1]!;
  const outermost = walk.stack[0]!;
  if (line.promptMode !== undefined) return line.promptMode === "config" ? outermost : innermost;
  const deeper = [...walk.stack].reverse().find((frame) => line.indent > frame.indent)!;
  if (deeper !== outermost || walk.closed) return deeper;
  // Not deeper than any heading. Text without indentation leaves only the current mode to blame.
  return walk.indented ? outermost : innermost;
}

function isInterface(frame: Frame): boolean {
  return frame.mode.prompt === "config-if";
}

/** Any line about cryptography matters, wherever it stands. */
function isCrypto(line: SourceLine): boolean {
  return /^(?:(?:no|default)\s+)?cry(?:p|pt|pto)?\s/i.test(line.text);
}

/** One line of text, read on its own: for tools that show how a line is understood. */
export function understandLine(text: string, file: string, mode: Mode = globalMode): Match<CompiledRow> {
  const line = readLine(text, 1);
  const typed = formOf(line.tokens.length === 0 ? [{ text: "", column: 1, secretive: false }] : line.tokens);
  const input: MatchInput = { tokens: typed.tokens, text: line.text, column: line.column, file, line: 1 };
  return matchIn(mode, typed.form, input);
}
