/** Access lists: named and numbered, standard and extended, with sequence numbers and remarks. */
import type { Args } from "../args.ts";
import { type CommandSpec, defineMode, obtain, type Session } from "../grammar.ts";
import type { AccessList, AclEntry, AddressMatch, IosConfig, PortMatch } from "../model.ts";
import { ICMP_NAMES, icmpMessage, PROTOCOLS, type ProtocolName } from "../names.ts";

const SEQUENCE = "[<1-2147483647:sequence>] ";
const ACTION = "action:{permit | deny}";

function addressPattern(name: string): string {
  return `{any | host <ipv4:${name}> | <ipv4:${name}> <ipv4:${name}Wildcard>}`;
}

function portPattern(name: string): string {
  return (
    `[${name}Operator:{eq | neq} <port:${name}Port>... | ${name}Operator:{gt | lt} <port:${name}Port> | ` +
    `${name}Operator:{range} <port:${name}Port> <port:${name}Port>]`
  );
}

/** Qualifiers that narrow an entry in ways that a stateless match on addresses and ports cannot follow. */
const QUALIFIERS =
  "[qualifier:{established | fragments | ack | fin | psh | rst | syn | urg} | " +
  "qualifier:{dscp | precedence | tos | time-range} <word:qualifierValue>]...";
const TAIL = `${QUALIFIERS} [log:{log | log-input}]`;
const OTHER_PROTOCOLS = ["ip", ...Object.keys(PROTOCOLS)].filter((name) => !["tcp", "udp", "icmp"].includes(name));
const ICMP_MESSAGE = `[message:{${ICMP_NAMES.join(" | ")}} | <0-255:icmpType> [<0-255:icmpCode>]]`;

const ENDS = { source: addressPattern("source"), destination: addressPattern("destination") };

/** What may follow the name or number of an extended list. */
const EXTENDED: readonly string[] = [
  `${ACTION} protocol:{tcp | udp} ${ENDS.source} ${portPattern("source")} ` +
    `${ENDS.destination} ${portPattern("destination")} ${TAIL}`,
  `${ACTION} protocol:{icmp} ${ENDS.source} ${ENDS.destination} ${ICMP_MESSAGE} ${TAIL}`,
  `${ACTION} {protocol:{${OTHER_PROTOCOLS.join(" | ")}} | <0-255:protocolNumber>} ` +
    `${ENDS.source} ${ENDS.destination} ${TAIL}`,
];

const STANDARD = `${ACTION} {any | host <ipv4:source> | <ipv4:source> [<ipv4:sourceWildcard>]} [log:{log}]`;

function addressOf(args: Args, name: string): AddressMatch {
  const address = args.number(name);
  return address === undefined
    ? { address: 0, wildcard: 0xffffffff }
    : { address, wildcard: args.number(`${name}Wildcard`) ?? 0 };
}

function portOf(args: Args, name: string): PortMatch | undefined {
  const operator = args.text<"eq" | "neq" | "gt" | "lt" | "range">(`${name}Operator`);
  const ports = args.numbers(`${name}Port`);
  if (operator === undefined) return undefined;
  if (operator === "eq" || operator === "neq") return { operator, ports };
  if (operator === "range") return { operator, from: Math.min(...ports), to: Math.max(...ports) };
  return { operator, port: ports[0]! };
}

function protocolOf(args: Args): number | "ip" {
  const name = args.text<ProtocolName | "ip">("protocol");
  if (name === undefined) return args.number("protocolNumber") ?? "ip";
  return name === "ip" ? "ip" : PROTOCOLS[name];
}

const STEP = 10;

function entryOf(list: AccessList, args: Args): AclEntry {
  const last = list.entries[list.entries.length - 1];
  const message = icmpMessage(args.text("message") ?? "");
  return {
    sequence: args.number("sequence") ?? (last === undefined ? STEP : (Math.floor(last.sequence / STEP) + 1) * STEP),
    action: args.text<"permit" | "deny">("action")!,
    protocol: protocolOf(args),
    source: addressOf(args, "source"),
    sourcePort: portOf(args, "source"),
    destination: addressOf(args, "destination"),
    destinationPort: portOf(args, "destination"),
    icmpType: message?.type ?? args.number("icmpType"),
    icmpCode: message === undefined ? args.number("icmpCode") : message.code,
    log: args.text<"log" | "log-input">("log"),
    remarks: list.trailingRemarks,
    at: args.at,
  };
}

function addEntry(list: AccessList, args: Args, session: Session): void {
  if (args.has("qualifier")) {
    const word = args.text("qualifier")!;
    session.refuse("iosUnsupported", args, "qualifier", `"${word}" cannot be honoured: entries match statelessly`);
    return;
  }
  const entry = entryOf(list, args);
  const last = list.entries[list.entries.length - 1];
  if (last === undefined || entry.sequence > last.sequence) list.entries.push(entry);
  else if (list.entries.some((known) => known.sequence === entry.sequence)) {
    session.refuse("iosRefused", args, "sequence", `% Duplicate sequence number ${entry.sequence}`);
    return;
  } else {
    const at = list.entries.findIndex((known) => known.sequence > entry.sequence);
    list.entries.splice(at, 0, entry);
  }
  list.trailingRemarks = [];
}

function removeEntry(list: AccessList, args: Args): void {
  const wanted = entryOf(list, args);
  const same = (known: AclEntry) => comparable(known) === comparable(wanted);
  const at = list.entries.findIndex(same);
  if (at >= 0) list.entries.splice(at, 1);
}

/** All that decides about a match, as text. */
function comparable(entry: AclEntry): string {
  const { action, protocol, source, sourcePort, destination, destinationPort, icmpType, icmpCode } = entry;
  return JSON.stringify([action, protocol, source, sourcePort, destination, destinationPort, icmpType, icmpCode]);
}

function entryCommands(patterns: readonly string[]): CommandSpec<AccessList>[] {
  return [
    ...patterns.map(
      (pattern): CommandSpec<AccessList> => ({
        pattern: SEQUENCE + pattern,
        noExact: true,
        set: addEntry,
        no: removeEntry,
      }),
    ),
    {
      pattern: "<1-2147483647:sequence>",
      noExact: true,
      no(target, args) {
        target.entries = target.entries.filter((entry) => entry.sequence !== args.number("sequence"));
      },
    },
    {
      pattern: "remark <line:text>",
      noExact: true,
      set: (target, args) => {
        target.trailingRemarks = [...target.trailingRemarks, args.text("text")!];
      },
      no(target, args) {
        const keep = (remark: string) => remark !== args.text("text");
        target.trailingRemarks = target.trailingRemarks.filter(keep);
        target.entries = target.entries.map((entry) => ({ ...entry, remarks: entry.remarks.filter(keep) }));
      },
    },
  ];
}

const modes = {
  extended: defineMode("access list", "config-ext-nacl", true, entryCommands(EXTENDED)),
  standard: defineMode("standard access list", "config-std-nacl", true, entryCommands([STANDARD])),
};

function listOf(config: IosConfig, name: string, kind: AccessList["kind"], args: Args): AccessList {
  return obtain(config.accessLists, name, () => ({ name, kind, at: args.at, entries: [], trailingRemarks: [] }));
}

/** `access-list 101 permit ...`: the whole entry in one line. */
function numbered(range: string, kind: AccessList["kind"], patterns: readonly string[]): CommandSpec<IosConfig>[] {
  return patterns.map((pattern) => ({
    pattern: `access-list <${range}:list> ${pattern}`,
    set: (target, args, session) => addEntry(listOf(target, args.text("list")!, kind, args), args, session),
    no: (target, args) => {
      target.accessLists.delete(args.text("list")!);
    },
    noExact: true,
  }));
}

export const accessListCommands: CommandSpec<IosConfig>[] = [
  ...(["extended", "standard"] as const).map(
    (kind): CommandSpec<IosConfig> => ({
      pattern: `ip access-list ${kind} <word:name>`,
      noExact: true,
      enter(target, args, session) {
        const list = listOf(target, args.text("name")!, kind, args);
        if (list.kind !== kind) {
          session.refuse(
            "iosRefused",
            args,
            "name",
            `% A named ${list.kind} IP access list with this name already exists`,
          );
        }
        return { mode: modes[list.kind], target: list };
      },
      no: (target, args) => {
        target.accessLists.delete(args.text("name")!);
      },
    }),
  ),
  {
    pattern: "ip access-list resequence <word:name> <1-2147483647:start> <1-2147483647:step>",
    set(target, args) {
      const list = target.accessLists.get(args.text("name")!);
      const sequence = (i: number) => args.number("start")! + i * args.number("step")!;
      if (list !== undefined) list.entries = list.entries.map((entry, i) => ({ ...entry, sequence: sequence(i) }));
    },
  },
  ...["100-199", "2000-2699"].flatMap((range) => numbered(range, "extended", EXTENDED)),
  ...["1-99", "1300-1999"].flatMap((range) => numbered(range, "standard", [STANDARD])),
  ...(["1-99", "1300-1999", "100-199", "2000-2699"] as const).flatMap((range): CommandSpec<IosConfig>[] => [
    {
      pattern: `access-list <${range}:list> remark <line:text>`,
      set(target, args) {
        const number = args.number("list")!;
        const kind = number <= 99 || (number >= 1300 && number <= 1999) ? "standard" : "extended";
        const list = listOf(target, String(number), kind, args);
        list.trailingRemarks = [...list.trailingRemarks, args.text("text")!];
      },
    },
    {
      pattern: `access-list <${range}:list>`,
      noExact: true,
      no: (target, args) => {
        target.accessLists.delete(args.text("list")!);
      },
    },
  ]),
];

export const accessListModes = [modes.extended, modes.standard];
