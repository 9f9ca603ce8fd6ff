/** A member that speaks another protocol than before: what it leaves behind, and what its eviction has to renew. */
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { groupRekeyOf } from "../../src/gdoi/groupMessage.ts";
import type { RekeyProtocol, RekeySa } from "../../src/gikev2/dialect.ts";
import type { TreeKey } from "../../src/gikev2/policy.ts";
import { readRekeyMessage } from "../../src/gikev2/rekeyReading.ts";
import type { GroupProtocol } from "../../src/gm/config.ts";
import { adoptConfig } from "../../src/gm/reconfigure.ts";
import { createGmState, rekeyProtocolOf } from "../../src/gm/state.ts";
import type { KsGroupConfig } from "../../src/ks/config.ts";
import type { KsBranch } from "../../src/ks/state.ts";
import { GDOI_SERVICE, isakmp } from "./gdoiNetwork.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  gike,
  gikev2,
  gmAddress,
  ike,
  ksEvents,
  type Member,
  MULTICAST,
  type Network,
  named,
  runUntil,
  spis,
  startAll,
} from "./network.ts";

const GDOI: GroupProtocol = { kind: "gdoi" };
const CISCO = gikev2({ dialect: "yeung-07" });

const LKH = { tuning: { keyTree: "lkh" } } as const;
const WAYS: Readonly<Record<string, { readonly group: Partial<KsGroupConfig>; readonly gikev2: GroupProtocol }>> = {
  "unicast by push": { group: {}, gikev2: CISCO },
  "unicast by push, with key trees": { group: LKH, gikev2: CISCO },
  "unicast in IKE SAs": { group: {}, gikev2: gikev2() },
  multicast: { group: { transport: MULTICAST }, gikev2: gikev2() },
  "multicast with key trees": { group: { transport: MULTICAST, ...LKH }, gikev2: gikev2() },
};

/** Members 1 and 2 speak GDOI, 3 and 4 G-IKEv2. */
function network(way: string, change: Partial<KsGroupConfig> = {}): Network {
  const { group, gikev2: protocol } = WAYS[way]!;
  const choice = protocol.kind === "gikev2" ? { dialect: protocol.dialect } : {};
  const net = createNetwork({
    members: 4,
    group: { gdoi: GDOI_SERVICE, gikev2: gike(choice), ...group, ...change },
    ksConfig: (config) => ({ ...config, isakmp: isakmp(config.local.address) }),
    member: (index) => ({ protocol: index <= 2 ? GDOI : protocol }),
    gmConfig: (index, config) => ({ ...config, isakmp: isakmp(gmAddress(index)) }),
  });
  startAll(net);
  runUntil(net, 5 * SECOND);
  return net;
}

/** As a router does it whose configuration names another protocol: the group is left, and joined anew. */
function speak(net: Network, member: Member, protocol: GroupProtocol): void {
  commandGm(net, member, { name: "mapRemoved", group: "GROUP" });
  const groups = member.state.config.groups.map((group) => ({ ...group, protocol }));
  const { address } = member;
  adoptConfig(member.state, createGmState({ ike: ike(address), isakmp: isakmp(address), groups }));
  commandGm(net, member, { name: "mapApplied", group: "GROUP" });
  runUntil(net, net.now + 5 * SECOND);
}

const groupOf = (net: Network) => net.servers[0]!.state.groups.get("1111")!;
const branchOf = (net: Network, kind: KsBranch["kind"]) => groupOf(net).branches.find((one) => one.kind === kind)!;
const kekOf = (net: Network, kind: KsBranch["kind"]) => branchOf(net, kind).kek!.sa;
const entriesOf = (net: Network, { address }: Member) =>
  [...groupOf(net).members.values()].filter(({ remote }) => remote.address === address);
const keyOf = ({ address }: Member) => `${address}:848`;
const newest = (net: Network) => groupOf(net).generations[0]!.teks.map(({ spi }) => spi);

/** What somebody held of a branch at one time: enough to follow it until it is put out. */
interface Holding {
  readonly protocol: RekeyProtocol;
  readonly sa: RekeySa;
  readonly path: readonly TreeKey[];
}

function holdingOf({ state }: Member): Holding {
  const [group] = state.groups;
  const { kek, path } = group!.held!;
  return { protocol: rekeyProtocolOf(group!), sa: kek!.sa, path };
}

/** TEKs that are read from all that was ever sent, by whoever begins with these holdings and forgets no key. */
function teksOverheard(net: Network, begin: readonly Holding[]): number[] {
  const holdings = [...begin];
  return net.wire.flatMap(({ octets }) => {
    const spi = groupRekeyOf(octets)?.spi;
    const held = holdings.find(({ sa }) => sa.spi === spi);
    if (held === undefined) return [];
    const { protocol, sa, path } = held;
    const standing = { assembly: undefined, path, nextMessageId: 0 };
    const reading = readRekeyMessage(native, protocol, sa, octets, standing);
    if (reading.kind !== "read" || !reading.update.ok || "excluded" in reading.update.value) return [];
    const { policy, keys } = reading.update.value;
    const { kek } = policy;
    if (kek !== undefined && keys.kek !== undefined) {
      const { authentication = sa.authentication, publicKey = sa.publicKey } = kek;
      const signed = publicKey === undefined ? {} : { publicKey };
      const next = { spi: kek.spi, suite: kek.suite, keys: keys.kek, authentication, ...signed };
      holdings.push({ protocol, sa: next, path: keys.path ?? path });
    }
    return policy.dataSas.map((one) => one.spi);
  });
}

describe.each(Object.keys(WAYS))("a member that changes its protocol, with rekeys by %s", (way) => {
  const other = WAYS[way]!.gikev2;

  it.each([
    ["gdoi to gikev2", 0, other],
    ["gikev2 to gdoi", 2, GDOI],
  ] as const)("%s, has one entry at the key server and is rekeyed as the others", (_, index, protocol) => {
    const net = network(way);
    const member = net.members[index]!;
    speak(net, member, protocol);
    expect(named(member.events, "gm.registered").map(({ data }) => data.protocol)).toEqual([
      index === 0 ? "gdoi" : other.kind,
      protocol.kind,
    ]);
    expect(entriesOf(net, member).map((one) => one.protocol)).toEqual([protocol.kind]);
    for (let round = 0; round < 2; round++) {
      commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
      runUntil(net, net.now + 60 * SECOND);
      for (const one of net.members) expect(spis(one)).toEqual(expect.arrayContaining(newest(net)));
    }
    expect(member.state.groups[0]!.held!.kek!.sa.spi).toBe(kekOf(net, protocol.kind).spi);
    expect(ksEvents(net, "ks.memberEjected")).toEqual([]);
    for (const one of net.members) {
      expect(named(one.events, "gm.registering")).toHaveLength(one === member ? 2 : 1);
    }
  });

  it.each([
    ["gdoi to gikev2", 0, [other]],
    ["gikev2 to gdoi", 2, [GDOI]],
    ["gdoi to gikev2 and back", 0, [other, GDOI]],
  ] as const)("%s, and is put out then, knows none of the KEKs that new TEKs travel under", (_, index, protocols) => {
    const net = network(way);
    const member = net.members[index]!;
    const holdings = [holdingOf(member)];
    for (const protocol of protocols) {
      speak(net, member, protocol);
      holdings.push(holdingOf(member));
    }
    // The old KEK brings the next one: who has gone to the other protocol can follow it.
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    runUntil(net, net.now + 60 * SECOND);
    const own = protocols.at(-1)!.kind;
    const before = kekOf(net, own).spi;
    commandKs(net, { name: "evictMember", group: "GROUP", member: member.address, now: true, bar: true });
    runUntil(net, net.now + 60 * SECOND);
    expect(kekOf(net, own).spi).not.toBe(before);
    const fresh = newest(net);
    expect(fresh.length).toBeGreaterThan(0);
    const overheard = teksOverheard(net, holdings);
    for (const spi of fresh) expect([...overheard, ...spis(member)]).not.toContain(spi);
    for (const one of net.members) {
      if (one !== member) expect(spis(one), one.address).toEqual(fresh);
    }
  });

  it("leaves the KEK of a protocol alone that the member never spoke", () => {
    const net = network(way);
    const before = kekOf(net, "gikev2").spi;
    commandKs(net, { name: "evictMember", group: "GROUP", member: net.members[0]!.address, now: true, bar: true });
    runUntil(net, net.now + 60 * SECOND);
    expect(kekOf(net, "gikev2").spi).toBe(before);
  });
});

it("a member that has left by one protocol is put out of the trees of both, and has a new leaf when it comes back", () => {
  const net = network("multicast with key trees");
  const member = net.members[0]!;
  const leaf = () => branchOf(net, "gdoi").holders.get(keyOf(member));
  const first = leaf();
  speak(net, member, gikev2());
  expect(leaf()).toBe(first);
  speak(net, member, GDOI);
  expect(leaf()).not.toBe(first);
  expect(toHex(member.state.groups[0]!.held!.path.at(-1)!.key.secret)).toBe(
    toHex(branchOf(net, "gdoi").tree!.nodes.get(leaf()!)!.key.secret),
  );
});

it("a KEK whose cipher is configured anew keeps its tree as long as it lives, whoever leaves", () => {
  const interoperable = { ...GDOI_SERVICE, switches: { acknowledgement: "interoperable" as const } };
  const net = network("unicast by push, with key trees", { gdoi: interoperable });
  const [leaver, other] = net.members as [Member, Member];
  speak(net, leaver, CISCO);
  const kekSuite = { ...GDOI_SERVICE.kekSuite, encrKeyBits: 256 };
  Object.assign(groupOf(net).config, { gdoi: { ...interoperable, kekSuite } });
  commandGm(net, leaver, { name: "mapRemoved", group: "GROUP" });
  runUntil(net, net.now + 60 * SECOND);
  commandGm(net, other, { name: "clear", group: "GROUP" });
  runUntil(net, net.now + 5 * SECOND);
  // Members acknowledge with the keys of their leaves.
  expect(other.state.groups[0]!.held!.path).not.toEqual([]);
  commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
  runUntil(net, net.now + 60 * SECOND);
  expect(ksEvents(net, "ks.rekeyRetransmitted")).toEqual([]);
});
