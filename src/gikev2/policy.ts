/**
 * What a group agrees on, whatever dialect carries it: the rekey SA (KEK), the data SAs (TEKs), the traffic that stays in
 * clear, and the keys beside them. Numbers are IANA transform IDs; lifetimes are remaining seconds, because every member
 * counts from receipt.
 */
import type { Bytes } from "../base/bytes.ts";
import { equal } from "../base/bytes.ts";
import type { Secret } from "../base/secret.ts";
import type { PublicKey } from "../crypto/api.ts";
import type { EncrSpec, IntegSpec } from "../crypto/suite.ts";
import { encrSpec, integSpec } from "../crypto/suite.ts";
import type { Selector } from "../esp/api.ts";
import type { GroupId } from "./groupId.ts";

/** `integ` is 0 with an AEAD cipher. */
export interface DataSuite {
  readonly encr: number;
  /** As in the Key Length attribute; 0 where the cipher has but one. */
  readonly encrKeyBits: number;
  readonly integ: number;
}

export interface KekSuite extends DataSuite {
  /** Key wrap algorithm. */
  readonly kwa: number;
}

/** Who may be at one end of the rekey SA: addresses in text form, ends included. */
export interface RekeySelector {
  readonly first: string;
  readonly last: string;
  readonly port: number;
}

/** How members tell that a rekey comes from the key server and not from another member. RFC 9838 section 4.4.2.1.1. */
export type RekeyAuthentication =
  | { readonly kind: "implicit" }
  /** `algorithm`: DER AlgorithmIdentifier. */
  | { readonly kind: "signature"; readonly algorithm: Bytes };

export interface KekPolicy {
  /** 32 hexadecimal digits: both SPI fields of the header of a GSA_REKEY. */
  readonly spi: string;
  readonly suite: KekSuite;
  readonly source: RekeySelector;
  readonly destination: RekeySelector;
  readonly lifetimeSeconds: number;
  /** Absent in a rekey: the method stays what it was at registration. */
  readonly authentication?: RekeyAuthentication;
  /** With a signature: the key that it verifies with. Absent in a rekey that leaves it as it was. */
  readonly publicKey?: PublicKey;
  /** Number of the next rekey message. */
  readonly nextMessageId: number;
  /** SPIs of rekey SAs to come, 32 hexadecimal digits each. */
  readonly nextSpis: readonly string[];
  /** GDOI: type of the acknowledgement that members are asked for (RFC 8263 section 2); absent: none. */
  readonly acknowledgement?: number;
}

export interface DataSaPolicy {
  readonly spi: number;
  readonly suite: DataSuite;
  readonly selector: Selector;
  /** Further traffic of the same SA (draft-yeung: one SA for all permit entries of a list). */
  readonly more?: readonly Selector[];
  readonly lifetimeSeconds: number;
  /** RFC 9827: 0 sequential, 2 unspecified (several senders, no replay window). */
  readonly sequenceNumbers: number;
  /** SPIs of the SAs that will follow this one. */
  readonly nextSpis: readonly number[];
}

/** Traffic in clear. `before`: how many selectors of the policy's data SAs stand in front of the entry. */
export interface BypassRule {
  readonly before: number;
  readonly selector: Selector;
}

export interface GroupPolicy {
  /** Absent in a rekey that leaves the KEK as it is, and in groups that are rekeyed in their IKE SAs alone. */
  readonly kek?: KekPolicy;
  /** Newest generation first; empty in a rekey of the KEK alone. */
  readonly dataSas: readonly DataSaPolicy[];
  readonly bypass: readonly BypassRule[];
  readonly mode: "tunnel" | "transport";
  /** Activation and deactivation delay; absent: none was given. */
  readonly atdSeconds?: number;
  readonly dtdSeconds?: number;
  /** Length of the Sender-IDs that open the IVs of counter-mode ciphers (RFC 6054). */
  readonly senderIdBits?: number;
}

/** GSK_e (with its salt last), GSK_a (empty with an AEAD cipher) and GSK_w. RFC 9838 section 3.4. */
export interface KekKeys {
  readonly encr: Secret;
  readonly integ: Secret;
  readonly wrap: Secret;
}

/** A key-wrap key that a part of the group holds, and the number that messages know it by, from 1. RFC 9838 section 3.3. */
export interface TreeKey {
  readonly id: number;
  readonly key: Secret;
}

/** `inner` travels wrapped under `outer`; without one, under GSK_w of the SA that carries the message. */
export interface TreeLink {
  readonly inner: TreeKey;
  readonly outer?: TreeKey;
}

/** The way of a KEK to those who may have it: it is wrapped under each of `tops`, which `links` hand out further. */
export interface KeyHierarchy {
  readonly tops: readonly TreeKey[];
  readonly links: readonly TreeLink[];
}

export interface GroupKeys {
  readonly kek?: KekKeys;
  /** By SPI: cipher key with its salt, then the integrity key. */
  readonly teks: ReadonlyMap<number, Secret>;
  /** What a key server writes; absent: the KEK is wrapped under GSK_w of the SA that carries the message. */
  readonly hierarchy?: KeyHierarchy;
  /** What a member reads: its Working Key Path from now on, uppermost key first; absent: it stays what it was. */
  readonly path?: readonly TreeKey[];
}

export type Deletion =
  | { readonly kind: "dataSas"; readonly spis: readonly number[] }
  | { readonly kind: "allDataSas" }
  /** The rekey SA is gone for this member: it is excluded and has to register again. */
  | { readonly kind: "member" };

/** What a member receives: the whole policy at registration, what is new in a rekey. */
export interface GroupUpdate {
  readonly policy: GroupPolicy;
  readonly keys: GroupKeys;
  readonly deletions: readonly Deletion[];
  /** In the IKE SA of a member that is in several groups: the one that is meant. */
  readonly group?: GroupId;
}

/** What a registration answer adds for the one member. */
export interface Grant extends GroupUpdate {
  readonly senderIds: readonly number[];
}

/** What a member asks for. `senderIds`: how many it wants; undefined: it will not send. */
export interface Registration {
  readonly group: GroupId;
  readonly senderIds: number | undefined;
  readonly capabilities?: Capabilities;
  /** A part of the keys; absent: all of them. RFC 9838 has no word for it. */
  readonly want?: "kek" | "teks";
}

/** What a member can work with; lists of transform IDs. */
export interface Capabilities {
  readonly kek: readonly KekSuite[];
  readonly data: readonly DataSuite[];
  /** DER AlgorithmIdentifiers of rekey signatures that it can verify. */
  readonly signatures: readonly Bytes[];
}

export const NO_POLICY: GroupPolicy = { dataSas: [], bypass: [], mode: "tunnel" };
export const NO_KEYS: GroupKeys = { teks: new Map() };

/** Cipher and integrity algorithm of a suite, or undefined where we do not have them or they do not go together. */
export function specsOf(
  suite: DataSuite,
): { readonly encr: EncrSpec; readonly integ: IntegSpec | undefined } | undefined {
  const encr = encrSpec(suite.encr, suite.encrKeyBits);
  const integ = suite.integ === 0 ? undefined : integSpec(suite.integ);
  if (encr === undefined || encr.aead !== (integ === undefined)) return undefined;
  return { encr, integ };
}

/** Ciphers whose IV must never repeat under a key: every sender needs a Sender-ID of its own. RFC 6054, RFC 9838 2.5. */
export function isCounterMode(suite: DataSuite): boolean {
  return encrSpec(suite.encr, suite.encrKeyBits)?.ivKind === "counter";
}

export function usesCounterMode(policy: GroupPolicy): boolean {
  return policy.dataSas.some((sa) => isCounterMode(sa.suite));
}

/** Whether a member with these capabilities can use the policy. */
export function suits(capabilities: Capabilities, policy: GroupPolicy): boolean {
  return misfit(capabilities, policy) === undefined;
}

/** What of a policy a member cannot use: how rekeys are protected (`rekeyPolicy`), or the traffic (`policy`). */
export type PolicyMisfit = "rekeyPolicy" | "policy";

export function misfit(capabilities: Capabilities, policy: GroupPolicy): PolicyMisfit | undefined {
  const { kek } = policy;
  if (
    kek !== undefined &&
    // Without key wrapping there is no algorithm for it.
    !capabilities.kek.some((one) => sameSuite(one, kek.suite) && (kek.suite.kwa === 0 || one.kwa === kek.suite.kwa))
  ) {
    return "rekeyPolicy";
  }
  const method = kek?.authentication;
  if (method?.kind === "signature" && !capabilities.signatures.some((known) => equal(known, method.algorithm))) {
    return "rekeyPolicy";
  }
  const isUsable = policy.dataSas.every((sa) => capabilities.data.some((suite) => sameSuite(suite, sa.suite)));
  return isUsable ? undefined : "policy";
}

function sameSuite(a: DataSuite, b: DataSuite): boolean {
  return a.encr === b.encr && a.encrKeyBits === b.encrKeyBits && a.integ === b.integ;
}
