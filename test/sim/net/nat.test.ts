import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { echoRequest, icmpError, readIcmp } from "../../../sim/device/icmp.ts";
import {
  createNat,
  expireEntries,
  type Nat,
  natTimeouts,
  nextExpiry,
  translateIn,
  translateOut,
} from "../../../sim/net/nat.ts";
import { endsOf } from "../../../sim/net/rewrite.ts";
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { buildPacket, ipHeader } from "../../../src/esp/ipHeader.ts";
import { buildUdpPacket, readUdp } from "../../../src/esp/udpPacket.ts";
import { parseConfig } from "../../../src/ios/parse.ts";
import { ip } from "../device/lab.ts";

const ALL = parseConfig(
  "ip access-list standard ALL\n permit 10.0.0.0 0.255.255.255\n",
  "t.cfg",
).config.accessLists.get("ALL")!;
const TIMEOUTS = natTimeouts({ timeoutSeconds: 600, udpSeconds: 300, tcpSeconds: 600, icmpSeconds: 60 });

function pat(): Nat {
  const first = ip("203.0.113.1");
  return createNat({ statics: [], sources: [{ acl: ALL, first, last: first, overload: true }], timeouts: TIMEOUTS });
}

function udp(source: string, port: number, destination: string, remote: number, text = "hello"): Uint8Array {
  const fields = { tos: 0, identification: 1, isDf: false, ttl: 64, source: ip(source), destination: ip(destination) };
  return buildUdpPacket(fields, port, remote, new TextEncoder().encode(text));
}

function esp(source: string, destination: string): Uint8Array {
  const fields = { tos: 0, identification: 1, isDf: false, ttl: 64, protocol: 50 };
  return buildPacket({ ...fields, source: ip(source), destination: ip(destination) }, new Uint8Array(40));
}

function out(nat: Nat, packet: Uint8Array, now = 0): Uint8Array {
  const result = translateOut(nat, packet, now);
  if (result.kind !== "translated") throw new Error(JSON.stringify(result));
  return result.packet;
}

function back(nat: Nat, packet: Uint8Array, now = 0): Uint8Array {
  const result = translateIn(nat, packet, true, now);
  if (result.kind !== "translated") throw new Error(JSON.stringify(result));
  return result.packet;
}

function text(packet: Uint8Array): string {
  const { source, destination } = endsOf(packet);
  return `${formatIpv4(source.address)}:${source.port} > ${formatIpv4(destination.address)}:${destination.port}`;
}

describe("a shared address", () => {
  it("keeps the port while it is free, and takes the first of its range for the second who has it", () => {
    const nat = pat();
    expect(text(out(nat, udp("10.0.0.2", 4500, "198.51.100.9", 4500)))).toBe("203.0.113.1:4500 > 198.51.100.9:4500");
    expect(text(out(nat, udp("10.0.0.3", 4500, "198.51.100.9", 4500)))).toBe("203.0.113.1:1024 > 198.51.100.9:4500");
    expect(text(out(nat, udp("10.0.0.2", 500, "198.51.100.9", 500)))).toBe("203.0.113.1:500 > 198.51.100.9:500");
    expect(text(out(nat, udp("10.0.0.3", 500, "198.51.100.9", 500)))).toBe("203.0.113.1:1 > 198.51.100.9:500");
    expect(text(out(nat, udp("10.0.0.4", 848, "198.51.100.9", 848)))).toBe("203.0.113.1:848 > 198.51.100.9:848");
    expect(text(out(nat, udp("10.0.0.5", 848, "198.51.100.9", 848)))).toBe("203.0.113.1:512 > 198.51.100.9:848");
    // Towards somebody else the port is free.
    expect(text(out(nat, udp("10.0.0.3", 4500, "198.51.100.8", 4500)))).toBe("203.0.113.1:4500 > 198.51.100.8:4500");
    expect(text(back(nat, udp("198.51.100.9", 4500, "203.0.113.1", 1024)))).toBe("198.51.100.9:4500 > 10.0.0.3:4500");
  });

  it("lets nobody in that nobody asked, and leaves to the box what is for the box", () => {
    const nat = pat();
    out(nat, udp("10.0.0.2", 4500, "198.51.100.9", 4500));
    const stranger = udp("198.51.100.7", 4500, "203.0.113.1", 4500);
    expect(translateIn(nat, stranger, true, 0)).toEqual({ kind: "untouched" });
    expect(translateIn(nat, stranger, false, 0)).toEqual({ kind: "dropped", reason: "noEntry" });
    expect(translateOut(nat, udp("192.0.2.1", 1, "198.51.100.9", 1), 0)).toEqual({ kind: "untouched" });
  });

  it("tells echoes apart by their identifiers, and brings the answers to who asked", () => {
    const nat = pat();
    const echo = (source: string, destination: string, identifier = 7) => {
      const fields = { source: ip(source), destination: ip(destination), identification: 1, tos: 0, isDf: false };
      return echoRequest({ ...fields, identifier, sequence: 1, data: new Uint8Array(9) });
    };
    expect(text(out(nat, echo("10.0.0.2", "198.51.100.9")))).toBe("203.0.113.1:7 > 198.51.100.9:7");
    const second = out(nat, echo("10.0.0.3", "198.51.100.9"));
    expect(text(second)).toBe("203.0.113.1:1 > 198.51.100.9:1");
    expect(readIcmp(second.subarray(20))).toMatchObject({ kind: "echo", echo: { identifier: 1, sequence: 1 } });
    const answer = echo("198.51.100.9", "203.0.113.1", 1);
    expect(text(back(nat, answer))).toBe("198.51.100.9:7 > 10.0.0.3:7");
  });

  it("has one host at a time for ESP towards a peer, and drops what has no ports at all", () => {
    const nat = pat();
    expect(text(out(nat, esp("10.0.0.2", "198.51.100.9")))).toBe("203.0.113.1:0 > 198.51.100.9:0");
    expect(translateOut(nat, esp("10.0.0.3", "198.51.100.9"), 0)).toEqual({ kind: "dropped", reason: "espBusy" });
    expect(text(out(nat, esp("10.0.0.3", "198.51.100.8")))).toBe("203.0.113.1:0 > 198.51.100.8:0");
    expect(text(back(nat, esp("198.51.100.9", "203.0.113.1")))).toBe("198.51.100.9:0 > 10.0.0.2:0");
    const gre = buildPacket({ ...ipHeader(esp("10.0.0.2", "198.51.100.9"))!, protocol: 47 }, new Uint8Array(8));
    expect(translateOut(nat, gre, 0)).toEqual({ kind: "dropped", reason: "protocol" });
  });

  it("is used up when all ports of a range are taken towards one end", () => {
    const nat = pat();
    for (let host = 1; host <= 511; host++) out(nat, udp(`10.0.${host >> 8}.${host & 255}`, 500, "198.51.100.9", 500));
    const next = udp("10.1.0.1", 500, "198.51.100.9", 500);
    expect(translateOut(nat, next, 0)).toEqual({ kind: "dropped", reason: "noPort" });
  });

  it("forgets what has been silent for its time, and no sooner", () => {
    const nat = pat();
    out(nat, udp("10.0.0.2", 4500, "198.51.100.9", 4500));
    back(nat, udp("198.51.100.9", 4500, "203.0.113.1", 4500), 100 * SECOND);
    expect(nextExpiry(nat)).toBe(400 * SECOND);
    expect(expireEntries(nat, 400 * SECOND - 1)).toEqual([]);
    expect(translateIn(nat, udp("198.51.100.9", 4500, "203.0.113.1", 4500), true, 400 * SECOND).kind).toBe("untouched");
    expect(expireEntries(nat, 400 * SECOND)).toMatchObject([{ local: { port: 4500 } }]);
    expect(nextExpiry(nat)).toBeUndefined();
  });
});

describe("other kinds of translation", () => {
  it("one address for another serves both directions from the start, whatever the protocol", () => {
    const statics = [{ local: ip("10.0.0.2"), global: ip("203.0.113.9") }];
    const nat = createNat({ statics, sources: [], timeouts: TIMEOUTS });
    expect(text(back(nat, esp("198.51.100.9", "203.0.113.9")))).toBe("198.51.100.9:0 > 10.0.0.2:0");
    expect(text(out(nat, esp("10.0.0.2", "198.51.100.9")))).toBe("203.0.113.9:0 > 198.51.100.9:0");
    expect(nextExpiry(nat)).toBeUndefined();
  });

  it("a static port brings one service in, and nobody else gets that port", () => {
    const ports = { protocol: 17, local: 500, global: 1500 };
    const nat = createNat({
      statics: [{ local: ip("10.0.0.2"), global: ip("203.0.113.1"), ports }],
      sources: pat().rules.sources,
      timeouts: TIMEOUTS,
    });
    expect(text(back(nat, udp("198.51.100.9", 77, "203.0.113.1", 1500)))).toBe("198.51.100.9:77 > 10.0.0.2:500");
    expect(text(out(nat, udp("10.0.0.2", 500, "198.51.100.9", 77)))).toBe("203.0.113.1:1500 > 198.51.100.9:77");
    expect(text(out(nat, udp("10.0.0.3", 1500, "198.51.100.9", 77)))).toBe("203.0.113.1:1024 > 198.51.100.9:77");
  });

  it("a pool lends its addresses one by one until none is left", () => {
    const sources = [{ acl: ALL, first: ip("203.0.113.8"), last: ip("203.0.113.9"), overload: false }];
    const nat = createNat({ statics: [], sources, timeouts: TIMEOUTS });
    expect(text(out(nat, udp("10.0.0.2", 5, "198.51.100.9", 6)))).toBe("203.0.113.8:5 > 198.51.100.9:6");
    expect(text(out(nat, udp("10.0.0.3", 5, "198.51.100.9", 6)))).toBe("203.0.113.9:5 > 198.51.100.9:6");
    expect(text(out(nat, udp("10.0.0.2", 7, "198.51.100.7", 8)))).toBe("203.0.113.8:7 > 198.51.100.7:8");
    expect(translateOut(nat, udp("10.0.0.4", 5, "198.51.100.9", 6), 0)).toEqual({
      kind: "dropped",
      reason: "noAddress",
    });
  });
});

describe("errors about translated packets", () => {
  it("reach who sent the packet, and quote it as he sent it", () => {
    const nat = pat();
    out(nat, udp("10.0.0.2", 4500, "198.51.100.9", 33434));
    const seen = out(nat, udp("10.0.0.3", 4500, "198.51.100.9", 33434));
    const origin = { source: ip("198.51.100.1"), destination: ip("203.0.113.1"), identification: 1 };
    const inside = back(nat, icmpError(3, 4, seen, origin, 1400));
    expect(text(inside)).toBe("198.51.100.1:0 > 10.0.0.3:0");
    expect(readIcmp(inside.subarray(20))).toMatchObject({ kind: "error", code: 4, mtu: 1400 });
    const quoted = inside.subarray(28);
    expect(text(quoted)).toBe("10.0.0.3:4500 > 198.51.100.9:33434");
    // What is quoted is, sums included, what was sent.
    expect(quoted).toEqual(udp("10.0.0.3", 4500, "198.51.100.9", 33434).subarray(0, 28));
  });

  it("leave the inside with the addresses that the outside knows", () => {
    const nat = pat();
    out(nat, udp("10.0.0.2", 4500, "198.51.100.9", 33434));
    const inside = back(nat, udp("198.51.100.9", 33434, "203.0.113.1", 4500));
    const origin = { source: ip("10.0.0.2"), destination: ip("198.51.100.9"), identification: 1 };
    const outside = out(nat, icmpError(3, 3, inside, origin));
    expect(text(outside)).toBe("203.0.113.1:0 > 198.51.100.9:0");
    expect(text(outside.subarray(28))).toBe("198.51.100.9:33434 > 203.0.113.1:4500");
    expect(readIcmp(outside.subarray(20))).toMatchObject({ kind: "error", code: 3 });
  });
});

describe("checksums", () => {
  it("are right after every translation of a right packet, there and back", () => {
    const address = fc.nat(0xffffff).map((n) => 0x0a000000 + n);
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(
        address,
        port,
        fc.nat(0xdfffffff),
        port,
        fc.uint8Array({ maxLength: 40 }),
        (from, one, to, other, data) => {
          const nat = pat();
          const fields = { tos: 0, identification: 1, isDf: false, ttl: 64, source: from, destination: to };
          const packet = buildUdpPacket(fields, one, other, data);
          const outside = out(nat, packet);
          expect(readUdp(outside, ipHeader(outside)!)?.payload).toEqual(data);
          const answer = buildUdpPacket({ ...fields, source: to, destination: ip("203.0.113.1") }, other, one, data);
          const inside = back(nat, answer);
          expect(readUdp(inside, ipHeader(inside)!)).toMatchObject({ sourcePort: other, destinationPort: one });
        },
      ),
    );
  });
});
