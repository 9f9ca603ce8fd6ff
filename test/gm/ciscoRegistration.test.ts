import { describe, expect, it } from "vitest";
import { HOUR, SECOND } from "../../src/base/micros.ts";
import type { Yeung07Switches } from "../../src/gikev2/yeung07/switches.ts";
import { cisco, dataSas, opened, started, TCP } from "./ciscoNetwork.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  GCM,
  gike,
  gikev2,
  gmGroup,
  ICMP,
  ksEvents,
  ksGroup,
  MULTICAST,
  type Network,
  type NetworkOptions,
  named,
  runUntil,
  SSH,
  spis,
  startAll,
} from "./network.ts";

describe("a registration in the Cisco dialect", () => {
  it("takes two exchanges and no key wrap algorithm, and hands out policy and keys", () => {
    const net = started({ members: 2 });
    expect(net.wire.map(({ exchange }) => exchange)).toEqual([34, 34, 34, 34, 39, 39, 39, 39].sort());
    for (const sa of net.servers[0]!.state.endpoint!.sas.values()) expect(sa.keys!.suite.kwa).toBe(0);
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
    expect([...gm!.state.endpoint!.sas.values()].filter(({ phase }) => phase.at === "established")).toEqual([]);
    const { sas } = net.servers[0]!.state.endpoint!;
    expect([...sas.values()].filter(({ phase }) => phase.at === "established")).toEqual([]);
    const answer = net.wire.filter(({ exchange, response }) => exchange === 39 && response)[0]!;
    expect(opened(net, answer)).not.toContain("AUTH payload");
  });

  it("is refused within an SA that stands where the switch says so", () => {
    const options: NetworkOptions = { members: 1, member: () => ({ id: { kind: "number", number: 4711 } }) };
    const net = started(options, { refusalEndsSa: false });
    expect(named(net.members[0]!.events, "gm.registrationFailed")[0]!.data).toMatchObject({ reason: "refused" });
    const { sas } = net.servers[0]!.state.endpoint!;
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
      reason: "rekeyPolicy",
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
            ksGroup({ gikev2: gike(choice), ...other, dataSas: dataSas([{ action: "permit", selector: TCP }]) }),
          ],
        }),
        gmConfig: (index, config) => ({
          ...config,
          groups: [
            ...config.groups,
            gmGroup(index, { protocol: gikev2(choice), ...other, ...(want === undefined ? {} : { want }) }),
          ],
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
      ksConfig: (config) => ({
        ...config,
        groups: [...config.groups, ksGroup({ ...other, gikev2: gike({ dialect: "yeung-07" }) })],
      }),
      gmConfig: (index, config) =>
        index === 1
          ? config
          : { ...config, groups: [gmGroup(index, { id: other.id, protocol: gikev2({ dialect: "yeung-07" }) })] },
    });
    startAll(net);
    runUntil(net, SECOND);
    const suites = [...net.servers[0]!.state.endpoint!.sas.values()].map(({ keys }) => keys!.suite.kwa);
    expect(suites).toEqual([3, 0]);
    runUntil(net, 3500 * SECOND);
    for (const gm of net.members) {
      expect(gm.sas.size).toBe(2);
      expect(named(gm.events, "gm.rekeyReceived")).toHaveLength(1);
    }
  });
});
