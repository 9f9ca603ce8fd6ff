/** Key pairs and certificates of a router: their public parts. */
import { toHex } from "../../../src/base/bytes.ts";
import { encodeSpki } from "../../../src/crypto/spki.ts";
import type { CertificateView, RsaKeyView, TrustpointView } from "../../../src/ios/show/views.ts";
import { formatCalendar } from "../../../src/pki/calendar.ts";
import { type Certificate, KeyUsage } from "../../../src/pki/certificate.ts";
import { type Name, nameParts } from "../../../src/pki/name.ts";
import { HOSTNAME } from "../../../src/pki/oid.ts";
import type { RouterSpec } from "../spec.ts";

/** Trustpoints of the configuration with what was issued for them. */
export function trustpointViews({ config, pki }: RouterSpec): TrustpointView[] {
  return [...config.pki.trustpoints.keys()].map((name) => {
    const issued = pki?.trustpoints.get(name);
    const own = issued?.identity?.chain[0];
    return {
      name,
      own: own && certificateView(own),
      authority: issued && certificateView(issued.anchor),
    };
  });
}

export function rsaKeyViews({ rsaKeyPairs }: RouterSpec): RsaKeyView[] {
  const pairs = rsaKeyPairs?.() ?? [];
  return pairs.map(({ label, exportable, publicKey }) => ({
    label,
    isExportable: exportable,
    publicKey: toHex(encodeSpki(publicKey)),
  }));
}

function certificateView({ serial, issuer, subject, keyUsage, notBefore, notAfter }: Certificate): CertificateView {
  const encrypts = keyUsage === undefined || (keyUsage & KeyUsage.keyEncipherment) !== 0;
  return {
    serial: serial.length % 2 === 0 ? serial : `0${serial}`,
    usage: encrypts ? "General Purpose" : "Signature",
    issuer: nameParts(issuer),
    subject: nameParts(subject),
    hostname: hostnameOf(subject),
    start: calendarText(notBefore),
    end: calendarText(notAfter),
  };
}

function hostnameOf({ attributes }: Name): string | undefined {
  return attributes.find(({ type }) => type === HOSTNAME)?.value;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** `02:35:16 UTC Nov 22 2026`. */
function calendarText(at: number): string {
  const [, year, month, day, time] = /^(\d+)-(\d\d)-(\d\d)T(.*)Z$/.exec(formatCalendar(at))!;
  return `${time} UTC ${MONTHS[Number(month) - 1]} ${Number(day)} ${year}`;
}
