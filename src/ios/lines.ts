/** Configuration text cut into lines and words: line ends of all kinds, tabs, pasted prompts, comments. */

export interface Token {
  readonly text: string;
  /** Counts from 1 in the line of the file, prompt and indentation included. */
  readonly column: number;
  /** True for a word behind `key`, `pre-shared-key` and the like: it is never repeated in a message. */
  readonly secretive: boolean;
}

export interface SourceLine {
  /** Counts from 1. */
  readonly line: number;
  /** The command without prompt, without blanks around it. */
  readonly text: string;
  /** Column of the first character of `text`. */
  readonly column: number;
  /** Blanks before the command; a tab reaches to the next multiple of eight. */
  readonly indent: number;
  /** Mode in a pasted prompt: `config-if` of `R1(config-if)#`, `exec` of `R1#` and `R1>`. */
  readonly promptMode?: string;
  readonly tokens: readonly Token[];
}

const PROMPT = /^[ \t]*[A-Za-z][\w.-]{0,62}(?:\(([\w-]+)\)#|[#>])[ \t]*/;

/** All lines of a text. A byte order mark and carriage returns are dropped. */
export function splitLines(text: string): SourceLine[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  return lines.map((line, i) => readLine(line, i + 1));
}

/** One line, cut into words at blanks and tabs. */
export function readLine(raw: string, line: number): SourceLine {
  const prompt = PROMPT.exec(raw);
  const start = prompt === null ? 0 : prompt[0].length;
  const body = raw.slice(start);
  const text = body.trim();
  const lead = body.length - body.trimStart().length;
  const column = start + lead + 1;
  return {
    line,
    text,
    column,
    indent: prompt === null ? widthOf(body.slice(0, lead)) : 0,
    promptMode: prompt === null ? undefined : (prompt[1] ?? "exec"),
    tokens: tokenize(text, column),
  };
}

function widthOf(blanks: string): number {
  let width = 0;
  for (const blank of blanks) width = blank === "\t" ? (Math.floor(width / 8) + 1) * 8 : width + 1;
  return width;
}

const KEY_WORD = /^(?:key|pre-shared-key|password|secret|community|key-string)$/i;
const BEFORE_KEY = /^(?:0|6|7|local|remote)$/i;

function tokenize(text: string, column: number): Token[] {
  const tokens: Token[] = [];
  let awaited = false;
  for (const match of text.matchAll(/\S+/g)) {
    const secretive: boolean = awaited && !BEFORE_KEY.test(match[0]);
    tokens.push({ text: match[0], column: column + match.index, secretive });
    awaited = KEY_WORD.test(match[0]) || (awaited && !secretive);
  }
  return tokens;
}

/** The line without anything that may be a key: for reports of lines that are left aside. */
export function withoutKeys(text: string): string {
  return text.replace(
    /\b(key-string|pre-shared-key|key|password|secret|community)(\s+[0-9](?=\s))?\s+(?!generate\b|import\b|export\b|zeroize\b|pubkey-chain\b|chain\b|address\b|hostname\b|local\b|remote\b)\S+/gi,
    "$1$2 <removed>",
  );
}
