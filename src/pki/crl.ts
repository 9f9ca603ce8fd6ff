/** Certificate revocation lists. RFC 5280 section 5. */
import { type Bytes, toHex } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { contextTag, DER_INTEGER, DER_SEQUENCE, DerReader } from "../crypto/der.ts";
import { type CalendarSeconds, readTime } from "./calendar.ts";
import { extensionRows, readSigned, serialText } from "./certificate.ts";
import { type Name, readName } from "./name.ts";
import { dotted, ExtensionOid } from "./oid.ts";

/** RFC 5280 section 5.3.1; 0 where the list gives no reason. */
export interface Revocation {
  readonly at: CalendarSeconds;
  readonly reason: number;
}

export interface Crl {
  readonly octets: Bytes;
  readonly tbs: Bytes;
  readonly issuer: Name;
  readonly thisUpdate: CalendarSeconds;
  readonly nextUpdate: CalendarSeconds | undefined;
  /** By serial number, in the form of `Certificate.serial`. */
  readonly revoked: ReadonlyMap<string, Revocation>;
  readonly algorithm: Bytes;
  readonly signature: Bytes;
  /** As in `Certificate`: indirect and delta lists are told by these. */
  readonly unknownCritical: readonly string[];
}

const DER_ENUMERATED = 0x0a;
const TIMES: readonly (number | undefined)[] = [0x17, 0x18];

/** Throws a WireError for octets that are no list in strict DER. */
export function decodeCrl(octets: Bytes): Crl {
  const { tbs, algorithm, signature } = readSigned(octets);
  const reader = new DerReader(tbs).enter(DER_SEQUENCE);
  if (reader.peek() === DER_INTEGER && reader.small() !== 1) {
    throw new WireError("badValue", "only version 2 is written out", reader.at, "version");
  }
  if (toHex(reader.element()) !== toHex(algorithm)) {
    throw new WireError("badValue", "two different signature algorithms", reader.at, "signature");
  }
  const issuer = readName(reader);
  const thisUpdate = readTime(reader);
  const nextUpdate = TIMES.includes(reader.peek()) ? readTime(reader) : undefined;
  const revoked = reader.peek() === DER_SEQUENCE ? readRevoked(reader.enter(DER_SEQUENCE)) : new Map();
  const unknownCritical =
    reader.peek() === contextTag(0)
      ? extensionRows(reader.enter(contextTag(0))).flatMap(({ oid, critical }) => (critical ? dotted(oid) : []))
      : [];
  reader.done();
  return { octets, tbs, issuer, thisUpdate, nextUpdate, revoked, algorithm, signature, unknownCritical };
}

function readRevoked(list: DerReader): Map<string, Revocation> {
  const revoked = new Map<string, Revocation>();
  while (list.left > 0) {
    const entry = list.enter(DER_SEQUENCE);
    const serial = serialText(entry.content(DER_INTEGER));
    const at = readTime(entry);
    revoked.set(serial, { at, reason: entry.left > 0 ? readReason(entry) : 0 });
    entry.done();
  }
  return revoked;
}

function readReason(entry: DerReader): number {
  const rows = extensionRows(new DerReader(entry.element()));
  const row = rows.find(({ oid }) => oid === ExtensionOid.reasonCode);
  return row === undefined ? 0 : (new DerReader(row.value).content(DER_ENUMERATED)[0] ?? 0);
}
