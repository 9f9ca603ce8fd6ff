/** A field tree as indented lines. */
import type { Field } from "../../src/wire/field.ts";

/** How to set off parts of a line; each returns its text, coloured or as it is. */
export interface FieldStyle {
  readonly label: (text: string) => string;
  /** Where a field is defined. */
  readonly source: (text: string) => string;
  readonly problem: (text: string) => string;
}

export const PLAIN_STYLE: FieldStyle = { label: (text) => text, source: (text) => text, problem: (text) => text };

/** One line a field, each with its line break: `  Message ID: 0`, `  IKEv2: GSA_AUTH (RFC 7296)`, ` !! problem`. */
export function fieldText(fields: readonly Field[], style: FieldStyle, depth = 1): string {
  let out = "";
  for (const field of fields) {
    out += `${"  ".repeat(depth)}${line(field, style)}\n`;
    out += fieldText(field.children, style, depth + 1);
  }
  return out;
}

function line({ label, text, rfc, problem }: Field, style: FieldStyle): string {
  const value = text === "" ? "" : `: ${printable(text)}`;
  const source = rfc === undefined ? "" : style.source(` (${rfc})`);
  const wrong = problem === undefined ? "" : style.problem(` !! ${problem}`);
  return `${style.label(label)}${value}${source}${wrong}`;
}

/** Names in a packet are foreign text: a control character must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
