/** What a decrypted GDOI message hands out: keys of rekey SAs and of data SAs, each under the policy with its SPI. */
import { type Bytes, EMPTY, toHex } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import type { EspKeyEntry } from "../../src/crypto/keyEntry.ts";
import { encrSpec } from "../../src/crypto/suite.ts";
import { type Ikev1Cipher, oakleyCipher } from "../../src/ikev1/suite.ts";
import { isTekPolicy, type KeyDownload, type SaKek, type SaTekPolicy } from "../../src/wire/gdoi.ts";
import { KekAlgorithm, TekProtocol } from "../../src/wire/gdoiNumbers.ts";
import { Encr, Integ } from "../../src/wire/ikev2Numbers.ts";
import { EspTransform, IpsecAuthentication, OakleyEncryption } from "../../src/wire/isakmpNumbers.ts";
import { type IsakmpPayload, isakmpPayloadOf } from "../../src/wire/isakmpPayloads.ts";
import { KeyPacketType, keyOf, type LkhKey } from "../../src/wire/keyPackets.ts";
import { hexNumber } from "../../src/wire/kit.ts";
import { attributeOf } from "../../src/wire/tagged.ts";

/** Policies by SPI in hexadecimal: a PULL announces them one message before their keys. */
export interface GroupPolicies {
  readonly keks: ReadonlyMap<string, SaKek>;
  readonly teks: ReadonlyMap<string, SaTekPolicy>;
}

export interface RekeyKey {
  readonly cipher: Ikev1Cipher;
  readonly iv: Bytes;
  readonly key: Bytes;
}

export interface GroupKeys {
  /** Those that were known and those of this message. */
  readonly policies: GroupPolicies;
  /** By cookie pair in hexadecimal. */
  readonly rekeys: ReadonlyMap<string, RekeyKey>;
  readonly teks: readonly EspKeyEntry[];
}

export function readGroupKeys(payloads: readonly IsakmpPayload[], before: GroupPolicies): GroupKeys {
  const policies = withPolicies(payloads, before);
  const rekeys = new Map<string, RekeyKey>();
  const teks: EspKeyEntry[] = [];
  for (const packet of isakmpPayloadOf(payloads, "KD")?.packets ?? []) {
    const spi = toHex(packet.spi);
    if (packet.type === KeyPacketType.KEK || packet.type === KeyPacketType.LKH) {
      const policy = policies.keks.get(spi);
      const algorithm = policy === undefined ? undefined : attributeOf(policy.attributes, "KEK_ALGORITHM");
      const key = rekeyKey(algorithm ?? 0, kekOf(packet));
      if (key !== undefined) rekeys.set(spi, key);
    } else if (packet.type === KeyPacketType.TEK) {
      const encrKey = keyOf(packet, "TEK_ALGORITHM_KEY");
      const entry = espEntry(policies.teks.get(spi), encrKey, keyOf(packet, "TEK_INTEGRITY_KEY"));
      if (entry !== undefined) teks.push(entry);
    }
  }
  return { policies, rekeys, teks };
}

type Packet = KeyDownload["packets"][number];

/**
 * IV and key; of a key hierarchy, the last key of a download. Updates are for those who hold a key of the tree: empty.
 */
function kekOf(packet: Packet): Bytes {
  const attributes = packet.attributes as readonly { readonly kind: string; readonly value: unknown }[];
  const download = attributes.find(({ kind }) => kind === "LKH_DOWNLOAD_ARRAY")?.value;
  if (download === undefined) return keyOf(packet, "KEK_ALGORITHM_KEY");
  return (download as { readonly keys: readonly LkhKey[] }).keys.at(-1)?.data ?? EMPTY;
}

function withPolicies(payloads: readonly IsakmpPayload[], before: GroupPolicies): GroupPolicies {
  const group = isakmpPayloadOf(payloads, "GSA");
  if (group === undefined) return before;
  const keks = new Map(before.keks);
  const teks = new Map(before.teks);
  for (const policy of group.policies) {
    if (policy.kind === "SAK") keks.set(toHex(policy.body.spi), policy.body);
    else if (policy.kind === "SAT" && isTekPolicy(policy.body)) teks.set(spiText(policy.body.spi), policy.body);
  }
  return { keks, teks };
}

function spiText(spi: number): string {
  return hexNumber(4)(spi).slice(2);
}

/** KEK algorithms in the numbers of phase 1. */
const KEK_CIPHERS: ReadonlyMap<number, number> = new Map([
  [KekAlgorithm.DES_CBC, OakleyEncryption.DES_CBC],
  [KekAlgorithm["3DES_CBC"], OakleyEncryption["3DES_CBC"]],
  [KekAlgorithm.AES_CBC, OakleyEncryption.AES_CBC],
]);

/** `material`: the IV, then the key. RFC 6407 section 5.6.2.1. Undefined where they do not fit the KEK algorithm. */
export function rekeyKey(kekAlgorithm: number, material: Bytes): RekeyKey | undefined {
  const algorithm = KEK_CIPHERS.get(kekAlgorithm);
  const isAes = algorithm === OakleyEncryption.AES_CBC;
  const cipher = oakleyCipher(algorithm, isAes ? 8 * (material.length - 16) : undefined);
  if (cipher === undefined || material.length !== cipher.block + cipher.key) return undefined;
  return { cipher, iv: material.subarray(0, cipher.block), key: material.subarray(cipher.block) };
}

/** Transforms of the IPsec DOI in the numbers of IKEv2, with octets of salt behind the key. */
const ESP_CIPHERS: ReadonlyMap<number, { readonly encr: number; readonly salt: number }> = new Map([
  [EspTransform["3DES"], { encr: Encr["3DES"], salt: 0 }],
  [EspTransform.NULL, { encr: Encr.NULL, salt: 0 }],
  [EspTransform.AES_CBC, { encr: Encr.AES_CBC, salt: 0 }],
  [EspTransform.AES_CTR, { encr: Encr.AES_CTR, salt: 4 }],
  [EspTransform.AES_GCM_8, { encr: Encr.AES_GCM_8, salt: 4 }],
  [EspTransform.AES_GCM_12, { encr: Encr.AES_GCM_12, salt: 4 }],
  [EspTransform.AES_GCM_16, { encr: Encr.AES_GCM_16, salt: 4 }],
  [EspTransform.NULL_AES_GMAC, { encr: Encr.AES_GMAC, salt: 4 }],
]);

const ESP_INTEGRITIES: ReadonlyMap<number, number> = new Map([
  [IpsecAuthentication.HMAC_MD5, Integ.HMAC_MD5_96],
  [IpsecAuthentication.HMAC_SHA1, Integ.HMAC_SHA1_96],
  [IpsecAuthentication.HMAC_SHA2_256, Integ.HMAC_SHA2_256_128],
  [IpsecAuthentication.HMAC_SHA2_384, Integ.HMAC_SHA2_384_192],
  [IpsecAuthentication.HMAC_SHA2_512, Integ.HMAC_SHA2_512_256],
  [IpsecAuthentication.AES_XCBC, Integ.AES_XCBC_96],
]);

function espEntry(policy: SaTekPolicy | undefined, encrKey: Bytes, integKey: Bytes): EspKeyEntry | undefined {
  const cipher = policy?.protocol === TekProtocol.ESP ? ESP_CIPHERS.get(policy.transform) : undefined;
  if (policy === undefined || cipher === undefined) return undefined;
  const authentication = attributeOf(policy.attributes, "AUTHENTICATION_ALGORITHM");
  const integ = authentication === undefined ? Integ.NONE : (ESP_INTEGRITIES.get(authentication) ?? Integ.NONE);
  const isFixed = encrSpec(cipher.encr, 0) !== undefined;
  return {
    kind: "esp",
    spi: spiText(policy.spi),
    source: "*",
    destination: "*",
    encr: cipher.encr,
    encrKeyBits: isFixed ? 0 : 8 * (encrKey.length - cipher.salt),
    integ,
    encrKey: secret(encrKey),
    integKey: secret(integ === Integ.NONE ? EMPTY : integKey),
  };
}
