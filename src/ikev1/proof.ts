/**
 * Who proves what to whom in phase 1: keys, hashes and signatures. RFC 2409 sections 5.1 and 5.4. A signature is a
 * PKCS#1 block around the bare hash, whatever signed the certificate.
 */
import { type Bytes, concat, EMPTY, equal } from "../base/bytes.ts";
import { secret } from "../base/secret.ts";
import type { PublicKey, SignatureScheme } from "../crypto/api.ts";
import { Id } from "../wire/isakmp.ts";
import { IsakmpCertEncoding } from "../wire/isakmpNumbers.ts";
import { type IsakmpPayload, isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { GLOBAL_KEYRING, type Ikev1Profile } from "./api.ts";
import {
  cipherKey,
  hashInitiator,
  hashResponder,
  type Phase1HashInput,
  phase1Iv,
  skeyidPsk,
  skeyidSignature,
  skeyids,
} from "./keys.ts";
import { keySearch } from "./phase1.ts";
import { findKey } from "./profile.ts";
import { isSignature } from "./proposal.ts";
import { type Agreed, cookiesOf, type IsakmpSa, type Transcript, type Turn } from "./state.ts";

const SCHEME: SignatureScheme = { kind: "rsa-pkcs1-raw" };

export interface KeyInput {
  readonly ni: Bytes;
  readonly nr: Bytes;
  readonly gxi: Bytes;
  readonly gxr: Bytes;
  readonly shared: Bytes;
  /** Of the peer, where Aggressive Mode has told it before the keys. */
  readonly identity?: Id;
}

/** Keys of the SA and the IV that phase 1 begins with; false where there is no pre-shared key for the peer. */
export function takeKeys(turn: Turn, sa: IsakmpSa, { policy, suite }: Agreed, input: KeyInput): boolean {
  const { crypto } = turn.tools;
  const { ni, nr, gxi, gxr, shared, identity } = input;
  const psk = findKey(turn.endpoint.config.keys, keySearch(turn, sa, sa.profile, identity));
  const withSignature = isSignature(policy.authentication);
  if (!withSignature && psk === undefined) return false;
  sa.keyring = withSignature ? undefined : (psk!.keyring ?? GLOBAL_KEYRING);
  const first = withSignature
    ? skeyidSignature(crypto, suite.hash, ni, nr, shared)
    : skeyidPsk(crypto, suite.hash, psk!.key.secret, ni, nr);
  const { skeyid, a, e } = skeyids(crypto, suite.hash, first, shared, cookiesOf(sa));
  const encr = secret(cipherKey(crypto, suite.hash, e, suite.cipher.key));
  sa.keys = { suite, skeyid: secret(skeyid), a: secret(a), encr };
  sa.iv = phase1Iv(crypto, suite.hash, suite.cipher, gxi, gxr);
  const { cookieInitiator } = sa;
  turn.outcomes.push({ kind: "keys", entry: { kind: "ikev1", cookieInitiator, encrKey: encr } });
  return true;
}

/** HASH_I or HASH_R. */
function hashOf(turn: Turn, sa: IsakmpSa, transcript: Transcript, ofInitiator: boolean, id: Bytes): Bytes {
  const { suite, skeyid } = sa.keys!;
  const { gxi, gxr, offer } = transcript;
  const input: Phase1HashInput = { gxi, gxr, cookies: cookiesOf(sa), sa: offer, id };
  const make = ofInitiator ? hashInitiator : hashResponder;
  return make(turn.tools.crypto, suite.hash, skeyid.secret, input);
}

export function usesSignatures(sa: IsakmpSa): boolean {
  return isSignature(sa.agreed!.policy.authentication);
}

/** HASH, or CERT and SIG, that prove our side; undefined where the profile has no key to sign with. */
export function ownProof(
  turn: Turn,
  sa: IsakmpSa,
  transcript: Transcript,
  profile: Ikev1Profile,
): IsakmpPayload[] | undefined {
  const hash = hashOf(turn, sa, transcript, sa.initiator, Id.encode(profile.localIdentity));
  if (!usesSignatures(sa)) return [{ kind: "HASH", body: { data: hash } }];
  if (profile.signer === undefined) return undefined;
  const data = turn.tools.crypto.sign(profile.signer, SCHEME, hash);
  return [...certificatePayloads(profile), { kind: "SIG", body: { data } }];
}

/** Those of the profile, our own first. */
export function certificatePayloads({ certificates = [] }: Ikev1Profile): IsakmpPayload[] {
  return certificates.map((data) => ({ kind: "CERT", body: { encoding: IsakmpCertEncoding.X509_SIGNATURE, data } }));
}

/** One CERTREQ per authority, or one that any satisfies. RFC 2408 section 3.10. */
export function certificateRequests(sa: IsakmpSa, authorities: readonly Bytes[] = []): IsakmpPayload[] {
  if (!usesSignatures(sa)) return [];
  const names = authorities.length === 0 ? [EMPTY] : authorities;
  return names.map((authority) => ({
    kind: "CERTREQ",
    body: { encoding: IsakmpCertEncoding.X509_SIGNATURE, authority },
  }));
}

/** DER certificates that the peer sent. */
export function certificatesOf(payloads: readonly IsakmpPayload[]): Bytes[] {
  return payloads.flatMap((payload) =>
    payload.kind === "CERT" && payload.body.encoding === IsakmpCertEncoding.X509_SIGNATURE ? [payload.body.data] : [],
  );
}

/** The peer's proof as far as it can be looked at now: a hash is checked, a signature waits for its public key. */
export function peerProof(
  turn: Turn,
  sa: IsakmpSa,
  transcript: Transcript,
  identity: Id,
  payloads: readonly IsakmpPayload[],
): { readonly ok: true; readonly signature: Bytes } | { readonly ok: false; readonly reason: "hash" | "signature" } {
  if (usesSignatures(sa)) {
    const signature = isakmpPayloadOf(payloads, "SIG")?.data;
    return signature === undefined ? { ok: false, reason: "signature" } : { ok: true, signature };
  }
  const hash = isakmpPayloadOf(payloads, "HASH")?.data;
  const expected = hashOf(turn, sa, transcript, !sa.initiator, Id.encode(identity));
  return hash !== undefined && equal(hash, expected) ? { ok: true, signature: EMPTY } : { ok: false, reason: "hash" };
}

export function checkSignature(
  turn: Turn,
  sa: IsakmpSa,
  transcript: Transcript,
  identity: Id,
  signature: Bytes,
  key: PublicKey,
): boolean {
  const hash = hashOf(turn, sa, transcript, !sa.initiator, Id.encode(identity));
  return turn.tools.crypto.verify(key, SCHEME, hash, signature);
}

/** Body of the first payload of a message in clear, as it travelled: hashes cover the offer octet by octet. */
export function firstBody(octets: Bytes): Bytes {
  const length = (octets[30]! << 8) | octets[31]!;
  return concat(octets.subarray(32, 28 + length));
}
