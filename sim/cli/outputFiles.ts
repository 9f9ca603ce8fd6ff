/** What a run leaves on the disk. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { utf8 } from "../../src/base/bytes.ts";
import { writeKeyTables } from "../capture/keyTables.ts";
import { pcapngChunks } from "../capture/pcapng.ts";
import { wiresharkProfile } from "../capture/wireshark/profile.ts";
import { junitXml } from "../check/junit.ts";
import { ndjsonLines } from "../core/ndjson.ts";
import type { Report } from "../scenario/report.ts";
import type { Run } from "../scenario/runner.ts";

/** A file or folder that cannot be written; the message names it. */
export class OutputError extends Error {}

/** Octets that are gathered before they are written. */
const BLOCK_OCTETS = 1 << 20;

/**
 * Writes `trace.ndjson`, `capture.pcapng`, `keys/` (a configuration folder for Wireshark, with our dissector) and
 * `report.json` into `folder`, which is made where it is not there. Files of an earlier run are written over. Throws an
 * OutputError.
 */
export function writeRun(folder: string, run: Run, report: Report): void {
  attempt(folder, () => {
    const keys = join(folder, "keys");
    mkdirSync(keys, { recursive: true });
    writeBlocks(join(folder, "trace.ndjson"), encoded(ndjsonLines(run.head, run.trace, run.end())));
    writeBlocks(join(folder, "capture.pcapng"), pcapngChunks(run.head, run.trace));
    for (const [name, text] of [...writeKeyTables(run.keys()).files, ...wiresharkProfile()]) {
      mkdirSync(dirname(join(keys, name)), { recursive: true });
      writeFileSync(join(keys, name), text);
    }
    writeFileSync(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  });
}

/** Writes the expectations as JUnit XML. Throws an OutputError. */
export function writeJunit(file: string, report: Report): void {
  const { scenario, seed, run, fingerprint, expectations } = report;
  const xml = junitXml({ name: scenario, outcomes: expectations, properties: { seed, run, fingerprint } });
  attempt(file, () => writeFileSync(file, xml));
}

function attempt(name: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw new OutputError(`${name}: cannot be written (${code})`);
  }
}

function* encoded(lines: Iterable<string>): Generator<Uint8Array> {
  for (const line of lines) yield utf8(line);
}

function writeBlocks(file: string, pieces: Iterable<Uint8Array>): void {
  const descriptor = openSync(file, "w");
  try {
    let waiting: Uint8Array[] = [];
    let octets = 0;
    const flush = () => {
      const block = Buffer.concat(waiting);
      for (let at = 0; at < block.length; ) at += writeSync(descriptor, block, at);
      waiting = [];
      octets = 0;
    };
    for (const piece of pieces) {
      waiting.push(piece);
      octets += piece.length;
      if (octets >= BLOCK_OCTETS) flush();
    }
    flush();
  } finally {
    closeSync(descriptor);
  }
}
