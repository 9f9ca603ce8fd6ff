/** What an operator types at the exec prompt, read with the same patterns as the configuration. */
import { formatIpv4, type Ipv4 } from "../base/ipv4.ts";
import type { Args } from "./args.ts";
import { DEFAULTS } from "./defaults.ts";
import { INCOMPLETE, INVALID_INPUT, type IosError } from "./iosError.ts";
import { readLine } from "./lines.ts";
import { matchLine } from "./match.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

/** `| include TEXT` and its relatives behind a show command. */
export interface OutputFilter {
  readonly kind: "include" | "exclude" | "begin" | "section" | "count";
  /** A regular expression as typed. */
  readonly text: string;
}

/** Addresses of both ends of an SA; absent: any. */
interface SaEnds {
  readonly local?: string;
  readonly remote?: string;
}

export interface Ping {
  readonly kind: "ping";
  readonly destination: Ipv4;
  readonly sourceAddress?: Ipv4;
  /** Canonical name. */
  readonly sourceInterface?: string;
  readonly repeat: number;
  /** Octets of the IP packet. */
  readonly size: number;
  readonly timeoutSeconds: number;
  readonly dontFragment: boolean;
}

/** `group` absent: all groups. */
export type ExecCommand =
  | { readonly kind: "rekey"; readonly group?: string; readonly replaceNow: boolean }
  | { readonly kind: "clearGroups"; readonly group?: string }
  | { readonly kind: "clearMembers"; readonly group?: string; readonly now: boolean }
  /** Not in IOS, which can only clear all members: puts one member out, `bar` for good. `member`: its address. */
  | {
      readonly kind: "evictMember";
      readonly group?: string;
      readonly member: string;
      readonly now: boolean;
      readonly bar: boolean;
    }
  | { readonly kind: "clearMemberCounters"; readonly group?: string }
  | { readonly kind: "clearPolicy"; readonly group?: string }
  | { readonly kind: "clearCoop"; readonly what: "role" | "counters"; readonly group?: string }
  | { readonly kind: "clearReplayCounter"; readonly group?: string }
  /** `peer`: an address, 0.0.0.0 for that of groups; absent: all. */
  | { readonly kind: "clearIpsecSas"; readonly peer?: string }
  /** `connection`: number as `show crypto isakmp sa` lists it. */
  | { readonly kind: "clearIsakmp"; readonly connection?: number }
  | ({ readonly kind: "clearIkev2Sas" } & SaEnds)
  | ({ readonly kind: "clearSessions" } & SaEnds)
  | {
      readonly kind: "direction";
      readonly group?: string;
      readonly direction: "both" | "inbound-only" | "inbound-optional";
    }
  | Ping
  /** `words` begin behind `show`, keywords in full: `crypto gkm ks members`. */
  | { readonly kind: "show"; readonly words: readonly string[]; readonly filter?: OutputFilter }
  | { readonly kind: "debug"; readonly words: readonly string[]; readonly on: boolean }
  | { readonly kind: "configure" }
  | { readonly kind: "write" }
  | { readonly kind: "enable" }
  /** `terminal length 0` and the like: nothing here is paged or wrapped. */
  | { readonly kind: "terminal" }
  | { readonly kind: "leave" };

interface ExecRow {
  readonly pattern: Pattern;
  build(args: Args): ExecCommand;
}

function row(pattern: string, build: (args: Args) => ExecCommand): ExecRow {
  return { pattern: compilePattern(pattern), build };
}

/** The two words are synonyms in every command of an upgraded image. */
const GKM = "{gkm | gdoi}";
const GROUP = "[group <word:group>]";

function groupOf(args: Args): { readonly group?: string } {
  return { group: args.text("group") };
}

const SA_ENDS = "local <ipv4:local> | remote <ipv4:remote>";

const clearRows: readonly ExecRow[] = [
  row(`clear crypto ${GKM} ${GROUP}`, (args) => ({ kind: "clearGroups", ...groupOf(args) })),
  row(`clear crypto ${GKM} ${GROUP} ks members [now:{now}]`, membersOf),
  row(`clear crypto ${GKM} ks members [group <word:group> | now:{now}]...`, membersOf),
  row(`clear crypto ${GKM} ${GROUP} ks members counters`, (args) => ({
    kind: "clearMemberCounters",
    ...groupOf(args),
  })),
  row(`clear crypto ${GKM} ${GROUP} ks policy`, (args) => ({ kind: "clearPolicy", ...groupOf(args) })),
  row(`clear crypto ${GKM} ${GROUP} ks coop what:{role | counters}`, (args) => ({
    kind: "clearCoop",
    what: args.text<"role" | "counters">("what")!,
    ...groupOf(args),
  })),
  row(`clear crypto ${GKM} ${GROUP} replay counter`, (args) => ({ kind: "clearReplayCounter", ...groupOf(args) })),
  row("clear crypto sa [peer <ipv4:peer>]", (args) => ({ kind: "clearIpsecSas", peer: addressOf(args, "peer") })),
  row("clear crypto isakmp [<1-2147483647:connection>]", (args) => ({
    kind: "clearIsakmp",
    connection: args.number("connection"),
  })),
  row(`clear crypto ikev2 sa [${SA_ENDS}]...`, (args) => ({ kind: "clearIkev2Sas", ...endsOf(args) })),
  row(`clear crypto session [${SA_ENDS}]...`, (args) => ({ kind: "clearSessions", ...endsOf(args) })),
];

function addressOf(args: Args, name: string): string | undefined {
  const address = args.number(name);
  return address === undefined ? undefined : formatIpv4(address);
}

function endsOf(args: Args): SaEnds {
  return { local: addressOf(args, "local"), remote: addressOf(args, "remote") };
}

function membersOf(args: Args): ExecCommand {
  return { kind: "clearMembers", now: args.has("now"), ...groupOf(args) };
}

const groupRows: readonly ExecRow[] = [
  row(`crypto ${GKM} ${GROUP} ks rekey [replace-now:{replace-now}]`, rekeyOf),
  row(`crypto ${GKM} ks rekey [group <word:group> | replace-now:{replace-now}]...`, rekeyOf),
  row(`crypto ${GKM} ${GROUP} ks evict <ipv4:member> [now:{now} | bar:{bar}]...`, (args) => ({
    kind: "evictMember",
    member: formatIpv4(args.number("member")!),
    now: args.has("now"),
    bar: args.has("bar"),
    ...groupOf(args),
  })),
  row(`crypto ${GKM} gm ${GROUP} ipsec direction direction:{both | inbound only | inbound optional}`, (args) => ({
    kind: "direction",
    direction: args.text<"both" | "inbound-only" | "inbound-optional">("direction")!,
    ...groupOf(args),
  })),
];

function rekeyOf(args: Args): ExecCommand {
  return { kind: "rekey", replaceNow: args.has("replace-now"), ...groupOf(args) };
}

const PING_OPTION =
  "source {<interface:sourceInterface> | <ipv4:sourceAddress>} | repeat <1-2147483647:repeat> | size <36-18024:size> | " +
  "timeout <0-3600:timeout> | df-bit:{df-bit}";

const otherRows: readonly ExecRow[] = [
  row(`ping [ip] <ipv4:destination> [${PING_OPTION}]...`, (args) => ({
    kind: "ping",
    destination: args.number("destination")!,
    sourceAddress: args.number("sourceAddress"),
    sourceInterface: args.text("sourceInterface"),
    repeat: args.number("repeat") ?? DEFAULTS.ping.repeat,
    size: args.number("size") ?? DEFAULTS.ping.size,
    timeoutSeconds: args.number("timeout") ?? DEFAULTS.ping.timeoutSeconds,
    dontFragment: args.has("df-bit"),
  })),
  row("configure terminal", () => ({ kind: "configure" })),
  row("write [memory]", () => ({ kind: "write" })),
  row("copy running-config startup-config", () => ({ kind: "write" })),
  row("enable", () => ({ kind: "enable" })),
  row("terminal {length <0-512:lines> | width <0-512:columns>}", () => ({ kind: "terminal" })),
  row("exit", () => ({ kind: "leave" })),
  row("logout", () => ({ kind: "leave" })),
];

/** `debug` and its `no`, `undebug` forms. */
const DEBUG_WHAT = "{rekey | registration | coop | acls | infrastructure | replay | all-features}";
const DEBUG_LEVEL = "{error | terse | event | detail | packet | all-levels}";
const debugRows: readonly ExecRow[] = ["debug", "undebug", "no debug"].flatMap((verb) => {
  const lead = verb.split(" ").length;
  const build = (args: Args): ExecCommand => ({ kind: "debug", words: args.words.slice(lead), on: verb === "debug" });
  return [row(`${verb} crypto ${GKM} [{ks | gm} [${DEBUG_WHAT} [${DEBUG_LEVEL}]]]`, build), row(`${verb} all`, build)];
});

const SHOW_PATTERNS: readonly string[] = [
  `crypto ${GKM} ${GROUP}`,
  `crypto ${GKM} ${GROUP} ks [detail | policy | acl | rekey | replay]`,
  `crypto ${GKM} ${GROUP} ks members [<ipv4:member>] [summary]`,
  `crypto ${GKM} ${GROUP} ks coop [detail | version | identifier [detail]]`,
  `crypto ${GKM} ${GROUP} ks identifier [detail]`,
  `crypto ${GKM} ${GROUP} gm [acl [local | download] | pubkey | replay | dataplane counters]`,
  `crypto ${GKM} ${GROUP} gm {rekey | identifier} [detail]`,
  `crypto ${GKM} feature [<word:feature>]`,
  `crypto ${GKM} ipsec sa`,
  `crypto ${GKM} rekey sa [detail]`,
  "crypto ikev2 sa [local <ipv4:local> | remote <ipv4:remote>]... [detailed]",
  "crypto ikev2 {proposal | policy | profile} [<word:name>]",
  "crypto ikev2 stats",
  "crypto isakmp {sa [detail] | policy | key | profile}",
  "crypto ipsec sa [peer <ipv4:peer> | interface <interface:name>] [detail]",
  "crypto ipsec {transform-set | profile} [<word:name>]",
  "crypto session [local <ipv4:local> | remote <ipv4:remote>]... [detail]",
  "crypto map [tag <word:name> | interface <interface:name>]",
  "crypto key mypubkey rsa [<word:label>]",
  "crypto pki {certificates [<word:trustpoint>] | trustpoints}",
  "access-lists [<word:name>]",
  "ip access-lists [<word:name>]",
  "ip interface brief",
  "ip nat translations",
  "ip route",
  "interfaces [<interface:name>]",
  "running-config [interface <interface:name>]",
  "clock [detail]",
  "version",
  "logging",
];

const showRows: readonly ExecRow[] = SHOW_PATTERNS.map((pattern) =>
  row(`show ${pattern}`, (args) => ({ kind: "show", words: args.words.slice(1) })),
);

/** All exec commands; `?` and Tab walk the same table. */
export const execRows: readonly ExecRow[] = [...groupRows, ...clearRows, ...showRows, ...debugRows, ...otherRows];

const FILTERS: readonly OutputFilter["kind"][] = ["include", "exclude", "begin", "section", "count"];

/**
 * Reads one line typed at the exec prompt (a pasted prompt is passed over). Returns the command, or the error that IOS
 * prints; `code` tells them apart. Never throws for text.
 */
export function parseExec(text: string): ExecCommand | IosError {
  const line = readLine(text, 1);
  const bar = line.tokens.findIndex((token) => token.text === "|");
  const tokens = bar < 0 ? line.tokens : line.tokens.slice(0, bar);
  if (tokens.length === 0) return { code: "iosIncomplete", message: INCOMPLETE, column: line.column };
  const match = matchLine(execRows, { tokens, text: line.text, column: line.column, file: "exec", line: 1 });
  if (!match.ok) return match.error;
  const command = match.row.build(match.args);
  if (bar < 0) return command;
  if (command.kind !== "show") return invalidBar(line.tokens[bar]!.column);
  const filter = filterOf(
    line.text,
    line.tokens.slice(bar + 1).map((token) => token.text),
  );
  return filter === undefined
    ? { code: "iosIncomplete", message: INCOMPLETE, column: line.column + line.text.length }
    : { ...command, filter };
}

function invalidBar(column: number): IosError {
  return { code: "iosInvalidInput", message: INVALID_INPUT, column, found: "|" };
}

function filterOf(text: string, words: readonly string[]): OutputFilter | undefined {
  const kind = words[0] === undefined ? undefined : FILTERS.find((one) => one.startsWith(words[0]!.toLowerCase()));
  if (kind === undefined || words.length < 2) return undefined;
  const behindBar = text.slice(text.indexOf("|") + 1).trimStart();
  return { kind, text: behindBar.slice(words[0]!.length).trimStart() };
}

/** True for what `parseExec` returns when a line is no command. */
export function isIosError(result: ExecCommand | IosError): result is IosError {
  return "code" in result;
}
