import { describe, expect, it } from "vitest";
import { pcapngChunks } from "../../../sim/capture/pcapng.ts";
import { type BlockStore, Spill } from "../../../sim/core/blockList.ts";
import { ndjsonLines } from "../../../sim/core/ndjson.ts";
import { Trace } from "../../../sim/core/trace.ts";
import type { TraceHead } from "../../../sim/core/traceTypes.ts";
import { type Bytes, concat, u32 } from "../../../src/base/bytes.ts";
import type { EventData } from "../../../src/base/machine.ts";

interface ArrayStore extends BlockStore {
  readonly blocks: Bytes[];
  reads: number;
}

function arrayStore(): ArrayStore {
  const blocks: Bytes[] = [];
  return {
    blocks,
    reads: 0,
    write: (octets) => blocks.push(octets.slice()) - 1,
    read(place, into) {
      this.reads += 1;
      into.set(blocks[place]!);
    },
  };
}

/** Enough for several blocks of events, packets and data; some data come again, at once and much later. */
const EVENTS = 130_000;

function fill(trace: Trace): Trace {
  for (let i = 0; i < EVENTS; i++) {
    const packet = i % 3 === 0 ? concat(u32(0x45000014 + i), new Uint8Array(16 + (i % 50))) : undefined;
    const data: EventData =
      i % 10 === 0 ? { link: `gm${i % 700}`, octets: 7 } : { text: `ä${i}`, isLost: i % 2 === 0, value: i / 4 };
    trace.append(1_000 * i, i % 9, `k.${i % 5}`, i - 1, packet, data);
  }
  return trace;
}

const HEAD: TraceHead = {
  version: 1,
  scenario: "spill",
  seed: "s",
  run: 0,
  devices: Array.from({ length: 9 }, (_, i) => ({ name: `d${i}`, role: "gm", addresses: [] })),
  links: [],
  notes: [],
};

const end = (trace: Trace) => ({
  fingerprint: trace.fingerprint(),
  events: trace.events,
  packets: trace.packets,
  virtualMicros: trace.lastTime,
});

describe("a trace that memory has no room for", () => {
  it("says the same from its store as another one from memory", () => {
    const inMemory = fill(new Trace());
    const store = arrayStore();
    const spilled = fill(new Trace({ spill: new Spill(store, 1 << 18) }));
    expect(store.blocks.length).toBeGreaterThan(10);
    expect(end(spilled)).toEqual(end(inMemory));
    // Compared as wholes: a quarter of a million lines one by one take seconds.
    const [ourLines, theirLines] = [spilled, inMemory].map((trace) =>
      [...ndjsonLines(HEAD, trace, end(trace))].join(""),
    );
    expect(ourLines === theirLines).toBe(true);
    const [ourCapture, theirCapture] = [spilled, inMemory].map((trace) =>
      Buffer.concat([...pcapngChunks(HEAD, trace)]),
    );
    expect(ourCapture!.equals(theirCapture!)).toBe(true);
    const jumps = Array.from({ length: 500 }, (_, i) => (i * 48_271) % EVENTS);
    expect(jumps.map((number) => spilled.event(number))).toEqual(jumps.map((number) => inMemory.event(number)));
    expect(spilled.chunk(20_000, 900).packets).toEqual(inMemory.chunk(20_000, 900).packets);
    expect(spilled.firstAt(77_000_500)).toBe(77_001);
  });

  it("reads a block back once for all that is in it", () => {
    const store = arrayStore();
    const trace = fill(new Trace({ spill: new Spill(store, 0) }));
    for (let i = 0; i < EVENTS; i++) trace.event(i);
    expect(store.reads).toBeLessThan(store.blocks.length);
  });

  it("does not touch its store as long as memory has room", () => {
    const store = arrayStore();
    fill(new Trace({ spill: new Spill(store) }));
    expect(store.blocks).toEqual([]);
  });

  it("lets through what the store says about its failure", () => {
    const write = () => {
      throw new RangeError("the disk is full");
    };
    const spill = new Spill({ write, read: write }, 0);
    expect(() => fill(new Trace({ spill }))).toThrow("the disk is full");
  });
});
