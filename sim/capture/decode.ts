/** A capture file as packets with field trees: what `getvpn decode` prints. */
import type { Bytes } from "../../src/base/bytes.ts";
import { toHex } from "../../src/base/bytes.ts";
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
  for (const packet of packets) yield decodePacket(packet, ring);
}

function decodePacket(packet: CapturedPacket, ring: KeyRing | undefined): DecodedPacket {
  const { number, micros } = packet;
  const layers = marked(layersOf(packet, ring), packet);
  return { number, micros, ...endpoints(layers), what: summary(layers), layers };
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

/** A field as `--json` prints it: decrypted octets in hexadecimal. */
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
