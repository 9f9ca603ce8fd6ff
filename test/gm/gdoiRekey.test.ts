import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { deleteOfDeletion } from "../../src/gdoi/deletion.ts";
import { sealPayloads } from "../../src/gdoi/push.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import type { IsakmpPayload } from "../../src/wire/isakmpPayloads.ts";
import { SIGNER } from "../gdoi/group.ts";
import { GDOI_SERVICE, isakmp, isPush, PUSH, PUSH_ACK, registered } from "./gdoiNetwork.ts";
import {
  commandKs,
  createNetwork,
  gmAddress,
  inject,
  ksGroup,
  type Member,
  MULTICAST,
  type Network,
  named,
  REKEY_ADDRESS,
  runUntil,
  spis,
  startAll,
} from "./network.ts";

const REKEY = { name: "rekey", group: "GROUP", replaceNow: false } as const;
const interoperable = { switches: { acknowledgement: "interoperable" } } as const;

function rekeyed(net: Network): void {
  commandKs(net, REKEY);
  runUntil(net, net.now + 2 * SECOND);
}

const received = ({ events }: Member) => named(events, "gm.rekeyReceived").map(({ data }) => data);
const stateOf = ({ state }: Member) => structuredClone({ ...state.groups[0]!.held!, answered: undefined });

describe("unicast rekeys by GROUPKEY-PUSH", () => {
  it("bring the next TEK to each member, which acknowledges as RFC 8263 says", () => {
    const net = registered({ members: 3 }, interoperable);
    const before = spis(net.members[0]!);
    rekeyed(net);
    for (const gm of net.members) {
      expect(received(gm)).toMatchObject([{ sequence: 1, transport: "unicast", teks: 1 }]);
      expect(spis(gm)).toEqual(expect.arrayContaining([...before]));
      expect(spis(gm)).toHaveLength(2);
      expect(gm.state.groups[0]!.counters).toMatchObject({ rekeysUnicast: 1, acksSent: 1 });
    }
    expect(new Set(net.members.map((gm) => spis(gm).join())).size).toBe(1);
    expect(net.wire.filter(isPush)).toHaveLength(3);
    expect(net.wire.filter(({ exchange }) => exchange === PUSH_ACK)).toHaveLength(3);
    runUntil(net, net.now + MINUTE);
    expect(net.wire.filter(isPush)).toHaveLength(3);
  });

  it("are acknowledged in Cisco's way where the key server asks for that", () => {
    const net = registered({ members: 1 }, { switches: { acknowledgement: "cisco" } });
    rekeyed(net);
    runUntil(net, net.now + MINUTE);
    expect(net.wire.filter(isPush)).toHaveLength(1);
    expect(net.wire.filter(({ exchange }) => exchange === 240)).toHaveLength(1);
  });

  it("come again where one got lost, and a lost acknowledgement is repeated for the copy", () => {
    const net = registered({ members: 2 }, interoperable);
    const [first, second] = net.members;
    let rekeys = 0;
    let acks = 0;
    net.lose = (wire, target) =>
      (isPush(wire) && target === first!.address && rekeys++ === 0) ||
      (wire.exchange === PUSH_ACK && wire.from === second!.address && acks++ === 0);
    rekeyed(net);
    runUntil(net, net.now + MINUTE);
    for (const gm of net.members) expect(spis(gm)).toHaveLength(2);
    expect(received(second!)).toHaveLength(1);
    expect(second!.state.groups[0]!.counters).toMatchObject({ duplicates: 1, acksSent: 2 });
    expect(net.wire.filter(isPush)).toHaveLength(4);
  });

  it("roll the KEK under the old one, and count its messages anew", () => {
    const net = registered({ members: 2, group: { kek: { ...ksGroup().kek, lifetimeSeconds: 2 * 3600 } } });
    const [gm] = net.members;
    const old = gm!.state.groups[0]!.held!.kek!.sa.spi;
    runUntil(net, 4 * HOUR);
    const renewed = received(gm!).filter((data) => data.kek === true);
    expect(renewed.length).toBeGreaterThanOrEqual(1);
    expect(gm!.state.groups[0]!.held!.kek!.sa.spi).not.toBe(old);
    expect(received(gm!).map(({ sequence }) => sequence)).toContain(1);
    expect(named(gm!.events, "gm.registering")).toHaveLength(1);
    const exported = net.keys.filter((entry) => entry.kind === "gdoi").map(({ spi }) => spi);
    expect(exported).toContain(gm!.state.groups[0]!.held!.kek!.sa.spi);
    for (const member of net.members) expect(spis(member)).toEqual(spis(gm!));
  });

  it("go on for half a day without another registration", () => {
    const net = registered({ members: 2 });
    runUntil(net, 12 * HOUR);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.registering")).toHaveLength(1);
      expect(received(gm).length).toBeGreaterThanOrEqual(11);
    }
  });
});

describe("multicast rekeys by GROUPKEY-PUSH", () => {
  it("reach every member that has joined with one message, which nobody acknowledges", () => {
    const net = registered({ members: 3, group: { transport: MULTICAST } });
    expect(net.members.map(({ joined }) => [...joined])).toEqual(Array(3).fill([REKEY_ADDRESS]));
    rekeyed(net);
    for (const gm of net.members) expect(received(gm)).toMatchObject([{ sequence: 1, transport: "multicast" }]);
    expect(net.wire.filter(isPush).filter(({ at }) => at < net.now)[0]).toMatchObject({ to: REKEY_ADDRESS });
    expect(net.wire.filter(({ exchange }) => exchange === PUSH_ACK)).toEqual([]);
    runUntil(net, net.now + MINUTE);
    // Copies are known by their number.
    for (const gm of net.members) {
      expect(received(gm)).toHaveLength(1);
      expect(gm.state.groups[0]!.counters.duplicates).toBe(2);
    }
  });
});

describe("a PUSH that is not what it should be", () => {
  function world() {
    const net = registered({ members: 1 });
    const [gm] = net.members;
    const { sa, destination } = gm!.state.groups[0]!.held!.kek!;
    const give = (octets: Uint8Array) => {
      const before = stateOf(gm!);
      const local = { address: destination.first, port: 848 };
      inject(net, gm!, { local, remote: { address: "192.168.1.254", port: 848 }, octets });
      expect(stateOf(gm!)).toEqual(before);
      return gm!.events.at(-1)!;
    };
    return { net, gm: gm!, sa, give };
  }

  it("is dropped with one bit changed, whatever bit it is", () => {
    const { net, gm, give } = world();
    net.lose = isPush;
    commandKs(net, REKEY);
    const { octets } = net.wire.find(isPush)!;
    for (const at of [30, 45, 100, octets.length - 200, octets.length - 20]) {
      const altered = octets.slice();
      altered[at]! ^= 1;
      expect(give(altered).name).toBe("gm.rekeyRejected");
    }
    expect(gm.state.groups[0]!.counters.rejected).toBe(5);
  });

  it("is dropped with the signature of another key server", () => {
    const { sa, give } = world();
    const payloads: IsakmpPayload[] = [
      { kind: "SEQ", body: { number: 9 } },
      { kind: "D", body: deleteOfDeletion({ kind: "allDataSas" }) },
    ];
    const event = give(sealPayloads(native, sa, SIGNER, payloads, DEFAULT_SWITCHES));
    expect([event.name, event.data.reason]).toEqual(["gm.rekeyRejected", "authentication"]);
  });

  it("is told from a copy where it is older than the last one", () => {
    const { net, give } = world();
    runUntil(net, 3 * HOUR);
    const pushes = net.wire.filter(isPush);
    const last = pushes.length;
    expect(last).toBeGreaterThan(2);
    expect(give(pushes.at(-1)!.octets).data).toMatchObject({ sequence: last, last, replayed: false });
    expect(give(pushes[0]!.octets).data).toMatchObject({ sequence: 1, last, replayed: true });
  });

  it("is dropped as a copy where its number is old, and counted apart where its KEK is unknown", () => {
    const { net, gm, give } = world();
    rekeyed(net);
    const { octets } = net.wire.find(isPush)!;
    expect(give(octets).name).toBe("gm.rekeyDuplicate");
    expect(gm.state.groups[0]!.counters.duplicates).toBe(1);
    const foreign = octets.slice();
    foreign[0]! ^= 1;
    give(foreign);
    expect(gm.state.unknownRekeys).toBe(1);
  });
});

describe("one group of two protocols", () => {
  /** Members 1 and 2 speak GDOI, 3 and 4 G-IKEv2. */
  function bothProtocols(): Network {
    const net = createNetwork({
      members: 4,
      ksConfig: (config) => ({
        ...config,
        isakmp: isakmp(config.local.address),
        groups: config.groups.map((group) => ({ ...group, gdoi: GDOI_SERVICE })),
      }),
      member: (index) => (index <= 2 ? { protocol: { kind: "gdoi" } } : {}),
      gmConfig: (index, config) => ({ ...config, isakmp: isakmp(gmAddress(index)) }),
    });
    startAll(net);
    runUntil(net, net.now + 2 * SECOND);
    return net;
  }

  it("is told of by the protocol of each member, as far as registrations, KEKs and rekeys are concerned", () => {
    const net = bothProtocols();
    commandKs(net, REKEY);
    commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
    runUntil(net, net.now + 5 * SECOND);
    for (const [i, { events }] of net.members.entries()) {
      const told = events.filter(({ data }) => data.protocol !== undefined);
      expect(new Set(told.map(({ data }) => data.protocol))).toEqual(new Set([i < 2 ? "gdoi" : "gikev2"]));
      const names = new Set(told.map(({ name }) => name));
      for (const name of [
        "registering",
        "registered",
        "kekInstalled",
        "transport",
        "rekeyReceived",
        "deleteReceived",
      ]) {
        expect(names).toContain(`gm.${name}`);
      }
      for (const name of ["attached", "tekInstalled", "sendingWith"]) expect(names).not.toContain(`gm.${name}`);
    }
  });

  it("is of one TEK, by whatever protocol a member has it", () => {
    const net = bothProtocols();
    expect(new Set(net.members.map((gm) => spis(gm).join())).size).toBe(1);
    const keys = net.members.map((gm) => [...gm.sas.values()].map(({ encrKey }) => [...encrKey.secret].join()).join());
    expect(new Set(keys).size).toBe(1);
    expect(net.members.map((gm) => named(gm.events, "gm.registered")[0]!.data.protocol)).toEqual([
      "gdoi",
      "gdoi",
      "gikev2",
      "gikev2",
    ]);
    commandKs(net, REKEY);
    runUntil(net, net.now + 5 * SECOND);
    for (const gm of net.members) expect(spis(gm)).toHaveLength(2);
    expect(new Set(net.members.map((gm) => spis(gm).join())).size).toBe(1);
    expect(net.wire.filter(({ exchange }) => exchange === PUSH)).toHaveLength(2);
  });
});
