import { describe, expect, it } from "vitest";
import type { Network } from "../../../sim/device/networkState.ts";
import { routeTo } from "../../../sim/device/routing.ts";
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import { cloudOf, ip, link, network, ping, router, site, story } from "./lab.ts";

/** `n` interfaces with their subnets 10.<a>.0.x, a loopback, and OSPF on all of it. */
function node(number: number, ports: readonly { subnet: number; extra?: string }[], ospf = ""): string {
  const interfaces = ports.map(
    ({ subnet, extra = "" }, i) =>
      `interface GigabitEthernet0/${i}\n ip address 10.${subnet}.0.${number} 255.255.255.0\n${extra}\n`,
  );
  return `
${interfaces.join("")}
interface Loopback0
 ip address 10.255.0.${number} 255.255.255.0
router ospf 1
 network 10.0.0.0 0.255.255.255 area 0
${ospf}
`;
}

const PORT0 = "GigabitEthernet0/0";
const PORT1 = "GigabitEthernet0/1";

/** a, b and c in a triangle: subnets 12, 23 and 13. */
function triangle(extra13 = "", ospf1 = ""): Network {
  return network({
    devices: [
      router("a", node(1, [{ subnet: 12 }, { subnet: 13, extra: extra13 }], ospf1)),
      router("b", node(2, [{ subnet: 12 }, { subnet: 23 }])),
      router("c", node(3, [{ subnet: 13, extra: extra13 }, { subnet: 23 }])),
    ],
    links: [
      link(`a:${PORT0}`, `b:${PORT0}`),
      link(`b:${PORT1}`, `c:${PORT1}`),
      { ...link(`a:${PORT1}`, `c:${PORT0}`), name: "a-c" },
    ],
  });
}

function exitOf(net: Network, device: string, destination: string): string | undefined {
  const at = net.byName.get(device)!;
  const route = routeTo(at, ip(destination));
  return route?.port === undefined ? undefined : `${at.ports[route.port]!.name}/${route.length}`;
}

describe("OSPF as converged", () => {
  it("takes the cheaper way, and loopbacks as host routes whatever their mask", () => {
    expect(exitOf(triangle(), "a", "10.255.0.3")).toBe(`${PORT1}/32`);
    expect(exitOf(triangle(" ip ospf cost 10"), "a", "10.255.0.3")).toBe(`${PORT0}/32`);
    expect(exitOf(triangle(" bandwidth 10000"), "a", "10.255.0.3")).toBe(`${PORT0}/32`);
    // Its own loopback's subnet is connected, so 10.255.0.9 goes nowhere else.
    expect(exitOf(triangle(), "a", "10.255.0.9")).toBe("Loopback0/24");
  });

  it("makes no neighbour of a passive interface, but tells of its network", () => {
    const net = triangle("", " passive-interface GigabitEthernet0/1");
    expect(exitOf(net, "a", "10.255.0.3")).toBe(`${PORT0}/32`);
    expect(exitOf(net, "b", "10.13.0.1")).toBeDefined();
    const all = triangle("", " passive-interface default\n no passive-interface GigabitEthernet0/0");
    expect(exitOf(all, "a", "10.255.0.3")).toBe(`${PORT0}/32`);
    const none = triangle("", " passive-interface default");
    expect(exitOf(none, "a", "10.255.0.2")).toBe("Loopback0/24");
    expect(ping(triangle(), "a", "10.255.0.3", { source: "Loopback0", repeat: 1 })).toMatchObject({ text: "!" });
  });
});

describe("a cloud", () => {
  it("delivers by static routes that point at a neighbour on it, but not by a default route", () => {
    const own = (n: number, extra: string) => `
interface GigabitEthernet0/0
 ip address 192.168.1.${n} 255.255.255.0
interface Loopback0
 ip address 10.0.0.${n} 255.255.255.255
${extra}
`;
    const net = network({
      devices: [
        router("r1", own(1, "ip route 10.0.0.2 255.255.255.255 192.168.1.2\nip route 0.0.0.0 0.0.0.0 192.168.1.2")),
        router("r2", own(2, "ip route 10.0.0.1 255.255.255.255 192.168.1.1")),
      ],
      clouds: [cloudOf(["r1", "r2"])],
    });
    expect(ping(net, "r1", "10.0.0.2", { source: "Loopback0", repeat: 1 })).toMatchObject({ text: "!" });
    expect(ping(net, "r1", "172.16.0.1", { repeat: 1 })).toMatchObject({ text: "." });
    expect(story(net, "cloud.dropped")).toMatchObject([{ reason: "noRoute" }]);
  });

  it("tells the sites one shared table: a member does not hold a route for each other member", () => {
    const count = 60;
    const names = Array.from({ length: count }, (_, i) => `r${i + 1}`);
    const net = network({
      devices: names.map((name, i) => router(name, site(i + 1))),
      clouds: [cloudOf(names)],
    });
    const first = net.devices[0]!;
    let own = 0;
    for (const networks of first.routes.byLength.values()) own += networks.size;
    expect(own).toBe(2);
    for (let n = 2; n <= count; n++) expect(exitOf(net, "r1", formatIpv4(ip("10.0.0.0") + n))).toBe(`${PORT0}/32`);
    expect(exitOf(net, "r1", "10.0.0.200")).toBeUndefined();
  });
});
