/**
 * The signature of a PUSH: how the policy names it, and how it is made and checked. RFC 6407 sections 4, 5.3.5 and 5.3.6.
 * Policies say it as in IKEv2, with an AlgorithmIdentifier; GDOI has two numbers for it.
 */
import type { Bytes } from "../base/bytes.ts";
import { EMPTY } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { algorithmOfScheme, schemeOfAlgorithm } from "../crypto/algorithmId.ts";
import type { Crypto, CurveName, HashName, PrivateKey, PublicKey, SignatureScheme } from "../crypto/api.ts";
import type { RekeyAuthentication } from "../gikev2/policy.ts";
import { SigAlgorithm, SigHash } from "../wire/gdoiNumbers.ts";
import { malformed, unsupported } from "./gdoiError.ts";
import type { GdoiSwitches } from "./switches.ts";

const HASHES: ReadonlyMap<number, HashName> = new Map<number, HashName>([
  [SigHash.SHA1, "sha1"],
  [SigHash.SHA256, "sha256"],
  [SigHash.SHA384, "sha384"],
  [SigHash.SHA512, "sha512"],
]);

/** The hash of an ECDSA signature belongs to its curve (RFC 4754), so SIG_HASH_ALGORITHM may be absent. */
const CURVES: readonly { readonly algorithm: number; readonly hash: HashName; readonly curve: CurveName }[] = [
  { algorithm: SigAlgorithm.ECDSA_256, hash: "sha256", curve: "P-256" },
  { algorithm: SigAlgorithm.ECDSA_384, hash: "sha384", curve: "P-384" },
  { algorithm: SigAlgorithm.ECDSA_521, hash: "sha512", curve: "P-521" },
];

const FIELD_OCTETS: Readonly<Record<CurveName, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 };

/** How a PUSH is signed. */
export interface PushSignature {
  readonly algorithm: number;
  readonly hash: HashName;
  /** Of an ECDSA signature. */
  readonly curve?: CurveName;
}

/** SIG_ALGORITHM and SIG_HASH_ALGORITHM. */
export interface SignatureNumbers {
  readonly algorithm: number;
  readonly hash: number;
}

/** Undefined where GDOI has no such signature: it has none without, and neither PSS nor Ed25519. */
export function pushSignature(authentication: RekeyAuthentication): PushSignature | undefined {
  if (authentication.kind !== "signature") return undefined;
  const scheme = schemeOfAlgorithm(authentication.algorithm);
  if (scheme?.kind === "rsa-pkcs1") return { algorithm: SigAlgorithm.RSA, hash: scheme.hash };
  if (scheme?.kind !== "ecdsa") return undefined;
  return CURVES.find(({ hash }) => hash === scheme.hash);
}

export function numbersOf({ algorithm, hash }: PushSignature): SignatureNumbers {
  for (const [number, name] of HASHES) if (name === hash) return { algorithm, hash: number };
  return { algorithm, hash: SigHash.MD5 };
}

export function authenticationOf(algorithm: number, hash: number | undefined): RekeyAuthentication {
  const curve = CURVES.find((row) => row.algorithm === algorithm);
  if (curve !== undefined) return named({ kind: "ecdsa", hash: curve.hash, encoding: "der" });
  if (algorithm !== SigAlgorithm.RSA) return unsupported(`signature algorithm ${algorithm}`);
  if (hash === undefined) malformed("a signature without its hash");
  const name = HASHES.get(hash);
  return name === undefined ? unsupported(`signature hash ${hash}`) : named({ kind: "rsa-pkcs1", hash: name });
}

function named(scheme: SignatureScheme): RekeyAuthentication {
  const algorithm = algorithmOfScheme(scheme);
  assert(algorithm !== undefined, "an algorithm without a name");
  return { kind: "signature", algorithm };
}

/** SIG_KEY_LENGTH, in bits. */
export function keyBits(key: PublicKey): number {
  if (key.type === "ec") return key.curve === "P-521" ? 521 : 8 * FIELD_OCTETS[key.curve];
  return key.type === "rsa" ? 8 * key.n.length : 256;
}

/** Octets of the SIG payload's data. */
export function signatureOctets(key: PublicKey): number {
  return key.type === "ec" ? 2 * FIELD_OCTETS[key.curve] : key.type === "rsa" ? key.n.length : 64;
}

export function signPush(
  crypto: Crypto,
  key: PrivateKey,
  { hash, curve }: PushSignature,
  octets: Bytes,
  { signature: form }: GdoiSwitches,
): Bytes {
  assert(key.type === (curve === undefined ? "rsa" : "ec"), "a signer of another kind than the policy says");
  if (curve !== undefined) return crypto.sign(key, { kind: "ecdsa", hash, encoding: "raw" }, octets);
  if (form === "digestInfo") return crypto.sign(key, { kind: "rsa-pkcs1", hash }, octets);
  return crypto.sign(key, { kind: "rsa-pkcs1-raw" }, crypto.hash(hash, octets));
}

/** Both forms of RSA are taken. */
export function verifyPush(
  crypto: Crypto,
  key: PublicKey,
  { hash, curve }: PushSignature,
  octets: Bytes,
  signature: Bytes,
): boolean {
  if (curve !== undefined) {
    if (key.type !== "ec" || key.curve !== curve) return false;
    return crypto.verify(key, { kind: "ecdsa", hash, encoding: "raw" }, octets, signature);
  }
  if (key.type !== "rsa" || signature === EMPTY) return false;
  return (
    crypto.verify(key, { kind: "rsa-pkcs1", hash }, octets, signature) ||
    crypto.verify(key, { kind: "rsa-pkcs1-raw" }, crypto.hash(hash, octets), signature)
  );
}
