/** IKEv2 objects of an IOS configuration as the endpoint of a key server or member wants them. */
import { utf8 } from "../base/bytes.ts";
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import type { Secret } from "../base/secret.ts";
import type { AuthProfile, EndpointConfig, IkeProposal, ProfileMatch, PskEntry } from "../ikev2/api.ts";
import { DEFAULT_RETRANSMIT } from "../ikev2/window.ts";
import type {
  IdentityMatch,
  IkeIdentity,
  Ikev2Encryption,
  Ikev2Hash,
  Ikev2Peer,
  Ikev2Profile,
  Ikev2Proposal,
  IosConfig,
  Place,
} from "../ios/model.ts";
import { addressOctets } from "../wire/address.ts";
import type { Id } from "../wire/ikev2.ts";
import { Dh, Encr, IdType, Integ, Kwa, Prf } from "../wire/ikev2Numbers.ts";

/** A finding at a place of the configuration; `iosUnsupported` is legal IOS that has no model here. */
export function iosProblem(code: "iosUnsupported" | "iosIncompleteObject", at: Place, message: string): ConfigProblem {
  return { code, file: at.file, line: at.line, column: at.column, path: "", message };
}

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
 * key have by default. What cannot be modelled goes to `problems`.
 */
export function endpointOfIos(
  ios: IosConfig,
  profiles: readonly string[],
  local: number,
  problems: ConfigProblem[],
): EndpointConfig {
  const { cookieChallenge, fragmentationMtu, maxInNegotiation, window } = ios.ikev2;
  return {
    proposals: proposalsOf(ios, local, problems),
    profiles: profiles.flatMap((name) => {
      const profile = ios.ikev2.profiles.get(name);
      return profile === undefined ? [] : [profileOf(ios, profile, local, problems)];
    }),
    retransmit: DEFAULT_RETRANSMIT,
    window,
    ...(cookieChallenge === undefined ? {} : { cookieThreshold: cookieChallenge }),
    ...(fragmentationMtu === undefined ? {} : { fragmentation: { mtu: fragmentationMtu } }),
    ...(maxInNegotiation === undefined ? {} : { maxInNegotiation }),
  };
}

/** Of the first policy that fits the local address; the built-in one counts only where nobody configured another. */
function proposalsOf(ios: IosConfig, local: number, problems: ConfigProblem[]): IkeProposal[] {
  const { policies, proposals } = ios.ikev2;
  const own = [...policies.values()].filter(({ name }) => name !== "default");
  const fitting = own.filter(({ matchLocalAddresses: list }) => list.length === 0 || list.includes(local));
  const policy = fitting[0] ?? policies.get("default");
  const names = policy?.proposals.map(({ name }) => name) ?? [];
  return names.flatMap((name) => {
    const proposal = proposals.get(name);
    return proposal === undefined ? [] : [proposalOf(proposal, problems)];
  });
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

function profileOf(ios: IosConfig, profile: Ikev2Profile, local: number, problems: ConfigProblem[]): AuthProfile {
  const methods = [profile.authenticationLocal, ...profile.authenticationRemote];
  for (const authentication of methods) {
    if (authentication === undefined || authentication.method === "pre-share") continue;
    const message = `Authentication by ${authentication.method} is not modelled.`;
    problems.push(iosProblem("iosUnsupported", authentication.at, message));
  }
  return {
    name: profile.name,
    localIdentity: localIdentity(profile, local),
    local: "pre-share",
    remote: ["pre-share"],
    match: matchOf(profile, problems),
    keys: keysOf(ios, profile),
    lifetimeSeconds: profile.lifetimeSeconds,
    // Fresh keys before the end: rekeys of a unicast group go on in the successor (RFC 9838 section 2.3.3).
    atLifetime: "rekey",
  };
}

/** The address with a pre-shared key, where nothing else was configured. */
function localIdentity({ identityLocal }: Ikev2Profile, local: number): Id {
  return (identityLocal && identityOf(identityLocal)) ?? addressIdentity(local);
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

function matchOf({ matchRemote }: Ikev2Profile, problems: ConfigProblem[]): ProfileMatch {
  const remoteAddresses: { network: string; mask: string }[] = [];
  const remoteIdentities: Id[] = [];
  let anyRemote = false;
  for (const { value, at } of matchRemote) {
    if (value.kind === "any") anyRemote = true;
    else if (value.kind === "address") {
      remoteAddresses.push({ network: formatIpv4(value.address), mask: formatIpv4(value.mask) });
    } else {
      const identity = matchedIdentity(value);
      if (identity !== undefined) remoteIdentities.push(identity);
      else problems.push(iosProblem("iosUnsupported", at, "Matching a domain is not modelled."));
    }
  }
  return { remoteAddresses, remoteIdentities, anyRemote };
}

function matchedIdentity(match: Exclude<IdentityMatch, { kind: "any" | "address" }>): Id | undefined {
  if (match.kind === "address6") return { type: IdType.IPV6_ADDR, data: addressOctets(match.address) };
  if (match.kind !== "key-id" && match.domain) return undefined;
  return { type: NAMED[match.kind], data: utf8(match.text) };
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
