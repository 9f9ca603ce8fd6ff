/** Trustpoints and certificate maps of an IOS configuration, and the certificates that somebody issued for them. */
import type { ConfigProblem } from "../base/errors.ts";
import type { AuthProfile, PkiConfig } from "../ikev2/api.ts";
import { fitsMethod, type SignatureMethod } from "../ikev2/signature.ts";
import type {
  CertificateMapLine,
  Ikev2Profile,
  IosConfig,
  PkiCertificateMap,
  PkiTrustpoint,
  RevocationMethod,
} from "../ios/model.ts";
import { type CalendarSeconds, parseCalendar } from "../pki/calendar.ts";
import type { CertificateMap, MapCriterion, MapField, TextOperator } from "../pki/certificateMap.ts";
import type { RevocationCheck } from "../pki/chain.ts";
import type { Trustpoint } from "../pki/trustpoint.ts";
import { iosProblem } from "./iosProblem.ts";

/** What a router holds under a trustpoint: that of the model without what the configuration says itself. */
export type IssuedTrustpoint = Pick<Trustpoint, "anchor" | "identity" | "crls">;

/** What `crypto pki authenticate` and `enroll` have brought to a router, by trustpoint. */
export interface RouterPki {
  readonly trustpoints: ReadonlyMap<string, IssuedTrustpoint>;
  readonly config: PkiConfig;
}

/** The trustpoints that a profile names. One without certificates is incomplete: nobody has enrolled it. */
export function trustpointsOf(
  ios: IosConfig,
  profile: Pick<Ikev2Profile, "trustpoints">,
  pki: RouterPki | undefined,
  problems: ConfigProblem[],
): readonly Trustpoint[] {
  return profile.trustpoints.flatMap(({ name, use, at }) => {
    const configured = ios.pki.trustpoints.get(name);
    const issued = pki?.trustpoints.get(name);
    if (issued === undefined) {
      problems.push(iosProblem("iosIncompleteObject", at, `Trustpoint ${name} has no certificate of an authority.`));
    }
    if (configured === undefined || issued === undefined) return [];
    return [{ name, use, ...issued, revocation: revocationOf(configured, problems) }];
  });
}

/** The trustpoint that a signature of ours is made with. */
export function signingTrustpoint(trustpoints: readonly Trustpoint[], method: SignatureMethod): Trustpoint | undefined {
  return trustpoints.find(({ use, identity }) => use !== "verify" && identity && fitsMethod(method, identity.key));
}

const CHECKS: ReadonlyMap<string, RevocationCheck> = new Map<string, RevocationCheck>([
  ["crl", "crl"],
  ["crl none", "crl-none"],
]);

function revocationOf({ revocationCheck, at, name }: PkiTrustpoint, problems: ConfigProblem[]): RevocationCheck {
  const methods: readonly RevocationMethod[] = revocationCheck;
  if (methods[0] === "none") return "none";
  const found = CHECKS.get(methods.slice(0, 2).join(" "));
  if (found === undefined) problems.push(iosProblem("iosUnsupported", at, `Trustpoint ${name}: OCSP is not modelled.`));
  return found ?? "crl";
}

/** The maps of `match certificate`. A map that does not exist is a finding of the configuration's own check. */
export function certificateMapsOf(
  ios: IosConfig,
  { matchCertificates }: Pick<Ikev2Profile, "matchCertificates">,
  problems: ConfigProblem[],
): Pick<AuthProfile["match"], "certificateMaps"> {
  if (matchCertificates.length === 0) return {};
  const maps = matchCertificates.flatMap(({ name }) => ios.pki.certificateMaps.get(name) ?? []);
  return { certificateMaps: maps.map((map) => mapOf(map, problems)) };
}

function mapOf({ name, entries }: PkiCertificateMap, problems: ConfigProblem[]): CertificateMap {
  const alternatives = [...entries.values()].map(({ lines }) => lines.flatMap((line) => criterionOf(line, problems)));
  return { name, alternatives };
}

function criterionOf(line: CertificateMapLine, problems: ConfigProblem[]): MapCriterion[] {
  const { at, field, operator, text } = line;
  if (field !== "valid-start" && field !== "expires-on") {
    return [{ field: field satisfies MapField, operator: operator as TextOperator, text }];
  }
  const value = readIosTime(text);
  if (value !== undefined) return [{ field, operator: operator as "lt" | "ge" | "eq" | "ne", value }];
  problems.push(iosProblem("iosUnsupported", at, `${text} is no time such as Oct 22 2027 12:00:00.`));
  return [];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** `Oct 22 2027 12:00:00` or `22 Oct 2027 12:00:00`, as UTC; the time of day may be left out. */
export function readIosTime(text: string): CalendarSeconds | undefined {
  const [a = "", b = "", year = "", time = "00:00:00", ...rest] = text.trim().split(/\s+/);
  if (rest.length > 0) return undefined;
  const [month, day] = MONTHS.includes(a.toLowerCase()) ? [a, b] : [b, a];
  const number = MONTHS.indexOf(month.toLowerCase()) + 1;
  return number === 0
    ? undefined
    : parseCalendar(`${year}-${String(number).padStart(2, "0")}-${day.padStart(2, "0")}T${time}Z`);
}
