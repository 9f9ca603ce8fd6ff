/** Keys as a KD payload and back. RFC 9838 section 4.5; "note" is one of docs/rfc9838-notes.md. */
import type { Bytes } from "../../base/bytes.ts";
import { fromHex, passingOctets, toHex, u32, uintFrom, Writer } from "../../base/bytes.ts";
import { WireError } from "../../base/errors.ts";
import type { Secret } from "../../base/secret.ts";
import { secret } from "../../base/secret.ts";
import type { Crypto, PublicKey } from "../../crypto/api.ts";
import { decodeSpki, encodeSpki } from "../../crypto/spki.ts";
import { NotifyType, Protocol } from "../../wire/ikev2Numbers.ts";
import { withOne } from "../../wire/kit.ts";
import type { Kd, KeyBag, MemberKeyBag, WrappedKey } from "../../wire/rfc9838.ts";
import { GroupKeyBag, isMemberBag } from "../../wire/rfc9838.ts";
import type { BlankKd, Excluded } from "../dialect.ts";
import { joinKekKeys, kekOctets, splitKekKeys, tekOctets, wrapOctets } from "../keyMaterial.ts";
import type { GroupKeys, GroupPolicy, KekSuite, TreeKey } from "../policy.ts";
import { usesCounterMode } from "../policy.ts";
import { ProtocolError } from "../protocolError.ts";
import { findKey } from "./keyPath.ts";
import { unwrapSaKey, wrappedOctets, wrapSaKey, wrapUnder } from "./keyWrap.ts";
import type { Carrier } from "./legality.ts";
import { checkAttributes, DATA_BAG, KEK_BAG, memberBagRows } from "./legality.ts";

/** Sender-IDs have no defined length (section 4.5.3.3): four octets are sent, one to eight accepted (note 8). */
const SENDER_ID_OCTETS_MAX = 8;

/** What the member bag says beside the group's keys. */
export interface MemberKeys {
  readonly publicKey?: PublicKey;
  readonly senderIds: readonly number[];
}

/** All keys of `policy`, wrapped under `kwk`: GSK_w of the SA that will carry the payload. */
export function kdOfKeys(crypto: Crypto, kwk: Secret, policy: GroupPolicy, keys: GroupKeys, member: MemberKeys): Kd {
  const bags: KeyBag[] = [];
  if (policy.kek !== undefined && keys.kek !== undefined) {
    const material = joinKekKeys(keys.kek);
    const copies = keys.hierarchy?.tops.map((top) => wrapUnder(crypto, top, 0, material));
    bags.push(groupBag(Protocol.GIKE_UPDATE, fromHex(policy.kek.spi), copies ?? [wrapSaKey(crypto, kwk, material)]));
  }
  for (const { spi } of policy.dataSas) {
    bags.push(groupBag(Protocol.ESP, u32(spi), [wrapSaKey(crypto, kwk, keys.teks.get(spi)!.secret)]));
  }
  const attributes: MemberKeyBag["attributes"][number][] = [];
  for (const { inner, outer } of keys.hierarchy?.links ?? []) {
    const wrapped = wrapUnder(crypto, outer ?? { id: 0, key: kwk }, inner.id, inner.key.secret);
    attributes.push({ kind: "WRAP_KEY", value: wrapped });
  }
  if (member.publicKey !== undefined) attributes.push({ kind: "AUTH_KEY", value: encodeSpki(member.publicKey) });
  for (const id of member.senderIds) attributes.push({ kind: "GM_SENDER_ID", value: u32(id) });
  if (attributes.length > 0) bags.push({ protocol: Protocol.NONE, attributes });
  return { bags };
}

function groupBag(protocol: number, spi: Bytes, copies: readonly WrappedKey[]): GroupKeyBag {
  return { protocol, spi, attributes: copies.map((value) => ({ kind: "SA_KEY", value })) };
}

/**
 * For rekeys in the IKE SAs of members, where all but the wrapped keys is the same for each of them, so that it is written
 * once for a round. The keys are those of `policy`, whatever key hierarchy the group has for multicast rekeys.
 */
export function blankKd(policy: GroupPolicy, keys: GroupKeys): BlankKd {
  const w = new Writer();
  const gaps: BlankKd["gaps"][number][] = [];
  const add = (protocol: number, spi: Bytes, key: Secret) => {
    const wrapped = new Uint8Array(wrappedOctets(key.secret.length));
    GroupKeyBag.write(w, groupBag(protocol, spi, [{ keyId: 0, kwkId: 0, wrapped }]), undefined);
    // It is the last that stands in a bag.
    gaps.push({ at: w.at - wrapped.length, key });
  };
  if (policy.kek !== undefined && keys.kek !== undefined) {
    add(Protocol.GIKE_UPDATE, fromHex(policy.kek.spi), secret(joinKekKeys(keys.kek)));
  }
  for (const { spi } of policy.dataSas) add(Protocol.ESP, u32(spi), keys.teks.get(spi)!);
  return { octets: w.finish(), gaps };
}

/** The payload's body for the member that holds `kwk`. */
export function filledKd(crypto: Crypto, kwk: Secret, { octets, gaps }: BlankKd): Bytes {
  const filled = passingOctets(octets.length);
  filled.set(octets);
  for (const { at, key } of gaps) filled.set(crypto.wrapKey(kwk.secret, key.secret), at);
  return filled;
}

function syntax(problem: string): never {
  throw new ProtocolError(NotifyType.INVALID_SYNTAX, problem);
}

/** How a KD payload is to be read. */
export interface KdReading {
  readonly carrier: Carrier;
  /** Rekeys of the group carry a signature. */
  readonly signed: boolean;
  /** The receiver sent GROUP_SENDER. */
  readonly sender: boolean;
  /** Working Key Path of the receiver; empty at registration. */
  readonly path: readonly TreeKey[];
}

export interface KdContents {
  readonly keys: GroupKeys;
  readonly member: MemberKeys;
}

/**
 * The keys of a policy that was read before. Each SA of the policy has one bag and the other way round. `excluded`: no
 * way leads to the KEK of a message for all members. Throws ProtocolError INVALID_SYNTAX.
 */
export function keysOfKd(
  crypto: Crypto,
  kwk: Secret,
  kd: Kd,
  policy: GroupPolicy,
  reading: KdReading,
): KdContents | Excluded {
  const { carrier, signed, sender } = reading;
  const { dataSas } = policy;
  const teks = new Map<number, Secret>();
  const memberAttributes = attributesOfMember(kd);
  let kek: FoundKek | undefined;
  let kekBags = 0;
  for (const bag of kd.bags) {
    if (isMemberBag(bag)) continue;
    if (bag.protocol === Protocol.GIKE_UPDATE) {
      if (kekBags++ > 0 || policy.kek?.spi !== toHex(bag.spi)) syntax("a key bag without its rekey SA policy");
      checkAttributes("rekey SA bag", bag.attributes, KEK_BAG, carrier);
      kek = kekOf(crypto, kwk, bag, memberAttributes, policy.kek.suite, reading.path);
    } else {
      const spi = uintFrom(bag.spi);
      const sa = dataSas.find((one) => one.spi === spi);
      if (bag.protocol !== Protocol.ESP || sa === undefined || teks.has(spi)) syntax("a key bag without its policy");
      checkAttributes("data SA bag", bag.attributes, DATA_BAG, carrier);
      teks.set(spi, unwrapOne(crypto, kwk, bag, tekOctets(sa.suite)));
    }
  }
  const isComplete = dataSas.every(({ spi }) => teks.has(spi)) && (kekBags === 0) === (policy.kek === undefined);
  if (!isComplete) syntax("an SA without its key");
  const counted = sender && usesCounterMode(policy);
  checkAttributes("member bag", memberAttributes, memberBagRows(signed, counted), carrier);
  if (kekBags > 0 && kek === undefined) {
    if (carrier === "gsaRekey") return { excluded: true };
    syntax("no key that opens");
  }
  return { keys: { teks, kek: kek?.kek, path: kek?.path }, member: memberKeys(memberAttributes) };
}

/** Of all member bags together: there is but one member that a message can mean. */
function attributesOfMember(kd: Kd): MemberKeyBag["attributes"] {
  let found = NO_ATTRIBUTES;
  for (const bag of kd.bags) {
    if (isMemberBag(bag)) found = found.length === 0 ? bag.attributes : [...found, ...bag.attributes];
  }
  return found;
}

const NO_ATTRIBUTES: MemberKeyBag["attributes"] = [];

type FoundKek = Pick<GroupKeys, "kek" | "path">;

/** Undefined for a receiver that has been excluded. Section 3.3. */
function kekOf(
  crypto: Crypto,
  kwk: Secret,
  bag: GroupKeyBag,
  memberAttributes: MemberKeyBag["attributes"],
  suite: KekSuite,
  path: readonly TreeKey[],
): FoundKek | undefined {
  const copies = wrappedKeys(bag.attributes, "SA_KEY");
  const links = wrappedKeys(memberAttributes, "WRAP_KEY");
  const size = { saKey: kekOctets(suite), treeKey: wrapOctets(suite) };
  const found = findKey(crypto, { kwk, path, copies, links, size });
  return found && { kek: splitKekKeys(suite, found.material.secret), path: found.path };
}

function wrappedKeys(
  attributes: readonly { readonly kind: string; readonly value: unknown }[],
  kind: "SA_KEY" | "WRAP_KEY",
): readonly WrappedKey[] {
  let keys: WrappedKey[] | undefined;
  for (const one of attributes) if (one.kind === kind) keys = withOne(keys, one.value as WrappedKey);
  return keys ?? NO_WRAPPED_KEYS;
}

const NO_WRAPPED_KEYS: readonly WrappedKey[] = [];

/** The key of a data SA, which is always under the default key-wrap key. */
function unwrapOne(crypto: Crypto, kwk: Secret, bag: GroupKeyBag, octets: number): Secret {
  for (const attribute of bag.attributes) {
    if (attribute.kind !== "SA_KEY") continue;
    const key = unwrapSaKey(crypto, kwk, attribute.value, octets);
    if (key !== undefined) return key;
  }
  return syntax("no key that opens");
}

function memberKeys(attributes: MemberKeyBag["attributes"]): MemberKeys {
  const senderIds: number[] = [];
  let publicKey: PublicKey | undefined;
  for (const attribute of attributes) {
    if (attribute.kind === "AUTH_KEY") publicKey = publicKeyOf(attribute.value);
    else if (attribute.kind === "GM_SENDER_ID") senderIds.push(senderIdOf(attribute.value));
  }
  return publicKey === undefined ? { senderIds } : { senderIds, publicKey };
}

function publicKeyOf(octets: Bytes): PublicKey {
  try {
    return decodeSpki(octets);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return syntax(`authentication key: ${error.message}`);
  }
}

function senderIdOf(octets: Bytes): number {
  const id = uintFrom(octets);
  if (octets.length === 0 || octets.length > SENDER_ID_OCTETS_MAX || !Number.isSafeInteger(id)) {
    syntax(`Sender-ID of ${octets.length} octets`);
  }
  return id;
}
