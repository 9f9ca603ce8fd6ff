/**
 * The data of events, equal ones once: thousands of members that install the same key say the same. Whoever looks finds
 * the one that came first.
 */
import type { EventData, Scalar } from "../../src/base/machine.ts";

const NOBODY = 0xffffffff;
/** Places for each entry while the table is small; at `PLACES_MAX` the latest entries are found, not all. */
const SPARSE = 4;
const PLACES_MAX = 1 << 20;
/** What tells texts apart stands at their end (addresses, numbers); of longer ones this much is looked at. */
const TAIL_MAX = 8;

export class DataTable {
  private readonly entries: EventData[] = [];
  /** Numbers of entries by hash. A place has room for one: the later of two goes in, so that no search is ever long. */
  private places = new Uint32Array(1024).fill(NOBODY);

  /** Number of an entry that is equal, in the order of its fields too; of a new one where none is found. */
  numberOf(data: EventData): number {
    const hash = hashOf(data);
    const place = hash & (this.places.length - 1);
    const known = this.places[place]!;
    if (known !== NOBODY && isSame(this.entries[known]!, data)) return known;
    const number = this.entries.length;
    this.entries.push(data);
    this.places[place] = number;
    if (number * SPARSE >= this.places.length && this.places.length < PLACES_MAX) this.grow();
    return number;
  }

  at(number: number): EventData {
    return this.entries[number]!;
  }

  private grow(): void {
    this.places = new Uint32Array(2 * this.places.length).fill(NOBODY);
    this.entries.forEach((data, number) => {
      this.places[hashOf(data) & (this.places.length - 1)] = number;
    });
  }
}

function isSame(a: EventData, b: EventData): boolean {
  if (a === b) return true;
  const fields = Object.keys(a);
  let count = 0;
  for (const field in b) {
    if (field !== fields[count++] || a[field] !== b[field]) return false;
  }
  return count === fields.length;
}

/** `for in` makes no list of the fields as `Object.keys` does: the three functions here run for each event. */
function hashOf(data: EventData): number {
  let hash = 0;
  for (const field in data) hash = (Math.imul(hash, 31) + hashOfScalar(data[field]!)) | 0;
  // The low bits choose the place: all of them have to depend on all others.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

function hashOfScalar(value: Scalar): number {
  if (typeof value === "number") return value | 0;
  if (typeof value === "boolean") return value ? 1 : 2;
  let hash = value.length;
  for (let i = Math.max(0, value.length - TAIL_MAX); i < value.length; i++) {
    hash = (Math.imul(hash, 31) + value.charCodeAt(i)) | 0;
  }
  return hash;
}
