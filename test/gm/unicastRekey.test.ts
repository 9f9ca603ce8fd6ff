import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import { commandKs, createNetwork, ksEvents, named, runUntil, spis, startAll, type Wire } from "./network.ts";

const INBAND = 42;
const isRekey = (wire: Wire) => wire.exchange === INBAND && !wire.response;

describe("a unicast rekey", () => {
  it("starts 205 s before the TEK of 3600 s ends, and every member acknowledges", () => {
    const net = createNetwork({ members: 3 });
    startAll(net);
    runUntil(net, 3394 * SECOND);
    expect(net.wire.filter(isRekey)).toHaveLength(0);
    runUntil(net, 3396 * SECOND);
    expect(net.wire.filter(isRekey)).toHaveLength(3);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(3);
    expect(ksEvents(net, "ks.rekeyDone")[0]!.data).toMatchObject({ retransmits: 0, sequence: 1 });
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(2);
      expect(named(gm.events, "gm.rekeyReceived")[0]!.data).toMatchObject({ transport: "unicast", sequence: 1 });
    }
  });

  it("lets members send with the old TEK until it has 30 s left, and receive with it until it ends", () => {
    const net = createNetwork({ members: 2 });
    startAll(net);
    runUntil(net, 10 * SECOND);
    const [old] = spis(net.members[0]!);
    runUntil(net, 3568 * SECOND);
    for (const gm of net.members) expect(gm.sending.get(0)).toBe(old);
    runUntil(net, 3571 * SECOND);
    for (const gm of net.members) {
      expect(gm.sending.get(0)).not.toBe(old);
      expect(gm.sas.has(old!)).toBe(true);
    }
    runUntil(net, 3601 * SECOND);
    for (const gm of net.members) expect(gm.sas.has(old!)).toBe(false);
  });

  it("gives a member that registers in between both TEKs, and it sends with the old one", () => {
    const net = createNetwork({ members: 3 });
    const [, , late] = net.members;
    net.lose = (wire) => wire.from === late!.address && net.now < 3450 * SECOND;
    startAll(net);
    runUntil(net, 3395 * SECOND);
    const [old] = spis(net.members[0]!);
    runUntil(net, 3500 * SECOND);
    expect(late!.state.groups[0]!.phase.at).toBe("registered");
    expect(spis(late!)).toEqual(spis(net.members[0]!));
    expect(late!.sas.size).toBe(2);
    expect(late!.sending.get(0)).toBe(old);
    expect(net.members[0]!.sending.get(0)).toBe(old);
  });

  it("never lets a healthy member register again", () => {
    const net = createNetwork({ members: 4 });
    startAll(net);
    runUntil(net, 12 * 3600 * SECOND);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.registering")).toHaveLength(1);
      expect(named(gm.events, "gm.rekeyReceived").length).toBeGreaterThan(11);
      expect(gm.sending.size).toBe(1);
    }
  });

  it("renews the KEK with the TEK rekey that comes close before its own time", () => {
    const kek = { ...createNetwork({ members: 0 }).servers[0]!.state.config.groups[0]!.kek, lifetimeSeconds: 7200 };
    const net = createNetwork({ members: 1, group: { kek } });
    startAll(net);
    runUntil(net, 4 * 3600 * SECOND);
    const rekeys = ksEvents(net, "ks.rekeyStarted").map(({ data }) => [data.sequence, data.tek, data.kek]);
    expect(rekeys).toEqual([
      [1, true, false],
      [2, true, true],
      [1, true, false],
      [2, true, true],
    ]);
  });

  it("leaves in batches of 50 every 100 ms", () => {
    const net = createNetwork({ members: 120 });
    startAll(net);
    runUntil(net, 10 * SECOND);
    const start = net.now;
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, start + SECOND);
    const instants = net.wire.filter(isRekey).map(({ at }) => at - start);
    const sizes = [0, 100_000, 200_000].map((at) => instants.filter((instant) => instant === at).length);
    expect(sizes).toEqual([50, 50, 20]);
    expect(ksEvents(net, "ks.rekeyDone")).toHaveLength(1);
  });
});

describe("a member that misses copies of a rekey", () => {
  it("gets the next copy 10 s later and is counted once", () => {
    const net = createNetwork({ members: 2 });
    startAll(net);
    runUntil(net, 10 * SECOND);
    let lost = 0;
    net.lose = (wire, target) => isRekey(wire) && target === net.members[1]!.address && lost++ < 2;
    runUntil(net, 3500 * SECOND);
    expect(net.members[1]!.sas.size).toBe(2);
    expect(ksEvents(net, "ks.rekeyRetransmitted").map(({ data }) => data.copy)).toEqual([1, 2]);
    expect(ksEvents(net, "ks.rekeyDone")[0]!.data).toMatchObject({ durationMillis: 20020, retransmits: 2 });
    expect(ksEvents(net, "ks.memberEjected")).toHaveLength(0);
  });

  it("acknowledges again without installing twice when its acknowledgement got lost", () => {
    const net = createNetwork({ members: 1 });
    startAll(net);
    runUntil(net, 10 * SECOND);
    let lost = 0;
    net.lose = (wire) => wire.exchange === INBAND && wire.response && lost++ < 1;
    runUntil(net, 3500 * SECOND);
    const [gm] = net.members;
    expect(net.wire.filter((wire) => wire.exchange === INBAND && wire.response)).toHaveLength(2);
    expect(named(gm!.events, "gm.rekeyReceived")).toHaveLength(1);
    expect(gm!.orders.filter((order) => order.kind === "install")).toHaveLength(2);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(1);
  });

  it("is deleted after three silent transmissions, and comes back by its own timer", () => {
    const net = createNetwork({ members: 2 });
    startAll(net);
    runUntil(net, 10 * SECOND);
    const [, silent] = net.members;
    net.lose = (wire, target) => isRekey(wire) && target === silent!.address;
    runUntil(net, 3424 * SECOND);
    expect(ksEvents(net, "ks.memberEjected")).toHaveLength(0);
    runUntil(net, 3426 * SECOND);
    expect(ksEvents(net, "ks.memberEjected")[0]!.data).toMatchObject({ silent: 3, unit: "transmission" });
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(1);
    // The lead lies between 83 s and 155 s.
    runUntil(net, 3530 * SECOND);
    const [again] = named(silent!.events, "gm.reregister");
    expect(again!.at).toBeGreaterThanOrEqual((3600 - 155) * SECOND);
    expect(again!.at).toBeLessThan((3600 - 82) * SECOND);
    expect(spis(silent!)).toEqual(spis(net.members[0]!));
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(2);
  });

  it("is deleted after three silent rekeys where rekeys are counted", () => {
    const net = createNetwork({ members: 2, group: { tuning: { ejectAfter: { unit: "rekey", count: 3 } } } });
    startAll(net);
    runUntil(net, 10 * SECOND);
    const [, silent] = net.members;
    net.lose = (wire, target) => wire.exchange === INBAND && target === silent!.address;
    for (let rekey = 1; rekey <= 3; rekey++) {
      expect(ksEvents(net, "ks.memberEjected")).toHaveLength(0);
      commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
      runUntil(net, net.now + 31 * SECOND);
      expect(ksEvents(net, "ks.rekeyUnanswered")).toHaveLength(rekey);
    }
    expect(ksEvents(net, "ks.memberEjected")[0]!.data).toMatchObject({ silent: 3, unit: "rekey" });
  });
});
