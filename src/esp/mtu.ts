/** How large a packet may be so that it still fits once it is sealed. */
import type { Protection } from "../crypto/protector.ts";
import { icvOctets } from "../crypto/protector.ts";
import { ESP_HEADER_LENGTH } from "../wire/esp.ts";
import { alignmentOf } from "./espPacket.ts";
import { IP_HEADER_OCTETS } from "./ipHeader.ts";

/**
 * Octets of the largest packet, IP header included, that tunnel mode gets through `pathMtu`; what IOS prints as
 * `plaintext mtu`: floor((path - 20 - 8 - IV - ICV - metadata) / B) * B - 2. Checked against real output: 1438 with
 * AES-CBC and HMAC-SHA1-96 (1422 with the 12 octets of time-based anti-replay), 1446 with AES-GCM.
 * `metadataOctets`: what Cisco's extensions add inside ESP.
 */
export function plaintextMtu(pathMtu: number, protection: Protection, metadataOctets = 0): number {
  const around = IP_HEADER_OCTETS + ESP_HEADER_LENGTH + protection.encr.iv + icvOctets(protection) + metadataOctets;
  const alignment = alignmentOf(protection.encr);
  return Math.floor((pathMtu - around) / alignment) * alignment - 2;
}
