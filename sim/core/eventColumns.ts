/**
 * Events as columns, 26 octets each, in blocks: a table that doubled would hold up to twice as much as it needs, and all
 * of it three times while it grows.
 */
import type { Micros } from "../../src/base/micros.ts";

const BLOCK_BITS = 14;
const BLOCK_EVENTS = 1 << BLOCK_BITS;
const BLOCK_MASK = BLOCK_EVENTS - 1;

/** One column each, entries by number of the event. */
export interface Columns {
  readonly time: Float64Array;
  readonly device: Uint32Array;
  /** Numbers that the owner gives names. */
  readonly kind: Uint16Array;
  readonly cause: Int32Array;
  readonly packet: Int32Array;
  readonly data: Uint32Array;
}

function newColumns(events: number): Columns {
  return {
    time: new Float64Array(events),
    device: new Uint32Array(events),
    kind: new Uint16Array(events),
    cause: new Int32Array(events),
    packet: new Int32Array(events),
    data: new Uint32Array(events),
  };
}

export class EventColumns {
  private readonly blocks: Columns[] = [];
  private last = newColumns(0);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds an event; its number is the size before. */
  push(time: Micros, device: number, kind: number, cause: number, packet: number, data: number): void {
    const at = this.count & BLOCK_MASK;
    if (at === 0) {
      this.last = newColumns(BLOCK_EVENTS);
      this.blocks.push(this.last);
    }
    const { last } = this;
    last.time[at] = time;
    last.device[at] = device;
    last.kind[at] = kind;
    last.cause[at] = cause;
    last.packet[at] = packet;
    last.data[at] = data;
    this.count++;
  }

  /** What a column has for an event; `number` is less than the size. */
  at(column: keyof Columns, number: number): number {
    return this.blocks[number >>> BLOCK_BITS]![column][number & BLOCK_MASK]!;
  }

  /** Copies of the columns from event `from` on, up to but not including `to`. */
  slice(from: number, to: number): Columns {
    const copies = newColumns(Math.max(0, to - from));
    for (let start = from; start < to; ) {
      const at = start & BLOCK_MASK;
      const end = Math.min(BLOCK_EVENTS, at + to - start);
      const block = this.blocks[start >>> BLOCK_BITS]!;
      for (const name of Object.keys(copies) as (keyof Columns)[])
        copies[name].set(block[name].subarray(at, end), start - from);
      start += end - at;
    }
    return copies;
  }
}
