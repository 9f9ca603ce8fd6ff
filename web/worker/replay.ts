/** A trace file as a run that is over: `trace.ndjson`, if given with the tables of the run's `keys` folder. */

import { dissectPacket } from "../../sim/capture/dissect.ts";
import { keyRing } from "../../sim/capture/keyRing.ts";
import { readKeyTables } from "../../sim/capture/keyTables.ts";
import { NdjsonReader } from "../../sim/core/ndjson.ts";
import type { WatchedRun } from "../../sim/serve/liveRun.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { noble } from "../../src/crypto/noble.ts";
import type { Field } from "../../src/wire/field.ts";
import { ReplayError } from "./replayError.ts";

/** Reads the first `.ndjson` or `.json` file of `files` as a trace and all others as key tables. */
export async function openReplay(files: readonly File[]): Promise<WatchedRun> {
  const file = files.find((candidate) => /\.(nd)?jsonl?$/i.test(candidate.name)) ?? files[0];
  if (file === undefined) throw new ReplayError("no file was given");
  const reader = new NdjsonReader();
  await readText(file, (piece) => reader.push(piece));
  const { head, trace, end, problems } = reader.finish();
  if (head === undefined) throw new ReplayError(problems[0]?.message ?? "the file holds no trace");
  const tables = new Map<string, string>();
  for (const other of files) if (other !== file) tables.set(other.name, await other.text());
  const { entries } = readKeyTables(tables);
  const ring = entries.length === 0 ? undefined : keyRing(noble, entries);
  const found = trace.fingerprint();
  return {
    head,
    trace,
    untilMicros: trace.lastTime,
    now: trace.lastTime,
    done: true,
    step: () => undefined,
    decrypts: ring !== undefined,
    dissect: (octets: Bytes): Field => dissectPacket(octets, ring),
    outcome: () => ({
      end: end ?? { fingerprint: found, events: trace.events, packets: trace.packets, virtualMicros: trace.lastTime },
      verdicts: [],
      mismatch: end !== undefined && end.fingerprint !== found ? found : undefined,
      truncated: end === undefined,
      warnings: problems
        .filter(({ code }) => code !== "truncated")
        .map(({ code, line, message }) => `line ${line}: ${code}: ${message}`),
    }),
  };
}

/** Hands the text on piece by piece: a trace of some hundred megabytes is no single string. */
async function readText(file: File, push: (piece: string) => void): Promise<void> {
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    push(value);
  }
}
