import { describe, expect, it } from "vitest";
import { type Bytes, equal } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import type { TrafficRule } from "../../src/esp/api.ts";
import { apply, createDataPlane } from "../../src/esp/dataPlane.ts";
import { sealEsp } from "../../src/esp/espPacket.ts";
import { createReassembly, reassemble } from "../../src/esp/fragment.ts";
import { inbound } from "../../src/esp/inbound.ts";
import { buildPacket, ipHeader, withTtlDecremented } from "../../src/esp/ipHeader.ts";
import { outbound } from "../../src/esp/outbound.ts";
import { Ipv4 } from "../../src/wire/ip.ts";
import { ANY, dataSa, GCM, ip, member, type PacketOptions, protectAll, tools, udpPacket } from "./group.ts";

const MTU = 1500;

function sealed(plane: Parameters<typeof outbound>[0], packet: Bytes, mtu = MTU): readonly Bytes[] {
  const result = outbound(plane, tools(), packet, mtu, 0);
  if (result.kind !== "sealed") throw new Error(JSON.stringify(result));
  return result.packets;
}

describe("address preservation", () => {
  it("keeps source, destination, DSCP and DF outside, and gives TTL and identification anew", () => {
    const packet = udpPacket({ tos: 0xb8, df: true, ttl: 17 });
    const [outer] = sealed(member(), packet);
    expect(Ipv4.decode(outer!)).toMatchObject({
      tos: 0xb8,
      source: "10.1.0.1",
      destination: "10.2.0.2",
      protocol: 50,
      flagsAndOffset: 0x4000,
      ttl: 255,
      identification: 1,
    });
    const result = inbound(member(), native, outer!, 0);
    expect(result.kind === "clear" && equal(result.packet, packet)).toBe(true);
  });

  it("catches an outer header that was changed on the way", () => {
    const [outer] = sealed(member(), udpPacket());
    const header = ipHeader(outer!)!;
    const translated = buildPacket({ ...header, source: ip("192.0.2.9") }, outer!.subarray(20));
    const plane = member();
    expect(inbound(plane, native, translated, 0)).toMatchObject({
      reason: "addressesChanged",
      spi: 0x1001,
    });
    expect(plane.counters.decapsFail).toBe(1);
  });
});

describe("sending", () => {
  it("numbers packets from 1 and does not begin again when the same SA is installed once more", () => {
    const plane = member();
    sealed(plane, udpPacket());
    sealed(plane, udpPacket());
    apply(plane, { kind: "install", sa: dataSa({ expiresAt: 10 }) });
    const [third] = sealed(plane, udpPacket());
    expect([...third!.subarray(20, 28)]).toEqual([0, 0, 0x10, 1, 0, 0, 0, 3]);
    apply(plane, { kind: "install", sa: dataSa({ encrKey: secret(new Uint8Array(16)) }) });
    expect(sealed(plane, udpPacket())[0]![27]).toBe(1);
  });

  it("opens the IV of a counter-mode cipher with the sender ID and never repeats it", () => {
    const plane = member(dataSa(GCM));
    const ivs = [1, 2].map(() => [...sealed(plane, udpPacket())[0]!.subarray(28, 36)]);
    expect(ivs).toEqual([
      [5, 0, 0, 0, 0, 0, 0, 1],
      [5, 0, 0, 0, 0, 0, 0, 2],
    ]);
    const wide = member(dataSa({ ...GCM, senderId: { value: 0xabc, bits: 12 } }));
    expect([...sealed(wide, udpPacket())[0]!.subarray(28, 36)]).toEqual([0xab, 0xc0, 0, 0, 0, 0, 0, 1]);
  });

  it("sends nothing with a counter-mode cipher without a sender ID", () => {
    const plane = member(dataSa({ ...GCM, senderId: undefined }));
    expect(outbound(plane, tools(), udpPacket(), MTU, 0)).toMatchObject({ kind: "dropped", reason: "senderId" });
  });

  it("stops when the sequence numbers are used up", () => {
    const plane = member();
    plane.sas.get(0x1001)!.sequence = 0xfffffffe;
    sealed(plane, udpPacket());
    expect(outbound(plane, tools(), udpPacket(), MTU, 0)).toMatchObject({ reason: "sequence" });
  });

  it("goes over to the next TEK when it is told to, and still receives with the old one", () => {
    const plane = member();
    const [old] = sealed(plane, udpPacket());
    apply(plane, { kind: "install", sa: dataSa({ spi: 0x1002, generation: 2 }) });
    expect(sealed(plane, udpPacket())[0]![23]).toBe(1);
    apply(plane, { kind: "sendWith", group: "G", family: 1, spi: 0x1002 });
    expect(sealed(plane, udpPacket())[0]![23]).toBe(2);
    expect(inbound(plane, native, old!, 0)).toMatchObject({ kind: "clear", opened: { spi: 0x1001 } });
    apply(plane, { kind: "remove", group: "G", spi: 0x1001 });
    expect(inbound(plane, native, old!, 0)).toMatchObject({ reason: "invalidSa", spi: 0x1001 });
  });

  it("drops what must be protected once the SA has expired, and counts it as IOS does", () => {
    const plane = member(dataSa({ expiresAt: 100 }));
    expect(outbound(plane, tools(), udpPacket(), MTU, 99).kind).toBe("sealed");
    expect(outbound(plane, tools(), udpPacket(), MTU, 100)).toMatchObject({ kind: "dropped", reason: "noSa" });
    expect(plane.counters).toMatchObject({ encaps: 1, encrypt: 1, digest: 1, noSa: 1, sendErrors: 1 });
  });
});

describe("receiving", () => {
  it.each([
    ["a flipped octet of the ciphertext", 60, "verify"],
    ["a flipped octet of the sequence number", 27, "verify"],
    ["a flipped octet of the ICV", -1, "verify"],
  ])("drops %s", (_, at, reason) => {
    const copy = sealed(member(), udpPacket())[0]!.slice();
    copy[at < 0 ? copy.length + at : at]! ^= 1;
    const plane = member();
    expect(inbound(plane, native, copy, 0)).toMatchObject({ kind: "dropped", reason });
    expect(plane.counters).toMatchObject({ verifyFail: 1, decaps: 0, recvErrors: 1 });
  });

  it("drops ESP whose SA has expired and ESP that is cut short", () => {
    const [packet] = sealed(member(), udpPacket());
    expect(inbound(member(dataSa({ expiresAt: 5 })), native, packet!, 5)).toMatchObject({ reason: "expired" });
    const header = ipHeader(packet!)!;
    for (let octets = 0; octets < packet!.length - 20; octets++) {
      const short = buildPacket(header, packet!.subarray(20, 20 + octets));
      expect(inbound(member(), native, short, 0).kind).toBe("dropped");
    }
  });

  it("drops a protected packet that its SA does not cover", () => {
    const rules: TrafficRule[] = [{ action: "protect", selector: { ...ANY, protocol: 1 }, family: 1 }];
    const [packet] = sealed(member(), udpPacket());
    expect(inbound(member(dataSa(), rules), native, packet!, 0)).toMatchObject({ reason: "selector" });
    const family2: TrafficRule[] = [{ action: "protect", selector: ANY, family: 2 }];
    expect(inbound(member(dataSa(), family2), native, packet!, 0)).toMatchObject({ reason: "selector" });
  });

  it("drops in clear what the policy wants protected", () => {
    const plane = member();
    expect(inbound(plane, native, udpPacket(), 0)).toMatchObject({ reason: "clear", group: "G" });
    expect(plane.counters.clearDropped).toBe(1);
  });

  it("drops dummy packets and next headers that tunnel mode does not carry", () => {
    const { protection, keys } = member().sas.get(0x1001)!;
    const packetWith = (nextHeader: number, payload: Bytes) => {
      const label = { spi: 0x1001, sequence: 1 };
      const esp = sealEsp(native, protection, keys, label, new Uint8Array(16), { nextHeader, payload });
      return buildPacket({ ...ipHeader(udpPacket())!, protocol: 50 }, esp);
    };
    expect(inbound(member(), native, packetWith(59, new Uint8Array(30)), 0)).toMatchObject({ reason: "dummy" });
    expect(inbound(member(), native, packetWith(41, udpPacket()), 0)).toMatchObject({ reason: "protocol" });
    expect(inbound(member(), native, packetWith(4, udpPacket().subarray(1)), 0)).toMatchObject({
      reason: "malformed",
    });
  });

  it("passes another's IPsec where ESP is denied from protection, and before there is a policy", () => {
    const foreign = buildPacket({ ...ipHeader(udpPacket())!, protocol: 50 }, new Uint8Array(40));
    const rules: TrafficRule[] = [{ action: "bypass", selector: { ...ANY, protocol: 50 }, family: 0 }, ...protectAll];
    expect(inbound(member(dataSa(), rules), native, foreign, 0)).toEqual({ kind: "clear", packet: foreign });
    expect(inbound(createDataPlane({ groups: ["G"] }), native, foreign, 0).kind).toBe("clear");
    const own = { groups: ["G"], ownAddresses: [ip("10.2.0.2")] };
    expect(inbound(createDataPlane(own), native, foreign, 0)).toMatchObject({ reason: "invalidSa" });
  });
});

describe("the replay window", () => {
  const config = { replayWindow: 64 };

  function numbered(count: number): readonly Bytes[] {
    const sender = member(dataSa({ sequenceNumbers: 0 }));
    return Array.from({ length: count }, () => sealed(sender, udpPacket())[0]!);
  }

  it("takes each number once, in any order within the window", () => {
    const packets = numbered(130);
    const plane = member(dataSa({ sequenceNumbers: 0 }), protectAll, config);
    const arrives = (sequence: number) => {
      const result = inbound(plane, native, packets[sequence - 1]!, 0);
      return result.kind === "clear" ? "ok" : result.reason;
    };
    expect([3, 1, 2, 1, 3].map(arrives)).toEqual(["ok", "ok", "ok", "replay", "replay"]);
    expect([70, 6, 7, 8, 70].map(arrives)).toEqual(["ok", "replay", "ok", "ok", "replay"]);
    expect([130, 71, 72, 66, 67, 130].map(arrives)).toEqual(["ok", "ok", "ok", "replay", "ok", "replay"]);
    expect(plane.counters.replayFail).toBe(6);
  });

  it("is not moved by a packet that is not genuine", () => {
    const packets = numbered(100);
    const plane = member(dataSa({ sequenceNumbers: 0 }), protectAll, config);
    const forged = packets[99]!.slice();
    forged[60]! ^= 1;
    expect(inbound(plane, native, forged, 0)).toMatchObject({ reason: "verify" });
    expect(inbound(plane, native, packets[0]!, 0).kind).toBe("clear");
  });

  it("does not exist for SAs without sequential numbers: several senders number for themselves", () => {
    const [packet] = numbered(1);
    const plane = member(dataSa({ sequenceNumbers: 2 }), protectAll, config);
    expect(inbound(plane, native, packet!, 0).kind).toBe("clear");
    expect(inbound(plane, native, packet!, 0).kind).toBe("clear");
  });
});

describe("policy", () => {
  it("is fail-open before the first registration", () => {
    const plane = createDataPlane({ groups: ["G"] });
    const packet = udpPacket();
    expect(outbound(plane, tools(), packet, MTU, 0)).toEqual({ kind: "clear", packet });
    expect(inbound(plane, native, packet, 0)).toEqual({ kind: "clear", packet });
  });

  it("is closed with fail-close, but for its deny entries, until every group of the map has its policy", () => {
    const failClose: TrafficRule[] = [{ action: "bypass", selector: { ...ANY, protocol: 89 }, family: 0 }];
    const plane = createDataPlane({ groups: ["G", "H"], failClose });
    const ospf = buildPacket({ ...ipHeader(udpPacket())!, protocol: 89 }, new Uint8Array(4));
    expect(outbound(plane, tools(), udpPacket(), MTU, 0)).toMatchObject({ reason: "failClose" });
    expect(inbound(plane, native, udpPacket(), 0)).toMatchObject({ reason: "failClose" });
    expect(outbound(plane, tools(), ospf, MTU, 0).kind).toBe("clear");
    const icmp: TrafficRule[] = [{ action: "protect", selector: { ...ANY, protocol: 1 }, family: 1 }];
    apply(plane, { kind: "rules", group: "G", rules: icmp });
    expect(outbound(plane, tools(), udpPacket(), MTU, 0)).toMatchObject({ reason: "failClose" });
    apply(plane, { kind: "rules", group: "H", rules: icmp });
    expect(outbound(plane, tools(), udpPacket(), MTU, 0).kind).toBe("clear");
    expect(plane.counters.failCloseDropped).toBe(3);
  });

  it("asks the member's own list first, then the downloaded rules in their order", () => {
    const http = { ...ANY, protocol: 17, destinationPortFirst: 80, destinationPortLast: 80 };
    const local: TrafficRule[] = [{ action: "bypass", selector: http, family: 0 }];
    const dns = { ...ANY, protocol: 17, destinationPortFirst: 53, destinationPortLast: 53 };
    const rules: TrafficRule[] = [{ action: "bypass", selector: dns, family: 0 }, ...protectAll];
    const plane = member(dataSa(), rules, { localRules: local });
    const kindOf = (destinationPort: number) => outbound(plane, tools(), udpPacket({ destinationPort }), MTU, 0).kind;
    expect([53, 80, 81].map(kindOf)).toEqual(["clear", "clear", "sealed"]);
  });

  it("never protects the router's own UDP 848, and protects that of others", () => {
    const plane = member(dataSa(), protectAll, { ownAddresses: [ip("10.1.0.1")] });
    const own = udpPacket({ sourcePort: 848, destinationPort: 848 });
    const other = udpPacket({ source: "10.1.0.9", sourcePort: 848, destinationPort: 848 });
    expect(outbound(plane, tools(), own, MTU, 0).kind).toBe("clear");
    expect(outbound(plane, tools(), other, MTU, 0).kind).toBe("sealed");
    const answer = udpPacket({ source: "10.9.0.1", destination: "10.1.0.1", sourcePort: 848, destinationPort: 848 });
    expect(inbound(plane, native, answer, 0).kind).toBe("clear");
    const rekey = udpPacket({ source: "10.9.0.1", destination: "239.1.1.1", sourcePort: 848, destinationPort: 848 });
    expect(inbound(plane, native, rekey, 0).kind).toBe("clear");
  });

  it("never protects the router's own IKE behind a NAT on UDP 4500, and lets no ESP in UDP through", () => {
    const plane = member(dataSa(), protectAll, { ownAddresses: [ip("10.1.0.1")] });
    const marked = Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4);
    const payloads = [marked, Uint8Array.of(0xff), Uint8Array.of(0, 0, 1, 1, 0, 0, 0, 1), new Uint8Array(4), marked];
    const own = { sourcePort: 4500, destinationPort: 4500 };
    const ends: PacketOptions[] = [own, own, own, own, { ...own, source: "10.1.0.9" }];
    const kinds = payloads.map((payload, i) => {
      const packet = udpPacket({ ...ends[i]!, payload });
      return outbound(plane, tools(), packet, MTU, 0).kind;
    });
    expect(kinds).toEqual(["clear", "clear", "sealed", "sealed", "sealed"]);
    const back = payloads.map((payload, i) => {
      const destination = ends[i]!.source ?? "10.1.0.1";
      const packet = udpPacket({ source: "10.9.0.1", destination, ...own, payload });
      return inbound(plane, native, packet, 0).kind;
    });
    expect(back).toEqual(["clear", "clear", "dropped", "dropped", "dropped"]);
    const elsewhere = udpPacket({ sourcePort: 4501, destinationPort: 4502, payload: marked });
    expect(outbound(plane, tools(), elsewhere, MTU, 0).kind).toBe("sealed");
  });

  it("lets no fragment leave in clear because its ports are not to be seen", () => {
    const dns = { ...ANY, protocol: 17, destinationPortFirst: 53, destinationPortLast: 53 };
    const later = buildPacket({ ...ipHeader(udpPacket())!, fragmentOffset: 64 }, new Uint8Array(16));
    const bypass: TrafficRule[] = [{ action: "bypass", selector: dns, family: 0 }, ...protectAll];
    expect(outbound(member(dataSa(), bypass), tools(), later, MTU, 0).kind).toBe("sealed");
    const protect: TrafficRule[] = [{ action: "protect", selector: dns, family: 1 }];
    expect(outbound(member(dataSa(), protect), tools(), later, MTU, 0).kind).toBe("sealed");
  });
});

describe("size", () => {
  it("tells the sender of a packet with DF the plaintext MTU", () => {
    const plane = member();
    const large = udpPacket({ df: true, payload: new Uint8Array(1438 - 28 + 1) });
    expect(outbound(plane, tools(), large, MTU, 0)).toEqual({ kind: "tooBig", mtu: 1438, group: "G", spi: 0x1001 });
    const fits = udpPacket({ df: true, payload: new Uint8Array(1438 - 28) });
    const [packet] = sealed(plane, fits);
    expect(packet!.length).toBeLessThanOrEqual(MTU);
  });

  it("cuts before sealing, so that each part opens by itself and the packet is whole at its receiver", () => {
    const payload = Uint8Array.from({ length: 4000 }, (_, i) => i);
    const packet = udpPacket({ payload });
    const parts = sealed(member(), packet);
    expect(parts.length).toBe(3);
    const state = createReassembly();
    const plane = member();
    let whole: Bytes | undefined;
    for (const part of [parts[2]!, parts[0]!, parts[1]!]) {
      expect(part.length).toBeLessThanOrEqual(MTU);
      const opened = inbound(plane, native, part, 0);
      if (opened.kind !== "clear") throw new Error(opened.reason);
      whole = reassemble(state, ipHeader(opened.packet)!, opened.packet, 0);
    }
    expect(equal(whole!, packet)).toBe(true);
  });

  it("leaves cutting to the interface with after-encryption, and with df-bit clear for a packet with DF", () => {
    const large = (df: boolean) => udpPacket({ df, payload: new Uint8Array(1600) });
    const after = sealed(member(dataSa(), protectAll, { lookAhead: false }), large(false));
    expect(after.length).toBe(1);
    const [cleared] = sealed(member(dataSa(), protectAll, { df: "clear" }), large(true));
    expect(ipHeader(cleared!)).toMatchObject({ isDf: false });
    const [set] = sealed(member(dataSa(), protectAll, { df: "set" }), udpPacket());
    expect(ipHeader(set!)).toMatchObject({ isDf: true });
  });

  it("refuses a packet that would no longer be an IP packet", () => {
    const large = udpPacket({ payload: new Uint8Array(65_500 - 28) });
    const plane = member(dataSa(), protectAll, { lookAhead: false });
    expect(outbound(plane, tools(), large, MTU, 0)).toMatchObject({ reason: "tooLarge" });
  });
});

describe("transport mode", () => {
  it("keeps the header, and gives the packet back as it was", () => {
    const sa = dataSa({ mode: "transport" });
    const packet = udpPacket({ tos: 0x28, ttl: 9 });
    const [outer] = sealed(member(sa), packet);
    expect(ipHeader(outer!)).toMatchObject({ tos: 0x28, ttl: 9, protocol: 50, identification: 7 });
    const result = inbound(member(sa), native, withTtlDecremented(outer!), 0);
    expect(result.kind === "clear" && equal(result.packet, withTtlDecremented(packet))).toBe(true);
  });

  it("does not take fragments", () => {
    const part = buildPacket({ ...ipHeader(udpPacket())!, hasMore: true }, new Uint8Array(16));
    expect(outbound(member(dataSa({ mode: "transport" })), tools(), part, MTU, 0)).toMatchObject({
      reason: "fragment",
    });
  });
});

it("is plain data: a copy of a data plane goes on where the original was", () => {
  const plane = member(dataSa(), protectAll, { replayWindow: 64 });
  sealed(plane, udpPacket());
  const copy = structuredClone(plane);
  expect(sealed(copy, udpPacket())[0]![27]).toBe(2);
  expect(sealed(plane, udpPacket())[0]![27]).toBe(2);
});
