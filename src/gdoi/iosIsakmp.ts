/** ISAKMP objects of an IOS configuration as the IKEv1 endpoint of a key server or member wants them. */
import { type Bytes, utf8 } from "../base/bytes.ts";
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import { SECOND } from "../base/micros.ts";
import { certificateMapsOf, type RouterPki, signingTrustpoint, trustpointsOf } from "../gikev2/iosPki.ts";
import { iosProblem } from "../gikev2/iosProblem.ts";
import {
  type DpdConfig,
  GLOBAL_KEYRING,
  type Ikev1Profile,
  type IsakmpPolicy,
  type ProfileMatch,
  type PskEntry,
} from "../ikev1/api.ts";
import type {
  IosConfig,
  IsakmpEncryption,
  IsakmpKey,
  IsakmpSelf,
  LocalAddress,
  Place,
  IsakmpPolicy as TypedPolicy,
  IsakmpProfile as TypedProfile,
} from "../ios/model.ts";
import type { Trustpoint } from "../pki/trustpoint.ts";
import { addressOctets } from "../wire/address.ts";
import type { Id } from "../wire/isakmp.ts";
import { IsakmpIdType, OakleyAuthentication, OakleyEncryption, OakleyHash } from "../wire/isakmpNumbers.ts";
import type { IsakmpConfig, IsakmpProfile } from "./peerCertificates.ts";

const CIPHERS: Readonly<Record<IsakmpEncryption, Pick<IsakmpPolicy, "encryption" | "keyBits">>> = {
  des: { encryption: OakleyEncryption.DES_CBC, keyBits: 0 },
  "3des": { encryption: OakleyEncryption["3DES_CBC"], keyBits: 0 },
  "aes-128": { encryption: OakleyEncryption.AES_CBC, keyBits: 128 },
  "aes-192": { encryption: OakleyEncryption.AES_CBC, keyBits: 192 },
  "aes-256": { encryption: OakleyEncryption.AES_CBC, keyBits: 256 },
};

const HASHES: Readonly<Record<TypedPolicy["hash"], number>> = {
  md5: OakleyHash.MD5,
  sha: OakleyHash.SHA1,
  sha256: OakleyHash.SHA2_256,
  sha384: OakleyHash.SHA2_384,
  sha512: OakleyHash.SHA2_512,
};

/** Undefined: not modelled. */
const METHODS: Readonly<Record<TypedPolicy["authentication"], number | undefined>> = {
  "pre-share": OakleyAuthentication.PRE_SHARED_KEY,
  "rsa-sig": OakleyAuthentication.RSA_SIGNATURE,
  "rsa-encr": undefined,
};

/** Questions of `crypto isakmp keepalive ... periodic` before the peer counts as dead: IOS. */
const DPD_REPEATS = 5;

/** The profile of the global settings: it takes whom no other takes (IOS: "peer matches *none* of the profiles"). */
const ISAKMP_PROFILE = "default";

/**
 * The endpoint of a router. `local`: its address, the identity unless the configuration says otherwise. `pki`: its
 * certificates, where it has any. What cannot be modelled goes to `problems`; undefined where no policy is left.
 *
 * Profiles come in the order in which they were typed, the global settings last. A keyring that a profile names serves the
 * peers of such profiles alone; the global settings have `crypto isakmp key` and the keyrings that no profile names. That
 * is from memory of what IOS does with a peer that matches no profile.
 *
 * A policy with signatures is passed over by a router without certificates: it has nothing to sign with. That is a problem
 * only where no other policy is there. DPD without `periodic` asks before traffic after a silence, which members do not
 * have on their key server's SA: it is answered and never begun. `keepalive` of a profile has no such word: it is periodic
 * unless the global line says `on-demand` (not documented).
 */
export function isakmpOfIos(
  ios: IosConfig,
  local: number,
  problems: ConfigProblem[],
  pki?: RouterPki,
): IsakmpConfig | undefined {
  const before = problems.length;
  const trustpoints = routerTrustpoints(ios, pki, problems);
  const router: Router = { ios, local, trustpoints, problems };
  const profiles = [...[...ios.isakmp.profiles.values()].map((one) => profileOf(router, one)), globalProfile(router)];
  const canSign = profiles.some(({ signer }) => signer !== undefined);
  const policies = policiesOf(ios, canSign, problems);
  if (policies.length === 0) {
    const at = firstPlace(ios);
    if (problems.length === before && at !== undefined) {
      problems.push(
        iosProblem("iosIncompleteObject", at, "GDOI needs a crypto isakmp policy that the router can use."),
      );
    }
    return undefined;
  }
  const { keepalive, aggressive, enabled, maxSa, maxInNegotiation, natKeepaliveSeconds = 0 } = ios.isakmp;
  return {
    ...(enabled ? {} : { enabled }),
    policies,
    profiles,
    keys: allKeys(ios),
    aggressive,
    // IOS sends none unless told to.
    nat: { keepaliveMicros: natKeepaliveSeconds * SECOND },
    ...(maxSa === undefined ? {} : { maxSas: maxSa }),
    ...(maxInNegotiation === undefined ? {} : { maxInNegotiation }),
    ...(keepalive?.periodic === true ? { dpd: dpdOf(keepalive) } : {}),
    ...(trustpoints.length === 0 ? {} : { trustpoints }),
    ...(pki?.config.epoch === undefined ? {} : { epoch: pki.config.epoch }),
  };
}

/** What profiles are made from. `trustpoints`: those that the router has enrolled at. */
interface Router {
  readonly ios: IosConfig;
  readonly local: number;
  readonly trustpoints: readonly Trustpoint[];
  readonly problems: ConfigProblem[];
}

function globalProfile({ ios, local, trustpoints }: Router): IsakmpProfile {
  const { keyrings, profiles } = ios.isakmp;
  const bound = new Set([...profiles.values()].flatMap((profile) => profile.keyrings.map(({ name }) => name)));
  return {
    // A name with a blank is one that nobody can type.
    name: profiles.has(ISAKMP_PROFILE) ? `${ISAKMP_PROFILE} (global)` : ISAKMP_PROFILE,
    ...credentials(trustpoints, (subject) => globalIdentity(ios, local, subject)),
    match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true },
    keyrings: [GLOBAL_KEYRING, ...[...keyrings.keys()].filter((name) => !bound.has(name))],
  };
}

/** One without `keyring` has the global keys. */
function profileOf({ ios, local, trustpoints, problems }: Router, typed: TypedProfile): IsakmpProfile {
  const { name, keyrings, trustpoints: named, initiate, keepalive, selfIdentity } = typed;
  const own =
    named.length === 0 ? trustpoints : trustpoints.filter((one) => named.some((two) => two.name === one.name));
  const onDemand = ios.isakmp.keepalive?.periodic === false;
  return {
    name,
    ...credentials(own, (subject) =>
      selfIdentity === undefined ? globalIdentity(ios, local, subject) : selfOf(ios, local, selfIdentity),
    ),
    match: matchOf(ios, typed, problems),
    keyrings: keyrings.length === 0 ? [GLOBAL_KEYRING] : keyrings.map((keyring) => keyring.name),
    mode: initiate,
    ...(named.length === 0 ? {} : { trustpoints: named.map((trustpoint) => trustpoint.name) }),
    ...(keepalive === undefined || onDemand ? {} : { dpd: dpdOf(keepalive) }),
  };
}

/** Our name, and what signatures are made with where there are certificates. `identityFor` takes the subject of ours. */
function credentials(
  trustpoints: readonly Trustpoint[],
  identityFor: (subject: Bytes | undefined) => Id,
): Pick<Ikev1Profile, "localIdentity" | "signer" | "certificates" | "authorities"> {
  const own = signingTrustpoint(trustpoints, "rsa-sig")?.identity;
  return {
    localIdentity: identityFor(own?.chain[0]?.subject.octets),
    ...(own === undefined ? {} : { signer: own.key, certificates: own.chain.map(({ octets }) => octets) }),
    ...(trustpoints.length === 0 ? {} : { authorities: trustpoints.map(({ anchor }) => anchor.subject.octets) }),
  };
}

const NAMED = { host: IsakmpIdType.FQDN, "user-fqdn": IsakmpIdType.USER_FQDN } as const;

/** Peers that come in by another routing table do not exist here: a statement about one matches nobody. */
function matchOf(ios: IosConfig, typed: TypedProfile, problems: ConfigProblem[]): ProfileMatch {
  const remoteAddresses: { network: string; mask: string }[] = [];
  const remoteIdentities: Id[] = [];
  const remoteDomains: { type: number; domain: string }[] = [];
  const remoteUnits: string[] = [];
  for (const { value } of typed.matchIdentities) {
    if (value.kind === "address") {
      if (value.vrf === undefined) remoteAddresses.push(network(value.address, value.mask));
    } else if (value.kind === "group") {
      remoteIdentities.push(namedId(IsakmpIdType.KEY_ID, utf8(value.text)));
      remoteUnits.push(value.text);
    } else if (value.domain) remoteDomains.push({ type: NAMED[value.kind], domain: value.text });
    else remoteIdentities.push(namedId(NAMED[value.kind], utf8(value.text)));
  }
  const localAddress = localAddressOf(ios, typed.localAddress);
  return {
    remoteAddresses,
    remoteIdentities,
    anyRemote: false,
    ...(remoteDomains.length === 0 ? {} : { remoteDomains }),
    ...(remoteUnits.length === 0 ? {} : { remoteUnits }),
    ...certificateMapsOf(ios, typed, problems),
    ...(localAddress === undefined ? {} : { localAddresses: [localAddress] }),
  };
}

/** Empty, which is nobody's address, for an interface without one. */
function localAddressOf({ interfaces }: IosConfig, local: LocalAddress | undefined): string | undefined {
  if (local === undefined) return undefined;
  const address = local.kind === "address" ? local.address : interfaces.get(local.name)?.address?.address;
  return address === undefined ? "" : formatIpv4(address);
}

/** What a router has enrolled at; those that nobody has issued certificates for count only where signatures are needed. */
function routerTrustpoints(
  ios: IosConfig,
  pki: RouterPki | undefined,
  problems: ConfigProblem[],
): readonly Trustpoint[] {
  const signs = [...ios.isakmp.policies.values()].some(({ authentication }) => authentication === "rsa-sig");
  if (!signs || pki === undefined) return [];
  const enrolled = [...ios.pki.trustpoints.values()].filter(({ name }) => pki.trustpoints.has(name));
  const uses = enrolled.map(({ name, at }) => ({ name, at, use: "both" as const }));
  return trustpointsOf(ios, { trustpoints: uses }, pki, problems);
}

function policiesOf(ios: IosConfig, canSign: boolean, problems: ConfigProblem[]): IsakmpPolicy[] {
  const typed = [...ios.isakmp.policies.values()].sort((a, b) => a.priority - b.priority);
  return typed.flatMap((one) => {
    const { at, encryption, hash, authentication, group, lifetimeSeconds } = one;
    const method = METHODS[authentication];
    if (method === undefined) {
      problems.push(iosProblem("iosUnsupported", at, `Authentication ${authentication} is not modelled.`));
      return [];
    }
    if (authentication === "rsa-sig" && !canSign) return [];
    return [{ ...CIPHERS[encryption], hash: HASHES[hash], group, authentication: method, lifetimeSeconds }];
  });
}

function firstPlace(ios: IosConfig): Place | undefined {
  const [policy] = ios.isakmp.policies.values();
  const [group] = ios.groups.values();
  return (policy ?? group)?.at;
}

/** Without a host name or a certificate the address has to do. */
function globalIdentity({ hostname, isakmp }: IosConfig, local: number, subject: Bytes | undefined): Id {
  if (isakmp.identity === "dn" && subject !== undefined) return namedId(IsakmpIdType.DER_ASN1_DN, subject);
  if (isakmp.identity === "hostname" && hostname !== undefined) return namedId(IsakmpIdType.FQDN, utf8(hostname));
  return addressId(local);
}

function selfOf({ hostname }: IosConfig, local: number, self: IsakmpSelf): Id {
  if (self.kind === "address") return addressId(self.address ?? local);
  if (self.kind === "user-fqdn") return namedId(IsakmpIdType.USER_FQDN, utf8(self.text));
  const text = self.text ?? hostname;
  return text === undefined ? addressId(local) : namedId(IsakmpIdType.FQDN, utf8(text));
}

function namedId(type: number, data: Bytes): Id {
  return { type, protocol: 0, port: 0, data };
}

function addressId(address: number): Id {
  return namedId(IsakmpIdType.IPV4_ADDR, addressOctets(formatIpv4(address)));
}

/** The global keys in front. Those of a keyring for another routing table are for nobody here. */
function allKeys(ios: IosConfig): PskEntry[] {
  const { keys, keyrings } = ios.isakmp;
  const ofKeyrings = [...keyrings.values()].flatMap(({ name, vrf, localAddress, keys: own }) => {
    const address = localAddressOf(ios, localAddress);
    const place = { keyring: name, ...(address === undefined ? {} : { localAddress: address }) };
    return vrf === undefined ? own.flatMap((key) => keysOf(ios, key).map((entry) => ({ ...entry, ...place }))) : [];
  });
  return [...keys.flatMap((key) => keysOf(ios, key)), ...ofKeyrings];
}

/** A key for a name counts for the address of `ip host` too: Main Mode needs the key before it hears the name. */
function keysOf(ios: IosConfig, { key, address, mask, hostname }: IsakmpKey): PskEntry[] {
  if (hostname !== undefined) {
    const identity = namedId(IsakmpIdType.FQDN, utf8(hostname));
    const known = ios.hosts.get(hostname)?.value;
    return [{ key: key.key, identity, ...(known === undefined ? {} : { address: network(known, 0xffffffff) }) }];
  }
  return address === undefined ? [] : [{ key: key.key, address: network(address, mask ?? 0xffffffff) }];
}

function network(address: number, mask: number): NonNullable<PskEntry["address"]> {
  return { network: formatIpv4(address), mask: formatIpv4(mask) };
}

function dpdOf({ seconds, retrySeconds }: NonNullable<TypedProfile["keepalive"]>): DpdConfig {
  return {
    idleMicros: seconds * SECOND,
    retransmit: { first: retrySeconds * SECOND, factor: 1, repeats: DPD_REPEATS },
  };
}
