/**
 * ESP as it travels. What lies behind the sequence number depends on the SA: IV, ciphertext and ICV are one field here,
 * and whoever holds the keys opens it. RFC 4303 section 2.
 */
import { type Bytes, Reader } from "../base/bytes.ts";
import type { Field } from "./field.ts";
import { IpProtocol } from "./ip.ts";
import { hexNumber, type Infer, NO_SCOPE, nameOf, rest, struct, u32 } from "./kit.ts";
import { Tree } from "./tree.ts";

export const ESP_HEADER_LENGTH = 8;

export const Esp = struct(
  "ESP",
  "RFC 4303 2",
  { spi: u32.shown(hexNumber(4)), sequence: u32, body: rest },
  (esp) => `SPI ${hexNumber(4)(esp.spi)}, sequence ${esp.sequence}`,
);
export type Esp = Infer<typeof Esp>;

/** What the holder of the keys made of a packet. */
export interface OpenedEsp {
  /** Decrypted octets with padding, pad length and next header. */
  readonly plain: Bytes;
  readonly ivLength: number;
  readonly icvLength: number;
  readonly problem?: string;
}

export type OpenEsp = (octets: Bytes, spi: number) => OpenedEsp | undefined;

/** The field tree; `inner` dissects the packet inside (next header, octets). Never throws. */
export function dissectEsp(octets: Bytes, open?: OpenEsp, inner?: (nextHeader: number, octets: Bytes) => Field): Field {
  const tree = new Tree("ESP", octets.length);
  const r = new Reader(octets);
  tree.attempt(r, octets.length, () => {
    const spi = u32.shown(hexNumber(4)).read(r, tree, "SPI", NO_SCOPE);
    const sequence = u32.read(r, tree, "Sequence number", NO_SCOPE);
    tree.describe(`SPI ${hexNumber(4)(spi)}, sequence ${sequence}`, "RFC 4303 2");
    const at = r.at;
    r.rest();
    const opened = open?.(octets, spi);
    if (opened === undefined) tree.leaf("IV, encrypted data and ICV", at, r.at, `${r.at - at} octets`);
    else dissectOpened(tree, at, r.at, opened, inner);
  });
  return tree.finish(octets.length);
}

function dissectOpened(
  tree: Tree,
  at: number,
  end: number,
  opened: OpenedEsp,
  inner: ((nextHeader: number, octets: Bytes) => Field) | undefined,
): void {
  const { plain, ivLength, icvLength } = opened;
  tree.leaf("IV", at, at + ivLength, `${ivLength} octets`);
  tree.leaf("Encrypted data", at + ivLength, end - icvLength, `${plain.length} octets, decrypted`);
  const body = new Tree("Decrypted", plain.length);
  const padLength = plain[plain.length - 2] ?? 0;
  const nextHeader = plain[plain.length - 1] ?? 0;
  const payloadEnd = plain.length - 2 - padLength;
  const good = plain.length >= 2 && payloadEnd >= 0;
  const packetEnd = good ? payloadEnd : Math.max(0, plain.length - 2);
  const packet = plain.subarray(0, packetEnd);
  const dissected = inner?.(nextHeader, packet);
  if (dissected !== undefined && packetEnd > 0) body.graft(dissected, 0);
  else body.leaf("Payload", 0, packetEnd, `${packetEnd} octets`);
  body.leaf("Padding", packetEnd, plain.length - 2, `${plain.length - 2 - packetEnd} octets`);
  body.leaf("Pad length", plain.length - 2, plain.length - 1, String(padLength));
  if (!good) body.problem("pad length exceeds the packet");
  body.leaf("Next header", plain.length - 1, plain.length, `${nameOf(IpProtocol.space, nextHeader)} (${nextHeader})`);
  const root = body.finish(plain.length);
  tree.attach(plain, root.label === "Decrypted" ? root.children : [root]);
  if (opened.problem !== undefined) tree.problem(opened.problem);
  tree.leaf("Integrity check value", end - icvLength, end, opened.problem ?? "correct");
}
