/**
 * What an image with G-IKEv2 makes of a configuration that an older image has saved: every `gdoi` of a command becomes
 * `gkm`, key servers say which protocols they serve, members which one they speak. Groups go on with GDOI until somebody
 * configures otherwise.
 *
 *     crypto gdoi group g1              crypto gkm group g1
 *       identity 1111                     identity 1111
 *       server local            ->        server local
 *                                         gdoi
 *                                         no gikev2
 *
 * The text keeps its form otherwise, elisions and comments included. An upgraded text stays as it is. Mission document
 * on GETVPN G-IKEv2, "Migration Examples".
 */
import { globalMode } from "./grammar/global.ts";
import { groupModes } from "./grammar/group.ts";
import { serverMode } from "./grammar/server.ts";
import type { Mode } from "./grammar.ts";
import { readLine, type SourceLine } from "./lines.ts";
import { understandLine } from "./parse.ts";

const groupMode = groupModes[0]!;

/** A group while its lines are being read. */
interface OpenGroup {
  /** Index in the output behind the last line of the group. */
  end: number;
  /** What stands before the group's own commands. */
  indent: string;
  /** Index in the output behind `server local`; undefined on a member. */
  serverLocal: number | undefined;
  /** Indentation of `server local`. */
  serverIndent: string;
  isGdoiNamed: boolean;
  isGikev2Named: boolean;
  isProtocolNamed: boolean;
}

/** The configuration after the upgrade; line ends become `\n`. */
export function upgradeConfig(text: string): string {
  const out: string[] = [];
  let group: OpenGroup | undefined;
  const close = () => {
    if (group !== undefined) complete(out, group);
    group = undefined;
  };
  for (const raw of text.replace(/\r\n?/g, "\n").split("\n")) {
    const line = readLine(raw, 1);
    const words = wordsOf(line, globalMode);
    const isGroup = words[0] === "crypto" && words[2] === "group";
    if (group !== undefined && isInside(line, words)) {
      out.push(raw);
      if (line.tokens.length > 0) noteLine(group, line, raw, out.length);
      continue;
    }
    close();
    out.push(isGdoiCommand(words) ? withGkm(raw, line) : raw);
    if (isGroup) group = newGroup(out.length);
  }
  close();
  return out.join("\n");
}

/** The words of a line in full, where it is a command of the mode; empty otherwise. */
function wordsOf(line: SourceLine, mode: Mode): readonly string[] {
  if (line.tokens.length === 0) return [];
  const match = understandLine(line.text, "upgrade", mode);
  return match.ok ? match.args.words : [];
}

/** A group ends with the next command of the global mode or with a mark; what nobody knows is part of it. */
function isInside(line: SourceLine, words: readonly string[]): boolean {
  if (line.text.startsWith("!") || line.text === "end") return false;
  return words.length === 0 || (line.indent > 0 && words[0] !== "crypto");
}

function isGdoiCommand(words: readonly string[]): boolean {
  return words[0] === "crypto" && ["group", "map"].some((word) => words.includes(word)) && words.includes("gdoi");
}

/** The keyword is the one that begins with `gd`; names of groups and maps keep theirs. */
function withGkm(raw: string, line: SourceLine): string {
  const { tokens } = line;
  const isGroup = "group".startsWith(tokens[2]?.text.toLowerCase() ?? "-");
  // `crypto map NAME 10 gdoi` and `crypto map NAME gdoi fail-close`: the last such word behind the name.
  const index = isGroup ? 1 : tokens.findLastIndex(({ text }, i) => i > 2 && isGdoi(text));
  const token = tokens[index];
  if (token === undefined || !isGdoi(token.text)) return raw;
  return `${raw.slice(0, token.column - 1)}gkm${raw.slice(token.column - 1 + token.text.length)}`;
}

function isGdoi(text: string): boolean {
  return text.length >= 2 && "gdoi".startsWith(text.toLowerCase());
}

function newGroup(end: number): OpenGroup {
  return {
    end,
    indent: " ",
    serverLocal: undefined,
    serverIndent: " ",
    isGdoiNamed: false,
    isGikev2Named: false,
    isProtocolNamed: false,
  };
}

function noteLine(group: OpenGroup, line: SourceLine, raw: string, end: number): void {
  const words = wordsOf(line, groupMode).join(" ");
  group.end = end;
  if (words.startsWith("client protocol")) group.isProtocolNamed = true;
  if (words === "server local") {
    group.serverLocal = end;
    group.serverIndent = blanksBefore(raw);
  } else if (words !== "") group.indent = blanksBefore(raw);
  const inner = wordsOf(readLine(line.text.replace(/^no\s+/i, ""), 1), serverMode)[0];
  if (inner === "gdoi") group.isGdoiNamed = true;
  if (inner === "gikev2" || /^no\s+gik/i.test(line.text)) group.isGikev2Named = true;
}

function blanksBefore(raw: string): string {
  return /^\s*/.exec(raw)![0];
}

/** Adds what the new image says by itself. The document indents the two lines like `server local`. */
function complete(out: string[], group: OpenGroup): void {
  const { serverLocal, serverIndent } = group;
  if (serverLocal === undefined) {
    if (!group.isProtocolNamed) out.splice(group.end, 0, `${group.indent}client protocol gdoi`);
    return;
  }
  const lines = [
    ...(group.isGdoiNamed ? [] : [`${serverIndent}gdoi`]),
    ...(group.isGikev2Named ? [] : [`${serverIndent}no gikev2`]),
  ];
  out.splice(serverLocal, 0, ...lines);
}
