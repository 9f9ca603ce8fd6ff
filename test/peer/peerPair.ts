/** Two peer machines on a wire in virtual time: it jumps to what is due next, a datagram or a deadline. */
import { createRng } from "../../sim/core/rng.ts";
import { utf8 } from "../../src/base/bytes.ts";
import type { Datagram, Endpoint, EventData, Machine } from "../../src/base/machine.ts";
import { MILLISECOND, type Micros } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import type { PeerCommand, PeerConfig, PeerInput, PeerOutput } from "../../src/peer/api.ts";
import { parseIdentity } from "../../src/peer/identity.ts";
import { createPeer, type PeerState, peerMachine } from "../../src/peer/peer.ts";
import { espProposal, ikeProposal } from "../../src/peer/proposalWords.ts";
import { parseSelector } from "../../src/peer/selectors.ts";

const DELAY: Micros = 10 * MILLISECOND;

export interface PeerSide {
  readonly state: PeerState;
  readonly machine: Machine<PeerInput, PeerOutput>;
  readonly local: Endpoint;
  readonly events: { readonly name: string; readonly data: EventData }[];
}

export interface PeerPair {
  now: Micros;
  readonly caller: PeerSide;
  readonly called: PeerSide;
  readonly flight: { readonly at: Micros; readonly to: PeerSide; readonly datagram: Datagram }[];
  /** Datagrams that arrived, in order. */
  readonly arrived: { readonly to: PeerSide; readonly datagram: Datagram }[];
  /** True loses it. */
  lose: (datagram: Datagram) => boolean;
}

const ENDPOINTS: readonly [Endpoint, Endpoint] = [
  { address: "192.0.2.1", port: 40_000 },
  { address: "192.0.2.2", port: 40_001 },
];

export function peerPair(change: Partial<PeerConfig> = {}): PeerPair {
  const rng = createRng("peer pair");
  const side = (
    local: Endpoint,
    remote: Endpoint | undefined,
    name: string,
    ts: readonly [string, string],
  ): PeerSide => {
    const state = createPeer({
      local,
      remote,
      natLocalPort: local.port,
      natRemotePort: remote?.port ?? 0,
      localIdentity: parseIdentity(name)!,
      psk: secret(utf8("a key for two")),
      ike: [ikeProposal("aes256gcm16-prfsha256-x25519")].flatMap((value) => ("problem" in value ? [] : [value])),
      esp: [espProposal("aes256gcm16")].flatMap((value) => ("problem" in value ? [] : [value])),
      localSelectors: [parseSelector(ts[0])!],
      remoteSelectors: [parseSelector(ts[1])!],
      retransmit: { first: 500 * MILLISECOND, factor: 2, repeats: 2 },
      ikeLifetimeSeconds: 0,
      childLifetimeSeconds: 0,
      ...change,
    });
    return { state, machine: peerMachine(state, { crypto: native, rng: rng.fork(name) }), local, events: [] };
  };
  const [a, b] = ENDPOINTS;
  return {
    now: 0,
    caller: side(a, b, "caller.test", ["10.0.1.0/24", "10.0.2.0/24"]),
    called: side(b, undefined, "called.test", ["10.0.2.0/24", "10.0.1.0/24"]),
    flight: [],
    arrived: [],
    lose: () => false,
  };
}

export function give(pair: PeerPair, side: PeerSide, input: PeerInput): void {
  const to = side === pair.caller ? pair.called : pair.caller;
  for (const output of side.machine.handle(input, pair.now)) {
    if (output.kind === "event") side.events.push(output);
    if (output.kind !== "send") continue;
    const datagram = { local: output.remote, remote: output.local, octets: output.octets };
    if (!pair.lose(datagram)) pair.flight.push({ at: pair.now + DELAY, to, datagram });
  }
}

export function command(pair: PeerPair, side: PeerSide, typed: PeerCommand): void {
  give(pair, side, { kind: "command", command: typed });
}

/** Until nothing is on its way and nothing is due before `until`. */
export function run(pair: PeerPair, until: Micros = pair.now): void {
  for (;;) {
    const arrival = pair.flight[0];
    const sides = [pair.caller, pair.called];
    const deadlines = sides.map((side) => side.machine.nextTimeout() ?? Infinity);
    const deadline = Math.min(...deadlines);
    if (arrival !== undefined && arrival.at <= deadline) {
      pair.flight.shift();
      pair.now = arrival.at;
      pair.arrived.push(arrival);
      give(pair, arrival.to, { kind: "datagram", ...arrival.datagram });
    } else if (deadline <= until) {
      pair.now = Math.max(pair.now, deadline);
      give(pair, sides[deadlines.indexOf(deadline)]!, { kind: "timeout" });
    } else break;
  }
  pair.now = Math.max(pair.now, until);
}

export function named(side: PeerSide, name: string): EventData[] {
  return side.events.filter((event) => event.name === name).map(({ data }) => data);
}

/** A pair with a tunnel. */
export function connectedPair(change: Partial<PeerConfig> = {}): PeerPair {
  const pair = peerPair(change);
  command(pair, pair.caller, { name: "up" });
  run(pair);
  return pair;
}
