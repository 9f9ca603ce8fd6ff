/** A YAML text as plain values, with the place in the text of everything in them. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar } from "yaml";
import type { ConfigProblem } from "../../src/base/errors.ts";

/** Characters of the longest file that is looked at. */
export const FILE_CHARS_MAX = 4 * 1024 * 1024;
/** An alias may stand for so many nodes in all; more is an attempt to fill memory. */
const ALIASES_MAX = 1000;

export type Path = readonly (string | number)[];

/** Line and column count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SourceDocument {
  readonly file: string;
  /** Undefined where the text could not be read at all; then `problems` says why. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Where the value at a path stands, or its key; the place of the innermost part that exists. */
  position(path: Path, of?: "key" | "value"): Position;
  /**
   * Where a text of several lines begins: the place of its first character, and true where line n of the text is line n
   * of the file from there (a block with `|`).
   */
  textStart(path: Path): Position & { readonly isVerbatim: boolean };
}

/**
 * Reads one YAML document. Problem codes: `tooLarge`, `empty`, `badYaml` (with the reader's own sentence),
 * `duplicateKey`, `forbiddenKey` (`__proto__`), `tooManyAliases`, `tooDeep`.
 */
export function readDocument(file: string, text: string): SourceDocument {
  if (text.length > FILE_CHARS_MAX) {
    const expected = `at most ${FILE_CHARS_MAX} characters`;
    return unreadable(file, "tooLarge", "the file is too large", { expected, found: `${text.length}` });
  }
  try {
    return parse(file, text);
  } catch (error) {
    // The reader of YAML descends by recursion; a text of brackets exhausts the stack of any engine.
    if (error instanceof RangeError) return unreadable(file, "tooDeep", "the nesting is too deep");
    throw error;
  }
}

function parse(file: string, text: string): SourceDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: ConfigProblem[] = document.errors.map((error) => ({
    code: error.code === "DUPLICATE_KEY" ? "duplicateKey" : "badYaml",
    file,
    ...at(error.pos[0]),
    path: "",
    message: error.code === "DUPLICATE_KEY" ? "this key stands here twice" : error.message,
  }));
  for (const offset of forbiddenKeys(document.contents)) {
    problems.push({ code: "forbiddenKey", file, ...at(offset), path: "", message: "__proto__ cannot be a key" });
  }
  const isBroken = document.errors.some((error) => error.code !== "DUPLICATE_KEY");
  let value: unknown;
  if (!isBroken) {
    try {
      value = document.toJS({ maxAliasCount: ALIASES_MAX });
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      problems.push({
        code: "tooManyAliases",
        file,
        line: 1,
        column: 1,
        path: "",
        message: "aliases multiply too much",
      });
    }
    if (value === null) {
      problems.push({ code: "empty", file, line: 1, column: 1, path: "", message: "the file holds no scenario" });
      value = undefined;
    }
  }
  return {
    file,
    value,
    problems,
    position: (path, of = "value") => at(offsetOf(document, path, of)),
    textStart: (path) => textStart(document, path, text, at),
  };
}

/** Offsets of all keys `__proto__`, wherever they stand; aliases are not followed, so each is met once. */
function forbiddenKeys(root: unknown): number[] {
  const found: number[] = [];
  const open: unknown[] = [root];
  for (let node = open.pop(); open.length > 0 || node !== undefined; node = open.pop()) {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (isScalar(key) && key.value === "__proto__") found.push(key.range?.[0] ?? 0);
        open.push(key ?? undefined, value ?? undefined);
      }
    } else if (isSeq(node)) open.push(...node.items);
  }
  return found.sort((a, b) => a - b);
}

function resolve(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function offsetOf(document: Document, path: Path, of: "key" | "value"): number {
  let node = resolve(document, document.contents);
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      const value = resolve(document, pair.value);
      const keyOffset = startOf(pair.key) ?? offset;
      const isLast = depth === path.length - 1;
      offset = isLast && of === "key" ? keyOffset : (startOf(pair.value) ?? keyOffset);
      node = value;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (item === undefined) return offset;
      offset = startOf(item) ?? offset;
      node = resolve(document, item);
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function textStart(document: Document, path: Path, text: string, at: (offset: number) => Position) {
  const node = resolve(document, document.getIn(path, true));
  const offset = startOf(node) ?? 0;
  if (!isScalar(node) || node.type !== Scalar.BLOCK_LITERAL) return { ...at(offset), isVerbatim: false };
  const firstLine = text.indexOf("\n", offset) + 1;
  // Indented by its first line that is not empty.
  const indent = /^(?:[ \t]*\r?\n)*( *)/.exec(text.slice(firstLine))?.[1]?.length ?? 0;
  return { line: at(firstLine).line, column: indent + 1, isVerbatim: true };
}

function unreadable(
  file: string,
  code: string,
  message: string,
  hints: { readonly expected?: string; readonly found?: string } = {},
): SourceDocument {
  const start = { line: 1, column: 1 };
  return {
    file,
    value: undefined,
    problems: [{ code, file, ...start, path: "", message, ...hints }],
    position: () => start,
    textStart: () => ({ ...start, isVerbatim: false }),
  };
}
