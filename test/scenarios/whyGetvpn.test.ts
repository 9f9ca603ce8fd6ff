import { describe, expect, it } from "vitest";
import { writeKeyTables } from "../../sim/capture/keyTables.ts";
import { pcapngChunks } from "../../sim/capture/pcapng.ts";
import { wiresharkProfile } from "../../sim/capture/wireshark/profile.ts";
import type { Run } from "../../sim/scenario/runner.ts";
import { concat } from "../../src/base/bytes.ts";
import { tshark, withFolder } from "../sim/capture/tshark.ts";
import { describeTool } from "../tools.ts";
import { diskScenario, finishedRun } from "./diskScenario.ts";

const run: Run = finishedRun(diskScenario("why-getvpn.yaml"));

function told(kind: string, device: string) {
  const number = run.head.devices.findIndex(({ name }) => name === device);
  return [...run.trace.ofKind(kind)].filter((event) => event.device === number);
}

describe("the comparison of designs", () => {
  it("counts n(n-1)/2 IKE SAs in the mesh, and one data SA at each member of a group", () => {
    const { metrics } = run.report();
    expect(metrics).toMatchObject({ "full-mesh.ikeSas": 6, "full-mesh.dataSasPerSite": 3 });
    expect(metrics).toMatchObject({ "hub-and-spoke.ikeSas": 5, "getvpn.ikeSas": 4, "getvpn.dataSasPerSite": 1 });
    expect(metrics.ikeSas).toBe(6 + 5 + 4 + 2);
  });

  it("measures what a tunnel on demand costs the first packet: the messages of IKEv2 before it", () => {
    const { metrics } = run.report();
    const roundTrip = metrics["getvpn.firstAnswerMax"]!;
    expect(metrics["hub-and-spoke.firstAnswerMax"]!).toBeGreaterThan(3 * roundTrip);
    const [wanted] = told("peer.tunnelWanted", "h3").slice(-1);
    const [up] = told("peer.tunnelUp", "h3").slice(-1);
    // Two round trips and the cryptography of both ends.
    expect((up!.time - wanted!.time) / 1e6).toBeGreaterThan(2 * roundTrip);
  });

  it("says in words why a member drops what came through a NAT", () => {
    for (const { data } of told("esp.dropped", "g1")) {
      expect(data).toMatchObject({
        reason: "addressesChanged",
        source: "192.0.2.40",
        destination: "10.3.1.1",
        innerSource: "10.3.5.1",
        innerDestination: "10.3.1.1",
        why: expect.stringContaining("a NAT on the way changed it"),
      });
    }
    expect(told("esp.dropped", "g1").length).toBe(5);
  });

  it("keeps registration and plain tunnels alive through the NAT, by UDP 4500", () => {
    const locals = told("nat.translated", "nat1").map(({ data }) => data.local);
    expect(locals.filter((local) => String(local).endsWith(":4500"))).toEqual(["172.16.1.2:4500", "172.16.2.2:4500"]);
    expect(told("peer.tunnelUp", "v2")[0]?.data).toMatchObject({ udp: true, remote: "192.0.2.40", port: 4500 });
  });
});

describeTool("tshark", "apt-get install tshark", "tshark on the comparison's capture", () => {
  const capture = concat(...pcapngChunks(run.head, run.trace));
  const files = [...wiresharkProfile(), ...writeKeyTables(run.keys()).files, ["c.pcapng", capture] as const];
  const fields = (folder: string, filter: string, ...names: string[]) => {
    const sums = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];
    const wanted = names.flatMap((name) => ["-e", name]);
    const { out } = tshark(folder, "-r", `${folder}/c.pcapng`, ...sums, "-Y", filter, "-T", "fields", ...wanted);
    return out.split("\n").filter((row) => row !== "");
  };

  it("finds nothing malformed and no wrong checksum, on both sides of the NAT", () => {
    const bad = "_ws.malformed || ip.checksum.status==0 || udp.checksum.status==0 || icmp.checksum.status==0";
    withFolder(files, (folder) => {
      expect(fields(folder, bad, "frame.number")).toEqual([]);
      expect(fields(folder, "udp.checksum.status==1", "frame.number").length).toBeGreaterThan(100);
    });
  });

  it("opens the same ESP in UDP before the NAT and behind it: other addresses outside, the same inside", () => {
    withFolder(files, (folder) => {
      const pings = "esp && udp.port==4500 && icmp.type==8";
      const rows = new Set(fields(folder, pings, "frame.interface_name", "ip.src", "ip.dst"));
      expect(rows).toContain("nat1:GigabitEthernet0/2\t172.16.2.2,10.4.1.1\t192.0.2.41,10.4.2.1");
      expect(rows).toContain("nat1:GigabitEthernet0/0\t192.0.2.40,10.4.1.1\t192.0.2.41,10.4.2.1");
    });
  });

  it("sees the routers outside of a classic tunnel, and the users outside of the group's packets", () => {
    withFolder(files, (folder) => {
      const sources = (name: string) =>
        new Set(fields(folder, `esp && icmp.type==8 && frame.interface_name=="${name}:GigabitEthernet0/0"`, "ip.src"));
      expect([...sources("m1")].filter((row) => !row.startsWith("192.0.2."))).toEqual([]);
      expect(sources("g2")).toContain("10.3.2.1,10.3.2.1");
    });
  });
});
