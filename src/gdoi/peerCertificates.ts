/** How a peer of phase 1 is judged that proves itself with a signature. RFC 2409 section 5.1, RFC 4945. */
import type { Bytes } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { type Micros, SECOND } from "../base/micros.ts";
import type { Crypto } from "../crypto/api.ts";
import type { AuthAnswer, EndpointConfig, Ikev1Outcome, Ikev1Profile } from "../ikev1/api.ts";
import { type CalendarSeconds, EPOCH_DEFAULT } from "../pki/calendar.ts";
import { type Certificate, decodeCertificate } from "../pki/certificate.ts";
import { checkChain } from "../pki/chain.ts";
import { certifies } from "../pki/identity.ts";
import type { Trustpoint } from "../pki/trustpoint.ts";
import type { Id } from "../wire/isakmp.ts";
import { IsakmpIdType, IsakmpNotifyType, OakleyAuthentication } from "../wire/isakmpNumbers.ts";

/** An IKEv1 endpoint, and what the role above it checks the certificates of peers against. */
export interface IsakmpConfig extends EndpointConfig {
  readonly profiles: readonly IsakmpProfile[];
  readonly trustpoints?: readonly Trustpoint[];
  /** Calendar time at the instant 0 of the run; 2026-01-01 unless told. */
  readonly epoch?: CalendarSeconds;
}

/** `trustpoints`: names of those that count for the peers of the profile; absent: all of the endpoint. */
export interface IsakmpProfile extends Ikev1Profile {
  readonly trustpoints?: readonly string[];
}

type Authenticating = Extract<Ikev1Outcome, { kind: "authenticating" }>;

/**
 * The answer to `authenticating`: whoever knows the pre-shared key is welcome; with a signature the certificates must lead
 * to a trustpoint, and a name (not an address, which IOS does not look for in certificates) must stand in the peer's own.
 */
export function judgePeer(crypto: Crypto, config: IsakmpConfig, peer: Authenticating, now: Micros): AuthAnswer {
  if (peer.method === OakleyAuthentication.PRE_SHARED_KEY) return { accept: true };
  const certificates = decodeAll(peer.certificates);
  if (certificates === undefined) return refuse("INVALID-CERT-ENCODING");
  const [own] = certificates;
  if (own?.publicKey === undefined) return refuse("INVALID-CERTIFICATE");
  const at = (config.epoch ?? EPOCH_DEFAULT) + Math.floor(now / SECOND);
  const results = trustpointsFor(config, peer.profile).map(({ anchor, crls, revocation }) =>
    checkChain(crypto, certificates, { anchors: [anchor], crls, revocation }, at),
  );
  if (!results.some(({ ok }) => ok)) {
    const leads = results.some((result) => !result.ok && result.problem !== "untrusted");
    return refuse(leads ? "INVALID-CERTIFICATE" : "INVALID-CERT-AUTHORITY");
  }
  return isCertified(own, peer.identity)
    ? { accept: true, publicKey: own.publicKey }
    : refuse("INVALID-ID-INFORMATION");
}

function trustpointsFor({ profiles, trustpoints = [] }: IsakmpConfig, profile: string): readonly Trustpoint[] {
  const names = profiles.find(({ name }) => name === profile)?.trustpoints;
  return names === undefined ? trustpoints : trustpoints.filter(({ name }) => names.includes(name));
}

type Refusal = "INVALID-CERT-ENCODING" | "INVALID-CERTIFICATE" | "INVALID-CERT-AUTHORITY" | "INVALID-ID-INFORMATION";

function refuse(type: Refusal): AuthAnswer {
  return { accept: false, notify: IsakmpNotifyType[type] };
}

function decodeAll(octets: readonly Bytes[]): readonly Certificate[] | undefined {
  try {
    return octets.map(decodeCertificate);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Identity types have the same numbers in both versions of IKE. */
function isCertified(certificate: Certificate, identity: Id): boolean {
  const { type, data } = identity;
  const isAddress = type === IsakmpIdType.IPV4_ADDR || type === IsakmpIdType.IPV6_ADDR;
  return isAddress || certifies(certificate, { type, data });
}
