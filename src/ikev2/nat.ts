/**
 * NAT detection and the port on which IKE shares with ESP. RFC 7296 section 2.23.
 *
 * Each side says in IKE_SA_INIT, as hashes, from where and to where it sends; the other compares with what it sees.
 */
import { type Bytes, EMPTY, equal, Writer } from "../base/bytes.ts";
import type { Endpoint } from "../base/machine.ts";
import type { Crypto } from "../crypto/api.ts";
import { writeAddress } from "../wire/address.ts";
import type { Notify } from "../wire/ikev2.ts";
import { NotifyType, Protocol } from "../wire/ikev2Numbers.ts";
import { NAT_PORT } from "../wire/nonEsp.ts";
import type { Payload } from "../wire/payloads.ts";
import type { EndpointConfig } from "./api.ts";
import type { IkeSa, NatFinding } from "./state.ts";

export function notify(type: number, data: Bytes = EMPTY): Payload {
  return { kind: "N", body: { protocol: Protocol.NONE, type, spi: EMPTY, data } };
}

/** SHA-1(SPIi | SPIr | IP | port). `spiResponder` is zero in the request. */
export function natHash(crypto: Crypto, spiInitiator: string, spiResponder: string, side: Endpoint): Bytes {
  const w = new Writer();
  w.hex(spiInitiator);
  w.hex(spiResponder);
  writeAddress(w, side.address);
  w.u16(side.port);
  const hash = crypto.hash("sha1", w.view());
  w.release();
  return hash;
}

export function natNotifies(
  crypto: Crypto,
  spiInitiator: string,
  spiResponder: string,
  local: Endpoint,
  remote: Endpoint,
): Payload[] {
  return [
    notify(NotifyType.NAT_DETECTION_SOURCE_IP, natHash(crypto, spiInitiator, spiResponder, local)),
    notify(NotifyType.NAT_DETECTION_DESTINATION_IP, natHash(crypto, spiInitiator, spiResponder, remote)),
  ];
}

/** What the peer's notifies say; undefined where it sent none. Several sources are allowed, one must fit. */
export function detectNat(
  crypto: Crypto,
  spiInitiator: string,
  spiResponder: string,
  local: Endpoint,
  remote: Endpoint,
  payloads: readonly Payload[],
): NatFinding | undefined {
  const sources = notifiesOf(payloads, NotifyType.NAT_DETECTION_SOURCE_IP);
  const targets = notifiesOf(payloads, NotifyType.NAT_DETECTION_DESTINATION_IP);
  if (sources.length === 0 || targets.length === 0) return undefined;
  const source = natHash(crypto, spiInitiator, spiResponder, remote);
  const target = natHash(crypto, spiInitiator, spiResponder, local);
  return {
    peerBehindNat: !sources.some(({ data }) => equal(data, source)),
    weBehindNat: !targets.some(({ data }) => equal(data, target)),
  };
}

function notifiesOf(payloads: readonly Payload[], type: number): Notify[] {
  const found: Notify[] = [];
  for (const payload of payloads) if (payload.kind === "N" && payload.body.type === type) found.push(payload.body);
  return found;
}

/** Moves an initiator's SA to the ports where NATs let IKE and ESP pass together. */
export function floatPorts(sa: IkeSa, config: EndpointConfig): void {
  const { localPort = NAT_PORT, remotePort = NAT_PORT } = config.nat ?? {};
  if (localPort === 0 || remotePort === 0) return;
  sa.local = { address: sa.local.address, port: localPort };
  sa.remote = { address: sa.remote.address, port: remotePort };
  sa.marker = true;
}
