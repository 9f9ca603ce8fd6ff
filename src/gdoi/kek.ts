/**
 * The cipher of a rekey SA. GDOI's KEK is a CBC cipher without a MAC, and its one IV is part of the key: it stands where
 * other ciphers have their salt, behind the key. On the wire it stands in front (RFC 6407 section 5.6.2.1).
 */
import { type Bytes, concat, EMPTY } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Rng } from "../base/rng.ts";
import { secret } from "../base/secret.ts";
import type { KekKeys, KekSuite } from "../gikev2/policy.ts";
import { KekAlgorithm } from "../wire/gdoiNumbers.ts";
import { malformed, unsupported } from "./gdoiError.ts";

export interface KekCipher {
  readonly cipher: "aes" | "3des" | "des";
  /** KEK_ALGORITHM. */
  readonly algorithm: number;
  readonly key: number;
  readonly block: 8 | 16;
}

/** By IKEv2's transform ID, in which suites are told everywhere. */
const FIXED: ReadonlyMap<number, KekCipher> = new Map([
  [2, { cipher: "des", algorithm: KekAlgorithm.DES_CBC, key: 8, block: 8 }],
  [3, { cipher: "3des", algorithm: KekAlgorithm["3DES_CBC"], key: 24, block: 8 }],
]);
const AES_CBC = 12;

/** Undefined for a suite that GDOI does not have. */
export function kekCipher({ encr, encrKeyBits }: Pick<KekSuite, "encr" | "encrKeyBits">): KekCipher | undefined {
  if (encr !== AES_CBC) return encrKeyBits === 0 ? FIXED.get(encr) : undefined;
  if (encrKeyBits !== 128 && encrKeyBits !== 192 && encrKeyBits !== 256) return undefined;
  return { cipher: "aes", algorithm: KekAlgorithm.AES_CBC, key: encrKeyBits / 8, block: 16 };
}

/** The suite of a policy: no integrity algorithm, no key wrap. `keyBits` may be absent where there is but one length. */
export function kekSuite(algorithm: number, keyBits: number | undefined): KekSuite {
  const none = { integ: 0, kwa: 0 };
  if (algorithm === KekAlgorithm.AES_CBC) {
    const suite = { encr: AES_CBC, encrKeyBits: keyBits ?? 128, ...none };
    if (kekCipher(suite) === undefined) unsupported(`KEK of ${keyBits} bits`);
    return suite;
  }
  for (const [encr, cipher] of FIXED) {
    if (cipher.algorithm !== algorithm) continue;
    if (keyBits !== undefined && keyBits !== 8 * cipher.key && keyBits !== 7 * cipher.key) malformed("KEK key length");
    return { encr, encrKeyBits: 0, ...none };
  }
  return unsupported(`KEK algorithm ${algorithm}`);
}

/** Fresh keys for a rekey SA of this room. */
export function newKekKeys(rng: Rng, suite: KekSuite): KekKeys {
  const cipher = kekCipher(suite);
  assert(cipher !== undefined, `no KEK suite ${suite.encr}/${suite.encrKeyBits}`);
  return kekKeys(rng.bytes(cipher.key), rng.bytes(cipher.block));
}

function kekKeys(key: Bytes, iv: Bytes): KekKeys {
  return { encr: secret(concat(key, iv)), integ: secret(EMPTY), wrap: secret(EMPTY) };
}

export interface KekParts extends KekCipher {
  readonly keyOctets: Bytes;
  readonly iv: Bytes;
}

export function kekParts(suite: KekSuite, keys: KekKeys): KekParts {
  const cipher = kekCipher(suite);
  assert(cipher !== undefined, `no KEK suite ${suite.encr}/${suite.encrKeyBits}`);
  const { secret: octets } = keys.encr;
  assert(octets.length === cipher.key + cipher.block, `KEK of ${octets.length} octets with its IV`);
  return { keyOctets: octets.subarray(0, cipher.key), iv: octets.subarray(cipher.key), ...cipher };
}

/** KEK_ALGORITHM_KEY: IV | key. */
export function kekToWire(suite: KekSuite, keys: KekKeys): Bytes {
  const { keyOctets, iv } = kekParts(suite, keys);
  return concat(iv, keyOctets);
}

export function kekFromWire(suite: KekSuite, octets: Bytes): KekKeys {
  const cipher = kekCipher(suite);
  if (cipher === undefined || octets.length !== cipher.key + cipher.block) malformed(`KEK of ${octets.length} octets`);
  return kekKeys(octets.slice(cipher.block), octets.slice(0, cipher.block));
}
