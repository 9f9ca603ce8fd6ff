/**
 * AlgorithmIdentifiers of signature schemes as the AUTH payload of method 14 and certificates carry them, octet for
 * octet. RFC 7427 appendix A, RFC 8420 appendix A. Comparing whole encodings is what RFC 7427 section 3 proposes.
 */
import type { Bytes } from "../base/bytes.ts";
import { fromHex, toHex } from "../base/bytes.ts";
import type { HashName, SignatureScheme } from "./api.ts";

const RSA = "300d06092a864886f70d0101";
const ECDSA = "06082a8648ce3d0403";

/** RSASSA-PSS with MGF1 over the same hash, a salt as long as the digest and the trailer field written out. */
function pss(hashOid: string, salt: number): string {
  const algorithm = `300d0609608648016503040${hashOid}0500`;
  const saltHex = salt.toString(16).padStart(2, "0");
  return `304606092a864886f70d01010a3039a00f${algorithm}a11c301a06092a864886f70d010108${algorithm}a2030201${saltHex}a303020101`;
}

function pkcs1(hash: HashName): SignatureScheme {
  return { kind: "rsa-pkcs1", hash };
}

function ecdsa(hash: HashName): SignatureScheme {
  return { kind: "ecdsa", hash, encoding: "der" };
}

/** The first row of a scheme is the one that is sent. */
const ROWS: readonly (readonly [string, SignatureScheme])[] = [
  [`${RSA}050500`, pkcs1("sha1")],
  [`${RSA}0b0500`, pkcs1("sha256")],
  [`${RSA}0c0500`, pkcs1("sha384")],
  [`${RSA}0d0500`, pkcs1("sha512")],
  [pss("201", 32), { kind: "rsa-pss", hash: "sha256", saltLength: 32 }],
  [pss("202", 48), { kind: "rsa-pss", hash: "sha384", saltLength: 48 }],
  [pss("203", 64), { kind: "rsa-pss", hash: "sha512", saltLength: 64 }],
  // Empty parameters stand for the defaults of RFC 8017 appendix A.2.3.
  ["300d06092a864886f70d01010a3000", { kind: "rsa-pss", hash: "sha1", saltLength: 20 }],
  ["300906072a8648ce3d0401", ecdsa("sha1")],
  [`300a${ECDSA}02`, ecdsa("sha256")],
  [`300a${ECDSA}03`, ecdsa("sha384")],
  [`300a${ECDSA}04`, ecdsa("sha512")],
  ["300506032b6570", { kind: "ed25519" }],
];

const SCHEMES: ReadonlyMap<string, SignatureScheme> = new Map(ROWS);
const IDENTIFIERS: ReadonlyMap<string, Bytes> = new Map(
  ROWS.map(([octets, scheme]) => [schemeKey(scheme), fromHex(octets)]),
);

/** What makes two schemes the same algorithm; a PSS salt is no part of it. */
function schemeKey(scheme: SignatureScheme): string {
  switch (scheme.kind) {
    case "rsa-pkcs1":
      return `${scheme.kind} ${scheme.hash}`;
    case "rsa-pss":
      return `${scheme.kind} ${scheme.hash} ${scheme.saltLength}`;
    case "ecdsa":
      return `${scheme.kind} ${scheme.hash} ${scheme.encoding}`;
    case "rsa-pkcs1-raw":
    case "ed25519":
      return scheme.kind;
  }
}

/** The scheme that a DER AlgorithmIdentifier names, or undefined where it is none of the known ones. */
export function schemeOfAlgorithm(identifier: Bytes): SignatureScheme | undefined {
  return SCHEMES.get(toHex(identifier));
}

/** The DER AlgorithmIdentifier of a scheme, or undefined where it has none here (raw RSA, raw ECDSA, odd salts, MD5). */
export function algorithmOfScheme(scheme: SignatureScheme): Bytes | undefined {
  return IDENTIFIERS.get(schemeKey(scheme));
}
