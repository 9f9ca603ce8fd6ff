import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import {
  createNetwork,
  GCM,
  gike,
  gmAddress,
  ike,
  KS_ADDRESS,
  ksEvents,
  ksGroup,
  named,
  runUntil,
  startAll,
} from "./network.ts";

/** Sends no key download, ever: the length of a KD with two wrapped keys would show. */
function refused(net: ReturnType<typeof createNetwork>) {
  startAll(net);
  runUntil(net, 5 * SECOND);
  const [gm] = net.members;
  expect(gm!.sas.size).toBe(0);
  expect(net.servers[0]!.state.groups.get("1111")?.members.size ?? 0).toBe(0);
  return named(gm!.events, "gm.registrationFailed")[0]!.data;
}

describe("a member that must not register", () => {
  it("with a wrong pre-shared key gets AUTHENTICATION_FAILED and no keys", () => {
    const net = createNetwork({
      members: 1,
      gmConfig: (i, config) => ({ ...config, ike: ike(gmAddress(i), "wrong") }),
    });
    expect(refused(net)).toMatchObject({ server: KS_ADDRESS, reason: "authenticationFailed", notify: 24 });
    expect(net.servers[0]!.state.groups.get("1111")!.branches[0]!.kek).toBeUndefined();
  });

  it("for a group that the key server does not have gets INVALID_GROUP_ID", () => {
    const net = createNetwork({ members: 1, member: () => ({ id: { kind: "number", number: 2222 } }) });
    expect(refused(net)).toMatchObject({ reason: "refused", notify: 45 });
    expect(ksEvents(net, "ks.refused")[0]!.data).toMatchObject({ reason: "unknownGroup", requested: "2222" });
  });

  it("under another profile gets AUTHORIZATION_FAILED", () => {
    expect(refused(createNetwork({ members: 1, group: { gikev2: gike({ profile: "OTHER" }) } }))).toMatchObject({
      notify: 46,
    });
  });

  it("to a full group gets REGISTRATION_FAILED", () => {
    const net = createNetwork({ members: 1, group: { tuning: { membersMost: 0 } } });
    expect(refused(net)).toMatchObject({ notify: 49 });
  });

  it("whose IKE SA has no key wrap algorithm gets NO_PROPOSAL_CHOSEN", () => {
    const proposals = [{ encr: [{ id: 20, keyBits: 256 }], prf: [5], integ: [], dh: [31], kwa: [] }];
    const net = createNetwork({
      members: 1,
      gmConfig: (i, config) => ({ ...config, ike: { ...ike(gmAddress(i)), proposals } }),
      ksConfig: (config) => ({ ...config, ike: { ...config.ike, proposals } }),
    });
    expect(refused(net)).toMatchObject({ notify: 14 });
  });

  it("and cannot use the policy gets NO_PROPOSAL_CHOSEN if it said so beforehand", () => {
    const capabilities = { kek: [{ ...GCM, kwa: 3 }], data: [GCM], signatures: [] };
    expect(refused(createNetwork({ members: 1, member: () => ({ capabilities }) }))).toMatchObject({ notify: 14 });
  });

  it("finds no common IKE proposal", () => {
    const proposals = [{ encr: [{ id: 12, keyBits: 128 }], prf: [5], integ: [12], dh: [14], kwa: [3] }];
    const net = createNetwork({
      members: 1,
      gmConfig: (i, config) => ({ ...config, ike: { ...ike(gmAddress(i)), proposals } }),
    });
    expect(refused(net)).toMatchObject({ reason: "noProposalChosen", notify: 14 });
  });
});

describe("a member whose key server fails", () => {
  it("tries the servers in configured order, pauses after the last and begins again", () => {
    const servers = ["192.0.2.1", "192.0.2.2"].map((address) => ({ address, port: 848 }));
    const net = createNetwork({ members: 1, member: () => ({ servers }) });
    startAll(net);
    runUntil(net, 100 * SECOND);
    const tried = named(net.members[0]!.events, "gm.registering").map(({ data }) => data.server);
    expect(tried.slice(0, 3)).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.1"]);
    expect(named(net.members[0]!.events, "gm.listExhausted")).toHaveLength(1);
  });

  it("goes on to the next server after a refusal, at once", () => {
    const servers = [KS_ADDRESS, "192.0.2.2"].map((address) => ({ address, port: 848 }));
    const net = createNetwork({ members: 1, member: () => ({ servers, id: { kind: "number", number: 7 } }) });
    startAll(net);
    runUntil(net, SECOND);
    expect(named(net.members[0]!.events, "gm.registering").map(({ data }) => data.server)).toEqual([
      KS_ADDRESS,
      "192.0.2.2",
    ]);
    // The refusal left an IKE SA behind, which the key server closes after a while.
    runUntil(net, 12 * SECOND);
    expect([...net.servers[0]!.state.endpoint!.sas.values()].filter((sa) => sa.phase.at === "established")).toEqual([]);
  });

  it("keeps its SAs while it registers again, and drops them when they end", () => {
    const net = createNetwork({ members: 1 });
    startAll(net);
    runUntil(net, 10 * SECOND);
    net.lose = () => true;
    runUntil(net, 3595 * SECOND);
    const [gm] = net.members;
    expect(gm!.state.groups[0]!.phase.at).not.toBe("registered");
    expect(gm!.sas.size).toBe(1);
    runUntil(net, 3601 * SECOND);
    expect(gm!.sas.size).toBe(0);
    // The rules stay: what is permitted must not leave in clear.
    expect(gm!.rules.some(({ action }) => action === "protect")).toBe(true);
    net.lose = () => false;
    runUntil(net, 3800 * SECOND);
    expect(gm!.state.groups[0]!.phase.at).toBe("registered");
    expect(gm!.sas.size).toBeGreaterThan(0);
  });
});

describe("the identity of a group", () => {
  it("may be an address", () => {
    const id = { kind: "address", address: "192.0.2.99" } as const;
    const net = createNetwork({
      members: 1,
      member: () => ({ id }),
      ksConfig: (c) => ({ ...c, groups: [ksGroup({ id })] }),
    });
    startAll(net);
    runUntil(net, SECOND);
    expect(net.members[0]!.sas.size).toBe(1);
  });
});
