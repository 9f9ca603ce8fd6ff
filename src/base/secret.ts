/**
 * Key material. A Secret is plain data, so that `structuredClone` can copy a machine's state, but it is a type of its
 * own: trace data and `show` text hold only strings, numbers and truth values, and `printSecret` is the one way to make
 * a string of it.
 */
import { type Bytes, EMPTY } from "./bytes.ts";

export interface Secret {
  readonly secret: Bytes;
}

export function secret(octets: Bytes): Secret {
  return { secret: octets };
}

/** Where there is no key, such as that of an integrity algorithm beside an AEAD cipher. */
export const NO_SECRET: Secret = secret(EMPTY);

/** `<secret 16 B #3fa2>`: length and a 16-bit check value, the same on two devices that hold the same key. */
export function printSecret(value: Secret): string {
  return `<secret ${value.secret.length} B #${fingerprint16(value.secret).toString(16).padStart(4, "0")}>`;
}

/** FNV-1a folded to 16 bits: enough to see that two keys are equal, useless for finding one. */
function fingerprint16(octets: Bytes): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < octets.length; i++) hash = Math.imul(hash ^ octets[i]!, 0x01000193);
  return ((hash >>> 16) ^ hash) & 0xffff;
}
