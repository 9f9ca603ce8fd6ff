import { describe, expect, it } from "vitest";
import { perform } from "../../../sim/device/network.ts";
import type { Network } from "../../../sim/device/networkState.ts";
import { SECOND } from "../../../src/base/micros.ts";
import type { Crypto } from "../../../src/crypto/api.ts";
import { native } from "../../../src/crypto/native.ts";
import { noble } from "../../../src/crypto/noble.ts";
import { ipHeader } from "../../../src/esp/ipHeader.ts";
import type { KsGroupConfig } from "../../../src/ks/config.ts";
import { ksGroup, MULTICAST } from "../../gm/network.ts";
import { memberRouter, serverRouter } from "./group.ts";
import { cloudOf, host, ip, link, network, ping, story } from "./lab.ts";

function lab(members: number, group: Partial<KsGroupConfig> = {}, crypto: Crypto = native): Network {
  const gms = Array.from({ length: members }, (_, i) => memberRouter(i + 1));
  const devices = [serverRouter(group), ...gms];
  return network({ devices, clouds: [cloudOf(devices.map(({ name }) => name))] }, "test", crypto);
}

/** Packets of a protocol that entered the cloud from event `from` on. */
function onTheWire(net: Network, protocol: number, from: number) {
  return [...net.trace.ofKind("packet.sent", from)]
    .filter(({ device }) => device < net.devices.length)
    .map(({ packet }) => ipHeader(net.trace.packet(packet))!)
    .filter((header) => header.protocol === protocol);
}

describe("a group over a cloud", () => {
  it("registers, and its members ping each other's loopbacks through ESP that keeps the addresses", () => {
    const net = lab(4);
    net.scheduler.runUntil(5 * SECOND);
    expect(story(net, "gm.registered").map(({ device }) => device)).toEqual(["gm1", "gm2", "gm3", "gm4"]);
    const from = net.trace.events;
    for (const [a, b] of [
      [1, 2],
      [2, 3],
      [4, 1],
    ] as const) {
      const result = ping(net, `gm${a}`, `10.0.0.${b}`, { source: "Loopback0", tos: 0xb8, df: true });
      expect(result).toMatchObject({ text: "!!!!!", from: `10.0.0.${a}` });
    }
    expect(onTheWire(net, 1, from)).toEqual([]);
    const sealed = onTheWire(net, 50, from);
    expect(sealed.length).toBe(30);
    expect(sealed[0]).toMatchObject({ source: ip("10.0.0.1"), destination: ip("10.0.0.2"), tos: 0xb8, isDf: true });
    expect(story(net, "esp.dropped", from)).toEqual([]);
    const counters = [...net.byName.get("gm1")!.planes.values()][0]!.counters;
    expect(counters).toMatchObject({ encaps: 10, decaps: 10, verifyFail: 0 });
  });

  it("pings in clear before registration, and a member drops what still comes in clear afterwards", () => {
    const net = lab(2);
    expect(ping(net, "gm1", "10.0.0.2", { repeat: 1 })).toMatchObject({ text: "!" });
    expect(onTheWire(net, 50, 0)).toEqual([]);
    net.scheduler.runUntil(5 * SECOND);
    const from = net.trace.events;
    // The key server is no member: what it sends in clear, a member's policy wants protected.
    expect(ping(net, "ks1", "192.168.1.1", { repeat: 2 })).toMatchObject({ text: ".." });
    expect(story(net, "esp.dropped", from)).toMatchObject([
      { device: "gm1", reason: "clear", counter: "clear dropped", group: "GROUP" },
      { device: "gm1", reason: "clear" },
    ]);
  });

  it("loses no ping while TEK and KEK are rekeyed", () => {
    const dataSas = [{ ...ksGroup().dataSas[0]!, lifetimeSeconds: 300 }];
    const net = lab(3, { dataSas, kek: { ...ksGroup().kek, lifetimeSeconds: 400 } });
    net.scheduler.runUntil(5 * SECOND);
    const result = ping(net, "gm1", "10.0.0.2", { source: "Loopback0", repeat: 900, interval: SECOND });
    expect(result).toMatchObject({ percent: 100, received: 900 });
    expect(net.trace.countOf("gm.rekeyReceived")).toBeGreaterThanOrEqual(6);
    expect(story(net, "esp.dropped")).toEqual([]);
  });

  it("hears multicast rekeys through the cloud", () => {
    const net = lab(3, { transport: MULTICAST });
    net.scheduler.runUntil(5 * SECOND);
    const from = net.trace.events;
    const input = { kind: "command", name: "rekey", data: { group: "GROUP", replaceNow: false } } as const;
    perform(net, { kind: "machine", device: "ks1", machine: "ks", input });
    net.scheduler.runUntil(6 * SECOND);
    expect(story(net, "gm.rekeyReceived", from).map(({ device }) => device)).toEqual(["gm1", "gm2", "gm3"]);
    expect(onTheWire(net, 17, from).length).toBe(1);
  });

  it("protects multicast data with the same SA: the cloud copies it after it was sealed", () => {
    const net = lab(4);
    net.scheduler.runUntil(5 * SECOND);
    const group = ip("239.9.9.9");
    for (const device of ["gm2", "gm4"]) perform(net, { kind: "joinGroup", device, group });
    const from = net.trace.events;
    expect(ping(net, "gm1", "239.9.9.9", { repeat: 1 })).toMatchObject({ text: "!" });
    expect(story(net, "ping.reply", from).map((reply) => reply.from)).toEqual(["192.168.1.2", "192.168.1.4"]);
    const sealed = onTheWire(net, 50, from);
    expect(sealed.filter(({ destination }) => destination === group).length).toBe(1);
    expect(onTheWire(net, 1, from)).toEqual([]);
  });

  it("leaves the same trace with both back ends, and again when it is run again", () => {
    const fingerprintOf = (crypto: Crypto) => {
      const net = lab(2, {}, crypto);
      net.scheduler.runUntil(5 * SECOND);
      ping(net, "gm1", "10.0.0.2", { source: "Loopback0" });
      return net.trace.fingerprint();
    };
    const first = fingerprintOf(native);
    expect(fingerprintOf(native)).toBe(first);
    expect(fingerprintOf(noble)).toBe(first);
  });

  it("protects hosts behind its members, cuts what is too large, and tells a sender with DF", () => {
    const lan = (n: number) => `
interface GigabitEthernet0/1
 ip address 10.0.0.${128 + 16 * n} 255.255.255.240
`;
    const net = network({
      devices: [
        serverRouter(),
        memberRouter(1, lan(1)),
        memberRouter(2, lan(2)),
        { ...host("h1", "10.0.0.145", "10.0.0.144"), mask: ip("255.255.255.240") },
        { ...host("h2", "10.0.0.161", "10.0.0.160"), mask: ip("255.255.255.240") },
      ],
      links: [link("gm1:GigabitEthernet0/1", "h1:eth0"), link("gm2:GigabitEthernet0/1", "h2:eth0")],
      clouds: [cloudOf(["ks1", "gm1", "gm2"])],
    });
    net.scheduler.runUntil(5 * SECOND);
    const from = net.trace.events;
    expect(ping(net, "h1", "10.0.0.161", { repeat: 1, size: 3000 })).toMatchObject({ text: "!" });
    // The host cuts into 1500, 1500 and the rest; its member cuts the first two once more, and so on the way back.
    const sealed = onTheWire(net, 50, from);
    expect(sealed.length).toBe(10);
    expect(Math.max(...sealed.map(({ totalOctets }) => totalOctets))).toBeLessThanOrEqual(1500);
    expect(ping(net, "h1", "10.0.0.161", { repeat: 1, size: 1450, df: true })).toMatchObject({ text: "M" });
    expect(story(net, "esp.tooBig", from)).toMatchObject([{ device: "gm1", mtu: 1438 }]);
    expect(ping(net, "h1", "10.0.0.161", { repeat: 1, size: 1438, df: true })).toMatchObject({ text: "!" });
  });

  it("drops what was changed on its way, and the trace says why", () => {
    const net = lab(2);
    net.scheduler.runUntil(5 * SECOND);
    perform(net, {
      kind: "fault",
      fault: { kind: "tamper", match: { from: "gm1", protocol: 50 }, nth: 1, change: { kind: "flip", bit: 8 * 60 } },
    });
    const from = net.trace.events;
    expect(ping(net, "gm1", "10.0.0.2", { repeat: 2 })).toMatchObject({ text: ".!" });
    expect(story(net, "esp.dropped", from)).toMatchObject([
      { device: "gm2", reason: "verify", counter: "verify fail" },
    ]);
  });

  it("comes back after a reload with fresh keys, and its neighbours see its line go down", () => {
    const net = lab(2);
    net.scheduler.runUntil(5 * SECOND);
    const from = net.trace.events;
    perform(net, { kind: "fault", fault: { kind: "reload", device: "gm2", downtime: 30 * SECOND } });
    expect(ping(net, "gm1", "10.0.0.2", { repeat: 1 })).toMatchObject({ text: "." });
    expect(story(net, "packet.lost", from)).toMatchObject([{ device: "wan", reason: "down" }]);
    net.scheduler.runUntil(40 * SECOND);
    expect(story(net, "gm.registered", from)).toMatchObject([{ device: "gm2" }]);
    expect(ping(net, "gm1", "10.0.0.2")).toMatchObject({ text: "!!!!!" });
  });
});
