import { describe, expect, test } from "vitest";
import type { Action } from "../../../sim/device/spec.ts";
import { execCommand } from "../../../sim/scenario/execCommand.ts";
import type { RouterNode } from "../../../sim/scenario/scenario.ts";
import { diskScenario } from "../../scenarios/diskScenario.ts";
import { typed } from "./typed.ts";

/** The first words of the rows of a table of IKEv2 SAs. */
function tunnels(text: string): string[] {
  return text.match(/^\d+ +\S+ +\S+(?= +none)/gm) ?? [];
}

/** State of each row of a table of ISAKMP SAs, with the address that was asked. */
function connections(text: string): string[] {
  return [...text.matchAll(/^(\d\S+) +\S+ +([A-Z_]+) +\d+ ACTIVE$/gm)].map(
    ([, address, state]) => `${address} ${state}`,
  );
}

describe("clear crypto ikev2 sa", () => {
  test("on a member: the key server is told, keys stay, and the next rekey still comes", () => {
    const { type, happened, mark } = typed("lab.yaml");
    type("until 60s", "@gm1");
    const before = type("show crypto gkm gm");
    const kek = type("show crypto gkm rekey sa detail");
    mark();
    expect(type("clear crypto ikev2 sa")).toBe("");
    expect(type("show crypto ikev2 sa")).toContain("DELETE");
    type("run 1s");
    expect(tunnels(type("show crypto ikev2 sa"))).toEqual([]);
    expect(happened("gm1", "ike.", "gm.")).toEqual(["ike.closed deletedByUs"]);
    expect(happened("ks1", "ike.", "ks.")).toEqual(["ike.closed deletedByPeer"]);
    expect(type("show crypto gkm rekey sa detail")).toBe(kek);
    expect(type("show crypto gkm gm").replace(/Re-registers in.*/, "")).toBe(before.replace(/Re-registers in.*/, ""));
    expect(type("@ks1", "show crypto gkm ks members summary")).toContain("Group Members: 4\n");
    mark();
    type("until 500s");
    expect(happened("gm1", "gm.rekeyReceived", "gm.registering")).toEqual(["gm.rekeyReceived"]);
  });

  test("and the next registration makes another one", () => {
    const { type } = typed("lab.yaml");
    type(
      "until 60s",
      "@gm1",
      "clear crypto ikev2 sa remote 192.168.1.254",
      "run 1s",
      "clear crypto gkm",
      "yes",
      "run 1s",
    );
    expect(tunnels(type("show crypto ikev2 sa"))).toEqual(["2         192.168.1.1/848       192.168.1.254/848"]);
    expect(type("show crypto gkm gm")).toContain("Succeeded registration: 2\n");
  });

  test("on the key server: of one end alone, or all", () => {
    const { type, happened, mark } = typed("lab.yaml");
    type("until 60s", "@ks1");
    mark();
    type("clear crypto ikev2 sa remote 192.168.1.2", "clear crypto ikev2 sa local 10.0.0.1", "run 1s");
    expect(happened("ks1", "ike.closed")).toHaveLength(1);
    expect(happened("gm2", "ike.closed")).toEqual(["ike.closed deletedByPeer"]);
    expect(tunnels(type("show crypto ikev2 sa"))).toHaveLength(3);
    type("clear crypto ikev2 sa local 192.168.1.254", "run 1s");
    expect(tunnels(type("show crypto ikev2 sa"))).toEqual([]);
    expect(type("show crypto gkm ks members summary")).toContain("Group Members: 4\n");
  });

  test("a member that is rekeyed in its IKE SA has lost its place, and comes back", () => {
    const { type, happened, mark } = typed("rfc9838.yaml");
    type("until 60s", "@gm1");
    mark();
    type("clear crypto ikev2 sa", "run 1s");
    expect(happened("gm1", "ike.closed", "gm.saLost")).toEqual(["ike.closed deletedByUs", "gm.saLost deletedByUs"]);
    expect(happened("ks1", "ks.memberLost")).toEqual(["ks.memberLost deletedByPeer"]);
    type("run 2m");
    expect(happened("gm1", "gm.registered")).toEqual(["gm.registered"]);
  });

  test("in the middle of a registration: that one has failed, and the member tries again", () => {
    const { type, happened, mark } = typed("lab.yaml");
    type("until 60s", "@gm1", "clear crypto gkm", "yes", "run 1ms");
    expect(type("show crypto ikev2 sa")).toContain("IN-NEG");
    mark();
    type("clear crypto ikev2 sa", "run 20ms");
    expect(happened("gm1", "gm.")).toEqual(["gm.registrationFailed deletedByUs", "gm.listExhausted"]);
    type("run 2m");
    expect(happened("gm1", "gm.registered")).toEqual(["gm.registered"]);
  });
});

describe("clear crypto isakmp", () => {
  test("by the number of the connection, with a Delete to the key server; the rekey SA stays", () => {
    const { type, happened, mark } = typed("dual-protocol.yaml");
    type("until 60s", "@gm1");
    expect(connections(type("show crypto isakmp sa"))).toEqual(["192.168.1.254 GDOI_IDLE", "192.168.1.1 GDOI_REKEY"]);
    expect(type("show crypto isakmp sa detail")).toMatch(
      /^1001 {2}192\.168\.1\.1 {5}192\.168\.1\.254 {10}ACTIVE aes {2}sha {4}psk {2}5 {2}23:5\d:\d\d/m,
    );
    mark();
    type("clear crypto isakmp 1009", "clear crypto isakmp 1002", "run 1s");
    expect(happened("gm1", "isakmp.")).toEqual([]);
    type("clear crypto isakmp 1001", "run 1s");
    expect(happened("gm1", "isakmp.", "gm.")).toEqual(["isakmp.closed deletedByUs"]);
    expect(happened("ks1", "isakmp.", "ks.")).toEqual(["isakmp.closed deletedByPeer"]);
    expect(connections(type("show crypto isakmp sa"))).toEqual(["192.168.1.1 GDOI_REKEY"]);
    expect(type("@ks1", "show crypto gkm ks members summary")).toContain("Group Members: 4\n");
    mark();
    type("until 1h");
    expect(happened("gm1", "gm.rekeyReceived", "gm.registering")).toEqual(["gm.rekeyReceived"]);
  });

  test("leaves the SAs of IKEv2 alone, and the other way round", () => {
    const { type } = typed("dual-protocol.yaml");
    type("until 60s", "@ks1", "clear crypto isakmp", "run 1s");
    expect(connections(type("show crypto isakmp sa"))).toEqual([]);
    expect(tunnels(type("show crypto ikev2 sa"))).toHaveLength(2);
    type("clear crypto ikev2 sa", "run 1s");
    expect(tunnels(type("show crypto ikev2 sa"))).toEqual([]);
  });
});

describe("clear crypto session and clear crypto sa", () => {
  test("on a member: it registers again, over an SA of its own", () => {
    const { type, happened, mark } = typed("lab.yaml");
    type("until 60s", "@gm1");
    mark();
    type("clear crypto session", "run 1s");
    expect(happened("gm1", "ike.closed", "gm.cleared", "gm.registered")).toEqual([
      "ike.closed deletedByUs",
      "gm.cleared",
      "gm.registered",
    ]);
    mark();
    type("clear crypto session remote 192.168.1.254", "run 1s");
    expect(happened("gm1", "ike.closed", "gm.")).toEqual(["ike.closed deletedByUs"]);
    mark();
    type("clear crypto sa peer 192.168.1.254", "run 1s");
    expect(happened("gm1", "gm.")).toEqual([]);
    type("clear crypto sa", "run 1s");
    expect(happened("gm1", "gm.cleared", "gm.registered")).toEqual(["gm.cleared", "gm.registered"]);
  });

  test("on a key server: its IKE SAs; SAs for data it has none", () => {
    const { type, happened, mark } = typed("dual-protocol.yaml");
    type("until 60s", "@ks1");
    mark();
    expect(type("clear crypto sa")).toBe("");
    expect(happened("ks1", "ike.", "isakmp.")).toEqual([]);
    type("clear crypto session", "run 1s");
    expect(happened("ks1", "ike.closed")).toHaveLength(2);
    expect(happened("ks1", "isakmp.closed")).toHaveLength(2);
  });

  test("on a router with tunnels: pairs go and come back under the same IKE SA, or that one goes with them", () => {
    const { type, happened, mark } = typed("why-getvpn.yaml");
    type("until 12s", "@m1");
    expect(tunnels(type("show crypto ikev2 sa"))).toHaveLength(3);
    mark();
    type("clear crypto sa peer 192.0.2.2", "run 1s");
    expect(happened("m1", "ike.closed", "peer.tunnelDown")).toEqual(["peer.tunnelDown deletedByUs"]);
    expect(happened("m2", "ike.closed", "peer.tunnelDown")).toEqual(["peer.tunnelDown deletedByPeer"]);
    mark();
    expect(type("ping 10.1.2.1 source lo0 timeout 1")).toMatch(/^\.!!!!$/m);
    expect(happened("m1", "ike.initiated", "peer.tunnelUp")).toEqual(["peer.tunnelUp"]);
    mark();
    type("clear crypto session remote 192.0.2.2", "run 1s");
    expect(happened("m1", "ike.closed", "peer.tunnelDown")).toEqual([
      "peer.tunnelDown withIkeSa",
      "ike.closed deletedByUs",
    ]);
    expect(tunnels(type("show crypto ikev2 sa"))).toHaveLength(2);
    mark();
    type("ping 10.1.2.1 source lo0 timeout 1");
    expect(happened("m1", "ike.initiated", "peer.tunnelUp")).toEqual(["ike.initiated", "peer.tunnelUp"]);
  });
});

test("a scenario's timeline takes the same commands", () => {
  const nodes = new Map(diskScenario("why-getvpn.yaml").nodes.map((node) => [node.name, node as RouterNode]));
  const command = (name: string, data: object) => ({ kind: "command", name, data });
  const actions = (device: string, text: string) => execCommand(nodes.get(device)!, text) as readonly Action[];
  expect(actions("m1", "clear crypto sa peer 192.0.2.2")).toEqual([
    { kind: "machine", device: "m1", machine: "ipsec", input: command("clearTunnels", { peer: "192.0.2.2" }) },
  ]);
  const inputs = (device: string, text: string) =>
    actions(device, text).map((one) => one.kind === "machine" && one.input.kind === "command" && one.input.name);
  expect(inputs("g1", "clear crypto session")).toEqual(["clearIkeSas", "clear"]);
  expect(inputs("g1", "clear crypto isakmp 1001")).toEqual(["clearIkeSas"]);
  expect(inputs("ks1", "clear crypto session")).toEqual(["clearIkeSas"]);
  expect(inputs("nat1", "clear crypto ikev2 sa")).toEqual([]);
});

test("routers without SAs let them pass without a word", () => {
  const { type } = typed("why-getvpn.yaml");
  expect(type("@nat1", "clear crypto session")).toBe("");
  expect(type("clear crypto isakmp")).toBe("");
  expect(type("clear crypto gkm", "yes")).toContain("% nat1 does not do this in a run");
});
