/** The two encodings of an ECDSA signature: r and s side by side (RFC 4754), and as a DER SEQUENCE (RFC 5480). */
import type { Bytes } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { DER_SEQUENCE, DerReader, der, derUnsigned } from "./der.ts";

export function ecdsaToDer(raw: Bytes): Bytes {
  const size = raw.length / 2;
  return der(DER_SEQUENCE, derUnsigned(raw.subarray(0, size)), derUnsigned(raw.subarray(size)));
}

/** r and s, each padded to `size` octets, or undefined where the octets are no strict DER or a number is too long. */
export function ecdsaFromDer(octets: Bytes, size: number): Bytes | undefined {
  try {
    const outer = new DerReader(octets);
    const sequence = outer.enter(DER_SEQUENCE);
    outer.done();
    const r = sequence.unsigned();
    const s = sequence.unsigned();
    sequence.done();
    if (r.length > size || s.length > size) return undefined;
    const raw = new Uint8Array(2 * size);
    raw.set(r, size - r.length);
    raw.set(s, 2 * size - s.length);
    return raw;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
