/** What a data plane counts, under the names that IOS shows it by. */

/**
 * Left: our name. Right: `show crypto ipsec sa` (with `#`) or `show crypto gkm gm dataplane counters`; drops that IOS
 * counts together share a text.
 */
export const COUNTERS = {
  encaps: "#pkts encaps",
  encrypt: "#pkts encrypt",
  digest: "#pkts digest",
  decaps: "#pkts decaps",
  decrypt: "#pkts decrypt",
  verify: "#pkts verify",
  sendErrors: "#send errors",
  recvErrors: "#recv errors",
  noSa: "no sa (send)",
  invalidSa: "invalid sa (rcv)",
  encapsFail: "encaps fail",
  decapsFail: "decap fail",
  invalidProtocol: "invalid prot",
  verifyFail: "verify fail",
  replayFail: "replay fail",
  clearDropped: "clear dropped",
  failCloseDropped: "fail-close dropped",
  internalErrors: "internal err",
} as const;

export type CounterName = keyof typeof COUNTERS;

export type Counters = Record<CounterName, number>;

/** What everything counts that no packet has come to yet; `count` of the data plane puts counters of its own in its place. */
export const NO_COUNTS = Object.freeze(Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0]))) as Counters;

export function newCounters(): Counters {
  return { ...NO_COUNTS };
}

/**
 * Why a packet did not pass.
 * - `noSa` it must be protected and there is no SA to do it with
 * - `invalidSa` ESP with an SPI that is not installed
 * - `expired` ESP with an SA whose lifetime is over
 * - `verify` the ICV is wrong
 * - `malformed` too short, padding not 1, 2, 3 ..., or an inner packet that is none
 * - `dummy` ESP's dummy packet, dropped silently
 * - `replay` seen before, or older than the window
 * - `addressesChanged` inner and outer addresses differ: the outer header was changed on the way, by a NAT for instance
 * - `selector` the inner packet is not one that this SA protects
 * - `protocol` next header neither IPv4 in tunnel mode nor a transport protocol in transport mode
 * - `clear` a packet in clear that the policy wants protected
 * - `failClose` before registration, with `fail-close` activated
 * - `fragment` a fragment cannot go through transport mode (RFC 4303 section 3.3.4)
 * - `senderId` a counter-mode cipher and no sender ID to begin the IV with (RFC 6054)
 * - `sequence` the sequence numbers of the SA are used up
 * - `tooLarge` it would exceed the size of an IP packet
 * - `notIp` no whole IPv4 packet
 */
export const DROP_COUNTERS = {
  noSa: "noSa",
  invalidSa: "invalidSa",
  expired: "invalidSa",
  verify: "verifyFail",
  malformed: "decapsFail",
  dummy: "decapsFail",
  replay: "replayFail",
  addressesChanged: "decapsFail",
  selector: "decapsFail",
  protocol: "invalidProtocol",
  clear: "clearDropped",
  failClose: "failCloseDropped",
  fragment: "encapsFail",
  senderId: "encapsFail",
  sequence: "encapsFail",
  tooLarge: "encapsFail",
  notIp: "internalErrors",
} as const satisfies Record<string, CounterName>;

export type DropReason = keyof typeof DROP_COUNTERS;
