/** `ip nat`: which addresses a router changes, and how long it remembers. Pools and lists are looked up by name. */

import type { Args } from "../args.ts";
import { DEFAULTS } from "../defaults.ts";
import { type CommandSpec, leftAside, obtain } from "../grammar.ts";
import type { IosConfig, NatStatic } from "../model.ts";

const SOURCE = "ip nat inside source";
const UNMODELLED = "only sources on the inside are translated here, and packets would pass otherwise than on the box";

function staticOf(args: Args): NatStatic {
  const protocol = args.text<"tcp" | "udp">("protocol");
  const at = args.at;
  const addresses = { local: args.number("local")!, global: args.number("global")! };
  if (protocol === undefined) return { ...addresses, at };
  return {
    ...addresses,
    ports: { protocol, local: args.number("localPort")!, global: args.number("globalPort")! },
    at,
  };
}

function isSame(a: NatStatic, b: NatStatic): boolean {
  return (
    a.local === b.local &&
    a.global === b.global &&
    a.ports?.protocol === b.ports?.protocol &&
    a.ports?.local === b.ports?.local &&
    a.ports?.global === b.ports?.global
  );
}

function addStatic(target: IosConfig, args: Args): void {
  removeStatic(target, args);
  target.nat.statics.push(staticOf(args));
}

function removeStatic(target: IosConfig, args: Args): void {
  const gone = staticOf(args);
  target.nat.statics = target.nat.statics.filter((known) => !isSame(known, gone));
}

function addSource(target: IosConfig, args: Args): void {
  const acl = args.reference("acl")!;
  target.nat.sources = target.nat.sources.filter((known) => known.acl.name !== acl.name);
  const pool = args.reference("pool");
  const port = args.reference("interface");
  target.nat.sources.push({
    acl,
    ...(pool === undefined ? {} : { pool }),
    ...(port === undefined ? {} : { interface: port }),
    overload: args.has("overload"),
    at: args.at,
  });
}

const TIMEOUTS = [
  ["timeout", "timeoutSeconds"],
  ["udp-timeout", "udpSeconds"],
  ["tcp-timeout", "tcpSeconds"],
  ["icmp-timeout", "icmpSeconds"],
] as const;

export const natCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: `${SOURCE} static <ipv4:local> <ipv4:global>`,
    noExact: true,
    set: addStatic,
    no: removeStatic,
  },
  {
    pattern:
      `${SOURCE} static protocol:{tcp | udp} <ipv4:local> <1-65535:localPort> <ipv4:global> <1-65535:globalPort> ` +
      "[extendable]",
    noExact: true,
    set: addStatic,
    no: removeStatic,
  },
  {
    pattern: `${SOURCE} list <word:acl> {interface <interface:interface> | pool <word:pool>} [overload:{overload}]`,
    noExact: true,
    set: addSource,
    no(target, args) {
      target.nat.sources = target.nat.sources.filter(({ acl }) => acl.name !== args.text("acl"));
    },
  },
  {
    pattern: "ip nat pool <word:name> <ipv4:first> <ipv4:last> {netmask <mask:mask> | prefix-length <1-32:length>}",
    noExact: true,
    set(target, args, session) {
      const name = args.text("name")!;
      const first = args.number("first")!;
      const last = args.number("last")!;
      if (last < first) session.refuse("iosRefused", args, "last", "%End address less than start address");
      else {
        target.nat.pools.delete(name);
        const length = args.number("length");
        const mask = args.number("mask") ?? (0xffffffff << (32 - length!)) >>> 0;
        obtain(target.nat.pools, name, () => ({ name, first, last, mask, at: args.at }));
      }
    },
    no(target, args) {
      target.nat.pools.delete(args.text("name")!);
    },
  },
  ...TIMEOUTS.map(
    ([word, key]): CommandSpec<IosConfig> => ({
      pattern: `ip nat translation ${word} <1-2147483647:seconds>`,
      set(target, args) {
        target.nat[key] = args.number("seconds")!;
      },
      no(target) {
        target.nat[key] = DEFAULTS.nat[key];
      },
    }),
  ),
  ...leftAside("it changes nothing about which packets are translated", [
    "ip nat log <line:text>",
    "ip nat service <line:text>",
    "ip nat translation max-entries <line:text>",
  ]),
  ...["ip nat outside source <line:rest>", "ip nat inside destination <line:rest>"].map((pattern) => ({
    pattern,
    unsupported: UNMODELLED,
  })),
];
