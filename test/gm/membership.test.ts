import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import {
  CBC,
  commandGm,
  commandKs,
  createNetwork,
  GCM,
  ICMP,
  ksEvents,
  MULTICAST,
  named,
  runUntil,
  SSH,
  selector,
  spis,
  startAll,
} from "./network.ts";

const COUNTED = [
  { number: 1, lifetimeSeconds: 3600, suite: GCM, sequenceNumbers: 2, entries: [{ action: "permit", selector: ICMP }] },
] as const;

function started(options: Parameters<typeof createNetwork>[0]) {
  const net = createNetwork(options);
  startAll(net);
  runUntil(net, net.now + 5 * SECOND);
  return net;
}

describe.each(["unicast", "multicast"] as const)("an operator of a %s group", (kind) => {
  const transport = kind === "unicast" ? ({ kind } as const) : MULTICAST;

  it("renews all keys by hand: the old TEKs live on for 5 % of their life", () => {
    const net = started({ members: 2, group: { transport } });
    const [old] = spis(net.members[0]!);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + 100 * SECOND);
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(2);
      expect(gm.sending.get(0)).toBe(old);
    }
    runUntil(net, net.now + 60 * SECOND);
    for (const gm of net.members) expect(gm.sending.get(0)).not.toBe(old);
    runUntil(net, net.now + 30 * SECOND);
    for (const gm of net.members) expect(gm.sas.has(old!)).toBe(false);
    expect(ksEvents(net, "ks.rekeyStarted")[0]!.data).toMatchObject({ replace: true, tek: true, kek: true });
  });

  it("replaces them at once: members drop the old TEK with the rekey", () => {
    const net = started({ members: 2, group: { transport } });
    const [old] = spis(net.members[0]!);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: true });
    runUntil(net, net.now + SECOND);
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(1);
      expect(gm.sas.has(old!)).toBe(false);
      expect(gm.sending.get(0)).toBe(spis(gm)[0]);
    }
  });

  it("clears all members: they come back after a while with new keys, and lose no TEK before", () => {
    const net = started({ members: 5, group: { transport } });
    const [old] = spis(net.members[0]!);
    const kek = net.servers[0]!.state.groups.get("1111")!.branches[0]!.kek!.sa.spi;
    commandKs(net, { name: "clearMembers", group: "GROUP", now: false });
    runUntil(net, net.now + SECOND / 2);
    for (const gm of net.members) {
      expect(gm.sas.has(old!)).toBe(true);
      expect(named(gm.events, "gm.deleteReceived")[0]!.data).toMatchObject({ immediate: false });
    }
    runUntil(net, net.now + 61 * SECOND);
    const group = net.servers[0]!.state.groups.get("1111")!;
    expect(group.members.size).toBe(5);
    expect(group.branches[0]!.kek!.sa.spi).not.toBe(kek);
    for (const gm of net.members) {
      expect(spis(gm)).toEqual(spis(net.members[0]!));
      expect(gm.sas.has(old!)).toBe(false);
    }
    // They come back spread over time, not in one burst.
    expect(
      new Set(
        ksEvents(net, "ks.registered")
          .slice(5)
          .map(({ at }) => Math.floor(at / SECOND)),
      ).size,
    ).toBeGreaterThan(2);
  });

  it("clears all members now: their SAs are gone with the message", () => {
    const net = started({ members: 3, group: { transport } });
    commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
    runUntil(net, net.now + SECOND / 2);
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(0);
      expect(named(gm.events, "gm.deleteReceived")[0]!.data).toMatchObject({ immediate: true });
    }
    runUntil(net, net.now + 12 * SECOND);
    for (const gm of net.members) expect(gm.sas.size).toBe(1);
  });
});

describe("the traffic rules of a member", () => {
  it("are its control traffic, its own exemptions, and the group's list in its order", () => {
    const web = selector({ protocol: 6, destinationPortFirst: 80, destinationPortLast: 80 });
    const net = started({ members: 1, member: () => ({ localBypass: [web] }) });
    const [gm] = net.members;
    const [out, back, ...rest] = gm!.rules;
    expect(out!.selector).toMatchObject({ protocol: 17, sourcePortFirst: 848, sourceFirst: 0x0a000001 });
    expect(back!.selector).toMatchObject({ protocol: 17, destinationPortFirst: 848, destinationFirst: 0x0a000001 });
    expect(rest).toEqual([
      { action: "bypass", selector: web, family: -1 },
      { action: "bypass", selector: SSH, family: -1 },
      { action: "protect", selector: ICMP, family: 0 },
    ]);
  });

  it("keep one family for each permit entry through rekeys and registrations", () => {
    const entries = [
      { action: "permit", selector: ICMP },
      { action: "deny", selector: SSH },
      { action: "permit", selector: selector({ protocol: 6 }) },
    ] as const;
    const dataSas = [{ number: 1, lifetimeSeconds: 600, suite: CBC, sequenceNumbers: 2, entries }];
    const net = started({ members: 2, group: { dataSas } });
    runUntil(net, 4000 * SECOND);
    const [gm] = net.members;
    expect(gm!.rules.slice(2).map(({ action, family }) => [action, family])).toEqual([
      ["protect", 0],
      ["bypass", -1],
      ["protect", 1],
    ]);
    expect(new Set([...gm!.sas.values()].map(({ family }) => family))).toEqual(new Set([0, 1]));
    expect([...gm!.sending.keys()]).toEqual([0, 1]);
    expect(named(gm!.events, "gm.reregister")).toHaveLength(0);
    expect(spis(gm!)).toEqual(spis(net.members[1]!));
  });
});

describe("a member that leaves", () => {
  it("tells the key server, gives up its SAs and can come back", () => {
    const net = started({ members: 2 });
    const [gm] = net.members;
    commandGm(net, gm!, { name: "mapRemoved", group: "GROUP" });
    runUntil(net, net.now + SECOND);
    expect(gm!.sas.size).toBe(0);
    expect(gm!.rules).toEqual([]);
    expect(ksEvents(net, "ks.left")).toHaveLength(1);
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(1);
    commandGm(net, gm!, { name: "mapApplied", group: "GROUP" });
    runUntil(net, net.now + SECOND);
    expect(gm!.sas.size).toBe(1);
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(2);
  });

  it("and comes back by `clear crypto gkm` replaces its entry, and its old IKE SA is closed", () => {
    const net = started({ members: 1 });
    const [gm] = net.members;
    commandGm(net, gm!, { name: "clear", group: "GROUP" });
    expect(gm!.sas.size).toBe(0);
    runUntil(net, net.now + 5 * SECOND);
    expect(gm!.sas.size).toBe(1);
    expect(ksEvents(net, "ks.registered")[1]!.data).toMatchObject({ replaced: true, members: 1 });
    const established = [...net.servers[0]!.state.endpoint!.sas.values()].filter((sa) => sa.phase.at === "established");
    expect(established).toHaveLength(1);
  });
});

describe("Sender-IDs of a group with a counter-mode cipher", () => {
  it("differ from member to member, and none is given out twice", () => {
    const net = started({ members: 3, group: { dataSas: COUNTED } });
    const idOf = (index: number) => [...net.members[index]!.sas.values()].map(({ senderId }) => senderId);
    expect([0, 1, 2].map(idOf)).toEqual([[{ value: 0, bits: 24 }], [{ value: 1, bits: 24 }], [{ value: 2, bits: 24 }]]);
    commandGm(net, net.members[0]!, { name: "clear", group: "GROUP" });
    runUntil(net, net.now + SECOND);
    expect(idOf(0)).toEqual([{ value: 3, bits: 24 }]);
    runUntil(net, 3500 * SECOND);
    expect(idOf(0)).toEqual([
      { value: 3, bits: 24 },
      { value: 3, bits: 24 },
    ]);
  });

  it("run out: all members are excluded, all keys are new and the count begins again", () => {
    const senderIds = { first: 0, count: 3 };
    const net = started({ members: 3, group: { dataSas: COUNTED, senderIds, senderIdBits: 8 } });
    const before = spis(net.members[0]!);
    const [gm, other] = net.members;
    commandGm(net, gm!, { name: "clear", group: "GROUP" });
    runUntil(net, net.now + SECOND / 2);
    expect(ksEvents(net, "ks.reinitialised")).toHaveLength(1);
    expect([...gm!.sas.values()][0]!.senderId).toEqual({ value: 0, bits: 8 });
    expect(other!.sas.size).toBe(0);
    runUntil(net, net.now + 15 * SECOND);
    for (const member of net.members) {
      expect(spis(member)).toEqual(spis(gm!));
      expect(spis(member)).not.toEqual(before);
    }
    const ids = net.members.map((member) => [...member.sas.values()][0]!.senderId!.value);
    expect([...ids].sort()).toEqual([0, 1, 2]);
  });

  it("are not asked for by a member that only receives, and it sends with nothing", () => {
    const net = started({ members: 1, group: { dataSas: COUNTED }, member: () => ({ senderIds: undefined }) });
    const [gm] = net.members;
    expect(gm!.sas.size).toBe(1);
    expect([...gm!.sas.values()][0]!.senderId).toBeUndefined();
    expect(gm!.sending.size).toBe(0);
  });
});

describe("announced SPIs", () => {
  it("let a member notice by foreign traffic that it missed a rekey", () => {
    const net = started({ members: 2, group: { transport: MULTICAST, tuning: { announceNextSpi: true } } });
    const [gm, other] = net.members;
    net.lose = (wire, target) => wire.exchange === 41 && target === gm!.address;
    runUntil(net, 3430 * SECOND);
    const fresh = spis(other!).find((spi) => !gm!.sas.has(spi))!;
    commandGm(net, gm!, { name: "unknownSpi", spi: 4711 });
    expect(named(gm!.events, "gm.reregister")).toHaveLength(0);
    commandGm(net, gm!, { name: "unknownSpi", spi: fresh });
    runUntil(net, net.now + 3 * SECOND);
    expect(named(gm!.events, "gm.reregister")[0]!.data).toMatchObject({ reason: "nextSpi" });
    expect(spis(gm!)).toEqual(spis(other!));
  });
});

describe("the state of the machines", () => {
  it("can be copied in mid-rekey, and the copy goes on like the original", () => {
    const net = started({ members: 3 });
    runUntil(net, 3395 * SECOND + 5_000);
    const copy = structuredClone({
      server: net.servers[0]!.state,
      members: net.members.map(({ state }) => state),
    });
    expect(copy.server.groups.get("1111")!.members.size).toBe(3);
    expect(copy).toEqual({ server: net.servers[0]!.state, members: net.members.map(({ state }) => state) });
  });

  it("is the same for two runs of one seed", () => {
    const run = () => {
      const net = started({ members: 4, seed: "again" });
      runUntil(net, 8000 * SECOND);
      return [net.wire, net.members.map(({ events }) => events)];
    };
    expect(run()).toEqual(run());
  });
});
