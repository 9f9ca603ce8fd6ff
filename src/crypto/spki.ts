/** Public keys as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) and as PKCS#1 RSAPublicKey (RFC 8017 appendix A.1.1). */
import type { Bytes } from "../base/bytes.ts";
import { concat, fromHex, toHex } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { CurveName, PublicKey, RsaPublicKey } from "./api.ts";
import { trimZeros } from "./bigint.ts";
import { DER_BIT_STRING, DER_NULL, DER_OID, DER_SEQUENCE, DerReader, der, derBitString, derUnsigned } from "./der.ts";
import { CURVES } from "./dhGroup.ts";

/** Content octets of object identifiers, in hexadecimal. */
const OID_RSA = "2a864886f70d010101";
const OID_EC = "2a8648ce3d0201";
const OID_ED25519 = "2b6570";

/** RFC 5480 section 2.1.1.1. */
const CURVE_OIDS: Readonly<Record<CurveName, string>> = {
  "P-256": "2a8648ce3d030107",
  "P-384": "2b81040022",
  "P-521": "2b81040023",
};

const UNCOMPRESSED = 4;

export function curveOfOid(oid: string): CurveName | undefined {
  return (Object.keys(CURVE_OIDS) as CurveName[]).find((name) => CURVE_OIDS[name] === oid);
}

function oid(hex: string): Bytes {
  return der(DER_OID, fromHex(hex));
}

const encoded = new WeakMap<PublicKey, Bytes>();

/** Written once for each key object: a key server gives its own to every member. */
export function encodeSpki(key: PublicKey): Bytes {
  let octets = encoded.get(key);
  if (octets === undefined) {
    octets = spkiOf(key);
    encoded.set(key, octets);
  }
  return octets;
}

function spkiOf(key: PublicKey): Bytes {
  switch (key.type) {
    case "rsa":
      return spki([oid(OID_RSA), der(DER_NULL)], encodePkcs1PublicKey(key));
    case "ec":
      return spki([oid(OID_EC), oid(CURVE_OIDS[key.curve])], concat(Uint8Array.of(UNCOMPRESSED), key.point));
    case "ed25519":
      return spki([oid(OID_ED25519)], key.point);
  }
}

function spki(algorithm: readonly Bytes[], key: Bytes): Bytes {
  return der(DER_SEQUENCE, der(DER_SEQUENCE, ...algorithm), derBitString(key));
}

/**
 * Throws a WireError for octets that are no strict DER and for algorithms that are not known here. Whether a point lies
 * on its curve is found out by the first use of the key.
 */
export function decodeSpki(octets: Bytes): PublicKey {
  const outer = new DerReader(octets);
  const info = outer.enter(DER_SEQUENCE);
  outer.done();
  const algorithm = readAlgorithm(info);
  const at = info.at;
  if (info.peek() !== DER_BIT_STRING) throw new WireError("badValue", "the key is no BIT STRING", at, "key");
  const key = info.bitString();
  info.done();
  switch (algorithm.type) {
    case "rsa":
      return decodePkcs1PublicKey(key);
    case "ec":
      return { type: "ec", curve: algorithm.curve, point: decodePoint(algorithm.curve, key, at) };
    case "ed25519":
      if (key.length !== 32) throw new WireError("badLength", `Ed25519 key of ${key.length} octets`, at, "key");
      return { type: "ed25519", point: key };
  }
}

export type KeyAlgorithm =
  | { readonly type: "rsa" }
  | { readonly type: "ec"; readonly curve: CurveName }
  | { readonly type: "ed25519" };

/** The AlgorithmIdentifier in front of a key, public (RFC 5280) or private (RFC 5208). */
export function readAlgorithm(reader: DerReader): KeyAlgorithm {
  const start = reader.at;
  const sequence = reader.enter(DER_SEQUENCE);
  const name = toHex(sequence.content(DER_OID));
  const algorithm = readParameters(name, sequence);
  if (algorithm === undefined)
    throw new WireError("badValue", `key algorithm ${name} is not known`, start, "algorithm");
  sequence.done();
  return algorithm;
}

function readParameters(name: string, sequence: DerReader): KeyAlgorithm | undefined {
  switch (name) {
    case OID_RSA:
      sequence.content(DER_NULL);
      return { type: "rsa" };
    case OID_EC: {
      const curve = curveOfOid(toHex(sequence.content(DER_OID)));
      return curve === undefined ? undefined : { type: "ec", curve };
    }
    case OID_ED25519:
      return { type: "ed25519" };
    default:
      return undefined;
  }
}

/** An uncompressed point without its prefix. RFC 5480 section 2.2. */
export function decodePoint(curve: CurveName, octets: Bytes, offset: number): Bytes {
  if (octets.length !== 1 + 2 * CURVES[curve].size || octets[0] !== UNCOMPRESSED) {
    throw new WireError("badValue", `no uncompressed point of ${curve}`, offset, "key");
  }
  return octets.subarray(1);
}

export function encodePkcs1PublicKey(key: RsaPublicKey): Bytes {
  return der(DER_SEQUENCE, derUnsigned(key.n), derUnsigned(key.e));
}

/** Throws a WireError. */
export function decodePkcs1PublicKey(octets: Bytes): RsaPublicKey {
  const outer = new DerReader(octets);
  const sequence = outer.enter(DER_SEQUENCE);
  outer.done();
  const n = trimZeros(sequence.unsigned());
  const e = trimZeros(sequence.unsigned());
  sequence.done();
  return { type: "rsa", n, e };
}
