/**
 * Which dialect of G-IKEv2 a decrypted message speaks, for captures whose keys do not name it. RFC 9838 and draft-yeung
 * use the same payload numbers for GSA and KD; their first octets tell them apart.
 *
 * | payload | octets | RFC 9838 | draft-yeung |
 * |---|---|---|---|
 * | GSA | 1, any | no protocol of a group | KEK policy, reserved |
 * | GSA | 2 or 3, second | SPI size 4 | reserved 0 |
 * | GSA | 0 or 6, any | group-wide policy, rekey SA | no policy |
 * | KD | 0, second | member key bag, reserved 0 | number of packets below 256, never 0 |
 * | KD | 2, 3 or 6, any | group key bag | 512 packets or more: not in a datagram |
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { PayloadType } from "../../src/wire/ikev2Numbers.ts";
import { type Registry, RFC9838, YEUNG07 } from "../../src/wire/payloads.ts";

/** `octets`: the inner payloads of an encrypted message, `first` the number of the first one. */
export function guessDialect(octets: Bytes, first: number): Registry {
  let number = first;
  for (let at = 0; number !== PayloadType.NONE && at + 4 <= octets.length; ) {
    const length = (octets[at + 2]! << 8) | octets[at + 3]!;
    if (length < 6) break;
    const [one, two] = [octets[at + 4], octets[at + 5]];
    if (number === PayloadType.GSA) return one === 1 || ((one === 2 || one === 3) && two === 0) ? YEUNG07 : RFC9838;
    if (number === PayloadType.KD) return one === 1 || (one === 0 && two !== 0) ? YEUNG07 : RFC9838;
    number = octets[at]!;
    at += length;
  }
  return RFC9838;
}
