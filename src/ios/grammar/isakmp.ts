/** IKEv1: policies, global keys and settings, doors to profiles and keyrings; and the RSA key pairs of the box. */
import { DEFAULTS, newIsakmpPolicy } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtainOrdered, sectionsAside } from "../grammar.ts";
import type { DhGroup, IosConfig, IsakmpConfig, IsakmpEncryption, IsakmpPolicy } from "../model.ts";
import { withKey, withoutKey } from "./isakmpKeys.ts";
import { isakmpProfileCommands, isakmpProfileModes } from "./isakmpProfile.ts";

export const DH_GROUPS = "{1 | 2 | 5 | 14 | 15 | 16 | 19 | 20 | 21 | 24}";
const ENCRYPTIONS = "{encryption:{des | 3des} | encryption:{aes} [bits:{128 | 192 | 256}]}";

const policyCommands: CommandSpec<IsakmpPolicy>[] = [
  {
    pattern: `encryption ${ENCRYPTIONS}`,
    set(target, args) {
      const name = args.text("encryption")!;
      target.encryption = (name === "aes" ? `aes-${args.text("bits") ?? "128"}` : name) as IsakmpEncryption;
    },
    no(target) {
      target.encryption = DEFAULTS.isakmpPolicy.encryption;
    },
  },
  {
    pattern: "hash hash:{sha | md5 | sha256 | sha384 | sha512}",
    set(target, args) {
      target.hash = args.text<IsakmpPolicy["hash"]>("hash")!;
    },
    no(target) {
      target.hash = DEFAULTS.isakmpPolicy.hash;
    },
  },
  {
    pattern: "authentication method:{rsa-sig | pre-share | rsa-encr}",
    set(target, args) {
      target.authentication = args.text<IsakmpPolicy["authentication"]>("method")!;
    },
    no(target) {
      target.authentication = DEFAULTS.isakmpPolicy.authentication;
    },
  },
  {
    pattern: `group group:${DH_GROUPS}`,
    set(target, args) {
      target.group = Number(args.text("group")) as DhGroup;
    },
    no(target) {
      target.group = DEFAULTS.isakmpPolicy.group;
    },
  },
  {
    pattern: "lifetime <60-86400:seconds>",
    set(target, args) {
      target.lifetimeSeconds = args.number("seconds")!;
    },
    no(target) {
      target.lifetimeSeconds = DEFAULTS.isakmpPolicy.lifetimeSeconds;
    },
  },
];

const policyMode = defineMode("ISAKMP policy", "config-isakmp", true, policyCommands);

export const isakmpCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: "crypto isakmp policy <1-10000:priority>",
    noExact: true,
    enter(target, args) {
      const priority = args.number("priority")!;
      const policy = obtainOrdered(target.isakmp.policies, priority, () => newIsakmpPolicy(priority, args.at));
      return { mode: policyMode, target: policy };
    },
    no(target, args) {
      target.isakmp.policies.delete(args.number("priority")!);
    },
  },
  {
    pattern:
      "crypto isakmp key [encryption:{0 | 6}] <key:key> " +
      "{address <ipv4:address> [<ipv4:mask>] [no-xauth] | hostname <word:hostname>}",
    noExact: true,
    set({ isakmp }, args) {
      isakmp.keys = withKey(isakmp.keys, args);
    },
    no({ isakmp }, args) {
      isakmp.keys = withoutKey(isakmp.keys, args);
    },
  },
  {
    pattern: "crypto isakmp keepalive <10-3600:seconds> [<2-60:retry>] [mode:{periodic | on-demand}]",
    set(target, args) {
      target.isakmp.keepalive = {
        seconds: args.number("seconds")!,
        retrySeconds: args.number("retry") ?? DEFAULTS.isakmp.keepaliveRetrySeconds,
        periodic: args.text("mode") === "periodic",
        at: args.at,
      };
    },
    no(target) {
      target.isakmp.keepalive = undefined;
    },
  },
  {
    pattern: "crypto isakmp identity identity:{address | dn | hostname}",
    set(target, args) {
      target.isakmp.identity = args.text<IsakmpConfig["identity"]>("identity")!;
    },
    no(target) {
      target.isakmp.identity = DEFAULTS.isakmp.identity;
    },
  },
  {
    pattern: "crypto isakmp aggressive-mode disable",
    set(target) {
      target.isakmp.aggressive = false;
    },
    no(target) {
      target.isakmp.aggressive = true;
    },
  },
  {
    pattern: "crypto isakmp enable",
    set({ isakmp }) {
      isakmp.enabled = true;
    },
    no({ isakmp }) {
      isakmp.enabled = false;
    },
    reset({ isakmp }) {
      isakmp.enabled = DEFAULTS.isakmp.enabled;
    },
  },
  {
    pattern: "crypto isakmp nat keepalive <5-3600:seconds>",
    set({ isakmp }, args) {
      isakmp.natKeepaliveSeconds = args.number("seconds");
    },
    no({ isakmp }) {
      isakmp.natKeepaliveSeconds = undefined;
    },
  },
  {
    pattern: "crypto call admission limit ike sa <0-99999:count>",
    set({ isakmp }, args) {
      isakmp.maxSa = args.number("count");
    },
    no({ isakmp }) {
      isakmp.maxSa = undefined;
    },
  },
  {
    pattern: "crypto call admission limit ike in-negotiation-sa <10-99999:count>",
    set({ isakmp }, args) {
      isakmp.maxInNegotiation = args.number("count");
    },
    no({ isakmp }) {
      isakmp.maxInNegotiation = undefined;
    },
  },
  ...isakmpProfileCommands,
  {
    pattern:
      "crypto key generate rsa [{general-keys | usage-keys | signature | encryption | label <word:label> | " +
      "modulus <360-4096:modulus> | exportable:{exportable} | storage <word:device>}...]",
    set(target, args) {
      const label = args.text("label") ?? target.hostname ?? "Router";
      target.rsaKeys.set(label, {
        label,
        modulusBits: args.number("modulus") ?? DEFAULTS.rsaKey.modulusBits,
        exportable: args.has("exportable"),
        at: args.at,
      });
    },
  },
  {
    pattern: "crypto key zeroize rsa [<word:label>]",
    set(target, args) {
      const label = args.text("label");
      if (label === undefined) target.rsaKeys.clear();
      else target.rsaKeys.delete(label);
    },
  },
  ...sectionsAside("it belongs to tunnels and remote access, not to groups", [
    "crypto isakmp client configuration group <word:name>",
    "crypto isakmp client firewall <line:rest>",
  ]),
  ...sectionsAside("Aggressive Mode is begun by ISAKMP profiles alone: initiate mode aggressive", [
    "crypto isakmp peer {address <ipv4:address> | hostname <word:name>} [vrf <word:vrf>]",
  ]),
  ...leftAside("it belongs to tunnels and remote access, not to groups", [
    "crypto isakmp client configuration {address-pool local | browser-proxy} <word:name>",
    "crypto isakmp xauth timeout <5-90:seconds>",
  ]),
  ...leftAside("members have no IKE SA with each other that could recover; see client recovery-check", [
    "crypto isakmp invalid-spi-recovery",
  ]),
  ...leftAside("only policies that are typed count, no built-in ones", ["crypto isakmp default policy"]),
  ...leftAside("datagrams of IKEv1 are fragmented by IP here", ["crypto isakmp fragmentation"]),
  ...leftAside("an SA that stands is not judged again", ["crypto isakmp disconnect-revoked-peers"]),
  ...leftAside("it changes nothing in what is modelled of IKEv1", [
    "crypto isakmp diagnose error [<line:text>]",
    "crypto isakmp performance",
    "crypto logging <line:text>",
    "crypto call admission <line:text>",
    "crypto engine <line:text>",
    "crypto mib <line:text>",
    "crypto ssl <line:text>",
    "crypto ssh <line:text>",
    "crypto key encrypt <line:text>",
    "crypto key decrypt <line:text>",
    "crypto key import <line:text>",
    "crypto key export <line:text>",
    "crypto key move <line:text>",
  ]),
  ...sectionsAside("keys that encrypt nonces (rsa-encr) are not modelled", ["crypto key pubkey-chain rsa"]),
];

export const isakmpModes = [policyMode, ...isakmpProfileModes];
