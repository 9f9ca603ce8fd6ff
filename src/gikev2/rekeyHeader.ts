/** The header of a rekey message: 16 octets of SPI are one field that finds the rekey SA. RFC 9838 section 2.4.1.3. */
import type { Bytes } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { decodeHeader, isResponse } from "../wire/ikeMessage.ts";
import { Exchange } from "../wire/ikev2Numbers.ts";

export interface RekeyHeader {
  /** 32 hexadecimal digits. */
  readonly spi: string;
  readonly messageId: number;
}

/** Undefined for octets that are no GSA_REKEY. Nothing of it is authenticated yet. */
export function rekeyHeaderOf(octets: Bytes): RekeyHeader | undefined {
  return headerOf(octets, false);
}

/** The same for the acknowledgement of a rekey, where the dialect has one. */
export function rekeyAckHeaderOf(octets: Bytes): RekeyHeader | undefined {
  return headerOf(octets, true);
}

function headerOf(octets: Bytes, response: boolean): RekeyHeader | undefined {
  // The exchange type stands at offset 18; looking at it first spares all other traffic a decoding.
  if (octets.length < 28 || octets[18] !== Exchange.GSA_REKEY) return undefined;
  try {
    const header = decodeHeader(octets);
    if (header.version >>> 4 !== 2 || isResponse(header) !== response) return undefined;
    return { spi: header.spiInitiator + header.spiResponder, messageId: header.messageId };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
