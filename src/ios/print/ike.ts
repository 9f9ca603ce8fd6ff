/** IKEv2 as the running configuration prints it. */
import { formatIpv4 } from "../../base/ipv4.ts";
import { DEFAULTS, defaultIkev2Proposal } from "../defaults.ts";
import type {
  IdentityMatch,
  IkeIdentity,
  Ikev2Config,
  Ikev2Dpd,
  Ikev2Peer,
  Ikev2Policy,
  Ikev2Profile,
  Ikev2Proposal,
  ProfileAuthentication,
} from "../model.ts";
import { block, keyText, optional, type PrintOptions, pair, unless, when } from "./writer.ts";

const HOST = 0xffffffff;
const DEFAULT_NAME = "default";

export function printIkev2(ikev2: Ikev2Config, options: PrintOptions): string[][] {
  return [
    ...[...ikev2.proposals.values()].filter(isProposalShown).map(printProposal),
    ...[...ikev2.policies.values()].filter(isPolicyShown).map(printPolicy),
    ...[...ikev2.keyrings.values()].map(({ name, peers }) => {
      const lines = [...peers.values()].flatMap((peer) => block(`peer ${peer.name}`, printPeer(peer, options)));
      return block(`crypto ikev2 keyring ${name}`, lines);
    }),
    ...[...ikev2.profiles.values()].map((profile) => printProfile(profile, options)),
    printBox(ikev2),
  ];
}

/** The built-in proposal appears once it was changed. */
function isProposalShown(proposal: Ikev2Proposal): boolean {
  const { encryption, integrity, prf, groups } = defaultIkev2Proposal();
  const same = (a: readonly unknown[], b: readonly unknown[]) => a.join() === b.join();
  return !(
    proposal.name === DEFAULT_NAME &&
    same(proposal.encryption, encryption) &&
    same(proposal.integrity, integrity) &&
    same(proposal.prf, prf) &&
    same(proposal.groups, groups)
  );
}

function printProposal({ name, encryption, integrity, prf, groups }: Ikev2Proposal): string[] {
  const list = (word: string, values: readonly (string | number)[]) => {
    if (values.length > 0) return [`${word} ${values.join(" ")}`];
    // The built-in proposal begins with values of its own.
    return name === DEFAULT_NAME ? [`no ${word}`] : [];
  };
  return block(`crypto ikev2 proposal ${name}`, [
    ...list("encryption", encryption),
    ...list("integrity", integrity),
    ...list("prf", prf),
    ...list("group", groups),
  ]);
}

function isPolicyShown({ name, matchFvrf, matchLocalAddresses, proposals }: Ikev2Policy): boolean {
  const names = proposals.map((proposal) => proposal.name).join();
  return !(name === DEFAULT_NAME && matchFvrf === "any" && matchLocalAddresses.length === 0 && names === DEFAULT_NAME);
}

function printPolicy({ name, matchFvrf, matchLocalAddresses, proposals }: Ikev2Policy): string[] {
  const isBuiltIn = name === DEFAULT_NAME;
  return block(`crypto ikev2 policy ${name}`, [
    ...(matchFvrf === undefined ? when(isBuiltIn, "no match fvrf") : [`match fvrf ${matchFvrf}`]),
    ...matchLocalAddresses.map((address) => `match address local ${formatIpv4(address)}`),
    // The built-in policy begins with the built-in proposal; only what stands behind it keeps its place.
    ...when(isBuiltIn && proposals[0]?.name !== DEFAULT_NAME, `no proposal ${DEFAULT_NAME}`),
    ...proposals.map((proposal) => `proposal ${proposal.name}`),
  ]);
}

function printPeer(peer: Ikev2Peer, options: PrintOptions): string[] {
  const { address, mask, address6, hostname, identity, localKey, remoteKey } = peer;
  const line = (which: string, key: NonNullable<typeof localKey>) => `pre-shared-key ${which}${keyText(key, options)}`;
  const isOne = localKey !== undefined && remoteKey !== undefined && sameKey(localKey, remoteKey);
  return [
    ...optional(address, (value) => `address ${mask === HOST && value !== 0 ? formatIpv4(value) : pair(value, mask!)}`),
    ...optional(address6, (value) => `address ${value}`),
    ...optional(hostname, (value) => `hostname ${value}`),
    ...optional(identity, (value) => `identity ${identityText(value)}`),
    ...(isOne
      ? [line("", localKey)]
      : [...optional(localKey, (key) => line("local ", key)), ...optional(remoteKey, (key) => line("remote ", key))]),
  ];
}

function sameKey(a: NonNullable<Ikev2Peer["localKey"]>, b: NonNullable<Ikev2Peer["localKey"]>): boolean {
  const [one, other] = [a.key.secret, b.key.secret];
  return a.encryption === b.encryption && one.length === other.length && one.every((octet, i) => octet === other[i]);
}

export function identityText(identity: IkeIdentity): string {
  switch (identity.kind) {
    case "address":
      return `address ${formatIpv4(identity.address)}`;
    case "address6":
      return `address ${identity.address}`;
    case "dn":
      return "dn";
    default:
      return `${identity.kind} ${identity.text}`;
  }
}

export function matchText(match: IdentityMatch): string {
  switch (match.kind) {
    case "any":
      return "any";
    case "address":
      return `address ${pair(match.address, match.mask)}`;
    case "address6":
      return `address ${match.address}`;
    case "key-id":
      return `key-id ${match.text}`;
    default:
      return `${match.kind} ${match.domain ? "domain " : ""}${match.text}`;
  }
}

function printProfile(profile: Ikev2Profile, options: PrintOptions): string[] {
  const authentication = (side: string, { method, key }: ProfileAuthentication) =>
    `authentication ${side} ${method}${key === undefined ? "" : ` key ${keyText(key, options)}`}`;
  return block(`crypto ikev2 profile ${profile.name}`, [
    ...optional(profile.matchFvrf, (value) => `match fvrf ${value}`),
    ...profile.matchLocalAddresses.map(({ value }) => `match address local ${formatIpv4(value)}`),
    ...profile.matchLocalInterfaces.map(({ name }) => `match address local interface ${name}`),
    ...profile.matchRemote.map(({ value }) => `match identity remote ${matchText(value)}`),
    ...profile.matchCertificates.map(({ name }) => `match certificate ${name}`),
    ...optional(profile.identityLocal, (value) => `identity local ${identityText(value)}`),
    ...profile.authenticationRemote.map((one) => authentication("remote", one)),
    ...optional(profile.authenticationLocal, (one) => authentication("local", one)),
    ...optional(profile.keyring, ({ name }) => `keyring local ${name}`),
    ...optional(profile.keyringAaa, ({ name }) => `keyring aaa ${name}`),
    ...profile.trustpoints.map(({ name, use }) => `pki trustpoint ${name}${use === "both" ? "" : ` ${use}`}`),
    ...unless(DEFAULTS.ikev2.lifetimeSeconds, profile.lifetimeSeconds, (value) => `lifetime ${value}`),
    ...optional(profile.dpd, (value) => `dpd ${dpdText(value)}`),
    ...unless(false, profile.forceInitialContact, () => "initial-contact force"),
  ]);
}

function dpdText({ seconds, retrySeconds, mode }: Ikev2Dpd): string {
  return `${seconds} ${retrySeconds} ${mode}`;
}

function printBox(ikev2: Ikev2Config): string[] {
  const { fragmentationMtu, maxInNegotiation, maxSa } = ikev2;
  return [
    ...optional(ikev2.dpd, (value) => `crypto ikev2 dpd ${dpdText(value)}`),
    ...unless(DEFAULTS.ikev2.httpUrlCert, ikev2.httpUrlCert, () => "no crypto ikev2 http-url cert"),
    ...unless(DEFAULTS.ikev2.window, ikev2.window, (value) => `crypto ikev2 window ${value}`),
    ...optional(ikev2.cookieChallenge, (value) => `crypto ikev2 cookie-challenge ${value}`),
    ...optional(fragmentationMtu, (value) =>
      value === DEFAULTS.ikev2.fragmentationMtu
        ? "crypto ikev2 fragmentation"
        : `crypto ikev2 fragmentation mtu ${value}`,
    ),
    ...optional(maxInNegotiation, (value) => `crypto ikev2 limit max-in-negotiation-sa ${value}`),
    ...optional(maxSa, (value) => `crypto ikev2 limit max-sa ${value}`),
  ];
}
