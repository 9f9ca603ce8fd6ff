/**
 * Distinguished Encoding Rules, the small part that keys and signatures need. ITU-T X.690 section 10. Reading is strict:
 * indefinite, overlong and non-minimal forms throw a WireError, so that one value has one encoding.
 */
import type { Bytes } from "../base/bytes.ts";
import { concat } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";

export const DER_INTEGER = 0x02;
export const DER_BIT_STRING = 0x03;
export const DER_OCTET_STRING = 0x04;
export const DER_NULL = 0x05;
export const DER_OID = 0x06;
export const DER_SEQUENCE = 0x30;

/** Explicit context tag, constructed: `[0]` is 0xa0. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** One element: tag, length and the parts as its content. */
export function der(tag: number, ...parts: readonly Bytes[]): Bytes {
  const content = concat(...parts);
  return concat(Uint8Array.of(tag), derLength(content.length), content);
}

function derLength(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

/** An INTEGER from a big-endian unsigned number; leading zeros are dropped, one is added where the sign bit is set. */
export function derUnsigned(value: Bytes): Bytes {
  let at = 0;
  while (at < value.length - 1 && value[at] === 0) at++;
  const digits = value.length === 0 ? Uint8Array.of(0) : value.subarray(at);
  return (digits[0]! & 0x80) === 0 ? der(DER_INTEGER, digits) : der(DER_INTEGER, Uint8Array.of(0), digits);
}

export function derBitString(octets: Bytes): Bytes {
  return der(DER_BIT_STRING, Uint8Array.of(0), octets);
}

/** Reads elements one after the other from a span; offsets in errors count from the start of `octets`. */
export class DerReader {
  readonly octets: Bytes;
  at: number;
  readonly end: number;

  constructor(octets: Bytes, at = 0, end = octets.length) {
    this.octets = octets;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Tag of the next element, undefined at the end. */
  peek(): number | undefined {
    return this.at < this.end ? this.octets[this.at] : undefined;
  }

  /** A reader over the content of the next element, which must have this tag. */
  enter(tag: number): DerReader {
    const start = this.at;
    const found = this.u8();
    if (found !== tag) throw new WireError("badValue", `DER tag ${tag} expected, ${found} found`, start);
    const length = this.length();
    if (length > this.end - this.at) {
      throw new WireError("truncated", `${length} octets needed, ${this.end - this.at} left`, this.at);
    }
    const inner = new DerReader(this.octets, this.at, this.at + length);
    this.at += length;
    return inner;
  }

  /** Content octets of the next element, as a view. */
  content(tag: number): Bytes {
    const inner = this.enter(tag);
    return this.octets.subarray(inner.at, inner.end);
  }

  /** The next element whole, whatever its tag, as a view. */
  element(): Bytes {
    const start = this.at;
    const tag = this.peek();
    if (tag === undefined) throw new WireError("truncated", "an element is missing", start);
    this.enter(tag);
    return this.octets.subarray(start, this.at);
  }

  /** An INTEGER that is not negative, without leading zeros; zero is the empty string. */
  unsigned(): Bytes {
    const start = this.at;
    const digits = this.content(DER_INTEGER);
    if (digits.length === 0) throw new WireError("badLength", "INTEGER without content", start);
    if ((digits[0]! & 0x80) !== 0) throw new WireError("badValue", "negative INTEGER", start);
    if (digits[0] !== 0) return digits;
    if (digits.length > 1 && (digits[1]! & 0x80) === 0) {
      throw new WireError("badValue", "INTEGER is not minimal", start);
    }
    return digits.subarray(1);
  }

  /** A small INTEGER, such as a version. */
  small(): number {
    const start = this.at;
    const digits = this.unsigned();
    if (digits.length > 1) throw new WireError("badValue", "INTEGER too large", start);
    return digits[0] ?? 0;
  }

  /** A BIT STRING of whole octets. */
  bitString(): Bytes {
    const start = this.at;
    const content = this.content(DER_BIT_STRING);
    if (content.length === 0 || content[0] !== 0) throw new WireError("badValue", "BIT STRING of odd bits", start);
    return content.subarray(1);
  }

  /** Throws where octets are left over. */
  done(): void {
    if (this.at !== this.end) throw new WireError("trailing", `${this.end - this.at} octets left over`, this.at);
  }

  private u8(): number {
    if (this.at >= this.end) throw new WireError("truncated", "an octet is missing", this.at);
    return this.octets[this.at++]!;
  }

  private length(): number {
    const start = this.at;
    const first = this.u8();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new WireError("badLength", "DER length form not supported", start);
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.u8();
    if (length < 0x80 || length < 256 ** (count - 1)) {
      throw new WireError("badLength", "DER length is not minimal", start);
    }
    return length;
  }
}
