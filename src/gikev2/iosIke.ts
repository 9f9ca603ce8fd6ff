/** IKEv2 objects of an IOS configuration as the endpoint of a key server or member wants them. */
import { utf8 } from "../base/bytes.ts";
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import { SECOND } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import type {
  AuthMethodName,
  AuthProfile,
  EndpointConfig,
  IkeProposal,
  LivenessConfig,
  ProfileMatch,
  PskEntry,
} from "../ikev2/api.ts";
import { DEFAULT_RETRANSMIT } from "../ikev2/window.ts";
import type {
  IkeIdentity,
  Ikev2Dpd,
  Ikev2Encryption,
  Ikev2Hash,
  Ikev2Peer,
  Ikev2Profile,
  Ikev2Proposal,
  IosConfig,
  ProfileAuthentication,
} from "../ios/model.ts";
import { distinguishedName } from "../pki/identity.ts";
import type { Trustpoint } from "../pki/trustpoint.ts";
import { addressOctets } from "../wire/address.ts";
import type { Id } from "../wire/ikev2.ts";
import { Dh, Encr, IdType, Integ, Kwa, Prf } from "../wire/ikev2Numbers.ts";
import { certificateMapsOf, type RouterPki, signingTrustpoint, trustpointsOf } from "./iosPki.ts";
import { iosProblem } from "./iosProblem.ts";

/** Undefined: not modelled. */
const CIPHERS: Readonly<Record<Ikev2Encryption, { readonly id: number; readonly keyBits: number } | undefined>> = {
  des: undefined,
  "3des": { id: Encr["3DES"], keyBits: 0 },
  "aes-cbc-128": { id: Encr.AES_CBC, keyBits: 128 },
  "aes-cbc-192": { id: Encr.AES_CBC, keyBits: 192 },
  "aes-cbc-256": { id: Encr.AES_CBC, keyBits: 256 },
  "aes-gcm-128": { id: Encr.AES_GCM_16, keyBits: 128 },
  "aes-gcm-256": { id: Encr.AES_GCM_16, keyBits: 256 },
};

const PRFS: Readonly<Record<Ikev2Hash, number>> = {
  md5: Prf.HMAC_MD5,
  sha1: Prf.HMAC_SHA1,
  sha256: Prf.HMAC_SHA2_256,
  sha384: Prf.HMAC_SHA2_384,
  sha512: Prf.HMAC_SHA2_512,
};

const INTEGS: Readonly<Record<Ikev2Hash, number>> = {
  md5: Integ.HMAC_MD5_96,
  sha1: Integ.HMAC_SHA1_96,
  sha256: Integ.HMAC_SHA2_256_128,
  sha384: Integ.HMAC_SHA2_384_192,
  sha512: Integ.HMAC_SHA2_512_256,
};

/** IOS knows nothing of key wrap algorithms: the strongest is offered, which is long enough for every key. */
const KWA: readonly number[] = [Kwa.KW_5649_256];

/**
 * The endpoint of a router with the named profiles. `local`: its address, the identity that profiles with a pre-shared
 * key have by default. `pki`: its certificates, where it has any. What cannot be modelled goes to `problems`.
 */
export function endpointOfIos(
  ios: IosConfig,
  profiles: readonly string[],
  local: number,
  problems: ConfigProblem[],
  pki?: RouterPki,
): EndpointConfig {
  const { cookieChallenge, dpd, fragmentationMtu, httpUrlCert, maxInNegotiation, maxSa, window } = ios.ikev2;
  return {
    proposals: proposalsOf(ios, local, problems),
    profiles: profiles.flatMap((name) => {
      const profile = ios.ikev2.profiles.get(name);
      return profile === undefined ? [] : [profileOf(ios, profile, local, problems, pki)];
    }),
    retransmit: DEFAULT_RETRANSMIT,
    window,
    ...(cookieChallenge === undefined ? {} : { cookieThreshold: cookieChallenge }),
    ...(fragmentationMtu === undefined ? {} : { fragmentation: { mtu: fragmentationMtu } }),
    ...(maxInNegotiation === undefined ? {} : { maxInNegotiation }),
    ...(maxSa === undefined ? {} : { maxSas: maxSa }),
    ...livenessOf(dpd),
    ...(pki === undefined ? {} : { pki: httpUrlCert ? pki.config : { ...pki.config, urls: undefined } }),
  };
}

/** Of the first policy that fits the local address; the built-in one counts only where nobody configured another. */
function proposalsOf(ios: IosConfig, local: number, problems: ConfigProblem[]): IkeProposal[] {
  const { policies, proposals } = ios.ikev2;
  const own = [...policies.values()].filter(({ name }) => name !== "default");
  const fitting = own.filter(
    ({ matchFvrf, matchLocalAddresses: list }) => isGlobal(matchFvrf) && (list.length === 0 || list.includes(local)),
  );
  const policy = fitting[0] ?? policies.get("default");
  const names = policy?.proposals.map(({ name }) => name) ?? [];
  return names.flatMap((name) => {
    const proposal = proposals.get(name);
    return proposal === undefined ? [] : [proposalOf(proposal, problems)];
  });
}

/** Routers have one routing table here, the global one, which is also what counts where no other is named. */
function isGlobal(fvrf: string | undefined): boolean {
  return fvrf === undefined || fvrf === "any" || fvrf === "global";
}

/** IOS repeats the question five times before a peer counts as dead. */
const DPD_REPEATS = 5;

/** On demand, IOS asks before it sends traffic through the SA; no traffic of a group does, so nothing is asked. */
function livenessOf(dpd: Ikev2Dpd | undefined): { liveness?: LivenessConfig } {
  if (dpd?.mode !== "periodic") return {};
  const retransmit = { first: dpd.retrySeconds * SECOND, factor: 1, repeats: DPD_REPEATS };
  return { liveness: { idleMicros: dpd.seconds * SECOND, retransmit } };
}

function proposalOf(proposal: Ikev2Proposal, problems: ConfigProblem[]): IkeProposal {
  const encr = proposal.encryption.flatMap((name) => {
    const cipher = CIPHERS[name];
    if (cipher === undefined) problems.push(iosProblem("iosUnsupported", proposal.at, `${name} is not modelled.`));
    return cipher ?? [];
  });
  const dh = proposal.groups.filter((group) => group !== Dh.MODP_2048_256);
  if (dh.length < proposal.groups.length) {
    problems.push(iosProblem("iosUnsupported", proposal.at, "DH group 24 is not modelled."));
  }
  const aead = encr.length > 0 && encr.every(({ id }) => id === Encr.AES_GCM_16);
  const prf = proposal.prf.length > 0 ? proposal.prf : proposal.integrity;
  return {
    encr,
    prf: prf.map((name) => PRFS[name]),
    integ: aead ? [] : proposal.integrity.map((name) => INTEGS[name]),
    dh,
    kwa: KWA,
  };
}

function profileOf(
  ios: IosConfig,
  profile: Ikev2Profile,
  local: number,
  problems: ConfigProblem[],
  pki: RouterPki | undefined,
): AuthProfile {
  const method = methodOf(profile.authenticationLocal, problems) ?? "pre-share";
  const remote = profile.authenticationRemote.flatMap((one) => methodOf(one, problems) ?? []);
  const trustpoints = trustpointsOf(ios, profile, pki, problems);
  return {
    name: profile.name,
    localIdentity: localIdentity(profile, local, method, trustpoints, problems),
    local: method,
    remote: remote.length === 0 ? ["pre-share"] : remote,
    match: matchOf(ios, profile, problems),
    keys: keysOf(ios, profile),
    ...(trustpoints.length === 0 ? {} : { trustpoints }),
    lifetimeSeconds: profile.lifetimeSeconds,
    // Fresh keys before the end: rekeys of a unicast group go on in the successor (RFC 9838 section 2.3.3).
    atLifetime: "rekey",
    ...livenessOf(profile.dpd),
    ...(profile.forceInitialContact ? { forceInitialContact: true } : {}),
  };
}

/** Undefined for EAP, which groups do not know. */
function methodOf(
  authentication: ProfileAuthentication | undefined,
  problems: ConfigProblem[],
): AuthMethodName | undefined {
  if (authentication === undefined) return undefined;
  const { at, method } = authentication;
  if (method !== "eap") return method;
  problems.push(iosProblem("iosUnsupported", at, "EAP is not supported with G-IKEv2."));
  return undefined;
}

/**
 * Where nothing else was configured: the address with a pre-shared key, the name in the certificate with a signature. A
 * certificate is there in any case where it has to be.
 */
function localIdentity(
  profile: Ikev2Profile,
  local: number,
  method: AuthMethodName,
  trustpoints: readonly Trustpoint[],
  problems: ConfigProblem[],
): Id {
  const configured = profile.identityLocal && identityOf(profile.identityLocal);
  if (method === "pre-share") return configured ?? addressIdentity(local);
  const own = signingTrustpoint(trustpoints, method)?.identity?.chain[0];
  // Trustpoints without any certificates have been complained about already.
  if (own === undefined && (profile.trustpoints.length === 0 || trustpoints.length > 0)) {
    const at = profile.authenticationLocal!.at;
    problems.push(iosProblem("iosIncompleteObject", at, `Profile ${profile.name} has no certificate for ${method}.`));
  }
  return configured ?? (own === undefined ? addressIdentity(local) : distinguishedName(own.subject));
}

function addressIdentity(address: number): Id {
  return { type: IdType.IPV4_ADDR, data: addressOctets(formatIpv4(address)) };
}

const NAMED = { fqdn: IdType.FQDN, email: IdType.RFC822_ADDR, "key-id": IdType.KEY_ID } as const;

/** Undefined for a distinguished name, which only certificates have. */
function identityOf(identity: IkeIdentity): Id | undefined {
  switch (identity.kind) {
    case "address":
      return addressIdentity(identity.address);
    case "address6":
      return { type: IdType.IPV6_ADDR, data: addressOctets(identity.address) };
    case "dn":
      return undefined;
    default:
      return { type: NAMED[identity.kind], data: utf8(identity.text) };
  }
}

function matchOf(ios: IosConfig, profile: Ikev2Profile, problems: ConfigProblem[]): ProfileMatch {
  const remoteAddresses: { network: string; mask: string }[] = [];
  const remoteIdentities: Id[] = [];
  const remoteDomains: { type: number; domain: string }[] = [];
  let anyRemote = false;
  for (const { value } of profile.matchRemote) {
    if (value.kind === "any") anyRemote = true;
    else if (value.kind === "address") {
      remoteAddresses.push({ network: formatIpv4(value.address), mask: formatIpv4(value.mask) });
    } else if (value.kind === "address6") {
      remoteIdentities.push({ type: IdType.IPV6_ADDR, data: addressOctets(value.address) });
    } else if (value.kind !== "key-id" && value.domain) {
      remoteDomains.push({ type: NAMED[value.kind], domain: value.text });
    } else remoteIdentities.push({ type: NAMED[value.kind], data: utf8(value.text) });
  }
  return {
    remoteAddresses,
    remoteIdentities,
    anyRemote,
    ...(remoteDomains.length === 0 ? {} : { remoteDomains }),
    ...(profile.matchFvrf === undefined ? {} : { fvrf: profile.matchFvrf }),
    ...localAddressesOf(ios, profile),
    ...certificateMapsOf(ios, profile, problems),
  };
}

function localAddressesOf(
  ios: IosConfig,
  { matchLocalAddresses, matchLocalInterfaces }: Ikev2Profile,
): Pick<ProfileMatch, "localAddresses"> {
  if (matchLocalAddresses.length + matchLocalInterfaces.length === 0) return {};
  const ofInterfaces = matchLocalInterfaces.flatMap(({ name }) => ios.interfaces.get(name)?.address?.address ?? []);
  return { localAddresses: [...matchLocalAddresses.map(({ value }) => value), ...ofInterfaces].map(formatIpv4) };
}

const EVERYBODY = { network: "0.0.0.0", mask: "0.0.0.0" };

/** A key in the profile itself stands for every peer; otherwise the keyring's peers in their order. */
function keysOf(ios: IosConfig, profile: Ikev2Profile): PskEntry[] {
  const local = profile.authenticationLocal?.key;
  const remote = profile.authenticationRemote.find(({ key }) => key !== undefined)?.key;
  const keys: PskEntry[] = [];
  if (local !== undefined || remote !== undefined) {
    keys.push({
      peer: profile.name,
      address: EVERYBODY,
      localKey: (local ?? remote)!.key,
      remoteKey: (remote ?? local)!.key,
    });
  }
  const keyring = profile.keyring && ios.ikev2.keyrings.get(profile.keyring.name);
  for (const peer of keyring?.peers.values() ?? []) keys.push(...keyOf(ios, peer));
  return keys;
}

function keyOf(ios: IosConfig, peer: Ikev2Peer): PskEntry[] {
  const localKey: Secret | undefined = (peer.localKey ?? peer.remoteKey)?.key;
  const remoteKey: Secret | undefined = (peer.remoteKey ?? peer.localKey)?.key;
  if (localKey === undefined || remoteKey === undefined) return [];
  const named = peer.hostname === undefined ? undefined : ios.hosts.get(peer.hostname)?.value;
  const address = peer.address ?? named;
  const identity = peer.identity && identityOf(peer.identity);
  const mask = peer.address === undefined ? 0xffffffff : (peer.mask ?? 0xffffffff);
  return [
    {
      peer: peer.name,
      ...(address === undefined ? {} : { address: { network: formatIpv4(address), mask: formatIpv4(mask) } }),
      ...(identity === undefined ? {} : { identity }),
      localKey,
      remoteKey,
    },
  ];
}
