/** A small certification authority for tests: keys and certificates as a function of their names. */
import { createRng } from "../../sim/core/rng.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { CurveName, PrivateKey } from "../../src/crypto/api.ts";
import { CURVES } from "../../src/crypto/dhGroup.ts";
import { native } from "../../src/crypto/native.ts";
import { ecPrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import { parseCalendar } from "../../src/pki/calendar.ts";
import { type Certificate, decodeCertificate } from "../../src/pki/certificate.ts";
import { type Crl, decodeCrl } from "../../src/pki/crl.ts";
import { type CertificateOrder, issueCertificate, issueCrl } from "../../src/pki/issue.ts";
import { parseName } from "../../src/pki/name.ts";

export const BEGIN = parseCalendar("2026-01-01")!;
export const DAY = 86_400;
/** The instant that tests look from. */
export const NOW = BEGIN + 30 * DAY;
export const END = BEGIN + 365 * DAY;

const keys = new Map<string, PrivateKey>();

/** `kind`: a curve, or the bits of an RSA modulus. */
export function keyOf(name: string, kind: CurveName | number = "P-256"): PrivateKey {
  const id = `${name}/${kind}`;
  const known = keys.get(id);
  if (known !== undefined) return known;
  const rng = createRng(id);
  const made = typeof kind === "number" ? rsaKey(rng, kind) : ecPrivateKey(kind, rng.bytes(CURVES[kind].size));
  keys.set(id, made);
  return made;
}

export interface Holder {
  readonly certificate: Certificate;
  readonly octets: Bytes;
  readonly key: PrivateKey;
}

let serial = 0;

/** A certificate for `subject`; signed by itself where no issuer is given. */
export function issue(
  subject: string,
  issuer: Holder | undefined,
  change: Partial<CertificateOrder> = {},
  key: PrivateKey = keyOf(subject),
): Holder {
  const name = parseName(subject)!;
  const by = issuer === undefined ? { name, key } : { name: issuer.certificate.subject, key: issuer.key };
  const octets = issueCertificate(native, by, {
    subject: name,
    publicKey: publicHalf(key),
    serial: ++serial,
    notBefore: BEGIN,
    notAfter: END,
    ...change,
  });
  return { certificate: decodeCertificate(octets), octets, key };
}

export function root(subject = "cn=Root,o=Test", key?: PrivateKey): Holder {
  return issue(subject, undefined, { authority: {} }, key);
}

/** A list of the given serial numbers, revoked at `thisUpdate`. */
export function crlOf(issuer: Holder, revoked: readonly Holder[], thisUpdate = BEGIN, nextUpdate?: number): Crl {
  const octets = issueCrl(
    native,
    { name: issuer.certificate.subject, key: issuer.key },
    {
      number: 1,
      thisUpdate,
      nextUpdate,
      revoked: revoked.map((one) => ({
        serial: Number.parseInt(one.certificate.serial, 16),
        at: thisUpdate,
        reason: 1,
      })),
    },
  );
  return decodeCrl(octets);
}
