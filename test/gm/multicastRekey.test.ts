import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import { NO_KEYS, NO_POLICY } from "../../src/gikev2/policy.ts";
import { rfc9838 } from "../../src/gikev2/rfc9838/rfc9838.ts";
import {
  commandKs,
  createNetwork,
  inject,
  KS_ADDRESS,
  ksEvents,
  MULTICAST,
  named,
  REKEY_ADDRESS,
  runUntil,
  spis,
  startAll,
} from "./network.ts";

const GSA_REKEY = 41;

function registered(members: number, change = {}) {
  const net = createNetwork({ members, group: { transport: MULTICAST, ...change } });
  startAll(net);
  runUntil(net, 10 * SECOND);
  return net;
}

describe("a multicast rekey", () => {
  it("is one message to the group's address and two identical copies ten seconds apart", () => {
    const net = registered(3);
    runUntil(net, 3500 * SECOND);
    const sent = net.wire.filter((wire) => wire.exchange === GSA_REKEY);
    expect(sent.map(({ to }) => to)).toEqual([REKEY_ADDRESS, REKEY_ADDRESS, REKEY_ADDRESS]);
    expect(sent[1]!.octets).toEqual(sent[0]!.octets);
    expect(sent[2]!.at - sent[0]!.at).toBe(20 * SECOND);
    // 5 % of 3600 s are left: copies count for unicast groups only.
    expect(ksEvents(net, "ks.rekeyStarted")[0]!.at).toBeGreaterThanOrEqual(3420 * SECOND);
    expect(ksEvents(net, "ks.rekeyStarted")[0]!.at).toBeLessThan(3421 * SECOND);
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(2);
      expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(1);
      expect(gm.state.groups[0]!.counters.duplicates).toBe(2);
    }
  });

  it("reaches only members that have joined the address, and the key server closes their IKE SAs", () => {
    const net = registered(2);
    for (const gm of net.members) expect([...gm.joined]).toEqual([REKEY_ADDRESS]);
    runUntil(net, 100 * SECOND);
    for (const gm of net.members) {
      expect(gm.state.groups[0]!.held!.sa).toBeUndefined();
      expect(gm.state.groups[0]!.phase.at).toBe("registered");
    }
    expect(net.servers[0]!.state.endpoint!.sas.size).toBe(0);
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(2);
  });

  it("brings a new KEK under the old one, and later rekeys are numbered from 0 again", () => {
    const kek = { ...registered(0).servers[0]!.state.config.groups[0]!.kek, lifetimeSeconds: 7200 };
    const net = registered(2, { kek });
    runUntil(net, 4 * 3600 * SECOND);
    const numbers = ksEvents(net, "ks.rekeyStarted").map(({ data }) => data.kek);
    expect(numbers).toEqual([false, true, false, true]);
    const ids = net.wire.filter((wire) => wire.exchange === GSA_REKEY).map(({ octets }) => octets[23]);
    expect(ids).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(4);
      expect(named(gm.events, "gm.reregister")).toHaveLength(0);
    }
  });

  it("is taken from any copy; a member that misses all copies registers again before its TEK ends", () => {
    const net = registered(3);
    const [, lucky, unlucky] = net.members;
    let copies = 0;
    net.lose = (wire, target) => {
      if (wire.exchange !== GSA_REKEY) return false;
      if (target === lucky!.address) return copies++ < 2;
      return target === unlucky!.address;
    };
    runUntil(net, 3450 * SECOND);
    expect(lucky!.sas.size).toBe(2);
    runUntil(net, 3600 * SECOND);
    expect(named(lucky!.events, "gm.reregister")).toHaveLength(0);
    expect(named(unlucky!.events, "gm.reregister")).toHaveLength(1);
    expect(unlucky!.sas.size).toBeGreaterThan(0);
    runUntil(net, 3700 * SECOND);
    expect(spis(unlucky!)).toEqual(spis(net.members[0]!));
  });

  it("is dropped and counted when altered, replayed or under an unknown SPI, and nothing else changes", () => {
    const net = registered(1);
    const [gm] = net.members;
    net.lose = (wire) => wire.exchange === GSA_REKEY;
    runUntil(net, 3422 * SECOND);
    const { octets } = net.wire.find((wire) => wire.exchange === GSA_REKEY)!;
    const before = structuredClone(gm!.state.groups[0]!.held);
    const from = { local: { address: REKEY_ADDRESS, port: 848 }, remote: { address: KS_ADDRESS, port: 848 } };
    for (let at = 0; at < octets.length; at += 3) {
      const altered = octets.slice();
      altered[at]! ^= 0x10;
      inject(net, gm!, { ...from, octets: altered });
      inject(net, gm!, { ...from, octets: octets.subarray(0, at) });
    }
    expect(gm!.state.groups[0]!.held).toEqual(before);
    expect(gm!.state.groups[0]!.counters.rejected).toBeGreaterThan(50);
    expect(gm!.state.unknownRekeys).toBeGreaterThan(3);
    inject(net, gm!, { ...from, octets });
    expect(gm!.sas.size).toBe(2);
    inject(net, gm!, { ...from, octets });
    expect(gm!.state.groups[0]!.counters.duplicates).toBe(1);
    expect(gm!.sas.size).toBe(2);
  });

  it("that another member forges with the group's keys is not accepted: it cannot sign", () => {
    const net = registered(2);
    const [victim] = net.members;
    const kek = victim!.state.groups[0]!.held!.kek!;
    const { rfc9838, update } = forgery();
    const sa = { ...kek.sa, authentication: { kind: "implicit" } as const };
    const sealing = { messageId: 0, nextIv: () => new Uint8Array(8) };
    const [octets] = rfc9838.sealRekey(victim!.tools.crypto, sa, undefined, update, sealing);
    const from = { local: { address: REKEY_ADDRESS, port: 848 }, remote: { address: KS_ADDRESS, port: 848 } };
    inject(net, victim!, { ...from, octets: octets! });
    expect(named(victim!.events, "gm.rekeyRejected")[0]!.data).toMatchObject({ reason: "authentication" });
    expect(victim!.sas.size).toBe(1);
  });

  it("is accepted without a signature where the group is configured so", () => {
    const { signer: _, ...kek } = registered(0).servers[0]!.state.config.groups[0]!.kek;
    const net = registered(2, { kek });
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + SECOND);
    for (const gm of net.members) expect(gm.sas.size).toBe(2);
  });
});

function forgery() {
  return { rfc9838, update: { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "allDataSas" as const }] } };
}
