/** Several groups of one member with one key server: one IKE SA, the first group by GSA_AUTH, the others over it. */
import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import type { KsGroupConfig } from "../../src/ks/config.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  gike,
  gmGroup,
  ICMP,
  ksEvents,
  ksGroup,
  type Member,
  MULTICAST,
  type Network,
  named,
  runUntil,
  SSH,
} from "./network.ts";

const GSA_AUTH = 39;
const GSA_REGISTRATION = 40;

const id = (number: number) => ({ kind: "number", number }) as const;
const RED = { name: "RED", id: id(1) };
const BLUE = { name: "BLUE", id: id(2) };

/** `ids`: what the member calls its groups by, if not what the key server does. */
function network(
  change: { red?: Partial<KsGroupConfig>; blue?: Partial<KsGroupConfig>; blueId?: number; share?: boolean } = {},
) {
  const tuning = { shareSa: change.share ?? true };
  const net = createNetwork({
    members: 1,
    ksConfig: (config) => ({
      ...config,
      groups: [ksGroup({ ...RED, ...change.red }), ksGroup({ ...BLUE, ...change.blue })],
    }),
    gmConfig: (index, config) => ({
      ...config,
      groups: [gmGroup(index, { ...RED, tuning }), gmGroup(index, { ...BLUE, tuning, id: id(change.blueId ?? 2) })],
    }),
  });
  return { net, gm: net.members[0]! };
}

function apply(net: Network, gm: Member): void {
  for (const { name } of [RED, BLUE]) commandGm(net, gm, { name: "mapApplied", group: name });
  runUntil(net, net.now + 5 * SECOND);
}

const requests = (net: Network) =>
  net.wire.filter(({ response, exchange }) => !response && exchange >= 39).map(({ exchange }) => exchange);
const phases = (gm: Member) => gm.state.groups.map(({ phase }) => phase.at);

describe("a member of two groups", () => {
  it("registers the first by GSA_AUTH and the second by GSA_REGISTRATION over the same IKE SA", () => {
    const { net, gm } = network();
    apply(net, gm);
    expect(requests(net)).toEqual([GSA_AUTH, GSA_REGISTRATION]);
    expect(phases(gm)).toEqual(["registered", "registered"]);
    const [red, blue] = gm.state.groups;
    expect(blue!.held!.sa).toBe(red!.held!.sa);
    expect(ksEvents(net, "ks.registered").map(({ data }) => [data.group, data.exchange])).toEqual([
      ["RED", GSA_AUTH],
      ["BLUE", GSA_REGISTRATION],
    ]);
  });

  it("registers a group over the SA that stands when its map is applied later, or has an SA for each where told so", () => {
    for (const share of [true, false]) {
      const { net, gm } = network({ share });
      commandGm(net, gm, { name: "mapApplied", group: "RED" });
      runUntil(net, SECOND);
      commandGm(net, gm, { name: "mapApplied", group: "BLUE" });
      runUntil(net, 2 * SECOND);
      expect(requests(net)).toEqual([GSA_AUTH, share ? GSA_REGISTRATION : GSA_AUTH]);
      expect(phases(gm)).toEqual(["registered", "registered"]);
    }
  });

  it("takes each inband rekey for the group that it is named for, though both protect the same traffic", () => {
    const { net, gm } = network();
    apply(net, gm);
    const [red, blue] = gm.state.groups;
    commandKs(net, { name: "rekey", group: "BLUE", replaceNow: false });
    runUntil(net, net.now + SECOND);
    expect([red!.held!.teks.length, blue!.held!.teks.length]).toEqual([1, 2]);
    commandKs(net, { name: "rekey", group: "RED", replaceNow: true });
    runUntil(net, net.now + SECOND);
    expect([red!.held!.teks.length, blue!.held!.teks.length]).toEqual([1, 2]);
    expect(named(gm.events, "gm.rekeyReceived").map(({ data }) => data.group)).toEqual(["BLUE", "RED"]);
    expect(ksEvents(net, "ks.rekeyAcked").map(({ data }) => data.group)).toEqual(["BLUE", "RED"]);
  });

  it("goes on with both groups through a day of rekeys by schedule", () => {
    const { net, gm } = network();
    apply(net, gm);
    runUntil(net, 24 * 3600 * SECOND);
    expect(named(gm.events, "gm.registering")).toHaveLength(2);
    expect(named(gm.events, "gm.rekeyReceived").length).toBeGreaterThan(40);
  });

  it.each([
    ["45: no such group", { blueId: 3 }, 45],
    ["46: not authorised", { blue: { gikev2: gike({ profile: "OTHER" }) } }, 46],
    ["49: the group is full", { blue: { tuning: { membersMost: 0 } } }, 49],
  ])("is refused in GSA_REGISTRATION with %s, and keeps the other group", (_, change, notify) => {
    const { net, gm } = network(change);
    apply(net, gm);
    expect(requests(net).slice(0, 2)).toEqual([GSA_AUTH, GSA_REGISTRATION]);
    expect(named(gm.events, "gm.registrationFailed")[0]!.data).toMatchObject({ group: "BLUE", notify });
    expect(phases(gm)).toEqual(["registered", "waiting"]);
    commandKs(net, { name: "rekey", group: "RED", replaceNow: false });
    runUntil(net, net.now + SECOND);
    expect(gm.state.groups[0]!.held!.teks).toHaveLength(2);
  });

  it("refused for the first group asks for the second over the IKE SA that stands all the same", () => {
    const { net, gm } = network({ red: { gikev2: gike({ profile: "OTHER" }) } });
    apply(net, gm);
    expect(requests(net).slice(0, 2)).toEqual([GSA_AUTH, GSA_REGISTRATION]);
    expect(gm.state.groups[1]!.phase.at).toBe("registered");
    runUntil(net, 100 * SECOND);
    commandKs(net, { name: "rekey", group: "BLUE", replaceNow: false });
    runUntil(net, 101 * SECOND);
    expect(gm.state.groups[1]!.held!.teks).toHaveLength(2);
  });

  it("refuses a policy that it cannot use, and the key server forgets it", () => {
    const counted = {
      dataSas: [
        {
          number: 1,
          lifetimeSeconds: 3600,
          suite: { encr: 20, encrKeyBits: 256, integ: 0 },
          sequenceNumbers: 2,
          entries: [{ action: "permit" as const, selector: ICMP }],
        },
      ],
    };
    const { net, gm } = network({ blue: { ...counted, senderIdBits: 8, senderIds: { first: 256, count: 9 } } });
    apply(net, gm);
    expect(named(gm.events, "gm.registrationFailed")[0]!.data).toMatchObject({
      group: "BLUE",
      reason: "senderIdTooLong",
    });
    expect(requests(net).slice(0, 3)).toEqual([GSA_AUTH, GSA_REGISTRATION, GSA_REGISTRATION]);
    expect(ksEvents(net, "ks.left")[0]!.data).toMatchObject({ group: "BLUE", notify: 49 });
    expect(gm.state.groups[0]!.phase.at).toBe("registered");
  });

  it("leaves one group over the SA and stays in the other", () => {
    const { net, gm } = network();
    apply(net, gm);
    commandGm(net, gm, { name: "mapRemoved", group: "BLUE" });
    runUntil(net, net.now + SECOND);
    expect([...net.servers[0]!.state.groups.values()].map(({ members }) => members.size)).toEqual([1, 0]);
    runUntil(net, net.now + 100 * SECOND);
    commandKs(net, { name: "rekey", group: "RED", replaceNow: false });
    runUntil(net, net.now + SECOND);
    expect(gm.state.groups[0]!.held!.teks).toHaveLength(2);
  });

  it("whose first exchange fails tries both groups again", () => {
    const { net, gm } = network();
    net.lose = () => net.now < 20 * SECOND;
    apply(net, gm);
    runUntil(net, 120 * SECOND);
    expect(named(gm.events, "gm.registrationFailed").map(({ data }) => data.group)).toEqual(["RED", "BLUE"]);
    expect(phases(gm)).toEqual(["registered", "registered"]);
  });

  it("comes back for one group over an SA of its own when its rekeys were lost, and the other is left alone", () => {
    const { net, gm } = network();
    apply(net, gm);
    const shared = gm.state.groups[0]!.held!.sa;
    commandGm(net, gm, { name: "clear", group: "BLUE" });
    runUntil(net, net.now + SECOND);
    // `clear` forgets the SA with everything else, so the standing one is as good as any.
    expect(gm.state.groups[1]!.held!.sa).toBe(shared);
    net.lose = ({ exchange }) => exchange === 42;
    runUntil(net, 3600 * SECOND);
    net.lose = () => false;
    runUntil(net, 3700 * SECOND);
    expect(phases(gm)).toEqual(["registered", "registered"]);
    for (const { held } of gm.state.groups) expect(held!.teks.length).toBeGreaterThan(0);
  });

  it("of a multicast and a unicast group keeps the IKE SA for the second", () => {
    const { net, gm } = network({
      red: { transport: MULTICAST },
      blue: { dataSas: ksGroup().dataSas.map((sa) => ({ ...sa, entries: [{ action: "permit", selector: SSH }] })) },
    });
    apply(net, gm);
    runUntil(net, 200 * SECOND);
    for (const { name } of [RED, BLUE]) commandKs(net, { name: "rekey", group: name, replaceNow: false });
    runUntil(net, 201 * SECOND);
    expect(gm.state.groups.map(({ held }) => [held!.transport, held!.teks.length])).toEqual([
      ["multicast", 2],
      ["unicast", 2],
    ]);
  });
});

describe("a key server that does not name the group of an inband rekey", () => {
  /** It knows of one group in the IKE SA only. */
  function forgetful(net: Network, gm: Member, group: string): void {
    const sa = [...net.servers[0]!.state.membersBySa.keys()][0]!;
    net.servers[0]!.state.membersBySa.set(sa, [{ group, member: `${gm.address}:848` }]);
  }

  const telnet = {
    dataSas: ksGroup().dataSas.map((sa) => ({ ...sa, entries: [{ action: "permit" as const, selector: SSH }] })),
  };

  it("is understood by the data SA that it deletes", () => {
    const { net, gm } = network();
    apply(net, gm);
    forgetful(net, gm, "2");
    commandKs(net, { name: "rekey", group: "BLUE", replaceNow: true });
    runUntil(net, net.now + SECOND);
    expect(named(gm.events, "gm.rekeyReceived").map(({ data }) => data.group)).toEqual(["BLUE"]);
  });

  it("is understood by selectors that one group alone knows", () => {
    const { net, gm } = network({ blue: telnet });
    apply(net, gm);
    forgetful(net, gm, "2");
    runUntil(net, 3450 * SECOND);
    expect(named(gm.events, "gm.rekeyReceived").map(({ data }) => data.group)).toContain("BLUE");
  });

  it("makes the member register both groups again where nothing decides", () => {
    const { net, gm } = network();
    apply(net, gm);
    forgetful(net, gm, "2");
    // A scheduled rekey of TEKs deletes nothing, and both groups protect the same traffic.
    while (named(gm.events, "gm.rekeyRejected").length === 0) runUntil(net, net.now + SECOND);
    const rejected = named(gm.events, "gm.rekeyRejected");
    expect(rejected.slice(0, 2).map(({ data }) => data.group)).toEqual(["RED", "BLUE"]);
    expect(named(gm.events, "gm.rekeyReceived")).toEqual([]);
    runUntil(net, net.now + 60 * SECOND);
    expect(phases(gm)).toEqual(["registered", "registered"]);
    expect(gm.sas.size).toBeGreaterThan(1);
  });
});
