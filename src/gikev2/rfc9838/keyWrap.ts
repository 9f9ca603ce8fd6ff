/** Keys that carry keys, and the layout of key material. RFC 9838 sections 3.1 to 3.4 and 4.5.4. */
import type { Bytes } from "../../base/bytes.ts";
import { concat, utf8 } from "../../base/bytes.ts";
import { assert } from "../../base/errors.ts";
import type { Secret } from "../../base/secret.ts";
import { secret } from "../../base/secret.ts";
import type { Crypto } from "../../crypto/api.ts";
import { prfPlus, saKeyOctets, splitSaKeys } from "../../crypto/prf.ts";
import { kwaSpec, prfSpec } from "../../crypto/suite.ts";
import type { WrappedKey } from "../../wire/rfc9838.ts";
import type { DataSuite, KekKeys, KekSuite } from "../policy.ts";
import { specsOf } from "../policy.ts";

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

/** Key material of an SA under the default key-wrap key: Key ID and KWK ID are 0. RFC 9838 section 4.5.4. */
export function wrapSaKey(crypto: Crypto, kwk: Secret, material: Bytes): WrappedKey {
  return { keyId: 0, kwkId: 0, wrapped: crypto.wrapKey(kwk.secret, material) };
}

/** Undefined where the key is not for the default key-wrap key, was altered, or is not `octets` long. */
export function unwrapSaKey(crypto: Crypto, kwk: Secret, key: WrappedKey, octets: number): Secret | undefined {
  if (key.keyId !== 0 || key.kwkId !== 0) return undefined;
  const material = crypto.unwrapKey(kwk.secret, key.wrapped);
  return material?.length === octets ? secret(material) : undefined;
}

/** Octets of a data SA's key material: cipher key with salt, integrity key. The suite must be one that we have. */
export function tekOctets(suite: DataSuite): number {
  const specs = specsOf(suite);
  assert(specs !== undefined, `no data suite ${suite.encr}/${suite.encrKeyBits}/${suite.integ}`);
  return saKeyOctets(specs.encr, specs.integ);
}

/** Octets of GSK_e | GSK_a | GSK_w. */
export function kekOctets(suite: KekSuite): number {
  return tekOctets(suite) + wrapOctets(suite);
}

function wrapOctets(suite: KekSuite): number {
  const wrap = kwaSpec(suite.kwa);
  assert(wrap !== undefined, `no key wrap algorithm ${suite.kwa}`);
  return wrap.key;
}

/** GSK_e | GSK_a | GSK_w. RFC 9838 section 3.4. */
export function joinKekKeys(keys: KekKeys): Bytes {
  return concat(keys.encr.secret, keys.integ.secret, keys.wrap.secret);
}

/** `material`: exactly `kekOctets(suite)` octets. */
export function splitKekKeys(suite: KekSuite, material: Bytes): KekKeys {
  const sa = tekOctets(suite);
  const specs = specsOf(suite)!;
  const { encr, integ } = splitSaKeys(specs.encr, specs.integ, material.slice(0, sa));
  return { encr: secret(encr), integ: secret(integ), wrap: secret(material.slice(sa)) };
}
