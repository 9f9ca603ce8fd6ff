/** A member that asked for TEKs alone: it cannot read what travels under the KEK, and is sent nothing of it. */
import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../src/base/micros.ts";
import type { KsGroupConfig } from "../../src/ks/config.ts";
import { cisco, isRekey } from "./ciscoNetwork.ts";
import {
  commandKs,
  gike,
  gikev2,
  ksEvents,
  MULTICAST,
  type Network,
  named,
  REKEY_ADDRESS,
  runUntil,
  spis,
  startAll,
} from "./network.ts";

const CISCO = gikev2({ dialect: "yeung-07" });

/** The first member wants TEKs alone. */
function network(change: Partial<KsGroupConfig> = {}): Network {
  const group = { gikev2: gike({ dialect: "yeung-07" }), ...change };
  const net = cisco({
    members: 3,
    group,
    member: (index) => ({ protocol: CISCO, ...(index === 1 ? { want: "teks" as const } : {}) }),
  });
  startAll(net);
  runUntil(net, 5 * SECOND);
  return net;
}

const groupOf = (net: Network) => net.servers[0]!.state.groups.get("1111")!;
const rekey = (net: Network) => {
  commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
  runUntil(net, net.now + MINUTE);
};

describe("a member without the KEK", () => {
  it("is sent no rekeys and awaited by none, so that it is not ejected for its silence", () => {
    const net = network();
    for (let i = 0; i < 5; i++) rekey(net);
    const [first, ...others] = net.members;
    expect(net.wire.filter((wire) => isRekey(wire) && wire.to === first!.address)).toEqual([]);
    expect(ksEvents(net, "ks.rekeyStarted").map(({ data }) => data.members)).toEqual([2, 2, 2, 2, 2]);
    expect(ksEvents(net, "ks.rekeyDone")).toHaveLength(5);
    for (const name of ["ks.rekeyUnanswered", "ks.memberEjected", "ks.rekeyRetransmitted"]) {
      expect(ksEvents(net, name)).toEqual([]);
    }
    expect([...groupOf(net).members.keys()]).toHaveLength(3);
    for (const gm of others) expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(5);
  });

  it("asks again before its TEKs end, and always has one that the others have", () => {
    const net = network();
    const [first, second] = net.members;
    for (let at = 10 * MINUTE; at < 5 * HOUR; at += 10 * MINUTE) {
      runUntil(net, at);
      expect(spis(first!).some((spi) => spis(second!).includes(spi))).toBe(true);
      expect(first!.state.groups[0]!.held!.kek).toBeUndefined();
    }
    expect(named(first!.events, "gm.registered").length).toBeGreaterThan(3);
    expect(named(second!.events, "gm.registered")).toHaveLength(1);
    expect(ksEvents(net, "ks.memberEjected")).toEqual([]);
  });

  it("is told nothing when all members are put out, and does not hold that up", () => {
    const net = network();
    const before = net.wire.length;
    commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
    runUntil(net, net.now + 2 * MINUTE);
    const [first, ...others] = net.members;
    expect(net.wire.slice(before).filter((wire) => isRekey(wire) && wire.to === first!.address)).toEqual([]);
    for (const gm of others) expect(named(gm.events, "gm.deleteReceived")).toHaveLength(1);
    expect(groupOf(net).branches[0]!.round).toBeUndefined();
  });

  it.each([
    ["unicast", {}],
    ["multicast", { transport: MULTICAST }],
    ["multicast with a key tree", { transport: MULTICAST, tuning: { keyTree: "lkh" as const } }],
  ])("is put out by new TEKs alone, with rekeys by %s: no KEK has to be renewed for it", (_, change) => {
    const net = network(change);
    const [first, ...others] = net.members;
    const kek = groupOf(net).branches[0]!.kek!.sa.spi;
    commandKs(net, { name: "evictMember", group: "GROUP", member: first!.address, now: true, bar: true });
    runUntil(net, net.now + MINUTE);
    expect(groupOf(net).branches[0]!.kek!.sa.spi).toBe(kek);
    const fresh = groupOf(net).generations[0]!.teks.map(({ spi }) => spi);
    for (const gm of others) {
      expect(spis(gm)).toEqual(fresh);
      expect(named(gm.events, "gm.registered")).toHaveLength(1);
    }
    for (const spi of fresh) expect(spis(first!)).not.toContain(spi);
    expect([...groupOf(net).members.keys()]).not.toContain(`${first!.address}:848`);
  });

  it("hears multicast rekeys and cannot read them", () => {
    const net = network({ transport: MULTICAST });
    const [first] = net.members;
    rekey(net);
    expect(net.wire.some(({ to }) => to === REKEY_ADDRESS)).toBe(true);
    expect(named(first!.events, "gm.rekeyReceived")).toEqual([]);
    expect(spis(first!)).toHaveLength(1);
  });
});

it("a member that has asked for everything once is rekeyed, also after it has refreshed its TEKs alone", () => {
  const net = network({ tuning: { ejectAfter: { unit: "rekey", count: 10 } } });
  const [, second] = net.members;
  Object.assign(second!.state.groups[0]!.config, { want: "teks" });
  const { reregisterAt } = second!.state.groups[0]!;
  net.lose = (wire, target) => isRekey(wire) && target === second!.address;
  runUntil(net, reregisterAt! + 5 * SECOND);
  net.lose = () => false;
  expect(named(second!.events, "gm.registered").length).toBeGreaterThan(1);
  expect(second!.state.groups[0]!.held!.kek).toBeDefined();
  rekey(net);
  expect(named(second!.events, "gm.rekeyReceived").length).toBeGreaterThan(0);
});
