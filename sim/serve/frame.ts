/**
 * Holder messages as octets for a socket. All but chunks are JSON; a chunk is its JSON part followed by its columns and
 * packets, so that a hundred thousand events cost no number formatting.
 *
 *     u32 length of the JSON part | JSON | time f64 x n | device u32 x n | kind u16 x n | cause i32 x n |
 *     packet i32 x n | packet lengths u32 x m | octets of all packets           (columns little-endian, unaligned)
 */
import { type Bytes, concat, fromUtf8, utf8 } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import type { Field } from "../../src/wire/field.ts";
import type { TraceChunk } from "../core/traceTypes.ts";
import type { HolderMessage } from "./protocol.ts";

interface ChunkHeader {
  readonly type: "events";
  readonly firstEvent: number;
  readonly count: number;
  readonly data: TraceChunk["data"];
  readonly newKinds: readonly string[];
  readonly firstPacket: number;
  readonly packets: number;
}

export function encodeFrame(message: HolderMessage): Bytes {
  if (message.type !== "events") return frame(jsonOf(message), []);
  const { chunk } = message;
  const header: ChunkHeader = {
    type: "events",
    firstEvent: chunk.firstEvent,
    count: chunk.count,
    data: chunk.data,
    newKinds: chunk.newKinds,
    firstPacket: chunk.firstPacket,
    packets: chunk.packets.length,
  };
  const lengths = Uint32Array.from(chunk.packets, (packet) => packet.length);
  const columns = [chunk.time, chunk.device, chunk.kind, chunk.cause, chunk.packet, lengths].map(octetsOf);
  return frame(JSON.stringify(header), [...columns, ...chunk.packets]);
}

/** Throws a WireError for octets that `encodeFrame` did not make. */
export function decodeFrame(octets: Bytes): HolderMessage {
  if (octets.length < 4) throw new WireError("truncated", "a frame has at least four octets", 0);
  const size = new DataView(octets.buffer, octets.byteOffset).getUint32(0, true);
  if (octets.length < 4 + size) throw new WireError("truncated", `${size} octets of JSON expected`, 4);
  const header: unknown = JSON.parse(fromUtf8(octets.subarray(4, 4 + size)), reviveBytes);
  const message = header as HolderMessage | ChunkHeader;
  if (message.type !== "events" || !("packets" in message)) return message as HolderMessage;
  return { type: "events", chunk: chunkOf(message, octets, 4 + size) };
}

function chunkOf(header: ChunkHeader, octets: Bytes, start: number): TraceChunk {
  const { count } = header;
  let at = start;
  const take = (length: number): Bytes => {
    if (at + length > octets.length) throw new WireError("truncated", `${length} octets expected`, at);
    at += length;
    return octets.subarray(at - length, at);
  };
  // A typed array needs an aligned buffer of its own.
  const own = (length: number): ArrayBuffer => new Uint8Array(take(length)).buffer;
  const time = new Float64Array(own(8 * count));
  const device = new Uint32Array(own(4 * count));
  const kind = new Uint16Array(own(2 * count));
  const cause = new Int32Array(own(4 * count));
  const packet = new Int32Array(own(4 * count));
  const lengths = new Uint32Array(own(4 * header.packets));
  const packets = Array.from(lengths, (length) => take(length));
  const { firstEvent, data, newKinds, firstPacket } = header;
  return { firstEvent, count, time, device, kind, cause, packet, data, newKinds, firstPacket, packets };
}

function frame(json: string, parts: readonly Bytes[]): Bytes {
  const text = utf8(json);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length, true);
  return concat(length, text, ...parts);
}

function octetsOf(column: Float64Array | Uint32Array | Uint16Array | Int32Array): Bytes {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

/** Decrypted octets in a field tree are the only octet strings outside of chunks. */
function jsonOf(message: Exclude<HolderMessage, { type: "events" }>): string {
  return JSON.stringify(message, (_key, value: unknown) =>
    value instanceof Uint8Array ? { "~octets": Array.from(value) } : value,
  );
}

function reviveBytes(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("~octets" in value)) return value;
  return Uint8Array.from(value["~octets"] as readonly number[]) satisfies Field["plain"];
}
