/** Where a trace goes that memory has no room for: a file without a name in the folder for temporary files. */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlockStore, MEMORY_OCTETS, Spill } from "../core/blockList.ts";
import { OutputError } from "./outputFiles.ts";

export interface TraceFile {
  /** For one trace. Throws an OutputError where the file cannot be written or read. */
  readonly spill: Spill;
  /** Gives the room on the disk back; the trace cannot be read any more. The end of the process does the same. */
  close(): void;
}

/** Nothing is on the disk until there are `memory` octets in memory. */
export function createTraceFile(memory: number = MEMORY_OCTETS): TraceFile {
  const folder = tmpdir();
  let descriptor: number | undefined;
  let end = 0;
  const store: BlockStore = {
    write: (octets) =>
      attempt(folder, "written", () => {
        descriptor ??= openNameless(folder);
        const place = end;
        for (let at = 0; at < octets.length; ) at += writeSync(descriptor, octets, at, octets.length - at, place + at);
        end += octets.length;
        return place;
      }),
    read: (place, into) =>
      attempt(folder, "read", () => {
        for (let at = 0; at < into.length; ) {
          const count = readSync(descriptor!, into, at, into.length - at, place + at);
          if (count === 0) throw new Error(`the file of the trace ends at ${place + at}`);
          at += count;
        }
      }),
  };
  return {
    spill: new Spill(store, memory),
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** The name goes as soon as the file is open: whatever ends the process, a signal too, leaves nothing behind. */
function openNameless(folder: string): number {
  const path = join(folder, `getvpn-${randomUUID()}.trace`);
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return descriptor;
}

function attempt<T>(folder: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new OutputError(`${folder}: the part of the trace that memory has no room for cannot be ${what} (${code})`);
  }
}
