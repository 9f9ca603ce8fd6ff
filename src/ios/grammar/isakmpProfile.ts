/**
 * `crypto keyring` and `crypto isakmp profile`: which keys count for which peers of IKEv1, and how the router names itself
 * to them. Commands and ranges are those of Cisco's published data models of 17.6 images.
 */
import type { Args } from "../args.ts";
import { DEFAULTS, newIsakmpKeyring, newIsakmpProfile } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtain, sectionsAside } from "../grammar.ts";
import type { IosConfig, IsakmpKeyring, IsakmpMatch, IsakmpProfile, IsakmpSelf, LocalAddress } from "../model.ts";
import { withKey, withoutKey } from "./isakmpKeys.ts";
import { add, without } from "./placed.ts";

const localAddress: CommandSpec<IsakmpKeyring | IsakmpProfile> = {
  pattern: "local-address {<ipv4:address> | <interface:interface>}",
  set(target, args) {
    target.localAddress = localAddressOf(args);
  },
  no(target) {
    target.localAddress = undefined;
  },
};

function localAddressOf(args: Args): LocalAddress {
  const address = args.number("address");
  if (address !== undefined) return { kind: "address", address, at: args.place("address") };
  return { kind: "interface", name: args.text("interface")!, at: args.place("interface") };
}

const keyringCommands: CommandSpec<IsakmpKeyring>[] = [
  {
    pattern:
      "pre-shared-key {address <ipv4:address> [<ipv4:mask>] | hostname <word:hostname>} key [encryption:{0 | 6}] <key:key>",
    noExact: true,
    set(target, args) {
      target.keys = withKey(target.keys, args);
    },
    no(target, args) {
      target.keys = withoutKey(target.keys, args);
    },
  },
  localAddress as CommandSpec<IsakmpKeyring>,
  ...leftAside("a note of the author", ["description <line:text>"]),
  ...leftAside("IKEv1 runs over IPv4 here", ["pre-shared-key address ipv6 <line:rest>"]),
  ...sectionsAside("keys that encrypt nonces (rsa-encr) are not modelled", [
    "rsa-pubkey {address <ipv4:address> | name <word:name>} [encryption | signature]",
  ]),
];

function matchOf(args: Args): IsakmpMatch {
  const address = args.number("address");
  if (address !== undefined) {
    const mask = args.number("mask") ?? (address === 0 ? 0 : 0xffffffff);
    return { kind: "address", address, mask, ...(args.has("vrf") ? { vrf: args.text("vrf") } : {}) };
  }
  const text = args.text("text")!;
  const kind = args.text<"host" | "user" | "user-fqdn" | "group">("identity")!;
  if (kind === "group") return { kind, text };
  return { kind: kind === "user" ? "user-fqdn" : kind, text, domain: args.has("domain") };
}

function selfOf(args: Args): IsakmpSelf {
  const kind = args.text<IsakmpSelf["kind"]>("identity")!;
  const address = args.number("address");
  const text = args.text("text");
  if (address !== undefined) return { kind: "address", address };
  if (kind === "user-fqdn") return { kind, text: text! };
  return kind === "address" ? { kind } : { kind, ...(text === undefined ? {} : { text }) };
}

/** A command that names another object, and may be typed for several: a name stands in such a list once. */
function listOf(pattern: string, list: "keyrings" | "matchCertificates" | "trustpoints"): CommandSpec<IsakmpProfile> {
  const without = (target: IsakmpProfile, args: Args) => target[list].filter(({ name }) => name !== args.text("name"));
  return {
    pattern: `${pattern} <word:name>`,
    noExact: true,
    set(target, args) {
      target[list] = [...without(target, args), args.reference("name")!];
    },
    no(target, args) {
      target[list] = without(target, args);
    },
  };
}

const profileCommands: CommandSpec<IsakmpProfile>[] = [
  listOf("keyring", "keyrings"),
  {
    // `user` is the word of the command reference, `user-fqdn` that of newer images.
    pattern:
      "match identity {address <ipv4:address> [<mask:mask>] [<word:vrf>] | identity:{host} [domain:{domain}] <word:text> | " +
      "identity:{user | user-fqdn} [domain:{domain}] <word:text> | identity:{group} <word:text>}",
    noExact: true,
    set: (target, args) => add(target.matchIdentities, matchOf(args), args),
    no(target, args) {
      target.matchIdentities = without(target.matchIdentities, matchOf(args));
    },
  },
  listOf("match certificate", "matchCertificates"),
  {
    pattern:
      "self-identity {identity:{address} | <ipv4:address> | identity:{fqdn} [<word:text>] | " +
      "identity:{user-fqdn} <word:text>}",
    set(target, args) {
      target.selfIdentity = selfOf(args);
    },
    no(target) {
      target.selfIdentity = undefined;
    },
  },
  listOf("ca trust-point", "trustpoints"),
  {
    pattern: "initiate mode mode:{aggressive | main}",
    set(target, args) {
      target.initiate = args.text<IsakmpProfile["initiate"]>("mode")!;
    },
    no(target) {
      target.initiate = DEFAULTS.isakmp.initiate;
    },
  },
  {
    pattern: "keepalive <10-3600:seconds> [retry <2-60:retry>]",
    set(target, args) {
      const retrySeconds = args.number("retry") ?? DEFAULTS.isakmp.keepaliveRetrySeconds;
      target.keepalive = { seconds: args.number("seconds")!, retrySeconds };
    },
    no(target) {
      target.keepalive = undefined;
    },
  },
  localAddress as CommandSpec<IsakmpProfile>,
  ...leftAside("a note of the author", ["description <line:text>"]),
  ...leftAside("IKEv1 runs over IPv4 here", ["match identity address ipv6 <line:rest>"]),
  ...leftAside("it belongs to tunnels and remote access, not to groups", [
    "accounting <word:list>",
    "client <line:rest>",
    "isakmp authorization <line:rest>",
    "qos-group <1-1023:number>",
    "rekey",
    "virtual-template <1-4095:number> [<line:rest>]",
    "vrf <word:vrf>",
  ]),
];

const keyringMode = defineMode("ISAKMP keyring", "conf-keyring", true, keyringCommands);
const profileMode = defineMode("ISAKMP profile", "conf-isa-prof", true, profileCommands);

export const isakmpProfileCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: "crypto keyring <word:name> [vrf <word:vrf>]",
    noExact: true,
    enter({ isakmp }, args) {
      const name = args.text("name")!;
      const keyring = obtain(isakmp.keyrings, name, () => newIsakmpKeyring(name, args.at));
      if (args.has("vrf")) keyring.vrf = args.text("vrf");
      return { mode: keyringMode, target: keyring };
    },
    no({ isakmp }, args, session) {
      const name = args.text("name")!;
      const user = [...isakmp.profiles.values()].find(({ keyrings }) => keyrings.some((known) => known.name === name));
      if (user === undefined) isakmp.keyrings.delete(name);
      else session.refuse("iosRefused", args, "name", `% Keyring ${name} is in use by ISAKMP profile ${user.name}.`);
    },
  },
  {
    pattern: "crypto isakmp profile <word:name> [accounting <word:list>]",
    noExact: true,
    enter({ isakmp }, args) {
      const name = args.text("name")!;
      return { mode: profileMode, target: obtain(isakmp.profiles, name, () => newIsakmpProfile(name, args.at)) };
    },
    no({ isakmp, cryptoMaps }, args, session) {
      const name = args.text("name")!;
      const user = [...cryptoMaps.values()].find((map) =>
        [map, ...map.entries.values()].some(({ isakmpProfile }) => isakmpProfile?.name === name),
      );
      if (user === undefined) isakmp.profiles.delete(name);
      else session.refuse("iosRefused", args, "name", `% Profile ${name} is in use by crypto map ${user.name}.`);
    },
  },
];

export const isakmpProfileModes = [keyringMode, profileMode];
