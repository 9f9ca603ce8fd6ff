/**
 * A trace as pcapng (draft-ietf-opsawg-pcapng): what a capture on every interface of the network would have recorded.
 * Link type 101, packets from the IP header on; time 0 of the run is the epoch. Nothing of the host that writes the file
 * goes in: the same trace gives the same octets everywhere.
 *
 * | block | content |
 * |---|---|
 * | Section Header | comment with scenario, seed and run; no hardware, system or length |
 * | Interface Description | one per interface: if_name `gm1:GigabitEthernet0/0`, if_description the link, microseconds |
 * | Name Resolution | the addresses of each device with its name |
 * | Enhanced Packet | one per `packet.sent` and `packet.received`; direction flag; comment `event 17 packet.sent` |
 */
import { type Bytes, EMPTY, utf8 } from "../../src/base/bytes.ts";
import { parseAddress } from "../../src/wire/address.ts";
import type { Trace } from "../core/trace.ts";
import type { TraceEvent, TraceHead } from "../core/traceTypes.ts";

export interface PcapngOptions {
  /** `sent`: each transmission once; `received`: what arrived; `both` (default): every interface sees its side. */
  readonly sides?: "sent" | "received" | "both";
  /** Only events for which this is true; default all. */
  readonly accepts?: (event: TraceEvent) => boolean;
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const NAME_RESOLUTION = 4;
const ENHANCED_PACKET = 6;

const OPTION_END = 0;
const OPTION_COMMENT = 1;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;

const NAME_IPV4 = 1;
const NAME_IPV6 = 2;

const BYTE_ORDER = 0x1a2b3c4d;
const LINK_TYPE_RAW = 101;
const MICROSECONDS = 6;
const INBOUND = 1;
const OUTBOUND = 2;
const TWO_32 = 2 ** 32;

/** Octets are handed out in pieces of about this size. */
const CHUNK_OCTETS = 1 << 16;

/** The file, piece by piece; `concat` of all pieces is the whole. */
export function* pcapngChunks(head: TraceHead, trace: Trace, options: PcapngOptions = {}): Generator<Bytes> {
  const out = new BlockWriter();
  const interfaces = new Map<string, number>();
  const numberOf = (device: number, name: string, link: string): number => {
    const text = `${head.devices[device]?.name ?? device}:${name}`;
    const known = interfaces.get(text);
    if (known !== undefined) return known;
    const number = interfaces.size;
    interfaces.set(text, number);
    interfaceBlock(out, text, link);
    return number;
  };
  sectionBlock(out, head);
  for (const link of head.links) {
    numberOf(link.a, link.aInterface, link.name);
    numberOf(link.b, link.bInterface, link.name);
  }
  nameBlock(out, head);
  const flags = directionFlags(options.sides ?? "both");
  for (const event of trace.range()) {
    const flag = flags.get(event.kind);
    if (flag === undefined || event.packet < 0 || options.accepts?.(event) === false) continue;
    const { interface: name, link } = event.data;
    const number = numberOf(event.device, String(name ?? ""), String(link ?? ""));
    packetBlock(out, number, event, trace.packet(event.packet), flag);
    if (out.size >= CHUNK_OCTETS) yield out.drain();
  }
  yield out.drain();
}

function directionFlags(sides: "sent" | "received" | "both"): ReadonlyMap<string, number> {
  const flags = new Map<string, number>();
  if (sides !== "received") flags.set("packet.sent", OUTBOUND);
  if (sides !== "sent") flags.set("packet.received", INBOUND);
  return flags;
}

function sectionBlock(out: BlockWriter, head: TraceHead): void {
  out.begin(SECTION_HEADER);
  out.u32(BYTE_ORDER);
  out.u16(1);
  out.u16(0);
  // Unknown length: the section is written as a stream.
  out.u32(0xffffffff);
  out.u32(0xffffffff);
  out.option(OPTION_COMMENT, utf8(`${head.scenario}, seed ${head.seed}, run ${head.run}`));
  out.option(SHB_USERAPPL, utf8("getvpn-sim"));
  out.option(OPTION_END, EMPTY);
  out.end();
}

function interfaceBlock(out: BlockWriter, name: string, link: string): void {
  out.begin(INTERFACE_DESCRIPTION);
  out.u16(LINK_TYPE_RAW);
  out.u16(0);
  // No snap length: packets are whole.
  out.u32(0);
  out.option(IF_NAME, utf8(name));
  if (link !== "") out.option(IF_DESCRIPTION, utf8(link));
  out.option(IF_TSRESOL, Uint8Array.of(MICROSECONDS));
  out.option(OPTION_END, EMPTY);
  out.end();
}

/** One record per address; of two devices with one address the first keeps the name. */
function nameBlock(out: BlockWriter, head: TraceHead): void {
  const named = new Set<string>();
  out.begin(NAME_RESOLUTION);
  for (const device of head.devices) {
    for (const address of device.addresses) {
      const bare = address.split("/")[0]!;
      const octets = parseAddress(bare);
      if (octets === undefined || named.has(bare)) continue;
      named.add(bare);
      const name = utf8(`${device.name}\0`);
      out.u16(octets.length === 4 ? NAME_IPV4 : NAME_IPV6);
      out.u16(octets.length + name.length);
      out.bytes(octets);
      out.padded(name, octets.length);
    }
  }
  out.u32(0);
  out.end();
}

function packetBlock(out: BlockWriter, number: number, event: TraceEvent, octets: Bytes, direction: number): void {
  out.begin(ENHANCED_PACKET);
  out.u32(number);
  out.u32(Math.floor(event.time / TWO_32));
  out.u32(event.time % TWO_32);
  // A trace of level `protocol` has no octets but still tells how many there were.
  const { octets: original } = event.data;
  out.u32(octets.length);
  out.u32(Math.max(octets.length, typeof original === "number" ? original : 0));
  out.padded(octets);
  out.option(OPTION_COMMENT, utf8(`event ${event.number} ${event.kind}`));
  out.option(EPB_FLAGS, Uint8Array.of(direction, 0, 0, 0));
  out.option(OPTION_END, EMPTY);
  out.end();
}

/** Blocks in little-endian order, padded to 32 bits, with their length before and behind. */
class BlockWriter {
  private buffer = new Uint8Array(CHUNK_OCTETS * 2);
  private view = new DataView(this.buffer.buffer);
  private start = 0;
  size = 0;

  begin(type: number): void {
    this.start = this.size;
    this.u32(type);
    this.u32(0);
  }

  end(): void {
    const length = this.size - this.start + 4;
    this.u32(length);
    this.view.setUint32(this.start + 4, length, true);
  }

  u16(value: number): void {
    const at = this.room(2);
    this.view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.room(4);
    this.view.setUint32(at, value, true);
  }

  bytes(octets: Bytes): void {
    const at = this.room(octets.length);
    this.buffer.set(octets, at);
  }

  /** Octets, then zeros up to a multiple of four, `before` octets of the same field counted in. */
  padded(octets: Bytes, before = 0): void {
    this.bytes(octets);
    const at = this.room(-(octets.length + before) & 3);
    this.buffer.fill(0, at, this.size);
  }

  option(code: number, value: Bytes): void {
    // The length is a 16-bit field: a longer text loses its end.
    const fitting = value.subarray(0, 0xffff);
    this.u16(code);
    this.u16(fitting.length);
    this.padded(fitting);
  }

  drain(): Bytes {
    const octets = this.buffer.slice(0, this.size);
    this.size = 0;
    return octets;
  }

  private room(count: number): number {
    const at = this.size;
    const wanted = at + count;
    if (wanted > this.buffer.length) {
      const grown = new Uint8Array(Math.max(wanted, this.buffer.length * 2));
      grown.set(this.buffer);
      this.buffer = grown;
      this.view = new DataView(grown.buffer);
    }
    this.size = wanted;
    return at;
  }
}
