/**
 * Messages under a KEK, told from everything else on UDP 848 and 4500 by their headers: the version says whether it is
 * IKEv1 or IKEv2, the exchange type which message, and both cookies (or SPIs) together name the rekey SA.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Datagram } from "../base/machine.ts";
import { rekeyAckHeaderOf, rekeyHeaderOf } from "../gikev2/rekeyHeader.ts";
import { isMarked, isPlainIkePort, NAT_PORT, unmarked } from "../wire/nonEsp.ts";
import { ackSpiOf } from "./ack.ts";
import { pushSpiOf } from "./push.ts";

export interface GroupMessageHeader {
  readonly protocol: "gikev2" | "gdoi";
  /** 32 hexadecimal digits. */
  readonly spi: string;
  /** Undefined with GDOI, whose number is inside the message. */
  readonly messageId?: number;
}

/** A datagram as it came: `octets` are without the non-ESP marker, and `marked` says whether it was there. */
export interface Arrival extends Datagram {
  readonly marked: boolean;
}

/**
 * What a role reads of a datagram. On 500 and 848 there is no marker, and zeros are an SPI's. Undefined where ESP shares the
 * port and the marker is missing: the IKE rooms count it.
 */
export function arrivalOf(datagram: Datagram): Arrival | undefined {
  const { octets, local, remote } = datagram;
  const marked = isMarked(octets) && !isPlainIkePort(local.port);
  if (marked) return { local, remote, octets: unmarked(octets), marked };
  return local.port === NAT_PORT ? undefined : { local, remote, octets, marked };
}

/** A rekey of either protocol; undefined for other octets. Nothing of it is authenticated yet. */
export function groupRekeyOf(octets: Bytes): GroupMessageHeader | undefined {
  return headerOf(rekeyHeaderOf(octets), pushSpiOf(octets));
}

/** The same for acknowledgements of rekeys. */
export function groupAckOf(octets: Bytes): GroupMessageHeader | undefined {
  return headerOf(rekeyAckHeaderOf(octets), ackSpiOf(octets));
}

/** A datagram for an IKEv1 endpoint: by the version in its header, behind the non-ESP marker where there is one. */
export function isIkev1(octets: Bytes): boolean {
  const version = unmarked(octets)[VERSION_OFFSET];
  return version !== undefined && version >>> 4 === 1;
}

const VERSION_OFFSET = 17;

function headerOf(
  gikev2: { readonly spi: string; readonly messageId: number } | undefined,
  gdoi: string | undefined,
): GroupMessageHeader | undefined {
  if (gikev2 !== undefined) return { protocol: "gikev2", ...gikev2 };
  return gdoi === undefined ? undefined : { protocol: "gdoi", spi: gdoi };
}
