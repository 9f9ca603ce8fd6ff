/**
 * NAT detection and the port on which IKE shares with ESP. RFC 3947. Both sides must have sent the vendor id; each then
 * says as hashes to where and from where it sends, and the other compares with what it sees.
 */
import { type Bytes, equal, Writer } from "../base/bytes.ts";
import type { Endpoint } from "../base/machine.ts";
import { SECOND } from "../base/micros.ts";
import type { Crypto } from "../crypto/api.ts";
import { writeAddress } from "../wire/address.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";
import { NAT_KEEPALIVE, NAT_PORT } from "../wire/nonEsp.ts";
import type { EndpointConfig } from "./api.ts";
import { happened } from "./events.ts";
import { type Arrival, type IsakmpSa, isEstablished, type NatFinding, startTimer, type Turn } from "./state.ts";

export function natEnabled(config: EndpointConfig): boolean {
  return config.nat?.detect ?? true;
}

/** hash(CKY-I | CKY-R | IP | port) with the negotiated hash. */
function natHash(crypto: Crypto, sa: IsakmpSa, side: Endpoint): Bytes {
  const w = new Writer();
  w.hex(sa.cookieInitiator);
  w.hex(sa.cookieResponder);
  writeAddress(w, side.address);
  w.u16(side.port);
  const hash = crypto.hash(sa.agreed!.suite.hash, w.view());
  w.release();
  return hash;
}

/** The peer's address first, then our own. Empty where the peer did not announce NAT traversal. */
export function natPayloads(turn: Turn, sa: IsakmpSa): IsakmpPayload[] {
  if (!sa.abilities.nat || !natEnabled(turn.endpoint.config)) return [];
  return [sa.remote, sa.local].map((side) => ({
    kind: "NAT-D",
    body: { data: natHash(turn.tools.crypto, sa, side) },
  }));
}

/** Compares the peer's NAT-D payloads with what we see; `from` is where they came from. True where a NAT was found. */
export function noteNat(turn: Turn, sa: IsakmpSa, from: Arrival, payloads: readonly IsakmpPayload[]): boolean {
  if (!natEnabled(turn.endpoint.config)) return false;
  const finding = detectNat(turn.tools.crypto, sa, from, payloads);
  if (finding === undefined || (!finding.peerBehindNat && !finding.weBehindNat)) return false;
  sa.nat = finding;
  const who = finding.peerBehindNat ? (finding.weBehindNat ? "both" : "peer") : "us";
  turn.outcomes.push(happened("isakmp.natDetected", sa.number, sa.remote, { who }));
  return true;
}

function detectNat(
  crypto: Crypto,
  sa: IsakmpSa,
  from: Arrival,
  payloads: readonly IsakmpPayload[],
): NatFinding | undefined {
  const hashes = payloads.flatMap((payload) => (payload.kind === "NAT-D" ? [payload.body.data] : []));
  const [target, ...sources] = hashes;
  if (target === undefined || sources.length === 0) return undefined;
  const source = natHash(crypto, sa, from.remote);
  return {
    peerBehindNat: !sources.some((candidate) => equal(candidate, source)),
    weBehindNat: !equal(target, natHash(crypto, sa, from.local)),
  };
}

/** Moves an initiator's SA to the ports where NATs let IKE and ESP pass together. RFC 3947 section 4. */
export function floatPorts(sa: IsakmpSa, config: EndpointConfig): void {
  const { localPort = NAT_PORT, remotePort = NAT_PORT } = config.nat ?? {};
  if (localPort === 0 || remotePort === 0) return;
  sa.local = { address: sa.local.address, port: localPort };
  sa.remote = { address: sa.remote.address, port: remotePort };
  sa.marker = true;
}

/**
 * The peer was heard genuinely. A responder's peer may have floated to another port with its first protected message;
 * later only a peer behind a NAT may move, and only where we are not behind one ourselves.
 */
export function noteArrival(turn: Turn, sa: IsakmpSa, { local, remote, marked }: Arrival): void {
  sa.heardAt = turn.now;
  sa.dpd.unanswered = 0;
  const isSame = sa.remote.port === remote.port && sa.remote.address === remote.address && sa.local.port === local.port;
  if (isSame) return;
  const floats = !sa.initiator && !isEstablished(sa);
  if (!floats && !(sa.nat.peerBehindNat && !sa.nat.weBehindNat)) return;
  sa.local = local;
  sa.remote = remote;
  sa.marker = marked;
  turn.outcomes.push(happened("isakmp.moved", sa.number, remote));
}

/** Interval of strongSwan. */
const KEEPALIVE = 20 * SECOND;

export function startKeepalive(turn: Turn, sa: IsakmpSa): void {
  const interval = turn.endpoint.config.nat?.keepaliveMicros ?? KEEPALIVE;
  if (sa.nat.weBehindNat && interval > 0) startTimer(turn, sa, "keepalive", interval);
}

/** One octet, without marker, where nothing else has passed the NAT for a while. */
export function onKeepaliveTimer(turn: Turn, sa: IsakmpSa): void {
  const interval = turn.endpoint.config.nat?.keepaliveMicros ?? KEEPALIVE;
  const quiet = turn.now - sa.sentAt;
  if (quiet >= interval) {
    const { local, remote } = sa;
    turn.outcomes.push({ kind: "send", local, remote, octets: NAT_KEEPALIVE });
    sa.sentAt = turn.now;
  }
  startTimer(turn, sa, "keepalive", quiet >= interval ? interval : interval - quiet);
}
