/** What stands behind the bar: `| include REGEX` and its relatives. */
import type { OutputFilter } from "../exec.ts";

/**
 * The lines that the filter lets through, as IOS does: `include` and `exclude` choose lines, `begin` leaves out what stands
 * before the first that fits, `section` takes a line that fits with all deeper lines below it, `count` counts. Undefined
 * where the text is no regular expression.
 */
export function applyFilter(text: string, { kind, text: pattern }: OutputFilter): string | undefined {
  const regex = compile(pattern);
  if (regex === undefined) return undefined;
  const lines = text.replace(/\n$/, "").split("\n");
  const fits = lines.map((line) => regex.test(line));
  switch (kind) {
    case "include":
      return joined(lines.filter((_, i) => fits[i]));
    case "exclude":
      return joined(lines.filter((_, i) => !fits[i]));
    case "begin": {
      const first = fits.indexOf(true);
      return joined(first < 0 ? [] : lines.slice(first));
    }
    case "section":
      return joined(lines.filter((_, i) => isInSection(lines, fits, i)));
    case "count":
      return `Number of lines which match regexp = ${fits.filter(Boolean).length}\n`;
  }
}

/**
 * In the regular expressions of IOS an underscore is any delimiter: blank, comma, brace, start or end. It fits itself, too:
 * the mnemonics of the log are full of it.
 */
function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern.replace(/_/g, "(?:^|$|[ ,{}()_])"));
  } catch {
    return undefined;
  }
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** A line belongs to the section of the nearest line above it that is less indented, and so on upwards. */
function isInSection(lines: readonly string[], fits: readonly boolean[], at: number): boolean {
  if (fits[at]) return true;
  let indent = indentOf(lines[at]!);
  for (let i = at - 1; i >= 0 && indent > 0; i--) {
    const own = indentOf(lines[i]!);
    if (own >= indent || lines[i] === "") continue;
    if (fits[i]) return true;
    indent = own;
  }
  return false;
}
