import { describe, expect, it } from "vitest";
import { perform } from "../../../sim/device/network.ts";
import type { Network } from "../../../sim/device/networkState.ts";
import type { Fault } from "../../../sim/fault/fault.ts";
import { MILLISECOND, SECOND } from "../../../src/base/micros.ts";
import { cloudOf, ip, latency, link, network, ping, router, site, story } from "./lab.ts";

const end = (n: number) => `
interface GigabitEthernet0/0
 ip address 10.0.0.${n} 255.255.255.0
`;

function pair(): Network {
  return network({
    devices: [router("a", end(1)), router("b", end(2))],
    links: [link("a:GigabitEthernet0/0", "b:GigabitEthernet0/0")],
  });
}

function cloud(): Network {
  return network({
    devices: [1, 2, 3].map((n) => router(`r${n}`, site(n))),
    clouds: [cloudOf(["r1", "r2", "r3"])],
  });
}

function once(net: Network, device: string, destination: string): string {
  return String(ping(net, device, destination, { repeat: 1, timeout: SECOND }).text);
}

function apply(net: Network, fault: Fault): void {
  perform(net, { kind: "fault", fault });
}

describe("faults", () => {
  it("one-way partition: what one side sends is lost, and nobody's interface notices", () => {
    const net = pair();
    apply(net, { kind: "partition", link: "a-b", from: "b" });
    expect(once(net, "a", "10.0.0.2")).toBe(".");
    expect(story(net, "echo.answered").length).toBe(1);
    expect(story(net, "packet.lost")).toMatchObject([{ device: "b", reason: "partition" }]);
    expect(story(net, "link.down")).toEqual([]);
    apply(net, { kind: "heal", link: "a-b", from: "b" });
    expect(once(net, "a", "10.0.0.2")).toBe("!");
  });

  it("changes of latency and loss hold from now on, until they are taken away", () => {
    const net = pair();
    apply(net, { kind: "setRule", link: "a-b", direction: "ab", rule: { kind: "latency", micros: 9 * MILLISECOND } });
    expect(ping(net, "a", "10.0.0.2")).toMatchObject({ avgMicros: 10 * MILLISECOND });
    apply(net, { kind: "setRule", link: "a-b", direction: "both", rule: { kind: "loss", hits: 1, outOf: 1 } });
    expect(once(net, "a", "10.0.0.2")).toBe(".");
    apply(net, { kind: "clearRule", link: "a-b", direction: "both", rule: "loss" });
    expect(once(net, "a", "10.0.0.2")).toBe("!");
  });

  it("backbone rules hold between the sites that they name", () => {
    const net = cloud();
    const rule = { kind: "loss", hits: 1, outOf: 1 } as const;
    apply(net, { kind: "setBackboneRule", cloud: "wan", from: "site-r1", to: "site-r2", rule });
    expect([once(net, "r1", "192.168.1.2"), once(net, "r1", "192.168.1.3")]).toEqual([".", "!"]);
    expect(story(net, "packet.lost")).toMatchObject([{ device: "wan", link: "wan/site-r1/site-r2", reason: "loss" }]);
    apply(net, { kind: "clearBackboneRule", cloud: "wan", rule: "loss" });
    expect(once(net, "r1", "192.168.1.2")).toBe("!");
  });

  it("power: a device that is off answers nothing, and forgets its pings", () => {
    const net = pair();
    perform(net, { kind: "ping", device: "b", destination: ip("10.0.0.9"), repeat: 100 });
    apply(net, { kind: "powerOff", device: "b" });
    apply(net, { kind: "powerOff", device: "b" });
    expect(once(net, "a", "10.0.0.2")).toBe(".");
    expect(story(net, "ip.dropped")).toMatchObject([
      { device: "b", reason: "noNeighbour" },
      { device: "a", reason: "noRoute" },
    ]);
    expect(story(net, "link.down")).toMatchObject([{ device: "a" }]);
    apply(net, { kind: "powerOn", device: "b" });
    expect(once(net, "a", "10.0.0.2")).toBe("!");
    net.scheduler.runUntil(300 * SECOND);
    expect(story(net, "ping.done").map(({ device }) => device)).toEqual(["a", "a"]);
    expect(story(net, "device.down")).toMatchObject([{ device: "b", reason: "powerOff" }]);
  });

  it("reload: back after the downtime, once, even if it was switched on meanwhile", () => {
    const net = pair();
    apply(net, { kind: "reload", device: "b", downtime: 10 * SECOND });
    net.scheduler.runUntil(5 * SECOND);
    apply(net, { kind: "powerOn", device: "b" });
    net.scheduler.runUntil(20 * SECOND);
    expect(
      story(net, "device.up")
        .filter(({ device }) => device === "b")
        .map(({ time }) => time),
    ).toEqual([0, 5 * SECOND]);
  });

  it("tampering: the second echo of five is duplicated and answered twice, and one ping is counted", () => {
    const net = pair();
    const match = { from: "a", protocol: 1 };
    apply(net, { kind: "tamper", link: "a-b", match, nth: 2, change: { kind: "duplicate" } });
    expect(ping(net, "a", "10.0.0.2")).toMatchObject({ text: "!!!!!", received: 5 });
    net.scheduler.runUntil(SECOND);
    expect(story(net, "echo.answered").length).toBe(6);
    expect(net.tamperers).toEqual([]);
  });

  it("a damaged echo is dropped at its receiver", () => {
    const net = pair();
    apply(net, { kind: "tamper", match: { from: "a" }, nth: 1, change: { kind: "flip", bit: 200 } });
    expect(once(net, "a", "10.0.0.2")).toBe(".");
    expect(story(net, "ip.dropped")).toMatchObject([{ device: "b", reason: "checksum" }]);
  });

  it("stand in the trace with what they are about, and a link's with what followed from them", () => {
    const net = pair();
    apply(net, { kind: "linkDown", link: "a-b" });
    const [fault] = [...net.trace.ofKind("fault.applied")];
    expect(fault!.data).toEqual({ kind: "linkDown", link: "a-b" });
    expect([...net.trace.ofKind("link.down")].map(({ cause }) => cause)).toEqual([fault!.number, fault!.number]);
  });
});

describe("fail-close", () => {
  const text = `
crypto gkm group G
 identity number 1
 server address ipv4 10.0.0.254
ip access-list extended OPEN
 deny tcp any any eq 22
 deny tcp any eq 22 any
crypto map M gkm fail-close
 match address OPEN
 activate
crypto map M 10 gkm
 set group G
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
 crypto map M
`;

  it("drops before registration what its list does not deny, and counts it", () => {
    const net = network({
      devices: [router("a", text), router("b", end(2))],
      links: [link("a:GigabitEthernet0/0", "b:GigabitEthernet0/0", latency(1))],
    });
    expect(once(net, "a", "10.0.0.2")).toBe(".");
    expect(once(net, "b", "10.0.0.1")).toBe(".");
    expect(story(net, "esp.dropped")).toMatchObject([
      { device: "a", reason: "failClose", counter: "fail-close dropped" },
      { device: "a", reason: "failClose" },
    ]);
  });

  it("does nothing until it is activated", () => {
    const net = network({
      devices: [router("a", text.replace(" activate\n", "")), router("b", end(2))],
      links: [link("a:GigabitEthernet0/0", "b:GigabitEthernet0/0", latency(1))],
    });
    expect(once(net, "a", "10.0.0.2")).toBe("!");
  });
});
