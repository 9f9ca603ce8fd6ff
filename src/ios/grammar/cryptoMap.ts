/**
 * `crypto map`: attaches a router to a group as a member, or makes tunnels with single peers (`ipsec-isakmp`). Other kinds
 * of entries are known by number only.
 */
import type { Args } from "../args.ts";
import { DEFAULTS, newCryptoMap, newTunnelEntry } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtain, obtainOrdered, sectionsAside } from "../grammar.ts";
import { shortInterface } from "../interfaceName.ts";
import type { CryptoMap, FailClose, GkmMapEntry, IosConfig, TunnelMapEntry } from "../model.ts";
import { PFS_GROUPS, pfsGroupOf } from "./ipsec.ts";

const matchAddress: CommandSpec<GkmMapEntry | TunnelMapEntry | FailClose> = {
  pattern: "match address <word:acl>",
  set(target, args) {
    target.acl = args.reference("acl");
  },
  no(target) {
    target.acl = undefined;
  },
};

const entryMode = defineMode<GkmMapEntry>("crypto map entry", "config-crypto-map", true, [
  {
    pattern: "set group <word:name>",
    set(target, args) {
      target.group = args.reference("name");
    },
    no(target) {
      target.group = undefined;
    },
  },
  matchAddress as CommandSpec<GkmMapEntry>,
  {
    pattern: "set isakmp-profile <word:name>",
    set(target, args) {
      target.isakmpProfile = args.reference("name");
    },
    no(target) {
      target.isakmpProfile = undefined;
    },
  },
  { pattern: "description <line:text>", aside: "a note of the author" },
]);

const tunnelMode = defineMode<TunnelMapEntry>("crypto map tunnel entry", "config-crypto-map", true, [
  {
    pattern: "set peer <ipv4:peer> [default]",
    set(target, args, session) {
      const value = args.number("peer")!;
      if (target.peer !== undefined && target.peer.value !== value) {
        session.refuse("iosUnsupported", args, "peer", "A second peer as a spare is not modelled.");
      } else target.peer = { value, at: args.place("peer") };
    },
    no(target) {
      target.peer = undefined;
    },
  },
  {
    pattern: "set transform-set <word:names>...",
    set(target, args) {
      target.transformSets = args.references("names");
    },
    no(target) {
      target.transformSets = [];
    },
  },
  {
    pattern: "set ikev2-profile <word:name>",
    set(target, args) {
      target.ikev2Profile = args.reference("name");
    },
    no(target) {
      target.ikev2Profile = undefined;
    },
  },
  {
    pattern: `set pfs [group:{${PFS_GROUPS}}]`,
    set(target, args) {
      target.pfsGroup = pfsGroupOf(args);
    },
    no(target) {
      target.pfsGroup = undefined;
    },
  },
  {
    pattern: "set security-association lifetime seconds <120-2592000:seconds>",
    set(target, args) {
      target.lifetimeSeconds = args.number("seconds")!;
    },
    no(target) {
      target.lifetimeSeconds = DEFAULTS.ipsecProfile.lifetimeSeconds;
    },
  },
  matchAddress as CommandSpec<TunnelMapEntry>,
  { pattern: "description <line:text>", aside: "a note of the author" },
  ...leftAside("lifetimes count seconds, and SAs stay until they are deleted", [
    "set security-association lifetime kilobytes {disable | <2560-4294967295:kilobytes>}",
    "set security-association idle-time <60-86400:seconds> [default]",
    "set security-association replay <line:text>",
  ]),
  ...leftAside("it is about IKEv1, and tunnels are made by IKEv2", ["set isakmp-profile <word:name>"]),
  ...leftAside("routes are those of the scenario", ["reverse-route [<line:text>]", "set reverse-route <line:text>"]),
]);

const failCloseMode = defineMode<FailClose>("fail-close", "crypto-map-fail-close", true, [
  {
    pattern: "activate",
    set(target) {
      target.activated = true;
    },
    no(target) {
      target.activated = false;
    },
  },
  matchAddress as CommandSpec<FailClose>,
]);

const MAP = "crypto map [family:{ipv6}] <word:name>";

function mapOf(config: IosConfig, args: Args): CryptoMap {
  const name = args.text("name")!;
  return obtain(config.cryptoMaps, name, () => newCryptoMap(name, args.has("family") ? "ipv6" : "ipv4", args.at));
}

export const cryptoMapCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: `${MAP} <1-65535:sequence> keyword:{gkm | gdoi}`,
    noExact: true,
    enter(target, args) {
      const sequence = args.number("sequence")!;
      const keyword = args.text<GkmMapEntry["keyword"]>("keyword")!;
      const make = (): GkmMapEntry => ({ sequence, keyword, at: args.at });
      return { mode: entryMode, target: obtainOrdered(mapOf(target, args).entries, sequence, make) };
    },
    no: removeEntry,
  },
  {
    // An entry that exists can be entered again without its kind.
    pattern: `${MAP} <1-65535:sequence>`,
    noExact: true,
    enter(target, args, session) {
      const map = target.cryptoMaps.get(args.text("name")!);
      const entry = map?.entries.get(args.number("sequence")!);
      if (entry !== undefined) return { mode: entryMode, target: entry };
      const tunnel = map?.tunnels.get(args.number("sequence")!);
      if (tunnel !== undefined) return { mode: tunnelMode, target: tunnel };
      session.refuse("iosRefused", args, "sequence", "% Incomplete command.");
      return undefined;
    },
    no: removeEntry,
  },
  {
    pattern: `${MAP} {gkm | gdoi} fail-close`,
    noExact: true,
    enter(target, args) {
      const map = mapOf(target, args);
      map.failClose ??= { at: args.at, activated: false };
      return { mode: failCloseMode, target: map.failClose };
    },
    no(target, args) {
      const map = target.cryptoMaps.get(args.text("name")!);
      if (map !== undefined) map.failClose = undefined;
    },
  },
  {
    pattern: `${MAP} local-address <interface:interface>`,
    set(target, args) {
      mapOf(target, args).localAddress = args.reference("interface");
    },
    no(target, args) {
      const map = target.cryptoMaps.get(args.text("name") ?? "");
      if (map !== undefined) map.localAddress = undefined;
    },
  },
  {
    pattern: `${MAP} isakmp-profile <word:profile>`,
    set(target, args) {
      mapOf(target, args).isakmpProfile = args.reference("profile");
    },
    no(target, args) {
      const map = target.cryptoMaps.get(args.text("name") ?? "");
      if (map !== undefined) map.isakmpProfile = undefined;
    },
  },
  {
    pattern: `${MAP} <1-65535:sequence> ipsec-isakmp`,
    noExact: true,
    enter(target, args) {
      const sequence = args.number("sequence")!;
      const { tunnels } = mapOf(target, args);
      return { mode: tunnelMode, target: obtainOrdered(tunnels, sequence, () => newTunnelEntry(sequence, args.at)) };
    },
    no: removeEntry,
  },
  {
    pattern: `${MAP} <1-65535:sequence> {ipsec-isakmp | ipsec-manual} [<line:rest>]`,
    noExact: true,
    aside: "only entries for groups and for single peers are modelled",
    section: true,
    set(target, args) {
      mapOf(target, args).otherEntries.set(args.number("sequence")!, args.at);
    },
    no: removeEntry,
  },
  {
    pattern: MAP,
    noExact: true,
    no(target, args, session) {
      const name = args.text("name")!;
      const users = [...target.interfaces.values()].filter((one) => one.cryptoMap?.name === name);
      const list = users.map((one) => shortInterface(one.name)).join(", ");
      if (users.length === 0) target.cryptoMaps.delete(name);
      else session.refuse("iosRefused", args, "name", `% Crypto-map ${name} is in use by interface(s): ${list}`);
    },
  },
  ...sectionsAside("only entries for groups and for single peers are modelled", [
    "crypto dynamic-map <word:name> <1-65535:sequence>",
    "crypto map <word:name> {client | isakmp | redundancy} <line:rest>",
  ]),
];

function removeEntry(target: IosConfig, args: Args): void {
  const map = target.cryptoMaps.get(args.text("name")!);
  map?.entries.delete(args.number("sequence")!);
  map?.tunnels.delete(args.number("sequence")!);
  map?.otherEntries.delete(args.number("sequence")!);
}

export const cryptoMapModes = [entryMode, tunnelMode, failCloseMode];
