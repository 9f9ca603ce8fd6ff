/** One member is put out, and the others go on. */
import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  ksEvents,
  type Member,
  MULTICAST,
  type Network,
  named,
  runUntil,
  spis,
  startAll,
} from "./network.ts";

const GSA_REKEY = 41;

function registered(members: number, change = {}) {
  const net = createNetwork({ members, group: { transport: MULTICAST, tuning: { keyTree: "lkh" }, ...change } });
  startAll(net);
  runUntil(net, 10 * SECOND);
  return net;
}

function evict(net: Network, member: Member, change: { now?: boolean; bar?: boolean } = {}): void {
  commandKs(net, { name: "evictMember", group: "GROUP", member: member.address, now: false, bar: true, ...change });
}

const held = (member: Member) => member.state.groups[0]!.held;
const kekOf = (member: Member) => held(member)?.kek?.sa.spi;
const group = (net: Network) => net.servers[0]!.state.groups.get("1111")!;
const rekeys = (member: Member) =>
  named(member.events, "gm.rekeyReceived").map(({ data }) => ({ teks: data.teks, kek: data.kek }));

describe("a member of a group with a key tree", () => {
  it("gets the keys above its leaf at registration, and opens plain rekeys without them", () => {
    const net = registered(5);
    for (const gm of net.members) expect(held(gm)!.path.length).toBeGreaterThan(0);
    const paths = net.members.map((gm) => held(gm)!.path);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, 11 * SECOND);
    for (const gm of net.members) expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
    expect(net.members.map((gm) => held(gm)!.path)).toEqual(paths);
  });

  it("is put out by one message with no TEKs, and new TEKs follow under the new KEK for all others", () => {
    const net = registered(8);
    const [gone] = net.members.splice(5, 1);
    net.members.push(gone!);
    const others = net.members.slice(0, 7);
    const before = { kek: kekOf(gone!), teks: spis(gone!) };
    net.wire.length = 0;
    evict(net, gone!);
    runUntil(net, 11 * SECOND + SECOND / 2);
    expect(net.wire.filter((wire) => wire.exchange === GSA_REKEY)).toHaveLength(2);
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
      const net = registered(4);
      const [gone] = net.members;
      evict(net, gone!, { bar });
      runUntil(net, 100 * SECOND);
      const refusals = named(gone!.events, "gm.registrationFailed").filter(({ data }) => data.notify === 46);
      expect(refusals.length > 0).toBe(bar);
      expect(kekOf(gone!) === group(net).branches[0]!.kek!.sa.spi).toBe(!bar);
      expect(group(net).members.size).toBe(bar ? 3 : 4);
    }
  });

  it("does not notice that others come and go, one after the other", () => {
    const net = registered(9);
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
    const net = registered(6);
    const [gone, one, two] = net.members;
    let copies = 0;
    net.lose = (wire, target) => {
      if (wire.exchange !== GSA_REKEY || wire.at > 12 * SECOND) return false;
      // The first message is lost for one member, the second for another.
      return target === one!.address ? copies++ === 0 : target === two!.address && wire.octets[23] === 0;
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

  it("that leaves by itself is locked out like one that is put out", () => {
    const net = registered(3);
    const [leaver, ...others] = net.members;
    const old = kekOf(leaver!);
    commandGm(net, leaver!, { name: "mapRemoved", group: "GROUP" });
    runUntil(net, 12 * SECOND);
    expect(ksEvents(net, "ks.left")).toHaveLength(1);
    expect(group(net).branches[0]!.kek!.sa.spi).not.toBe(old);
    for (const gm of others) expect(kekOf(gm)).toBe(group(net).branches[0]!.kek!.sa.spi);
  });

  it("leaves the key server with new keys and nobody to tell when it was the last one", () => {
    const net = registered(1);
    const old = kekOf(net.members[0]!);
    net.wire.length = 0;
    evict(net, net.members[0]!);
    expect(net.wire.filter((wire) => wire.exchange === GSA_REKEY)).toEqual([]);
    expect(group(net).branches[0]!.kek!.sa.spi).not.toBe(old);
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

  it("a unicast group tells the member in its IKE SA and gives the others KEK and TEKs in theirs", () => {
    const net = registered(3, { transport: { kind: "unicast" }, tuning: {} });
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
