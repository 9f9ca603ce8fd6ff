/** Keys as a KD payload and back, in clear inside the encrypted payload. draft-yeung-g-ikev2-08 section 4.7. */
import type { Bytes } from "../../base/bytes.ts";
import { concat, EMPTY, fromHex, toHex, u32, uintFrom } from "../../base/bytes.ts";
import type { Secret } from "../../base/secret.ts";
import { secret } from "../../base/secret.ts";
import type { Crypto, PublicKey } from "../../crypto/api.ts";
import { encrKeyOctets, splitSaKeys } from "../../crypto/prf.ts";
import { NotifyType } from "../../wire/ikev2Numbers.ts";
import { KeyPacketType, keyOf } from "../../wire/keyPackets.ts";
import { numberValue } from "../../wire/tagged.ts";
import type { Kd } from "../../wire/yeung07.ts";
import { KeyAttribute } from "../../wire/yeung07.ts";
import type { HeldPath } from "../lkh.ts";
import type { DataSaPolicy, GroupKeys, GroupPolicy, KekKeys, KekPolicy, KeyHierarchy } from "../policy.ts";
import { specsOf } from "../policy.ts";
import { ProtocolError } from "../protocolError.ts";
import { lkhAttributes, readLkh } from "./lkh.ts";
import { decodeAuthKey, encodeAuthKey } from "./signature.ts";
import type { Yeung07Switches } from "./switches.ts";

type Packet = Kd["packets"][number];
type Attributes = Packet["attributes"][number][];

/** What KD says beside the group's keys. */
export interface MemberKeys {
  readonly publicKey?: PublicKey;
  readonly senderIdBits?: number;
  readonly senderIds: readonly number[];
}

/** Nothing is wrapped in this dialect, so the key that wraps is empty. */
export const NO_WRAP_KEY = secret(EMPTY);

// ------------------------------------------------------------------------------------------------------------ writing

/** All keys of `policy`. `crypto`: for the updates of a key hierarchy, which only a rekey has. */
export function kdOfKeys(
  policy: GroupPolicy,
  keys: GroupKeys,
  member: MemberKeys,
  switches: Yeung07Switches,
  crypto?: Crypto,
): Kd {
  const packets: Packet[] = [];
  const { kek, dataSas } = policy;
  if (kek !== undefined && keys.kek !== undefined) {
    const { publicKey } = member;
    packets.push(
      keys.hierarchy === undefined
        ? kekPacket(kek, keys.kek, publicKey, switches)
        : lkhPacket(crypto, kek, keys.kek, keys.hierarchy, publicKey),
    );
  }
  for (const sa of dataSas) packets.push(tekPacket(sa, keys.teks.get(sa.spi)!.secret));
  if (member.senderIds.length > 0) packets.push(sidPacket(member, switches));
  return { packets };
}

/** The type says which attributes a packet may have; the callers keep to that. */
function keyPacket(type: number, spi: Bytes, attributes: Attributes): Packet {
  return { type, spi, attributes: attributes as Packet["attributes"] };
}

function kekPacket(kek: KekPolicy, keys: KekKeys, publicKey: PublicKey | undefined, switches: Yeung07Switches): Packet {
  const spi = fromHex(kek.spi);
  const iv = switches.kekIv === "whenCbc" ? spi.subarray(0, ivOctetsOf(kek)) : EMPTY;
  const attributes: Attributes = [{ kind: "KEK_ENCR_KEY", value: concat(iv, keys.encr.secret) }];
  if (keys.integ.secret.length > 0) attributes.push({ kind: "KEK_INTEGRITY_KEY", value: keys.integ.secret });
  if (publicKey !== undefined) attributes.push(authKeyAttribute(encodeAuthKey(publicKey), switches));
  return keyPacket(KeyPacketType.KEK, spi, attributes);
}

/** The KEK by way of the keys that members hold, or will hold. */
function lkhPacket(
  crypto: Crypto | undefined,
  kek: KekPolicy,
  keys: KekKeys,
  hierarchy: KeyHierarchy,
  publicKey: PublicKey | undefined,
): Packet {
  const spi = fromHex(kek.spi);
  const attributes = [...lkhAttributes(crypto, kek, spi, keys, hierarchy)];
  if (publicKey !== undefined) attributes.push({ kind: "AUTH_ALGORITHM_KEY", value: encodeAuthKey(publicKey) });
  return keyPacket(KeyPacketType.LKH, spi, attributes as Attributes);
}

/** Octets of the IV that may stand before the key: only the CBC modes need one. */
function ivOctetsOf({ suite }: KekPolicy): number {
  const { encr } = specsOf(suite)!;
  return encr.ivKind === "random" ? encr.iv : 0;
}

function authKeyAttribute(octets: Bytes, { kekAuthKeyNumber: type }: Yeung07Switches): Attributes[number] {
  return type === KeyAttribute.kek.KEK_AUTH_KEY
    ? { kind: "KEK_AUTH_KEY", value: octets }
    : { kind: "unknown", type, value: octets };
}

function tekPacket(sa: DataSaPolicy, material: Bytes): Packet {
  const { encr, integ } = specsOf(sa.suite)!;
  const keys = splitSaKeys(encr, integ, material);
  const attributes: Attributes = [{ kind: "TEK_ALGORITHM_KEY", value: keys.encr }];
  if (keys.integ.length > 0) attributes.push({ kind: "TEK_INTEGRITY_KEY", value: keys.integ });
  return keyPacket(KeyPacketType.TEK, u32(sa.spi), attributes);
}

/** What its SPI would be is not said; the packet concerns all SAs, so it has none. */
function sidPacket({ senderIdBits = 0, senderIds }: MemberKeys, { sidBits }: Yeung07Switches): Packet {
  const bits = sidBits === "tv" ? senderIdBits : Uint8Array.of(0, senderIdBits);
  const attributes: Attributes = [{ kind: "NUMBER_OF_SID_BITS", value: bits }];
  for (const id of senderIds) attributes.push({ kind: "SID_VALUE", value: u32(id) });
  return keyPacket(KeyPacketType.SID, EMPTY, attributes);
}

// ------------------------------------------------------------------------------------------------------------ reading

/**
 * The keys of a policy that was read before: each SA of it has one packet and the other way round. `held`: in a rekey, what
 * the member holds of a key hierarchy; Sender-IDs are passed over there (section 4.7). Undefined where the hierarchy leads
 * no way to the member. Throws ProtocolError INVALID_SYNTAX.
 */
export function keysOfKd(
  kd: Kd,
  policy: GroupPolicy,
  held: HeldPath | undefined,
  switches: Yeung07Switches,
): { readonly keys: GroupKeys; readonly member: MemberKeys } | undefined {
  const suites = new Map(policy.dataSas.map((sa) => [sa.spi, sa.suite]));
  const teks = new Map<number, Secret>();
  let kek: ReturnType<typeof readLkh>;
  let member: MemberKeys = { senderIds: [] };
  for (const packet of kd.packets) {
    const isLkh = packet.type === KeyPacketType.LKH && switches.keyHierarchy !== "none";
    if (packet.type === KeyPacketType.KEK || isLkh) {
      if (kek !== undefined || policy.kek?.spi !== toHex(packet.spi)) syntax("a KEK without its policy");
      kek = isLkh
        ? readLkh(policy.kek.suite, packet.attributes, held, NO_WRAP_KEY, syntax)
        : { kek: kekKeysOf(packet, policy.kek) };
      if (kek === undefined) return undefined;
      member = { ...member, ...publicKeyOf(packet, policy.kek, switches) };
    } else if (packet.type === KeyPacketType.TEK) {
      const spi = uintFrom(packet.spi);
      const suite = suites.get(spi);
      if (packet.spi.length !== 4 || suite === undefined || teks.has(spi)) syntax("a TEK without its policy");
      teks.set(spi, secret(tekOf(packet, suite)));
    } else if (packet.type === KeyPacketType.SID && held === undefined) member = { ...member, ...senderIdsOf(packet) };
  }
  if (teks.size !== suites.size || (kek === undefined) !== (policy.kek === undefined)) syntax("an SA without its key");
  return { keys: { ...kek, teks }, member };
}

function syntax(problem: string): never {
  throw new ProtocolError(NotifyType.INVALID_SYNTAX, problem);
}

function kekKeysOf(packet: Packet, policy: KekPolicy): KekKeys {
  const { encr, integ } = specsOf(policy.suite)!;
  const key = keyOf(packet, "KEK_ENCR_KEY");
  const integKey = keyOf(packet, "KEK_INTEGRITY_KEY");
  const size = encrKeyOctets(encr);
  const before = key.length - size;
  if (before !== 0 && before !== ivOctetsOf(policy)) syntax(`KEK of ${key.length} octets`);
  if (integKey.length !== (integ?.key ?? 0)) syntax(`integrity key of ${integKey.length} octets`);
  return { encr: secret(key.slice(before)), integ: secret(integKey.slice()), wrap: NO_WRAP_KEY };
}

function publicKeyOf(packet: Packet, { authentication }: KekPolicy, switches: Yeung07Switches): Partial<MemberKeys> {
  const octets = packet.attributes.find(
    (one) =>
      one.kind === "KEK_AUTH_KEY" ||
      one.kind === "AUTH_ALGORITHM_KEY" ||
      (one.kind === "unknown" && one.type === switches.kekAuthKeyNumber),
  )?.value;
  if (!(octets instanceof Uint8Array) || authentication?.kind !== "signature") return {};
  return { publicKey: decodeAuthKey(octets.slice(), authentication) };
}

function tekOf(packet: Packet, suite: DataSaPolicy["suite"]): Bytes {
  const { encr, integ } = specsOf(suite)!;
  const key = keyOf(packet, "TEK_ALGORITHM_KEY");
  const integKey = keyOf(packet, "TEK_INTEGRITY_KEY");
  if (key.length !== encrKeyOctets(encr)) syntax(`TEK of ${key.length} octets`);
  if (integKey.length !== (integ?.key ?? 0)) syntax(`integrity key of ${integKey.length} octets`);
  return concat(key, integKey);
}

function senderIdsOf(packet: Packet): Partial<MemberKeys> {
  const senderIds: number[] = [];
  let senderIdBits: number | undefined;
  for (const { kind, value } of packet.attributes) {
    if (kind !== "NUMBER_OF_SID_BITS" && kind !== "SID_VALUE") continue;
    const number = numberValue(value);
    if (number === undefined) syntax(`${kind} is no number`);
    if (kind === "NUMBER_OF_SID_BITS") senderIdBits = number;
    else senderIds.push(number);
  }
  if (senderIdBits === undefined || senderIdBits < 1 || senderIdBits > 32) syntax("Sender-IDs of no possible length");
  return { senderIdBits, senderIds };
}
