/**
 * The port on which IKE and ESP share a way through NATs: four zeros in front of an IKE message stand where ESP has its
 * SPI, and one octet keeps a NAT's entry alive. RFC 3948 section 2, RFC 7296 section 2.23.
 */
import { type Bytes, concat, equal } from "../base/bytes.ts";

export const NAT_PORT = 4500;
export const NON_ESP_MARKER: Bytes = new Uint8Array(4);

const IKE_PORT = 500;
const GKM_PORT = 848;

/** Ports that ESP never shares: nothing there has a marker. */
export function isPlainIkePort(port: number): boolean {
  return port === IKE_PORT || port === GKM_PORT;
}

/**
 * Whether datagrams between these ports carry the non-ESP marker: never where one side has 500 or 848, always where one
 * has 4500, and otherwise as configured (`auto`: with the marker, as strongSwan demands on ports of its own).
 */
export function marksDatagrams(
  marker: "never" | "always" | "auto" | undefined,
  localPort: number,
  remotePort: number,
): boolean {
  if (isPlainIkePort(localPort) || isPlainIkePort(remotePort)) return false;
  if (localPort === NAT_PORT || remotePort === NAT_PORT) return true;
  return (marker ?? "auto") !== "never";
}

/** The marker stands in front of something. */
export function isMarked(payload: Bytes): boolean {
  return payload.length > 4 && payload[0] === 0 && payload[1] === 0 && payload[2] === 0 && payload[3] === 0;
}

/** It stands alone, without the marker. */
export const NAT_KEEPALIVE: Bytes = Uint8Array.of(0xff);

export function isNatKeepalive(payload: Bytes): boolean {
  return equal(payload, NAT_KEEPALIVE);
}

/** `message` as it travels: with the marker or without. */
export function markedIf(marker: boolean, message: Bytes): Bytes {
  return marker ? concat(NON_ESP_MARKER, message) : message;
}

/** The message behind the marker, where there is one. */
export function unmarked(payload: Bytes): Bytes {
  return isMarked(payload) ? payload.subarray(NON_ESP_MARKER.length) : payload;
}
