/** Fresh values that exchanges begin with: SPIs, nonces and private keys, all from the stream of the caller. */
import { type Bytes, toHex } from "../base/bytes.ts";
import type { DhGroup } from "../crypto/api.ts";
import { drawPrivateKey } from "../crypto/ephemeral.ts";
import type { Tools } from "./api.ts";

/** Octets: at least half the key of every PRF in use. RFC 7296 section 2.10. */
export const NONCE_LENGTH = 32;
const NONCE_LEAST = 16;
const NONCE_MOST = 256;

export function isNonce(data: Bytes): boolean {
  return data.length >= NONCE_LEAST && data.length <= NONCE_MOST;
}

/** An SPI whose first four octets are not zero: they would read as the non-ESP marker. */
export function newSpi(tools: Tools): string {
  for (;;) {
    const octets = tools.rng.bytes(8);
    if (octets[0]! + octets[1]! + octets[2]! + octets[3]! > 0) return toHex(octets);
  }
}

/** `peer`: the value that a responder answers. */
export function newPrivateKey(tools: Tools, group: number, peer?: Bytes): Bytes {
  return drawPrivateKey(tools, group as DhGroup, peer);
}
