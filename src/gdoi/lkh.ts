/** The key hierarchy of a GDOI group: keys of a tree are IV and key of the KEK's cipher. RFC 6407 section 5.6.3. */
import { type Bytes, fromHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Crypto } from "../crypto/api.ts";
import { type HeldPath, type LkhForm, lkhArrays, readLkhArrays } from "../gikev2/lkh.ts";
import type { KekKeys, KekPolicy, KekSuite, KeyHierarchy, TreeKey } from "../gikev2/policy.ts";
import type { KeyDownload } from "../wire/gdoi.ts";
import { KeyPacketType } from "../wire/keyPackets.ts";
import { malformed } from "./gdoiError.ts";
import { kekCipher, kekFromWire, kekToWire } from "./kek.ts";

type Packet = KeyDownload["packets"][number];
type Attribute = { readonly kind: string; readonly value: unknown };

/** Octets of every key of a tree for this KEK; undefined for a suite that GDOI does not have. */
export function treeKeyOctets(suite: KekSuite): number | undefined {
  const cipher = kekCipher(suite);
  return cipher && cipher.block + cipher.key;
}

function formOf(suite: KekSuite): LkhForm {
  const cipher = kekCipher(suite);
  assert(cipher !== undefined, () => `no KEK suite ${suite.encr}/${suite.encrKeyBits}`);
  return { ...cipher, octets: cipher.block + cipher.key, keyType: cipher.algorithm };
}

/**
 * The packet that brings `keys` by way of `hierarchy`. `crypto`: for a PUSH. `verifier`: the public key that rekeys are
 * checked with, DER, where it goes along.
 */
export function lkhPacket(
  crypto: Crypto | undefined,
  { suite, spi }: KekPolicy,
  keys: KekKeys,
  hierarchy: KeyHierarchy,
  verifier: Bytes | undefined,
): Packet {
  const attributes: Attribute[] = [...lkhArrays(crypto, formOf(suite), kekToWire(suite, keys), hierarchy)];
  if (verifier !== undefined) attributes.push({ kind: "SIG_ALGORITHM_KEY", value: verifier });
  return { type: KeyPacketType.LKH, spi: fromHex(spi), attributes: attributes as Packet["attributes"] };
}

/**
 * The KEK of an LKH packet, and the member's path from now on. `held`: in a PUSH. Undefined where no array leads to the
 * KEK: the member has been put out. Throws GdoiError.
 */
export function readLkh(
  suite: KekSuite,
  packet: Packet,
  held: HeldPath | undefined,
): { readonly kek: KekKeys; readonly path: readonly TreeKey[] } | undefined {
  const read = readLkhArrays(formOf(suite), packet.attributes as readonly Attribute[], held, malformed);
  return read && { kek: kekFromWire(suite, read.kek), path: read.path };
}
