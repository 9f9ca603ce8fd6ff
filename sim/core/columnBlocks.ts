/**
 * A table of numbers as columns, in blocks: one that doubled would hold up to twice as much as it needs, and all of it
 * three times while it grows.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { BlockList, type Spill } from "./blockList.ts";

const BLOCK_BITS = 14;
const BLOCK_ROWS = 1 << BLOCK_BITS;
const BLOCK_MASK = BLOCK_ROWS - 1;

type Column = Float64Array | Uint32Array | Int32Array | Uint16Array;

interface ColumnType<C extends Column> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, start: number, length: number): C;
}

/** Type of each column. Wider ones come first, as each begins at a multiple of its width. */
export type Layout<T> = { readonly [K in keyof T]: T[K] extends Column ? ColumnType<T[K]> : never };

interface Block<T> {
  /** All columns, one behind the other. */
  readonly octets: Bytes;
  readonly columns: T;
}

export class ColumnBlocks<T extends Readonly<Record<keyof T, Column>>> {
  private readonly layout: Layout<T>;
  private readonly full: BlockList<Block<T>>;
  private open: Block<T>;
  private count = 0;

  constructor(layout: Layout<T>, spill: Spill | undefined) {
    this.layout = layout;
    this.open = newBlock(layout, 0);
    this.full = new BlockList<Block<T>>(
      ({ octets }) => octets,
      (octets) => blockOn(layout, octets, BLOCK_ROWS),
      spill,
    );
  }

  get size(): number {
    return this.count;
  }

  /** Of the block with the latest rows. */
  get latest(): T {
    return this.open.columns;
  }

  /** Adds a row whose number is the size before. Returns its index in `latest`, where the caller fills all of it. */
  push(): number {
    const row = this.count & BLOCK_MASK;
    if (row === 0) {
      const isTaken = this.count === 0 || this.full.push(this.open);
      if (isTaken) this.open = newBlock(this.layout, BLOCK_ROWS);
    }
    this.count++;
    return row;
  }

  /** What a column has in a row; `number` is less than the size. */
  at(column: keyof T, number: number): number {
    return this.columnsAt(number >>> BLOCK_BITS)[column][number & BLOCK_MASK]!;
  }

  /** Copies of the columns from row `from` on, up to but not including `to`. */
  slice(from: number, to: number): T {
    const copies = newBlock(this.layout, Math.max(0, to - from)).columns;
    for (let start = from; start < to; ) {
      const row = start & BLOCK_MASK;
      const end = Math.min(BLOCK_ROWS, row + to - start);
      const columns = this.columnsAt(start >>> BLOCK_BITS);
      for (const name of Object.keys(copies) as (keyof T)[]) {
        copies[name].set(columns[name].subarray(row, end), start - from);
      }
      start += end - row;
    }
    return copies;
  }

  private columnsAt(block: number): T {
    return block === this.full.size ? this.open.columns : this.full.at(block).columns;
  }
}

function newBlock<T>(layout: Layout<T>, rows: number): Block<T> {
  let octets = 0;
  for (const name of Object.keys(layout) as (keyof T)[]) octets += layout[name].BYTES_PER_ELEMENT * rows;
  return blockOn(layout, new Uint8Array(octets), rows);
}

function blockOn<T>(layout: Layout<T>, octets: Bytes, rows: number): Block<T> {
  const columns: Partial<T> = {};
  let start = 0;
  for (const name of Object.keys(layout) as (keyof T)[]) {
    const Type = layout[name];
    columns[name] = new Type(octets.buffer, start, rows) as T[typeof name];
    start += Type.BYTES_PER_ELEMENT * rows;
  }
  return { octets, columns: columns as T };
}
