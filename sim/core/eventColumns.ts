/** Events as columns, 26 octets each. */
import type { Micros } from "../../src/base/micros.ts";
import type { Spill } from "./blockList.ts";
import { ColumnBlocks, type Layout } from "./columnBlocks.ts";

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

const LAYOUT: Layout<Columns> = {
  time: Float64Array,
  device: Uint32Array,
  cause: Int32Array,
  packet: Int32Array,
  data: Uint32Array,
  kind: Uint16Array,
};

export class EventColumns extends ColumnBlocks<Columns> {
  constructor(spill?: Spill) {
    super(LAYOUT, spill);
  }

  /** Adds an event; its number is the size before. */
  add(time: Micros, device: number, kind: number, cause: number, packet: number, data: number): void {
    const row = this.push();
    const { latest } = this;
    latest.time[row] = time;
    latest.device[row] = device;
    latest.kind[row] = kind;
    latest.cause[row] = cause;
    latest.packet[row] = packet;
    latest.data[row] = data;
  }
}
