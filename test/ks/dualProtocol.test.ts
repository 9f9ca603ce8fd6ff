/** One key server, one group, members of two protocols: what they share, and what they do not. */
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { gdoiProtocol } from "../../src/gdoi/gdoiProtocol.ts";
import { adoptConfig as adoptGmConfig } from "../../src/gm/reconfigure.ts";
import { createGmState } from "../../src/gm/state.ts";
import type { KsGroupConfig } from "../../src/ks/config.ts";
import { adoptConfig } from "../../src/ks/reconfigure.ts";
import { createKsState } from "../../src/ks/state.ts";
import { viewKs } from "../../src/ks/view.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  gmAddress,
  ike,
  KS_ADDRESS,
  ksEvents,
  ksGroup,
  type Member,
  MULTICAST,
  type Network,
  named,
  runUntil,
  spis,
  startAll,
} from "../gm/network.ts";
import { GDOI, isakmp } from "./gdoiMember.ts";

const KINDS = ["gikev2", "gdoi", "gdoi"] as const;

/** The first member speaks G-IKEv2, the others GDOI. */
function network(group: Partial<KsGroupConfig> = {}): Network {
  const net = createNetwork({
    members: KINDS.length,
    group: { gdoi: GDOI, ...group },
    ksConfig: (config) => ({ ...config, isakmp: isakmp(KS_ADDRESS) }),
    gmConfig: (index, config) => {
      if (KINDS[index - 1] === "gikev2") return config;
      const groups = config.groups.map((one) => ({ ...one, protocol: { kind: "gdoi" } as const }));
      return { ...config, isakmp: isakmp(gmAddress(index)), groups };
    },
  });
  startAll(net);
  runUntil(net, 5 * SECOND);
  return net;
}

const groupOf = (net: Network) => net.servers[0]!.state.groups.get("1111")!;
const kekOf = (net: Network, kind: "gikev2" | "gdoi") => groupOf(net).branches.find((one) => one.kind === kind)!.kek!;
const heldBy = (member: Member) => member.state.groups[0]!.held!;
const newest = (net: Network) => groupOf(net).generations[0]!.teks.map(({ spi }) => spi);
const rekeyNow = (net: Network, replaceNow = false) => {
  commandKs(net, { name: "rekey", group: "GROUP", replaceNow });
  runUntil(net, net.now + 30 * SECOND);
};

function expectShared(net: Network): void {
  for (const [i, member] of net.members.entries()) {
    expect(spis(member)).toEqual(expect.arrayContaining(newest(net)));
    for (const { spi, key } of groupOf(net).generations[0]!.teks) {
      expect(heldBy(member).teks.find((tek) => tek.spi === spi)!.key.secret).toEqual(key.secret);
    }
    expect(heldBy(member).kek!.sa.spi).toBe(kekOf(net, KINDS[i]!).sa.spi);
  }
}

describe.each([
  ["unicast", { kind: "unicast" }],
  ["multicast", MULTICAST],
] as const)("a group of both protocols with rekeys by %s", (kind, transport) => {
  it("has one set of TEKs, and a KEK for each protocol", () => {
    const net = network({ transport });
    expectShared(net);
    expect(kekOf(net, "gikev2").sa.spi).not.toBe(kekOf(net, "gdoi").sa.spi);
    expect(ksEvents(net, "ks.registered").map(({ data }) => data.protocol)).toEqual([...KINDS]);
    expect(new Set(net.keys.map((key) => key.kind))).toEqual(new Set(["ike", "ikev1", "gdoi", "esp"]));
  });

  it("is rekeyed with a message of each protocol, by command and by time, and all keep the same TEKs", () => {
    const net = network({ transport });
    rekeyNow(net);
    expectShared(net);
    const started = ksEvents(net, "ks.rekeyStarted").map(({ data }) => [data.protocol, data.members, data.transport]);
    expect(started).toEqual([
      ["gikev2", 1, kind],
      ["gdoi", 2, kind],
    ]);
    for (let time = 600; time < 8000; time += 600) {
      runUntil(net, time * SECOND);
      expectShared(net);
    }
    for (const member of net.members) expect(named(member.events, "gm.registering")).toHaveLength(1);
    expect(ksEvents(net, "ks.rekeyUnanswered")).toEqual([]);
    expect(ksEvents(net, "ks.rekeyDone").map(({ data }) => data.protocol)).toContain("gdoi");
  });

  it("gives the TEKs that a command replaces a shortened life, in both protocols alike, or none with replace-now", () => {
    const net = network({ transport });
    const [old] = newest(net);
    rekeyNow(net);
    const ends = net.members.map((member) => heldBy(member).teks.find(({ spi }) => spi === old)!.expiresAt);
    expect(Math.max(...ends)).toBeLessThan(3600 * SECOND);
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(5 * SECOND);
    rekeyNow(net, true);
    for (const member of net.members) expect(spis(member)).toEqual(newest(net));
  });

  it("puts a member of GDOI out: those of G-IKEv2 get new TEKs and stay", () => {
    const net = network({ transport });
    const [stays, goes, returns] = net.members;
    const before = { gikev2: kekOf(net, "gikev2").sa.spi, gdoi: kekOf(net, "gdoi").sa.spi, teks: newest(net) };
    commandKs(net, { name: "evictMember", group: "GROUP", member: goes!.address, now: true, bar: true });
    runUntil(net, net.now + 60 * SECOND);
    expect(kekOf(net, "gikev2").sa.spi).toBe(before.gikev2);
    expect(kekOf(net, "gdoi").sa.spi).not.toBe(before.gdoi);
    expect(newest(net)).not.toEqual(before.teks);
    expect(spis(stays!)).toEqual(newest(net));
    expect(spis(returns!)).toEqual(newest(net));
    expect(spis(goes!)).toEqual([]);
    expect(named(stays!.events, "gm.registering")).toHaveLength(1);
    expect(named(returns!.events, "gm.registering").length).toBeGreaterThan(1);
  });

  it("puts the member of G-IKEv2 out: those of GDOI get new TEKs and stay", () => {
    const net = network({ transport });
    const [goes, ...stay] = net.members;
    const gdoi = kekOf(net, "gdoi").sa.spi;
    commandKs(net, { name: "evictMember", group: "GROUP", member: goes!.address, now: true, bar: true });
    runUntil(net, net.now + 60 * SECOND);
    expect(spis(goes!)).toEqual([]);
    for (const member of stay) {
      expect(spis(member)).toEqual(newest(net));
      expect(heldBy(member).kek!.sa.spi).toBe(gdoi);
      expect(named(member.events, "gm.registering")).toHaveLength(1);
    }
  });
});

describe("a group of both protocols", () => {
  it.each(["gikev2", "gdoi"] as const)(
    "with key trees puts a member of %s out by its tree, and tells the others",
    (kind) => {
      const net = network({ transport: MULTICAST, tuning: { keyTree: "lkh" } });
      const goes = net.members[KINDS.indexOf(kind)]!;
      const stay = net.members.filter((member) => member !== goes);
      const before = { gikev2: kekOf(net, "gikev2").sa.spi, gdoi: kekOf(net, "gdoi").sa.spi };
      commandKs(net, { name: "evictMember", group: "GROUP", member: goes.address, now: true, bar: true });
      runUntil(net, net.now + 60 * SECOND);
      for (const member of stay) {
        expect(spis(member)).toEqual(newest(net));
        expect(named(member.events, "gm.registering")).toHaveLength(1);
      }
      for (const spi of newest(net)) expect(spis(goes)).not.toContain(spi);
      const other = kind === "gdoi" ? "gikev2" : "gdoi";
      expect(kekOf(net, other).sa.spi).toBe(before[other]);
      expect(kekOf(net, kind).sa.spi).not.toBe(before[kind]);
    },
  );

  it("refuses the protocol that it does not serve", () => {
    const refused = createNetwork({
      members: 1,
      ksConfig: (config) => ({
        ...config,
        isakmp: isakmp(KS_ADDRESS),
        groups: [{ ...withoutGikev2(), gdoi: GDOI }, ksGroup({ name: "OTHER", id: { kind: "number", number: 2222 } })],
      }),
    });
    startAll(refused);
    runUntil(refused, 5 * SECOND);
    expect(ksEvents(refused, "ks.refused")[0]!.data).toMatchObject({ protocol: "gikev2", reason: "protocol" });
  });

  it("gives its Sender-IDs to members of both from one range", () => {
    const dataSas = [{ ...ksGroup().dataSas[0]!, suite: { encr: 20, encrKeyBits: 128, integ: 0 } }];
    const net = network({ dataSas });
    const ids = net.members.flatMap((member) => heldBy(member).senderIds);
    expect(ids).toEqual([0, 1, 2]);
  });

  it("shows its members by protocol, both KEKs, and the phase 1 SAs of members of GDOI", () => {
    const net = network();
    const view = viewKs(net.servers[0]!.state, net.now);
    expect(view.isakmpSas).toHaveLength(2);
    const [group] = view.groups;
    expect(group!.members.map(({ protocol }) => protocol)).toEqual([...KINDS]);
    expect(group!.keks.map(({ protocol, encr }) => [protocol, encr])).toEqual([
      ["gikev2", 20],
      ["gdoi", 12],
    ]);
  });

  it("forgets members of a protocol that it serves no longer, and the others are rekeyed on", () => {
    const net = network();
    const { state } = net.servers[0]!;
    const config = { ...state.config, groups: [ksGroup()] };
    adoptConfig(state, createKsState(config));
    expect([...groupOf(net).members.values()].map(({ protocol }) => protocol)).toEqual(["gikev2"]);
    rekeyNow(net);
    expect(ksEvents(net, "ks.rekeyStarted").map(({ data }) => data.protocol)).toEqual(["gikev2"]);
    const [stays, left] = net.members;
    expect(spis(stays!)).toEqual(expect.arrayContaining(newest(net)));
    expect(spis(left!)).not.toEqual(expect.arrayContaining(newest(net)));
  });

  it("takes up a protocol while it works: its members share the TEKs in use", () => {
    const net = createNetwork({
      members: 2,
      gmConfig: (index, config) => {
        if (index === 1) return config;
        const groups = config.groups.map((one) => ({ ...one, protocol: { kind: "gdoi" } as const }));
        return { ...config, isakmp: isakmp(gmAddress(index)), groups };
      },
    });
    const [old, fresh] = net.members;
    commandGm(net, old!, { name: "mapApplied", group: "GROUP" });
    runUntil(net, 5 * SECOND);
    const { state } = net.servers[0]!;
    const groups = [ksGroup({ gdoi: GDOI })];
    adoptConfig(state, createKsState({ ...state.config, ike: ike(KS_ADDRESS), isakmp: isakmp(KS_ADDRESS), groups }));
    commandGm(net, fresh!, { name: "mapApplied", group: "GROUP" });
    runUntil(net, 10 * SECOND);
    expect(spis(fresh!)).toEqual(spis(old!));
    rekeyNow(net);
    expect(spis(fresh!)).toEqual(expect.arrayContaining(newest(net)));
    expect(spis(old!)).toEqual(expect.arrayContaining(newest(net)));
  });
});

describe.each([
  ["unicast", { kind: "unicast" }],
  ["multicast", MULTICAST],
] as const)("a member that has changed its protocol, in a group with rekeys by %s,", (_, transport) => {
  /** The third member speaks GDOI first, then G-IKEv2. What it had by then is kept, as an attacker would. */
  function migrated(keyTree: "lkh" | "none") {
    const net = network({ transport, tuning: { keyTree } });
    const member = net.members[2]!;
    const { kek, path } = heldBy(member);
    commandGm(net, member, { name: "mapRemoved", group: "GROUP" });
    const groups = member.state.config.groups.map((one) => ({
      ...one,
      protocol: net.members[0]!.state.config.groups[0]!.protocol,
    }));
    adoptGmConfig(member.state, createGmState({ ike: ike(member.address), groups }));
    commandGm(net, member, { name: "mapApplied", group: "GROUP" });
    runUntil(net, net.now + 5 * SECOND);
    net.wire.length = 0;
    return { net, member, kept: { sa: kek!.sa, path } };
  }

  const evict = (net: Network, member: Member) => {
    commandKs(net, { name: "evictMember", group: "GROUP", member: member.address, now: true, bar: true });
    runUntil(net, net.now + 60 * SECOND);
  };

  it("has a place of its own in the tree of the new one", () => {
    const { net, member } = migrated("lkh");
    expect(ksEvents(net, "ks.registered").map(({ data }) => data.protocol)).toEqual([...KINDS, "gikev2"]);
    expect(spis(member)).toEqual(newest(net));
    expect(groupOf(net).branches.map(({ holders }) => [...holders.keys()].includes(`${member.address}:848`))).toEqual([
      true,
      true,
    ]);
  });

  it("is put out of both by their trees, and the others stay", () => {
    const { net, member, kept } = migrated("lkh");
    const [one, two] = net.members;
    evict(net, member);
    for (const stays of [one!, two!]) {
      expect(spis(stays)).toEqual(newest(net));
      expect(named(stays.events, "gm.registering")).toHaveLength(1);
    }
    expect(spis(member)).not.toContain(newest(net)[0]);
    expect(heldBy(two!).kek!.sa.spi).toBe(kekOf(net, "gdoi").sa.spi);
    const rekeys = gdoiProtocol();
    const pushes = net.wire.filter(({ octets }) => toHex(octets.subarray(0, 16)) === kept.sa.spi && octets[18] === 33);
    expect(pushes.length).toBeGreaterThan(0);
    for (const { octets } of pushes) {
      const opened = rekeys.openRekey(native, kept.sa, octets, undefined, 1);
      if (opened.kind !== "whole") throw new Error(JSON.stringify(opened));
      expect(rekeys.readRekey(native, kept.sa, opened.payloads, kept.path)).toEqual({
        ok: true,
        value: { excluded: true },
      });
    }
  });

  it("takes all others of its old protocol along where there is no tree, and they come back", () => {
    const { net, member, kept } = migrated("none");
    const [, two] = net.members;
    evict(net, member);
    expect(kekOf(net, "gdoi").sa.spi).not.toBe(kept.sa.spi);
    expect(named(two!.events, "gm.registering")).toHaveLength(2);
    for (const stays of net.members.slice(0, 2)) expect(spis(stays)).toEqual(newest(net));
    expect(spis(member)).not.toContain(newest(net)[0]);
  });
});

function withoutGikev2(): Omit<KsGroupConfig, "gikev2"> {
  const { gikev2: _, ...rest } = ksGroup();
  return rest;
}

describe("authorization", () => {
  it("asks members of GDOI alone whether crypto identity names them", () => {
    const net = network({ gdoi: { ...GDOI, authorization: { identities: [{ kind: "fqdn", text: "gm9" }] } } });
    expect(ksEvents(net, "ks.registered").map(({ data }) => data.protocol)).toEqual(["gikev2"]);
    const refused = ksEvents(net, "ks.refused").map(({ data }) => [data.protocol, data.reason]);
    expect(refused).toEqual([
      ["gdoi", "identity"],
      ["gdoi", "identity"],
    ]);
  });
});
