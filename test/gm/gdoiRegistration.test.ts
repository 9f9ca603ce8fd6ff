import { describe, expect, it } from "vitest";
import { keyRing } from "../../sim/capture/keyRing.ts";
import { MINUTE, SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { close } from "../../src/ikev1/endpoint.ts";
import { gdoiNetwork, isakmp, MAIN_MODE, PULL, PUSH, registered } from "./gdoiNetwork.ts";
import {
  CBC,
  commandGm,
  GCM,
  gmAddress,
  gmGroup,
  ICMP,
  inject,
  KS_ADDRESS,
  ksEvents,
  ksGroup,
  named,
  runUntil,
  spis,
  startAll,
} from "./network.ts";

const established = (net: ReturnType<typeof registered>) =>
  [...net.servers[0]!.state.isakmp!.endpoint.sas.values()].filter(({ phase }) => phase.at === "established").length;

describe("registration by GROUPKEY-PULL", () => {
  it("takes six messages of Main Mode and four of the PULL, and brings the key server's TEK", () => {
    const net = registered({ members: 2 });
    const [first, second] = net.members;
    const exchanges = net.wire.filter(({ from, to }) => [from, to].includes(first!.address)).map((one) => one.exchange);
    expect(exchanges).toEqual([...Array(6).fill(MAIN_MODE), ...Array(4).fill(PULL)]);
    expect(named(first!.events, "gm.registered")[0]!.data).toMatchObject({ protocol: "gdoi", teks: 1, kek: true });
    expect(spis(first!)).toHaveLength(1);
    expect(spis(second!)).toEqual(spis(first!));
    const [a, b] = [...first!.sas.values(), ...second!.sas.values()];
    expect(a!.encrKey.secret).toEqual(b!.encrKey.secret);
    expect(a!.integKey.secret).toEqual(b!.integKey.secret);
    expect(first!.rules.filter(({ action }) => action === "protect").map(({ selector }) => selector)).toEqual([ICMP]);
    expect(first!.sending.get(0)).toBe(spis(first!)[0]);
  });

  it("exports the KEK in the form that opens a PUSH", () => {
    const net = registered({ members: 1 });
    const { held } = net.members[0]!.state.groups[0]!;
    const entries = net.keys.filter((entry) => entry.kind === "gdoi");
    expect(entries.map(({ spi }) => spi)).toContain(held!.kek!.sa.spi);
    expect(entries[0]).toMatchObject({ algorithm: 3 });
    expect(keyRing(native, net.keys)).toBeDefined();
  });

  it("goes on over the phase 1 that stands for a further group of the same key server", () => {
    const other = { name: "OTHER", id: { kind: "number", number: 2222 } } as const;
    const net = registered({
      members: 1,
      ksConfig: (config) => {
        const [group] = config.groups;
        return { ...config, groups: [group!, { ...group!, ...other, dataSas: ksGroup().dataSas }] };
      },
      gmConfig: (index, config) => ({
        ...config,
        groups: [...config.groups, gmGroup(index, { ...other, protocol: { kind: "gdoi" } })],
      }),
    });
    commandGm(net, net.members[0]!, { name: "mapApplied", group: "OTHER" });
    runUntil(net, net.now + SECOND);
    expect(named(net.members[0]!.events, "gm.registered").map(({ data }) => data.group)).toEqual(["GROUP", "OTHER"]);
    expect(named(net.members[0]!.events, "isakmp.established")).toHaveLength(1);
    expect(net.wire.filter(({ exchange }) => exchange === PULL)).toHaveLength(8);
  });

  it("asks both groups at once over the phase 1 that the first one has begun", () => {
    const other = { name: "OTHER", id: { kind: "number", number: 2222 } } as const;
    const net = gdoiNetwork({
      members: 1,
      ksConfig: (config) => ({ ...config, groups: [config.groups[0]!, { ...config.groups[0]!, ...other }] }),
      gmConfig: (index, config) => ({
        ...config,
        groups: [...config.groups, gmGroup(index, { ...other, protocol: { kind: "gdoi" } })],
      }),
    });
    const [gm] = net.members;
    commandGm(net, gm!, { name: "mapApplied", group: "GROUP" });
    commandGm(net, gm!, { name: "mapApplied", group: "OTHER" });
    runUntil(net, SECOND);
    expect(named(gm!.events, "gm.registered")).toHaveLength(2);
    expect(named(gm!.events, "isakmp.established")).toHaveLength(1);
  });

  it("takes a phase 1 of its own for a group with another ISAKMP profile", () => {
    const other = { name: "OTHER", id: { kind: "number", number: 2222 } } as const;
    const net = gdoiNetwork({
      members: 1,
      ksConfig: (config) => ({ ...config, groups: [config.groups[0]!, { ...config.groups[0]!, ...other }] }),
      gmConfig: (index, config) => {
        const [global] = config.isakmp!.profiles;
        const profiles = [{ ...global!, name: "SECOND" }, global!];
        const second = gmGroup(index, { ...other, protocol: { kind: "gdoi", profile: "SECOND" } });
        return { isakmp: { ...config.isakmp!, profiles }, groups: [...config.groups, second] };
      },
    });
    const [gm] = net.members;
    commandGm(net, gm!, { name: "mapApplied", group: "GROUP" });
    runUntil(net, SECOND);
    commandGm(net, gm!, { name: "mapApplied", group: "OTHER" });
    runUntil(net, 2 * SECOND);
    expect(named(gm!.events, "isakmp.established").map(({ data }) => data.profile)).toEqual(["default", "SECOND"]);
    expect(named(gm!.events, "gm.registered").map(({ data }) => data.group)).toEqual(["GROUP", "OTHER"]);
  });

  it.each([
    ["has no key for the key server", { keys: [] }, "authenticationFailed"],
    ["has IKEv1 switched off", { enabled: false }, "disabled"],
  ])("of a member that %s comes to nothing at once, and is tried again after the pause", (_, change, reason) => {
    const net = gdoiNetwork({
      members: 1,
      gmConfig: (_index, config) => ({ ...config, isakmp: { ...config.isakmp!, ...change } }),
    });
    startAll(net);
    runUntil(net, 5 * MINUTE);
    const [gm] = net.members;
    const failed = named(gm!.events, "gm.registrationFailed");
    expect(failed[0]).toMatchObject({ at: 0, data: { reason, server: KS_ADDRESS } });
    expect(failed.length).toBeGreaterThan(3);
    expect(net.wire).toEqual([]);
  });

  it("gives every sender an identifier of its own where the cipher counts", () => {
    const net = registered({ members: 3, group: { dataSas: [{ ...ksGroup().dataSas[0]!, suite: GCM }] } });
    const ids = net.members.map((gm) => gm.state.groups[0]!.held!.senderIds);
    expect(ids.every((list) => list.length === 1)).toBe(true);
    expect(new Set(ids.flat()).size).toBe(3);
    expect([...net.members[0]!.sas.values()][0]!.senderId).toMatchObject({ value: ids[0]![0] });
  });

  it("survives the loss of any one of its messages", () => {
    for (let lost = 0; lost < 10; lost++) {
      const net = gdoiNetwork({ members: 1, seed: `lost ${lost}` });
      net.lose = (wire) => net.wire.indexOf(wire) === lost;
      startAll(net);
      runUntil(net, MINUTE);
      expect([lost, named(net.members[0]!.events, "gm.registered").length]).toEqual([lost, 1]);
    }
  });

  it("leaves keys alone when phase 1 ends", () => {
    const policies = [{ ...isakmp(KS_ADDRESS).policies[0]!, lifetimeSeconds: 60 }];
    const net = registered({
      members: 1,
      gmConfig: (index, config) => ({ ...config, isakmp: isakmp(gmAddress(index), "cisco", { policies }) }),
    });
    const before = spis(net.members[0]!);
    runUntil(net, 5 * MINUTE);
    const [gm] = net.members;
    expect(gm!.state.isakmp!.endpoint.sas.size).toBe(0);
    expect(spis(gm!)).toEqual(before);
    expect(gm!.state.groups[0]!.phase.at).toBe("registered");
    expect(named(gm!.events, "gm.registering")).toHaveLength(1);
    runUntil(net, 65 * MINUTE);
    // The rekey needs no SA of phase 1.
    expect(named(gm!.events, "gm.rekeyReceived")).toHaveLength(1);
    expect(named(gm!.events, "gm.registering")).toHaveLength(1);
  });
});

describe("a registration by GDOI that comes to nothing", () => {
  it("is refused for a group that the key server does not have, and tried again after a pause", () => {
    const net = registered({ members: 1, member: () => ({ id: { kind: "number", number: 9 } }) });
    const [gm] = net.members;
    expect(named(gm!.events, "gm.registrationFailed")[0]!.data).toMatchObject({ reason: "refused", notify: 18 });
    expect(gm!.state.groups[0]!.phase.at).toBe("waiting");
    runUntil(net, MINUTE);
    expect(named(gm!.events, "gm.registering").length).toBeGreaterThan(2);
    expect(spis(gm!)).toEqual([]);
  });

  it("goes on with the next server of the list where the first is silent", () => {
    const servers = ["192.0.2.99", KS_ADDRESS].map((address) => ({ address, port: 848 }));
    const net = registered({ members: 1, member: () => ({ servers }) });
    runUntil(net, 5 * MINUTE);
    const [gm] = net.members;
    expect(named(gm!.events, "gm.registrationFailed").map(({ data }) => data.reason)).toEqual(["timeout"]);
    expect(named(gm!.events, "gm.registered")[0]!.data).toMatchObject({ server: KS_ADDRESS });
  });

  it("fails with another pre-shared key, and leaves nothing behind", () => {
    const net = registered({
      members: 1,
      gmConfig: (index, config) => ({ ...config, isakmp: isakmp(gmAddress(index), "other") }),
    });
    runUntil(net, 40 * SECOND);
    expect(named(net.members[0]!.events, "gm.registered")).toEqual([]);
    expect(named(net.members[0]!.events, "gm.registrationFailed").length).toBeGreaterThan(0);
    expect(ksEvents(net, "ks.registered")).toEqual([]);
    expect(established(net)).toBe(0);
  });

  it("ends where the policy is beyond the member, which deletes phase 1", () => {
    const capabilities = { kek: [], data: [CBC], signatures: [] };
    const net = registered({ members: 1, member: () => ({ capabilities }) });
    const [gm] = net.members;
    expect(named(gm!.events, "gm.registrationFailed")[0]!.data).toMatchObject({ reason: "rekeyPolicy", notify: 14 });
    expect(gm!.state.isakmp!.endpoint.sas.size).toBe(0);
    expect(spis(gm!)).toEqual([]);
  });

  it("begins anew where the key server has lost the SA that a group asks over", () => {
    const other = { name: "OTHER", id: { kind: "number", number: 2222 } } as const;
    const net = registered({
      members: 1,
      ksConfig: (config) => ({ ...config, groups: [config.groups[0]!, { ...config.groups[0]!, ...other }] }),
      gmConfig: (index, config) => ({
        ...config,
        groups: [...config.groups, gmGroup(index, { ...other, protocol: { kind: "gdoi" } })],
      }),
    });
    const [server] = net.servers;
    const { endpoint } = server!.state.isakmp!;
    // Its Delete gets lost with it.
    for (const number of [...endpoint.sas.keys()]) close(endpoint, server!.tools, number, net.now);
    commandGm(net, net.members[0]!, { name: "mapApplied", group: "OTHER" });
    runUntil(net, net.now + 3 * MINUTE);
    const [gm] = net.members;
    expect(named(gm!.events, "gm.registrationFailed").map(({ data }) => data.reason)).toEqual(["timeout"]);
    expect(gm!.state.groups.map(({ phase }) => phase.at)).toEqual(["registered", "registered"]);
  });
});

describe("a member of GDOI", () => {
  it("closes phase 1 when the map is taken off, and forgets its keys", () => {
    const net = registered({ members: 1 });
    const [gm] = net.members;
    commandGm(net, gm!, { name: "mapRemoved", group: "GROUP" });
    runUntil(net, net.now + SECOND);
    expect(gm!.state.isakmp!.endpoint.sas.size).toBe(0);
    expect(established(net)).toBe(0);
    expect(spis(gm!)).toEqual([]);
    expect(gm!.rules).toEqual([]);
  });

  it("closes the phase 1 of the registration before when it has registered again", () => {
    const net = registered({ members: 1 });
    const [gm] = net.members;
    for (let round = 0; round < 3; round++) {
      commandGm(net, gm!, { name: "clear", group: "GROUP" });
      runUntil(net, net.now + SECOND);
    }
    expect(named(gm!.events, "gm.registered")).toHaveLength(4);
    expect(gm!.state.isakmp!.endpoint.sas.size).toBe(1);
  });

  it("takes no SA from others, and no octets that it did not ask for", () => {
    const net = registered({ members: 2 });
    const [gm, other] = net.members;
    const first = net.wire.find(({ from, exchange }) => from === other!.address && exchange === MAIN_MODE)!;
    const sas = gm!.state.isakmp!.endpoint.sas.size;
    const remote = { address: other!.address, port: 848 };
    const local = { address: gm!.address, port: 848 };
    inject(net, gm!, { local, remote, octets: first.octets });
    inject(net, gm!, { local, remote, octets: Uint8Array.of(0, 0, 0, 0) });
    const push = new Uint8Array(28);
    push.set([PUSH], 18);
    push.set([0x10], 17);
    inject(net, gm!, { local, remote, octets: push });
    expect(gm!.state.isakmp!.endpoint.sas.size).toBe(sas);
    expect(gm!.state.unknownRekeys).toBe(1);
    expect(gm!.state.groups[0]!.phase.at).toBe("registered");
  });
});
