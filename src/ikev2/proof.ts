/** What AUTH proves and how it is checked, by method. RFC 7296 section 2.15, RFC 7427. */
import { type Bytes, concat, equal, utf8 } from "../base/bytes.ts";
import type { EventData } from "../base/machine.ts";
import { SECOND } from "../base/micros.ts";
import type { Crypto } from "../crypto/api.ts";
import { prf } from "../crypto/prf.ts";
import type { PrfSpec } from "../crypto/suite.ts";
import { EPOCH_DEFAULT } from "../pki/calendar.ts";
import type { Certificate } from "../pki/certificate.ts";
import { type ChainProblem, type ChainResult, checkChain } from "../pki/chain.ts";
import { certifies } from "../pki/identity.ts";
import { formatName } from "../pki/name.ts";
import { type Auth, type Id, Id as IdCodec } from "../wire/ikev2.ts";
import { AuthMethod } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import type { AuthProfile } from "./api.ts";
import { type Brought, certificatePayloads, ownHashes, ownIdentity, trustsOf } from "./certificates.ts";
import { happened } from "./events.ts";
import { findKey } from "./profile.ts";
import { fitsMethod, signAuth, verifyAuth } from "./signature.ts";
import type { IkeSa, InitTranscript, SaKeySet, Turn } from "./state.ts";

const KEY_PAD = utf8("Key Pad for IKEv2");

/** RealMessage | Nonce of the other side | prf(SK_p, ID'), where ID' is the ID payload without its generic header. */
export function signedOctets(
  crypto: Crypto,
  keys: Pick<SaKeySet, "prf" | "pi" | "pr">,
  transcript: InitTranscript,
  ofInitiator: boolean,
  identity: Id,
): Bytes {
  const macKey = ofInitiator ? keys.pi.secret : keys.pr.secret;
  const idMac = prf(crypto, keys.prf, macKey, IdCodec.encode(identity));
  return ofInitiator
    ? concat(transcript.request, transcript.nr, idMac)
    : concat(transcript.response, transcript.ni, idMac);
}

/** AUTH data of method 2: prf(prf(secret, pad), octets). */
export function sharedKeyAuth(crypto: Crypto, spec: PrfSpec, key: Bytes, octets: Bytes): Bytes {
  return prf(crypto, spec, prf(crypto, spec, key, KEY_PAD), octets);
}

/**
 * - `noProfile` no profile matches the peer
 * - `noKey` a key or a certificate of ours, or the peer's pre-shared key, is missing
 * - `mismatch` the proof does not hold
 * - `method` the profile does not take this method, or the message does not name it as agreed
 * - `identity` the profile does not take this identity, or the certificate was made out to another one
 * - `eap` the peer wants EAP, which this system does not support
 */
export type AuthProblem = "noProfile" | "noKey" | "mismatch" | "method" | "identity" | "eap" | ChainProblem;

/** Hash algorithms that count: announced by both sides. */
function hashesOf(turn: Turn, sa: IkeSa): { own: readonly number[]; peer: readonly number[] } | undefined {
  const own = ownHashes(turn.endpoint.config);
  const peer = sa.abilities.hashes;
  return own === undefined || peer === undefined ? undefined : { own, peer };
}

/** CERT payloads where there are any, and AUTH; undefined where a key is missing. */
export function proveSelf(
  turn: Turn,
  sa: IkeSa,
  transcript: InitTranscript,
  profile: AuthProfile,
): { readonly auth: Auth; readonly certificates: readonly Payload[] } | undefined {
  const { crypto } = turn.tools;
  const octets = signedOctets(crypto, sa.keys!, transcript, sa.initiator, profile.localIdentity);
  if (profile.local === "pre-share") {
    const psk = findKey(profile.keys, sa.remote.address, sa.identity);
    if (psk === undefined) return undefined;
    const data = sharedKeyAuth(crypto, sa.keys!.prf, psk.localKey.secret, octets);
    return { auth: { method: AuthMethod.SHARED_KEY, data }, certificates: [] };
  }
  const own = ownIdentity(crypto, profile, profile.local, sa.abilities.authorities);
  const auth = own && signAuth(crypto, own.key, hashesOf(turn, sa)?.peer, octets);
  if (own === undefined || auth === undefined) return undefined;
  return { auth, certificates: certificatePayloads(crypto, own, sa.abilities.takesUrls) };
}

/** What is wrong with the peer's proof, undefined where it holds. `brought`: the certificates of its message. */
export function checkPeer(
  turn: Turn,
  sa: IkeSa,
  transcript: InitTranscript,
  profile: AuthProfile,
  identity: Id,
  auth: Auth,
  brought: Brought,
): AuthProblem | undefined {
  const { crypto } = turn.tools;
  const octets = () => signedOctets(crypto, sa.keys!, transcript, !sa.initiator, identity);
  if (auth.method === AuthMethod.SHARED_KEY) {
    if (!profile.remote.includes("pre-share")) return "method";
    const psk = findKey(profile.keys, sa.remote.address, identity);
    if (psk === undefined) return "noKey";
    const expected = sharedKeyAuth(crypto, sa.keys!.prf, psk.remoteKey.secret, octets());
    return equal(expected, auth.data) ? undefined : "mismatch";
  }
  if (profile.remote.every((method) => method === "pre-share")) return "method";
  if (!brought.ok) return refuseCertificate(turn, sa, { problem: brought.problem, certificate: undefined });
  const [own] = brought.certificates;
  const key = own?.publicKey;
  const isTaken = profile.remote.some((method) => method !== "pre-share" && key && fitsMethod(method, key));
  if (key !== undefined && !isTaken) return "method";
  const chain = checkTrust(turn, profile, brought);
  if (!chain.ok) return refuseCertificate(turn, sa, chain);
  if ((profile.certificateIdentity ?? "demanded") === "demanded" && !certifies(own!, identity)) return "identity";
  return verifyAuth(crypto, key!, hashesOf(turn, sa)?.own, octets(), auth);
}

/** By the first trustpoint that the certificates lead to; of several failures the one that got further. */
function checkTrust(turn: Turn, profile: AuthProfile, brought: Extract<Brought, { ok: true }>): ChainResult {
  const { crypto } = turn.tools;
  const epoch = turn.endpoint.config.pki?.epoch ?? EPOCH_DEFAULT;
  const at = epoch + Math.floor(turn.now / SECOND);
  const [own] = brought.certificates;
  let failure: ChainResult = { ok: false, problem: own === undefined ? "missing" : "untrusted", certificate: own };
  for (const trust of trustsOf(profile, brought.crls)) {
    const result = checkChain(crypto, brought.certificates, trust, at);
    if (result.ok) return result;
    if (result.problem !== "untrusted") failure = result;
  }
  return failure;
}

function certificateData({ issuer, serial, subject }: Certificate): EventData {
  return { subject: formatName(subject), serial, issuer: formatName(issuer) };
}

function refuseCertificate(
  turn: Turn,
  sa: IkeSa,
  { problem, certificate }: { readonly problem: ChainProblem; readonly certificate: Certificate | undefined },
): ChainProblem {
  const named = certificate === undefined ? {} : certificateData(certificate);
  turn.outcomes.push(happened("ike.certificateRefused", sa.number, sa.remote, { reason: problem, ...named }));
  return problem;
}
