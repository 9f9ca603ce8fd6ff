/**
 * X.509 certificates as plain data. RFC 5280 section 4. Strict DER, read with our own reader: the ASN.1 libraries for
 * JavaScript take a millisecond for each certificate, accept BER, and answer foreign octets with errors of many classes.
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { PublicKey } from "../crypto/api.ts";
import {
  contextTag,
  DER_BIT_STRING,
  DER_INTEGER,
  DER_OCTET_STRING,
  DER_OID,
  DER_SEQUENCE,
  DerReader,
} from "../crypto/der.ts";
import { decodeSpki } from "../crypto/spki.ts";
import { type CalendarSeconds, readTime } from "./calendar.ts";
import { type GeneralName, readGeneralNames } from "./generalName.ts";
import { type Name, readName } from "./name.ts";
import { dotted, ExtensionOid } from "./oid.ts";

export const DER_BOOLEAN = 0x01;

export interface BasicConstraints {
  readonly ca: boolean;
  /** Intermediate certificates that may stand below; undefined: any number. */
  readonly pathLength: number | undefined;
}

/** Bits of KeyUsage, counted from the first one. RFC 5280 section 4.2.1.3. */
export const KeyUsage = {
  digitalSignature: 1 << 0,
  nonRepudiation: 1 << 1,
  keyEncipherment: 1 << 2,
  keyCertSign: 1 << 5,
  crlSign: 1 << 6,
} as const;

export interface Certificate {
  /** The whole certificate, and the part that its issuer signed. */
  readonly octets: Bytes;
  readonly tbs: Bytes;
  /** Content octets of the INTEGER in hexadecimal, without leading zeros. */
  readonly serial: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: CalendarSeconds;
  readonly notAfter: CalendarSeconds;
  /** SubjectPublicKeyInfo as it stands there. */
  readonly keyInfo: Bytes;
  /** Undefined for a kind of key that we do not compute with. */
  readonly publicKey: PublicKey | undefined;
  /** AlgorithmIdentifier of the issuer's signature, and the signature. */
  readonly algorithm: Bytes;
  readonly signature: Bytes;
  readonly basicConstraints: BasicConstraints | undefined;
  /** Bits of `KeyUsage`; undefined: every use. */
  readonly keyUsage: number | undefined;
  readonly alternativeNames: readonly GeneralName[];
  readonly subjectKeyId: Bytes | undefined;
  readonly authorityKeyId: Bytes | undefined;
  /** Critical extensions that are not understood here, as dotted numbers: whoever relies on the certificate must refuse it. */
  readonly unknownCritical: readonly string[];
}

const EXTENSIONS_MAX = 50;

/** Throws a WireError for octets that are no certificate in strict DER. */
export function decodeCertificate(octets: Bytes): Certificate {
  const { tbs, algorithm, signature } = readSigned(octets);
  const reader = new DerReader(tbs).enter(DER_SEQUENCE);
  const version = readVersion(reader);
  const serial = serialText(reader.content(DER_INTEGER));
  const inner = reader.element();
  if (toHex(inner) !== toHex(algorithm)) {
    throw new WireError("badValue", "two different signature algorithms", reader.at, "signature");
  }
  const issuer = readName(reader);
  const validity = reader.enter(DER_SEQUENCE);
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.done();
  const subject = readName(reader);
  const keyInfo = reader.element();
  // Unique identifiers of version 2, which nobody uses.
  for (const tag of [0x81, 0x82]) if (reader.peek() === tag) reader.element();
  const isExtended = reader.peek() === contextTag(3);
  if (isExtended && version !== 2) throw new WireError("badValue", "extensions need version 3", reader.at, "version");
  const extensions = isExtended ? readExtensions(reader.enter(contextTag(3))) : NO_EXTENSIONS;
  reader.done();
  return {
    octets,
    tbs,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    keyInfo,
    publicKey: publicKeyOf(keyInfo),
    algorithm,
    signature,
    ...extensions,
  };
}

/** What certificates and CRLs have in common: SEQUENCE { signed part, AlgorithmIdentifier, BIT STRING }. */
export function readSigned(octets: Bytes): {
  readonly tbs: Bytes;
  readonly algorithm: Bytes;
  readonly signature: Bytes;
} {
  const outer = new DerReader(octets);
  const sequence = outer.enter(DER_SEQUENCE);
  outer.done();
  const tbs = sequence.element();
  const algorithm = sequence.element();
  const signature = sequence.bitString();
  sequence.done();
  return { tbs, algorithm, signature };
}

function readVersion(reader: DerReader): number {
  if (reader.peek() !== contextTag(0)) return 0;
  const at = reader.at;
  const version = reader.enter(contextTag(0)).small();
  if (version !== 1 && version !== 2) throw new WireError("badValue", `version ${version}`, at, "version");
  return version;
}

/** RFC 5280 allows 20 octets; negative numbers occur and are kept as they are. */
export function serialText(content: Bytes): string {
  if (content.length === 0 || content.length > 21) throw new WireError("badLength", "serial number", 0, "serial");
  return toHex(content).replace(/^(00)+(?=..)/, "");
}

/** A malformed key of a known kind is as good as an unknown one: nothing can be verified with it. */
function publicKeyOf(keyInfo: Bytes): PublicKey | undefined {
  try {
    return decodeSpki(keyInfo);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

// ------------------------------------------------------------------------------------------------------- extensions

type Extensions = Pick<
  Certificate,
  "basicConstraints" | "keyUsage" | "alternativeNames" | "subjectKeyId" | "authorityKeyId" | "unknownCritical"
>;
type Found = { -readonly [K in keyof Extensions]: Extensions[K] };

const NO_EXTENSIONS: Extensions = {
  basicConstraints: undefined,
  keyUsage: undefined,
  alternativeNames: [],
  subjectKeyId: undefined,
  authorityKeyId: undefined,
  unknownCritical: [],
};

/** What an extension tells, by its identifier. Rows that do nothing may be critical all the same: they bind nobody here. */
const READERS: ReadonlyMap<string, (found: Found, value: DerReader) => void> = new Map<
  string,
  (found: Found, value: DerReader) => void
>([
  [
    ExtensionOid.basicConstraints,
    (found, value) => {
      found.basicConstraints = readBasicConstraints(value);
    },
  ],
  [
    ExtensionOid.keyUsage,
    (found, value) => {
      found.keyUsage = readBits(value);
    },
  ],
  [
    ExtensionOid.subjectAltName,
    (found, value) => {
      found.alternativeNames = readGeneralNames(value);
    },
  ],
  [
    ExtensionOid.subjectKeyIdentifier,
    (found, value) => {
      found.subjectKeyId = value.content(DER_OCTET_STRING);
    },
  ],
  [
    ExtensionOid.authorityKeyIdentifier,
    (found, value) => {
      const sequence = value.enter(DER_SEQUENCE);
      if (sequence.peek() === 0x80) found.authorityKeyId = sequence.content(0x80);
    },
  ],
  // RFC 4945 section 5.1.3.12: peers of IKE do not look at the extended usage. Policies are not asked for.
  [ExtensionOid.extendedKeyUsage, (_, value) => void value.element()],
  [ExtensionOid.certificatePolicies, (_, value) => void value.element()],
  [ExtensionOid.crlDistributionPoints, (_, value) => void value.element()],
  [ExtensionOid.authorityInfoAccess, (_, value) => void value.element()],
  [ExtensionOid.issuerAltName, (_, value) => void value.element()],
]);

function readExtensions(reader: DerReader): Extensions {
  const found: Found = { ...NO_EXTENSIONS };
  const unknownCritical: string[] = [];
  for (const { oid, critical, value } of extensionRows(reader)) {
    const read = READERS.get(oid);
    if (read !== undefined) read(found, new DerReader(value));
    else if (critical) unknownCritical.push(dotted(oid));
  }
  return { ...found, unknownCritical };
}

/** Rows of an Extensions SEQUENCE, each of them once at most. */
export function extensionRows(
  reader: DerReader,
): { readonly oid: string; readonly critical: boolean; readonly value: Bytes }[] {
  const rows: { oid: string; critical: boolean; value: Bytes }[] = [];
  const list = reader.enter(DER_SEQUENCE);
  const seen = new Set<string>();
  while (list.left > 0) {
    const at = list.at;
    const row = list.enter(DER_SEQUENCE);
    const oid = toHex(row.content(DER_OID));
    const critical = row.peek() === DER_BOOLEAN && readBoolean(row);
    const value = row.content(DER_OCTET_STRING);
    row.done();
    if (seen.has(oid)) throw new WireError("badValue", `extension ${dotted(oid)} stands there twice`, at, "extensions");
    seen.add(oid);
    if (seen.size > EXTENSIONS_MAX) throw new WireError("tooMany", "extensions", at, "extensions");
    rows.push({ oid, critical, value });
  }
  reader.done();
  return rows;
}

function readBoolean(reader: DerReader): boolean {
  const at = reader.at;
  const content = reader.content(DER_BOOLEAN);
  if (content.length !== 1) throw new WireError("badLength", "BOOLEAN", at);
  return content[0] !== 0;
}

function readBasicConstraints(reader: DerReader): BasicConstraints {
  const sequence = reader.enter(DER_SEQUENCE);
  const ca = sequence.peek() === DER_BOOLEAN && readBoolean(sequence);
  const pathLength = sequence.left > 0 ? sequence.small() : undefined;
  sequence.done();
  return { ca, pathLength };
}

/** The first bits of a BIT STRING as a number, the first one lowest. */
function readBits(reader: DerReader): number {
  const at = reader.at;
  const content = reader.content(DER_BIT_STRING);
  const unused = content[0];
  if (unused === undefined || unused > 7 || (content.length === 1 && unused > 0)) {
    throw new WireError("badValue", "BIT STRING", at, "keyUsage");
  }
  let bits = 0;
  for (let i = 0; i < 16 && i < (content.length - 1) * 8 - unused; i++) {
    if ((content[1 + (i >> 3)]! & (0x80 >> (i & 7))) !== 0) bits |= 1 << i;
  }
  return bits;
}
