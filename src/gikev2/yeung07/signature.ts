/**
 * How rekeys are signed: methods and hashes as attributes of the KEK policy, the key as KEK_AUTH_KEY, the data of AUTH.
 * draft-yeung-g-ikev2-08 sections 3.3.1, 4.4 and 4.7.2.
 *
 * | method | signs with | KEK_AUTH_KEY | data of AUTH |
 * | --- | --- | --- | --- |
 * | 1 | RSASSA-PKCS1-v1_5 | PKCS#1 RSAPublicKey | the signature |
 * | 9, 10, 11 | ECDSA | point in uncompressed form (RFC 5480 section 2.2) | r and s |
 * | 14 | RSASSA-PSS, Ed25519 | RSAPublicKey; the 32 octets of the point (ours) | as in RFC 7427 |
 *
 * A hash is part of methods 9 to 11 and named beside the others. A method without a key pair (2) "should not be used" and
 * is not: a group without signatures leaves the attributes and AUTH out.
 */
import type { Bytes } from "../../base/bytes.ts";
import { concat, equal } from "../../base/bytes.ts";
import { assert, WireError } from "../../base/errors.ts";
import { algorithmOfScheme, schemeOfAlgorithm } from "../../crypto/algorithmId.ts";
import type { CurveName, HashName, PublicKey, SignatureScheme } from "../../crypto/api.ts";
import { decodePkcs1PublicKey, decodePoint, encodePkcs1PublicKey } from "../../crypto/spki.ts";
import type { Auth } from "../../wire/ikev2.ts";
import { AuthMethod, NotifyType } from "../../wire/ikev2Numbers.ts";
import { KekAuthHash } from "../../wire/yeung07.ts";
import type { RekeyAuthentication } from "../policy.ts";
import { ProtocolError } from "../protocolError.ts";
import type { Yeung07Switches } from "./switches.ts";

type HashNumbers = Yeung07Switches["hashNumbers"];

/** Ed25519 hashes by itself: RFC 8420 section 3 calls that Identity. */
const IDENTITY = 5;

const NUMBERS: Readonly<Record<HashNumbers, ReadonlyMap<HashName, number>>> = {
  registry: new Map<HashName, number>([
    ["sha1", KekAuthHash.SHA1],
    ["sha256", KekAuthHash.SHA2_256],
    ["sha384", KekAuthHash.SHA2_384],
    ["sha512", KekAuthHash.SHA2_512],
  ]),
  draft04: new Map<HashName, number>([
    ["sha256", 1],
    ["sha384", 2],
    ["sha512", 3],
  ]),
};

interface EcdsaMethod {
  readonly method: number;
  readonly hash: HashName;
  readonly curve: CurveName;
}

/** RFC 4754 section 3. */
const ECDSA: readonly EcdsaMethod[] = [
  { method: AuthMethod.ECDSA_256, hash: "sha256", curve: "P-256" },
  { method: AuthMethod.ECDSA_384, hash: "sha384", curve: "P-384" },
  { method: AuthMethod.ECDSA_521, hash: "sha512", curve: "P-521" },
];

/** Values of KEK_AUTH_METHOD and KEK_AUTH_ALGORITHM. */
export interface MethodNumbers {
  readonly method: number;
  readonly hash: number;
}

/** What AUTH is made of: policy speaks of ECDSA in DER, the methods of IKEv2 have bare numbers. */
export function schemeOf(authentication: RekeyAuthentication): SignatureScheme | undefined {
  if (authentication.kind === "implicit") return undefined;
  const scheme = schemeOfAlgorithm(authentication.algorithm);
  return scheme?.kind === "ecdsa" ? { ...scheme, encoding: "raw" } : scheme;
}

function methodOf(scheme: SignatureScheme): number {
  if (scheme.kind === "rsa-pkcs1") return AuthMethod.RSA_SIGNATURE;
  if (scheme.kind === "ecdsa") return ECDSA.find(({ hash }) => hash === scheme.hash)?.method ?? 0;
  return AuthMethod.DIGITAL_SIGNATURE;
}

/** Undefined for a group without signatures. */
export function numbersOf(authentication: RekeyAuthentication, hashNumbers: HashNumbers): MethodNumbers | undefined {
  const scheme = schemeOf(authentication);
  if (scheme === undefined) return undefined;
  const method = methodOf(scheme);
  const hash = "hash" in scheme ? NUMBERS[hashNumbers].get(scheme.hash) : IDENTITY;
  assert(method !== 0 && hash !== undefined, "a signature that the dialect has no numbers for");
  return { method, hash };
}

/** Throws ProtocolError NO_PROPOSAL_CHOSEN for methods and hashes that we do not have. */
export function authenticationOf({ method, hash }: MethodNumbers, hashNumbers: HashNumbers): RekeyAuthentication {
  const scheme = schemeOfNumbers(method, hash, hashNumbers);
  const algorithm = scheme && algorithmOfScheme(scheme);
  if (algorithm === undefined) {
    throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, `authentication method ${method} with hash ${hash}`);
  }
  return { kind: "signature", algorithm };
}

const SALT: Readonly<Partial<Record<HashName, number>>> = { sha256: 32, sha384: 48, sha512: 64 };

function schemeOfNumbers(method: number, hash: number, hashNumbers: HashNumbers): SignatureScheme | undefined {
  const ecdsa = ECDSA.find((one) => one.method === method);
  if (ecdsa !== undefined) return { kind: "ecdsa", hash: ecdsa.hash, encoding: "der" };
  if (method === AuthMethod.DIGITAL_SIGNATURE && hash === IDENTITY) return { kind: "ed25519" };
  for (const [name, number] of NUMBERS[hashNumbers]) {
    if (number !== hash) continue;
    if (method === AuthMethod.RSA_SIGNATURE) return { kind: "rsa-pkcs1", hash: name };
    const saltLength = SALT[name];
    if (method === AuthMethod.DIGITAL_SIGNATURE && saltLength !== undefined) {
      return { kind: "rsa-pss", hash: name, saltLength };
    }
  }
  return undefined;
}

/** Octets of KEK_AUTH_KEY. */
export function encodeAuthKey(key: PublicKey): Bytes {
  switch (key.type) {
    case "rsa":
      return encodePkcs1PublicKey(key);
    case "ec":
      return concat(Uint8Array.of(4), key.point);
    case "ed25519":
      return key.point;
  }
}

/** The key of this kind of signature. Throws ProtocolError INVALID_SYNTAX. */
export function decodeAuthKey(octets: Bytes, authentication: RekeyAuthentication): PublicKey {
  const scheme = schemeOf(authentication);
  try {
    if (scheme?.kind === "ed25519" && octets.length === 32) return { type: "ed25519", point: octets };
    if (scheme?.kind === "rsa-pkcs1" || scheme?.kind === "rsa-pss") return decodePkcs1PublicKey(octets);
    const ecdsa = scheme?.kind === "ecdsa" ? ECDSA.find(({ hash }) => hash === scheme.hash) : undefined;
    if (ecdsa !== undefined) return { type: "ec", curve: ecdsa.curve, point: decodePoint(ecdsa.curve, octets, 0) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, `authentication key: ${error.message}`);
  }
  throw new ProtocolError(NotifyType.INVALID_SYNTAX, "an authentication key of another kind than its method");
}

/** AUTH with room for a signature of `size` octets, which stand last. */
export function authWithRoom(authentication: RekeyAuthentication, size: number): Auth {
  const scheme = schemeOf(authentication);
  assert(scheme !== undefined && authentication.kind === "signature", "AUTH without a signature");
  const method = methodOf(scheme);
  const room = new Uint8Array(size);
  if (method !== AuthMethod.DIGITAL_SIGNATURE) return { method, data: room };
  const { algorithm } = authentication;
  return { method, data: concat(Uint8Array.of(algorithm.length), algorithm, room) };
}

/** The signature in AUTH; undefined where method or algorithm are not those of the policy. */
export function signatureOf(auth: Auth, authentication: RekeyAuthentication): Bytes | undefined {
  const scheme = schemeOf(authentication);
  if (scheme === undefined || authentication.kind !== "signature" || auth.method !== methodOf(scheme)) return undefined;
  if (auth.method !== AuthMethod.DIGITAL_SIGNATURE) return auth.data;
  const { algorithm } = authentication;
  const start = 1 + algorithm.length;
  const named = auth.data[0] === algorithm.length && equal(auth.data.subarray(1, start), algorithm);
  return named ? auth.data.subarray(start) : undefined;
}
