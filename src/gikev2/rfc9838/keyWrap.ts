/** Keys that carry keys. RFC 9838 sections 3.1 and 4.5.4. */
import type { Bytes } from "../../base/bytes.ts";
import { utf8 } from "../../base/bytes.ts";
import type { Secret } from "../../base/secret.ts";
import { secret } from "../../base/secret.ts";
import type { Crypto } from "../../crypto/api.ts";
import { prfPlus } from "../../crypto/prf.ts";
import { kwaSpec, prfSpec } from "../../crypto/suite.ts";
import type { WrappedKey } from "../../wire/rfc9838.ts";
import type { TreeKey } from "../policy.ts";

const LABEL = utf8("Key Wrap for G-IKEv2");

/**
 * GSK_w of a unicast IKE SA: prf+(SK_d, "Key Wrap for G-IKEv2"), as long as the key of the key wrap algorithm. `prf` and
 * `kwa` are the SA's transform IDs. Undefined where no key wrap algorithm was agreed on. RFC 9838 section 3.1.1.
 */
export function unicastKwk(crypto: Crypto, prf: number, skD: Secret, kwa: number): Secret | undefined {
  const wrap = kwaSpec(kwa);
  const spec = prfSpec(prf);
  if (wrap === undefined || spec === undefined) return undefined;
  return secret(prfPlus(crypto, spec, skD.secret, LABEL, wrap.key));
}

/** Octets of a wrapped key: whole blocks of 8, and one more for the integrity check. RFC 5649 section 4.1. */
export function wrappedOctets(octets: number): number {
  return 8 * (Math.ceil(octets / 8) + 1);
}

/** Key material of an SA under the default key-wrap key: Key ID and KWK ID are 0. RFC 9838 section 4.5.4. */
export function wrapSaKey(crypto: Crypto, kwk: Secret, material: Bytes): WrappedKey {
  return { keyId: 0, kwkId: 0, wrapped: crypto.wrapKey(kwk.secret, material) };
}

/**
 * Under a key of a key hierarchy, `keyId` 0 for the key material of the SA. WRAP_KEY is said to be as long as the key of
 * the key wrap algorithm (section 4.5.3.1), which can only mean what is wrapped (note 7 of docs/rfc9838-notes.md).
 */
export function wrapUnder(crypto: Crypto, outer: TreeKey, keyId: number, material: Bytes): WrappedKey {
  return { keyId, kwkId: outer.id, wrapped: crypto.wrapKey(outer.key.secret, material) };
}

/** Undefined where the key is not for the default key-wrap key, was altered, or is not `octets` long. */
export function unwrapSaKey(crypto: Crypto, kwk: Secret, key: WrappedKey, octets: number): Secret | undefined {
  if (key.keyId !== 0 || key.kwkId !== 0) return undefined;
  const material = crypto.unwrapKey(kwk.secret, key.wrapped);
  return material?.length === octets ? secret(material) : undefined;
}
