import { describe, expect, it } from "vitest";
import { dissectPacket } from "../../../sim/capture/dissect.ts";
import { pcapngChunks } from "../../../sim/capture/pcapng.ts";
import type { TraceHead } from "../../../sim/core/traceTypes.ts";
import type { Network } from "../../../sim/device/networkState.ts";
import { concat } from "../../../src/base/bytes.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { describeTool } from "../../tools.ts";
import { tshark, withFolder } from "../capture/tshark.ts";
import { memberRouter, serverRouter } from "./group.ts";
import { cloudOf, link, network, router, story } from "./lab.ts";

function pair(other = "ip ospf 1 area 0"): Network {
  const side = (n: number, extra: string) =>
    `hostname R${n}\ninterface GigabitEthernet0/0\n ip address 10.0.0.${n} 255.255.255.0\n${extra}\ninterface Loopback0\n` +
    ` ip address 1.1.1.${n} 255.255.255.255\nrouter ospf 1\n network 1.1.1.0 0.0.0.255 area 0\n`;
  return network({
    devices: [router("r1", side(1, " ip ospf 1 area 0")), router("r2", side(2, ` ${other}`))],
    links: [link("r1:GigabitEthernet0/0", "r2:GigabitEthernet0/0")],
    ospfHellos: true,
  });
}

/** Octets of what was sent with IP protocol 89. */
function hellos(net: Network): Uint8Array[] {
  const packets = [...net.trace.ofKind("packet.sent")].map(({ packet }) => net.trace.packet(packet));
  return packets.filter((packet) => packet[9] === 89);
}

describe("hellos of OSPF", () => {
  it("go to 224.0.0.5 every ten seconds, not beyond the link, and name who was heard", () => {
    const net = pair();
    net.scheduler.runUntil(60 * SECOND);
    expect(hellos(net).length).toBe(12);
    for (const packet of hellos(net)) {
      expect([...packet.subarray(16, 20)]).toEqual([224, 0, 0, 5]);
      expect(packet[8]).toBe(1);
    }
    expect(story(net, "ospf.neighbour")).toMatchObject([{ interface: "GigabitEthernet0/0" }, {}]);
    expect(new Set(story(net, "ospf.neighbour").map(({ neighbour }) => neighbour))).toEqual(
      new Set(["1.1.1.1", "1.1.1.2"]),
    );
    const last = hellos(net).at(-1)!;
    expect(JSON.stringify(dissectPacket(last, undefined))).toMatch(/"neighbours.*1\.1\.1\.[12]/i);
    expect(story(net, "ip.dropped")).toEqual([]);
  });

  it("are not sent by an interface that is passive or does not run OSPF, nor heard there", () => {
    const net = pair("description no OSPF here");
    net.scheduler.runUntil(60 * SECOND);
    expect(hellos(net).length).toBe(6);
    expect(story(net, "ospf.neighbour")).toEqual([]);
    expect(story(net, "ip.dropped").every(({ device, reason }) => device === "r2" && reason === "notForMe")).toBe(true);
  });

  it("are not sent where the scenario does not ask for them", () => {
    const net = network({ devices: [router("r1", "router ospf 1\n network 0.0.0.0 255.255.255.255 area 0\n")] });
    net.scheduler.runUntil(60 * SECOND);
    expect(story(net, "ospf.hello")).toEqual([]);
  });
});

describe("hellos of group members", () => {
  /** A key server and a member on a cloud; the group protects what the fixture's access list says. */
  const ospf = "router ospf 1\n network 0.0.0.0 255.255.255.255 area 0\n";
  const members = [1, 2].map((n) => memberRouter(n, ospf));
  const net = network({
    devices: [serverRouter(), ...members],
    clouds: [cloudOf(["ks1", ...members.map(({ name }) => name)])],
    ospfHellos: true,
  });
  net.scheduler.runUntil(31 * SECOND);

  it("leave in clear after the group's policy is there, since its list does not cover them", () => {
    expect(story(net, "gm.registered").length).toBe(2);
    expect(hellos(net).length).toBeGreaterThanOrEqual(6);
    expect(story(net, "esp.dropped")).toEqual([]);
    expect(story(net, "cloud.dropped")).toEqual([]);
  });

  describeTool("tshark", "apt-get install tshark", "as tshark sees them", () => {
    it("are OSPF, well formed, with a right checksum", () => {
      const head: TraceHead = {
        version: 1,
        scenario: "hellos",
        seed: "0",
        run: 0,
        devices: [...net.devices, ...net.clouds].map(({ name }) => ({ name, role: "router", addresses: [] })),
        links: [],
        notes: [],
      };
      withFolder([["c.pcapng", concat(...pcapngChunks(head, net.trace))]], (folder) => {
        const names = ["ip.dst", "ospf.msg", "ospf.srcrouter", "ospf.hello.hello_interval"];
        const options = ["-Y", "ospf", "-T", "fields", ...names.flatMap((name) => ["-e", name])];
        const { out } = tshark(folder, "-r", `${folder}/c.pcapng`, ...options);
        const rows = out.split("\n").filter((row) => row !== "");
        expect(rows.length).toBeGreaterThanOrEqual(6);
        for (const row of rows) expect(row).toMatch(/^224\.0\.0\.5\t1\t[\d.]+\t10$/);
        const sums = tshark(folder, "-r", `${folder}/c.pcapng`, "-Y", "ospf", "-O", "ospf").out.match(/Checksum: .*/g);
        expect(sums?.length).toBe(rows.length);
        for (const sum of sums ?? []) expect(sum).toContain("[correct]");
        expect(tshark(folder, "-r", `${folder}/c.pcapng`, "-Y", "ospf && _ws.malformed").out).toBe("");
      });
    });
  });
});
