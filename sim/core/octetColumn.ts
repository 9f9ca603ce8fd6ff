/**
 * Octet strings one behind the other in large blocks, by number. An array object of its own costs more than 200 octets
 * beside its content; here a string costs twelve.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";

const BLOCK_OCTETS = 1 << 20;

export class OctetColumn {
  /** Of `BLOCK_OCTETS` each; a string that is longer has a block to itself. */
  private readonly blocks: Bytes[] = [];
  /** Where a string begins: number of its block times `BLOCK_OCTETS`, plus its place in there. */
  private starts = new Float64Array(64);
  private lengths = new Uint32Array(64);
  private count = 0;
  /** Octets of the last block that are taken. */
  private fill = 0;

  get size(): number {
    return this.count;
  }

  /** Adds a copy; its number is the size before. */
  push(octets: Bytes): void {
    const { length } = octets;
    if (this.blocks.length === 0 || this.fill + length > BLOCK_OCTETS) this.addBlock(length);
    if (this.count === this.lengths.length) this.grow();
    const block = this.blocks.length - 1;
    this.blocks[block]!.set(octets, this.fill);
    this.starts[this.count] = block * BLOCK_OCTETS + this.fill;
    this.lengths[this.count] = length;
    this.fill += length;
    this.count++;
  }

  /** A view: it is not to be written to, and as long as it is held its block is. */
  at(number: number): Bytes {
    assert(number >= 0 && number < this.count, () => `no octet string ${number}`);
    const start = this.starts[number]!;
    const place = start % BLOCK_OCTETS;
    return this.blocks[(start - place) / BLOCK_OCTETS]!.subarray(place, place + this.lengths[number]!);
  }

  /** Copies of all from number `first` on, in one buffer that holds nothing else: a message to another thread is no larger. */
  copyFrom(first: number): readonly Bytes[] {
    let total = 0;
    for (let number = first; number < this.count; number++) total += this.lengths[number]!;
    const buffer = new Uint8Array(total);
    const copies: Bytes[] = [];
    let end = 0;
    for (let number = first; number < this.count; number++) {
      const start = end;
      end += this.lengths[number]!;
      buffer.set(this.at(number), start);
      copies.push(buffer.subarray(start, end));
    }
    return copies;
  }

  private addBlock(length: number): void {
    this.blocks.push(new Uint8Array(Math.max(length, BLOCK_OCTETS)));
    this.fill = 0;
  }

  private grow(): void {
    const { starts, lengths } = this;
    this.starts = new Float64Array(2 * starts.length);
    this.starts.set(starts);
    this.lengths = new Uint32Array(2 * lengths.length);
    this.lengths.set(lengths);
  }
}
