/** `?` and Tab at the prompt: what may be typed next, from the same tables that commands are matched with. */
import { readLine } from "./lines.ts";
import { type Continuation, type Row, whatFollows } from "./match.ts";

/** Tables that a line is tried with, the innermost mode first. */
export type Tables = readonly (readonly Row[])[];

/** The words of a line that stand, and the beginning of the one that is being typed; empty behind a blank. */
interface Typed {
  readonly before: string;
  readonly last: string;
}

function cut(text: string): Typed {
  const last = /\S*$/.exec(text)![0];
  return { before: text.slice(0, text.length - last.length), last };
}

/** `no` stands before any command that has such a form; what may follow is what may follow without it. */
function follow(tables: Tables, before: string): Continuation[] {
  const text = before.replace(/^\s*(?:no|default)\s/i, " ");
  const line = readLine(text, 1);
  return tables.flatMap(
    (rows) => whatFollows(rows, { tokens: line.tokens, text: line.text, column: line.column, file: "", line: 1 }) ?? [],
  );
}

function fitting(continuations: readonly Continuation[], last: string): Continuation["words"] {
  const found = new Map<string, boolean>();
  for (const { words } of continuations) {
    for (const { text, isKeyword } of words) {
      if (last === "" || (isKeyword && text.startsWith(last.toLowerCase()))) found.set(text, isKeyword);
    }
  }
  return [...found].map(([text, isKeyword]) => ({ text, isKeyword })).sort((a, b) => (a.text < b.text ? -1 : 1));
}

/** The rest of the word that is being typed, where there is but one; else the part that all that fit have in common. */
export function completion(tables: Tables, text: string): string {
  const { before, last } = cut(text);
  if (last === "") return "";
  const words = fitting(follow(tables, before), last).filter(({ isKeyword }) => isKeyword);
  if (words.length === 1) return `${words[0]!.text.slice(last.length)} `;
  let common = words[0]?.text ?? "";
  for (const { text: word } of words) while (!word.startsWith(common)) common = common.slice(0, -1);
  return common.slice(last.length);
}

const COLUMNS = 4;
const COLUMN = 20;

/**
 * What IOS prints for a question mark behind `text`: all words that may follow, one a line; behind a beginning of a word
 * those that it may become, side by side.
 */
export function helpText(tables: Tables, text: string): string {
  const { before, last } = cut(text);
  const continuations = follow(tables, before);
  const words = fitting(continuations, last);
  if (last !== "") {
    if (words.length === 0) return "% Unrecognized command\n";
    const rows = words.flatMap((_, i) => (i % COLUMNS === 0 ? [words.slice(i, i + COLUMNS)] : []));
    return rows
      .map(
        (row) =>
          `${row
            .map(({ text: word }) => word.padEnd(COLUMN))
            .join("")
            .trimEnd()}\n`,
      )
      .join("");
  }
  if (continuations.length === 0) return "% Unrecognized command\n";
  const end = continuations.some(({ isComplete }) => isComplete) && before.trim() !== "" ? "  <cr>\n" : "";
  return words.map(({ text: word }) => `  ${word}\n`).join("") + end;
}
