/**
 * A small certification authority: pure functions from what a certificate shall say to its octets. Signatures are
 * deterministic, so the same keys, numbers and times give the same octets everywhere. RFC 5280 sections 4 and 5.
 */
import { type Bytes, concat, fromHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { algorithmOfScheme } from "../crypto/algorithmId.ts";
import type { Crypto, HashName, PrivateKey, PublicKey, SignatureScheme } from "../crypto/api.ts";
import {
  contextTag,
  DER_BIT_STRING,
  DER_OCTET_STRING,
  DER_OID,
  DER_SEQUENCE,
  DerReader,
  der,
  derBitString,
  derUnsigned,
} from "../crypto/der.ts";
import { encodeSpki } from "../crypto/spki.ts";
import { type CalendarSeconds, derTime } from "./calendar.ts";
import { DER_BOOLEAN, KeyUsage } from "./certificate.ts";
import { encodeGeneralNames, type GeneralName } from "./generalName.ts";
import type { Name } from "./name.ts";
import { ExtensionOid } from "./oid.ts";

/** Who signs, and with what. */
export interface Issuer {
  readonly name: Name;
  readonly key: PrivateKey;
}

export interface CertificateOrder {
  readonly subject: Name;
  readonly publicKey: PublicKey;
  /** 1 to 2^53 - 1. */
  readonly serial: number;
  readonly notBefore: CalendarSeconds;
  readonly notAfter: CalendarSeconds;
  /** Present: an authority; `pathLength`: authorities that may stand below, undefined for any number. */
  readonly authority?: { readonly pathLength?: number };
  readonly alternativeNames?: readonly GeneralName[];
  /** Bits of `KeyUsage`; by default what an authority or a peer of IKE needs. */
  readonly keyUsage?: number;
}

export interface CrlOrder {
  readonly number: number;
  readonly thisUpdate: CalendarSeconds;
  readonly nextUpdate?: CalendarSeconds;
  readonly revoked: readonly { readonly serial: number; readonly at: CalendarSeconds; readonly reason?: number }[];
}

const CURVE_HASH: Readonly<Record<string, HashName>> = { "P-256": "sha256", "P-384": "sha384", "P-521": "sha512" };

/** The scheme that a key signs certificates with by default. */
export function certificateScheme(key: PrivateKey): SignatureScheme {
  switch (key.type) {
    case "rsa":
      return { kind: "rsa-pkcs1", hash: "sha256" };
    case "ec":
      return { kind: "ecdsa", hash: CURVE_HASH[key.curve]!, encoding: "der" };
    case "ed25519":
      return { kind: "ed25519" };
  }
}

/** SHA-1 over the key itself: RFC 5280 section 4.2.1.2, method 1. */
function keyIdentifier(crypto: Crypto, key: PublicKey): Bytes {
  const info = new DerReader(encodeSpki(key)).enter(DER_SEQUENCE);
  info.element();
  return crypto.hash("sha1", info.bitString());
}

/** The octets of a certificate. A self-signed one has its own name and key as issuer. */
export function issueCertificate(crypto: Crypto, issuer: Issuer, order: CertificateOrder): Bytes {
  const { subject, publicKey, authority, alternativeNames = [] } = order;
  assert(order.serial > 0 && Number.isSafeInteger(order.serial), "a serial number is a positive whole number");
  const usage = order.keyUsage ?? (authority ? KeyUsage.keyCertSign | KeyUsage.crlSign : KeyUsage.digitalSignature);
  const extensions = [
    ...(authority === undefined ? [] : [extension(ExtensionOid.basicConstraints, true, constraints(authority))]),
    extension(ExtensionOid.keyUsage, true, bitString(usage)),
    extension(ExtensionOid.subjectKeyIdentifier, false, der(DER_OCTET_STRING, keyIdentifier(crypto, publicKey))),
    extension(
      ExtensionOid.authorityKeyIdentifier,
      false,
      der(DER_SEQUENCE, der(0x80, keyIdentifier(crypto, issuer.key))),
    ),
    ...(alternativeNames.length === 0
      ? []
      : [
          extension(ExtensionOid.subjectAltName, subject.attributes.length === 0, encodeGeneralNames(alternativeNames)),
        ]),
  ];
  const scheme = certificateScheme(issuer.key);
  const algorithm = algorithmOfScheme(scheme)!;
  const tbs = der(
    DER_SEQUENCE,
    der(contextTag(0), derUnsigned(Uint8Array.of(2))),
    derUnsigned(numberOctets(order.serial)),
    algorithm,
    issuer.name.octets,
    der(DER_SEQUENCE, derTime(order.notBefore), derTime(order.notAfter)),
    subject.octets,
    encodeSpki(publicKey),
    der(contextTag(3), der(DER_SEQUENCE, ...extensions)),
  );
  return signed(crypto, issuer.key, scheme, algorithm, tbs);
}

/** The octets of a revocation list, version 2. */
export function issueCrl(crypto: Crypto, issuer: Issuer, order: CrlOrder): Bytes {
  const scheme = certificateScheme(issuer.key);
  const algorithm = algorithmOfScheme(scheme)!;
  const rows = order.revoked.map(({ serial, at, reason }) => {
    const why = reason === undefined ? [] : [reasonExtension(reason)];
    return der(DER_SEQUENCE, derUnsigned(numberOctets(serial)), derTime(at), ...why);
  });
  const tbs = der(
    DER_SEQUENCE,
    derUnsigned(Uint8Array.of(1)),
    algorithm,
    issuer.name.octets,
    derTime(order.thisUpdate),
    ...(order.nextUpdate === undefined ? [] : [derTime(order.nextUpdate)]),
    // An empty list must be absent. RFC 5280 section 5.1.2.6.
    ...(rows.length === 0 ? [] : [der(DER_SEQUENCE, ...rows)]),
    der(
      contextTag(0),
      der(
        DER_SEQUENCE,
        extension(
          ExtensionOid.authorityKeyIdentifier,
          false,
          der(DER_SEQUENCE, der(0x80, keyIdentifier(crypto, issuer.key))),
        ),
        extension(ExtensionOid.crlNumber, false, derUnsigned(numberOctets(order.number))),
      ),
    ),
  );
  return signed(crypto, issuer.key, scheme, algorithm, tbs);
}

function signed(crypto: Crypto, key: PrivateKey, scheme: SignatureScheme, algorithm: Bytes, tbs: Bytes): Bytes {
  return der(DER_SEQUENCE, tbs, algorithm, derBitString(crypto.sign(key, scheme, tbs)));
}

const TRUE = der(DER_BOOLEAN, Uint8Array.of(0xff));

function extension(oid: string, critical: boolean, value: Bytes): Bytes {
  return der(DER_SEQUENCE, der(DER_OID, fromHex(oid)), ...(critical ? [TRUE] : []), der(DER_OCTET_STRING, value));
}

function constraints({ pathLength }: NonNullable<CertificateOrder["authority"]>): Bytes {
  return der(DER_SEQUENCE, TRUE, ...(pathLength === undefined ? [] : [derUnsigned(Uint8Array.of(pathLength))]));
}

function reasonExtension(reason: number): Bytes {
  return der(DER_SEQUENCE, extension(ExtensionOid.reasonCode, false, der(0x0a, Uint8Array.of(reason))));
}

/** A BIT STRING of named bits ends with its last one that is set. X.690 section 11.2.2. */
function bitString(bits: number): Bytes {
  const octets = [0, 0];
  let last = 0;
  for (let i = 0; i < 16; i++) {
    if ((bits & (1 << i)) === 0) continue;
    octets[i >> 3]! |= 0x80 >> (i & 7);
    last = i;
  }
  return der(DER_BIT_STRING, concat(Uint8Array.of(7 - (last & 7)), Uint8Array.from(octets.slice(0, (last >> 3) + 1))));
}

function numberOctets(value: number): Bytes {
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.from(octets);
}
