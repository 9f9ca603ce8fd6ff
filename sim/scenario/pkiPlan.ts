/** The `pki` part of a scenario file as a plan: who issues what to whom. */
import { SECOND } from "../../src/base/micros.ts";
import { type CalendarSeconds, EPOCH_DEFAULT, parseCalendar } from "../../src/pki/calendar.ts";
import { type Name, parseName } from "../../src/pki/name.ts";
import { globMatches } from "../check/glob.ts";
import { selectNodes } from "./devices.ts";
import type { Path } from "./document.ts";
import { duration } from "./line.ts";
import type { LoadedNode } from "./nodes.ts";
import { type AuthorityPlan, type CertificatePlan, type PkiPlan, rsaPairOf, type Validity } from "./pki.ts";
import type { Problems } from "./problems.ts";
import type { RouterNode } from "./scenario.ts";
import type { PkiInput } from "./schema.ts";

const DAY_SECONDS = 86_400;
/** An authority outlives what it issues. */
const AUTHORITY_DAYS = 3_650;
const CERTIFICATE_DAYS = 365;

/** Problems of its own: `unknownAuthority`, `unknownTrustpoint`, `badSubject`; see `Problems` for the others. */
export function loadPki(
  input: PkiInput | undefined,
  nodes: ReadonlyMap<string, LoadedNode>,
  problems: Problems,
): PkiPlan | undefined {
  if (input === undefined) return undefined;
  const epoch = calendar(input.begins, ["pki", "begins"], problems) ?? EPOCH_DEFAULT;
  const authorities = new Map<string, AuthorityPlan>();
  for (const [index, one] of input.authorities.entries()) {
    const path: Path = ["pki", "authorities", index];
    const subject = readSubject(one.subject ?? `cn=${one.name}`, [...path, "subject"], problems);
    if (authorities.has(one.name))
      problems.add("duplicateName", [...path, "name"], "there is one of this name already");
    if (one.issuer !== undefined && !authorities.has(one.issuer)) {
      problems.unknown("unknownAuthority", [...path, "issuer"], "authority above", one.issuer, authorities.keys());
    }
    const validity = validityOf(one, epoch, AUTHORITY_DAYS, path, problems);
    if (subject === undefined) continue;
    const key = one.key ?? "p-256";
    authorities.set(one.name, {
      name: one.name,
      subject,
      key,
      ...(one.issuer === undefined ? {} : { issuer: one.issuer }),
      ...validity,
    });
  }
  const certificates = (input.certificates ?? []).flatMap((row, index) =>
    rowsOf(row, ["pki", "certificates", index], { epoch, authorities, nodes, problems }),
  );
  return { epoch, authorities: [...authorities.values()], certificates };
}

type RowInput = NonNullable<PkiInput["certificates"]>[number];

interface Around {
  readonly epoch: CalendarSeconds;
  readonly authorities: ReadonlyMap<string, AuthorityPlan>;
  readonly nodes: ReadonlyMap<string, LoadedNode>;
  readonly problems: Problems;
}

function rowsOf(row: RowInput, path: Path, { epoch, authorities, nodes, problems }: Around): CertificatePlan[] {
  const { authority, anchor = authority, trustpoint } = row;
  const names = [...nodes].flatMap(([name, { node }]) => (node.kind === "router" ? [name] : []));
  const devices = selectNodes(row.device, names, [...path, "device"], problems);
  const validity = validityOf(row, epoch, CERTIFICATE_DAYS, path, problems);
  const revokedAt = row.revoked === undefined ? undefined : duration(row.revoked, [...path, "revoked"], problems);
  if (!authorities.has(authority)) {
    problems.unknown("unknownAuthority", [...path, "authority"], "authority", authority, authorities.keys());
    return [];
  }
  const above = linesAbove(authority, authorities);
  if (!above.includes(anchor)) {
    problems.unknown("unknownAuthority", [...path, "anchor"], "authority above", anchor, above);
    return [];
  }
  if (revokedAt !== undefined && revokedAt % SECOND !== 0) {
    problems.add("badDuration", [...path, "revoked"], "lists tell whole seconds", { expected: "whole seconds" });
  }
  return devices.flatMap((device) => {
    const node = nodes.get(device)!.node as RouterNode;
    if (!isUsable(node, trustpoint, path, problems)) return [];
    const isIssued = row.issue ?? true;
    const revoked = revokedAt === undefined ? {} : { revokedAt };
    return [{ device, trustpoint, authority, anchor, isIssued, ...revoked, ...validity }];
  });
}

/** The authority and those above it. */
function linesAbove(name: string, authorities: ReadonlyMap<string, AuthorityPlan>): string[] {
  const line: string[] = [];
  for (let at: string | undefined = name; at !== undefined; at = authorities.get(at)?.issuer) line.push(at);
  return line;
}

function isUsable(node: RouterNode, name: string, path: Path, problems: Problems): boolean {
  const { trustpoints } = node.config.pki;
  const trustpoint = trustpoints.get(name);
  if (trustpoint === undefined) {
    problems.unknown(
      "unknownTrustpoint",
      [...path, "trustpoint"],
      `trustpoint on ${node.name} called`,
      name,
      trustpoints.keys(),
    );
    return false;
  }
  if (trustpoint.subjectName !== undefined && parseName(trustpoint.subjectName.value) === undefined) {
    const { file, line, column } = trustpoint.subjectName.at;
    const message = "no distinguished name such as cn=gm1,o=Example";
    problems.take({ code: "badSubject", file, line, column, path: "", message, found: trustpoint.subjectName.value });
    return false;
  }
  const { bits } = rsaPairOf(node.name, node.config, trustpoint);
  if (trustpoint.ecKeyPair === undefined && (bits < 512 || bits % 16 !== 0)) {
    const message = `RSA keys of ${bits} bits are not generated`;
    problems.add("outOfRange", [...path, "trustpoint"], message, { expected: "512 to 4096, a multiple of 16" });
    return false;
  }
  return true;
}

function readSubject(text: string, path: Path, problems: Problems): Name | undefined {
  const name = parseName(text);
  if (name === undefined) {
    problems.add("badSubject", path, "this is no distinguished name", { expected: "cn=Corporate CA,o=Example" });
  }
  return name;
}

function validityOf(
  input: { readonly "not-before"?: string; readonly "not-after"?: string },
  epoch: CalendarSeconds,
  days: number,
  path: Path,
  problems: Problems,
): Validity {
  const notBefore = calendar(input["not-before"], [...path, "not-before"], problems);
  const notAfter = calendar(input["not-after"], [...path, "not-after"], problems);
  // What has ended before the run began was good for a year.
  const past = notAfter !== undefined && notAfter < epoch ? notAfter - days * DAY_SECONDS : undefined;
  const begin = notBefore ?? past ?? epoch - DAY_SECONDS;
  const end = notAfter ?? Math.max(epoch, begin) + days * DAY_SECONDS;
  if (end < begin) problems.add("conflict", [...path, "not-after"], "the validity ends before it begins");
  return { notBefore: begin, notAfter: end };
}

function calendar(text: string | undefined, path: Path, problems: Problems): CalendarSeconds | undefined {
  if (text === undefined) return undefined;
  const seconds = parseCalendar(text);
  if (seconds === undefined) problems.add("badTime", path, "there is no such day");
  return seconds;
}

/** Which trustpoints the plan gives to a node; known before the plan itself can be made. */
export function promisedTrustpoints(
  input: PkiInput | undefined,
  node: string,
): readonly { readonly name: string; readonly isIssued: boolean }[] {
  return (input?.certificates ?? []).flatMap(({ device, issue, trustpoint }) => {
    const globs = typeof device === "string" ? [device] : device;
    return globs.some((glob) => globMatches(glob, node)) ? [{ name: trustpoint, isIssued: issue ?? true }] : [];
  });
}
