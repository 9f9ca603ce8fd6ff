/** The kinds of argument a command pattern can ask for: `<ipv4:address>`, `<10-60:seconds>`, `<line:text>`. */
import { lengthOfMask, parseIpv4 } from "../base/ipv4.ts";
import { portNumber } from "./names.ts";

export type Value = string | number;

export interface ValueKind {
  /** What `?` shows and error messages name. */
  readonly label: string;
  /** The value of a token, or undefined where the token does not fit. */
  readonly read: (token: string) => Value | undefined;
  /** Takes everything up to the end of the line, blanks and exclamation marks included. */
  readonly line?: boolean;
  /** An exclamation mark at the start belongs to the value and begins no comment. */
  readonly raw?: boolean;
  /** Smallest and largest number: a number outside is a range error rather than a stray word. */
  readonly range?: readonly [number, number];
}

const KINDS: Readonly<Record<string, ValueKind>> = {
  word: { label: "WORD", read: (token) => token },
  key: { label: "WORD", read: (token) => token, raw: true },
  line: { label: "LINE", read: (token) => token, line: true, raw: true },
  ipv4: { label: "A.B.C.D", read: parseIpv4 },
  mask: { label: "A.B.C.D", read: readMask },
  ipv6: { label: "X:X:X:X::X", read: readIpv6 },
  port: { label: "<0-65535> or a port name", read: portNumber, range: [0, 65535] },
};

/** The kind named `ipv4`, `word` ..., or the range `10-60`. Undefined for a name that nobody declared. */
export function valueKind(name: string): ValueKind | undefined {
  const range = /^(\d+)-(\d+)$/.exec(name);
  if (range === null) return KINDS[name];
  const least = Number(range[1]);
  const most = Number(range[2]);
  return { label: `<${name}>`, read: (token) => readNumber(token, least, most), range: [least, most] };
}

function readNumber(token: string, least: number, most: number): number | undefined {
  if (!/^\d{1,12}$/.test(token)) return undefined;
  const value = Number(token);
  return value < least || value > most ? undefined : value;
}

function readMask(token: string): number | undefined {
  const mask = parseIpv4(token);
  return mask === undefined || lengthOfMask(mask) === undefined ? undefined : mask;
}

/** Up to eight groups, one `::` at most; returned in lower case as typed, not shortened further. */
function readIpv6(token: string): string | undefined {
  const text = token.toLowerCase();
  if (!/^[0-9a-f:]+(?:\/\d{1,3})?$/.test(text) || !text.includes(":")) return undefined;
  const halves = text.split("/")[0]!.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const full = halves.length === 1 ? groups.length === 8 : groups.length < 8;
  return full && groups.every((group) => /^[0-9a-f]{1,4}$/.test(group)) ? text : undefined;
}
