/**
 * One ESP packet from the SPI on: sealing and opening it, whatever surrounds it. RFC 4303 section 2, RFC 4106, RFC 4543.
 *
 *     | SPI | sequence | IV | payload, padding 1 2 3 ..., pad length, next header | ICV |
 *                           |<---------------- enciphered ---------------------->|
 */
import { type Bytes, concat, Reader, u32 } from "../base/bytes.ts";
import type { Crypto } from "../crypto/api.ts";
import type { SaKeys } from "../crypto/prf.ts";
import { type Protection, protectBehind, unprotect } from "../crypto/protector.ts";
import type { EncrSpec } from "../crypto/suite.ts";
import { ESP_HEADER_LENGTH } from "../wire/esp.ts";

/** Next header of a packet that is there to be thrown away. RFC 4303 section 2.6. */
export const DUMMY = 59;

export interface EspContent {
  /** IP protocol number: 4 in tunnel mode, the transport protocol in transport mode. */
  readonly nextHeader: number;
  readonly payload: Bytes;
}

export interface EspLabel {
  readonly spi: number;
  /** Lower 32 bits. */
  readonly sequence: number;
  /** Upper 32 bits with extended sequence numbers; they do not travel. */
  readonly sequenceHigh?: number;
}

/** `short`: too few octets. `verify`: wrong ICV, or no whole number of blocks. `padding`: not 1, 2, 3 ... (RFC 4303 2.4). */
export type EspFault = "short" | "verify" | "padding";

/** Octets that the trailer is aligned to: the cipher's block, and four at least. RFC 4303 section 2.4. */
export function alignmentOf(encr: EncrSpec): number {
  return Math.max(4, encr.block);
}

/** `iv`: of the cipher's length. */
export function sealEsp(
  crypto: Crypto,
  protection: Protection,
  keys: SaKeys,
  label: EspLabel,
  iv: Bytes,
  { nextHeader, payload }: EspContent,
): Bytes {
  const alignment = alignmentOf(protection.encr);
  const padding = (alignment - ((payload.length + 2) % alignment)) % alignment;
  const plain = new Uint8Array(payload.length + padding + 2);
  plain.set(payload);
  for (let i = 1; i <= padding; i++) plain[payload.length + i - 1] = i;
  plain[plain.length - 2] = padding;
  plain[plain.length - 1] = nextHeader;
  const prefix = concat(u32(label.spi), u32(label.sequence));
  return protectBehind(crypto, protection, keys, { prefix, iv, plain, sequenceHigh: high(label) });
}

/** SPI and lower sequence number of ESP octets, undefined where there are fewer than eight. */
export function readLabel(octets: Bytes): EspLabel | undefined {
  if (octets.length < ESP_HEADER_LENGTH) return undefined;
  const r = new Reader(octets);
  return { spi: r.u32(), sequence: r.u32() };
}

/** `sequenceHigh`: as in `EspLabel`, what the receiver believes it to be. */
export function openEsp(
  crypto: Crypto,
  protection: Protection,
  keys: SaKeys,
  octets: Bytes,
  sequenceHigh?: number,
): EspContent | EspFault {
  if (octets.length < ESP_HEADER_LENGTH) return "short";
  const plain = unprotect(crypto, protection, keys, {
    prefix: octets.subarray(0, ESP_HEADER_LENGTH),
    body: octets.subarray(ESP_HEADER_LENGTH),
    sequenceHigh: sequenceHigh === undefined ? undefined : u32(sequenceHigh),
  });
  if (plain === undefined) return "verify";
  if (plain.length < 2) return "short";
  const padding = plain[plain.length - 2]!;
  const end = plain.length - 2 - padding;
  if (end < 0) return "padding";
  for (let i = 1; i <= padding; i++) if (plain[end + i - 1] !== i) return "padding";
  return { nextHeader: plain[plain.length - 1]!, payload: plain.subarray(0, end) };
}

function high({ sequenceHigh }: EspLabel): Bytes | undefined {
  return sequenceHigh === undefined ? undefined : u32(sequenceHigh);
}
