/** Trustpoints and certificate maps as the running configuration prints them. */
import type { PkiCertificateMap, PkiConfig, PkiTrustpoint } from "../model.ts";
import { block, optional } from "./writer.ts";

export function printPki({ trustpoints, certificateMaps }: PkiConfig): string[][] {
  return [
    ...[...trustpoints.values()].map(printTrustpoint),
    ...[...certificateMaps.values()].flatMap(printCertificateMap),
  ];
}

function printTrustpoint(trustpoint: PkiTrustpoint): string[] {
  const { enrollment, fqdn, subjectName, subjectAltName, revocationCheck, rsaKeyPair, ecKeyPair } = trustpoint;
  return block(`crypto pki trustpoint ${trustpoint.name}`, [
    ...enrollment.map((text) => `enrollment ${text}`),
    ...optional(fqdn, (text) => `fqdn ${text}`),
    ...optional(subjectName, ({ value }) => `subject-name ${value}`),
    ...optional(subjectAltName, (text) => `subject-alt-name ${text}`),
    // Always printed, the default as well.
    `revocation-check ${revocationCheck.join(" ")}`,
    ...optional(rsaKeyPair, ({ name, modulusBits }) => `rsakeypair ${name}${modulusBits ? ` ${modulusBits}` : ""}`),
    ...optional(ecKeyPair, ({ name }) => `eckeypair ${name}`),
  ]);
}

function printCertificateMap({ name, entries }: PkiCertificateMap): string[][] {
  return [...entries.values()].map(({ sequence, lines }) =>
    block(
      `crypto pki certificate map ${name} ${sequence}`,
      lines.map(({ field, operator, text }) => `${field} ${operator} ${text}`),
    ),
  );
}
