/** The IKE SAs of unicast members are renewed under the group: rekeys go on in the successor, under its own GSK_w. */
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { AuthProfile, EndpointConfig } from "../../src/ikev2/api.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  gmGroup,
  ksEvents,
  ksGroup,
  type Network,
  named,
  runUntil,
  startAll,
} from "./network.ts";

const CREATE_CHILD_SA = 36;

type Change = Partial<Pick<AuthProfile, "lifetimeSeconds" | "atLifetime">>;

function living(ike: EndpointConfig, change: Change): EndpointConfig {
  return { ...ike, profiles: ike.profiles.map((profile) => ({ ...profile, ...change })) };
}

function network(members: number, atKs: Change, atGm: Change): Network {
  return createNetwork({
    members,
    ksConfig: (config) => ({ ...config, ike: living(config.ike, atKs) }),
    gmConfig: (_, config) => ({ ...config, ike: living(config.ike!, atGm) }),
  });
}

const hour = (net: Network, hours: number) => runUntil(net, hours * 3600 * SECOND);
const heldOf = (net: Network, index = 0) => net.members[index]!.state.groups[0]!.held!;

describe("the IKE SA of a unicast member", () => {
  it.each([
    ["the member", { lifetimeSeconds: 0 }, { lifetimeSeconds: 1800, atLifetime: "rekey" }],
    ["the key server", { lifetimeSeconds: 1800, atLifetime: "rekey" }, { lifetimeSeconds: 0 }],
    [
      "whoever is first",
      { lifetimeSeconds: 1800, atLifetime: "rekey" },
      { lifetimeSeconds: 1800, atLifetime: "rekey" },
    ],
  ] as const)("is renewed by %s, and rekeys go on without a new registration", (_, atKs, atGm) => {
    const net = network(3, atKs, atGm);
    startAll(net);
    runUntil(net, 5 * SECOND);
    const before = net.members.map((_, i) => ({ sa: heldOf(net, i).sa, kwk: toHex(heldOf(net, i).kwk!.secret) }));
    hour(net, 12);
    expect(net.wire.filter(({ exchange }) => exchange === CREATE_CHILD_SA).length).toBeGreaterThanOrEqual(3 * 2 * 20);
    net.members.forEach((gm, i) => {
      expect(named(gm.events, "gm.registering")).toHaveLength(1);
      expect(named(gm.events, "gm.rekeyReceived").length).toBeGreaterThanOrEqual(12);
      const { sa, kwk } = heldOf(net, i);
      expect(sa).not.toBe(before[i]!.sa);
      // GSK_w = prf+(SK_d, ...), and the successor has another SK_d.
      expect(toHex(kwk!.secret)).not.toBe(before[i]!.kwk);
      const member = net.servers[0]!.state.groups.get("1111")!.members.get(`${gm.address}:848`)!;
      expect(toHex(member.kwk!.secret)).toBe(toHex(kwk!.secret));
      expect(gm.state.endpoint!.sas.size).toBe(1);
    });
    expect(net.servers[0]!.state.endpoint!.sas.size).toBe(3);
    expect(ksEvents(net, "ks.memberLost")).toEqual([]);
  });

  it("ends where it is not renewed, and the member comes back", () => {
    const net = network(1, { lifetimeSeconds: 1800, atLifetime: "end" }, { lifetimeSeconds: 0 });
    startAll(net);
    runUntil(net, 1900 * SECOND);
    expect(named(net.members[0]!.events, "gm.saLost")).toHaveLength(1);
    expect(named(net.members[0]!.events, "gm.registered")).toHaveLength(2);
  });

  it("carries the rekey of a group that begins while it is being renewed", () => {
    const net = network(2, { lifetimeSeconds: 0 }, { lifetimeSeconds: 1800, atLifetime: "rekey" });
    startAll(net);
    runUntil(net, 5 * SECOND);
    let begun = 0;
    net.lose = (wire) => {
      // The rekey of the group leaves in the middle of each exchange that renews an SA.
      if (wire.exchange === CREATE_CHILD_SA && !wire.response && begun < 2) begun += 1;
      return false;
    };
    for (let at = 1000 * SECOND; at < 2000 * SECOND && begun < 2; at += SECOND / 200) runUntil(net, at);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + 60 * SECOND);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.rekeyReceived").length).toBeGreaterThanOrEqual(1);
      expect(named(gm.events, "gm.registering")).toHaveLength(1);
    }
    expect(ksEvents(net, "ks.rekeyDone").length).toBeGreaterThanOrEqual(1);
  });

  it("of two groups takes both along", () => {
    const id = (number: number) => ({ kind: "number", number }) as const;
    const groups = [
      { name: "RED", id: id(1) },
      { name: "BLUE", id: id(2) },
    ];
    const net = createNetwork({
      members: 1,
      ksConfig: (config) => ({ ...config, groups: groups.map(ksGroup) }),
      gmConfig: (index, config) => ({
        ike: living(config.ike!, { lifetimeSeconds: 900, atLifetime: "rekey" }),
        groups: groups.map((group) => gmGroup(index, group)),
      }),
    });
    for (const { name } of groups) commandGm(net, net.members[0]!, { name: "mapApplied", group: name });
    hour(net, 6);
    const [gm] = net.members;
    expect(named(gm!.events, "gm.registering")).toHaveLength(2);
    expect(gm!.state.groups[0]!.held!.sa).toBe(gm!.state.groups[1]!.held!.sa);
    expect(gm!.state.endpoint!.sas.size).toBe(1);
  });
});
