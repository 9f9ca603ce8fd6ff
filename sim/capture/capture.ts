/** What any capture file is read into. */
import type { Bytes } from "../../src/base/bytes.ts";

export interface CapturedPacket {
  /** From 1, as Wireshark counts frames. */
  readonly number: number;
  /** Since the epoch, rounded down. */
  readonly micros: number;
  /** Link type of the interface, by tcpdump's registry. */
  readonly linkType: number;
  /** Empty where the file names no interfaces. */
  readonly interfaceName: string;
  /** From the IP header on, without padding; empty where the frame holds no IP packet or the link type is not known. */
  readonly octets: Bytes;
  /** The frame as captured, from the link layer on. */
  readonly frame: Bytes;
  /** Octets of the frame on the wire; more than in `frame` where the capture cut it off. */
  readonly wireLength: number;
  /** Comments, one a line; empty without. */
  readonly comment: string;
}

/**
 * - `notCapture` the file begins like neither pcap nor pcapng
 * - `truncated` the file ends within a header, a record or a block
 * - `badBlock` a length contradicts its surroundings, or a packet names an interface that was not described
 * - `badVersion` a major version that nobody has defined
 */
export type CaptureProblemCode = "notCapture" | "truncated" | "badBlock" | "badVersion";

/** Where reading ended. `offset`: octets from the start of the file. */
export interface CaptureProblem {
  readonly code: CaptureProblemCode;
  readonly offset: number;
  readonly message: string;
}

export interface Capture {
  readonly packets: readonly CapturedPacket[];
  /** Present where the file was not read to its end; the packets before that place are kept. */
  readonly problem?: CaptureProblem;
}

/** Ends reading at a place; caught in `readCapture`, which keeps what was read so far. */
export class CaptureError extends Error {
  readonly code: CaptureProblemCode;
  readonly offset: number;

  constructor(code: CaptureProblemCode, offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}
