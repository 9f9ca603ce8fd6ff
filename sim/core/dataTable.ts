/**
 * The data of events, equal ones once: thousands of members that install the same key say the same. Whoever looks finds
 * the one that came first.
 */
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import type { EventData, Scalar } from "../../src/base/machine.ts";
import type { Spill } from "./blockList.ts";
import { OctetColumn } from "./octetColumn.ts";

const NOBODY = 0xffffffff;
/** Where there is a store for blocks: so many entries stay objects from the first on, the others become JSON. */
const KEPT_MAX = 1 << 16;
/** Of the others so many are objects still: the latest ones, which are the likeliest to be looked at. */
const LATEST_MAX = 1 << 14;
/** Places for each entry while the table is small; at `PLACES_MAX` the latest entries are found, not all. */
const SPARSE = 4;
const PLACES_MAX = 1 << 20;
/** What tells texts apart stands at their end (addresses, numbers); of longer ones this much is looked at. */
const TAIL_MAX = 8;

export class DataTable {
  private readonly entries: EventData[] = [];
  private readonly keptMax: number;
  /** Entries from number `keptMax` on. */
  private readonly written: OctetColumn;
  /** The latest of these, by the low bits of their numbers. */
  private readonly latest: EventData[] = [];
  private count = 0;
  /** Names of the fields of the latest data of each kind. */
  private readonly fieldsOfKind: (readonly string[] | undefined)[] = [];
  /** Numbers of entries by hash. A place has room for one: the later of two goes in, so that no search is ever long. */
  private places = new Uint32Array(1024).fill(NOBODY);

  constructor(spill?: Spill) {
    this.keptMax = spill === undefined ? Number.POSITIVE_INFINITY : KEPT_MAX;
    this.written = new OctetColumn(spill);
  }

  /**
   * Number of an entry that is equal, in the order of its fields too; of a new one where none is found. `kind`: data of
   * one kind have the same fields as a rule; numbered from 0.
   */
  numberOf(data: EventData, kind: number): number {
    const hash = hashOf(data);
    const place = hash & (this.places.length - 1);
    const known = this.places[place]!;
    const candidate = known === NOBODY ? undefined : this.objectOf(known);
    if (candidate !== undefined && isSame(data, this.fieldsOf(data, kind), candidate)) return known;
    const number = this.count++;
    if (number < this.keptMax) this.entries.push(data);
    else {
      this.written.push(utf8(JSON.stringify(data)));
      this.latest[number % LATEST_MAX] = data;
    }
    this.places[place] = number;
    if (number * SPARSE >= this.places.length && this.places.length < PLACES_MAX) this.grow();
    return number;
  }

  at(number: number): EventData {
    return this.objectOf(number) ?? JSON.parse(fromUtf8(this.written.at(number - this.keptMax)));
  }

  /** Undefined where it was written down and is none of the latest. */
  private objectOf(number: number): EventData | undefined {
    if (number < this.keptMax) return this.entries[number]!;
    return this.count - number > LATEST_MAX ? undefined : this.latest[number % LATEST_MAX];
  }

  private fieldsOf(data: EventData, kind: number): readonly string[] {
    const known = this.fieldsOfKind[kind];
    if (known !== undefined && hasFields(data, known)) return known;
    const fields = Object.keys(data);
    this.fieldsOfKind[kind] = fields;
    return fields;
  }

  private grow(): void {
    this.places = new Uint32Array(2 * this.places.length).fill(NOBODY);
    for (let number = 0; number < this.count; number++) {
      const data = this.objectOf(number);
      if (data !== undefined) this.places[hashOf(data) & (this.places.length - 1)] = number;
    }
  }
}

/** `for in` makes no list of the fields as `Object.keys` does: these functions run for each event. */
function hasFields(data: EventData, fields: readonly string[]): boolean {
  let count = 0;
  for (const field in data) if (field !== fields[count++]) return false;
  return count === fields.length;
}

/** `fields`: the names in `a`. */
function isSame(a: EventData, fields: readonly string[], b: EventData): boolean {
  if (a === b) return true;
  let count = 0;
  for (const field in b) {
    if (field !== fields[count++] || a[field] !== b[field]) return false;
  }
  return count === fields.length;
}

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
