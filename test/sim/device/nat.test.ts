import { describe, expect, it } from "vitest";
import type { Network } from "../../../sim/device/networkState.ts";
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { ipHeader } from "../../../src/esp/ipHeader.ts";
import { cloudOf, host, link, network, ping, router, story } from "./lab.ts";

const BOX = `interface GigabitEthernet0/0
 ip address 203.0.113.1 255.255.255.0
 ip nat outside
 ip mtu 1400
interface GigabitEthernet0/1
 ip address 10.1.1.1 255.255.255.0
 ip nat inside
interface GigabitEthernet0/2
 ip address 10.1.2.1 255.255.255.0
 ip nat inside
ip route 0.0.0.0 0.0.0.0 GigabitEthernet0/0
ip access-list standard LAN
 permit 10.1.0.0 0.0.255.255
`;

/** Two hosts behind the box, one far away: `h1`, `h2` -- nat -- cloud -- far -- `peer`. */
function lab(translation: string): Network {
  const far = `interface GigabitEthernet0/0
 ip address 192.0.2.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 198.51.100.1 255.255.255.0
 ip mtu 1300
ip route 0.0.0.0 0.0.0.0 GigabitEthernet0/0
`;
  const cloud = cloudOf(["nat", "far"]);
  const [nat, other] = cloud.sites;
  const announce = [{ network: 0xc6336400, length: 24 }];
  return network({
    devices: [
      router("nat", BOX + translation),
      router("far", far),
      host("h1", "10.1.1.2", "10.1.1.1"),
      host("h2", "10.1.2.2", "10.1.2.1"),
      host("peer", "198.51.100.2", "198.51.100.1"),
    ],
    links: [
      link("nat:GigabitEthernet0/1", "h1:eth0"),
      link("nat:GigabitEthernet0/2", "h2:eth0"),
      link("far:GigabitEthernet0/1", "peer:eth0"),
    ],
    clouds: [{ ...cloud, sites: [nat!, { ...other!, announce }] }],
  });
}

const OVERLOAD = "ip nat inside source list LAN interface GigabitEthernet0/0 overload\n";

/** Source addresses that the cloud has seen. */
function seen(net: Network): string[] {
  const wan = net.clouds[0]!.number;
  const received = [...net.trace.ofKind("packet.received")].filter(({ device }) => device === wan);
  return [...new Set(received.map(({ packet }) => formatIpv4(ipHeader(net.trace.packet(packet))!.source)))];
}

describe("a router that translates", () => {
  it("shows one address for all who stand behind it, notes each flow once, and forgets it after its time", () => {
    const net = lab(OVERLOAD);
    expect(ping(net, "h1", "198.51.100.2", { repeat: 3 })).toMatchObject({ received: 3 });
    expect(ping(net, "h2", "198.51.100.2", { repeat: 3 })).toMatchObject({ received: 3 });
    expect(seen(net)).toEqual(["203.0.113.1", "198.51.100.2"]);
    expect(story(net, "nat.translated")).toMatchObject([
      { protocol: "icmp", local: expect.stringMatching(/^10\.1\.1\.2:/), global: expect.stringMatching(/^203/) },
      { protocol: "icmp", local: expect.stringMatching(/^10\.1\.2\.2:/) },
    ]);
    net.scheduler.runUntil(59 * SECOND);
    expect(story(net, "nat.expired")).toEqual([]);
    net.scheduler.runUntil(62 * SECOND);
    expect(story(net, "nat.expired").length).toBe(2);
  });

  it("is reached itself from both sides", () => {
    const net = lab(OVERLOAD);
    expect(ping(net, "peer", "203.0.113.1")).toMatchObject({ received: 5 });
    expect(ping(net, "h1", "10.1.1.1")).toMatchObject({ received: 5 });
    expect(story(net, "nat.translated")).toEqual([]);
  });

  it("lets the outside in by a static address, which the cloud knows about", () => {
    const net = lab("ip nat inside source static 10.1.1.2 203.0.113.77\n");
    expect(ping(net, "peer", "203.0.113.77")).toMatchObject({ received: 5 });
    expect(story(net, "nat.translated")).toMatchObject([{ protocol: "ip", local: "10.1.1.2", global: "203.0.113.77" }]);
  });

  it("drops what comes for an address of its pool that nobody has", () => {
    const net = lab(
      "ip nat pool P 203.0.113.80 203.0.113.81 netmask 255.255.255.0\nip nat inside source list LAN pool P\n",
    );
    expect(ping(net, "peer", "203.0.113.80", { repeat: 1 })).toMatchObject({ received: 0 });
    expect(story(net, "nat.dropped")).toMatchObject([{ reason: "noEntry" }]);
    expect(ping(net, "h1", "198.51.100.2")).toMatchObject({ received: 5 });
    expect(seen(net)).toContain("203.0.113.80");
  });

  it("puts fragments together first, since only the first one shows a port", () => {
    const net = lab(OVERLOAD);
    expect(ping(net, "h1", "198.51.100.2", { repeat: 2, size: 4_000 })).toMatchObject({ received: 2 });
    expect(story(net, "nat.translated").length).toBe(1);
    expect(story(net, "nat.dropped")).toEqual([]);
  });

  it("passes errors about translated packets on to who sent them, those of others and its own", () => {
    const far = lab(OVERLOAD);
    expect(ping(far, "h2", "198.51.100.2", { repeat: 1, size: 1_350, df: true })).toMatchObject({ text: "M" });
    expect(story(far, "ip.dropped")).toMatchObject([{ device: "far", reason: "mtu" }]);
    const own = lab(OVERLOAD);
    expect(ping(own, "h1", "198.51.100.2", { repeat: 1, size: 1_450, df: true })).toMatchObject({ text: "M" });
    expect(story(own, "ip.dropped")).toMatchObject([{ device: "nat", reason: "mtu" }]);
  });
});
