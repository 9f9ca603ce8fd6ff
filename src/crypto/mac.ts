/** Message authentication codes: HMAC (RFC 2104), AES-CMAC (RFC 4493) and AES-XCBC-MAC (RFC 3566). */
import type { Bytes } from "../base/bytes.ts";
import { concat } from "../base/bytes.ts";
import type { Crypto } from "./api.ts";
import type { Mac } from "./suite.ts";

const BLOCK = 16;
const ZERO_BLOCK = new Uint8Array(BLOCK);

/** The whole MAC. `key`: any length for HMAC, 16 octets for the AES codes. */
export function computeMac(crypto: Crypto, mac: Mac, key: Bytes, data: Bytes): Bytes {
  switch (mac.kind) {
    case "hmac":
      return crypto.hmac(mac.hash, key, data);
    case "cmac": {
      const whole = doubled(encryptBlock(crypto, key, ZERO_BLOCK));
      return chained(crypto, key, data, whole, doubled(whole));
    }
    case "xcbc": {
      const [k1, k2, k3] = [1, 2, 3].map((n) => encryptBlock(crypto, key, new Uint8Array(BLOCK).fill(n)));
      return chained(crypto, k1!, data, k2!, k3!);
    }
  }
}

/**
 * A key of any length for the PRFs whose MAC has a fixed one: short keys are padded with zeros, long ones are put
 * through the MAC itself. RFC 4434 section 2 (XCBC), RFC 4615 section 3 (CMAC).
 */
export function prfKey(crypto: Crypto, mac: Mac, key: Bytes): Bytes {
  if (mac.kind === "hmac" || key.length === BLOCK) return key;
  if (mac.kind === "xcbc" && key.length < BLOCK) return concat(key, new Uint8Array(BLOCK - key.length));
  return computeMac(crypto, mac, ZERO_BLOCK, key);
}

/** CBC-MAC whose last block is masked: with `whole` where it is complete, with `padded` after 80 00 .. 00. */
function chained(crypto: Crypto, key: Bytes, data: Bytes, whole: Bytes, padded: Bytes): Bytes {
  const complete = data.length > 0 && data.length % BLOCK === 0;
  const input = new Uint8Array(complete ? data.length : data.length - (data.length % BLOCK) + BLOCK);
  input.set(data);
  if (!complete) input[data.length] = 0x80;
  const mask = complete ? whole : padded;
  const last = input.length - BLOCK;
  for (let i = 0; i < BLOCK; i++) input[last + i]! ^= mask[i]!;
  return crypto.cbcEncrypt("aes", key, ZERO_BLOCK, input).slice(last);
}

function encryptBlock(crypto: Crypto, key: Bytes, block: Bytes): Bytes {
  return crypto.cbcEncrypt("aes", key, ZERO_BLOCK, block);
}

/** Multiplication by x in GF(2^128). RFC 4493 section 2.3. */
function doubled(block: Bytes): Bytes {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >> 7);
  if ((block[0]! & 0x80) !== 0) out[BLOCK - 1]! ^= 0x87;
  return out;
}
