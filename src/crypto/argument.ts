/** Checks of what callers pass to a back end: a violation is a bug of the caller, so it throws. */
import type { Bytes } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";

export type CbcCipher = "aes" | "3des" | "des";
export type Aead = "aes-gcm" | "chacha20-poly1305";

const AES_KEYS: readonly number[] = [16, 24, 32];
const CBC_KEYS: Readonly<Record<CbcCipher, readonly number[]>> = { aes: AES_KEYS, "3des": [24], des: [8] };
export const CBC_BLOCK: Readonly<Record<CbcCipher, number>> = { aes: 16, "3des": 8, des: 8 };
const AEAD_KEYS: Readonly<Record<Aead, readonly number[]>> = { "aes-gcm": AES_KEYS, "chacha20-poly1305": [32] };
const AEAD_TAGS: Readonly<Record<Aead, readonly number[]>> = { "aes-gcm": [4, 8, 12, 16], "chacha20-poly1305": [16] };

export function checkAesKey(key: Bytes): void {
  assert(AES_KEYS.includes(key.length), () => `AES key of ${key.length} octets`);
}

export function checkCbc(cipher: CbcCipher, key: Bytes, iv: Bytes, data: Bytes): void {
  assert(CBC_KEYS[cipher].includes(key.length), () => `${cipher} key of ${key.length} octets`);
  assert(iv.length === CBC_BLOCK[cipher], () => `${cipher} IV of ${iv.length} octets`);
  assert(data.length % CBC_BLOCK[cipher] === 0, () => `${cipher}-cbc over ${data.length} octets`);
}

export function checkAead(aead: Aead, key: Bytes, nonce: Bytes, tagLength: number): void {
  assert(AEAD_KEYS[aead].includes(key.length), () => `${aead} key of ${key.length} octets`);
  const fits = aead === "aes-gcm" ? nonce.length >= 8 : nonce.length === 12;
  assert(fits, () => `${aead} nonce of ${nonce.length} octets`);
  assert(AEAD_TAGS[aead].includes(tagLength), () => `${aead} tag of ${tagLength} octets`);
}

/** RFC 5649 wraps at least one octet. */
export function checkWrap(kek: Bytes, plain: Bytes): void {
  checkAesKey(kek);
  assert(plain.length > 0, "there is no key to wrap");
}

/** Whether octets from a peer can be a wrapped key at all: two blocks of 8 octets or more. */
export function mayBeWrapped(wrapped: Bytes): boolean {
  return wrapped.length >= 16 && wrapped.length % 8 === 0;
}

export function checkMismatch(what: string): never {
  assert(false, () => `the key cannot be used with ${what}`);
}
