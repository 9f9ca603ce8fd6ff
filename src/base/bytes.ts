/**
 * Octet strings: joining, comparing, hexadecimal text, big-endian numbers, and the reader and writer that every
 * declared format runs on.
 */
import { WireError } from "./errors.ts";

export type Bytes = Uint8Array;

export const EMPTY: Bytes = new Uint8Array(0);

/** Octets of one piece of memory that strings share: whoever keeps one of them keeps all of it. */
const SHARED_OCTETS = 8_192;
/** Longer strings have memory to themselves. */
const SHARED_MOST = 1_024;

let shared: Bytes = EMPTY;
let sharedEnd = 0;

/**
 * Zeros for a packet or a message, of which many are made and few are kept: a view of memory that it shares with others
 * made about the same time, so its `buffer` is not its own. An array of more than 64 octets that has one takes 0.7 us to
 * get and to give back, a view 0.13; a rekey of one member makes four.
 */
export function passingOctets(length: number): Bytes {
  if (length > SHARED_MOST) return new Uint8Array(length);
  if (sharedEnd + length > shared.length) {
    shared = new Uint8Array(SHARED_OCTETS);
    sharedEnd = 0;
  }
  sharedEnd += length;
  return shared.subarray(sharedEnd - length, sharedEnd);
}

export function concat(...parts: readonly Bytes[]): Bytes {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Octet equality. Its running time depends on the content: a simulator has no timing channel to protect. */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
const DIGITS = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

/** Lower-case hexadecimal without separators. */
export function toHex(octets: Bytes): string {
  if (octets.length === 8) return hexOfEight(octets, 0);
  let text = "";
  // Text that grows is a tree with a node for each addition, of 32 octets, for as long as somebody holds it.
  const whole = octets.length & ~7;
  for (let at = 0; at < whole; at += 8) text += hexOfEight(octets, at);
  for (let at = whole; at < octets.length; at++) text += HEX[octets[at]!];
  return text;
}

/**
 * Eight octets from `at` on in hexadecimal, all digits at once: text that grows is a tree, and looking it up in a table
 * flattens that first (160 ns instead of 55). SPIs are read and looked up for each IKE message.
 */
export function hexOfEight(octets: Bytes, at: number): string {
  const high = (i: number) => DIGITS[octets[at + i]! >>> 4]!;
  const low = (i: number) => DIGITS[octets[at + i]! & 15]!;
  // biome-ignore format: pairs of digits
  return String.fromCharCode(
    high(0), low(0), high(1), low(1), high(2), low(2), high(3), low(3),
    high(4), low(4), high(5), low(5), high(6), low(6), high(7), low(7),
  );
}

/** Reads hexadecimal; white space and colons are passed over. Throws a WireError `badHex` for anything else. */
export function fromHex(text: string): Bytes {
  const out = new Uint8Array(text.length >>> 1);
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const value = digitOf(text.charCodeAt(i));
    if (value === SKIPPED) continue;
    if (value === NO_DIGIT) throw new WireError("badHex", `character ${i + 1} is no hexadecimal digit`, i);
    out[digits >>> 1] = (out[digits >>> 1]! << 4) | value;
    digits++;
  }
  if (digits % 2 !== 0) throw new WireError("badHex", "an odd number of hexadecimal digits", text.length);
  return out.length === digits >>> 1 ? out : out.slice(0, digits >>> 1);
}

const SKIPPED = -1;
const NO_DIGIT = -2;

function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  if (lower >= 97 && lower <= 102) return lower - 87;
  return code === 58 || code === 32 || (code >= 9 && code <= 13) ? SKIPPED : NO_DIGIT;
}

/** US-ASCII or UTF-8 text to octets. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}
const encoder = new TextEncoder();

/** Octets to text; octets that are not UTF-8 show as U+FFFD. */
export function fromUtf8(octets: Bytes): string {
  return decoder.decode(octets);
}
const decoder = new TextDecoder();

export function u16(value: number): Bytes {
  return Uint8Array.of((value >>> 8) & 255, value & 255);
}

export function u32(value: number): Bytes {
  return Uint8Array.of((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** Big-endian unsigned number of up to six octets (48 bits, exact in a double). */
export function uintFrom(octets: Bytes): number {
  let value = 0;
  for (let i = 0; i < octets.length; i++) value = value * 256 + octets[i]!;
  return value;
}

/** Reads big-endian fields from a span of octets. Every read beyond the end throws WireError `truncated`. */
export class Reader {
  readonly octets: Bytes;
  at: number;
  end: number;

  constructor(octets: Bytes, start = 0, end = octets.length) {
    this.octets = octets;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  need(count: number): void {
    if (this.end - this.at < count) {
      throw new WireError("truncated", `${count} octets needed, ${this.end - this.at} left`, this.at);
    }
  }

  u8(): number {
    this.need(1);
    return this.octets[this.at++]!;
  }

  /** The next octet without taking it. */
  peek8(): number {
    this.need(1);
    return this.octets[this.at]!;
  }

  u16(): number {
    this.need(2);
    const value = (this.octets[this.at]! << 8) | this.octets[this.at + 1]!;
    this.at += 2;
    return value;
  }

  u24(): number {
    this.need(3);
    const value = (this.octets[this.at]! << 16) | (this.octets[this.at + 1]! << 8) | this.octets[this.at + 2]!;
    this.at += 3;
    return value;
  }

  u32(): number {
    this.need(4);
    const o = this.octets;
    const a = this.at;
    this.at += 4;
    return ((o[a]! << 24) | (o[a + 1]! << 16) | (o[a + 2]! << 8) | o[a + 3]!) >>> 0;
  }

  skip(count: number): void {
    this.need(count);
    this.at += count;
  }

  /** A view, not a copy: packets are immutable once they exist. */
  bytes(count: number): Bytes {
    this.need(count);
    const view = this.octets.subarray(this.at, this.at + count);
    this.at += count;
    return view;
  }

  rest(): Bytes {
    return this.bytes(this.end - this.at);
  }
}

/**
 * Buffers that finished writers have left behind: a new one costs as much as the writing of a whole message (an
 * IKE_SA_INIT request is encoded 1.4 times as fast).
 */
const spareBuffers: Bytes[] = [];
const SPARE_OCTETS = 2048;

/** Grows as it is written to; the patch methods serve length fields that are known only afterwards. */
export class Writer {
  private buffer: Bytes;
  private size = 0;

  constructor(capacity = SPARE_OCTETS) {
    this.buffer =
      capacity <= SPARE_OCTETS ? (spareBuffers.pop() ?? new Uint8Array(SPARE_OCTETS)) : new Uint8Array(capacity);
  }

  get at(): number {
    return this.size;
  }

  private room(count: number): number {
    const start = this.size;
    const wanted = start + count;
    if (wanted > this.buffer.length) {
      const grown = new Uint8Array(Math.max(wanted, this.buffer.length * 2));
      grown.set(this.buffer);
      this.buffer = grown;
    }
    this.size = wanted;
    return start;
  }

  u8(value: number): void {
    const at = this.room(1);
    this.buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.room(2);
    this.buffer[at] = value >>> 8;
    this.buffer[at + 1] = value;
  }

  u24(value: number): void {
    const at = this.room(3);
    this.buffer[at] = value >>> 16;
    this.buffer[at + 1] = value >>> 8;
    this.buffer[at + 2] = value;
  }

  u32(value: number): void {
    const at = this.room(4);
    this.buffer[at] = value >>> 24;
    this.buffer[at + 1] = value >>> 16;
    this.buffer[at + 2] = value >>> 8;
    this.buffer[at + 3] = value;
  }

  bytes(octets: Bytes): void {
    const at = this.room(octets.length);
    this.buffer.set(octets, at);
  }

  /** The octets that hexadecimal text stands for, without an array in between. Throws a WireError `badHex`. */
  hex(text: string): void {
    const count = text.length >>> 1;
    const at = this.room(count);
    for (let i = 0; i < count; i++) {
      const high = digitOf(text.charCodeAt(2 * i));
      const low = digitOf(text.charCodeAt(2 * i + 1));
      if (high < 0 || low < 0) throw new WireError("badHex", `characters ${2 * i + 1} and ${2 * i + 2}`, 2 * i);
      this.buffer[at + i] = (high << 4) | low;
    }
    if (text.length % 2 !== 0) throw new WireError("badHex", "an odd number of hexadecimal digits", text.length);
  }

  patch8(at: number, value: number): void {
    this.buffer[at] = value;
  }

  patch16(at: number, value: number): void {
    this.buffer[at] = value >>> 8;
    this.buffer[at + 1] = value;
  }

  patch32(at: number, value: number): void {
    this.buffer[at] = value >>> 24;
    this.buffer[at + 1] = value >>> 16;
    this.buffer[at + 2] = value >>> 8;
    this.buffer[at + 3] = value;
  }

  zeros(count: number): void {
    const at = this.room(count);
    this.buffer.fill(0, at, at + count);
  }

  /** What has been written from `start` up to `end`, as a view that is valid until the next write. */
  view(start = 0, end = this.size): Bytes {
    return this.buffer.subarray(start, end);
  }

  /** A copy of its own of all that has been written. The writer is used up. */
  finish(): Bytes {
    const octets = this.buffer.slice(0, this.size);
    this.release();
    return octets;
  }

  /** For whoever has used views and needs no copy: they are not valid any more, and the writer is used up. */
  release(): void {
    if (this.buffer.length === SPARE_OCTETS) spareBuffers.push(this.buffer);
    this.buffer = EMPTY;
    this.size = 0;
  }
}
