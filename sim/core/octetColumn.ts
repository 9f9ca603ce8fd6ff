/**
 * Octet strings one behind the other in large blocks, by number. An array object of its own costs more than 200 octets
 * beside its content; here a string costs twelve.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import { BlockList, type Spill } from "./blockList.ts";
import { ColumnBlocks } from "./columnBlocks.ts";

const BLOCK_OCTETS = 1 << 20;

interface Place {
  /** Number of the string's block times `BLOCK_OCTETS`, plus where it begins in there. */
  readonly start: Float64Array;
  readonly length: Uint32Array;
}

export class OctetColumn {
  /** Of `BLOCK_OCTETS` each; a string that is longer has a block to itself. */
  private readonly full: BlockList<Bytes>;
  private open: Bytes | undefined;
  /** Octets of the open block that are taken. */
  private fill = 0;
  private readonly index: ColumnBlocks<Place>;

  constructor(spill?: Spill) {
    const same = (octets: Bytes) => octets;
    this.full = new BlockList(same, same, spill);
    this.index = new ColumnBlocks<Place>({ start: Float64Array, length: Uint32Array }, spill);
  }

  get size(): number {
    return this.index.size;
  }

  /** Adds a copy; its number is the size before. */
  push(octets: Bytes): void {
    const { length } = octets;
    // An empty string too begins inside its block.
    const isFull = this.fill + Math.max(length, 1) > BLOCK_OCTETS;
    const block = this.open === undefined || isFull ? this.begin(length) : this.open;
    block.set(octets, this.fill);
    const row = this.index.push();
    const { start, length: lengths } = this.index.latest;
    start[row] = this.full.size * BLOCK_OCTETS + this.fill;
    lengths[row] = length;
    this.fill += length;
  }

  /** A view or a copy: it is not to be written to, and as long as a view is held its block is. */
  at(number: number): Bytes {
    assert(number >= 0 && number < this.size, () => `no octet string ${number}`);
    const start = this.index.at("start", number);
    const place = start % BLOCK_OCTETS;
    const block = (start - place) / BLOCK_OCTETS;
    const end = place + this.index.at("length", number);
    // The open block may be filled anew.
    return block === this.full.size ? this.open!.slice(place, end) : this.full.at(block).subarray(place, end);
  }

  /** Copies of all from number `first` on, in one buffer that holds nothing else: a message to another thread is no larger. */
  copyFrom(first: number): readonly Bytes[] {
    const { size } = this;
    let total = 0;
    for (let number = first; number < size; number++) total += this.index.at("length", number);
    const buffer = new Uint8Array(total);
    const copies: Bytes[] = [];
    let end = 0;
    for (let number = first; number < size; number++) {
      const octets = this.at(number);
      buffer.set(octets, end);
      copies.push(buffer.subarray(end, end + octets.length));
      end += octets.length;
    }
    return copies;
  }

  private begin(length: number): Bytes {
    this.fill = 0;
    const { open } = this;
    const isFree = open !== undefined && !this.full.push(open) && open.length === BLOCK_OCTETS;
    if (!isFree || length > BLOCK_OCTETS) this.open = new Uint8Array(Math.max(length, BLOCK_OCTETS));
    return this.open!;
  }
}
