/**
 * Octets that the other end of an exchange will ask for, kept in one stretch of memory that goes round: ten thousand
 * sealed messages may be under way at once, and as objects of their own each of them would outlive two collections. With
 * the stretch, rekeys of ten thousand members took a tenth less processor time.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { type Inputs, markOf } from "./twins.ts";

/** As many results may be under way at once, nearly; of two in one place the later stays. */
const PLACES = 1 << 16;
/** Octets of inputs and results together, twice what ten thousand members have under way. Pages that nobody writes cost nothing. */
const STRETCH = 1 << 24;
/** Inputs of one result. */
const INPUTS_MOST = 4;
/** Lengths at a place: of the inputs, then of the result. */
const LENGTHS = INPUTS_MOST + 1;

export class OctetTwins {
  private readonly octets = new Uint8Array(STRETCH);
  /** Where the entry of a place begins, counted from the first octet ever written; -1 where there is none. */
  private readonly begins = new Float64Array(PLACES).fill(-1);
  private readonly lengths = new Int32Array(PLACES * LENGTHS);
  private readonly words: Inputs["words"][] = [];
  private written = 0;

  put(octets: Inputs["octets"], words: Inputs["words"], result: Bytes): void {
    let size = result.length;
    for (let i = 0; i < octets.length; i++) size += octets[i]!.length;
    if (size > STRETCH || octets.length > INPUTS_MOST) return;
    const place = markOf(octets[0]) & (PLACES - 1);
    let at = this.reserve(size);
    this.begins[place] = this.written - size;
    this.words[place] = words;
    const first = place * LENGTHS;
    for (let i = 0; i < INPUTS_MOST; i++) {
      const one = octets[i];
      this.lengths[first + i] = one === undefined ? -1 : one.length;
      if (one === undefined) continue;
      this.octets.set(one, at);
      at += one.length;
    }
    this.lengths[first + INPUTS_MOST] = result.length;
    this.octets.set(result, at);
  }

  /** The result, which is then forgotten here. */
  take(octets: Inputs["octets"], words: Inputs["words"]): Bytes | undefined {
    const place = markOf(octets[0]) & (PLACES - 1);
    const begin = this.begins[place]!;
    if (begin < 0 || this.written - begin > STRETCH || !this.isSame(place, begin % STRETCH, octets, words)) return;
    this.begins[place] = -1;
    let at = begin % STRETCH;
    for (let i = 0; i < octets.length; i++) at += octets[i]!.length;
    return this.octets.slice(at, at + this.lengths[place * LENGTHS + INPUTS_MOST]!);
  }

  /** A place in one piece; what was there is gone. */
  private reserve(size: number): number {
    const at = this.written % STRETCH;
    const skipped = at + size > STRETCH ? STRETCH - at : 0;
    this.written += skipped + size;
    return skipped === 0 ? at : 0;
  }

  private isSame(place: number, begin: number, octets: Inputs["octets"], words: Inputs["words"]): boolean {
    const known = this.words[place]!;
    if (known.length !== words.length) return false;
    for (let i = 0; i < words.length; i++) if (known[i] !== words[i]) return false;
    const first = place * LENGTHS;
    for (let i = 0; i < INPUTS_MOST; i++) if (this.lengths[first + i] !== (octets[i]?.length ?? -1)) return false;
    let at = begin;
    for (let i = 0; i < octets.length; i++) {
      const one = octets[i]!;
      for (let j = 0; j < one.length; j++) if (this.octets[at + j] !== one[j]) return false;
      at += one.length;
    }
    return true;
  }
}
