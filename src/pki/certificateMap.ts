/**
 * `crypto pki certificate map`: which certificates a rule means. Lines of one sequence number must all hold, sequence
 * numbers are alternatives. Text is compared without regard to case, names in the form that IOS shows.
 */
import type { CalendarSeconds } from "./calendar.ts";
import type { Certificate } from "./certificate.ts";
import type { GeneralName } from "./generalName.ts";
import { formatName, type Name } from "./name.ts";
import { HOSTNAME } from "./oid.ts";

export type MapField =
  | "alt-subject-name"
  | "issuer-name"
  | "name"
  | "serial-number"
  | "subject-name"
  | "unstructured-subject-name";

export type TextOperator = "co" | "nc" | "eq" | "ne";

export type MapCriterion =
  | { readonly field: MapField; readonly operator: TextOperator; readonly text: string }
  /** `value`: seconds since 1970. */
  | {
      readonly field: "valid-start" | "expires-on";
      readonly operator: "lt" | "ge" | "eq" | "ne";
      readonly value: CalendarSeconds;
    };

export interface CertificateMap {
  readonly name: string;
  /** By sequence number. */
  readonly alternatives: readonly (readonly MapCriterion[])[];
}

export function matchesMap(map: CertificateMap, certificate: Certificate): boolean {
  return map.alternatives.some((criteria) => criteria.every((criterion) => holds(criterion, certificate)));
}

function holds(criterion: MapCriterion, certificate: Certificate): boolean {
  if ("value" in criterion) {
    return compareTimes(criterion.field === "valid-start" ? certificate.notBefore : certificate.notAfter, criterion);
  }
  const texts = FIELDS[criterion.field](certificate).map(plain);
  const wanted = plain(criterion.text);
  switch (criterion.operator) {
    case "co":
      return texts.some((text) => text.includes(wanted));
    case "nc":
      return !texts.some((text) => text.includes(wanted));
    case "eq":
      return texts.includes(wanted);
    case "ne":
      return !texts.includes(wanted);
  }
}

/** Blanks around commas and equal signs are nobody's intention. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .trim()
    .replace(/\s*([,=])\s*/g, "$1");
}

function compareTimes(
  found: CalendarSeconds,
  { operator, value }: { readonly operator: "lt" | "ge" | "eq" | "ne"; readonly value: CalendarSeconds },
): boolean {
  switch (operator) {
    case "lt":
      return found < value;
    case "ge":
      return found >= value;
    case "eq":
      return found === value;
    case "ne":
      return found !== value;
  }
}

const FIELDS: Readonly<Record<MapField, (certificate: Certificate) => readonly string[]>> = {
  "subject-name": ({ subject }) => [formatName(subject)],
  "issuer-name": ({ issuer }) => [formatName(issuer)],
  "serial-number": ({ serial }) => [serial],
  "alt-subject-name": ({ alternativeNames }) => alternativeNames.flatMap(textOfGeneral),
  "unstructured-subject-name": ({ subject }) => hostnames(subject),
  // Any of the names that the certificate has.
  name: (certificate) => [
    formatName(certificate.subject),
    ...hostnames(certificate.subject),
    ...certificate.alternativeNames.flatMap(textOfGeneral),
  ],
};

function textOfGeneral(name: GeneralName): readonly string[] {
  switch (name.kind) {
    case "ip":
      return name.octets.length === 4 ? [name.octets.join(".")] : [];
    case "directory":
      return [formatName(name.name)];
    case "other":
      return [];
    default:
      return [name.text];
  }
}

/** `unstructuredName`: where IOS puts the host name of a router. */
export function hostnames(name: Name): readonly string[] {
  return name.attributes.filter(({ type }) => type === HOSTNAME).map(({ value }) => value);
}
