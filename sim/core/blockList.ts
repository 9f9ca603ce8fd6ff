/**
 * Full blocks of a column, by number. Memory keeps so many octets of them; what comes later goes to a store of the host
 * (a file) and is read back when it is asked for, so that a trace may be larger than memory.
 */
import type { Bytes } from "../../src/base/bytes.ts";

/** Where the host keeps blocks. Both functions throw what the host has to say when they fail. */
export interface BlockStore {
  /** Keeps a copy; returns the place where `read` finds it. */
  write(octets: Bytes): number;
  /** Fills `into` with what was written at `place`. */
  read(place: number, into: Bytes): void;
}

/** Full blocks that stay in memory, in octets: the traces of some thousand members need no store. */
export const MEMORY_OCTETS = 16 << 20;

/** Shared by all columns of a trace: memory is divided in the order in which blocks get full. */
export class Spill {
  readonly store: BlockStore;
  private left: number;

  /** `memory`: octets of full blocks that stay in memory. */
  constructor(store: BlockStore, memory: number = MEMORY_OCTETS) {
    this.store = store;
    this.left = memory;
  }

  /** Whether memory has room for a block of so many octets, which is taken then. */
  takes(octets: number): boolean {
    if (octets > this.left) return false;
    this.left -= octets;
    return true;
  }
}

/** Blocks that were read back and stay for a while: readers go forwards, with looks at causes and packets before. */
const RECENT_MAX = 8;

interface Stored {
  readonly place: number;
  readonly length: number;
}

/** `B`: what the owner works with; `octetsOf` are its content, from which `blockOf` makes an equal one. */
export class BlockList<B extends object> {
  private readonly blocks: ({ readonly block: B } | Stored)[] = [];
  /** Latest first. */
  private readonly recent: { readonly number: number; readonly block: B }[] = [];
  private readonly octetsOf: (block: B) => Bytes;
  private readonly blockOf: (octets: Bytes) => B;
  private readonly spill: Spill | undefined;

  constructor(octetsOf: (block: B) => Bytes, blockOf: (octets: Bytes) => B, spill: Spill | undefined) {
    this.octetsOf = octetsOf;
    this.blockOf = blockOf;
    this.spill = spill;
  }

  get size(): number {
    return this.blocks.length;
  }

  /**
   * Adds a full block; its number is the size before. Returns whether it stays in memory: then nobody may write to it any
   * more. Otherwise the caller fills it anew, as blocks that were thrown away would pile up until they are collected.
   */
  push(block: B): boolean {
    const octets = this.octetsOf(block);
    const { spill } = this;
    const stays = spill === undefined || spill.takes(octets.length);
    this.blocks.push(stays ? { block } : { place: spill.store.write(octets), length: octets.length });
    return stays;
  }

  at(number: number): B {
    const entry = this.blocks[number]!;
    return "block" in entry ? entry.block : this.readBack(number, entry);
  }

  private readBack(number: number, { place, length }: Stored): B {
    const { recent } = this;
    const index = recent.findIndex((one) => one.number === number);
    const found = index < 0 ? { number, block: this.fetch(place, length) } : recent.splice(index, 1)[0]!;
    recent.unshift(found);
    if (recent.length > RECENT_MAX) recent.pop();
    return found.block;
  }

  private fetch(place: number, length: number): B {
    const octets = new Uint8Array(length);
    this.spill!.store.read(place, octets);
    return this.blockOf(octets);
  }
}
