/**
 * The three kinds of fault, told apart by whose fault it is. `WireError`: the sender of the octets. `ProtocolError`: a
 * peer that broke the rules. `ConfigError`: the author of a scenario or of IOS text. A failed `assert` is our own.
 */

/**
 * - `truncated` a field reaches beyond the end
 * - `badLength` a length field contradicts its content
 * - `badValue` a field holds a value that the format forbids
 * - `trailing` octets are left over after the last field
 * - `tooMany` more elements than the format or our limits allow
 * - `badHex` text that should be hexadecimal is not
 */
export type WireErrorCode = "truncated" | "badLength" | "badValue" | "trailing" | "tooMany" | "badHex";

/** Octets that do not fit their declared format. `offset` counts octets from the start of what was being decoded. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  readonly offset: number;
  /** Path of the field, outermost first, such as `payloads.proposals.length`. */
  path: string;

  constructor(code: WireErrorCode, message: string, offset: number, path = "") {
    super(message);
    this.name = "WireError";
    this.code = code;
    this.offset = offset;
    this.path = path;
  }

  /** Prepends the name of an enclosing field; used while the error passes outwards through the declarations. */
  within(name: string): this {
    this.path = this.path === "" ? name : `${name}.${this.path}`;
    return this;
  }
}

/** A mistake of the author of a scenario or a configuration. Line and column count from 1. */
export interface ConfigProblem {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Place inside the document, such as `topology.nodes.gm1.kind`; empty for IOS text. */
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
}

/** All problems of one input together: a user mends them in one go. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** `file:line:column: code: message (expected ..., found ...)`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const path = problem.path === "" ? "" : ` at ${problem.path}`;
  const hints: string[] = [];
  if (problem.expected !== undefined) hints.push(`expected ${problem.expected}`);
  if (problem.found !== undefined) hints.push(`found ${problem.found}`);
  const hint = hints.length === 0 ? "" : ` (${hints.join(", ")})`;
  return `${place}: ${problem.code}${path}: ${problem.message}${hint}`;
}

/** Thrown by `assert`: a bug of this program, never of its input. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "AssertionError";
  }
}

/** A message that is put together of values is a function: on the path of a packet it must cost nothing. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === "string" ? message : message());
}
