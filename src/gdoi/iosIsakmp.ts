/** ISAKMP objects of an IOS configuration as the IKEv1 endpoint of a key server or member wants them. */
import { type Bytes, EMPTY, utf8 } from "../base/bytes.ts";
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import { SECOND } from "../base/micros.ts";
import { type RouterPki, signingTrustpoint, trustpointsOf } from "../gikev2/iosPki.ts";
import { iosProblem } from "../gikev2/iosProblem.ts";
import type { DpdConfig, Ikev1Profile, IsakmpPolicy, PskEntry } from "../ikev1/api.ts";
import type { IosConfig, IsakmpEncryption, IsakmpKey, Place, IsakmpPolicy as TypedPolicy } from "../ios/model.ts";
import type { Trustpoint } from "../pki/trustpoint.ts";
import { addressOctets } from "../wire/address.ts";
import type { Id } from "../wire/isakmp.ts";
import { IsakmpIdType, OakleyAuthentication, OakleyEncryption, OakleyHash } from "../wire/isakmpNumbers.ts";
import type { IsakmpConfig } from "./peerCertificates.ts";

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

/** The one profile: the global settings of the router. */
export const ISAKMP_PROFILE = "default";

/**
 * The endpoint of a router. `local`: its address, the identity unless `crypto isakmp identity` says otherwise. `pki`: its
 * certificates, where it has any. What cannot be modelled goes to `problems`; undefined where no policy is left.
 *
 * A policy with signatures is passed over by a router without certificates: it has nothing to sign with. That is a problem
 * only where no other policy is there. DPD without `periodic` asks before traffic after a silence, which members do not
 * have on their key server's SA: it is answered and never begun.
 */
export function isakmpOfIos(
  ios: IosConfig,
  local: number,
  problems: ConfigProblem[],
  pki?: RouterPki,
): IsakmpConfig | undefined {
  const before = problems.length;
  const trustpoints = routerTrustpoints(ios, pki, problems);
  const identity = signingTrustpoint(trustpoints, "rsa-sig")?.identity;
  const policies = policiesOf(ios, identity !== undefined, problems);
  if (policies.length === 0) {
    const at = firstPlace(ios);
    if (problems.length === before && at !== undefined) {
      problems.push(
        iosProblem("iosIncompleteObject", at, "GDOI needs a crypto isakmp policy that the router can use."),
      );
    }
    return undefined;
  }
  const { keepalive, aggressive } = ios.isakmp;
  const profile: Ikev1Profile = {
    name: ISAKMP_PROFILE,
    localIdentity: localIdentity(ios, local, identity?.chain[0]?.subject.octets),
    match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true },
    ...(identity === undefined
      ? {}
      : { signer: identity.key, certificates: identity.chain.map(({ octets }) => octets) }),
    ...(trustpoints.length === 0 ? {} : { authorities: trustpoints.map(({ anchor }) => anchor.subject.octets) }),
  };
  return {
    policies,
    profiles: [profile],
    keys: ios.isakmp.keys.flatMap((key) => keysOf(ios, key)),
    aggressive,
    ...(keepalive?.periodic === true ? { dpd: dpdOf(keepalive) } : {}),
    ...(trustpoints.length === 0 ? {} : { trustpoints }),
    ...(pki?.config.epoch === undefined ? {} : { epoch: pki.config.epoch }),
  };
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
function localIdentity({ hostname, isakmp }: IosConfig, local: number, subject: Bytes | undefined): Id {
  const named = (type: number, data: Bytes): Id => ({ type, protocol: 0, port: 0, data });
  if (isakmp.identity === "dn" && subject !== undefined) return named(IsakmpIdType.DER_ASN1_DN, subject);
  if (isakmp.identity === "hostname" && hostname !== undefined) return named(IsakmpIdType.FQDN, utf8(hostname));
  return named(IsakmpIdType.IPV4_ADDR, addressOctets(formatIpv4(local)) ?? EMPTY);
}

/** A key for a name counts for the address of `ip host` too: Main Mode needs the key before it hears the name. */
function keysOf(ios: IosConfig, { key, address, mask, hostname }: IsakmpKey): PskEntry[] {
  if (hostname !== undefined) {
    const identity: Id = { type: IsakmpIdType.FQDN, protocol: 0, port: 0, data: utf8(hostname) };
    const known = ios.hosts.get(hostname)?.value;
    return [{ key: key.key, identity, ...(known === undefined ? {} : { address: network(known, 0xffffffff) }) }];
  }
  return address === undefined ? [] : [{ key: key.key, address: network(address, mask ?? 0xffffffff) }];
}

function network(address: number, mask: number): NonNullable<PskEntry["address"]> {
  return { network: formatIpv4(address), mask: formatIpv4(mask) };
}

function dpdOf({ seconds, retrySeconds }: NonNullable<IosConfig["isakmp"]["keepalive"]>): DpdConfig {
  return {
    idleMicros: seconds * SECOND,
    retransmit: { first: retrySeconds * SECOND, factor: 1, repeats: DPD_REPEATS },
  };
}
