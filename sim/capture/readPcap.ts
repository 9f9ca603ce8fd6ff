/** The classic capture format (draft-ietf-opsawg-pcap): a header of 24 octets, then records. */
import type { Bytes } from "../../src/base/bytes.ts";
import { type CapturedPacket, CaptureError } from "./capture.ts";
import { ipPacket } from "./linkLayer.ts";

const HEADER_OCTETS = 24;
const RECORD_OCTETS = 16;
/** The magic number read in big-endian order: is the file little-endian, and how many fractions has a microsecond. */
const MAGIC: ReadonlyMap<number, { readonly isLittle: boolean; readonly perMicro: number }> = new Map([
  [0xa1b2c3d4, { isLittle: false, perMicro: 1 }],
  [0xd4c3b2a1, { isLittle: true, perMicro: 1 }],
  [0xa1b23c4d, { isLittle: false, perMicro: 1000 }],
  [0x4d3cb2a1, { isLittle: true, perMicro: 1000 }],
]);
/** A record of more octets than this is a sign of a broken length, not of a packet. */
const FRAME_OCTETS_MAX = 1 << 24;

export function isPcap(file: Bytes): boolean {
  return file.length >= 4 && MAGIC.has(viewOf(file).getUint32(0));
}

export function* pcapPackets(file: Bytes): Generator<CapturedPacket> {
  const view = viewOf(file);
  const { isLittle, perMicro } = MAGIC.get(view.getUint32(0))!;
  if (file.length < HEADER_OCTETS) throw new CaptureError("truncated", 0, "the file ends within its header");
  const major = view.getUint16(4, isLittle);
  if (major !== 2) throw new CaptureError("badVersion", 4, `pcap of version ${major}`);
  // The upper bits of the field tell of a frame check sequence.
  const linkType = view.getUint32(20, isLittle) & 0xffff;
  let at = HEADER_OCTETS;
  for (let number = 1; at < file.length; number++) {
    if (file.length - at < RECORD_OCTETS)
      throw new CaptureError("truncated", at, "the file ends within a record header");
    const length = view.getUint32(at + 8, isLittle);
    if (length > FRAME_OCTETS_MAX) throw new CaptureError("badBlock", at + 8, `a record of ${length} octets`);
    const start = at + RECORD_OCTETS;
    if (file.length - start < length) throw new CaptureError("truncated", at, "the file ends within a record");
    const frame = file.subarray(start, start + length);
    yield {
      number,
      micros: view.getUint32(at, isLittle) * 1_000_000 + Math.floor(view.getUint32(at + 4, isLittle) / perMicro),
      linkType,
      interfaceName: "",
      octets: ipPacket(linkType, frame),
      frame,
      wireLength: view.getUint32(at + 12, isLittle),
      comment: "",
    };
    at = start + length;
  }
}

function viewOf(file: Bytes): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}
