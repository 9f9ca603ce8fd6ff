/** Key server and members in the Cisco dialect of G-IKEv2, on the network of the other tests. */
import { describe, expect, it } from "vitest";
import { keyRing } from "../../sim/capture/keyRing.ts";
import { HOUR, SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import type { Yeung07Switches } from "../../src/gikev2/yeung07/switches.ts";
import type { Field } from "../../src/wire/field.ts";
import { dissectIke, encodeMessage } from "../../src/wire/ikeMessage.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import {
  CBC,
  commandGm,
  commandKs,
  createNetwork,
  GCM,
  gmGroup,
  ICMP,
  inject,
  ksEvents,
  ksGroup,
  MULTICAST,
  type Network,
  type NetworkOptions,
  named,
  runUntil,
  SSH,
  selector,
  spis,
  startAll,
  type Wire,
} from "./network.ts";

const TCP = selector({ protocol: 6 });
const REKEY = 41;
const isRekey = (wire: Wire) => wire.exchange === REKEY && !wire.response;
const isAck = (wire: Wire) => wire.exchange === REKEY && wire.response;

function cisco(options: NetworkOptions, switches: Partial<Yeung07Switches> = {}): Network {
  const choice = { dialect: "yeung-07", switches } as const;
  return createNetwork({
    ...options,
    group: { ...choice, ...options.group },
    member: (index) => ({ ...choice, ...options.member?.(index) }),
  });
}

function started(options: NetworkOptions, switches: Partial<Yeung07Switches> = {}): Network {
  const net = cisco(options, switches);
  startAll(net);
  runUntil(net, net.now + 5 * SECOND);
  return net;
}

function dataSas(entries: ReturnType<typeof ksGroup>["dataSas"][number]["entries"], suite = CBC) {
  return [{ number: 1, lifetimeSeconds: 3600, suite, sequenceNumbers: 2, entries }];
}

function labels(field: Field): readonly string[] {
  return [field.label, ...field.children.flatMap(labels)];
}

function opened(net: Network, wire: Wire): readonly string[] {
  return labels(dissectIke(wire.octets, RFC9838, keyRing(native, net.keys).openIke));
}

describe("a registration in the Cisco dialect", () => {
  it("takes two exchanges and no key wrap algorithm, and hands out policy and keys", () => {
    const net = started({ members: 2 });
    expect(net.wire.map(({ exchange }) => exchange)).toEqual([34, 34, 34, 34, 39, 39, 39, 39].sort());
    for (const sa of net.servers[0]!.state.endpoint.sas.values()) expect(sa.keys!.suite.kwa).toBe(0);
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(1);
      expect(gm.rules.slice(2)).toEqual([
        { action: "bypass", selector: SSH, family: -1 },
        { action: "protect", selector: ICMP, family: 0 },
      ]);
    }
    const answer = net.wire.filter(({ exchange, response }) => exchange === 39 && response)[0]!;
    expect(opened(net, answer)).toEqual(expect.arrayContaining(["KEK_MESSAGE_ID", "LIFE_DURATION", "KEK_AUTH_KEY"]));
    expect(net.keys.filter((key) => key.kind === "ike").every(({ dialect }) => dialect === "yeung-07")).toBe(true);
  });

  it("is refused with a notify alone: both sides have no IKE SA afterwards", () => {
    const net = started({ members: 1, member: () => ({ id: { kind: "number", number: 4711 } }) });
    const [gm] = net.members;
    expect(ksEvents(net, "ks.refused")[0]!.data).toMatchObject({ notify: 45, reason: "unknownGroup" });
    expect(named(gm!.events, "gm.registrationFailed")[0]!.data).toMatchObject({ notify: 45 });
    expect([...gm!.state.endpoint.sas.values()].filter(({ phase }) => phase.at === "established")).toEqual([]);
    const { sas } = net.servers[0]!.state.endpoint;
    expect([...sas.values()].filter(({ phase }) => phase.at === "established")).toEqual([]);
    const answer = net.wire.filter(({ exchange, response }) => exchange === 39 && response)[0]!;
    expect(opened(net, answer)).not.toContain("AUTH payload");
  });

  it("is refused within an SA that stands where the switch says so", () => {
    const options: NetworkOptions = { members: 1, member: () => ({ id: { kind: "number", number: 4711 } }) };
    const net = started(options, { refusalEndsSa: false });
    expect(named(net.members[0]!.events, "gm.registrationFailed")[0]!.data).toMatchObject({ reason: "refused" });
    const { sas } = net.servers[0]!.state.endpoint;
    expect([...sas.values()].filter(({ phase }) => phase.at === "established")).toHaveLength(1);
  });

  it("leaves the IKE SA standing after a multicast registration", () => {
    const net = started({ members: 1, group: { transport: MULTICAST } });
    runUntil(net, HOUR / 2);
    expect(net.wire.filter(({ exchange }) => exchange === 37)).toEqual([]);
    expect(net.members[0]!.state.groups[0]!.held!.sa).toBeDefined();
  });

  it("is given up by a member that cannot use the policy, which tells the key server", () => {
    const capabilities = { kek: [{ ...GCM, kwa: 3 }], data: [GCM], signatures: [] };
    const net = started({ members: 1, member: () => ({ capabilities }) });
    expect(named(net.members[0]!.events, "gm.registrationFailed")[0]!.data).toMatchObject({
      reason: "policy",
      notify: 14,
    });
    expect(ksEvents(net, "ks.left")[0]!.data).toMatchObject({ notify: 14 });
    expect(net.servers[0]!.state.groups.get("1111")!.members.size).toBe(0);
  });
});

describe("further groups over one IKE SA (GSA_CLIENT_SERVER)", () => {
  const other = { name: "OTHER", id: { kind: "number", number: 2222 } } as const;

  function twoGroups(want?: "kek" | "teks", switches: Partial<Yeung07Switches> = {}): Network {
    const choice = { dialect: "yeung-07", switches } as const;
    const net = cisco(
      {
        members: 1,
        ksConfig: (config) => ({
          ...config,
          groups: [
            ...config.groups,
            ksGroup({ ...choice, ...other, dataSas: dataSas([{ action: "permit", selector: TCP }]) }),
          ],
        }),
        gmConfig: (index, config) => ({
          ...config,
          groups: [...config.groups, gmGroup(index, { ...choice, ...other, ...(want === undefined ? {} : { want }) })],
        }),
      },
      switches,
    );
    startAll(net);
    runUntil(net, net.now + SECOND);
    commandGm(net, net.members[0]!, { name: "mapApplied", group: "OTHER" });
    runUntil(net, net.now + SECOND);
    return net;
  }

  it("register with exchange 40 and hold both groups' keys", () => {
    const net = twoGroups();
    expect(net.wire.filter(({ exchange }) => exchange === 34)).toHaveLength(2);
    expect(net.wire.filter(({ exchange }) => exchange === 40)).toHaveLength(2);
    const [, second] = net.members[0]!.state.groups;
    expect(second!.held).toMatchObject({ teks: [{ family: 0 }], kek: { nextMessageId: 1 } });
  });

  it("get the KEK alone where they ask for it, and TEKs with the next rekey", () => {
    const net = twoGroups("kek");
    const [, second] = net.members[0]!.state.groups;
    expect(second!.held!.kek).toBeDefined();
    expect(second!.held!.teks).toEqual([]);
    commandKs(net, { name: "rekey", group: "OTHER", replaceNow: false });
    runUntil(net, net.now + SECOND);
    expect(second!.held!.teks).toHaveLength(1);
  });

  it("get the TEKs alone where they ask for them, and everything where asking is switched off", () => {
    const [, second] = twoGroups("teks").members[0]!.state.groups;
    expect(second!.held).toMatchObject({ kek: undefined, teks: [{ family: 0 }] });
    const [, whole] = twoGroups("teks", { partialRequest: "never" }).members[0]!.state.groups;
    expect(whole!.held!.teks).toHaveLength(1);
  });
});

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
    expect(net.servers[0]!.state.groups.get("1111")!.pushes.size).toBe(0);
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
      expect(held!.kek!.sa.spi).toBe(net.servers[0]!.state.groups.get("1111")!.kek!.sa.spi);
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
    const { endpoint } = net.members[0]!.state;
    endpoint.sas.clear();
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
    expect(net.servers[0]!.state.groups.get("1111")!.pushes.size).toBe(2);
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
    expect(net.servers[0]!.state.groups.get("1111")!.pushes.size).toBe(0);
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

describe("data SAs of a list in the Cisco dialect", () => {
  const entries = [
    { action: "permit", selector: ICMP },
    { action: "deny", selector: SSH },
    { action: "permit", selector: TCP },
  ] as const;
  const rulesOf = (net: Network) => net.members[0]!.rules.slice(2).map(({ action, family }) => [action, family]);

  it("are one, for all its permit entries, through rekeys and registrations", () => {
    const net = started({ members: 2, group: { dataSas: dataSas(entries) } });
    expect(rulesOf(net)).toEqual([
      ["protect", 0],
      ["bypass", -1],
      ["protect", 0],
    ]);
    expect(net.members[0]!.sas.size).toBe(1);
    runUntil(net, 4000 * SECOND);
    commandGm(net, net.members[1]!, { name: "clear", group: "GROUP" });
    runUntil(net, 4001 * SECOND);
    expect(rulesOf(net)).toHaveLength(3);
    expect([...net.members[0]!.sending.keys()]).toEqual([0]);
    expect(spis(net.members[1]!)).toEqual(spis(net.members[0]!));
  });

  it("are one for each entry in Suite B, or where the switch says so", () => {
    const suiteB = started({ members: 1, group: { dataSas: dataSas(entries, GCM) } });
    expect(suiteB.members[0]!.sas.size).toBe(2);
    const separate = started({ members: 1, group: { dataSas: dataSas(entries) } }, { permitEntries: "separate" });
    expect(separate.members[0]!.sas.size).toBe(2);
    expect(rulesOf(separate)).toEqual([
      ["protect", 0],
      ["bypass", -1],
      ["protect", 1],
    ]);
  });

  it("leave the deny entries to the members where the switch says so", () => {
    const net = started({ members: 1, group: { dataSas: dataSas(entries) } }, { denyEntries: "none" });
    expect(rulesOf(net)).toEqual([
      ["protect", 0],
      ["protect", 0],
    ]);
  });
});

describe("Sender-IDs in the Cisco dialect", () => {
  const group = { dataSas: dataSas([{ action: "permit", selector: ICMP }], GCM) };
  const idsOf = (net: Network) => net.members.map(({ sas }) => [...sas.values()][0]?.senderId);

  it("are asked for and differ from member to member", () => {
    const net = started({ members: 3, group, member: () => ({ senderIds: 2 }) });
    expect(idsOf(net)).toEqual([0, 2, 4].map((value) => ({ value, bits: 24 })));
  });

  it("are given to a member that is silent, which a receiver has no use for", () => {
    const net = started({ members: 1, group, member: () => ({ senderIds: undefined }) });
    expect(net.members[0]!.state.groups[0]!.held!.senderIds).toEqual([0]);
    expect(net.members[0]!.sending.size).toBe(0);
  });

  it("run out: all members are put out, and the count begins again under new keys", () => {
    const net = started({ members: 3, group: { ...group, senderIds: { first: 0, count: 3 }, senderIdBits: 8 } });
    commandGm(net, net.members[0]!, { name: "clear", group: "GROUP" });
    runUntil(net, net.now + 20 * SECOND);
    expect(ksEvents(net, "ks.reinitialised")).toHaveLength(1);
    expect(
      idsOf(net)
        .map((id) => id!.value)
        .sort(),
    ).toEqual([0, 1, 2]);
  });
});

describe("a key server of both dialects", () => {
  it("serves a group of each over one endpoint", () => {
    const other = { name: "OTHER", id: { kind: "number", number: 2222 } } as const;
    const net = createNetwork({
      members: 2,
      ksConfig: (config) => ({ ...config, groups: [...config.groups, ksGroup({ ...other, dialect: "yeung-07" })] }),
      gmConfig: (index, config) =>
        index === 1 ? config : { ...config, groups: [gmGroup(index, { id: other.id, dialect: "yeung-07" })] },
    });
    startAll(net);
    runUntil(net, SECOND);
    const suites = [...net.servers[0]!.state.endpoint.sas.values()].map(({ keys }) => keys!.suite.kwa);
    expect(suites).toEqual([3, 0]);
    runUntil(net, 3500 * SECOND);
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(2);
      expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(1);
    }
  });
});
