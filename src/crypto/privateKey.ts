/**
 * Private keys: from the files that tools write (PKCS#8, PKCS#1, SEC 1, as DER or PEM) and from raw scalars and seeds.
 * Where a format leaves out the public half it is computed.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { Bytes } from "../base/bytes.ts";
import { toHex } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { CurveName, EcPrivateKey, Ed25519PrivateKey, PrivateKey, PublicKey, RsaPrivateKey } from "./api.ts";
import { contextTag, DER_INTEGER, DER_OCTET_STRING, DER_OID, DER_SEQUENCE, DerReader } from "./der.ts";
import { CURVES, privateScalar } from "./dhGroup.ts";
import type { KeyAlgorithm } from "./spki.ts";
import { curveOfOid, decodePoint, readAlgorithm } from "./spki.ts";

const NIST = { "P-256": p256, "P-384": p384, "P-521": p521 } as const;

/** `octets`: as many as the curve's field has; values out of range are reduced into it, as for Diffie-Hellman keys. */
export function ecPrivateKey(curve: CurveName, octets: Bytes): EcPrivateKey {
  const d = privateScalar(CURVES[curve], octets);
  return { type: "ec", curve, d, point: NIST[curve].getPublicKey(d, false).slice(1) };
}

/** `seed`: 32 octets. RFC 8032 section 5.1.5. */
export function ed25519PrivateKey(seed: Bytes): Ed25519PrivateKey {
  return { type: "ed25519", seed, point: ed25519.getPublicKey(seed) };
}

/** The public half alone: what a policy or a packet may carry. */
export function publicHalf(key: PrivateKey): PublicKey {
  switch (key.type) {
    case "rsa":
      return { type: "rsa", n: key.n, e: key.e };
    case "ec":
      return { type: "ec", curve: key.curve, point: key.point };
    case "ed25519":
      return { type: "ed25519", point: key.point };
  }
}

/** PKCS#8 PrivateKeyInfo (RFC 5958), PKCS#1 RSAPrivateKey or SEC 1 ECPrivateKey, told apart by their first elements. Throws a WireError. */
export function decodePrivateKey(octets: Bytes): PrivateKey {
  const outer = new DerReader(octets);
  const sequence = outer.enter(DER_SEQUENCE);
  outer.done();
  sequence.content(DER_INTEGER);
  if (sequence.peek() === DER_SEQUENCE) return decodePkcs8(sequence);
  return sequence.peek() === DER_OCTET_STRING ? decodeSec1(octets, undefined) : decodePkcs1(octets);
}

/** The first block whose label says PRIVATE KEY. Throws a WireError; encrypted keys are refused. */
export function decodePrivateKeyPem(text: string): PrivateKey {
  for (const block of text.matchAll(/-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----([\s\S]*?)-----END \1-----/g)) {
    const octets = fromBase64(block[2]!);
    if (octets === undefined) throw new WireError("badValue", "PEM block with odd characters", block.index);
    return decodePrivateKey(octets);
  }
  throw new WireError("badValue", "no unencrypted PEM private key", 0);
}

/** Undefined where the text is no base64; `Proc-Type` lines of encrypted keys fall out here. */
function fromBase64(text: string): Bytes | undefined {
  const digits = text.replace(/\s/g, "");
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits)) return undefined;
  return Uint8Array.from(atob(digits), (char) => char.charCodeAt(0));
}

/** `rest` stands behind the version. */
function decodePkcs8(rest: DerReader): PrivateKey {
  const algorithm: KeyAlgorithm = readAlgorithm(rest);
  const at = rest.at;
  const key = rest.content(DER_OCTET_STRING);
  switch (algorithm.type) {
    case "rsa":
      return decodePkcs1(key);
    case "ec":
      return decodeSec1(key, algorithm.curve);
    case "ed25519": {
      const seed = new DerReader(key).content(DER_OCTET_STRING);
      if (seed.length !== 32) throw new WireError("badLength", `Ed25519 seed of ${seed.length} octets`, at, "key");
      return ed25519PrivateKey(seed);
    }
  }
}

/** RFC 8017 appendix A.1.2. */
function decodePkcs1(octets: Bytes): RsaPrivateKey {
  const sequence = new DerReader(octets).enter(DER_SEQUENCE);
  const version = sequence.small();
  if (version !== 0) throw new WireError("badValue", "RSA keys of more than two primes are not known", 0, "version");
  const [n, e, d, p, q, dp, dq, qi] = Array.from({ length: 8 }, () => sequence.unsigned());
  sequence.done();
  return { type: "rsa", n: n!, e: e!, d: d!, p: p!, q: q!, dp: dp!, dq: dq!, qi: qi! };
}

/** SEC 1 appendix C.4, RFC 5915 section 3. `known`: the curve, where a PKCS#8 wrapper has named it. */
function decodeSec1(octets: Bytes, known: CurveName | undefined): EcPrivateKey {
  const sequence = new DerReader(octets).enter(DER_SEQUENCE);
  const version = sequence.small();
  if (version !== 1) throw new WireError("badValue", `EC private key version ${version}`, 0, "version");
  const d = sequence.content(DER_OCTET_STRING);
  const named = sequence.peek() === contextTag(0) ? readCurve(sequence.enter(contextTag(0))) : undefined;
  const curve = known ?? named;
  if (curve === undefined || (named !== undefined && named !== curve)) {
    throw new WireError("badValue", "EC private key without a known curve", 0, "parameters");
  }
  const scalar = exactScalar(curve, d);
  if (sequence.peek() !== contextTag(1)) return ecPrivateKey(curve, scalar);
  const point = decodePoint(curve, sequence.enter(contextTag(1)).bitString(), sequence.at);
  return { type: "ec", curve, d: scalar, point };
}

function readCurve(parameters: DerReader): CurveName | undefined {
  return curveOfOid(toHex(parameters.content(DER_OID)));
}

/** A key file must hold a scalar of the curve: no reduction here. */
function exactScalar(curve: CurveName, d: Bytes): Bytes {
  const { size } = CURVES[curve];
  if (d.length !== size) throw new WireError("badLength", `EC private key of ${d.length} octets`, 0, "privateKey");
  if (privateScalar(CURVES[curve], d) !== d)
    throw new WireError("badValue", "EC private key out of range", 0, "privateKey");
  return d;
}
