/** `server local`: what makes a router a key server, with its sub-modes. */
import type { Args } from "../args.ts";
import { DEFAULTS, newRedundancy, newSaIpsec } from "../defaults.ts";
import { type CommandSpec, defineMode, obtainOrdered } from "../grammar.ts";
import type { KekCipher, KssidRange, LocalServer, Redundancy, SaIpsec, SignatureHash } from "../model.ts";

const SECONDS_PER_DAY = 86_400;
export const KEK_CIPHERS = "{3des-cbc | des-cbc | aes 128 | aes 192 | aes 256}";
export const SIGNATURE_HASHES = "{sha | sha256 | sha384 | sha512}";

const saIpsecMode = defineMode<SaIpsec>("SA", "gkm-sa-ipsec", true, [
  {
    pattern: "profile <word:name>",
    set(target, args) {
      target.profile = args.reference("name");
    },
    no(target) {
      target.profile = undefined;
    },
  },
  {
    // The mission's first document writes the list's name without a family.
    pattern: "match address [family:{ipv4 | ipv6}] <word:acl>",
    set(target, args) {
      target.acl = args.reference("acl");
      target.aclFamily = args.text<"ipv4" | "ipv6">("family") ?? "ipv4";
    },
    no(target) {
      target.acl = undefined;
    },
  },
  {
    pattern: "replay counter window-size size:{64 | 128 | 256 | 512 | 1024}",
    set(target, args) {
      target.replay = { method: "counter", windowSize: Number(args.text("size")) };
    },
    no(target) {
      target.replay = { method: "none" };
    },
    reset(target) {
      target.replay = DEFAULTS.saIpsec.replay;
    },
  },
  {
    pattern: "replay time window-size <1-100:seconds>",
    set(target, args) {
      target.replay = { method: "time", windowSeconds: args.number("seconds")! };
    },
    no(target) {
      target.replay = { method: "none" };
    },
    reset(target) {
      target.replay = DEFAULTS.saIpsec.replay;
    },
  },
  {
    pattern: "replay",
    set(target) {
      target.replay = DEFAULTS.saIpsec.replay;
    },
    no(target) {
      target.replay = { method: "none" };
    },
    reset(target) {
      target.replay = DEFAULTS.saIpsec.replay;
    },
  },
  {
    pattern: "tag cts sgt",
    set(target) {
      target.tagSgt = true;
    },
    no(target) {
      target.tagSgt = false;
    },
  },
  {
    pattern: "tag",
    noExact: true,
    no(target) {
      target.tagSgt = false;
    },
  },
]);

const redundancyMode = defineMode<Redundancy>("redundancy", "gkm-coop-ks-config", true, [
  {
    pattern: "local priority <1-255:priority>",
    set(target, args) {
      target.localPriority = args.number("priority")!;
    },
    no(target) {
      target.localPriority = DEFAULTS.redundancy.localPriority;
    },
  },
  {
    pattern: "peer address ipv4 <ipv4:address>",
    noExact: true,
    set(target, args) {
      const value = args.number("address")!;
      if (!target.peers.some((known) => known.value === value)) target.peers.push({ value, at: args.place("address") });
    },
    no(target, args) {
      target.peers = target.peers.filter((known) => known.value !== args.number("address"));
    },
  },
  {
    pattern: "protocol version version:{base | optimize}",
    set(target, args) {
      target.protocolVersion = args.text<Redundancy["protocolVersion"]>("version")!;
    },
    no(target) {
      target.protocolVersion = DEFAULTS.redundancy.protocolVersion;
    },
  },
  {
    pattern: "protocol pdu <1-65000:octets>",
    set(target, args) {
      target.pdu = args.number("octets");
    },
    no(target) {
      target.pdu = undefined;
    },
  },
]);

function rangesWithout(target: LocalServer, from: number, to: number): KssidRange[] {
  return target.identifiers.filter((known) => known.from !== from || known.to !== to);
}

function setRange(target: LocalServer, from: number, to: number, args: Args): void {
  target.identifiers = [...rangesWithout(target, from, to), { from, to, at: args.at }];
}

/** KSSIDs reach to 127, and to 511 in groups of size `large`; checkConfig knows the group size. */
const identifierMode = defineMode<LocalServer>("sender identifiers", "gkm-local-server-id", true, [
  {
    pattern: "value <0-511:value>",
    noExact: true,
    set: (target, args) => setRange(target, args.number("value")!, args.number("value")!, args),
    no(target, args) {
      target.identifiers = rangesWithout(target, args.number("value")!, args.number("value")!);
    },
  },
  {
    pattern: "range <0-511:from> - <0-511:to>",
    noExact: true,
    set(target, args, session) {
      const [from, to] = [args.number("from")!, args.number("to")!];
      if (from > to) session.refuse("iosRefused", args, "to", "% The range ends before it begins.");
      else setRange(target, from, to, args);
    },
    no(target, args) {
      target.identifiers = rangesWithout(target, args.number("from")!, args.number("to")!);
    },
  },
]);

const rekeyCommands: CommandSpec<LocalServer>[] = [
  {
    pattern: "rekey lifetime {seconds <300-2592000:seconds> | days <1-30:days>}",
    set(target, args) {
      target.rekeyLifetimeSeconds = args.number("seconds") ?? args.number("days")! * SECONDS_PER_DAY;
    },
    no(target) {
      target.rekeyLifetimeSeconds = DEFAULTS.server.rekeyLifetimeSeconds;
    },
  },
  {
    pattern: `rekey algorithm cipher:${KEK_CIPHERS}`,
    set(target, args) {
      target.rekeyAlgorithm = args.text<KekCipher>("cipher")!;
    },
    no(target) {
      target.rekeyAlgorithm = DEFAULTS.server.rekeyAlgorithm;
    },
  },
  {
    pattern: `rekey sig-hash algorithm hash:${SIGNATURE_HASHES}`,
    set(target, args) {
      target.rekeySigHash = args.text<SignatureHash>("hash")!;
    },
    no(target) {
      target.rekeySigHash = DEFAULTS.server.rekeySigHash;
    },
  },
  {
    pattern: "rekey retransmit <10-60:seconds> [number <1-10:count> | mode:{periodic}]",
    set(target, args) {
      target.rekeyRetransmitSeconds = args.number("seconds")!;
      target.rekeyRetransmitCount = args.number("count") ?? DEFAULTS.server.rekeyRetransmitCount;
      target.rekeyRetransmitPeriodic = args.has("mode");
    },
    no(target) {
      target.rekeyRetransmitSeconds = DEFAULTS.server.rekeyRetransmitSeconds;
      target.rekeyRetransmitCount = DEFAULTS.server.rekeyRetransmitCount;
      target.rekeyRetransmitPeriodic = false;
    },
  },
  {
    pattern: "rekey authentication mypubkey rsa <word:label>",
    set(target, args) {
      target.rekeyAuthentication = args.reference("label");
    },
    no(target) {
      target.rekeyAuthentication = undefined;
    },
  },
  {
    pattern: "rekey transport unicast",
    set(target) {
      target.rekeyTransport = "unicast";
    },
    no(target) {
      target.rekeyTransport = "multicast";
    },
  },
  {
    pattern: "rekey address ipv4 <word:acl>",
    set(target, args) {
      target.rekeyAddress = args.reference("acl");
    },
    no(target) {
      target.rekeyAddress = undefined;
    },
  },
  {
    pattern: "rekey acknowledgement mode:{any | cisco | interoperable}",
    set(target, args) {
      target.rekeyAcknowledgement = args.text<LocalServer["rekeyAcknowledgement"]>("mode")!;
    },
    no(target) {
      target.rekeyAcknowledgement = DEFAULTS.server.rekeyAcknowledgement;
    },
  },
];

const protocolCommands: CommandSpec<LocalServer>[] = [
  {
    pattern: "gdoi",
    set(target) {
      target.gdoi = true;
    },
    no(target) {
      target.gdoi = false;
    },
    reset(target) {
      target.gdoi = DEFAULTS.server.gdoi;
    },
  },
  {
    pattern: "gikev2 <word:profile>",
    set(target, args) {
      target.gikev2 = args.reference("profile");
    },
    no(target) {
      target.gikev2 = undefined;
    },
  },
  {
    pattern: "address ipv4 <ipv4:address>",
    set(target, args) {
      target.address = { value: args.number("address")!, at: args.place("address") };
    },
    no(target) {
      target.address = undefined;
    },
  },
];

const admissionCommands: CommandSpec<LocalServer>[] = [
  {
    pattern: "authorization address ipv4 <word:acl>",
    set(target, args) {
      target.authorizationAddress = args.reference("acl");
    },
    no(target) {
      target.authorizationAddress = undefined;
    },
  },
  {
    pattern: "authorization identity <word:name>",
    set(target, args) {
      target.authorizationIdentity = args.reference("name");
    },
    no(target) {
      target.authorizationIdentity = undefined;
    },
  },
  {
    pattern: "registration interface <interface:name>",
    set(target, args) {
      target.registrationInterface = args.reference("name");
    },
    no(target) {
      target.registrationInterface = undefined;
    },
  },
  {
    pattern: "registration periodic crl trustpoint <word:name>",
    set(target, args) {
      target.registrationCrlTrustpoint = args.reference("name");
    },
    no(target) {
      target.registrationCrlTrustpoint = undefined;
    },
  },
];

const saCommands: CommandSpec<LocalServer>[] = [
  {
    pattern: "sa receive-only",
    set(target) {
      target.saReceiveOnly = true;
    },
    no(target) {
      target.saReceiveOnly = false;
    },
  },
  {
    pattern: "sa d3p window {sec <1-100:seconds> | msec <1000-100000:millis>}",
    set(target, args) {
      target.saD3pWindowMillis = args.number("millis") ?? args.number("seconds")! * 1000;
    },
    no(target) {
      target.saD3pWindowMillis = undefined;
    },
  },
  {
    pattern: "sa pair-wise-keying [safety-limit <1-4294967295:limit>]",
    set(target, args) {
      target.saPairWiseKeying = true;
      target.pairWiseSafetyLimit = args.number("limit");
    },
    no(target) {
      target.saPairWiseKeying = false;
      target.pairWiseSafetyLimit = undefined;
    },
  },
  {
    pattern: "sa ipsec <1-65535:number>",
    noExact: true,
    enter(target, args) {
      const number = args.number("number")!;
      return {
        mode: saIpsecMode,
        target: obtainOrdered(target.saIpsec, number, () => newSaIpsec(number, args.at)),
      };
    },
    no(target, args) {
      target.saIpsec.delete(args.number("number")!);
    },
  },
];

const otherCommands: CommandSpec<LocalServer>[] = [
  {
    pattern: "redundancy",
    enter(target, args) {
      target.redundancy ??= newRedundancy(args.at);
      return { mode: redundancyMode, target: target.redundancy };
    },
    no(target) {
      target.redundancy = undefined;
    },
  },
  {
    pattern: "group size size:{small 8 | small 12 | small 16 | medium | large}",
    set(target, args) {
      target.groupSize = args.text<LocalServer["groupSize"]>("size")!;
    },
    no(target) {
      target.groupSize = DEFAULTS.server.groupSize;
    },
  },
  {
    pattern: "identifier",
    enter: (target) => ({ mode: identifierMode, target }),
    no(target) {
      target.identifiers = [];
    },
  },
  {
    pattern: "pfs",
    set(target, args, session) {
      if (target.gikev2 === undefined)
        session.refuse("iosRefused", args, "pfs", "% PFS needs gikev2 to be configured.");
      else target.pfs = true;
    },
    no(target) {
      target.pfs = false;
    },
  },
  {
    pattern: "split-resiliency",
    set(target) {
      target.splitResiliency = true;
    },
    no(target) {
      target.splitResiliency = false;
    },
    reset(target) {
      target.splitResiliency = DEFAULTS.server.splitResiliency;
    },
  },
];

/** The object is the local server of a group (`GkmGroup.server`). */
export const serverMode = defineMode<LocalServer>("local server", "gkm-local-server", true, [
  ...protocolCommands,
  ...rekeyCommands,
  ...admissionCommands,
  ...saCommands,
  ...otherCommands,
]);

export const serverModes = [serverMode, saIpsecMode, redundancyMode, identifierMode];
