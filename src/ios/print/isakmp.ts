/** IKEv1 as the running configuration prints it: keyrings, policies, settings, profiles; and `crypto identity`. */
import { formatIpv4 } from "../../base/ipv4.ts";
import { DEFAULTS } from "../defaults.ts";
import type {
  CryptoIdentity,
  IsakmpConfig,
  IsakmpKey,
  IsakmpKeyring,
  IsakmpMatch,
  IsakmpPolicy,
  IsakmpProfile,
  IsakmpSelf,
  LocalAddress,
} from "../model.ts";
import { block, keyText, optional, type PrintOptions, pair, unless, when } from "./writer.ts";

const HOST = 0xffffffff;

export function printIsakmp(isakmp: IsakmpConfig, options: PrintOptions): string[][] {
  const { keyrings, policies, profiles, keys, keepalive, identity, aggressive, enabled } = isakmp;
  return [
    ...[...keyrings.values()].map((keyring) => printKeyring(keyring, options)),
    ...[...policies.values()].map(printIsakmpPolicy),
    [
      ...keys.map((key) => printIsakmpKey(key, options)),
      ...optional(keepalive, ({ seconds, retrySeconds, periodic }) => {
        const retry = retrySeconds === DEFAULTS.isakmp.keepaliveRetrySeconds ? "" : ` ${retrySeconds}`;
        return `crypto isakmp keepalive ${seconds}${retry}${periodic ? " periodic" : ""}`;
      }),
      ...unless(DEFAULTS.isakmp.identity, identity, (value) => `crypto isakmp identity ${value}`),
      ...unless(DEFAULTS.isakmp.aggressive, aggressive, () => "crypto isakmp aggressive-mode disable"),
      ...unless(DEFAULTS.isakmp.enabled, enabled, () => "no crypto isakmp enable"),
      ...optional(isakmp.natKeepaliveSeconds, (value) => `crypto isakmp nat keepalive ${value}`),
      ...optional(isakmp.maxSa, (value) => `crypto call admission limit ike sa ${value}`),
      ...optional(isakmp.maxInNegotiation, (value) => `crypto call admission limit ike in-negotiation-sa ${value}`),
    ],
    ...[...profiles.values()].map(printProfile),
  ];
}

/** IOS prints the first command by its short name. */
function printIsakmpPolicy(policy: IsakmpPolicy): string[] {
  const { encryption, hash, authentication, group, lifetimeSeconds } = policy;
  const fallback = DEFAULTS.isakmpPolicy;
  return block(`crypto isakmp policy ${policy.priority}`, [
    ...unless(fallback.encryption, encryption, (value) => `encr ${value.replace("-128", "").replace("-", " ")}`),
    ...unless(fallback.hash, hash, (value) => `hash ${value}`),
    ...unless(fallback.authentication, authentication, (value) => `authentication ${value}`),
    ...unless(fallback.group, group, (value) => `group ${value}`),
    ...unless(fallback.lifetimeSeconds, lifetimeSeconds, (value) => `lifetime ${value}`),
  ]);
}

function printIsakmpKey(one: IsakmpKey, options: PrintOptions): string {
  return `crypto isakmp key ${keyText(one.key, options)} ${peerText(one)}`;
}

function peerText({ address, mask, hostname }: IsakmpKey): string {
  if (address === undefined) return `hostname ${hostname}`;
  const isPlain = mask === (address === 0 ? 0 : HOST);
  return `address ${isPlain ? formatIpv4(address) : pair(address, mask!)}`;
}

function printKeyring({ name, vrf, localAddress, keys }: IsakmpKeyring, options: PrintOptions): string[] {
  return block(`crypto keyring ${name}${vrf === undefined ? "" : ` vrf ${vrf}`}`, [
    ...optional(localAddress, localAddressText),
    ...keys.map((one) => `pre-shared-key ${peerText(one)} key ${keyText(one.key, options)}`),
  ]);
}

function localAddressText(local: LocalAddress): string {
  return `local-address ${local.kind === "address" ? formatIpv4(local.address) : local.name}`;
}

/** IOS says of a profile that matches nobody that it is incomplete. */
function printProfile(profile: IsakmpProfile): string[] {
  const { matchIdentities, matchCertificates, selfIdentity, keepalive } = profile;
  const isComplete = matchIdentities.length + matchCertificates.length > 0;
  const [heading, ...lines] = block(`crypto isakmp profile ${profile.name}`, [
    ...profile.keyrings.map(({ name }) => `keyring ${name}`),
    ...optional(selfIdentity, (self) => `self-identity ${selfText(self)}`),
    ...profile.trustpoints.map(({ name }) => `ca trust-point ${name}`),
    ...matchIdentities.map(({ value }) => `match identity ${isakmpMatchText(value)}`),
    ...matchCertificates.map(({ name }) => `match certificate ${name}`),
    ...optional(keepalive, ({ seconds, retrySeconds }) => `keepalive ${seconds} retry ${retrySeconds}`),
    ...unless<string>(DEFAULTS.isakmp.initiate, profile.initiate, (mode) => `initiate mode ${mode}`),
    ...optional(profile.localAddress, localAddressText),
  ]);
  return [heading!, ...when(!isComplete, "! This profile is incomplete (no match identity statement)"), ...lines];
}

function selfText(self: IsakmpSelf): string {
  if (self.kind === "address") return self.address === undefined ? self.kind : formatIpv4(self.address);
  return self.text === undefined ? self.kind : `${self.kind} ${self.text}`;
}

export function isakmpMatchText(match: IsakmpMatch): string {
  switch (match.kind) {
    case "address":
      return `address ${pair(match.address, match.mask)}${match.vrf === undefined ? "" : ` ${match.vrf}`}`;
    case "group":
      return `group ${match.text}`;
    default:
      return `${match.kind} ${match.domain ? "domain " : ""}${match.text}`;
  }
}

export function printIdentity({ name, distinguishedNames, hostnames }: CryptoIdentity): string[] {
  return block(`crypto identity ${name}`, [
    ...distinguishedNames.map(({ value }) => `dn ${value}`),
    ...hostnames.map(({ value }) => `fqdn ${value}`),
  ]);
}
