/** IPsec: transform sets, profiles and the settings of the whole box. */
import type { Args } from "../args.ts";
import { DEFAULTS, newIpsecProfile, newTransformSet } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtain, type Session } from "../grammar.ts";
import type { DhGroup, EspCipher, EspHash, IosConfig, IpsecProfile, TransformSet } from "../model.ts";

const SECONDS_PER_DAY = 86_400;

/** Key length of ciphers that have only one. */
const FIXED_KEY_BITS: Readonly<Partial<Record<EspCipher, number>>> = {
  "esp-des": 64,
  "esp-3des": 192,
  "esp-seal": 160,
  "esp-null": 0,
};

const HASHES = "sha | md5 | sha256 | sha384 | sha512";
const TRANSFORM =
  "{cipher:{esp-aes | esp-gcm | esp-gmac} [bits:{128 | 192 | 256}] | " +
  "cipher:{esp-des | esp-3des | esp-seal | esp-null} | " +
  `${transforms("espHash", "esp")} | ${transforms("ahHash", "ah")}}`;

function transforms(name: string, header: "esp" | "ah"): string {
  return `${name}:{${HASHES.split(" | ")
    .map((hash) => `${header}-${hash}-hmac`)
    .join(" | ")}}`;
}

/** `esp-sha256-hmac` to `sha256`. */
function hashOf(args: Args, name: string): EspHash | undefined {
  return args.text(name)?.split("-")[1] as EspHash | undefined;
}

function fillTransforms(set: TransformSet, args: Args, session: Session): void {
  for (const name of ["cipher", "espHash", "ahHash"]) {
    if (args.texts(name).length > 1) {
      session.refuse("iosRefused", args, name, "% A transform set holds one transform of each kind.");
    }
  }
  set.cipher = args.text<EspCipher>("cipher");
  const fixed = set.cipher === undefined ? 0 : FIXED_KEY_BITS[set.cipher];
  set.keyBits = fixed ?? Number(args.text("bits") ?? DEFAULTS.transformSet.aesKeyBits);
  set.espHash = hashOf(args, "espHash");
  set.ahHash = hashOf(args, "ahHash");
}

const transformMode = defineMode<TransformSet>("transform set", "cfg-crypto-trans", true, [
  {
    pattern: "mode mode:{tunnel | transport} [require]",
    set(target, args) {
      target.mode = args.text<TransformSet["mode"]>("mode")!;
    },
    no(target) {
      target.mode = DEFAULTS.transformSet.mode;
    },
  },
]);

export const PFS_GROUPS =
  "group1 | group2 | group5 | group14 | group15 | group16 | group19 | group20 | group21 | group24";

/** Group 1 where none is named. */
export function pfsGroupOf(args: Args): DhGroup {
  return Number((args.text("group") ?? "group1").slice("group".length)) as DhGroup;
}

const profileMode = defineMode<IpsecProfile>("ipsec profile", "ipsec-profile", true, [
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
    pattern: "set security-association lifetime {seconds <120-2592000:seconds> | days <1-30:days>}",
    set(target, args) {
      target.lifetimeSeconds = args.number("seconds") ?? args.number("days")! * SECONDS_PER_DAY;
    },
    no(target) {
      target.lifetimeSeconds = DEFAULTS.ipsecProfile.lifetimeSeconds;
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
  ...leftAside("a group counts seconds only: nobody can count the octets of all its senders", [
    "set security-association lifetime kilobytes {disable | <2560-4294967295:kilobytes>}",
  ]),
  ...leftAside("it has no meaning for a group's SAs", [
    "description <line:text>",
    "set security-association idle-time <60-86400:seconds>",
    "set security-association replay <line:text>",
    "set isakmp-profile <word:name>",
    "set identity <word:name>",
    "responder-only",
    "set mixed-mode",
    "set reverse-route <line:text>",
  ]),
]);

export const ipsecCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: `crypto ipsec transform-set <word:name> ${TRANSFORM}...`,
    enter(target, args, session) {
      const name = args.text("name")!;
      const set = obtain(target.transformSets, name, () => newTransformSet(name, args.at));
      fillTransforms(set, args, session);
      return { mode: transformMode, target: set };
    },
    no(target, args) {
      target.transformSets.delete(args.text("name") ?? "");
    },
  },
  {
    pattern: "crypto ipsec profile <word:name>",
    noExact: true,
    enter(target, args) {
      const name = args.text("name")!;
      return { mode: profileMode, target: obtain(target.ipsecProfiles, name, () => newIpsecProfile(name, args.at)) };
    },
    no(target, args) {
      target.ipsecProfiles.delete(args.text("name")!);
    },
  },
  {
    pattern: "crypto ipsec df-bit value:{clear | copy | set}",
    set(target, args) {
      target.ipsecDfBit = args.text<IosConfig["ipsecDfBit"]>("value")!;
    },
    no(target) {
      target.ipsecDfBit = DEFAULTS.ipsec.dfBit;
    },
  },
  {
    pattern: "crypto ipsec fragmentation value:{before-encryption | after-encryption}",
    set(target, args) {
      target.ipsecFragmentation = args.text<IosConfig["ipsecFragmentation"]>("value")!;
    },
    no(target) {
      target.ipsecFragmentation = DEFAULTS.ipsec.fragmentation;
    },
  },
  ...leftAside("it concerns pairwise SAs; a group takes its lifetimes from the ipsec profile", [
    "crypto ipsec security-association <line:text>",
    "crypto ipsec nat-transparency <line:text>",
    "crypto ipsec optional [<line:text>]",
    "crypto ipsec ipv4-deny <line:text>",
  ]),
];

export const ipsecModes = [transformMode, profileMode];
