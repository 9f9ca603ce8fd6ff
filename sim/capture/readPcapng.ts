/** pcapng (draft-ietf-opsawg-pcapng): sections of blocks, each section in a byte order of its own. */
import { type Bytes, fromUtf8 } from "../../src/base/bytes.ts";
import { type CapturedPacket, CaptureError } from "./capture.ts";
import { ipPacket } from "./linkLayer.ts";

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const PACKET_OBSOLETE = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;

const OPTION_END = 0;
const OPTION_COMMENT = 1;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;

/** Type, length, and length again. */
const FRAMING_OCTETS = 12;

interface Interface {
  readonly linkType: number;
  readonly name: string;
  /** Units of a time stamp in a second. */
  readonly perSecond: bigint;
  readonly offsetSeconds: bigint;
  /** Octets of a packet that are kept at most; 0 for all. */
  readonly snapLength: number;
}

/** A block's content without its framing. */
interface Block {
  readonly view: DataView;
  readonly octets: Bytes;
  readonly isLittle: boolean;
  /** Place of the block in the file. */
  readonly offset: number;
}

export function isPcapng(file: Bytes): boolean {
  return file.length >= 4 && new DataView(file.buffer, file.byteOffset).getUint32(0) === SECTION_HEADER;
}

export function* pcapngPackets(file: Bytes): Generator<CapturedPacket> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let interfaces: Interface[] = [];
  let isLittle = false;
  let number = 0;
  for (let at = 0; at < file.length; ) {
    if (file.length - at < FRAMING_OCTETS)
      throw new CaptureError("truncated", at, "the file ends within a block header");
    const isSection = view.getUint32(at) === SECTION_HEADER;
    if (isSection) {
      isLittle = sectionOrder(view, at);
      interfaces = [];
    }
    const type = view.getUint32(at, isLittle);
    const length = view.getUint32(at + 4, isLittle);
    checkFraming(view, at, length, isLittle);
    const octets = file.subarray(at + 8, at + length - 4);
    const block = {
      view: new DataView(file.buffer, file.byteOffset + at + 8, octets.length),
      octets,
      isLittle,
      offset: at,
    };
    if (isSection) checkVersion(block);
    else if (type === INTERFACE_DESCRIPTION) interfaces.push(readInterface(block));
    else {
      const read = PACKET_BLOCKS.get(type);
      if (read !== undefined) yield { number: ++number, ...read(block, interfaces) };
    }
    at += length;
  }
}

function sectionOrder(view: DataView, at: number): boolean {
  const magic = view.getUint32(at + 8);
  if (magic === BYTE_ORDER) return false;
  if (view.getUint32(at + 8, true) === BYTE_ORDER) return true;
  throw new CaptureError("badBlock", at + 8, "a section without byte order");
}

function checkFraming(view: DataView, at: number, length: number, isLittle: boolean): void {
  if (length < FRAMING_OCTETS || length % 4 !== 0) {
    throw new CaptureError("badBlock", at + 4, `a block of ${length} octets`);
  }
  if (length > view.byteLength - at) throw new CaptureError("truncated", at, "the file ends within a block");
  if (view.getUint32(at + length - 4, isLittle) !== length) {
    throw new CaptureError("badBlock", at + length - 4, "the lengths before and behind a block differ");
  }
}

function checkVersion({ view, isLittle, offset }: Block): void {
  if (view.byteLength < 16) throw new CaptureError("badBlock", offset, "a section header of less than 28 octets");
  const major = view.getUint16(4, isLittle);
  if (major !== 1) throw new CaptureError("badVersion", offset + 12, `pcapng of version ${major}`);
}

function readInterface(block: Block): Interface {
  need(block, 8);
  const { view, isLittle } = block;
  let name = "";
  let perSecond = 1_000_000n;
  let offsetSeconds = 0n;
  for (const { code, value } of readOptions(block, 8)) {
    if (code === IF_NAME) name = fromUtf8(value);
    else if (code === IF_TSRESOL && value.length >= 1) perSecond = resolution(value[0]!);
    else if (code === IF_TSOFFSET && value.length >= 8) {
      offsetSeconds = new DataView(value.buffer, value.byteOffset).getBigInt64(0, isLittle);
    }
  }
  const linkType = view.getUint16(0, isLittle);
  return { linkType, name, perSecond, offsetSeconds, snapLength: view.getUint32(4, isLittle) };
}

/** The uppermost bit tells a power of two from a power of ten. */
function resolution(value: number): bigint {
  return value & 0x80 ? 2n ** BigInt(value & 0x7f) : 10n ** BigInt(value);
}

type PacketFields = Omit<CapturedPacket, "number">;
type ReadPacket = (block: Block, interfaces: readonly Interface[]) => PacketFields;

const PACKET_BLOCKS: ReadonlyMap<number, ReadPacket> = new Map<number, ReadPacket>([
  [ENHANCED_PACKET, (block, interfaces) => timedPacket(block, interfaces, 4)],
  // The older block counts drops in the upper half of its interface field.
  [PACKET_OBSOLETE, (block, interfaces) => timedPacket(block, interfaces, 2)],
  [SIMPLE_PACKET, simplePacket],
]);

function timedPacket(block: Block, interfaces: readonly Interface[], indexOctets: 2 | 4): PacketFields {
  need(block, 20);
  const { view, isLittle } = block;
  const index = indexOctets === 4 ? view.getUint32(0, isLittle) : view.getUint16(0, isLittle);
  const length = view.getUint32(12, isLittle);
  const port = interfaceAt(block, interfaces, index);
  const stamp = (BigInt(view.getUint32(4, isLittle)) << 32n) | BigInt(view.getUint32(8, isLittle));
  const comments: string[] = [];
  const frame = frameAt(block, 20, length);
  for (const { code, value } of readOptions(block, 20 + ((length + 3) & ~3))) {
    if (code === OPTION_COMMENT) comments.push(fromUtf8(value));
  }
  return {
    micros: Number((stamp * 1_000_000n) / port.perSecond + port.offsetSeconds * 1_000_000n),
    linkType: port.linkType,
    interfaceName: port.name,
    octets: ipPacket(port.linkType, frame),
    frame,
    wireLength: view.getUint32(16, isLittle),
    comment: comments.join("\n"),
  };
}

/** No time stamp, no options; the packet belongs to the first interface and is cut at its snap length. */
function simplePacket(block: Block, interfaces: readonly Interface[]): PacketFields {
  need(block, 4);
  const port = interfaceAt(block, interfaces, 0);
  const wireLength = block.view.getUint32(0, block.isLittle);
  const frame = frameAt(block, 4, port.snapLength === 0 ? wireLength : Math.min(wireLength, port.snapLength));
  const octets = ipPacket(port.linkType, frame);
  return { micros: 0, linkType: port.linkType, interfaceName: port.name, octets, frame, wireLength, comment: "" };
}

function interfaceAt(block: Block, interfaces: readonly Interface[], index: number): Interface {
  const found = interfaces[index];
  if (found === undefined) throw new CaptureError("badBlock", block.offset, `interface ${index} was not described`);
  return found;
}

function frameAt({ octets, offset }: Block, start: number, length: number): Bytes {
  if (length > octets.length - start) {
    throw new CaptureError("badBlock", offset, `a packet of ${length} octets in a block of ${octets.length + 12}`);
  }
  return octets.subarray(start, start + length);
}

function* readOptions(block: Block, from: number): Generator<{ readonly code: number; readonly value: Bytes }> {
  const { view, octets, isLittle, offset } = block;
  for (let at = from; at + 4 <= octets.length; ) {
    const code = view.getUint16(at, isLittle);
    const length = view.getUint16(at + 2, isLittle);
    if (code === OPTION_END) return;
    if (length > octets.length - at - 4)
      throw new CaptureError("badBlock", offset + 8 + at, "an option beyond its block");
    yield { code, value: octets.subarray(at + 4, at + 4 + length) };
    at += 4 + ((length + 3) & ~3);
  }
}

function need({ octets, offset }: Block, count: number): void {
  if (octets.length < count) throw new CaptureError("badBlock", offset, `a block of ${octets.length + 12} octets`);
}
