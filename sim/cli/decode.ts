/** `getvpn decode CAPTURE`: the packets of any pcap or pcapng, field by field. */
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Bytes } from "../../src/base/bytes.ts";
import { formatSeconds } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { type DecodedPacket, decodeCapture, jsonPacket } from "../capture/decode.ts";
import { type FieldStyle, fieldText, printable } from "../capture/fieldText.ts";
import { type KeyRing, keyRing } from "../capture/keyRing.ts";
import { readKeyTables } from "../capture/keyTables.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { outColors, printNote } from "./terminal.ts";

interface DecodeOptions {
  readonly keys?: string;
  readonly json?: boolean;
  readonly summary?: boolean;
}

/** Adds the command; `done` gets its exit code. */
export function addDecode(program: Command, done: (exit: ExitCode) => void): void {
  program
    .command("decode")
    .description("print the packets of a pcap or pcapng, field by field")
    .argument("<capture>", "the file; its packets may come from any program")
    .option("--keys <dir>", "folder with ikev2_decryption_table, esp_sa, ikev1_decryption_table or getvpn_keys")
    .option("--json", "an array of packets; offsets count from the start of the IP packet")
    .option("--summary", "one line a packet, without the fields")
    .action(async (path: string, options: DecodeOptions) => done(await decodeCommand(path, options)));
}

/** A file that ends within a packet is no failure: what is there is printed, and one line on stderr says where it ends. */
async function decodeCommand(path: string, options: DecodeOptions): Promise<ExitCode> {
  const file = readInput(path);
  if (file === undefined) return EXIT.invalid;
  const ring = options.keys === undefined ? undefined : readRing(options.keys);
  if (ring === undefined && options.keys !== undefined) return EXIT.invalid;
  const { packets, problem } = decodeCapture(file, ring);
  const place = problem === undefined ? "" : `${path}: octet ${problem.offset}: ${problem.message}`;
  if (problem?.code === "notCapture") {
    printNote(place);
    return EXIT.invalid;
  }
  await print(options.json ? jsonText(packets) : plainText(packets, options.summary === true));
  if (place !== "") printNote(place);
  return EXIT.ok;
}

function readInput(path: string): Bytes | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    printNote(unreadable(path, error));
    return undefined;
  }
}

function unreadable(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) throw error;
  return `${path}: ${code === "ENOENT" ? "there is no such file" : `cannot be read (${code})`}`;
}

/** Rows that cannot be used are told and passed over. */
function readRing(folder: string): KeyRing | undefined {
  try {
    const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = names.map(({ name }) => [name, readFileSync(join(folder, name), "utf8")] as const);
    const { entries, problems } = readKeyTables(new Map(texts));
    for (const { file, line, message } of problems) printNote(`${join(folder, file)}:${line}: ${message}`);
    if (entries.length === 0) printNote(`${folder}: no keys found`);
    return keyRing(native, entries);
  } catch (error) {
    printNote(unreadable(folder, error));
    return undefined;
  }
}

/** Waits where the reader is slower, so that text never piles up. */
async function print(pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, "drain");
}

function* jsonText(packets: Iterable<DecodedPacket>): Generator<string> {
  let before = "[";
  for (const packet of packets) {
    yield `${before}\n${JSON.stringify(jsonPacket(packet))}`;
    before = ",";
  }
  yield before === "[" ? "[]\n" : "\n]\n";
}

function* plainText(packets: Iterable<DecodedPacket>, isSummary: boolean): Generator<string> {
  const style: FieldStyle = { label: outColors.cyan, source: outColors.dim, problem: outColors.red };
  for (const packet of packets) {
    const fields = isSummary ? "" : `${fieldText(packet.layers, style)}\n`;
    yield `${outColors.bold(printable(packetLine(packet)))}\n${fields}`;
  }
}

function packetLine({ number, micros, source, destination, what }: DecodedPacket): string {
  const way = source === "" ? "" : `${source} -> ${destination} `;
  return `${String(number).padStart(5)} ${formatSeconds(micros).padStart(12)} ${way}${what}`;
}
