/** `show crypto ikev2 proposal`, `policy` and `profile`: what is configured for IKEv2, the built-in objects first. */
import { formatIpv4 } from "../../base/ipv4.ts";
import type {
  DhGroup,
  Ikev2Encryption,
  Ikev2Hash,
  Ikev2Policy,
  Ikev2Profile,
  Ikev2Proposal,
  IosConfig,
} from "../model.ts";
import { identityText, matchText } from "../print/ike.ts";
import { lines } from "./text.ts";

const CIPHERS: Readonly<Record<Ikev2Encryption, string>> = {
  des: "DES",
  "3des": "3DES",
  "aes-cbc-128": "AES-CBC-128",
  "aes-cbc-192": "AES-CBC-192",
  "aes-cbc-256": "AES-CBC-256",
  "aes-gcm-128": "AES-GCM-128",
  "aes-gcm-256": "AES-GCM-256",
};

/** The first two are named by the bits that travel, but not as a PRF. */
const INTEGRITY: Readonly<Record<Ikev2Hash, string>> = {
  md5: "MD596",
  sha1: "SHA96",
  sha256: "SHA256",
  sha384: "SHA384",
  sha512: "SHA512",
};

const GROUPS: Readonly<Record<DhGroup, string>> = {
  1: "768_MODP",
  2: "1024_MODP",
  5: "1536_MODP",
  14: "2048_MODP",
  15: "3072_MODP",
  16: "4096_MODP",
  19: "256_ECP",
  20: "384_ECP",
  21: "521_ECP",
  24: "2048_256_MODP",
};

/** `name` absent: all. */
export function ikev2Proposals({ ikev2 }: IosConfig, name: string | undefined): string {
  return named(ikev2.proposals, name, proposalText);
}

export function ikev2Policies({ ikev2 }: IosConfig, name: string | undefined): string {
  return named(ikev2.policies, name, policyText);
}

export function ikev2Profiles(config: IosConfig, name: string | undefined): string {
  return named(config.ikev2.profiles, name, (profile) => profileText(config, profile));
}

function named<T extends { readonly name: string }>(
  all: ReadonlyMap<string, T>,
  name: string | undefined,
  text: (one: T) => string,
): string {
  return [...all.values()]
    .filter((one) => name === undefined || one.name === name)
    .map(text)
    .join("");
}

function proposalText({ name, encryption, integrity, prf, groups }: Ikev2Proposal): string {
  const row = (label: string, values: readonly string[]) => `     ${label.padEnd(10)} : ${values.join(" ") || "none"}`;
  return lines(
    ` IKEv2 proposal: ${name} `,
    row(
      "Encryption",
      encryption.map((one) => CIPHERS[one]),
    ),
    row(
      "Integrity",
      integrity.map((one) => INTEGRITY[one]),
    ),
    row(
      "PRF",
      (prf.length > 0 ? prf : integrity).map((one) => one.toUpperCase()),
    ),
    row(
      "DH Group",
      groups.map((group) => `DH_GROUP_${GROUPS[group]}/Group ${group}`),
    ),
  );
}

function policyText({ name, matchFvrf, matchLocalAddresses, proposals }: Ikev2Policy): string {
  const local = matchLocalAddresses.length === 0 ? ["any"] : matchLocalAddresses.map(formatIpv4);
  return lines(
    ` IKEv2 policy : ${name}`,
    matchFvrf === "any" ? "      Match fvrf : any" : `      Match fvrf  : ${matchFvrf ?? "global"}`,
    local.map((address) => `      Match address local : ${address}`),
    proposals.map((proposal) => `      Proposal    : ${proposal.name}`),
    "",
  );
}

const NONE = "none";

function profileText(config: IosConfig, profile: Ikev2Profile): string {
  const { matchLocalAddresses, matchLocalInterfaces, matchRemote, matchCertificates, trustpoints, keyring } = profile;
  const local = [...matchLocalAddresses.map(({ value }) => formatIpv4(value)), ...matchLocalInterfaces.map(nameOf)];
  const remote = profile.authenticationRemote.map(({ method }) => method);
  const dpd = profile.dpd ?? config.ikev2.dpd;
  return lines(
    "",
    `IKEv2 profile: ${profile.name}`,
    " Shutdown : No",
    ` Ref Count: ${1 + usersOf(config, profile.name)}`,
    " Match criteria: ",
    `  Fvrf: ${profile.matchFvrf ?? "global"}`,
    `  Local address/interface: ${local.join(" ") || NONE}`,
    listed(
      "  Identities",
      matchRemote.map(({ value }) => matchText(value)),
    ),
    `  Certificate maps: ${matchCertificates.map(nameOf).join(" ") || NONE}`,
    ` Local identity: ${profile.identityLocal === undefined ? NONE : identityText(profile.identityLocal)}`,
    " Remote identity: none",
    ` Local authentication method: ${profile.authenticationLocal?.method ?? NONE}`,
    ` Remote authentication method(s): ${remote.join(" ") || NONE}`,
    " EAP options: none",
    ` Keyring: ${keyring?.name ?? profile.keyringAaa?.name ?? NONE}`,
    ` Trustpoint(s): ${trustpoints.map(nameOf).join(" ") || NONE}`,
    ` Lifetime: ${profile.lifetimeSeconds} seconds`,
    dpd === undefined
      ? " DPD: disabled"
      : ` DPD: interval ${dpd.seconds}, retry-interval ${dpd.retrySeconds}, ${dpd.mode}`,
    " NAT-keepalive: disabled",
    " Ivrf: none",
    " Virtual-template: none",
    " mode auto: none",
    " AAA AnyConnect EAP authentication mlist: none",
    " AAA EAP authentication mlist: none",
    " AAA authentication mlist: none",
    " AAA Accounting: none",
    " AAA group authorization: none",
    " AAA user authorization: none",
  );
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/** One a line below the label. */
function listed(label: string, values: readonly string[]): string[] {
  return values.length === 0 ? [`${label}: ${NONE}`] : [`${label}:`, ...values.map((value) => `   ${value}`)];
}

/** Groups, map entries and ipsec profiles that name the profile. */
function usersOf({ groups, cryptoMaps, ipsecProfiles }: IosConfig, name: string): number {
  const names = [
    ...[...groups.values()].flatMap(({ server, client }) => [server?.gikev2?.name, client.profile?.name]),
    ...[...cryptoMaps.values()].flatMap(({ tunnels }) => [...tunnels.values()].map((one) => one.ikev2Profile?.name)),
    ...[...ipsecProfiles.values()].map(({ ikev2Profile }) => ikev2Profile?.name),
  ];
  return names.filter((one) => one === name).length;
}
