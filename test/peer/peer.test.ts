import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import type { Datagram } from "../../src/base/machine.ts";
import { MILLISECOND, SECOND } from "../../src/base/micros.ts";
import { readLabel } from "../../src/esp/espPacket.ts";
import { command, connectedPair, give, named, type PeerPair, type PeerSide, peerPair, run } from "./peerPair.ts";

const PING = { name: "ping", count: 3, intervalMicros: 100 * MILLISECOND, timeoutMicros: SECOND } as const;

function ping(pair: PeerPair, side: PeerSide): unknown {
  command(pair, side, PING);
  run(pair, pair.now + 2 * SECOND);
  return named(side, "peer.pingDone").at(-1);
}

/** Between these ports IKE has the marker, so whatever does not begin with zeros is ESP. */
function isEsp({ octets }: Datagram): boolean {
  return readLabel(octets)?.spi !== 0;
}

function lastEspTo(pair: PeerPair, side: PeerSide): Datagram {
  return pair.arrived.filter(({ to, datagram }) => to === side && isEsp(datagram)).at(-1)!.datagram;
}

describe("two peers", () => {
  it("have a tunnel after four messages, and both ping through it", () => {
    const pair = connectedPair();
    expect(pair.arrived).toHaveLength(4);
    expect(ping(pair, pair.caller)).toEqual({ sent: 3, received: 3 });
    expect(ping(pair, pair.called)).toEqual({ sent: 3, received: 3 });
    // There and back, 10 ms each.
    expect(named(pair.caller, "peer.echoReply").map(({ micros }) => micros)).toEqual([20_000, 20_000, 20_000]);
    expect(named(pair.called, "peer.echoAnswered")).toHaveLength(3);
  });

  it.each(["caller", "called"] as const)("keep their traffic while the %s rekeys the tunnel", (who) => {
    const pair = connectedPair();
    command(pair, pair.caller, { ...PING, count: 30, intervalMicros: 5 * MILLISECOND });
    run(pair, pair.now + 50 * MILLISECOND);
    command(pair, pair[who], { name: "rekeyChild" });
    run(pair, pair.now + 2 * SECOND);
    expect(named(pair.caller, "peer.pingDone")).toEqual([{ sent: 30, received: 30 }]);
    for (const side of [pair.caller, pair.called]) {
      expect(side.state.tunnels.size).toBe(1);
      expect(named(side, "peer.espDropped")).toEqual([]);
      expect(side.state.tunnels.get(side.state.sending)?.sent).toBeGreaterThan(0);
    }
  });

  it("keep their tunnel when the IKE SA is rekeyed, and delete it with the new one", () => {
    const pair = connectedPair();
    command(pair, pair.called, { name: "rekeyIke" });
    run(pair);
    expect(ping(pair, pair.caller)).toEqual({ sent: 3, received: 3 });
    command(pair, pair.caller, { name: "down" });
    run(pair);
    expect(named(pair.called, "peer.ended")).toEqual([{ reason: "deletedByPeer", notify: 0, established: true }]);
    expect(named(pair.caller, "peer.ended")).toHaveLength(1);
    for (const side of [pair.caller, pair.called]) expect(side.state.tunnels.size).toBe(0);
  });

  it("have a state that can be copied and goes on from there", () => {
    const pair = connectedPair();
    ping(pair, pair.caller);
    expect(structuredClone(pair.caller.state)).toEqual(pair.caller.state);
  });
});

describe("a ping", () => {
  it("that is lost is told once the wait is over", () => {
    const pair = connectedPair();
    let esp = 0;
    // The request of the second ping: the first went there and back.
    pair.lose = (datagram) => isEsp(datagram) && ++esp === 3;
    expect(ping(pair, pair.caller)).toEqual({ sent: 3, received: 2 });
    expect(named(pair.caller, "peer.echoLost")).toEqual([{ sequence: 2 }]);
  });

  it("needs an SA and a tunnel", () => {
    const pair = peerPair();
    command(pair, pair.caller, PING);
    expect(named(pair.caller, "peer.commandRefused")).toEqual([{ command: "ping", reason: "there is no IKE SA" }]);
    command(pair, pair.caller, { name: "up" });
    run(pair);
    command(pair, pair.caller, { name: "deleteChild" });
    run(pair);
    command(pair, pair.caller, PING);
    expect(named(pair.caller, "peer.commandRefused")[1]).toMatchObject({ reason: "there is no tunnel" });
  });
});

describe("ESP", () => {
  const drops = (side: PeerSide) => named(side, "peer.espDropped").map(({ reason }) => reason);

  it("that comes a second time is dropped as a replay", () => {
    const pair = connectedPair();
    ping(pair, pair.caller);
    give(pair, pair.called, { kind: "datagram", ...lastEspTo(pair, pair.called) });
    expect(drops(pair.called)).toEqual(["replay"]);
  });

  it("with one bit wrong is dropped, and its number may still come", () => {
    const pair = connectedPair();
    let good: Datagram | undefined;
    pair.lose = (datagram) => {
      if (!isEsp(datagram)) return false;
      good ??= datagram;
      return true;
    };
    command(pair, pair.caller, PING);
    const octets = good!.octets.slice();
    octets[octets.length - 1]! ^= 1;
    give(pair, pair.called, { kind: "datagram", ...good!, octets });
    expect(drops(pair.called)).toEqual(["verify"]);
    give(pair, pair.called, { kind: "datagram", ...good! });
    expect(named(pair.called, "peer.echoAnswered")).toHaveLength(1);
  });

  it("with an SPI that nobody has is dropped", () => {
    const pair = connectedPair();
    ping(pair, pair.caller);
    const datagram = lastEspTo(pair, pair.called);
    const octets = datagram.octets.slice();
    octets[0]! ^= 0x80;
    give(pair, pair.called, { kind: "datagram", ...datagram, octets });
    expect(drops(pair.called)).toEqual(["spi"]);
  });

  it("does not carry what the selectors exclude", () => {
    const pair = connectedPair();
    const tunnel = pair.caller.state.tunnels.get(pair.caller.state.sending)!;
    // As if the caller had other ideas of what was agreed on.
    const wide = { ...tunnel.view.localSelectors[0]!, startAddress: "10.9.9.8", endAddress: "10.9.9.9" };
    Object.assign(tunnel, { view: { ...tunnel.view, localSelectors: [wide] } });
    expect(ping(pair, pair.caller)).toEqual({ sent: 3, received: 0 });
    expect(drops(pair.called)).toEqual(["selector", "selector", "selector"]);
  });
});

describe("foreign octets", () => {
  it("never throw and change nothing but counters", () => {
    const pair = connectedPair();
    const rng = createRng("rubbish");
    const { local: remote } = pair.caller;
    for (let i = 0; i < 2_000; i++) {
      const octets = rng.bytes(rng.below(80));
      // Half of them look like IKE behind the marker.
      if (i % 2 === 0) octets.fill(0, 0, 4);
      give(pair, pair.called, { kind: "datagram", local: pair.called.local, remote, octets });
    }
    expect(ping(pair, pair.caller)).toEqual({ sent: 3, received: 3 });
  });

  it("of a peer that never answers end in a timeout", () => {
    const pair = peerPair();
    pair.lose = () => true;
    command(pair, pair.caller, { name: "up" });
    run(pair, 10 * SECOND);
    expect(named(pair.caller, "peer.ended")).toEqual([{ reason: "timeout", notify: 0, established: false }]);
  });
});
