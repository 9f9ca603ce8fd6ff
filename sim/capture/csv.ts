/** The comma-separated tables of Wireshark: cells in quotes or not, `#` begins a comment line. */

export interface CsvRow {
  /** From 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** All rows that are neither empty nor comments. Quotes inside quotes are doubled; white space around a cell goes. */
export function* csvRows(text: string): Generator<CsvRow> {
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!.trim();
    if (line !== "" && !line.startsWith("#")) yield { line: index + 1, cells: cellsOf(line) };
  }
}

export function csvQuoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}

function cellsOf(line: string): readonly string[] {
  const cells: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (isQuoted && character === '"' && line[at + 1] === '"') {
      cell += '"';
      at++;
    } else if (character === '"') isQuoted = !isQuoted;
    else if (character === "," && !isQuoted) {
      cells.push(cell.trim());
      cell = "";
    } else cell += character;
  }
  return [...cells, cell.trim()];
}
