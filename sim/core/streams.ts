/** Random streams that are drawn from again and again: one per name, made on first use, each where it was left. */
import type { Rng } from "../../src/base/rng.ts";
import { type RngState, restoreRng, type SeededRng } from "./rng.ts";

export interface Streams {
  /** The stream of that name below the root; the same object each time. */
  of(name: string): Rng;
  /** States of all streams drawn from so far, as plain data. */
  save(): readonly RngState[];
}

/** `saved`: states that `save` returned; those streams go on where they were. */
export function createStreams(root: SeededRng, saved: readonly RngState[] = []): Streams {
  const streams = new Map<string, SeededRng>();
  const prefix = root.path === "" ? "" : `${root.path}/`;
  for (const state of saved) streams.set(state.path.slice(prefix.length), restoreRng(state));
  return {
    of(name) {
      const known = streams.get(name);
      if (known !== undefined) return known;
      const stream = root.fork(name);
      streams.set(name, stream);
      return stream;
    },
    save: () => [...streams.values()].map((stream) => stream.save()),
  };
}
