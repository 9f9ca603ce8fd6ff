/**
 * Results that the other end of an exchange will ask for: what one device has sealed another one opens, and both ends of
 * a Diffie-Hellman exchange derive the same keys. Such a result is asked for once, so it is given away and forgotten.
 */
import { type Bytes, equal } from "../../src/base/bytes.ts";
import type { SharedInputs } from "../../src/crypto/api.ts";

type Octets = SharedInputs["octets"];
type Words = SharedInputs["words"];

/** All that a result depends on. */
export interface Inputs {
  readonly octets: Octets;
  readonly words: Words;
}

/** Calls find each other by the last four octets of their first string: a tag, a signature, a shared secret. */
export function markOf(octets: Bytes): number {
  const end = octets.length;
  return end < 4 ? 0 : (octets[end - 4]! << 24) | (octets[end - 3]! << 16) | (octets[end - 2]! << 8) | octets[end - 1]!;
}

export function sameInputs(a: Inputs, octets: Octets, words: Words): boolean {
  if (a.octets.length !== octets.length || a.words.length !== words.length) return false;
  for (let i = 0; i < words.length; i++) if (a.words[i] !== words[i]) return false;
  for (let i = 0; i < octets.length; i++) if (!equal(a.octets[i]!, octets[i]!)) return false;
  return true;
}

/** Octets that their owner may write to later. */
export function copyInputs(octets: Octets, words: Words): Inputs {
  return { octets: octets.map((one) => one.slice()) as unknown as Octets, words };
}

/** As many exchanges may be under way at once; of two results in one place the later stays. */
const PLACES = 1 << 14;

export class Twins<T> {
  private readonly entries: ({ readonly inputs: Inputs; readonly value: T } | undefined)[] = [];

  put(octets: Octets, words: Words, value: T): void {
    this.entries[markOf(octets[0]) & (PLACES - 1)] = { inputs: copyInputs(octets, words), value };
  }

  /** The result, in a box for where it is `undefined` itself. */
  take(octets: Octets, words: Words): { readonly value: T } | undefined {
    const place = markOf(octets[0]) & (PLACES - 1);
    const entry = this.entries[place];
    if (entry === undefined || !sameInputs(entry.inputs, octets, words)) return undefined;
    this.entries[place] = undefined;
    return entry;
  }
}
