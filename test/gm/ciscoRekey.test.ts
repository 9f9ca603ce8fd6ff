import { describe, expect, it } from "vitest";
import { HOUR, SECOND } from "../../src/base/micros.ts";
import { encodeMessage } from "../../src/wire/ikeMessage.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import { cisco, isAck, isRekey, opened, started } from "./ciscoNetwork.ts";
import {
  commandGm,
  commandKs,
  inject,
  ksEvents,
  MULTICAST,
  type NetworkOptions,
  named,
  runUntil,
  spis,
  type Wire,
} from "./network.ts";

describe("a unicast rekey in the Cisco dialect", () => {
  it("is a message under the KEK to each member, numbered from 1, and each acknowledges", () => {
    const net = started({ members: 3 });
    runUntil(net, 3394 * SECOND);
    expect(net.wire.filter(isRekey)).toHaveLength(0);
    runUntil(net, 3396 * SECOND);
    const rekeys = net.wire.filter(isRekey);
    expect(rekeys.map(({ to }) => to)).toEqual(net.members.map(({ address }) => address));
    expect(new Set(rekeys.map(({ octets }) => octets.join())).size).toBe(1);
    expect([...rekeys[0]!.octets.subarray(20, 24)]).toEqual([0, 0, 0, 1]);
    expect(net.wire.filter(isAck)).toHaveLength(3);
    expect(ksEvents(net, "ks.rekeyAcked").map(({ data }) => data.sequence)).toEqual([1, 1, 1]);
    expect(ksEvents(net, "ks.rekeyDone")[0]!.data).toMatchObject({ retransmits: 0, sequence: 1 });
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(2);
      expect(named(gm.events, "gm.rekeyReceived")[0]!.data).toMatchObject({ transport: "unicast", sequence: 1 });
      expect(gm.state.groups[0]!.counters).toMatchObject({ rekeysUnicast: 1, acksSent: 1, rekeysMulticast: 0 });
    }
    expect(net.servers[0]!.state.groups.get("1111")!.branches[0]!.pushes.size).toBe(0);
    expect(opened(net, rekeys[0]!)).toEqual(
      expect.arrayContaining(["LIFE_DURATION", "TEK_ALGORITHM_KEY", "AUTH payload"]),
    );
  });

  it("brings a new KEK under the old one, and the numbers begin at 1 again", () => {
    const net = started({ members: 2 });
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + SECOND);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: true });
    runUntil(net, net.now + SECOND);
    const numbers = net.wire.filter(isRekey).map(({ octets }) => octets[23]);
    expect(numbers).toEqual([1, 1, 1, 1]);
    for (const gm of net.members) {
      const { held } = gm.state.groups[0]!;
      expect(held!.kek!.sa.spi).toBe(net.servers[0]!.state.groups.get("1111")!.branches[0]!.kek!.sa.spi);
      expect(held).toMatchObject({ sequence: 0, kek: { nextMessageId: 1 } });
      expect(gm.sas.size).toBe(1);
      expect(named(gm.events, "gm.rekeyRejected")).toEqual([]);
    }
  });

  it("never lets a healthy member register again", () => {
    const net = started({ members: 3 });
    runUntil(net, 12 * HOUR);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.registering")).toHaveLength(1);
      expect(named(gm.events, "gm.rekeyReceived").length).toBeGreaterThan(11);
    }
  });

  it("is repeated to those alone that have not acknowledged", () => {
    const net = started({ members: 2 });
    let lost = 0;
    net.lose = (wire, target) => isRekey(wire) && target === net.members[1]!.address && lost++ < 2;
    runUntil(net, 3500 * SECOND);
    expect(net.wire.filter((wire) => isRekey(wire) && wire.to === net.members[0]!.address)).toHaveLength(1);
    expect(net.wire.filter((wire) => isRekey(wire) && wire.to === net.members[1]!.address)).toHaveLength(3);
    expect(ksEvents(net, "ks.rekeyRetransmitted").map(({ data }) => data.copy)).toEqual([1, 2]);
    expect(ksEvents(net, "ks.rekeyDone")[0]!.data).toMatchObject({ durationMillis: 20020, retransmits: 2 });
    expect(ksEvents(net, "ks.memberEjected")).toHaveLength(0);
  });

  it("whose acknowledgement got lost is acknowledged again and installed once", () => {
    const net = started({ members: 1 });
    let lost = 0;
    net.lose = (wire) => isAck(wire) && lost++ < 1;
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + 30 * SECOND);
    const [gm] = net.members;
    const acks = net.wire.filter(isAck);
    expect(acks).toHaveLength(2);
    expect(acks[1]!.octets).toEqual(acks[0]!.octets);
    expect(named(gm!.events, "gm.rekeyReceived")).toHaveLength(1);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(1);
  });

  it("that stays unanswered three times costs the member its place, and it comes back by its own timer", () => {
    const net = started({ members: 2 });
    const [, silent] = net.members;
    net.lose = (wire, target) => isRekey(wire) && target === silent!.address;
    runUntil(net, 3424 * SECOND);
    expect(ksEvents(net, "ks.memberEjected")).toHaveLength(0);
    runUntil(net, 3426 * SECOND);
    expect(ksEvents(net, "ks.memberEjected")[0]!.data).toMatchObject({ silent: 3, unit: "transmission" });
    runUntil(net, 3530 * SECOND);
    expect(spis(silent!)).toEqual(spis(net.members[0]!));
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(2);
  });

  it("is counted by rekeys where the tuning says so", () => {
    const net = started({ members: 1, group: { tuning: { ejectAfter: { unit: "rekey", count: 2 } } } });
    net.lose = (wire) => isRekey(wire);
    for (let rekey = 1; rekey <= 2; rekey++) {
      expect(ksEvents(net, "ks.memberEjected")).toHaveLength(0);
      commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
      runUntil(net, net.now + 31 * SECOND);
      expect(ksEvents(net, "ks.rekeyUnanswered")).toHaveLength(rekey);
    }
    expect(ksEvents(net, "ks.memberEjected")[0]!.data).toMatchObject({ silent: 2, unit: "rekey" });
  });

  it("reaches a member whose IKE SA is gone", () => {
    const net = started({ members: 1 });
    net.members[0]!.state.endpoint!.sas.clear();
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + SECOND);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(1);
  });

  it("is not acknowledged where that is switched off, and silent members are ejected", () => {
    const net = started({ members: 1 }, { unicastAck: "none" });
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + SECOND);
    expect(net.members[0]!.sas.size).toBe(2);
    runUntil(net, net.now + 31 * SECOND);
    expect(net.wire.filter(isAck)).toEqual([]);
    expect(ksEvents(net, "ks.memberEjected")).toHaveLength(1);
  });

  it("leaves in batches", () => {
    const net = started({ members: 60 });
    const start = net.now;
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, start + SECOND);
    const instants = net.wire.filter(isRekey).map(({ at }) => at - start);
    expect([0, 100_000].map((at) => instants.filter((instant) => instant === at).length)).toEqual([50, 10]);
    expect(ksEvents(net, "ks.rekeyDone")).toHaveLength(1);
  });
});

describe("an acknowledgement in the Cisco dialect", () => {
  function acknowledged() {
    const net = started({ members: 2 });
    const asked: Wire[] = [];
    net.lose = (wire) => {
      if (isAck(wire)) asked.push(wire);
      return isAck(wire);
    };
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + SECOND);
    const [server] = net.servers;
    const deliver = (from: string, octets: Uint8Array) =>
      inject(net, server!, {
        local: { address: server!.address, port: 848 },
        remote: { address: from, port: 848 },
        octets,
      });
    return { net, deliver, octets: asked[0]!.octets };
  }

  it("counts for the member that it comes from, once", () => {
    const { net, deliver, octets } = acknowledged();
    const [first, second] = net.members;
    deliver(second!.address, octets);
    expect(ksEvents(net, "ks.rekeyAcked").map(({ data }) => data.member)).toEqual([`${second!.address}:848`]);
    deliver(second!.address, octets);
    deliver(first!.address, octets);
    expect(ksEvents(net, "ks.rekeyAcked")).toHaveLength(2);
  });

  it("changes nothing when it is altered, or comes from nobody", () => {
    const { net, deliver, octets } = acknowledged();
    const bent = octets.slice();
    bent[bent.length - 1]! ^= 1;
    deliver(net.members[0]!.address, bent);
    deliver("203.0.113.9", octets);
    const header = {
      spiInitiator: "00".repeat(8),
      spiResponder: "00".repeat(8),
      exchange: 41,
      flags: 0x20,
      messageId: 1,
    };
    deliver(net.members[0]!.address, encodeMessage(header, [], RFC9838));
    expect(ksEvents(net, "ks.rekeyAcked")).toEqual([]);
    expect(net.servers[0]!.state.groups.get("1111")!.branches[0]!.pushes.size).toBe(2);
  });

  it("to a rekey that is over is reported", () => {
    const net = started({ members: 1 });
    runUntil(net, 3400 * SECOND);
    const [ack] = net.wire.filter(isAck);
    const [server] = net.servers;
    const from = { address: net.members[0]!.address, port: 848 };
    inject(net, server!, { local: { address: server!.address, port: 848 }, remote: from, octets: ack!.octets });
    expect(ksEvents(net, "ks.unsolicitedAck")).toHaveLength(1);
  });
});

describe("a multicast rekey in the Cisco dialect", () => {
  it("is one signed message with blind copies and no acknowledgement", () => {
    const net = started({ members: 3, group: { transport: MULTICAST } });
    runUntil(net, 3600 * SECOND);
    expect(net.wire.filter(isRekey)).toHaveLength(3);
    expect(net.wire.filter(isAck)).toEqual([]);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.rekeyReceived")[0]!.data).toMatchObject({ transport: "multicast", sequence: 1 });
      expect(gm.state.groups[0]!.counters.duplicates).toBe(2);
    }
  });

  it("tells a newcomer where the numbers stand, by attribute or by a payload of its own", () => {
    for (const seqPayload of ["kekMessageId", "payload"] as const) {
      const options: NetworkOptions = { members: 2, group: { transport: MULTICAST } };
      const net = cisco(options, { seqPayload });
      commandGm(net, net.members[0]!, { name: "mapApplied", group: "GROUP" });
      runUntil(net, 3450 * SECOND);
      commandGm(net, net.members[1]!, { name: "mapApplied", group: "GROUP" });
      runUntil(net, 3451 * SECOND);
      const { held } = net.members[1]!.state.groups[0]!;
      expect(held).toMatchObject({ sequence: 1, kek: { nextMessageId: 2 } });
      runUntil(net, 3 * HOUR);
      expect(named(net.members[1]!.events, "gm.rekeyReceived").length).toBeGreaterThan(1);
      expect(named(net.members[1]!.events, "gm.rekeyRejected")).toEqual([]);
    }
  });

  it("with an old number is passed over", () => {
    const net = started({ members: 1, group: { transport: MULTICAST } });
    runUntil(net, 3600 * SECOND);
    const [gm] = net.members;
    const before = structuredClone(gm!.state.groups[0]!.held);
    const [first] = net.wire.filter(isRekey);
    inject(net, gm!, {
      local: { address: "239.192.1.1", port: 848 },
      remote: { address: "192.168.1.254", port: 848 },
      octets: first!.octets,
    });
    expect(gm!.state.groups[0]!.held).toEqual(before);
    expect(gm!.state.groups[0]!.counters.duplicates).toBe(3);
  });
});

describe.each(["unicast", "multicast"] as const)("an operator of a %s group in the Cisco dialect", (kind) => {
  const transport = kind === "unicast" ? ({ kind } as const) : MULTICAST;

  it("renews all keys by hand: the old TEKs live on for the delay that stands beside the new ones", () => {
    const net = started({ members: 2, group: { transport } });
    const [old] = spis(net.members[0]!);
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + 100 * SECOND);
    for (const gm of net.members) expect(gm.sas.size).toBe(2);
    runUntil(net, net.now + 90 * SECOND);
    for (const gm of net.members) expect(gm.sas.has(old!)).toBe(false);
  });

  it("clears all members: they come back with new keys", () => {
    const net = started({ members: 3, group: { transport } });
    const [old] = spis(net.members[0]!);
    commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
    runUntil(net, net.now + SECOND / 2);
    for (const gm of net.members) expect(gm.sas.size).toBe(0);
    runUntil(net, net.now + 30 * SECOND);
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(3);
    for (const gm of net.members) {
      expect(spis(gm)).toEqual(spis(net.members[0]!));
      expect(gm.sas.has(old!)).toBe(false);
    }
    expect(net.servers[0]!.state.groups.get("1111")!.branches[0]!.pushes.size).toBe(0);
  });

  it("puts one member out for good: nothing that it can open brings keys, and the others come back", () => {
    const net = started({ members: 3, group: { transport } });
    const [evicted, ...others] = net.members;
    const command = { name: "evictMember", group: "GROUP", member: evicted!.address, now: true, bar: true } as const;
    commandKs(net, command);
    runUntil(net, net.now + 30 * SECOND);
    expect(evicted!.sas.size).toBe(0);
    for (const gm of others) expect(spis(gm)).toEqual(spis(others[0]!));
    expect(others[0]!.sas.size).toBe(1);
  });
});
