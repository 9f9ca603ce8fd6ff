/** The data plane of tunnels to single peers, while the SAs of a tunnel are replaced. */
import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { MILLISECOND, SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import { readLabel } from "../../src/esp/espPacket.ts";
import { ipHeader } from "../../src/esp/ipHeader.ts";
import { readUdp } from "../../src/esp/udpPacket.ts";
import type { ChildView } from "../../src/ikev2/api.ts";
import {
  adoptPairs,
  applyPair,
  createPairPlane,
  inboundPair,
  outboundPair,
  type PairPlane,
} from "../../src/peer/pairPlane.ts";
import { parseSelector } from "../../src/peer/selectors.ts";
import { createTunnel, type Tunnel } from "../../src/peer/tunnel.ts";
import { ANY, ip, udpPacket } from "../esp/group.ts";

const POLICY = "MAP 10";
const MTU = 1500;
const TOOLS = { crypto: native, rng: createRng("pair plane") };
const ENDS = { left: { address: "192.0.2.1", port: 4500 }, right: { address: "192.0.2.2", port: 4500 } } as const;
const NETS = { left: "10.1.0.0/16", right: "10.2.0.0/16" } as const;

type Side = keyof typeof ENDS;
const other = (side: Side): Side => (side === "left" ? "right" : "left");

function plane(side: Side): PairPlane {
  const rules = [{ action: "protect", selector: ANY, family: 0 }] as const;
  return createPairPlane({
    policies: [{ name: POLICY, rules }],
    ownAddresses: [ip(ENDS[side].address)],
    df: "copy",
    lookAhead: true,
  });
}

/** Inbound SPIs: 0x1000 and its number on the left, 0x2000 and its number on the right. */
const spiOf = (side: Side, number: number) => (side === "left" ? 0x1000 : 0x2000) + number;
const keysOf = (side: Side, number: number) => ({
  encr: secret(createRng(`towards ${side} ${number}`).bytes(20)),
  integ: secret(new Uint8Array(0)),
});

/** One end of the pair with this number, 0: of none. `replaces`: number of the pair before. */
function tunnel(side: Side, number: number, replaces = 0, change: Partial<ChildView> = {}): Tunnel {
  const far = other(side);
  return createTunnel(1, {
    inboundSpi: spiOf(side, number),
    outboundSpi: spiOf(far, number),
    suite: { encr: 20, encrKeyBits: 128, integ: 0, sn: 0 },
    mode: "tunnel",
    inbound: keysOf(side, number),
    outbound: keysOf(far, number),
    localSelectors: [parseSelector(NETS[side])!],
    remoteSelectors: [parseSelector(NETS[far])!],
    local: ENDS[side],
    remote: ENDS[far],
    udp: false,
    replaces: replaces === 0 ? 0 : spiOf(side, replaces),
    ...change,
  } as ChildView);
}

interface World {
  now: number;
  readonly left: PairPlane;
  readonly right: PairPlane;
}

function world(): World {
  return { now: 0, left: plane("left"), right: plane("right") };
}

function up(net: World, side: Side, number: number, replaces = 0): void {
  applyPair(net[side], { kind: "pairUp", policy: POLICY, tunnel: tunnel(side, number, replaces) }, net.now);
}

function down(net: World, side: Side, number: number): void {
  applyPair(net[side], { kind: "pairDown", inboundSpi: spiOf(side, number) }, net.now);
}

/** Both ends have the first pair. */
function connected(): World {
  const net = world();
  for (const side of ["left", "right"] as const) up(net, side, 1);
  return net;
}

const packetFrom = (side: Side): Bytes =>
  side === "left"
    ? udpPacket({ source: "10.1.0.1", destination: "10.2.0.2" })
    : udpPacket({ source: "10.2.0.2", destination: "10.1.0.1" });

/** A packet of the side's network as it leaves. */
function sealed(net: World, side: Side): Bytes {
  const result = outboundPair(net[side], TOOLS, packetFrom(side), MTU);
  if (result.kind !== "sealed") throw new Error(JSON.stringify(result));
  return result.packets[0]!;
}

const receivedBy = (net: World, side: Side, packet: Bytes) => inboundPair(net[side], native, packet, net.now);

/** Number of the pair that a side sends with. */
function sendsWith(net: World, side: Side): number {
  const packet = sealed(net, side);
  return readLabel(packet.subarray(ipHeader(packet)!.headerOctets))!.spi & 0xfff;
}

function pass(net: World, from: Side): string {
  return receivedBy(net, other(from), sealed(net, from)).kind;
}

describe("a pair that is replaced", () => {
  it("is sent with until the peer has used its successor, which receives from the start", () => {
    const net = connected();
    // The left one has asked; the right one has the new pair first, the left one with the answer.
    up(net, "right", 2, 1);
    expect(sendsWith(net, "right")).toBe(1);
    up(net, "left", 2, 1);
    expect([sendsWith(net, "left"), sendsWith(net, "right")]).toEqual([1, 1]);
    for (const side of ["left", "right"] as const) expect(pass(net, side)).toBe("opened");
    // The one that asked deletes the old pair, and sends with the new one from then on.
    down(net, "left", 1);
    expect(sendsWith(net, "left")).toBe(2);
    expect(sendsWith(net, "right")).toBe(1);
    expect(pass(net, "left")).toBe("opened");
    expect(sendsWith(net, "right")).toBe(2);
  });

  it("is not left for what only looks like the successor: forged, replayed or of another SPI", () => {
    const net = connected();
    for (const side of ["left", "right"] as const) up(net, side, 2, 1);
    down(net, "left", 1);
    const genuine = sealed(net, "left");
    const forged = genuine.slice();
    forged[forged.length - 1]! ^= 1;
    expect(receivedBy(net, "right", forged)).toMatchObject({ kind: "dropped", reason: "verify" });
    const strange = genuine.slice();
    strange[23]! ^= 0x40;
    expect(receivedBy(net, "right", strange)).toMatchObject({ kind: "dropped", reason: "invalidSa" });
    expect(sendsWith(net, "right")).toBe(1);
    expect(receivedBy(net, "right", genuine).kind).toBe("opened");
    expect(receivedBy(net, "right", genuine)).toMatchObject({ kind: "dropped", reason: "replay" });
    expect(sendsWith(net, "right")).toBe(2);
  });

  it("receives for five more seconds once it is deleted, for what is on its way, and then no more", () => {
    const net = connected();
    const early = sealed(net, "right");
    const late = sealed(net, "right");
    for (const side of ["left", "right"] as const) up(net, side, 2, 1);
    down(net, "left", 1);
    net.now = 5 * SECOND - MILLISECOND;
    expect(receivedBy(net, "left", early).kind).toBe("opened");
    net.now = 5 * SECOND;
    expect(receivedBy(net, "left", late)).toMatchObject({ kind: "dropped", reason: "invalidSa" });
    expect(net.left.pairs.has(spiOf("left", 1))).toBe(false);
  });

  it("loses no packet, whichever of the two steps comes first at which end", () => {
    const steps: readonly ((net: World) => void)[] = [
      (net) => up(net, "left", 2, 1),
      (net) => up(net, "right", 2, 1),
      (net) => down(net, "left", 1),
      (net) => down(net, "right", 1),
    ];
    // Each end has the successor before it hears of a deletion; the peer has its half before anybody sends with it.
    const orders = [
      [1, 0, 2, 3],
      [1, 0, 3, 2],
      [0, 1, 2, 3],
      [0, 1, 3, 2],
    ];
    for (const order of orders) {
      const net = connected();
      const flight: { readonly to: Side; readonly packet: Bytes }[] = [];
      for (const index of order) {
        for (const side of ["left", "right"] as const) flight.push({ to: other(side), packet: sealed(net, side) });
        steps[index]!(net);
        net.now += 10 * MILLISECOND;
        // One packet stays on its way over every step.
        for (const { to, packet } of flight.splice(0, flight.length - 1)) {
          expect(receivedBy(net, to, packet).kind, order.join()).toBe("opened");
        }
      }
      for (const side of ["left", "right"] as const) expect(sendsWith(net, side)).toBe(2);
      expect(net.left.counters).toMatchObject({ recvErrors: 0, sendErrors: 0 });
      expect(net.right.counters).toMatchObject({ recvErrors: 0, sendErrors: 0 });
    }
  });

  it("has a successor after each of many, and nothing of the old ones is left", () => {
    const net = connected();
    for (let number = 2; number < 10; number++) {
      for (const side of ["right", "left"] as const) up(net, side, number, number - 1);
      down(net, "left", number - 1);
      expect(pass(net, "left")).toBe("opened");
      down(net, "right", number - 1);
      expect(pass(net, "right")).toBe("opened");
      net.now += 10 * SECOND;
    }
    for (const side of ["left", "right"] as const) {
      expect(sendsWith(net, side)).toBe(9);
      // The one before fades; nobody has asked for it since, so it is still listed.
      expect(net[side].pairs.size).toBe(2);
    }
  });
});

describe("two successors, where both ends have begun at once", () => {
  it("leave the one that is kept to send with, whichever was made first", () => {
    for (const [kept, dropped] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const net = connected();
      for (const side of ["left", "right"] as const) {
        up(net, side, 2, 1);
        up(net, side, 3, 1);
      }
      for (const side of ["left", "right"] as const) down(net, side, dropped);
      for (const side of ["left", "right"] as const) {
        expect(sendsWith(net, side)).toBe(1);
        expect(pass(net, side)).toBe("opened");
      }
      for (const side of ["left", "right"] as const) down(net, side, 1);
      for (const side of ["left", "right"] as const) {
        expect(sendsWith(net, side)).toBe(kept);
        expect(pass(net, side)).toBe("opened");
      }
    }
  });
});

describe("a pair without a successor", () => {
  it("takes its tunnel with it: the next packet asks for another, and only that one", () => {
    const net = connected();
    down(net, "left", 1);
    const ask = () => outboundPair(net.left, TOOLS, packetFrom("left"), MTU);
    expect(ask()).toMatchObject({ kind: "dropped", reason: "noSa", wants: POLICY });
    expect(ask()).not.toHaveProperty("wants");
    applyPair(net.left, { kind: "pairFailed", policy: POLICY }, net.now);
    expect(ask()).toMatchObject({ wants: POLICY });
    up(net, "left", 2);
    expect(sendsWith(net, "left")).toBe(2);
  });

  it("gives way to one that replaces nothing: the peer has lost the first, and begins anew", () => {
    const net = connected();
    up(net, "left", 2);
    expect(sendsWith(net, "left")).toBe(2);
    down(net, "left", 1);
    expect(sendsWith(net, "left")).toBe(2);
  });

  it("leaves sending to its own successor, else to the newest pair that there is", () => {
    const net = connected();
    up(net, "left", 5);
    up(net, "left", 6, 5);
    down(net, "left", 5);
    expect(sendsWith(net, "left")).toBe(6);
    up(net, "left", 7);
    down(net, "left", 7);
    expect(sendsWith(net, "left")).toBe(6);
  });

  it("is not missed by name: what was never there, or is gone, can be deleted again", () => {
    const net = connected();
    down(net, "left", 7);
    applyPair(net.left, { kind: "pairMoved", inboundSpi: 7, local: ENDS.left, remote: ENDS.right }, net.now);
    expect(sendsWith(net, "left")).toBe(1);
    down(net, "left", 1);
    down(net, "left", 1);
    expect(net.left.pairs.size).toBe(0);
  });
});

describe("a tunnel whose SAs are replaced", () => {
  it("follows a peer that has moved, with each pair by itself", () => {
    const net = connected();
    const moved = { address: "198.51.100.7", port: 30_000 };
    applyPair(net.left, { kind: "pairMoved", inboundSpi: spiOf("left", 1), local: ENDS.left, remote: moved }, 0);
    expect(ipHeader(sealed(net, "left"))!.destination).toBe(ip(moved.address));
    up(net, "left", 2, 1);
    down(net, "left", 1);
    expect(ipHeader(sealed(net, "left"))!.destination).toBe(ip(ENDS.right.address));
  });

  it("is in UDP with the pair that was made behind a NAT, and opens that on port 4500", () => {
    const net = connected();
    for (const side of ["left", "right"] as const) {
      const one = tunnel(side, 2, 1, { udp: true });
      applyPair(net[side], { kind: "pairUp", policy: POLICY, tunnel: one }, net.now);
      down(net, side, 1);
    }
    const packet = sealed(net, "left");
    expect(readUdp(packet, ipHeader(packet)!)).toMatchObject({ sourcePort: 4500, destinationPort: 4500 });
    expect(receivedBy(net, "right", packet).kind).toBe("opened");
  });

  it("ends with the last sequence number of a pair, and goes on with the next pair", () => {
    const net = connected();
    const { tunnel: old } = net.left.pairs.get(spiOf("left", 1))!;
    old.sent = 0xffff_fffe;
    sealed(net, "left");
    expect(outboundPair(net.left, TOOLS, packetFrom("left"), MTU)).toMatchObject({
      kind: "dropped",
      reason: "sequence",
    });
    up(net, "left", 2, 1);
    down(net, "left", 1);
    expect(sendsWith(net, "left")).toBe(2);
  });

  it("keeps its pairs, what they count and who sends, where the configuration around it changes", () => {
    const net = connected();
    for (const side of ["left", "right"] as const) up(net, side, 2, 1);
    down(net, "left", 1);
    pass(net, "left");
    const next = plane("left");
    adoptPairs(next, net.left);
    const after = { ...net, left: next };
    expect(sendsWith(after, "left")).toBe(2);
    expect(pass(after, "right")).toBe("opened");
    expect(next.counters).toMatchObject({ encaps: 2, decaps: 1 });
    const without = createPairPlane({ ...next.config, policies: [] });
    adoptPairs(without, next);
    expect([without.pairs.size, without.senders.size]).toEqual([0, 0]);
  });
});
