/**
 * The data plane of one pair of Child SAs in tunnel mode: two directions with an SPI and keys each, a counter and a
 * replay window. RFC 4303. Between peers the outer header is the datagram's own, nothing is preserved.
 */
import { type Bytes, toHex, u32 } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Rng } from "../base/rng.ts";
import type { Crypto } from "../crypto/api.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import type { SaKeys } from "../crypto/prf.ts";
import type { Protection } from "../crypto/protector.ts";
import { encrSpec, integSpec } from "../crypto/suite.ts";
import { DUMMY, openEsp, readLabel, sealEsp } from "../esp/espPacket.ts";
import { half, type IpHeader, ipHeader } from "../esp/ipHeader.ts";
import { createReplayWindow, isFresh, markSeen, type ReplayWindow } from "../esp/replayWindow.ts";
import type { ChildKeys, ChildSuite, ChildView, SaNumber } from "../ikev2/api.ts";
import { IpProtocol } from "../wire/ip.ts";
import { admits, type FlowEnd } from "./selectors.ts";

/** The last sequence number: a pair must have been replaced before. RFC 4303 section 3.3.3. */
const SEQUENCE_LAST = 0xffff_ffff;
/** Numbers in the anti-replay window of each pair. */
export const REPLAY_WINDOW = 64;

export interface Tunnel {
  /** The IKE SA that it belongs to; changes when that one is rekeyed. */
  sa: SaNumber;
  readonly view: ChildView;
  readonly protection: Protection;
  /** Sequence number that went out last. */
  sent: number;
  received: number;
  readonly window: ReplayWindow;
}

/** Why ESP was thrown away. */
export const ESP_DROPS = {
  spi: "No Child SA has this SPI.",
  replay: "The sequence number was seen before, or lies behind the window.",
  verify: "The integrity check failed.",
  malformed: "Too short, bad padding, or no IPv4 packet inside.",
  dummy: "A packet that is there to be thrown away (RFC 4303 section 2.6).",
  selector: "The packet inside does not fit the traffic selectors.",
  exhausted: "All sequence numbers are used up.",
} as const satisfies Readonly<Record<string, string>>;

export type EspDrop = keyof typeof ESP_DROPS;

export function createTunnel(sa: SaNumber, view: ChildView): Tunnel {
  const { suite } = view;
  const encr = encrSpec(suite.encr, suite.encrKeyBits);
  assert(encr !== undefined, "a Child SA with a cipher that is not implemented");
  const protection = { encr, integ: integSpec(suite.integ) };
  return { sa, view, protection, sent: 0, received: 0, window: createReplayWindow(REPLAY_WINDOW) };
}

/** `ENCR_AES_CBC_256/AUTH_HMAC_SHA2_256_128`. */
export function suiteName(suite: ChildSuite): string {
  const encr = encrSpec(suite.encr, suite.encrKeyBits)?.name ?? String(suite.encr);
  const integ = integSpec(suite.integ)?.name;
  return integ === undefined ? encr : `${encr}/${integ}`;
}

export function hexSpi(spi: number): string {
  return toHex(u32(spi));
}

/** Both directions, for key tables. */
export function tunnelKeys(view: ChildView): KeyEntry[] {
  const { encr, encrKeyBits, integ } = view.suite;
  const entry = (spi: number, from: string, to: string, keys: ChildView["inbound"]): KeyEntry => ({
    kind: "esp",
    spi: hexSpi(spi),
    source: from,
    destination: to,
    encr,
    encrKeyBits,
    integ,
    encrKey: keys.encr,
    integKey: keys.integ,
  });
  const { local, remote } = view;
  return [
    entry(view.inboundSpi, remote.address, local.address, view.inbound),
    entry(view.outboundSpi, local.address, remote.address, view.outbound),
  ];
}

function saKeys({ encr, integ }: ChildKeys): SaKeys {
  return { encr: encr.secret, integ: integ.secret };
}

/** `packet`: a whole IPv4 packet. Returns ESP from the SPI on. */
export function sealTunnel(crypto: Crypto, rng: Rng, tunnel: Tunnel, packet: Bytes): Bytes | EspDrop {
  const header = ipHeader(packet);
  if (header === undefined) return "malformed";
  const ends = flowEnds(header, packet);
  const { view } = tunnel;
  if (!admits(view.localSelectors, ends.source) || !admits(view.remoteSelectors, ends.destination)) return "selector";
  if (tunnel.sent === SEQUENCE_LAST) return "exhausted";
  tunnel.sent += 1;
  const label = { spi: view.outboundSpi, sequence: tunnel.sent };
  const content = { nextHeader: IpProtocol.IPV4, payload: packet };
  return sealEsp(crypto, tunnel.protection, saKeys(view.outbound), label, nextIv(tunnel, rng), content);
}

/** The counter is the IV of ciphers that count: unique under the keys of this direction. RFC 4106 section 3.1. */
function nextIv({ protection: { encr }, sent }: Tunnel, rng: Rng): Bytes {
  if (encr.ivKind !== "counter") return rng.bytes(encr.iv);
  const iv = new Uint8Array(encr.iv);
  new DataView(iv.buffer).setUint32(encr.iv - 4, sent);
  return iv;
}

/** `octets`: from the SPI on, for this pair. The order is that of RFC 4303 section 3.4: window, ICV, window, contents. */
export function openTunnel(crypto: Crypto, tunnel: Tunnel, octets: Bytes): Bytes | EspDrop {
  const label = readLabel(octets);
  if (label === undefined) return "malformed";
  if (!isFresh(tunnel.window, label.sequence)) return "replay";
  const { view } = tunnel;
  const opened = openEsp(crypto, tunnel.protection, saKeys(view.inbound), octets);
  if (opened === "verify") return "verify";
  if (typeof opened === "string") return "malformed";
  markSeen(tunnel.window, label.sequence);
  if (opened.nextHeader === DUMMY) return "dummy";
  const header = opened.nextHeader === IpProtocol.IPV4 ? ipHeader(opened.payload) : undefined;
  if (header === undefined) return "malformed";
  const ends = flowEnds(header, opened.payload);
  if (!admits(view.remoteSelectors, ends.source) || !admits(view.localSelectors, ends.destination)) return "selector";
  tunnel.received += 1;
  return opened.payload;
}

const HAS_PORTS: readonly number[] = [IpProtocol.TCP, IpProtocol.UDP];

function flowEnds(header: IpHeader, packet: Bytes): { readonly source: FlowEnd; readonly destination: FlowEnd } {
  const { protocol, headerOctets } = header;
  const visible = HAS_PORTS.includes(protocol) && header.fragmentOffset === 0 && packet.length >= headerOctets + 4;
  const end = (address: number, at: number): FlowEnd => {
    return { address, protocol, port: visible ? half(packet, headerOctets + at) : undefined };
  };
  return { source: end(header.source, 0), destination: end(header.destination, 2) };
}
