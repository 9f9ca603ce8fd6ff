/** Members of GDOI at a key server: GROUPKEY-PULL over IKEv1, and rekeys by GROUPKEY-PUSH. */
import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import { gdoiProtocol } from "../../src/gdoi/gdoiProtocol.ts";
import { groupAckOf } from "../../src/gdoi/groupMessage.ts";
import { NO_KEYS, NO_POLICY } from "../../src/gikev2/policy.ts";
import { viewKs } from "../../src/ks/view.ts";
import { GCM, KS_ADDRESS, ksGroup, MULTICAST } from "../gm/network.ts";
import {
  command,
  connect,
  createWorld,
  eventsOf,
  GDOI,
  type GdoiMember,
  grantOf,
  join,
  pull,
  refusalOf,
  runUntil,
  takePush,
  toKs,
  type World,
  type WorldOptions,
} from "./gdoiMember.ts";

const groupOf = (world: World) => world.ks.groups.get("1111")!;
const branch = (world: World) => groupOf(world).branches.find(({ kind }) => kind === "gdoi")!;
const rekey = (world: World, replaceNow = false) => command(world, { name: "rekey", group: "GROUP", replaceNow });
const lastOf = ({ updates }: GdoiMember) => updates.at(-1)!;

function joined(options: WorldOptions = {}): World {
  const world = createWorld(options);
  for (const member of world.members) join(world, member);
  return world;
}

describe("a member of GDOI", () => {
  it.each(["main", "aggressive"] as const)("registers by GROUPKEY-PULL after %s mode", (mode) => {
    const world = createWorld();
    const [member] = world.members;
    connect(world, member!, mode);
    expect(groupOf(world).members.size).toBe(0);
    pull(world, member!);
    const { policy, keys } = grantOf(member!);
    const [generation] = groupOf(world).generations;
    expect(policy.dataSas.map(({ spi }) => spi)).toEqual(generation!.teks.map(({ spi }) => spi));
    expect([...keys.teks.values()]).toEqual(generation!.teks.map(({ key }) => key));
    expect(policy.kek).toMatchObject({
      spi: branch(world).kek!.sa.spi,
      source: { first: KS_ADDRESS, port: 848 },
      destination: { first: member!.address, last: member!.address, port: 848 },
      nextMessageId: 1,
      acknowledgement: 1,
    });
    expect(eventsOf(world, "ks.registered")).toMatchObject([
      { protocol: "gdoi", member: `${member!.address}:848`, identity: member!.address, exchange: 32, replaced: false },
    ]);
    expect(eventsOf(world, "isakmp.established")).toHaveLength(1);
    expect(world.keys.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["ikev1", "gdoi", "esp"]));
  });

  it("registers again over the phase 1 that stands, and replaces its entry", () => {
    const world = joined();
    pull(world, world.members[0]!);
    expect(eventsOf(world, "ks.registered").map(({ replaced }) => replaced)).toEqual([false, true]);
    expect(groupOf(world).members.size).toBe(1);
  });

  it("gets as many Sender-IDs as it asks for, and never one that another has", () => {
    const dataSas = [{ ...ksGroup().dataSas[0]!, suite: GCM }];
    const world = createWorld({ members: 2, group: { dataSas, senderIdBits: 8, senderIds: { first: 0, count: 4 } } });
    const [one, two] = world.members;
    connect(world, one!);
    pull(world, one!, 3);
    join(world, two!);
    expect([grantOf(one!).senderIds, grantOf(two!).senderIds]).toEqual([[0, 1, 2], [3]]);
    expect(grantOf(two!).policy.senderIdBits).toBe(8);
    const { spi } = branch(world).kek!.sa;
    // None is left: all are put out, and the count begins anew under new keys.
    pull(world, two!);
    expect(eventsOf(world, "ks.reinitialised")).toHaveLength(1);
    expect(grantOf(two!).senderIds).toEqual([0]);
    expect(branch(world).kek!.sa.spi).not.toBe(spi);
    expect(lastOf(one!).deletions).toEqual([{ kind: "allDataSas" }, { kind: "member" }]);
  });

  it.each([
    ["a group that is not there", {}, 2222, "unknownGroup", 18],
    ["an address that is not authorized", { gdoi: { ...GDOI, authorization: { addresses: [] } } }, 1111, "address", 24],
    [
      "an identity that is not authorized",
      { gdoi: { ...GDOI, authorization: { identities: [] } } },
      1111,
      "identity",
      24,
    ],
    ["a full group", { tuning: { membersMost: 0 } }, 1111, "full", 14],
    [
      "a policy that GDOI cannot tell",
      { gdoi: { ...GDOI, switches: { denyEntries: "refuse" } } },
      1111,
      "capabilities",
      14,
    ],
    ["rekeys that are not signed", { kek: { lifetimeSeconds: 3600 } }, 1111, "protocol", 18],
  ] as const)("is refused for %s, and its phase 1 stands", (_, group, number, reason, notify) => {
    const world = createWorld({ group });
    const [member] = world.members;
    connect(world, member!);
    pull(world, member!, 1, number);
    expect(refusalOf(member!)).toBe(notify);
    expect(eventsOf(world, "ks.refused")).toMatchObject([{ protocol: "gdoi", reason, notify }]);
    expect(groupOf(world).members.size).toBe(0);
    expect(viewKs(world.ks, world.now).isakmpSas).toMatchObject([{ established: true, doi: 2 }]);
  });

  it("with another pre-shared key never gets to ask", () => {
    const world = createWorld({ key: () => "another" });
    connect(world, world.members[0]!);
    runUntil(world, 120 * SECOND);
    expect(eventsOf(world, "isakmp.established")).toEqual([]);
    expect(groupOf(world).generations).toEqual([]);
  });

  it("that is authorized by the first entry that has its address is welcome", () => {
    const addresses = [
      { permit: false, first: 0x0a000002, last: 0x0a000002 },
      { permit: true, first: 0x0a000000, last: 0x0a0000ff },
    ];
    const world = createWorld({ members: 2, group: { gdoi: { ...GDOI, authorization: { addresses } } } });
    for (const member of world.members) join(world, member);
    expect([...groupOf(world).members.keys()]).toEqual(["10.0.0.1:848"]);
  });
});

describe("rekeys of GDOI by unicast", () => {
  it.each(["interoperable", "cisco"] as const)("bring new keys and are acknowledged in the %s form", (form) => {
    const world = joined({ members: 2, group: { gdoi: { ...GDOI, switches: { acknowledgement: form } } } });
    const before = branch(world).kek!.sa.spi;
    rekey(world);
    const { kek } = branch(world);
    expect(kek!.sa.spi).not.toBe(before);
    for (const member of world.members) {
      expect(lastOf(member).policy.kek).toMatchObject({ spi: kek!.sa.spi, nextMessageId: 1 });
      expect(lastOf(member).policy.dataSas.map(({ spi }) => spi)).toEqual(
        groupOf(world).generations[0]!.teks.map(({ spi }) => spi),
      );
    }
    expect(eventsOf(world, "ks.rekeyAcked")).toMatchObject([
      { protocol: "gdoi", sequence: 1 },
      { protocol: "gdoi", sequence: 1 },
    ]);
    expect(eventsOf(world, "ks.rekeyDone")).toMatchObject([{ protocol: "gdoi", retransmits: 0 }]);
    // The next one is under the new KEK, whose numbers begin again.
    rekey(world);
    expect(eventsOf(world, "ks.rekeyAcked").map(({ sequence }) => sequence)).toEqual([1, 1, 1, 1]);
  });

  it("are repeated to a member that is silent, which is put out in the end", () => {
    const world = joined({ members: 2 });
    const [silent] = world.members;
    silent!.answers = false;
    rekey(world);
    runUntil(world, world.now + 60 * SECOND);
    expect(silent!.pushes).toHaveLength(3);
    expect(silent!.updates).toHaveLength(1);
    expect(eventsOf(world, "ks.memberEjected")).toMatchObject([{ protocol: "gdoi", member: `${silent!.address}:848` }]);
    expect(groupOf(world).members.size).toBe(1);
    expect(branch(world).pushes.size).toBe(0);
  });

  it("count an acknowledgement once, and none that is forged or of another rekey", () => {
    const world = joined();
    const [member] = world.members;
    member!.answers = false;
    const { sa } = member!.kek!;
    rekey(world);
    const answer = (messageId: number, by = sa) =>
      gdoiProtocol().rekeyAck(native, by, { messageId, nextIv: () => new Uint8Array(16), address: member!.address })!;
    const say = (octets: Uint8Array) =>
      toKs(world, {
        local: { address: KS_ADDRESS, port: 848 },
        remote: { address: member!.address, port: 848 },
        octets,
      });
    const good = answer(1);
    expect(groupAckOf(good)).toMatchObject({ protocol: "gdoi" });
    const bent = good.slice();
    bent[40]! ^= 1;
    say(bent);
    const encr = { ...sa.keys.encr, secret: sa.keys.encr.secret.map((octet) => octet ^ 1) };
    say(answer(1, { ...sa, keys: { ...sa.keys, encr } }));
    expect(eventsOf(world, "ks.rekeyAcked")).toEqual([]);
    expect(eventsOf(world, "isakmp.dropped")).toHaveLength(2);
    say(answer(2));
    expect(eventsOf(world, "ks.unsolicitedAck")).toMatchObject([{ protocol: "gdoi" }]);
    say(good);
    say(good);
    expect(eventsOf(world, "ks.rekeyAcked")).toHaveLength(1);
    expect(eventsOf(world, "ks.unsolicitedAck")).toHaveLength(2);
  });

  it("leave by their own times: TEKs, and the KEK under the old one", () => {
    const world = joined({ group: { kek: { ...ksGroup().kek, lifetimeSeconds: 7200 } } });
    runUntil(world, 8000 * SECOND);
    const [member] = world.members;
    expect(member!.updates.length).toBeGreaterThanOrEqual(2);
    expect(member!.kek!.sa.spi).toBe(branch(world).kek!.sa.spi);
    expect(eventsOf(world, "ks.rekeyStarted").filter(({ kek }) => kek)).toHaveLength(1);
    expect(eventsOf(world, "ks.rekeyUnanswered")).toEqual([]);
  });

  it("are signed with another key from the next KEK on, which the message that brings it tells", () => {
    const world = joined();
    const [member] = world.members;
    command(world, { name: "changeSigner", group: "GROUP", key: rsaKey(createRng("another signer"), 1024) });
    const told = lastOf(member!).policy.kek!.publicKey;
    expect(told).not.toEqual(grantOf(member!).policy.kek!.publicKey);
    rekey(world);
    expect(member!.updates).toHaveLength(2);
  });
});

describe("members of GDOI", () => {
  it.each([true, false])("are cleared with a Delete of the KEK (now: %s), and have to come back", (now) => {
    const world = joined({ members: 2 });
    command(world, { name: "clearMembers", group: "GROUP", now });
    const deletions = now ? [{ kind: "allDataSas" }, { kind: "member" }] : [{ kind: "member" }];
    for (const member of world.members) expect(lastOf(member).deletions).toEqual(deletions);
    expect(groupOf(world).members.size).toBe(0);
    for (const member of world.members) pull(world, member);
    expect(groupOf(world).members.size).toBe(2);
  });

  it("all have to come back when one of them is put out for good, which is refused then", () => {
    const world = joined({ members: 2 });
    const [one, two] = world.members;
    command(world, { name: "evictMember", group: "GROUP", member: one!.address, now: true, bar: true });
    for (const member of world.members) expect(lastOf(member).deletions).toContainEqual({ kind: "member" });
    pull(world, one!);
    pull(world, two!);
    expect(refusalOf(one!)).toBe(24);
    expect([...groupOf(world).members.keys()]).toEqual([`${two!.address}:848`]);
  });

  it("drop data SAs that are deleted, at once with replace-now", () => {
    const world = joined();
    const [member] = world.members;
    const [tek] = grantOf(member!).policy.dataSas;
    rekey(world, true);
    expect(lastOf(member!).deletions).toEqual([{ kind: "dataSas", spis: [tek!.spi] }]);
    command(world, { name: "deleteDataSas", group: "GROUP" });
    expect(lastOf(member!).deletions).toEqual([{ kind: "allDataSas" }]);
  });
});

describe("rekeys of GDOI by multicast", () => {
  const world = () => joined({ members: 2, group: { transport: MULTICAST } });

  it("are one message with copies, and nobody is asked for an answer", () => {
    const at = world();
    rekey(at);
    runUntil(at, at.now + 30 * SECOND);
    for (const member of at.members) {
      expect(member.pushes).toHaveLength(3);
      expect(member.updates).toHaveLength(1);
      expect(member.kek!.sa.acknowledgement).toBeUndefined();
    }
    expect(eventsOf(at, "ks.rekeyDone")).toMatchObject([{ protocol: "gdoi", sequence: 1, retransmits: 2 }]);
  });

  it("change nothing where number, signature, KEK or an octet is not what it should be", () => {
    const at = world();
    const [member] = at.members;
    rekey(at);
    const { sa, nextMessageId } = member!.kek!;
    const seal = (by = sa, messageId = nextMessageId, signer = ksGroup().kek.signer!.key) => {
      const update = { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "allDataSas" as const }] };
      const nextIv = () => new Uint8Array(16);
      const [octets] = gdoiProtocol().sealRekey(native, by, signer, update, { messageId, nextIv });
      return { local: MULTICAST_AT, remote: KS_AT, octets: octets! };
    };
    const held = structuredClone(member!.kek);
    const bent = seal();
    bent.octets[50]! ^= 1;
    expect(takePush(at, member!, bent)).toBe("refused");
    expect(takePush(at, member!, seal(sa, nextMessageId, rsaKey(createRng("a stranger"), 1024)))).toBe("refused");
    expect(takePush(at, member!, seal({ ...sa, spi: "ab".repeat(16) }))).toBe("unknown");
    expect(takePush(at, member!, member!.pushes[0]!)).toBe("unknown");
    expect(takePush(at, member!, seal(sa, nextMessageId - 1))).toBe("old");
    expect(member!.kek).toEqual(held);
    expect(member!.updates).toHaveLength(1);
    expect(takePush(at, member!, seal())).toBe("whole");
  });
});

const KS_AT = { address: KS_ADDRESS, port: 848 };
const MULTICAST_AT = { address: "239.192.1.1", port: 848 };
