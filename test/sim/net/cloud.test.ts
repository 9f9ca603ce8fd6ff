import { describe, expect, it } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { createStreams } from "../../../sim/core/streams.ts";
import {
  announce,
  type Cloud,
  clearBackboneRule,
  createCloud,
  forward,
  join,
  leave,
  setBackboneRule,
  siteNumber,
  withdraw,
} from "../../../sim/net/cloud.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { parseIpv4, parseIpv4Prefix } from "../../../src/base/ipv4.ts";

const prefix = (text: string) => parseIpv4Prefix(text)!;
const address = (text: string) => parseIpv4(text)!;

/** The least that the cloud looks at: an IPv4 header with a destination. */
function packetTo(destination: string): Bytes {
  const packet = new Uint8Array(20);
  packet[0] = 0x45;
  new DataView(packet.buffer).setUint32(16, address(destination));
  return packet;
}

function fourSites(): Cloud {
  const cloud = createCloud("wan", ["hq", "s1", "s2", "s3"], [{ kind: "latency", micros: 100 }]);
  announce(cloud, 0, prefix("0.0.0.0/0"));
  announce(cloud, 1, prefix("10.1.0.0/16"));
  announce(cloud, 2, prefix("10.1.2.0/24"));
  return cloud;
}

const streams = () => createStreams(createRng("1"));
const go = (cloud: Cloud, from: number, destination: string, now = 0) =>
  forward(cloud, from, packetTo(destination), now, streams());
const targets = (cloud: Cloud, from: number, destination: string) => {
  const result = go(cloud, from, destination);
  return "copies" in result ? result.copies.map((copy) => copy.site) : result.drop;
};

describe("unicast", () => {
  it("goes to the site with the longest prefix", () => {
    const cloud = fourSites();
    expect(targets(cloud, 3, "10.1.2.9")).toEqual([2]);
    expect(targets(cloud, 3, "10.1.3.9")).toEqual([1]);
    expect(targets(cloud, 3, "8.8.8.8")).toEqual([0]);
    expect(go(cloud, 3, "10.1.2.9", 50)).toEqual({ copies: [{ site: 2, deliverAt: 150 }] });
  });

  it("falls back to the shorter prefix when the longer is withdrawn", () => {
    const cloud = fourSites();
    expect(withdraw(cloud, 2, prefix("10.1.2.0/24"))).toBe(true);
    expect(withdraw(cloud, 2, prefix("10.1.2.0/24"))).toBe(false);
    expect(targets(cloud, 3, "10.1.2.9")).toEqual([1]);
  });

  it("prefers the site with the lowest number among announcers of one prefix", () => {
    const cloud = fourSites();
    announce(cloud, 3, prefix("10.9.0.0/16"));
    announce(cloud, 1, prefix("10.9.77.1/16"));
    announce(cloud, 1, prefix("10.9.0.0/16"));
    expect(targets(cloud, 0, "10.9.1.1")).toEqual([1]);
    withdraw(cloud, 1, prefix("10.9.0.0/16"));
    expect(targets(cloud, 0, "10.9.1.1")).toEqual([3]);
  });

  it("counts what it cannot carry, by reason", () => {
    const cloud = fourSites();
    withdraw(cloud, 0, prefix("0.0.0.0/0"));
    expect(targets(cloud, 0, "8.8.8.8")).toBe("noRoute");
    expect(targets(cloud, 1, "10.1.3.9")).toBe("sourceSite");
    expect(targets(cloud, 1, "239.1.1.1")).toBe("noReceiver");
    expect(forward(cloud, 0, new Uint8Array(19).fill(0x45), 0, streams())).toEqual({ drop: "notIpv4" });
    expect(forward(cloud, 0, new Uint8Array(40).fill(0x60), 0, streams())).toEqual({ drop: "notIpv4" });
    expect(cloud.drops).toEqual({ notIpv4: 2, noRoute: 1, noReceiver: 1, sourceSite: 1 });
  });

  it("leaves the octets alone", () => {
    const packet = packetTo("10.1.2.9");
    const before = packet.slice();
    forward(fourSites(), 3, packet, 0, streams());
    expect(packet).toEqual(before);
  });
});

describe("multicast", () => {
  it("is copied to all joined sites but the one that it came from, in the order of their numbers", () => {
    const cloud = fourSites();
    const group = address("239.192.0.1");
    for (const site of [3, 1, 0]) join(cloud, site, group);
    expect(targets(cloud, 0, "239.192.0.1")).toEqual([1, 3]);
    expect(targets(cloud, 2, "239.192.0.1")).toEqual([0, 1, 3]);
    expect(targets(cloud, 2, "239.192.0.2")).toBe("noReceiver");
  });

  it("reaches a site until its last member has left", () => {
    const cloud = fourSites();
    const group = address("239.192.0.1");
    join(cloud, 1, group);
    join(cloud, 1, group);
    expect(leave(cloud, 1, group)).toBe(true);
    expect(targets(cloud, 0, "239.192.0.1")).toEqual([1]);
    expect(leave(cloud, 1, group)).toBe(true);
    expect(leave(cloud, 1, group)).toBe(false);
    expect(targets(cloud, 0, "239.192.0.1")).toBe("noReceiver");
  });

  it("stays at its site where the group is link-local", () => {
    const cloud = fourSites();
    join(cloud, 1, address("224.0.0.5"));
    expect(targets(cloud, 0, "224.0.0.5")).toBe("noReceiver");
  });

  it("meets the rules of each way by itself", () => {
    const cloud = createCloud(
      "wan",
      ["hq", "a", "b", "c"],
      [{ kind: "latency", micros: 100 }],
      [
        { from: "hq", to: "b", rules: [{ kind: "latency", micros: 7 }] },
        { from: "hq", to: "c", rules: [{ kind: "loss", hits: 1, outOf: 1 }] },
      ],
    );
    for (const site of ["a", "b", "c"]) join(cloud, siteNumber(cloud, site), address("239.0.0.1"));
    expect(go(cloud, 0, "239.0.0.1", 1000)).toEqual({
      copies: [
        { site: 1, deliverAt: 1100 },
        { site: 2, deliverAt: 1007 },
        { site: 3, lostAt: 1000, reason: "loss" },
      ],
    });
  });
});

describe("faults of the backbone", () => {
  it("hit one direction of one way, all ways from a site, or everything, used before or not", () => {
    const lossless = (cloud: Cloud) =>
      [0, 1, 2].flatMap((from) =>
        ["10.1.3.9", "10.1.2.9", "8.8.8.8"].map((destination) => {
          const result = go(cloud, from, destination);
          return "copies" in result ? ("deliverAt" in result.copies[0]! ? "ok" : "lost") : "-";
        }),
      );
    const cloud = fourSites();
    const healthy = ["ok", "ok", "-", "-", "ok", "ok", "ok", "-", "ok"];
    expect(lossless(cloud)).toEqual(healthy);
    setBackboneRule(cloud, 0, 1, { kind: "partition" });
    expect(lossless(cloud)).toEqual(healthy.with(0, "lost"));
    clearBackboneRule(cloud, 0, 1, "partition");
    setBackboneRule(cloud, 1, undefined, { kind: "partition" });
    expect(lossless(cloud)).toEqual(healthy.with(4, "lost").with(5, "lost"));
    clearBackboneRule(cloud, undefined, undefined, "partition");
    expect(lossless(cloud)).toEqual(healthy);
    setBackboneRule(cloud, undefined, undefined, { kind: "partition" });
    announce(cloud, 3, prefix("192.0.2.0/24"));
    expect(lossless(cloud)).toEqual(healthy.map((state) => (state === "ok" ? "lost" : state)));
    expect(go(cloud, 0, "192.0.2.1")).toMatchObject({ copies: [{ reason: "partition" }] });
  });
});

describe("a cloud that makes no sense", () => {
  it("is refused", () => {
    expect(() => createCloud("wan", ["a", "a"])).toThrow(/two sites/);
    expect(() => createCloud("wan", ["a"], [], [{ from: "a", to: "b", rules: [] }])).toThrow(/no site b/);
    expect(() => join(createCloud("wan", ["a"]), 0, address("10.0.0.1"))).toThrow(/224/);
    expect(() => announce(createCloud("wan", ["a"]), 1, prefix("10.0.0.0/8"))).toThrow(/no site/);
  });
});

it("a copy of a cloud goes its own way", () => {
  const cloud = fourSites();
  const copy = structuredClone(cloud);
  withdraw(copy, 2, prefix("10.1.2.0/24"));
  expect(targets(cloud, 3, "10.1.2.9")).toEqual([2]);
  expect(targets(copy, 3, "10.1.2.9")).toEqual([1]);
});
