/** IKEv2: proposals, policies, keyrings, profiles and the settings of the whole box. */
import type { Args } from "../args.ts";
import {
  DEFAULTS,
  defaultIkev2Proposal,
  newIkev2Keyring,
  newIkev2Peer,
  newIkev2Policy,
  newIkev2Profile,
  newIkev2Proposal,
} from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtain, sectionsAside } from "../grammar.ts";
import type {
  AuthenticationMethod,
  DhGroup,
  IdentityMatch,
  IkeIdentity,
  Ikev2Dpd,
  Ikev2Encryption,
  Ikev2Hash,
  Ikev2Keyring,
  Ikev2Peer,
  Ikev2Policy,
  Ikev2Profile,
  Ikev2Proposal,
  IosConfig,
  ProfileAuthentication,
} from "../model.ts";
import { DH_GROUPS } from "./isakmp.ts";
import { add, without } from "./placed.ts";

const HASHES = "{md5 | sha1 | sha256 | sha384 | sha512}";

const proposalCommands: CommandSpec<Ikev2Proposal>[] = [
  {
    pattern: "encryption values:{3des | des | aes-cbc-128 | aes-cbc-192 | aes-cbc-256 | aes-gcm-128 | aes-gcm-256}...",
    set(target, args) {
      target.encryption = args.texts<Ikev2Encryption>("values");
    },
    no(target) {
      target.encryption = [];
    },
  },
  {
    pattern: `integrity values:${HASHES}...`,
    set(target, args) {
      target.integrity = args.texts<Ikev2Hash>("values");
    },
    no(target) {
      target.integrity = [];
    },
  },
  {
    pattern: `prf values:${HASHES}...`,
    set(target, args) {
      target.prf = args.texts<Ikev2Hash>("values");
    },
    no(target) {
      target.prf = [];
    },
  },
  {
    pattern: `group values:${DH_GROUPS}...`,
    set(target, args) {
      target.groups = args.texts("values").map((text) => Number(text) as DhGroup);
    },
    no(target) {
      target.groups = [];
    },
  },
];

const policyCommands: CommandSpec<Ikev2Policy>[] = [
  {
    pattern: "match fvrf {any:{any} | <word:vrf>}",
    set(target, args) {
      target.matchFvrf = args.text("vrf") ?? "any";
    },
    no(target) {
      target.matchFvrf = undefined;
    },
  },
  {
    pattern: "match address local <ipv4:address>",
    set(target, args) {
      const address = args.number("address")!;
      if (!target.matchLocalAddresses.includes(address)) target.matchLocalAddresses.push(address);
    },
    no(target, args) {
      const address = args.number("address");
      const keep = (known: number) => address !== undefined && known !== address;
      target.matchLocalAddresses = target.matchLocalAddresses.filter(keep);
    },
  },
  {
    pattern: "proposal <word:names>...",
    set(target, args) {
      for (const reference of args.references("names")) {
        if (!target.proposals.some((known) => known.name === reference.name)) target.proposals.push(reference);
      }
    },
    no(target, args) {
      const names = args.texts("names");
      target.proposals = target.proposals.filter((known) => names.length > 0 && !names.includes(known.name));
    },
  },
];

function identityOf(args: Args): IkeIdentity {
  const kind = args.text<"address" | "fqdn" | "email" | "key-id" | "dn">("identity")!;
  if (kind === "dn") return { kind };
  if (kind !== "address") return { kind, text: args.text("text")! };
  const address = args.number("address");
  return address === undefined ? { kind: "address6", address: args.text("address6")! } : { kind, address };
}

const NAMED_IDENTITIES = "identity:{fqdn} <word:text> | identity:{email} <word:text> | identity:{key-id} <word:text>";
const ADDRESS_IDENTITY = "identity:{address} {<ipv4:address> | <ipv6:address6>}";

const peerCommands: CommandSpec<Ikev2Peer>[] = [
  {
    pattern: "address {<ipv4:address> [<mask:mask>] | <ipv6:address6>}",
    set(target, args) {
      target.address = args.number("address");
      // 0.0.0.0 0.0.0.0 is every peer, and so is 0.0.0.0 alone.
      target.mask = args.number("mask") ?? (target.address === 0 ? 0 : 0xffffffff);
      target.address6 = args.text("address6");
    },
    no(target) {
      target.address = undefined;
      target.mask = undefined;
      target.address6 = undefined;
    },
  },
  {
    pattern: "hostname <word:name>",
    set(target, args) {
      target.hostname = args.text("name");
    },
    no(target) {
      target.hostname = undefined;
    },
  },
  {
    pattern: `identity {${ADDRESS_IDENTITY} | ${NAMED_IDENTITIES}}`,
    set(target, args) {
      target.identity = identityOf(args);
    },
    no(target) {
      target.identity = undefined;
    },
  },
  {
    pattern: "pre-shared-key [which:{local | remote}] [encryption:{0 | 6}] <key:key>",
    set(target, args) {
      const which = args.text("which");
      const key = args.key("key");
      if (which !== "remote") target.localKey = key;
      if (which !== "local") target.remoteKey = key;
    },
    no(target, args) {
      const which = args.text("which");
      if (which !== "remote") target.localKey = undefined;
      if (which !== "local") target.remoteKey = undefined;
    },
  },
  ...leftAside("a note of the author", ["description <line:text>"]),
];

const peerMode = defineMode("IKEv2 keyring peer", "config-ikev2-keyring-peer", true, peerCommands);

const keyringCommands: CommandSpec<Ikev2Keyring>[] = [
  {
    pattern: "peer <word:name>",
    noExact: true,
    enter(target, args) {
      const name = args.text("name")!;
      return { mode: peerMode, target: obtain(target.peers, name, () => newIkev2Peer(name, args.at)) };
    },
    no(target, args) {
      target.peers.delete(args.text("name")!);
    },
  },
];

function matchOf(args: Args): IdentityMatch {
  const kind = args.text<IdentityMatch["kind"]>("identity")!;
  if (kind === "any") return { kind };
  if (kind === "key-id") return { kind, text: args.text("text")! };
  if (kind === "fqdn" || kind === "email") return { kind, text: args.text("text")!, domain: args.has("domain") };
  const address = args.number("address");
  if (address === undefined) return { kind: "address6", address: args.text("address6")! };
  return { kind: "address", address, mask: args.number("mask") ?? (address === 0 ? 0 : 0xffffffff) };
}

const METHODS =
  "{method:{rsa-sig | ecdsa-sig} | method:{pre-share} [key [encryption:{0 | 6}] <key:key>] | method:{eap} [<line:eap>]}";

function authenticationOf(args: Args): ProfileAuthentication {
  return { method: args.text<AuthenticationMethod>("method")!, key: args.key("key"), at: args.place("method") };
}

const DPD = "<10-3600:seconds> <2-60:retry> mode:{on-demand | periodic}";

function dpdOf(args: Args): Ikev2Dpd {
  return {
    seconds: args.number("seconds")!,
    retrySeconds: args.number("retry")!,
    mode: args.text<Ikev2Dpd["mode"]>("mode")!,
  };
}

const profileCommands: CommandSpec<Ikev2Profile>[] = [
  {
    pattern: "match address local <ipv4:address>",
    noExact: true,
    set: (target, args) => add(target.matchLocalAddresses, args.number("address")!, args),
    no(target, args) {
      target.matchLocalAddresses = without(target.matchLocalAddresses, args.number("address")!);
    },
  },
  {
    pattern: "match address local interface <interface:name>",
    noExact: true,
    set(target, args) {
      target.matchLocalInterfaces.push(args.reference("name")!);
    },
    no(target, args) {
      const name = args.text("name");
      target.matchLocalInterfaces = target.matchLocalInterfaces.filter((known) => known.name !== name);
    },
  },
  {
    pattern: "match certificate <word:map>",
    noExact: true,
    set(target, args) {
      target.matchCertificates.push(args.reference("map")!);
    },
    no(target, args) {
      target.matchCertificates = target.matchCertificates.filter((known) => known.name !== args.text("map"));
    },
  },
  {
    pattern: "match fvrf {any:{any} | <word:vrf>}",
    set(target, args) {
      target.matchFvrf = args.text("vrf") ?? "any";
    },
    no(target) {
      target.matchFvrf = undefined;
    },
  },
  {
    pattern:
      "match identity remote {identity:{address} {<ipv4:address> [<mask:mask>] | <ipv6:address6>} | " +
      "identity:{fqdn} [domain:{domain}] <word:text> | identity:{email} [domain:{domain}] <word:text> | " +
      "identity:{key-id} <word:text> | identity:{any}}",
    noExact: true,
    set: (target, args) => add(target.matchRemote, matchOf(args), args),
    no(target, args) {
      target.matchRemote = without(target.matchRemote, matchOf(args));
    },
  },
  {
    pattern: `identity local {${ADDRESS_IDENTITY} | ${NAMED_IDENTITIES} | identity:{dn}}`,
    set(target, args) {
      target.identityLocal = identityOf(args);
    },
    no(target) {
      target.identityLocal = undefined;
    },
  },
  {
    pattern: `authentication local ${METHODS}`,
    set(target, args) {
      target.authenticationLocal = authenticationOf(args);
    },
    no(target) {
      target.authenticationLocal = undefined;
    },
  },
  {
    pattern: `authentication remote ${METHODS}`,
    set(target, args) {
      const wanted = authenticationOf(args);
      const others = target.authenticationRemote.filter((known) => known.method !== wanted.method);
      target.authenticationRemote = [...others, wanted];
    },
    no(target, args) {
      const method = args.text("method");
      const keep = (known: ProfileAuthentication) => method !== undefined && known.method !== method;
      target.authenticationRemote = target.authenticationRemote.filter(keep);
    },
  },
  {
    // Older images want no `local` before the name.
    pattern: "keyring [local] <word:name>",
    set(target, args) {
      target.keyring = args.reference("name");
    },
    no(target) {
      target.keyring = undefined;
    },
  },
  {
    pattern: "keyring aaa <word:list> [name-mangler <word:mangler> | password <key:password>]",
    set(target, args) {
      target.keyringAaa = args.reference("list");
    },
    no(target) {
      target.keyringAaa = undefined;
    },
  },
  {
    pattern: "pki trustpoint <word:name> [use:{sign | verify}]",
    noExact: true,
    set(target, args) {
      const name = args.text("name")!;
      const use = args.text<"sign" | "verify">("use") ?? "both";
      target.trustpoints = target.trustpoints.filter((known) => known.name !== name || known.use !== use);
      target.trustpoints.push({ name, use, at: args.place("name") });
    },
    no(target, args) {
      target.trustpoints = target.trustpoints.filter((known) => known.name !== args.text("name"));
    },
  },
  {
    pattern: "lifetime <120-86400:seconds>",
    set(target, args) {
      target.lifetimeSeconds = args.number("seconds")!;
    },
    no(target) {
      target.lifetimeSeconds = DEFAULTS.ikev2.lifetimeSeconds;
    },
  },
  {
    pattern: `dpd ${DPD}`,
    set(target, args) {
      target.dpd = dpdOf(args);
    },
    no(target) {
      target.dpd = undefined;
    },
  },
  {
    pattern: "initial-contact force",
    set(target) {
      target.forceInitialContact = true;
    },
    no(target) {
      target.forceInitialContact = false;
    },
  },
  ...leftAside("it belongs to tunnels and remote access, not to groups", [
    "description <line:text>",
    "virtual-template <1-4096:number> [<line:text>]",
    "aaa <line:text>",
    "config-exchange <line:text>",
    "ivrf <word:vrf>",
    "nat keepalive <5-3600:seconds>",
    "redirect gateway auth",
    "reconnect [timeout <60-1800:seconds>]",
    "anyconnect <line:text>",
    "shutdown",
  ]),
];

const proposalMode = defineMode("IKEv2 proposal", "config-ikev2-proposal", true, proposalCommands);
const policyMode = defineMode("IKEv2 policy", "config-ikev2-policy", true, policyCommands);
const keyringMode = defineMode("IKEv2 keyring", "config-ikev2-keyring", true, keyringCommands);
const profileMode = defineMode("IKEv2 profile", "config-ikev2-profile", true, profileCommands);

export const ikev2Commands: CommandSpec<IosConfig>[] = [
  {
    pattern: "crypto ikev2 proposal <word:name>",
    noExact: true,
    enter({ ikev2 }, args) {
      const name = args.text("name")!;
      return { mode: proposalMode, target: obtain(ikev2.proposals, name, () => newIkev2Proposal(name, args.at)) };
    },
    // The built-in one cannot be removed, only brought back to its values.
    no({ ikev2 }, args) {
      const name = args.text("name")!;
      if (name === "default") ikev2.proposals.set(name, defaultIkev2Proposal());
      else ikev2.proposals.delete(name);
    },
  },
  {
    pattern: "crypto ikev2 policy <word:name>",
    noExact: true,
    enter({ ikev2 }, args) {
      const name = args.text("name")!;
      return { mode: policyMode, target: obtain(ikev2.policies, name, () => newIkev2Policy(name, args.at)) };
    },
    no({ ikev2 }, args) {
      if (args.text("name") !== "default") ikev2.policies.delete(args.text("name")!);
    },
  },
  {
    pattern: "crypto ikev2 keyring <word:name>",
    noExact: true,
    enter({ ikev2 }, args) {
      const name = args.text("name")!;
      return { mode: keyringMode, target: obtain(ikev2.keyrings, name, () => newIkev2Keyring(name, args.at)) };
    },
    no({ ikev2 }, args) {
      ikev2.keyrings.delete(args.text("name")!);
    },
  },
  {
    pattern: "crypto ikev2 profile <word:name>",
    noExact: true,
    enter({ ikev2 }, args) {
      const name = args.text("name")!;
      return { mode: profileMode, target: obtain(ikev2.profiles, name, () => newIkev2Profile(name, args.at)) };
    },
    no({ ikev2 }, args) {
      ikev2.profiles.delete(args.text("name")!);
    },
  },
  {
    pattern: `crypto ikev2 dpd ${DPD}`,
    set({ ikev2 }, args) {
      ikev2.dpd = dpdOf(args);
    },
    no({ ikev2 }) {
      ikev2.dpd = undefined;
    },
  },
  {
    pattern: "crypto ikev2 http-url cert",
    set({ ikev2 }) {
      ikev2.httpUrlCert = true;
    },
    no({ ikev2 }) {
      ikev2.httpUrlCert = false;
    },
  },
  {
    pattern: "crypto ikev2 window <1-20:size>",
    set({ ikev2 }, args) {
      ikev2.window = args.number("size")!;
    },
    no({ ikev2 }) {
      ikev2.window = DEFAULTS.ikev2.window;
    },
  },
  {
    pattern: "crypto ikev2 cookie-challenge <0-1000:count>",
    set({ ikev2 }, args) {
      ikev2.cookieChallenge = args.number("count");
    },
    no({ ikev2 }) {
      ikev2.cookieChallenge = undefined;
    },
  },
  {
    pattern: "crypto ikev2 fragmentation [mtu <68-1500:octets>]",
    set({ ikev2 }, args) {
      ikev2.fragmentationMtu = args.number("octets") ?? DEFAULTS.ikev2.fragmentationMtu;
    },
    no({ ikev2 }) {
      ikev2.fragmentationMtu = undefined;
    },
  },
  {
    pattern: "crypto ikev2 limit {max-in-negotiation-sa <1-60000:negotiating> | max-sa <1-60000:total>}",
    set({ ikev2 }, args) {
      if (args.has("negotiating")) ikev2.maxInNegotiation = args.number("negotiating");
      else ikev2.maxSa = args.number("total");
    },
    no({ ikev2 }, args) {
      if (args.words.includes("max-sa")) ikev2.maxSa = undefined;
      else ikev2.maxInNegotiation = undefined;
    },
  },
  ...leftAside("it changes nothing for a group", [
    "crypto ikev2 nat keepalive <5-3600:seconds>",
    "crypto ikev2 diagnose error [<line:text>]",
    "crypto ikev2 certificate-cache <line:text>",
    "crypto ikev2 limit queue <line:text>",
    "crypto ikev2 redirect <line:text>",
  ]),
  ...sectionsAside("it belongs to remote access, not to groups", [
    "crypto ikev2 authorization policy <word:name>",
    "crypto ikev2 name-mangler <word:name>",
    "crypto ikev2 cluster",
    "crypto ikev2 client <line:text>",
  ]),
];

export const ikev2Modes = [proposalMode, policyMode, keyringMode, peerMode, profileMode];
