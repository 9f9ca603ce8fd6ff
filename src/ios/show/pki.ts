/** `show crypto key mypubkey rsa`, `show crypto pki certificates` and `trustpoints`. There is nothing secret in them. */
import { calendarText } from "../clock.ts";
import { hexWords, lines } from "./text.ts";
import type { CertificateView, RsaKeyView, TrustpointView } from "./views.ts";

/** Key pairs are there from the start of a run: they follow from its seed. `label` absent: all. */
export function rsaKeys(keys: readonly RsaKeyView[], label: string | undefined): string {
  return keys
    .filter((key) => label === undefined || key.label === label)
    .map((key) =>
      lines(
        `% Key pair was generated at: ${calendarText(0)}`,
        `Key name: ${key.label}`,
        "Key type: RSA KEYS",
        " Storage Device: private-config",
        " Usage: General Purpose Key",
        ` Key is ${key.isExportable ? "" : "not "}exportable.`,
        " Key Data:",
        hexWords(key.publicKey, 8).map((row) => `  ${row} `),
      ),
    )
    .join("");
}

/** Of each trustpoint its own certificate first, then that of the authority. `trustpoint` absent: all. */
export function certificates(all: readonly TrustpointView[], trustpoint: string | undefined): string {
  return all
    .filter(({ name }) => trustpoint === undefined || name === trustpoint)
    .flatMap(({ name, own, authority }) => [
      ...(own === undefined ? [] : [certificateText("Certificate", own, name)]),
      ...(authority === undefined ? [] : [certificateText("CA Certificate", authority, name)]),
    ])
    .join("");
}

function certificateText(title: string, certificate: CertificateView, trustpoint: string): string {
  const { serial, usage, issuer, subject, hostname, start, end } = certificate;
  const name = hostname === undefined ? [] : [`    Name: ${hostname}`];
  return lines(
    title,
    "  Status: Available",
    `  Certificate Serial Number (hex): ${serial}`,
    `  Certificate Usage: ${usage}`,
    "  Issuer: ",
    issuer.map((part) => `    ${part}`),
    "  Subject:",
    name,
    subject.map((part) => `    ${part}`),
    "  Validity Date: ",
    `    start date: ${start}`,
    `    end   date: ${end}`,
    `  Associated Trustpoints: ${trustpoint} `,
    "",
  );
}

/** With the subject and the serial number of the authority that is trusted. */
export function trustpoints(all: readonly TrustpointView[]): string {
  return all
    .map(({ name, authority }) =>
      lines(
        `Trustpoint ${name}:`,
        ...(authority === undefined
          ? []
          : [
              "    Subject Name: ",
              authority.subject.map((part) => `    ${part}`),
              `          Serial Number (hex): ${authority.serial}`,
              "    Certificate configured.",
            ]),
        "",
        "",
      ),
    )
    .join("");
}
