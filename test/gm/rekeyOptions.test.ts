/** What a group may choose about its multicast rekeys: how they are signed, announced, delayed, cut into fragments. */
import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { PrivateKey, SignatureScheme } from "../../src/crypto/api.ts";
import { ecPrivateKey, ed25519PrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import type { KsGroupConfig } from "../../src/ks/config.ts";
import { decodeMessage } from "../../src/wire/ikeMessage.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  GCM,
  ICMP,
  ksEvents,
  ksGroup,
  MULTICAST,
  type Network,
  type NetworkOptions,
  named,
  RSA,
  runUntil,
  SSH,
  selector,
  spis,
  startAll,
} from "./network.ts";

const GSA_REKEY = 41;

function registered(members: number, change: Partial<KsGroupConfig> = {}, options: Partial<NetworkOptions> = {}) {
  const net = createNetwork({ members, ...options, group: { transport: MULTICAST, ...change } });
  startAll(net);
  runUntil(net, 10 * SECOND);
  return net;
}

const group = (net: Network) => net.servers[0]!.state.groups.get("1111")!;
const rekeyNow = (net: Network, replaceNow = false) => {
  commandKs(net, { name: "rekey", group: "GROUP", replaceNow });
  runUntil(net, net.now + 30 * SECOND);
};
const kek = (change: Partial<KsGroupConfig["kek"]>) => ({ kek: { ...ksGroup().kek, ...change } });
const seed = (octet: number) => new Uint8Array(32).fill(octet);

const SIGNERS: readonly (readonly [string, PrivateKey, SignatureScheme])[] = [
  ["RSA PKCS#1", RSA, { kind: "rsa-pkcs1", hash: "sha256" }],
  ["Ed25519", ed25519PrivateKey(seed(5)), { kind: "ed25519" }],
  ["ECDSA P-256", ecPrivateKey("P-256", seed(6)), { kind: "ecdsa", hash: "sha256", encoding: "der" }],
  [
    "ECDSA P-384",
    ecPrivateKey("P-384", new Uint8Array(48).fill(7)),
    { kind: "ecdsa", hash: "sha384", encoding: "der" },
  ],
];

describe("multicast rekeys", () => {
  it.each(SIGNERS)("signed with %s are accepted, ten in a row", (_, key, scheme) => {
    const net = registered(2, kek({ signer: { key, scheme } }));
    for (let round = 0; round < 10; round++) rekeyNow(net, true);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(10);
      expect(gm.state.groups[0]!.counters.rejected).toBe(0);
    }
  });

  it.each(SIGNERS)("signed with another key of the kind of %s are rejected", (_, key, scheme) => {
    const net = registered(1, kek({ signer: { key, scheme } }));
    const other: PrivateKey =
      key.type === "rsa"
        ? rsaKey(createRng("another"), 1024)
        : key.type === "ec"
          ? ecPrivateKey(key.curve, new Uint8Array(key.d.length).fill(9))
          : ed25519PrivateKey(seed(9));
    const { kek: held } = group(net).branches[0]!;
    group(net).branches[0]!.kek = { ...held!, signer: { key: other, scheme } };
    rekeyNow(net);
    expect(named(net.members[0]!.events, "gm.rekeyReceived")).toEqual([]);
    expect(named(net.members[0]!.events, "gm.rekeyRejected")[0]!.data).toMatchObject({ reason: "authentication" });
  });

  it("carry a new AUTH_KEY under the old signature, and are verified with it from then on", () => {
    const scheme = { kind: "ed25519" } as const;
    const [first, second] = [ed25519PrivateKey(seed(1)), ed25519PrivateKey(seed(2))];
    const net = registered(3, kek({ signer: { key: first, scheme } }));
    commandKs(net, { name: "changeSigner", group: "GROUP", key: second });
    runUntil(net, net.now + 30 * SECOND);
    for (const gm of net.members) expect(gm.state.groups[0]!.held!.kek!.sa.publicKey).toEqual(publicHalf(second));
    rekeyNow(net);
    rekeyNow(net);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(3);
      expect(gm.state.groups[0]!.counters.rejected).toBe(0);
    }
    // What was said once is not said again: a member bag with an SPKI of 44 octets is in the first message only.
    commandKs(net, { name: "changeSigner", group: "GROUP", key: second });
    runUntil(net, net.now + 30 * SECOND);
    const sizes = net.wire.filter(({ exchange }) => exchange === GSA_REKEY).map(({ octets }) => octets.length);
    expect(sizes[0]! - sizes.at(-1)!).toBe(4 + 4 + 44);
  });

  it("without a signature need none, and a member refuses one that has it", () => {
    const { signer: _, ...unsigned } = ksGroup().kek;
    const net = registered(2, { kek: unsigned });
    expect(net.members[0]!.state.groups[0]!.held!.kek!.sa.authentication).toEqual({ kind: "implicit" });
    rekeyNow(net);
    for (const gm of net.members) expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(1);
    const { kek: held } = group(net).branches[0]!;
    const sa = {
      ...held!.sa,
      authentication: { kind: "signature", algorithm: ALGORITHM } as const,
    };
    group(net).branches[0]!.kek = {
      ...held!,
      sa,
      signer: { key: ed25519PrivateKey(seed(1)), scheme: { kind: "ed25519" } },
    };
    rekeyNow(net);
    for (const gm of net.members) {
      expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(1);
      expect(named(gm.events, "gm.rekeyRejected")[0]!.data).toMatchObject({ reason: "authentication" });
    }
  });
});

const ALGORITHM = Uint8Array.of(0x30, 5, 6, 3, 0x2b, 0x65, 0x70);

describe("activation and deactivation delay", () => {
  it.each([
    ["multicast", MULTICAST],
    ["unicast", { kind: "unicast" } as const],
  ])("let all members change over together and take the old SA out later (%s)", (_, transport) => {
    const net = registered(3, { transport, atdSeconds: 15, dtdSeconds: 40 });
    const old = spis(net.members[0]!)[0]!;
    const family = [...net.members[0]!.sending.keys()][0]!;
    runUntil(net, 3350 * SECOND);
    while (ksEvents(net, "ks.rekeyStarted").length === 0) runUntil(net, net.now + SECOND);
    const t = ksEvents(net, "ks.rekeyStarted")[0]!.at;
    const states = (at: number) => {
      runUntil(net, t + at * SECOND);
      return net.members.map((gm) => [gm.sas.size, gm.sending.get(family) === old, gm.sas.has(old)]);
    };
    const all = (...state: unknown[]) => net.members.map(() => state);
    expect(states(14)).toEqual(all(2, true, true));
    expect(states(16)).toEqual(all(2, false, true));
    expect(states(39)).toEqual(all(2, false, true));
    expect(states(41)).toEqual(all(1, false, false));
    for (const gm of net.members)
      expect(named(gm.events, "gm.tekRemoved")[0]!.data).toMatchObject({ reason: "expired" });
  });
});

describe("announced SPIs", () => {
  const tuning = { announceNextSpi: true };

  it("are those of the next TEKs and of the next KEK", () => {
    const net = registered(1, { tuning });
    const [gm] = net.members;
    const { teks, kek: before } = gm!.state.groups[0]!.held!;
    rekeyNow(net);
    const after = gm!.state.groups[0]!.held!;
    expect(teks[0]!.nextSpis).toEqual([after.teks[0]!.spi]);
    expect(before!.nextSpis).toEqual([after.kek!.sa.spi]);
    expect(after.teks[0]!.nextSpis).not.toEqual(teks[0]!.nextSpis);
  });

  it("tell a member by the first packet of the others that it has missed a rekey", () => {
    const net = registered(2, { tuning });
    const [one, two] = net.members;
    net.lose = (wire, target) => wire.exchange === GSA_REKEY && target === two!.address;
    rekeyNow(net);
    const spi = one!.state.groups[0]!.held!.teks[0]!.spi;
    commandGm(net, two!, { name: "unknownSpi", spi: 0xdead });
    expect(named(two!.events, "gm.reregister")).toEqual([]);
    commandGm(net, two!, { name: "unknownSpi", spi });
    runUntil(net, net.now + SECOND);
    expect(named(two!.events, "gm.reregister")).toEqual([]);
    runUntil(net, net.now + 2 * SECOND);
    expect(named(two!.events, "gm.reregister")[0]!.data).toMatchObject({ reason: "nextSpi" });
    expect(spis(two!)).toEqual(spis(one!));
  });

  it("are no reason to register again when the rekey is only late", () => {
    const net = registered(1, { tuning });
    const [gm] = net.members;
    commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
    commandGm(net, gm!, { name: "unknownSpi", spi: group(net).generations[0]!.teks[0]!.spi });
    runUntil(net, net.now + 10 * SECOND);
    expect(named(gm!.events, "gm.rekeyReceived")).toHaveLength(1);
    expect(named(gm!.events, "gm.reregister")).toEqual([]);
  });

  it("tell a member by a rekey under the next KEK that it has missed the one before", () => {
    const net = registered(2, { tuning });
    const [one, two] = net.members;
    net.lose = (wire, target) => wire.exchange === GSA_REKEY && target === two!.address;
    rekeyNow(net);
    net.lose = () => false;
    commandKs(net, { name: "deleteDataSas", group: "GROUP" });
    runUntil(net, net.now + 3 * SECOND);
    expect(named(two!.events, "gm.reregister")[0]!.data).toMatchObject({ reason: "nextSpi" });
    expect(two!.state.groups[0]!.held!.kek!.sa.spi).toBe(one!.state.groups[0]!.held!.kek!.sa.spi);
  });

  it("are not told to members that are rekeyed in their IKE SAs", () => {
    const net = registered(1, { tuning, transport: { kind: "unicast" } });
    const { teks, kek: held } = net.members[0]!.state.groups[0]!.held!;
    expect([...teks[0]!.nextSpis, ...held!.nextSpis]).toEqual([]);
  });
});

describe("deletions", () => {
  const [first] = ksGroup().dataSas;
  const telnet = selector({ protocol: 6, destinationPortFirst: 23, destinationPortLast: 23 });
  const entries = [ICMP, SSH, telnet].map((one) => ({ action: "permit", selector: one }) as const);
  const change = { dataSas: [{ ...first!, entries }] };

  it.each([
    ["multicast", MULTICAST],
    ["unicast", { kind: "unicast" } as const],
  ])("take one data SA out, then all of them, then the members (%s)", (_, transport) => {
    const net = registered(2, { ...change, transport });
    const [doomed, ...left] = spis(net.members[0]!);
    expect(left).toHaveLength(2);
    commandKs(net, { name: "deleteDataSas", group: "GROUP", spis: [doomed!] });
    runUntil(net, net.now + SECOND);
    for (const gm of net.members) expect(spis(gm)).toEqual(left);
    commandKs(net, { name: "deleteDataSas", group: "GROUP" });
    runUntil(net, net.now + 30 * SECOND);
    for (const gm of net.members) {
      expect(spis(gm)).toEqual([]);
      expect(gm.state.groups[0]!.phase.at).toBe("registered");
    }
    rekeyNow(net);
    for (const gm of net.members) expect(gm.sas.size).toBe(3);
    commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
    runUntil(net, net.now + SECOND / 2);
    for (const gm of net.members) {
      expect(spis(gm)).toEqual([]);
      expect(gm.state.groups[0]!.held!.kek).toBeUndefined();
    }
    runUntil(net, net.now + 30 * SECOND);
    for (const gm of net.members) expect(gm.sas.size).toBe(3);
  });
});

describe("Sender-IDs", () => {
  const change = (count: number) => ({
    dataSas: [{ ...ksGroup().dataSas[0]!, suite: GCM }],
    senderIdBits: 8,
    senderIds: { first: 0, count },
  });

  it.each([
    ["multicast", { transport: MULTICAST }],
    ["multicast with a key tree", { transport: MULTICAST, tuning: { keyTree: "lkh" as const } }],
    ["unicast", { transport: { kind: "unicast" } as const }],
  ])("that are used up put all members out, and under new keys the count starts anew (%s)", (_, transport) => {
    const net = registered(4, { ...change(4), ...transport });
    expect(net.members.map((gm) => gm.state.groups[0]!.held!.senderIds)).toEqual([[0], [1], [2], [3]]);
    const before = group(net).branches[0]!.kek!.sa.spi;
    commandGm(net, net.members[0]!, { name: "clear", group: "GROUP" });
    runUntil(net, net.now + 40 * SECOND);
    expect(ksEvents(net, "ks.reinitialised")).toHaveLength(1);
    expect(group(net).branches[0]!.kek!.sa.spi).not.toBe(before);
    const ids = net.members.map((gm) => gm.state.groups[0]!.held!.senderIds[0]!);
    expect([...ids].sort()).toEqual([0, 1, 2, 3]);
    for (const gm of net.members) {
      expect(gm.state.groups[0]!.held!.kek!.sa.spi).toBe(group(net).branches[0]!.kek!.sa.spi);
      for (const sa of gm.sas.values())
        expect(sa.senderId).toEqual({ value: gm.state.groups[0]!.held!.senderIds[0], bits: 8 });
    }
  });
});

describe("fragments of a rekey", () => {
  const fragmentation = { mtu: 576 };
  const dataSas = Array.from({ length: 6 }, (_, i) => ({
    ...ksGroup().dataSas[0]!,
    number: i + 1,
    entries: [{ action: "permit" as const, selector: selector({ protocol: 100 + i }) }],
  }));
  const options = (without: readonly number[]): Partial<NetworkOptions> => ({
    ksConfig: (config) => ({ ...config, ike: { ...config.ike, fragmentation } }),
    gmConfig: (index, config) =>
      without.includes(index) ? config : { ...config, ike: { ...config.ike!, fragmentation } },
  });
  const sent = (net: Network) => net.wire.filter(({ exchange }) => exchange === GSA_REKEY);

  it("are sent where every member takes them, each within the size, and put together from any order and copy", () => {
    const net = registered(3, { dataSas }, options([]));
    let seen = 0;
    net.lose = (wire, target) => wire.exchange === GSA_REKEY && target === net.members[1]!.address && seen++ % 2 === 0;
    rekeyNow(net);
    const count = decodeMessage(sent(net)[0]!.octets, RFC9838).sealed!.fragments;
    expect(count).toBeGreaterThan(2);
    expect(sent(net)).toHaveLength(3 * count);
    for (const { octets } of sent(net)) expect(octets.length + 28).toBeLessThanOrEqual(576);
    for (const gm of net.members) expect(gm.sas.size).toBe(12);
  });

  it("are not sent as long as one member does not take them", () => {
    const net = registered(3, { dataSas }, options([2]));
    rekeyNow(net);
    expect(sent(net)).toHaveLength(3);
    expect(sent(net)[0]!.octets.length).toBeGreaterThan(576);
    for (const gm of net.members) expect(gm.sas.size).toBe(12);
  });

  it("that are altered are not kept", () => {
    const net = registered(1, { dataSas }, options([]));
    let first = true;
    net.alter = (wire) => {
      if (wire.exchange !== GSA_REKEY || !first) return wire.octets;
      first = false;
      const octets = wire.octets.slice();
      octets[60]! ^= 1;
      return octets;
    };
    rekeyNow(net);
    expect(net.members[0]!.state.groups[0]!.counters.rejected).toBe(1);
    expect(net.members[0]!.sas.size).toBe(12);
  });
});
