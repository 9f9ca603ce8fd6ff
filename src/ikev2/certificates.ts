/**
 * Certificates of a peer and our own on the wire: CERT, CERTREQ, certificates by hash and URL. RFC 7296 sections 3.6 and
 * 3.7. The HTTP server of the latter is a table of the configuration.
 */
import { type Bytes, concat, equal, fromUtf8, toHex, utf8 } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { Crypto } from "../crypto/api.ts";
import { contextTag, DER_SEQUENCE, DerReader } from "../crypto/der.ts";
import { type Certificate, decodeCertificate } from "../pki/certificate.ts";
import type { Trust } from "../pki/chain.ts";
import { type Crl, decodeCrl } from "../pki/crl.ts";
import type { RouterIdentity, Trustpoint, UrlTable } from "../pki/trustpoint.ts";
import { CertEncoding, NotifyType } from "../wire/ikev2Numbers.ts";
import { notifyOf, type Payload } from "../wire/payloads.ts";
import type { AuthProfile, EndpointConfig } from "./api.ts";
import { notify } from "./nat.ts";
import { decodeHashes, encodeHashes, fitsMethod, SIGNATURE_HASHES, type SignatureMethod } from "./signature.ts";
import type { PeerAbilities } from "./state.ts";

const SHA1_OCTETS = 20;

const TAKEN_ENCODINGS: readonly number[] = [
  CertEncoding.X509_SIGNATURE,
  CertEncoding.HASH_URL_CERTIFICATE,
  CertEncoding.HASH_URL_BUNDLE,
];

/** What a message adds to what was known. */
export function noteAbilities(known: PeerAbilities, payloads: readonly Payload[]): PeerAbilities {
  const hashes = notifyOf(payloads, NotifyType.SIGNATURE_HASH_ALGORITHMS);
  const takesUrls = notifyOf(payloads, NotifyType.HTTP_CERT_LOOKUP_SUPPORTED) !== undefined;
  const authorities = payloads.flatMap((payload) =>
    payload.kind === "CERTREQ" && TAKEN_ENCODINGS.includes(payload.body.encoding)
      ? digestsOf(payload.body.authorities)
      : [],
  );
  if (hashes === undefined && !takesUrls && authorities.length === 0) return known;
  return {
    hashes: hashes === undefined ? known.hashes : decodeHashes(hashes.data),
    takesUrls: takesUrls || known.takesUrls,
    authorities: [...known.authorities, ...authorities],
  };
}

function digestsOf(octets: Bytes): string[] {
  const digests: string[] = [];
  for (let at = 0; at + SHA1_OCTETS <= octets.length; at += SHA1_OCTETS) {
    digests.push(toHex(octets.subarray(at, at + SHA1_OCTETS)));
  }
  return digests;
}

// ------------------------------------------------------------------------------------------------ what is announced

/** The hash algorithms that an endpoint announces; undefined where it has nothing to do with signatures. */
export function ownHashes(config: EndpointConfig): readonly number[] | undefined {
  if (!config.profiles.some(hasTrustpoints)) return undefined;
  const hashes = config.pki?.signatureHashes ?? SIGNATURE_HASHES;
  return hashes.length === 0 ? undefined : hashes;
}

function hasTrustpoints({ trustpoints = [] }: AuthProfile): boolean {
  return trustpoints.length > 0;
}

/** SIGNATURE_HASH_ALGORITHMS for IKE_SA_INIT. RFC 7427 section 4. */
export function hashNotify(config: EndpointConfig): Payload[] {
  const hashes = ownHashes(config);
  return hashes === undefined ? [] : [notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, encodeHashes(hashes))];
}

/** Which authorities we trust, for those profiles that take signatures; nothing where none does. */
export function certificateRequests(
  crypto: Crypto,
  profiles: readonly AuthProfile[],
  urls: UrlTable | undefined,
): Payload[] {
  const digests: Bytes[] = [];
  for (const profile of profiles) {
    if (profile.remote.every((method) => method === "pre-share")) continue;
    for (const { anchor } of verifying(profile)) {
      const digest = crypto.hash("sha1", anchor.keyInfo);
      if (!digests.some((known) => equal(known, digest))) digests.push(digest);
    }
  }
  if (digests.length === 0) return [];
  const body = { encoding: CertEncoding.X509_SIGNATURE, authorities: concat(...digests) };
  const lookup = urls === undefined ? [] : [notify(NotifyType.HTTP_CERT_LOOKUP_SUPPORTED)];
  return [{ kind: "CERTREQ", body }, ...lookup];
}

function verifying({ trustpoints = [] }: AuthProfile): readonly Trustpoint[] {
  return trustpoints.filter(({ use }) => use !== "sign");
}

/** What a profile checks certificates against. `extra`: revocation lists that the peer brought along. */
export function trustsOf(profile: AuthProfile, extra: readonly Crl[]): readonly Trust[] {
  return verifying(profile).map(({ anchor, crls, revocation }) => ({
    anchors: [anchor],
    crls: [...crls, ...extra],
    revocation,
  }));
}

// ------------------------------------------------------------------------------------------------------ our own ones

/** What we prove ourselves with: of a trustpoint that the peer knows before others. */
export function ownIdentity(
  crypto: Crypto,
  profile: AuthProfile,
  method: SignatureMethod,
  authorities: readonly string[],
): RouterIdentity | undefined {
  const usable = (profile.trustpoints ?? []).filter(
    ({ use, identity }) => use !== "verify" && identity !== undefined && fitsMethod(method, identity.key),
  );
  const isKnown = ({ anchor }: Trustpoint) => authorities.includes(toHex(crypto.hash("sha1", anchor.keyInfo)));
  const chosen = authorities.length === 0 ? undefined : usable.find(isKnown);
  return (chosen ?? usable[0])?.identity;
}

/** Our certificate first, as RFC 7296 section 3.6 demands, then those of intermediate authorities. */
export function certificatePayloads(crypto: Crypto, identity: RouterIdentity, byUrl: boolean): Payload[] {
  return identity.chain.map(({ octets }, index): Payload => {
    const url = byUrl ? identity.urls?.[index] : undefined;
    if (url === undefined) return { kind: "CERT", body: { encoding: CertEncoding.X509_SIGNATURE, data: octets } };
    const data = concat(crypto.hash("sha1", octets), utf8(url));
    return { kind: "CERT", body: { encoding: CertEncoding.HASH_URL_CERTIFICATE, data } };
  });
}

// ------------------------------------------------------------------------------------------------------ the peer's

export type Brought =
  | { readonly ok: true; readonly certificates: readonly Certificate[]; readonly crls: readonly Crl[] }
  | { readonly ok: false; readonly problem: "malformed" | "hash" };

/** All certificates and lists of a message, in order; payloads of other encodings are passed over. */
export function readCertificates(crypto: Crypto, payloads: readonly Payload[], urls: UrlTable | undefined): Brought {
  const certificates: Certificate[] = [];
  const crls: Crl[] = [];
  try {
    for (const payload of payloads) {
      if (payload.kind !== "CERT") continue;
      const { encoding, data } = payload.body;
      if (encoding === CertEncoding.CRL) crls.push(decodeCrl(data));
      else if (encoding === CertEncoding.X509_SIGNATURE) certificates.push(decodeCertificate(data));
      else if (encoding === CertEncoding.HASH_URL_CERTIFICATE || encoding === CertEncoding.HASH_URL_BUNDLE) {
        const fetched = fetchUrl(crypto, data, urls);
        if (fetched === undefined) return { ok: false, problem: "hash" };
        if (encoding === CertEncoding.HASH_URL_CERTIFICATE) certificates.push(decodeCertificate(fetched));
        else readBundle(fetched, certificates, crls);
      }
    }
  } catch (error) {
    if (error instanceof WireError) return { ok: false, problem: "malformed" };
    throw error;
  }
  return { ok: true, certificates, crls };
}

/** SHA-1 of what is to be fetched, then the URL. Undefined where nothing is there or it is something else. */
function fetchUrl(crypto: Crypto, data: Bytes, urls: UrlTable | undefined): Bytes | undefined {
  const octets = urls?.get(fromUtf8(data.subarray(SHA1_OCTETS)));
  if (octets === undefined || data.length <= SHA1_OCTETS) return undefined;
  return equal(crypto.hash("sha1", octets), data.subarray(0, SHA1_OCTETS)) ? octets : undefined;
}

const BUNDLE_MAX = 20;

/** SEQUENCE OF CHOICE { cert [0], crl [1] }, explicit tags. RFC 7296 section 3.6. */
function readBundle(octets: Bytes, certificates: Certificate[], crls: Crl[]): void {
  const outer = new DerReader(octets);
  const list = outer.enter(DER_SEQUENCE);
  outer.done();
  for (let count = 0; list.left > 0; count++) {
    if (count === BUNDLE_MAX) throw new WireError("tooMany", "certificates of a bundle", list.at, "bundle");
    if (list.peek() === contextTag(1)) crls.push(decodeCrl(list.content(contextTag(1))));
    else certificates.push(decodeCertificate(list.content(contextTag(0))));
  }
}
