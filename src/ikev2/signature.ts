/**
 * AUTH by signature: methods 1 (RSA with SHA-1), 9 to 11 (ECDSA on the curve that the number names, RFC 4754) and 14
 * (any algorithm, named beside the signature, RFC 7427). Where both sides have announced hash algorithms only 14 is
 * used, with a hash of the other side's list; otherwise one of the older numbers.
 */
import { type Bytes, concat, u16, uintFrom } from "../base/bytes.ts";
import { algorithmOfScheme, schemeOfAlgorithm } from "../crypto/algorithmId.ts";
import type { Crypto, CurveName, HashName, PrivateKey, PublicKey, SignatureScheme } from "../crypto/api.ts";
import type { Auth } from "../wire/ikev2.ts";
import { AuthMethod } from "../wire/ikev2Numbers.ts";

/** How IOS calls the two kinds of signature. */
export type SignatureMethod = "rsa-sig" | "ecdsa-sig";

/** IANA "IKEv2 Hash Algorithms". RFC 7427 section 7, RFC 8420. */
export const HashAlgorithm = { SHA1: 1, SHA2_256: 2, SHA2_384: 3, SHA2_512: 4, IDENTITY: 5 } as const;

/** What is announced unless the configuration says otherwise. SHA-1 stays with method 1. */
export const SIGNATURE_HASHES: readonly number[] = [
  HashAlgorithm.SHA2_256,
  HashAlgorithm.SHA2_384,
  HashAlgorithm.SHA2_512,
];

const HASH_NUMBERS: Readonly<Partial<Record<HashName, number>>> = {
  sha1: HashAlgorithm.SHA1,
  sha256: HashAlgorithm.SHA2_256,
  sha384: HashAlgorithm.SHA2_384,
  sha512: HashAlgorithm.SHA2_512,
};

const RSA_SCHEME: SignatureScheme = { kind: "rsa-pkcs1", hash: "sha1" };

interface CurveMethod {
  readonly curve: CurveName;
  readonly method: number;
  readonly hash: HashName;
}

/** RFC 4754 section 7. */
const CURVE_METHODS: readonly CurveMethod[] = [
  { curve: "P-256", method: AuthMethod.ECDSA_256, hash: "sha256" },
  { curve: "P-384", method: AuthMethod.ECDSA_384, hash: "sha384" },
  { curve: "P-521", method: AuthMethod.ECDSA_521, hash: "sha512" },
];

export function encodeHashes(hashes: readonly number[]): Bytes {
  return concat(...hashes.map(u16));
}

export function decodeHashes(data: Bytes): readonly number[] {
  const hashes: number[] = [];
  for (let at = 0; at + 2 <= data.length; at += 2) hashes.push(uintFrom(data.subarray(at, at + 2)));
  return hashes;
}

/** Whether a key can prove or check by this method. */
export function fitsMethod(method: SignatureMethod, key: Pick<PublicKey, "type">): boolean {
  return method === "rsa-sig" ? key.type === "rsa" : key.type !== "rsa";
}

/**
 * `peerHashes`: what the peer announced and we did too; undefined where one side did not. Undefined where the key has no
 * algorithm that the peer takes.
 */
export function signAuth(
  crypto: Crypto,
  key: PrivateKey,
  peerHashes: readonly number[] | undefined,
  octets: Bytes,
): Auth | undefined {
  if (peerHashes === undefined) return signPlain(crypto, key, octets);
  const scheme = schemesOf(key).find((candidate) => peerHashes.includes(hashNumber(candidate)));
  const algorithm = scheme && algorithmOfScheme(scheme);
  if (scheme === undefined || algorithm === undefined) return undefined;
  const signature = crypto.sign(key, scheme, octets);
  return {
    method: AuthMethod.DIGITAL_SIGNATURE,
    data: concat(Uint8Array.of(algorithm.length), algorithm, signature),
  };
}

function signPlain(crypto: Crypto, key: PrivateKey, octets: Bytes): Auth | undefined {
  if (key.type === "rsa") return { method: AuthMethod.RSA_SIGNATURE, data: crypto.sign(key, RSA_SCHEME, octets) };
  const row = key.type === "ec" && CURVE_METHODS.find(({ curve }) => curve === key.curve);
  if (!row) return undefined;
  return { method: row.method, data: crypto.sign(key, { kind: "ecdsa", hash: row.hash, encoding: "raw" }, octets) };
}

/** In order of preference: the hash that suits the curve first; PKCS#1 v1.5, which every peer takes, for RSA. */
function schemesOf(key: PrivateKey): readonly SignatureScheme[] {
  const hashes: readonly HashName[] = ["sha256", "sha384", "sha512", "sha1"];
  switch (key.type) {
    case "rsa":
      return hashes.map((hash) => ({ kind: "rsa-pkcs1", hash }));
    case "ec": {
      const own = CURVE_METHODS.find(({ curve }) => curve === key.curve)!.hash;
      return [own, ...hashes.filter((hash) => hash !== own)].map((hash) => ({ kind: "ecdsa", hash, encoding: "der" }));
    }
    case "ed25519":
      return [{ kind: "ed25519" }];
  }
}

/** 0 for a hash that has no number. */
function hashNumber(scheme: SignatureScheme): number {
  if (scheme.kind === "ed25519") return HashAlgorithm.IDENTITY;
  return scheme.kind === "rsa-pkcs1-raw" ? 0 : (HASH_NUMBERS[scheme.hash] ?? 0);
}

/** `mismatch`: the signature does not hold; `method`: the number, the hash or the algorithm is not what was agreed on. */
export type SignatureProblem = "mismatch" | "method";

/** `ownHashes`: what we announced and the peer did too; undefined where one side did not. */
export function verifyAuth(
  crypto: Crypto,
  key: PublicKey,
  ownHashes: readonly number[] | undefined,
  octets: Bytes,
  auth: Auth,
): SignatureProblem | undefined {
  const found = ownHashes === undefined ? plainSignature(key, auth) : namedSignature(ownHashes, auth);
  if (found === undefined) return "method";
  return crypto.verify(key, found.scheme, octets, found.signature) ? undefined : "mismatch";
}

interface FoundSignature {
  readonly scheme: SignatureScheme;
  readonly signature: Bytes;
}

function plainSignature(key: PublicKey, { method, data }: Auth): FoundSignature | undefined {
  if (method === AuthMethod.RSA_SIGNATURE) return { scheme: RSA_SCHEME, signature: data };
  const row = CURVE_METHODS.find((candidate) => candidate.method === method);
  if (row === undefined || key.type !== "ec" || key.curve !== row.curve) return undefined;
  return { scheme: { kind: "ecdsa", hash: row.hash, encoding: "raw" }, signature: data };
}

function namedSignature(hashes: readonly number[], { method, data }: Auth): FoundSignature | undefined {
  if (method !== AuthMethod.DIGITAL_SIGNATURE || data.length === 0) return undefined;
  const end = 1 + data[0]!;
  const scheme = schemeOfAlgorithm(data.subarray(1, end));
  if (scheme === undefined || !hashes.includes(hashNumber(scheme))) return undefined;
  return { scheme, signature: data.subarray(end) };
}
