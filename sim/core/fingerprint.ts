/**
 * The fingerprint of a run: SHA-256 over everything that happened, in order. Two runs with one fingerprint are the same
 * run, in whichever host and with whichever crypto back end they took place. It covers neither log level, nor event
 * data, nor numbers of packets, so that neither a switch of presentation nor sharing of results moves it.
 *
 * The hashed stream is the concatenation of one record per event, in the order of event numbers:
 *
 *     offset  octets
 *          0  8       time, microseconds, unsigned, big-endian
 *          8  4       device, index into the devices of the trace head, unsigned, big-endian
 *         12  1       length k of the kind in octets, 1 to 255
 *         13  k       kind, UTF-8, such as `packet.sent`
 *     13 + k  4       0xffffffff without a packet; else the length p of the packet, unsigned, big-endian
 *     17 + k  p       octets of the packet, from its IP header on
 *
 * The result is written as 64 lower-case hexadecimal digits.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, toHex, utf8 } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import type { Micros } from "../../src/base/micros.ts";

/** An incremental SHA-256. A host may hand in a faster one than the default; the digest is the same. */
export interface Sha256 {
  update(octets: Bytes): void;
  /** The digest of all octets so far; more may follow. */
  digest(): Bytes;
}

const BUFFER_OCTETS = 1 << 16;
const NO_PACKET = 0xffffffff;
const TWO_32 = 2 ** 32;

export class Fingerprint {
  private readonly hash: Sha256;
  private readonly kinds = new Map<string, Bytes>();
  private readonly buffer = new Uint8Array(BUFFER_OCTETS);
  private readonly view = new DataView(this.buffer.buffer);
  private fill = 0;

  constructor(hash: Sha256 = nobleSha256()) {
    this.hash = hash;
  }

  /** Adds one event. `packet`: from the IP header on, undefined where the event concerns none. */
  event(time: Micros, device: number, kind: string, packet: Bytes | undefined): void {
    const name = this.kinds.get(kind) ?? this.learn(kind);
    const size = 17 + name.length;
    if (this.fill + size > BUFFER_OCTETS) this.flush();
    const view = this.view;
    let at = this.fill;
    view.setUint32(at, Math.floor(time / TWO_32));
    view.setUint32(at + 4, time % TWO_32);
    view.setUint32(at + 8, device);
    view.setUint8(at + 12, name.length);
    this.buffer.set(name, at + 13);
    at += 13 + name.length;
    view.setUint32(at, packet === undefined ? NO_PACKET : packet.length);
    this.fill = at + 4;
    if (packet === undefined) return;
    if (this.fill + packet.length > BUFFER_OCTETS) this.flush();
    if (packet.length > BUFFER_OCTETS) {
      this.hash.update(packet);
      return;
    }
    this.buffer.set(packet, this.fill);
    this.fill += packet.length;
  }

  /** The fingerprint of all events so far; more may follow. */
  hex(): string {
    this.flush();
    return toHex(this.hash.digest());
  }

  private learn(kind: string): Bytes {
    const name = utf8(kind);
    assert(name.length >= 1 && name.length <= 255, `kind of 1 to 255 octets: ${kind}`);
    this.kinds.set(kind, name);
    return name;
  }

  private flush(): void {
    if (this.fill > 0) this.hash.update(this.buffer.subarray(0, this.fill));
    this.fill = 0;
  }
}

function nobleSha256(): Sha256 {
  const hash = sha256.create();
  return {
    update: (octets) => void hash.update(octets),
    digest: () => hash.clone().digest(),
  };
}
