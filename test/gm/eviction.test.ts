/** One member is put out, and the others go on. */
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { gdoiProtocol } from "../../src/gdoi/gdoiProtocol.ts";
import type { ProtocolName } from "../../src/gikev2/dialect.ts";
import type { KsGroupConfig } from "../../src/ks/config.ts";
import { adoptConfig } from "../../src/ks/reconfigure.ts";
import { createKsState } from "../../src/ks/state.ts";
import { cisco } from "./ciscoNetwork.ts";
import { GDOI_SERVICE, gdoiNetwork } from "./gdoiNetwork.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  gike,
  inject,
  KS_ADDRESS,
  ksEvents,
  type Member,
  MULTICAST,
  type Network,
  type NetworkOptions,
  named,
  REKEY_ADDRESS,
  runUntil,
  spis,
  startAll,
  type Wire,
} from "./network.ts";

const CBC_KEK = { encr: 12, encrKeyBits: 256, integ: 12, kwa: 3 };
const NETWORKS: Readonly<Record<ProtocolName, (options: NetworkOptions) => Network>> = {
  rfc9838: createNetwork,
  "yeung-07": ({ group, ...options }) =>
    cisco({ ...options, group: { gikev2: gike({ dialect: "yeung-07", kekSuite: CBC_KEK }), ...group } }),
  gdoi: gdoiNetwork,
};
const PROTOCOLS = Object.keys(NETWORKS) as ProtocolName[];
/** What a barred member is told. */
const REFUSAL: Readonly<Record<ProtocolName, number>> = { rfc9838: 46, "yeung-07": 46, gdoi: 24 };

const TREE: Partial<KsGroupConfig> = { transport: MULTICAST, tuning: { keyTree: "lkh" } };

function registered(members: number, change: Partial<KsGroupConfig> = {}, protocol: ProtocolName = "rfc9838") {
  const net = NETWORKS[protocol]({ members, group: { ...TREE, ...change } });
  startAll(net);
  runUntil(net, 10 * SECOND);
  return net;
}

/** Rekeys, by whatever protocol: what goes to all. */
const isRekey = ({ to }: Wire) => to === REKEY_ADDRESS;
const isPush = (exchange: number, isResponse: boolean) => [33, 41].includes(exchange) && !isResponse;
/** SPI of the KEK that a rekey is under. */
const spiOf = ({ octets }: Wire) => toHex(octets.subarray(0, 16));

function evict(net: Network, member: Member, change: { now?: boolean; bar?: boolean } = {}): void {
  commandKs(net, { name: "evictMember", group: "GROUP", member: member.address, now: false, bar: true, ...change });
}

const held = (member: Member) => member.state.groups[0]!.held;
const kekOf = (member: Member) => held(member)?.kek?.sa.spi;
const group = (net: Network) => net.servers[0]!.state.groups.get("1111")!;
const rekeys = (member: Member) =>
  named(member.events, "gm.rekeyReceived").map(({ data }) => ({ teks: data.teks, kek: data.kek }));

describe.each(PROTOCOLS)("a member of a group of %s with a key tree", (protocol) => {
  it("that has missed a KEK so far gets it in front of the next copies, though others have been put out since", () => {
    const net = registered(5, {}, protocol);
    const [first, second, third, other, late] = net.members as [Member, Member, Member, Member, Member];
    net.lose = (wire, target) => isRekey(wire) && target === late.address;
    for (const one of [first, second]) {
      evict(net, one);
      runUntil(net, net.now + 3 * SECOND);
    }
    net.lose = () => false;
    evict(net, third);
    runUntil(net, net.now + 60 * SECOND);
    const newest = group(net).generations[0]!.teks.map(({ spi }) => spi);
    for (const one of [other, late]) {
      expect(spis(one)).toEqual(expect.arrayContaining(newest));
      expect(named(one.events, "gm.registering")).toHaveLength(1);
    }
    expect(kekOf(late)).toBe(group(net).branches[0]!.kek!.sa.spi);
    for (const gone of [first, second, third]) expect(spis(gone)).not.toEqual(expect.arrayContaining(newest));
    // No message has more copies than one that nothing comes in between of.
    const { count } = group(net).config.retransmit;
    const sent = new Map<string, number>();
    for (const { octets } of net.wire.filter(isRekey)) sent.set(toHex(octets), (sent.get(toHex(octets)) ?? 0) + 1);
    expect(Math.max(...sent.values())).toBe(1 + count);
  });

  it("gets the keys above its leaf at registration, and opens plain rekeys without them", () => {
    const net = registered(5, {}, protocol);
    for (const gm of net.members) expect(held(gm)!.path.length).toBeGreaterThan(0);
    const paths = net.members.map((gm) => held(gm)!.path);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, 11 * SECOND);
    for (const gm of net.members) expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
    expect(net.members.map((gm) => held(gm)!.path)).toEqual(paths);
  });

  it("is put out by one message with no TEKs, and new TEKs follow under the new KEK for all others", () => {
    const net = registered(8, {}, protocol);
    const [gone] = net.members.splice(5, 1);
    net.members.push(gone!);
    const others = net.members.slice(0, 7);
    const before = { kek: kekOf(gone!), teks: spis(gone!) };
    net.wire.length = 0;
    evict(net, gone!);
    runUntil(net, 11 * SECOND + SECOND / 2);
    expect(net.wire.filter(isRekey)).toHaveLength(2);
    const fresh = group(net).generations[0]!.teks.map((tek) => tek.spi);
    for (const gm of others) {
      expect(rekeys(gm)).toEqual([
        { teks: 0, kek: true },
        { teks: 1, kek: false },
      ]);
      expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
      expect(spis(gm)).toEqual([...before.teks, ...fresh].sort((a, b) => a - b));
    }
    expect(named(gone!.events, "gm.noKeyPath")).toHaveLength(1);
    expect(held(gone!)!.kek).toBeUndefined();
    expect(spis(gone!)).toEqual(before.teks);
    expect(gone!.state.groups[0]!.phase.at).toBe("waiting");
  });

  it("is refused when it comes back barred, and taken again otherwise", () => {
    for (const bar of [true, false]) {
      const net = registered(4, {}, protocol);
      const [gone] = net.members;
      evict(net, gone!, { bar });
      runUntil(net, 100 * SECOND);
      const refusals = named(gone!.events, "gm.registrationFailed").filter(
        ({ data }) => data.notify === REFUSAL[protocol],
      );
      expect(refusals.length > 0).toBe(bar);
      expect(kekOf(gone!) === group(net).branches[0]!.kek!.sa.spi).toBe(!bar);
      expect(group(net).members.size).toBe(bar ? 3 : 4);
    }
  });

  it("does not notice that others come and go, one after the other", () => {
    const net = registered(9, {}, protocol);
    for (const index of [3, 7, 1]) {
      evict(net, net.members[index]!, { bar: false });
      runUntil(net, net.now + 100 * SECOND);
    }
    const kek = group(net).branches[0]!.kek!.sa.spi;
    for (const gm of net.members) {
      expect(kekOf(gm)).toBe(kek);
      expect(named(gm.events, "gm.reregister")).toHaveLength(0);
    }
    expect(named(net.members[0]!.events, "gm.registering")).toHaveLength(1);
    expect(named(net.members[3]!.events, "gm.registering").length).toBeGreaterThan(1);
  });

  it("may miss the first copy of either message: both come again together", () => {
    const net = registered(6, {}, protocol);
    const [gone, one, two] = net.members;
    const old = kekOf(one!);
    net.lose = (wire, target) => {
      if (!isRekey(wire) || wire.at > 12 * SECOND) return false;
      // The first message is lost for one member, the second for another.
      return spiOf(wire) === old ? target === one!.address : target === two!.address;
    };
    evict(net, gone!);
    runUntil(net, 13 * SECOND);
    expect(kekOf(one!)).not.toBe(group(net).branches[0]!.kek!.sa.spi);
    runUntil(net, 40 * SECOND);
    for (const gm of net.members.slice(1)) {
      expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
      expect(spis(gm)).toContain(group(net).generations[0]!.teks[0]!.spi);
      expect(named(gm.events, "gm.registering")).toHaveLength(1);
    }
  });

  it("leaves the key server with new keys and nobody to tell when it was the last one", () => {
    const net = registered(1, {}, protocol);
    const old = kekOf(net.members[0]!);
    net.wire.length = 0;
    evict(net, net.members[0]!);
    expect(net.wire.filter(isRekey)).toEqual([]);
    expect(group(net).branches[0]!.kek!.sa.spi).not.toBe(old);
  });
});

describe("a member of a group with a key tree", () => {
  it.each(["rfc9838", "yeung-07"] as const)(
    "of %s that leaves by itself is locked out like one that is put out",
    (protocol) => {
      const net = registered(3, {}, protocol);
      const [leaver, ...others] = net.members;
      const old = kekOf(leaver!);
      commandGm(net, leaver!, { name: "mapRemoved", group: "GROUP" });
      runUntil(net, 12 * SECOND);
      expect(ksEvents(net, "ks.left")).toHaveLength(1);
      expect(group(net).branches[0]!.kek!.sa.spi).not.toBe(old);
      for (const gm of others) expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
    },
  );

  it("of GDOI, which has no word for leaving, is in the tree until it is put out", () => {
    const net = registered(3, {}, "gdoi");
    const [leaver, ...others] = net.members;
    commandGm(net, leaver!, { name: "mapRemoved", group: "GROUP" });
    runUntil(net, 60 * SECOND);
    expect(group(net).members.size).toBe(3);
    evict(net, leaver!);
    runUntil(net, 62 * SECOND);
    for (const gm of others) expect(rekeys(gm)).toHaveLength(2);
  });

  it("of draft-yeung keeps its path when it asks for TEKs alone", () => {
    const choice = { dialect: "yeung-07" } as const;
    const change = { ...TREE, gikev2: gike({ ...choice, kekSuite: CBC_KEK }) };
    const net = cisco({ members: 3, group: change, member: (index) => (index === 1 ? { want: "teks" } : {}) });
    startAll(net);
    runUntil(net, 10 * SECOND);
    // It has no KEK, so no rekey concerns it; those who have one are not disturbed.
    expect(held(net.members[0]!)).toMatchObject({ kek: undefined, path: [] });
    evict(net, net.members[1]!);
    runUntil(net, 12 * SECOND);
    expect(kekOf(net.members[2]!)).toBe(group(net).branches[0]!.kek!.sa.spi);
  });

  it.each([
    ["AES-GCM, whose IV must not come twice", { ...CBC_KEK, encr: 20, integ: 0 }, {}],
    ["CBC, where the switch says so,", CBC_KEK, { keyHierarchy: "none" }],
  ] as const)("of draft-yeung gets no tree for a KEK of %s and registers again", (_, kekSuite, switches) => {
    const choice = { dialect: "yeung-07", switches } as const;
    const net = cisco({ members: 3, group: { ...TREE, gikev2: gike({ ...choice, kekSuite }) } }, switches);
    startAll(net);
    runUntil(net, 10 * SECOND);
    const [gone, ...others] = net.members;
    for (const gm of net.members) expect(held(gm)!.path).toEqual([]);
    evict(net, gone!);
    runUntil(net, 60 * SECOND);
    for (const gm of others) expect(named(gm.events, "gm.registering")).toHaveLength(2);
    expect(group(net).members.size).toBe(2);
  });

  it("loses it with a KEK of another cipher, and gets a new one when all were put out", () => {
    const net = registered(4, {}, "gdoi");
    const [gone, ...others] = net.members;
    const { state } = net.servers[0]!;
    const service = { ...GDOI_SERVICE, kekSuite: { ...GDOI_SERVICE.kekSuite, encrKeyBits: 256 } };
    const change = (gdoi: typeof service) =>
      adoptConfig(state, createKsState({ ...state.config, groups: [{ ...state.config.groups[0]!, gdoi }] }));
    change(service);
    evict(net, gone!);
    runUntil(net, 60 * SECOND);
    for (const gm of others) {
      expect(named(gm.events, "gm.registering")).toHaveLength(2);
      expect(held(gm)!.path.length).toBeGreaterThan(0);
    }
    change(GDOI_SERVICE);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: true });
    runUntil(net, net.now + 10 * SECOND);
    for (const gm of others) expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
    expect(group(net).branches[0]!.tree).toBeUndefined();
    evict(net, others[0]!);
    runUntil(net, net.now + 60 * SECOND);
    for (const gm of others.slice(1)) expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
  });
});

describe.each(["yeung-07", "gdoi"] as const)("in a unicast group of %s with a key tree", (protocol) => {
  const unicast = (members: number) => registered(members, { transport: { kind: "unicast" } }, protocol);
  const unasked = (net: Network) => ksEvents(net, "ks.unsolicitedAck");

  it("a member is put out by two messages to each of the others, who acknowledge both and stay", () => {
    const net = unicast(6);
    const [gone, ...others] = net.members;
    const before = spis(gone!);
    net.wire.length = 0;
    evict(net, gone!);
    runUntil(net, 15 * SECOND);
    const pushed = net.wire.filter(({ from, exchange, response }) => from === KS_ADDRESS && isPush(exchange, response));
    expect(pushed).toHaveLength(2 * others.length + 1);
    for (const gm of others) {
      expect(rekeys(gm)).toEqual([
        { teks: 0, kek: true },
        { teks: 1, kek: false },
      ]);
      expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
      expect(named(gm.events, "gm.registering")).toHaveLength(1);
      expect(gm.state.groups[0]!.counters.acksSent).toBe(2);
    }
    expect(named(gone!.events, "gm.noKeyPath")).toHaveLength(1);
    expect(spis(gone!)).toEqual(before);
    expect(ksEvents(net, "ks.rekeyDone")).toHaveLength(1);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(others.length);
    expect([unasked(net), ksEvents(net, "ks.rekeyRetransmitted")]).toEqual([[], []]);
  });

  it("both messages are repeated to a member that has missed one of them", () => {
    for (const which of ["first", "second"]) {
      const net = unicast(4);
      const [gone, one, ...others] = net.members;
      const old = kekOf(one!);
      net.lose = (wire, target) =>
        wire.at < 12 * SECOND && target === one!.address && (which === "first") === (spiOf(wire) === old);
      evict(net, gone!);
      runUntil(net, 15 * SECOND);
      expect(spis(one!)).not.toContain(group(net).generations[0]!.teks[0]!.spi);
      runUntil(net, 25 * SECOND);
      for (const gm of [one!, ...others]) {
        expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
        expect(spis(gm)).toContain(group(net).generations[0]!.teks[0]!.spi);
      }
      expect(ksEvents(net, "ks.rekeyRetransmitted")).toHaveLength(1);
      expect(group(net).branches[0]!.pushes.size).toBe(0);
    }
  });

  it("a member that stays silent is given up as after any rekey", () => {
    const net = unicast(4);
    const [gone, silent, ...others] = net.members;
    net.lose = (wire) => wire.from === silent!.address;
    evict(net, gone!);
    runUntil(net, 60 * SECOND);
    expect(ksEvents(net, "ks.memberEjected").map(({ data }) => data.member)).toEqual([`${silent!.address}:848`]);
    expect([...group(net).members.values()].map(({ remote }) => remote.address)).toEqual(
      others.map(({ address }) => address),
    );
  });

  it("a member that was given up and came back has the place that it had, and is put out of no other", () => {
    const net = unicast(3);
    const [one, ...others] = net.members;
    const { holders, tree } = group(net).branches[0]!;
    const place = holders.get(`${one!.address}:848`);
    net.lose = (wire) => wire.from === one!.address;
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, 60 * SECOND);
    expect(group(net).members.size).toBe(2);
    net.lose = () => false;
    commandGm(net, one!, { name: "clear", group: "GROUP" });
    runUntil(net, 70 * SECOND);
    expect(group(net).members.size).toBe(3);
    expect(holders.get(`${one!.address}:848`)).toBe(place);
    evict(net, one!);
    runUntil(net, 80 * SECOND);
    for (const gm of others) expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
    expect([...holders.keys()]).toEqual(others.map(({ address }) => `${address}:848`));
    expect([...tree!.nodes.values()].filter(({ children }) => children.length === 0)).toHaveLength(2);
  });
});

describe("in a unicast group of GDOI with a key tree", () => {
  it("members acknowledge with the key of their leaf, which no other member has", () => {
    const net = registered(3, { transport: { kind: "unicast" } }, "gdoi");
    const [one, two] = net.members;
    for (const gm of net.members) expect(held(gm)!.kek!.sa.acknowledgement).toBe(2);
    // The acknowledgements of the first member are lost, and the second one tries to make one in its place.
    net.lose = ({ from, to }) => from === one!.address && to === KS_ADDRESS;
    const { sa } = held(two!)!.kek!;
    const leaf = held(two!)!.path.at(-1)!.key;
    const answer = { messageId: 1, nextIv: () => new Uint8Array(16), address: one!.address, leaf };
    const forged = gdoiProtocol().rekeyAck(native, sa, answer)!;
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + SECOND);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(2);
    const remote = { address: one!.address, port: 848 };
    inject(net, net.servers[0]!, { local: { address: KS_ADDRESS, port: 848 }, remote, octets: forged });
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(2);
    net.lose = () => false;
    runUntil(net, net.now + 20 * SECOND);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(3);
  });

  it("with Cisco's acknowledgement it is the KEK for all", () => {
    const net = gdoiNetwork(
      { members: 2, group: { ...TREE, transport: { kind: "unicast" } } },
      { switches: { acknowledgement: "cisco" } },
    );
    startAll(net);
    runUntil(net, 10 * SECOND);
    for (const gm of net.members) expect(held(gm)!.kek!.sa.acknowledgement).toBe(240);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, 11 * SECOND);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(2);
  });
});

describe.each(PROTOCOLS)("an eviction by the key tree of %s", (protocol) => {
  function evictions(crypto: Crypto): readonly string[] {
    const net = NETWORKS[protocol]({ members: 5, group: TREE, crypto });
    startAll(net);
    runUntil(net, 10 * SECOND);
    for (const index of [1, 4]) {
      evict(net, net.members[index]!, { bar: false });
      runUntil(net, net.now + 30 * SECOND);
    }
    return net.wire.map(({ at, from, octets }) => `${at} ${from} ${toHex(octets)}`);
  }

  it("is the same octets with either back end", () => {
    expect(evictions(noble)).toEqual(evictions(native));
  });

  it("costs a message that grows with the logarithm of the group", () => {
    const sizeFor = (members: number): number => {
      const net = registered(members, {}, protocol);
      net.wire.length = 0;
      evict(net, net.members[0]!);
      return net.wire.find(isRekey)!.octets.length;
    };
    const [few, more, many] = [4, 16, 64].map(sizeFor);
    expect(more! - few!).toBeGreaterThan(0);
    expect(many! - more!).toBeLessThan(2 * (more! - few!));
  });
});

describe("without a key tree", () => {
  it("a multicast group can only put all members out; they come back without the one that is barred", () => {
    const net = registered(3, { tuning: { keyTree: "none" } });
    const [gone, ...others] = net.members;
    evict(net, gone!, { now: true });
    runUntil(net, 30 * SECOND);
    for (const gm of others) {
      expect(named(gm.events, "gm.deleteReceived")).toHaveLength(1);
      expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
    }
    expect([...group(net).members.values()].map(({ remote }) => remote.address)).not.toContain(gone!.address);
  });

  it("as in every unicast group of RFC 9838, a unicast group tells the member in its IKE SA and gives the others KEK and TEKs in theirs", () => {
    const net = registered(3, { transport: { kind: "unicast" } });
    const [gone, ...others] = net.members;
    evict(net, gone!);
    runUntil(net, 11 * SECOND);
    expect(named(gone!.events, "gm.deleteReceived")[0]!.data).toMatchObject({ immediate: true });
    expect(gone!.sas.size).toBe(0);
    for (const gm of others) {
      expect(rekeys(gm)).toEqual([{ teks: 1, kek: true }]);
      expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
    }
    runUntil(net, 60 * SECOND);
    expect(named(gone!.events, "gm.registrationFailed")[0]!.data).toMatchObject({ notify: 46 });
    expect(ksEvents(net, "ks.rekeyDone")).toHaveLength(1);
  });
});
