/** Keys as a KD payload and back, in clear inside the encrypted message. RFC 6407 section 5.6. */
import { type Bytes, concat, EMPTY, fromHex, toHex, u32, uintFrom } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { type Secret, secret } from "../base/secret.ts";
import type { Crypto, PublicKey } from "../crypto/api.ts";
import { encrKeyOctets, splitSaKeys } from "../crypto/prf.ts";
import { decodePkcs1PublicKey, decodeSpki, encodeSpki } from "../crypto/spki.ts";
import type { HeldPath } from "../gikev2/lkh.ts";
import type {
  DataSaPolicy,
  GroupKeys,
  GroupPolicy,
  KekKeys,
  KekPolicy,
  KeyHierarchy,
  TreeKey,
} from "../gikev2/policy.ts";
import { specsOf } from "../gikev2/policy.ts";
import type { KeyDownload } from "../wire/gdoi.ts";
import { KeyPacketType, keyOf } from "../wire/keyPackets.ts";
import { numberValue } from "../wire/tagged.ts";
import { malformed } from "./gdoiError.ts";
import { kekFromWire, kekToWire } from "./kek.ts";
import { lkhPacket, readLkh } from "./lkh.ts";

type Packet = KeyDownload["packets"][number];
type Attributes = readonly { readonly kind: string; readonly value: unknown }[];

/** What KD says beside the keys of the policy. */
export interface MemberKeys {
  readonly publicKey?: PublicKey;
  readonly senderIdBits?: number;
  readonly senderIds: readonly number[];
}

// ------------------------------------------------------------------------------------------------------------ writing

/**
 * All keys of `policy`; Sender-IDs where the policy says how long they are. The signature's key comes with the KEK.
 * `crypto`: for the updates of a key hierarchy, which only a PUSH has.
 */
export function kdOfKeys(
  policy: GroupPolicy,
  keys: GroupKeys,
  senderIds: readonly number[],
  crypto?: Crypto,
): KeyDownload {
  const packets: Packet[] = [];
  const { kek, dataSas, senderIdBits } = policy;
  if (kek !== undefined && keys.kek !== undefined) packets.push(kekPacket(crypto, kek, keys.kek, keys.hierarchy));
  for (const sa of dataSas) packets.push(tekPacket(sa, keys.teks.get(sa.spi)!.secret));
  if (senderIdBits !== undefined && senderIds.length > 0) packets.push(sidPacket(senderIdBits, senderIds));
  return { packets };
}

/** The type says which attributes a packet may have; the callers keep to that. */
function packet(type: number, spi: Bytes, attributes: Attributes): Packet {
  return { type, spi, attributes: attributes as Packet["attributes"] };
}

/** The KEK by itself or, with a hierarchy, by way of the keys that members hold. */
function kekPacket(
  crypto: Crypto | undefined,
  kek: KekPolicy,
  keys: KekKeys,
  hierarchy: KeyHierarchy | undefined,
): Packet {
  // The format of the key is not defined; the reference implementation sends a SubjectPublicKeyInfo.
  const verifier = kek.publicKey === undefined ? undefined : encodeSpki(kek.publicKey);
  if (hierarchy !== undefined) return lkhPacket(crypto, kek, keys, hierarchy, verifier);
  const key = { kind: "KEK_ALGORITHM_KEY", value: kekToWire(kek.suite, keys) };
  const signature = verifier === undefined ? [] : [{ kind: "SIG_ALGORITHM_KEY", value: verifier }];
  return packet(KeyPacketType.KEK, fromHex(kek.spi), [key, ...signature]);
}

function tekPacket(sa: DataSaPolicy, material: Bytes): Packet {
  const { encr, integ } = specsOf(sa.suite)!;
  const keys = splitSaKeys(encr, integ, material);
  const mac = keys.integ.length === 0 ? [] : [{ kind: "TEK_INTEGRITY_KEY", value: keys.integ }];
  return packet(KeyPacketType.TEK, u32(sa.spi), [{ kind: "TEK_ALGORITHM_KEY", value: keys.encr }, ...mac]);
}

/** It has no SPI: the values serve all SAs of the group. Four octets each, as the reference implementation has it. */
function sidPacket(bits: number, senderIds: readonly number[]): Packet {
  return packet(KeyPacketType.SID, EMPTY, [
    { kind: "NUMBER_OF_SID_BITS", value: bits },
    ...senderIds.map((id) => ({ kind: "SID_VALUE", value: u32(id) })),
  ]);
}

// ------------------------------------------------------------------------------------------------------------ reading

/** More packets than any group has keys for. */
const PACKETS_MAX = 1024;

/**
 * The keys of a policy that was read before: each SA has one packet and the other way round. `known`: SPI of the KEK that
 * carries the message, whose own packet may come along unchanged. `held`: for a PUSH, what the member holds of a key
 * hierarchy. Undefined where the hierarchy leads no way to the member. Throws GdoiError.
 */
export function keysOfKd(
  kd: KeyDownload,
  policy: GroupPolicy,
  known?: string,
  held?: HeldPath,
): { readonly keys: GroupKeys; readonly member: MemberKeys } | undefined {
  if (kd.packets.length > PACKETS_MAX) malformed(`${kd.packets.length} key packets`);
  const suites = new Map(policy.dataSas.map((sa) => [sa.spi, sa.suite]));
  const teks = new Map<number, Secret>();
  let kek: KekKeys | undefined;
  let path: readonly TreeKey[] | undefined;
  let member: MemberKeys = { senderIds: [] };
  for (const entry of kd.packets) {
    if (entry.type === KeyPacketType.KEK || entry.type === KeyPacketType.LKH) {
      const spi = toHex(entry.spi);
      if (policy.kek === undefined && spi === known) continue;
      if (kek !== undefined || policy.kek?.spi !== spi) malformed("a KEK without its policy");
      if (entry.type === KeyPacketType.KEK) {
        kek = kekFromWire(policy.kek.suite, keyOf(entry, "KEK_ALGORITHM_KEY"));
      } else {
        const read = readLkh(policy.kek.suite, entry, held);
        if (read === undefined) return undefined;
        ({ kek, path } = read);
      }
      member = { ...member, ...publicKeyOf(entry) };
    } else if (entry.type === KeyPacketType.TEK) {
      const spi = uintFrom(entry.spi);
      const suite = suites.get(spi);
      if (entry.spi.length !== 4 || suite === undefined || teks.has(spi)) malformed("a TEK without its policy");
      teks.set(spi, secret(tekOf(entry, suite)));
    } else if (entry.type === KeyPacketType.SID) member = { ...member, ...senderIdsOf(entry) };
  }
  if (teks.size !== suites.size || (kek === undefined) !== (policy.kek === undefined))
    malformed("an SA without its key");
  const fresh = { ...(kek === undefined ? {} : { kek }), ...(path === undefined ? {} : { path }) };
  return { keys: { ...fresh, teks }, member };
}

/** SubjectPublicKeyInfo or a bare PKCS#1 key: what IOS sends is not public. */
function publicKeyOf(entry: Packet): { readonly publicKey?: PublicKey } {
  const octets = keyOf(entry, "SIG_ALGORITHM_KEY");
  if (octets.length === 0) return {};
  for (const decode of [decodeSpki, decodePkcs1PublicKey]) {
    try {
      return { publicKey: decode(octets.slice()) };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }
  return malformed("the key of the signature is no public key");
}

function tekOf(entry: Packet, suite: DataSaPolicy["suite"]): Bytes {
  const { encr, integ } = specsOf(suite)!;
  const key = keyOf(entry, "TEK_ALGORITHM_KEY");
  const mac = keyOf(entry, "TEK_INTEGRITY_KEY");
  // Where the key of ESP with GMAC belongs is not said.
  if (encr.kind === "aes-gmac" && key.length === 0 && mac.length === encrKeyOctets(encr)) return mac.slice();
  if (key.length !== encrKeyOctets(encr)) malformed(`TEK of ${key.length} octets`);
  if (mac.length !== (integ?.key ?? 0)) malformed(`integrity key of ${mac.length} octets`);
  return concat(key, mac);
}

function senderIdsOf(entry: Packet): Partial<MemberKeys> {
  const senderIds: number[] = [];
  let senderIdBits: number | undefined;
  for (const { kind, value } of entry.attributes as Attributes) {
    if (kind !== "NUMBER_OF_SID_BITS" && kind !== "SID_VALUE") continue;
    const number = numberValue(value as number | Bytes);
    if (number === undefined) malformed(`${kind} is no number`);
    if (kind === "NUMBER_OF_SID_BITS") senderIdBits = number;
    else senderIds.push(number);
  }
  if (senderIdBits === undefined || senderIdBits < 1 || senderIdBits > 32)
    malformed("Sender-IDs of no possible length");
  return { senderIdBits, senderIds };
}
