/** What sealing has added to the packets of a device, and which addresses it has shown. */
import type { Bytes } from "../../src/base/bytes.ts";
import { word } from "../../src/esp/ipHeader.ts";

/** Plain data, over all lives of the device. */
export interface SealedCount {
  /** Packets that were given to a data plane and came out sealed. */
  packets: number;
  /** Octets that came out beyond those that went in. */
  octetsAdded: number;
  /** Source and destination of the outer headers. */
  readonly addressPairs: Set<string>;
}

export function newSealedCount(): SealedCount {
  return { packets: 0, octetsAdded: 0, addressPairs: new Set() };
}

/** `packet` was cut into and sealed as `parts`. */
export function countSealed(count: SealedCount, packet: Bytes, parts: readonly Bytes[]): void {
  count.packets += 1;
  count.octetsAdded -= packet.length;
  for (const part of parts) {
    count.octetsAdded += part.length;
    count.addressPairs.add(`${word(part, 12)} ${word(part, 16)}`);
  }
}
