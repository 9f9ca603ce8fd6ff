/** A capture file as packets with field trees: what `getvpn decode` prints. */
import type { Bytes } from "../../src/base/bytes.ts";
import { toHex } from "../../src/base/bytes.ts";
import { createReassembly, type Reassembly, reassemble } from "../../src/esp/fragment.ts";
import { ipHeader } from "../../src/esp/ipHeader.ts";
import type { Field } from "../../src/wire/field.ts";
import type { CapturedPacket, CaptureProblem } from "./capture.ts";
import { dissectPacket } from "./dissect.ts";
import type { KeyRing } from "./keyRing.ts";
import { endpoints, summary } from "./packetSummary.ts";
import { readCapture } from "./readCapture.ts";

export interface DecodedPacket {
  /** From 1, as Wireshark counts frames. */
  readonly number: number;
  /** As the file has them: since the epoch, or since the start of the run in a capture of our own. */
  readonly micros: number;
  /** Address, with the port where there is one: `192.0.2.1:848`, `[2001:db8::1]:848`. Empty without IP. */
  readonly source: string;
  readonly destination: string;
  /** What it is, in a line. */
  readonly what: string;
  /** Side by side, in the order of the octets: IPv4, UDP, IKEv2. Offsets count from the start of the IP packet. */
  readonly layers: readonly Field[];
}

export interface DecodedCapture {
  /** Dissects a packet when it is asked for: only one field tree is held at a time. Runs through once. */
  readonly packets: Iterable<DecodedPacket>;
  /** Where the file could not be read further; the packets before that place are there. */
  readonly problem?: CaptureProblem;
}

/** `file`: a pcap or pcapng of any link type that `ipPacket` knows. `ring` opens what is encrypted. Never throws. */
export function decodeCapture(file: Bytes, ring?: KeyRing): DecodedCapture {
  const { packets, problem } = readCapture(file);
  return problem === undefined ? { packets: decodeAll(packets, ring) } : { packets: decodeAll(packets, ring), problem };
}

function* decodeAll(packets: readonly CapturedPacket[], ring: KeyRing | undefined): Generator<DecodedPacket> {
  const fragments = createReassembly();
  for (const packet of packets) yield decodePacket(packet, ring, wholeOf(packet, fragments));
}

function decodePacket(packet: CapturedPacket, ring: KeyRing | undefined, whole: Bytes | undefined): DecodedPacket {
  const { number, micros } = packet;
  const layers = marked(reassembled(layersOf(packet, ring), whole, ring), packet);
  return { number, micros, ...endpoints(layers), what: summary(layers), layers };
}

/** The IPv4 packet that this fragment completes. */
function wholeOf({ octets, micros }: CapturedPacket, fragments: Reassembly): Bytes | undefined {
  const header = ipHeader(octets);
  if (header === undefined) return undefined;
  const whole = reassemble(fragments, header, octets, micros);
  return whole === octets ? undefined : whole;
}

/** The last fragment's payload shows what all of them make up, as Wireshark does it. */
function reassembled(layers: readonly Field[], whole: Bytes | undefined, ring: KeyRing | undefined): readonly Field[] {
  const [header] = layers;
  const last = header?.children.at(-1);
  if (whole === undefined || header === undefined || last === undefined) return layers;
  const text = `${last.length} octets, the last of a packet of ${whole.length}`;
  const payload: Field = { ...last, text, plain: whole, children: dissectPacket(whole, ring).children };
  return [{ ...header, children: [...header.children.slice(0, -1), payload] }];
}

/** A frame without an IP packet is one field; its octets count from the start of the frame. */
function layersOf({ octets, frame, linkType }: CapturedPacket, ring: KeyRing | undefined): readonly Field[] {
  if (octets.length === 0) {
    const text = `${frame.length} octets without an IP packet, link type ${linkType}`;
    return [{ label: "Frame", offset: 0, length: frame.length, text, children: [] }];
  }
  const packet = dissectPacket(octets, ring);
  return packet.label.endsWith(" packet") ? packet.children : [packet];
}

/** The first layer tells of octets that the capture left away. */
function marked(layers: readonly Field[], { frame, wireLength }: CapturedPacket): readonly Field[] {
  const first = layers[0];
  if (wireLength <= frame.length || first === undefined) return layers;
  const problem = `the capture holds ${frame.length} of ${wireLength} octets`;
  return [{ ...first, problem: first.problem ?? problem }, ...layers.slice(1)];
}

/** A field as `--json` prints it: decrypted and reassembled octets in hexadecimal. */
export interface JsonField extends Omit<Field, "plain" | "children"> {
  readonly plain?: string;
  readonly children: readonly JsonField[];
}

export interface JsonPacket {
  readonly number: number;
  readonly micros: number;
  readonly layers: readonly JsonField[];
}

export function jsonPacket({ number, micros, layers }: DecodedPacket): JsonPacket {
  return { number, micros, layers: layers.map(jsonField) };
}

function jsonField({ label, offset, length, text, rfc, problem, plain, children }: Field): JsonField {
  return {
    label,
    offset,
    length,
    text,
    ...(rfc === undefined ? {} : { rfc }),
    ...(problem === undefined ? {} : { problem }),
    ...(plain === undefined ? {} : { plain: toHex(plain) }),
    children: children.map(jsonField),
  };
}
