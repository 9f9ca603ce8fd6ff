/** A member behind a NAT: registration, rekeys and acknowledgements on UDP 4500, with a policy that wants all traffic. */
import { describe, expect, it } from "vitest";
import { perform } from "../../../sim/device/network.ts";
import type { Network } from "../../../sim/device/networkState.ts";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { MINUTE, SECOND } from "../../../src/base/micros.ts";
import { native } from "../../../src/crypto/native.ts";
import { ipHeader } from "../../../src/esp/ipHeader.ts";
import { readUdp } from "../../../src/esp/udpPacket.ts";
import { isMarked, isNatKeepalive, unmarked } from "../../../src/wire/nonEsp.ts";
import { memberConfig, node, serverConfig } from "./iosText.ts";
import { ip, story } from "./lab.ts";

const NAT = `hostname NAT1
interface GigabitEthernet0/0
 ip address 10.0.0.9 255.255.255.0
 ip nat outside
interface GigabitEthernet0/1
 ip address 172.16.1.1 255.255.255.0
 ip nat inside
ip access-list standard INSIDE
 permit 172.16.0.0 0.0.255.255
ip nat inside source list INSIDE interface GigabitEthernet0/0 overload
`;
const INSIDE = "ip route 0.0.0.0 0.0.0.0 172.16.1.1\n";

const scenario = (protocol: string, dialect: string, wanOfServer: string) => `name: behind-nat
duration: 1h
wan: { latency: 5ms }
dialect: ${dialect}
topology:
  nodes:
${node("ks1", "ks", serverConfig("ip any any", wanOfServer))}${node("nat1", "router", NAT)}${node("gm1", "gm", memberConfig("GM1", "172.16.1.2", protocol, INSIDE), false)}${node("gm2", "gm", memberConfig("GM2", "10.0.0.2", protocol))}  links:
    - endpoints: [nat1:GigabitEthernet0/1, gm1:GigabitEthernet0/0]
timeline:
  - { do: exec, at: 10m, device: ks1, command: crypto gkm ks rekey }
`;

function lab(protocol: string, dialect: string, wanOfServer = ""): Network {
  const run = createRun(loadScenario(new Map([["x.yaml", scenario(protocol, dialect, wanOfServer)]]), "x.yaml"), {
    crypto: native,
  });
  run.passTo(MINUTE);
  return run.network;
}

interface Seen {
  readonly ports: readonly [source: number, destination: number];
  readonly payload: Bytes;
}

/** UDP that a device has sent since event `from`. */
function sentBy(net: Network, device: string, from = 0): Seen[] {
  return [...net.trace.ofKind("packet.sent", from)]
    .filter((event) => net.devices[event.device]?.name === device)
    .flatMap(({ packet }) => {
      const octets = net.trace.packet(packet);
      const udp = readUdp(octets, ipHeader(octets)!);
      return udp === undefined ? [] : [{ ports: [udp.sourcePort, udp.destinationPort] as const, payload: udp.payload }];
    });
}

const exchangeOf = ({ payload }: Seen) => unmarked(payload)[18];

describe.each([
  ["gdoi", "yeung-07", 33, 240],
  ["gikev2 PROFILE", "yeung-07", 41, 41],
  // Rekeys are requests in the IKE SA.
  ["gikev2 PROFILE", "rfc9838", 42, 42],
] as const)("a member behind a NAT that speaks %s, %s", (protocol, dialect, rekey, ack) => {
  it("registers from UDP 4500, is rekeyed there with the non-ESP marker, and acknowledges in the same way", () => {
    const net = lab(protocol, dialect);
    expect(
      story(net, "gm.registered")
        .map(({ device }) => device)
        .sort(),
    ).toEqual(["gm1", "gm2"]);
    expect(story(net, "nat.translated")).toContainEqual(expect.objectContaining({ local: "172.16.1.2:4500" }));
    const from = net.trace.events;
    net.scheduler.runUntil(11 * MINUTE);
    expect(
      story(net, "gm.rekeyReceived", from)
        .map(({ device }) => device)
        .sort(),
    ).toEqual(["gm1", "gm2"]);
    expect(story(net, "ks.rekeyAcked", from)).toHaveLength(2);
    expect(story(net, "ks.rekeyRetransmitted", from)).toEqual([]);
    const pushed = sentBy(net, "ks1", from).filter((one) => exchangeOf(one) === rekey);
    expect(pushed.map(({ ports, payload }) => [...ports, isMarked(payload)]).sort()).toEqual([
      [4500, 4500, true],
      [848, 848, false],
    ]);
    const [answer, ...others] = sentBy(net, "gm1", from).filter((one) => exchangeOf(one) === ack);
    expect(others).toEqual([]);
    expect(answer!.ports).toEqual([4500, 4500]);
    expect(isMarked(answer!.payload)).toBe(true);
    // The policy wants all traffic, keepalives to the NAT included.
    expect(sentBy(net, "gm1", from).filter(({ payload }) => isNatKeepalive(payload)).length).toBeGreaterThan(20);
    expect(story(net, "esp.dropped")).toEqual([]);
    expect(story(net, "gm.registering")).toHaveLength(2);
  });

  it("takes rekeys that come in fragments, of which only the first one shows the port", () => {
    const net = lab(protocol, dialect, " ip mtu 300");
    const from = net.trace.events;
    net.scheduler.runUntil(11 * MINUTE);
    expect(story(net, "gm.rekeyReceived", from)).toHaveLength(2);
    expect(story(net, "ks.rekeyAcked", from)).toHaveLength(2);
    expect(story(net, "esp.dropped")).toEqual([]);
  });

  it("goes on for hours, and nothing but IKE leaves it in clear", () => {
    const net = lab(protocol, dialect);
    net.scheduler.runUntil(3 * 60 * MINUTE);
    expect(story(net, "gm.registering")).toHaveLength(2);
    expect(story(net, "ks.memberEjected")).toEqual([]);
    const from = net.trace.events;
    perform(net, { kind: "ping", device: "gm1", destination: ip("10.0.0.2"), repeat: 2 });
    net.scheduler.runUntil(net.scheduler.now + 10 * SECOND);
    const packets = [...net.trace.ofKind("packet.sent", from)].filter(
      ({ device }) => net.devices[device]?.name === "gm1",
    );
    const protocols = packets.map(({ packet }) => ipHeader(net.trace.packet(packet))!.protocol);
    expect(protocols).toContain(50);
    expect(protocols).not.toContain(1);
  });
});
