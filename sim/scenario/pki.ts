/**
 * The authorities of a scenario and what they issue: keys from the seed, certificates from the plan. Nobody enrols over
 * the network; a router has its certificates from the start, and a revocation list reaches everybody as it is made.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { type Micros, SECOND } from "../../src/base/micros.ts";
import type { Crypto, PrivateKey } from "../../src/crypto/api.ts";
import { CURVES } from "../../src/crypto/dhGroup.ts";
import { ecPrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import type { IssuedTrustpoint, RouterPki } from "../../src/gikev2/iosPki.ts";
import type { PkiTrustpoint } from "../../src/ios/model.ts";
import type { CalendarSeconds } from "../../src/pki/calendar.ts";
import { type Certificate, decodeCertificate } from "../../src/pki/certificate.ts";
import { type Crl, decodeCrl } from "../../src/pki/crl.ts";
import type { GeneralName } from "../../src/pki/generalName.ts";
import { type Issuer, issueCertificate, issueCrl } from "../../src/pki/issue.ts";
import { makeName, type Name, parseName } from "../../src/pki/name.ts";
import { HOSTNAME } from "../../src/pki/oid.ts";
import type { SeededRng } from "../core/rng.ts";
import type { RouterNode, ScenarioNode } from "./scenario.ts";

export type AuthorityKey = "p-256" | "p-384" | "p-521" | "rsa-1024" | "rsa-2048" | "rsa-3072" | "rsa-4096";

export interface Validity {
  readonly notBefore: CalendarSeconds;
  readonly notAfter: CalendarSeconds;
}

export interface AuthorityPlan extends Validity {
  readonly name: string;
  readonly subject: Name;
  readonly key: AuthorityKey;
  /** The authority above, which stands before this one in the plan; undefined: a root. */
  readonly issuer?: string;
}

/** What one router holds under one trustpoint. */
export interface CertificatePlan extends Validity {
  readonly device: string;
  readonly trustpoint: string;
  readonly authority: string;
  /** The authority that is trusted: the issuer itself or one above it. */
  readonly anchor: string;
  /** False: the router trusts the authority and has nothing from it. */
  readonly isIssued: boolean;
  readonly revokedAt?: Micros;
}

export interface PkiPlan {
  /** Calendar time of the instant 0. */
  readonly epoch: CalendarSeconds;
  readonly authorities: readonly AuthorityPlan[];
  readonly certificates: readonly CertificatePlan[];
}

interface Authority {
  readonly plan: AuthorityPlan;
  readonly issuer: Issuer;
  readonly certificate: Certificate;
  readonly revoked: { readonly serial: number; readonly at: Micros }[];
  nextSerial: number;
}

/** The nodes with their certificates. `keys`: the stream of long-term keys, see `machinesOf`. */
export function withCertificates(
  plan: PkiPlan | undefined,
  nodes: readonly ScenarioNode[],
  keys: SeededRng,
  crypto: Crypto,
): readonly ScenarioNode[] {
  if (plan === undefined) return nodes;
  const authorities = new Map<string, Authority>();
  for (const one of plan.authorities) authorities.set(one.name, authorityOf(one, authorities, keys, crypto));
  const routers = new Map(nodes.flatMap((node) => (node.kind === "router" ? [[node.name, node] as const] : [])));
  const held = plan.certificates.map((row) => {
    const node = routers.get(row.device)!;
    const chain = row.isIssued ? chainFor(row, node, authorities, keys, crypto) : undefined;
    return { row, node, chain };
  });
  // Lists come last: they know all serial numbers.
  const crls = [...authorities.values()].flatMap((authority) => listsOf(authority, plan.epoch, crypto));
  const byDevice = new Map<string, Map<string, IssuedTrustpoint>>();
  for (const { chain, node, row } of held) {
    const own = byDevice.get(node.name) ?? new Map<string, IssuedTrustpoint>();
    byDevice.set(node.name, own);
    const anchor = authorities.get(row.anchor)!.certificate;
    own.set(row.trustpoint, { anchor, crls, ...(chain === undefined ? {} : { identity: chain }) });
  }
  return nodes.map((node) => {
    const trustpoints = byDevice.get(node.name);
    if (node.kind !== "router" || trustpoints === undefined) return node;
    return { ...node, pki: { trustpoints, config: { epoch: plan.epoch } } };
  });
}

function authorityOf(
  plan: AuthorityPlan,
  known: ReadonlyMap<string, Authority>,
  keys: SeededRng,
  crypto: Crypto,
): Authority {
  const { name, subject, notBefore, notAfter } = plan;
  const key = authorityKey(plan.key, keys.fork(`authority ${name}/${plan.key}`));
  const above = plan.issuer === undefined ? undefined : known.get(plan.issuer)!;
  const issuer = above?.issuer ?? { name: subject, key };
  const serial = above === undefined ? 1 : above.nextSerial++;
  const order = { subject, publicKey: publicHalf(key), serial, notBefore, notAfter, authority: {} };
  const certificate = decodeCertificate(issueCertificate(crypto, issuer, order));
  return { plan, issuer: { name: subject, key }, certificate, revoked: [], nextSerial: 2 };
}

const CURVE_OF = { "p-256": "P-256", "p-384": "P-384", "p-521": "P-521" } as const;

function authorityKey(kind: AuthorityKey, rng: SeededRng): PrivateKey {
  if (kind in CURVE_OF) {
    const curve = CURVE_OF[kind as keyof typeof CURVE_OF];
    return ecPrivateKey(curve, rng.bytes(CURVES[curve].size));
  }
  return rsaKey(rng, Number(kind.slice("rsa-".length)));
}

function chainFor(
  row: CertificatePlan,
  node: RouterNode,
  authorities: ReadonlyMap<string, Authority>,
  keys: SeededRng,
  crypto: Crypto,
): NonNullable<IssuedTrustpoint["identity"]> {
  const authority = authorities.get(row.authority)!;
  const trustpoint = node.config.pki.trustpoints.get(row.trustpoint)!;
  const key = keyPairOf(node, trustpoint, keys);
  const serial = authority.nextSerial++;
  const { notBefore, notAfter, revokedAt } = row;
  if (revokedAt !== undefined) authority.revoked.push({ serial, at: revokedAt });
  const subject = subjectOf(node, trustpoint);
  const alternativeNames = alternativeNamesOf(trustpoint);
  const order = { subject, publicKey: publicHalf(key), serial, notBefore, notAfter, alternativeNames };
  const own: Bytes = issueCertificate(crypto, authority.issuer, order);
  const chain = [decodeCertificate(own)];
  for (let name = row.authority; name !== row.anchor; ) {
    const between = authorities.get(name)!;
    chain.push(between.certificate);
    name = between.plan.issuer!;
  }
  return { key, chain };
}

/** Of `rsakeypair` or `eckeypair`; the same label is the same key as elsewhere on the router. */
function keyPairOf({ config, name }: RouterNode, trustpoint: PkiTrustpoint, keys: SeededRng): PrivateKey {
  const { ecKeyPair } = trustpoint;
  if (ecKeyPair !== undefined) {
    const bits = config.ecKeys.get(ecKeyPair.name)?.curveBits ?? 256;
    const curve = `P-${bits}` as const;
    return ecPrivateKey(curve, keys.fork(`${name}/${ecKeyPair.name}/${curve}`).bytes(CURVES[curve].size));
  }
  const { label, bits } = rsaPairOf(name, config, trustpoint);
  return rsaKey(keys.fork(`${name}/${label}/${bits}`), bits);
}

const RSA_BITS_DEFAULT = 2048;

/** Without `rsakeypair` it is the general-purpose pair of the router. */
export function rsaPairOf(
  name: string,
  config: RouterNode["config"],
  { rsaKeyPair }: PkiTrustpoint,
): { readonly label: string; readonly bits: number } {
  const label = rsaKeyPair?.name ?? config.hostname ?? name;
  return { label, bits: config.rsaKeys.get(label)?.modulusBits ?? rsaKeyPair?.modulusBits ?? RSA_BITS_DEFAULT };
}

/** IOS adds the name of the router to what `subject-name` says, unless `fqdn none` stands there. */
function subjectOf({ config, name }: RouterNode, { fqdn, subjectName }: PkiTrustpoint): Name {
  const typed = subjectName === undefined ? undefined : parseName(subjectName.value);
  const attributes = typed?.attributes ?? [];
  if (fqdn === "none" && attributes.length > 0) return makeName(attributes);
  const host = fqdn === undefined || fqdn === "none" ? (config.hostname ?? name) : fqdn;
  return makeName([...attributes, { type: HOSTNAME, value: host }]);
}

function alternativeNamesOf({ fqdn, subjectAltName }: PkiTrustpoint): readonly GeneralName[] {
  const names = new Set([subjectAltName, fqdn === "none" ? undefined : fqdn]);
  return [...names].flatMap((text) => (text === undefined ? [] : [{ kind: "dns", text } as const]));
}

/** One list at the start, and one for each instant at which something is revoked. */
function listsOf({ issuer, revoked }: Authority, epoch: CalendarSeconds, crypto: Crypto): Crl[] {
  const second = (at: Micros) => epoch + Math.floor(at / SECOND);
  const instants = [...new Set([0, ...revoked.map(({ at }) => at)])].sort((a, b) => a - b);
  return instants.map((instant, index) => {
    const rows = revoked.filter(({ at }) => at <= instant).map(({ serial, at }) => ({ serial, at: second(at) }));
    return decodeCrl(issueCrl(crypto, issuer, { number: index + 1, thisUpdate: second(instant), revoked: rows }));
  });
}

// ----------------------------------------------------------------------------------------------------- at load time

const NO_NAME: Name = { octets: new Uint8Array(), attributes: [] };
const NO_OCTETS: Bytes = new Uint8Array();

/** Findings do not depend on what stands in a certificate, so none has to be issued for them. */
const NO_CERTIFICATE: Certificate = {
  octets: NO_OCTETS,
  tbs: NO_OCTETS,
  serial: "00",
  issuer: NO_NAME,
  subject: NO_NAME,
  notBefore: 0,
  notAfter: 0,
  keyInfo: NO_OCTETS,
  publicKey: undefined,
  algorithm: NO_OCTETS,
  signature: NO_OCTETS,
  basicConstraints: undefined,
  keyUsage: undefined,
  alternativeNames: [],
  subjectKeyId: undefined,
  authorityKeyId: undefined,
  unknownCritical: [],
};

/** What a router will hold, as far as its kind of key goes. `trustpoints`: those that the plan gives it. */
export function promisedPki(
  config: RouterNode["config"],
  trustpoints: readonly { readonly name: string; readonly isIssued: boolean }[],
): RouterPki | undefined {
  if (trustpoints.length === 0) return undefined;
  const promised = trustpoints.map(({ isIssued, name }): [string, IssuedTrustpoint] => {
    const isEc = config.pki.trustpoints.get(name)?.ecKeyPair !== undefined;
    const identity = { key: isEc ? NO_EC_KEY : NO_RSA_KEY, chain: [NO_CERTIFICATE] };
    return [name, { anchor: NO_CERTIFICATE, crls: [], ...(isIssued ? { identity } : {}) }];
  });
  return { trustpoints: new Map(promised), config: {} };
}

const NO_EC_KEY: PrivateKey = { type: "ec", curve: "P-256", point: NO_OCTETS, d: NO_OCTETS };
const NO_RSA_KEY: PrivateKey = {
  type: "rsa",
  n: NO_OCTETS,
  e: NO_OCTETS,
  d: NO_OCTETS,
  p: NO_OCTETS,
  q: NO_OCTETS,
  dp: NO_OCTETS,
  dq: NO_OCTETS,
  qi: NO_OCTETS,
};
