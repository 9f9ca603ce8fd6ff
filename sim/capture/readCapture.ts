/** Reads captures, pcap or pcapng, of either byte order. Never throws for what is in the file. */
import type { Bytes } from "../../src/base/bytes.ts";
import { type Capture, type CapturedPacket, CaptureError } from "./capture.ts";
import { isPcap, pcapPackets } from "./readPcap.ts";
import { isPcapng, pcapngPackets } from "./readPcapng.ts";

/**
 * All packets of a file. Where it is broken, those before the broken place and a `problem` that names the place. The
 * packets are views into `file`.
 */
export function readCapture(file: Bytes): Capture {
  const packets: CapturedPacket[] = [];
  try {
    for (const packet of packetsOf(file)) packets.push(packet);
    return { packets };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { packets, problem: { code: error.code, offset: error.offset, message: error.message } };
  }
}

function packetsOf(file: Bytes): Iterable<CapturedPacket> {
  if (isPcap(file)) return pcapPackets(file);
  if (isPcapng(file)) return pcapngPackets(file);
  throw new CaptureError("notCapture", 0, "the file begins like neither pcap nor pcapng");
}
