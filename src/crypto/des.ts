/**
 * DES and triple DES in CBC mode, for the portable back end: the maintained libraries in use have no DES, and IKEv1 of
 * the field and its published vectors need it. FIPS 46-3; nothing new should be protected with it.
 */
import type { Bytes } from "../base/bytes.ts";
import { concat } from "../base/bytes.ts";

/** The permutations and S-boxes of FIPS 46-3; numbers are bit positions from 1 at the left. */
// biome-ignore format: tables read better in rows
const IP = [
  58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24,
  16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39,
  31, 23, 15, 7,
];
// biome-ignore format: tables read better in rows
const P = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];
// biome-ignore format: tables read better in rows
const PC1 = [
  57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, 63, 55,
  47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
// biome-ignore format: tables read better in rows
const PC2 = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30,
  40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/** Four rows of sixteen hexadecimal digits for each box. */
const BOXES = [
  "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
  "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
  "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
  "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
  "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
  "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
  "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
  "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
];

/** For whoever has to write the cipher down in another language. */
export const DES_TABLES = { IP, P, PC1, PC2, SHIFTS, BOXES } as const;

/** Each box with the permutation P already applied to its output: 8 times 64 words. */
const BOX_WORDS: readonly Uint32Array[] = BOXES.map((digits, box) =>
  Uint32Array.from({ length: 64 }, (_, input) => {
    const row = ((input >> 4) & 2) | (input & 1);
    const value = Number.parseInt(digits[16 * row + ((input >> 1) & 15)]!, 16);
    let word = 0;
    for (let bit = 0; bit < 32; bit++) {
      const from = P[bit]! - 1;
      if (from >> 2 === box && ((value >> (3 - (from & 3))) & 1) === 1) word |= 1 << (31 - bit);
    }
    return word;
  }),
);

/** Sixteen rounds of eight six-bit keys. */
type Schedule = Uint8Array;

function bitsOf(octets: Bytes): number[] {
  const bits: number[] = [];
  for (const octet of octets) for (let shift = 7; shift >= 0; shift--) bits.push((octet >> shift) & 1);
  return bits;
}

/** The parity bit of each key octet is passed over. */
function schedule(key: Bytes): Schedule {
  const bits = bitsOf(key);
  let c = PC1.slice(0, 28).map((at) => bits[at - 1]!);
  let d = PC1.slice(28).map((at) => bits[at - 1]!);
  const out = new Uint8Array(128);
  for (let round = 0; round < 16; round++) {
    const shift = SHIFTS[round]!;
    c = [...c.slice(shift), ...c.slice(0, shift)];
    d = [...d.slice(shift), ...d.slice(0, shift)];
    const both = [...c, ...d];
    for (let i = 0; i < 48; i++) {
      const at = 8 * round + Math.floor(i / 6);
      out[at] = (out[at]! << 1) | both[PC2[i]! - 1]!;
    }
  }
  return out;
}

/** Rounds in reverse order: decryption is encryption with this schedule. */
function reversed(keys: Schedule): Schedule {
  const out = new Uint8Array(128);
  for (let round = 0; round < 16; round++) out.set(keys.subarray(8 * round, 8 * round + 8), 8 * (15 - round));
  return out;
}

/** Bit `IP[i]` of the input becomes bit `i`; its own inverse is `FINAL`. */
function permute(table: readonly number[], block: Uint32Array): void {
  let left = 0;
  let right = 0;
  for (let i = 0; i < 64; i++) {
    const from = table[i]! - 1;
    const bit = (block[from >> 5]! >>> (31 - (from & 31))) & 1;
    if (i < 32) left |= bit << (31 - i);
    else right |= bit << (63 - i);
  }
  block[0] = left;
  block[1] = right;
}

const FINAL: readonly number[] = Array.from({ length: 64 }, (_, i) => IP.indexOf(i + 1) + 1);

/** The sixteen rounds and the last exchange of halves. */
function rounds(keys: Schedule, block: Uint32Array): void {
  let left = block[0]! | 0;
  let right = block[1]! | 0;
  for (let at = 0; at < 128; at += 8) {
    let mixed = 0;
    for (let box = 0; box < 8; box++) {
      const turn = (4 * box + 31) & 31;
      const input = ((right << turn) | (right >>> (32 - turn))) >>> 26;
      mixed ^= BOX_WORDS[box]![input ^ keys[at + box]!]!;
    }
    [left, right] = [right, left ^ mixed];
  }
  block[0] = right;
  block[1] = left;
}

function crypt(schedules: readonly Schedule[], block: Uint32Array): void {
  permute(IP, block);
  for (const keys of schedules) rounds(keys, block);
  permute(FINAL, block);
}

/** One schedule for each eight octets of key; the middle one of triple DES runs backwards. */
function encryptSchedules(key: Bytes): Schedule[] {
  const schedules: Schedule[] = [];
  for (let at = 0; at < key.length; at += 8) {
    const keys = schedule(key.subarray(at, at + 8));
    schedules.push(at === 8 ? reversed(keys) : keys);
  }
  return schedules;
}

/** `key`: 8 octets (DES) or 24 (triple DES, encrypt-decrypt-encrypt); `iv`: 8; `data`: a multiple of 8. */
export function desCbcEncrypt(key: Bytes, iv: Bytes, data: Bytes): Bytes {
  const schedules = encryptSchedules(key);
  const block = new Uint32Array(2);
  const input = new DataView(data.buffer, data.byteOffset, data.length);
  const out = new Uint8Array(data.length);
  const output = new DataView(out.buffer);
  const start = new DataView(iv.buffer, iv.byteOffset, 8);
  block[0] = start.getUint32(0);
  block[1] = start.getUint32(4);
  for (let at = 0; at < data.length; at += 8) {
    block[0]! ^= input.getUint32(at);
    block[1]! ^= input.getUint32(at + 4);
    crypt(schedules, block);
    output.setUint32(at, block[0]!);
    output.setUint32(at + 4, block[1]!);
  }
  return out;
}

export function desCbcDecrypt(key: Bytes, iv: Bytes, data: Bytes): Bytes {
  const schedules = encryptSchedules(key).map(reversed).reverse();
  const block = new Uint32Array(2);
  const chained = concat(iv, data);
  const input = new DataView(chained.buffer);
  const out = new Uint8Array(data.length);
  const output = new DataView(out.buffer);
  for (let at = 0; at < data.length; at += 8) {
    block[0] = input.getUint32(at + 8);
    block[1] = input.getUint32(at + 12);
    crypt(schedules, block);
    output.setUint32(at, block[0]! ^ input.getUint32(at));
    output.setUint32(at + 4, block[1]! ^ input.getUint32(at + 4));
  }
  return out;
}
