/**
 * The shape of the grammar: modes, each a table of commands. What a command looks like is a pattern (pattern.ts); what it
 * does to the object of its mode are the functions beside it. The tables themselves are in grammar/.
 */
import type { Args } from "./args.ts";
import type { IosConfig } from "./model.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

/** What commands may touch besides the object of their mode. */
export interface Session {
  readonly config: IosConfig;
  /** A refusal at the value kept under `name`; the rest of the text is still read. */
  refuse(code: RefusalCode, args: Args, name: string, message: string): void;
}

/**
 * - `iosRefused` well formed, but the box would not take it
 * - `iosUnsupported` legal IOS that changes what happens to packets and that is not modelled
 */
export type RefusalCode = "iosRefused" | "iosUnsupported";

/** A mode that a command leads to, and the object that is configured there. */
export interface Entered {
  readonly mode: Mode;
  readonly target: unknown;
}

/** One command. T: the object of the mode. Handlers are methods so that tables of different T fit one list. */
export interface CommandSpec<T> {
  readonly pattern: string;
  set?(target: T, args: Args, session: Session): void;
  /** Instead of `set`, for a command that leads to another mode; undefined: it was refused. */
  enter?(target: T, args: Args, session: Session): Entered | undefined;
  /** The `no` form; absent: there is none. */
  no?(target: T, args: Args, session: Session): void;
  /** The `default` form where it differs from `no`. */
  reset?(target: T, args: Args, session: Session): void;
  /** The `no` form needs all arguments: it takes one element from a list. */
  readonly noExact?: boolean;
  /** Legal, known and left aside: why. */
  readonly aside?: string;
  /** Legal and known, but leaving it aside would change what happens to packets: why it cannot be honoured. */
  readonly unsupported?: string;
  /** Opens a section of lines that are left aside with it. */
  readonly section?: boolean;
}

export interface Mode {
  readonly name: string;
  /** Between the parentheses of the prompt. */
  readonly prompt: string;
  /** Lines that nobody understands are problems here, because they might have mattered. */
  readonly strict: boolean;
  readonly commands: readonly CompiledRow[];
}

/** For the matcher: a command under the name that it expects. */
export interface CompiledRow {
  readonly pattern: Pattern;
  readonly command: CommandSpec<unknown>;
  /** Rows that are left aside list common forms only. */
  readonly vague: boolean;
}

/** Declares a mode. Patterns are compiled here, once. */
export function defineMode<T>(
  name: string,
  prompt: string,
  strict: boolean,
  commands: readonly CommandSpec<T>[],
): Mode {
  return { name, prompt, strict, commands: commands.map(compileCommand) };
}

function compileCommand<T>(command: CommandSpec<T>): CompiledRow {
  return { pattern: compilePattern(command.pattern), command, vague: command.aside !== undefined };
}

/** Rows that are legal and left aside, all for one reason. */
export function leftAside(why: string, patterns: readonly string[]): CommandSpec<never>[] {
  return patterns.map((pattern) => ({ pattern, aside: why }));
}

/** Rows that open a section which is left aside as a whole. */
export function sectionsAside(why: string, patterns: readonly string[]): CommandSpec<never>[] {
  return patterns.map((pattern) => ({ pattern, aside: why, section: true }));
}

/** The object under `key`, made when it is not there yet: entering a mode twice goes on with the same object. */
export function obtain<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** As `obtain`, for maps whose order is that of their numbers. */
export function obtainOrdered<V>(map: Map<number, V>, key: number, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  const later = [...map].filter(([number]) => number > key);
  for (const [number] of later) map.delete(number);
  map.set(key, made);
  for (const [number, value] of later) map.set(number, value);
  return made;
}
