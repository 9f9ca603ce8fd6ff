import { describe, expect, it } from "vitest";
import { perform } from "../../../sim/device/network.ts";
import { MILLISECOND, SECOND } from "../../../src/base/micros.ts";
import { cloudOf, host, ip, latency, link, network, ping, router, site, story } from "./lab.ts";

const R1 = `
interface GigabitEthernet0/0
 ip address 10.1.12.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 10.1.1.1 255.255.255.0
ip route 0.0.0.0 0.0.0.0 10.1.12.2
`;
const R2 = `
interface GigabitEthernet0/0
 ip address 10.1.12.2 255.255.255.0
interface GigabitEthernet0/1
 ip address 10.1.2.1 255.255.255.0
ip route 10.1.1.0 255.255.255.0 10.1.12.1
`;

/** h1 -- r1 -- r2 -- h2 */
function chain(rules = latency(2 * MILLISECOND)) {
  return network({
    devices: [
      router("r1", R1),
      router("r2", R2),
      host("h1", "10.1.1.10", "10.1.1.1"),
      host("h2", "10.1.2.10", "10.1.2.1"),
    ],
    links: [
      link("r1:GigabitEthernet0/0", "r2:GigabitEthernet0/0", rules),
      link("h1:eth0", "r1:GigabitEthernet0/1"),
      link("r2:GigabitEthernet0/1", "h2:eth0"),
    ],
  });
}

describe("ping", () => {
  it("goes through routers and hosts with static routes, and is reported as IOS reports it", () => {
    const net = chain();
    net.scheduler.runUntil(0);
    expect(ping(net, "r1", "10.1.12.2")).toMatchObject({
      from: "10.1.12.1",
      to: "10.1.12.2",
      text: "!!!!!",
      percent: 100,
      line: "Success rate is 100 percent (5/5), round-trip min/avg/max = 4/4/4 ms",
      avgMicros: 4 * MILLISECOND,
    });
    expect(ping(net, "h1", "10.1.2.10", { repeat: 3, size: 1400 })).toMatchObject({ text: "!!!", avgMicros: 8_000 });
  });

  it("sends the next echo at once after an answer and after the timeout without one", () => {
    const net = chain();
    net.scheduler.runUntil(SECOND);
    const from = net.trace.events;
    expect(ping(net, "r1", "10.1.2.99", { repeat: 2 })).toMatchObject({
      text: "..",
      line: "Success rate is 0 percent (0/2)",
    });
    expect(story(net, "ping.sent", from).map(({ time }) => time)).toEqual([SECOND, 3 * SECOND]);
    expect(net.scheduler.now).toBe(5 * SECOND);
  });

  it("keeps an interval where one is asked for", () => {
    const net = chain();
    ping(net, "r1", "10.1.12.2", { repeat: 3, interval: SECOND });
    expect(story(net, "ping.sent").map(({ time }) => time)).toEqual([0, SECOND, 2 * SECOND]);
  });

  it("shows U where a router knows no way, and a dot where the router limits its complaints", () => {
    const net = chain();
    expect(ping(net, "r1", "172.16.0.1", { timeout: 100 * MILLISECOND })).toMatchObject({ text: "U...." });
    expect(story(net, "ping.unreachable")).toMatchObject([{ from: "10.1.12.2", type: 3, code: 1 }]);
  });

  it("reaches the far loopback from a chosen source only if the way back is known", () => {
    const net = chain();
    expect(ping(net, "r1", "10.1.2.10", { source: "GigabitEthernet0/1" })).toMatchObject({ text: "!!!!!" });
    expect(ping(net, "r1", "10.1.2.10", { source: ip("10.9.9.9") })).toMatchObject({ text: "....." });
  });

  it("answers the device's own addresses without a line", () => {
    const net = chain();
    const from = net.trace.events;
    expect(ping(net, "r1", "10.1.1.1")).toMatchObject({ text: "!!!!!", line: expect.stringContaining("1/1/1 ms") });
    expect(story(net, "packet.sent", from)).toEqual([]);
  });

  it("larger than the line is cut and put together again; with DF it shows M", () => {
    const net = chain();
    const from = net.trace.events;
    expect(ping(net, "h1", "10.1.2.10", { repeat: 1, size: 3000 })).toMatchObject({ text: "!" });
    expect(story(net, "packet.sent", from).length).toBe(2 * 3 * 3);
    expect(ping(net, "r1", "10.1.2.10", { repeat: 1, size: 3000, df: true })).toMatchObject({ text: "M" });
  });
});

describe("forwarding", () => {
  it("takes one from the TTL at each hop and tells the sender when it is used up", () => {
    const loop1 = R1.replace("0.0.0.0 0.0.0.0", "10.9.0.0 255.255.0.0");
    const loop2 = `${R2}\nip route 10.9.0.0 255.255.0.0 10.1.12.1`;
    const net = network({
      devices: [router("r1", loop1), router("r2", loop2)],
      links: [link("r1:GigabitEthernet0/0", "r2:GigabitEthernet0/0")],
    });
    expect(ping(net, "r1", "10.9.0.1", { repeat: 1, timeout: 3 * SECOND })).toMatchObject({ text: "U" });
    expect(story(net, "ip.dropped")).toMatchObject([{ device: "r2", reason: "ttl" }]);
    expect(story(net, "ping.unreachable")).toMatchObject([{ type: 11, code: 0 }]);
    expect(story(net, "packet.sent").length).toBe(255 + 1);
  });

  it("prefers the longest prefix, then the lowest distance, and does without a route whose line is down", () => {
    const text = `
interface GigabitEthernet0/0
 ip address 10.0.1.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 10.0.2.1 255.255.255.0
ip route 10.9.0.0 255.255.0.0 10.0.1.2
ip route 10.9.0.0 255.255.0.0 10.0.2.2 200
ip route 10.9.9.0 255.255.255.0 10.0.2.2
ip route 10.9.8.0 255.255.255.0 Null0
`;
    const far = (n: number) => `
interface GigabitEthernet0/0
 ip address 10.0.${n}.2 255.255.255.0
interface Loopback0
 ip address 10.9.0.1 255.255.255.255
interface Loopback9
 ip address 10.9.9.9 255.255.255.255
`;
    const net = network({
      devices: [router("a", text), router("b1", far(1)), router("b2", far(2))],
      links: [
        link("a:GigabitEthernet0/0", "b1:GigabitEthernet0/0"),
        link("a:GigabitEthernet0/1", "b2:GigabitEthernet0/0"),
      ],
    });
    const answeredBy = (destination: string) => {
      const from = net.trace.events;
      ping(net, "a", destination, { repeat: 1 });
      return story(net, "echo.answered", from).map(({ device }) => device);
    };
    expect(answeredBy("10.9.0.1")).toEqual(["b1"]);
    expect(answeredBy("10.9.9.9")).toEqual(["b2"]);
    expect(answeredBy("10.9.8.1")).toEqual([]);
    perform(net, { kind: "fault", fault: { kind: "linkDown", link: "a-b1" } });
    expect(answeredBy("10.9.0.1")).toEqual(["b2"]);
    perform(net, { kind: "fault", fault: { kind: "linkUp", link: "a-b1" } });
    expect(answeredBy("10.9.0.1")).toEqual(["b1"]);
    expect(story(net, "link.down")).toMatchObject([{ device: "a" }, { device: "b1" }]);
  });
});

describe("a cloud", () => {
  it("carries packets between sites that OSPF has told of each other, without touching their TTL", () => {
    const net = network({
      devices: [1, 2, 3].map((n) => router(`r${n}`, site(n))),
      clouds: [cloudOf(["r1", "r2", "r3"])],
    });
    expect(ping(net, "r1", "192.168.1.3")).toMatchObject({ text: "!!!!!", avgMicros: 14_000 });
    expect(ping(net, "r1", "10.0.0.2", { source: "Loopback0" })).toMatchObject({ text: "!!!!!", from: "10.0.0.1" });
    const [, sent] = story(net, "packet.sent");
    expect(sent).toMatchObject({ device: "wan", link: "site-r3", interface: "site-r3" });
    expect(net.trace.packet(0)[8]).toBe(255);
    expect(ping(net, "r1", "10.0.0.9", { repeat: 1 })).toMatchObject({ text: "." });
  });

  it("brings a packet for nobody to an end that the trace shows", () => {
    const text = `${site(1)}\nip route 0.0.0.0 0.0.0.0 192.168.1.254`;
    const net = network({ devices: [router("r1", text)], clouds: [cloudOf(["r1"])] });
    ping(net, "r1", "172.16.0.1", { repeat: 1 });
    expect(story(net, "cloud.dropped")).toMatchObject([{ device: "wan", reason: "noRoute", site: "site-r1" }]);
  });

  it("reaches routers behind a site's router, and they reach other sites", () => {
    const inner = `
interface GigabitEthernet0/0
 ip address 10.5.0.2 255.255.255.0
interface Loopback0
 ip address 10.5.5.5 255.255.255.255
router ospf 1
 network 10.0.0.0 0.255.255.255 area 0
`;
    const edge = site(1, "interface GigabitEthernet0/1\n ip address 10.5.0.1 255.255.255.0").replace(
      "network 10.0.0.0 0.0.0.255 area 0",
      "network 10.0.0.0 0.255.255.255 area 0",
    );
    const net = network({
      devices: [router("r1", edge), router("r2", site(2)), router("inner", inner)],
      links: [link("r1:GigabitEthernet0/1", "inner:GigabitEthernet0/0")],
      clouds: [cloudOf(["r1", "r2"])],
    });
    expect(ping(net, "r2", "10.5.5.5", { source: "Loopback0" })).toMatchObject({ text: "!!!!!" });
    expect(ping(net, "inner", "10.0.0.2")).toMatchObject({ text: "!!!!!" });
  });

  it("copies multicast to the sites that have joined, and each member answers a ping", () => {
    const net = network({
      devices: [1, 2, 3, 4].map((n) => router(`r${n}`, site(n))),
      clouds: [cloudOf(["r1", "r2", "r3", "r4"])],
      timeline: ["r2", "r4"].map((device) => ({
        at: 0,
        action: { kind: "joinGroup", device, group: ip("239.1.1.1") } as const,
      })),
    });
    net.scheduler.runUntil(0);
    expect(ping(net, "r1", "239.1.1.1", { repeat: 1 })).toMatchObject({ text: "!" });
    expect(story(net, "ping.reply").map(({ from }) => from)).toEqual(["192.168.1.2", "192.168.1.4"]);
    perform(net, { kind: "leaveGroup", device: "r4", group: ip("239.1.1.1") });
    const from = net.trace.events;
    ping(net, "r1", "239.1.1.1", { repeat: 1 });
    expect(story(net, "ping.reply", from).map((reply) => reply.from)).toEqual(["192.168.1.2"]);
  });
});

describe("the trace of a packet", () => {
  it("leads from the answer back to the beginning, cause by cause", () => {
    const net = chain();
    ping(net, "h1", "10.1.2.10", { repeat: 1 });
    const [reply] = [...net.trace.ofKind("ping.reply")];
    const kinds: string[] = [];
    for (let event = reply!.number; event >= 0; event = net.trace.causeOf(event)) kinds.push(net.trace.kindOf(event));
    expect(kinds.reverse()).toEqual([
      "ping.started",
      "ping.sent",
      ...["packet.sent", "packet.received", "packet.sent", "packet.received", "packet.sent", "packet.received"],
      "echo.answered",
      ...["packet.sent", "packet.received", "packet.sent", "packet.received", "packet.sent", "packet.received"],
      "ping.reply",
    ]);
  });

  it("is the same for the same seed and another one for another", () => {
    const run = (seed: string) => {
      const lossy = [...latency(MILLISECOND), { kind: "loss", hits: 1, outOf: 3 } as const];
      const net = network(
        {
          devices: [router("r1", R1), router("r2", R2)],
          links: [link("r1:GigabitEthernet0/0", "r2:GigabitEthernet0/0", lossy)],
        },
        seed,
      );
      ping(net, "r1", "10.1.12.2", { repeat: 30 });
      expect(story(net, "packet.lost").every(({ reason }) => reason === "loss")).toBe(true);
      return net.trace.fingerprint();
    };
    expect(run("a")).toBe(run("a"));
    expect(run("a")).not.toBe(run("b"));
  });
});
