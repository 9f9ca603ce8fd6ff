/** IKEv1: policies, keys, keepalive; and the RSA key pairs of the box. */
import { DEFAULTS, newIsakmpPolicy } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtainOrdered, sectionsAside } from "../grammar.ts";
import type { DhGroup, IosConfig, IsakmpConfig, IsakmpEncryption, IsakmpPolicy } from "../model.ts";

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
    set(target, args) {
      target.isakmp.keys = target.isakmp.keys.filter((known) => !samePeer(known, args.number("address"), args));
      target.isakmp.keys.push({
        key: args.key("key")!,
        address: args.number("address"),
        mask: maskOf(args.number("address"), args.number("mask")),
        hostname: args.text("hostname"),
        at: args.at,
      });
    },
    no(target, args) {
      target.isakmp.keys = target.isakmp.keys.filter((known) => !samePeer(known, args.number("address"), args));
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
  ...sectionsAside("IKEv1 profiles and keyrings are not modelled", [
    "crypto isakmp profile <word:name>",
    "crypto isakmp client configuration group <word:name>",
    "crypto keyring <word:name> [vrf <word:vrf>]",
  ]),
  ...leftAside("it changes nothing in what is modelled of IKEv1", [
    "crypto isakmp enable",
    "crypto isakmp invalid-spi-recovery",
    "crypto isakmp nat keepalive <5-3600:seconds>",
    "crypto isakmp fragmentation",
    "crypto isakmp diagnose error [<line:text>]",
    "crypto isakmp default policy",
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
  ...sectionsAside("it names peers by their certificates, for IKEv1 alone", [
    "crypto key pubkey-chain rsa",
    "crypto identity <word:name>",
  ]),
];

/** A key for 0.0.0.0 without a mask is for everybody. */
function maskOf(address: number | undefined, mask: number | undefined): number | undefined {
  if (address === undefined || mask !== undefined) return mask;
  return address === 0 ? 0 : 0xffffffff;
}

function samePeer(
  known: IsakmpConfig["keys"][number],
  address: number | undefined,
  args: { number(name: string): number | undefined; text(name: string): string | undefined },
): boolean {
  if (address === undefined) return known.hostname === args.text("hostname");
  return known.address === address && known.mask === maskOf(address, args.number("mask"));
}

export const isakmpModes = [policyMode];
