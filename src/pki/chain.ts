/**
 * Whether a peer's certificate may be trusted: a path from it to a trust anchor, every step of it checked. RFC 5280
 * section 6, without policies and name constraints (certificates that demand these as critical are refused).
 *
 * The cheap questions come first, so that whoever sends nonsense costs little: lengths of keys before signatures, and
 * no more than `VERIFICATIONS_MAX` signatures for one peer, however its certificates point at one another.
 */
import { equal } from "../base/bytes.ts";
import { schemeOfAlgorithm } from "../crypto/algorithmId.ts";
import type { Crypto, PublicKey } from "../crypto/api.ts";
import { octetBits } from "../crypto/bigint.ts";
import type { CalendarSeconds } from "./calendar.ts";
import { type Certificate, KeyUsage } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { nameKey } from "./name.ts";

/** Why a peer's certificate is not trusted. */
export const CHAIN_PROBLEMS = {
  missing: "The peer sent no certificate.",
  malformed: "Octets that are no certificate.",
  untrusted: "No path leads to a trusted authority.",
  signature: "The signature of a certificate does not hold.",
  weakKey: "A key is shorter or longer than what is accepted, or of an unknown kind.",
  tooLong: "The path has too many certificates.",
  loop: "Certificates vouch for one another in a circle.",
  notYetValid: "The validity of a certificate has not begun.",
  expired: "The validity of a certificate has ended.",
  notAuthority: "A certificate that is none of an authority has signed another one.",
  pathLength: "There are more authorities below another than it allows.",
  usage: "The key may not be used for signatures.",
  unknownExtension: "A critical extension is not understood.",
  revoked: "A certificate was revoked.",
  noCrl: "The revocation list that has to be consulted is not there, has ended or does not verify.",
  hash: "What a URL led to has another hash, or nothing is there.",
} as const satisfies Readonly<Record<string, string>>;

export type ChainProblem = keyof typeof CHAIN_PROBLEMS;

/** IOS `revocation-check`: the list decides, the list decides where there is one, nobody asks. */
export type RevocationCheck = "crl" | "crl-none" | "none";

/** What certificates are checked against. */
export interface Trust {
  readonly anchors: readonly Certificate[];
  /** Lists of all times: at an instant the newest that has been issued counts, as if fetched at once. */
  readonly crls: readonly Crl[];
  readonly revocation: RevocationCheck;
}

export type ChainResult =
  /** From the peer's own certificate to the anchor. */
  | { readonly ok: true; readonly path: readonly Certificate[] }
  /** `certificate`: the one that is to blame, the peer's own where it is nobody else's fault. */
  | { readonly ok: false; readonly problem: ChainProblem; readonly certificate: Certificate | undefined };

type Refusal = Extract<ChainResult, { ok: false }>;

/** Certificates of one path, the peer's own and the anchor included. */
export const PATH_MAX = 10;
const VERIFICATIONS_MAX = 30;
/** RSA keys of the lesson have 1,024 bits, and IOS generates no longer ones than 4,096. */
const RSA_BITS_MIN = 1_024;
const RSA_BITS_MAX = 8_192;

/** Whether signatures of this key are looked at at all. */
export function isAcceptableKey(key: PublicKey | undefined): key is PublicKey {
  if (key === undefined) return false;
  if (key.type !== "rsa") return true;
  const bits = octetBits(key.n);
  return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}

interface Search {
  readonly crypto: Crypto;
  readonly presented: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  verifications: number;
  /** What the search failed at when it had got furthest. */
  failure: Refusal;
  depth: number;
}

/**
 * `presented`: the peer's own certificate first, then others that may help, in any order. `at`: the instant that counts
 * for validity and revocation.
 */
export function checkChain(
  crypto: Crypto,
  presented: readonly Certificate[],
  trust: Trust,
  at: CalendarSeconds,
): ChainResult {
  const own = presented[0];
  if (own === undefined) return refusal("missing", undefined);
  if (!isAcceptableKey(own.publicKey)) return refusal("weakKey", own);
  const failure = refusal("untrusted", own);
  const search: Search = { crypto, presented, anchors: trust.anchors, verifications: 0, failure, depth: 0 };
  const path = extend(search, [own]);
  if (path === undefined) return search.failure;
  return checkPath(path, at) ?? checkRevocation(crypto, path, trust, at) ?? { ok: true, path };
}

function refusal(problem: ChainProblem, certificate: Certificate | undefined): Refusal {
  return { ok: false, problem, certificate };
}

/** Keeps the failure of the longest path that was tried. */
function fail(search: Search, depth: number, problem: ChainProblem, certificate: Certificate): undefined {
  if (depth > search.depth) {
    search.depth = depth;
    search.failure = refusal(problem, certificate);
  }
  return undefined;
}

/** Depth first, anchors before what the peer brought. */
function extend(search: Search, path: readonly Certificate[]): readonly Certificate[] | undefined {
  const last = path.at(-1)!;
  if (search.anchors.some(({ octets }) => equal(octets, last.octets))) return path;
  const issuer = nameKey(last.issuer);
  for (const anchor of search.anchors) {
    if (nameKey(anchor.subject) === issuer && isSignedBy(search, path.length, last, anchor)) return [...path, anchor];
  }
  for (const candidate of search.presented) {
    if (nameKey(candidate.subject) !== issuer) continue;
    if (path.some(({ octets }) => equal(octets, candidate.octets))) {
      // Whoever signed itself and is no anchor is just not trusted.
      if (candidate !== last) fail(search, path.length, "loop", candidate);
      continue;
    }
    if (path.length >= PATH_MAX - 1) return fail(search, path.length, "tooLong", last);
    if (!isSignedBy(search, path.length, last, candidate)) continue;
    const whole = extend(search, [...path, candidate]);
    if (whole !== undefined) return whole;
  }
  return fail(search, path.length - 0.5, "untrusted", last);
}

function isSignedBy(search: Search, depth: number, subject: Certificate, issuer: Certificate): boolean {
  const { authorityKeyId } = subject;
  const { subjectKeyId, publicKey } = issuer;
  if (authorityKeyId !== undefined && subjectKeyId !== undefined && !equal(authorityKeyId, subjectKeyId)) return false;
  if (!isAcceptableKey(publicKey)) {
    fail(search, depth, "weakKey", issuer);
    return false;
  }
  if (++search.verifications > VERIFICATIONS_MAX) {
    fail(search, depth, "tooLong", subject);
    return false;
  }
  const holds = verifySigned(search.crypto, subject, publicKey);
  if (!holds) fail(search, depth, "signature", subject);
  return holds;
}

/** The issuer's signature on a certificate or a list. */
export function verifySigned(
  crypto: Crypto,
  signed: Pick<Certificate, "tbs" | "algorithm" | "signature">,
  key: PublicKey,
): boolean {
  const scheme = schemeOfAlgorithm(signed.algorithm);
  return scheme !== undefined && crypto.verify(key, scheme, signed.tbs, signed.signature);
}

/** What each certificate says about itself. RFC 5280 sections 6.1.3 and 6.1.4. */
function checkPath(path: readonly Certificate[], at: CalendarSeconds): Refusal | undefined {
  let below = 0;
  for (const [index, certificate] of path.entries()) {
    const { basicConstraints, keyUsage, notAfter, notBefore, unknownCritical } = certificate;
    if (at < notBefore) return refusal("notYetValid", certificate);
    if (at > notAfter) return refusal("expired", certificate);
    if (unknownCritical.length > 0) return refusal("unknownExtension", certificate);
    if (index === 0) {
      // RFC 4945 section 5.1.3.2: either bit lets a key sign for IKE.
      const isUsable = mayDo(keyUsage, KeyUsage.digitalSignature | KeyUsage.nonRepudiation);
      if (!isUsable) return refusal("usage", certificate);
      continue;
    }
    if (basicConstraints?.ca !== true) return refusal("notAuthority", certificate);
    if (!mayDo(keyUsage, KeyUsage.keyCertSign)) return refusal("notAuthority", certificate);
    if (below > (basicConstraints.pathLength ?? Infinity)) return refusal("pathLength", certificate);
    const isSelfIssued = nameKey(certificate.issuer) === nameKey(certificate.subject);
    if (!isSelfIssued) below += 1;
  }
  return undefined;
}

function mayDo(keyUsage: number | undefined, uses: number): boolean {
  return keyUsage === undefined || (keyUsage & uses) !== 0;
}

/** Every certificate but the anchor, by the list of its issuer. */
function checkRevocation(
  crypto: Crypto,
  path: readonly Certificate[],
  { crls, revocation }: Trust,
  at: CalendarSeconds,
): Refusal | undefined {
  if (revocation === "none") return undefined;
  for (const [index, certificate] of path.slice(0, -1).entries()) {
    const crl = currentCrl(crypto, crls, path[index + 1]!, at);
    if (crl === undefined) {
      if (revocation === "crl") return refusal("noCrl", certificate);
      continue;
    }
    const revoked = crl.revoked.get(certificate.serial);
    if (revoked !== undefined && revoked.at <= at) return refusal("revoked", certificate);
  }
  return undefined;
}

/** The newest list that the issuer had made by then, unless it has ended. */
function currentCrl(crypto: Crypto, crls: readonly Crl[], issuer: Certificate, at: CalendarSeconds): Crl | undefined {
  const name = nameKey(issuer.subject);
  let newest: Crl | undefined;
  for (const crl of crls) {
    if (crl.thisUpdate > at || nameKey(crl.issuer) !== name) continue;
    if (newest === undefined || crl.thisUpdate > newest.thisUpdate) newest = crl;
  }
  if (newest === undefined || newest.unknownCritical.length > 0) return undefined;
  if ((newest.nextUpdate ?? Infinity) < at || !mayDo(issuer.keyUsage, KeyUsage.crlSign)) return undefined;
  return verifySigned(crypto, newest, issuer.publicKey!) ? newest : undefined;
}
