import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { SECOND } from "../../src/base/micros.ts";
import { syslogText } from "../../src/gikev2/eventTable.ts";
import { GM_EVENTS } from "../../src/gm/events.ts";
import { viewGm } from "../../src/gm/view.ts";
import type { SaNumber } from "../../src/ikev2/api.ts";
import { KS_EVENTS } from "../../src/ks/events.ts";
import { viewKs } from "../../src/ks/view.ts";
import {
  commandKs,
  createNetwork,
  inject,
  ksEvents,
  type Member,
  MULTICAST,
  named,
  runUntil,
  type Server,
  startAll,
} from "./network.ts";

/** What a spoofer must not be able to change: who is a member, which keys are held. */
function membership(server: Server, members: readonly Member[]) {
  const group = server.state.groups.get("1111")!;
  return structuredClone({
    members: [...group.members.values()].map(({ key, sa, senderIds }) => ({
      key,
      sa: sa as SaNumber | undefined,
      senderIds,
    })),
    kek: group.branches[0]!.kek?.sa,
    generations: group.generations,
    held: members.map(({ state }) => state.groups[0]!.held),
    phases: members.map(({ state }) => state.groups[0]!.phase),
  });
}

describe("octets that nobody should have sent", () => {
  it("are dropped by key server and members; memberships and keys stay as they are", () => {
    const rng = createRng("foreign");
    for (const transport of [{ kind: "unicast" } as const, MULTICAST]) {
      const net = createNetwork({ members: 2, group: { transport } });
      startAll(net);
      runUntil(net, 3430 * SECOND);
      const seen = [...net.wire];
      const before = membership(net.servers[0]!, net.members);
      for (const { from, to, octets } of seen) {
        for (let i = 0; i < 60; i++) {
          const altered = octets.slice(0, i % 3 === 0 ? rng.below(octets.length) : octets.length);
          if (i % 3 !== 0 && altered.length > 0) altered[rng.below(altered.length)]! ^= 1 + rng.below(255);
          // IKE_SA_INIT is open to everybody: what it starts comes to nothing without a proof.
          if (altered[18] === 34 && i % 3 !== 0) continue;
          const datagram = { local: { address: to, port: 848 }, remote: { address: from, port: 848 }, octets: altered };
          inject(net, net.servers[0]!, datagram);
          for (const gm of net.members) inject(net, gm, datagram);
        }
      }
      expect(membership(net.servers[0]!, net.members)).toEqual(before);
    }
  });
});

describe("events and views", () => {
  const net = createNetwork({ members: 3, group: { tuning: { batchSize: 0 } } });
  startAll(net);
  runUntil(net, 4000 * SECOND);
  commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
  runUntil(net, 4100 * SECOND);
  const all = [...net.servers[0]!.events, ...net.members.flatMap(({ events }) => events)];

  it("are all in the tables of their rooms, and syslog texts find all their arguments", () => {
    const rows = { ...KS_EVENTS, ...GM_EVENTS } as Record<string, Parameters<typeof syslogText>[0]>;
    for (const { name, data } of all) {
      if (name.startsWith("ike.")) continue;
      expect(rows[name], name).toBeDefined();
      expect(syslogText(rows[name]!, data) ?? "").not.toContain("?");
    }
    const [rekey] = ksEvents(net, "ks.rekeyStarted");
    expect(syslogText(KS_EVENTS["ks.rekeyStarted"], rekey!.data)).toBe(
      "%GDOI-5-KS_SEND_UNICAST_REKEY: Sending Unicast Rekey for group GROUP from address 192.168.1.254 with seq # 1",
    );
    const [done] = named(net.members[0]!.events, "gm.registered");
    expect(syslogText(GM_EVENTS["gm.registered"], done!.data)).toBe(
      "%GDOI-5-GM_REGS_COMPL: Registration to KS 192.168.1.254 complete for group GROUP using address 10.0.0.1",
    );
  });

  it("hold no key: nothing but texts, numbers and truth values", () => {
    const leaves = (value: unknown): unknown[] =>
      typeof value === "object" && value !== null ? Object.values(value).flatMap(leaves) : [value];
    const views = [viewKs(net.servers[0]!.state, net.now), ...net.members.map(({ state }) => viewGm(state, net.now))];
    for (const leaf of leaves([views, all.map(({ data }) => data)])) {
      expect(["string", "number", "boolean", "undefined"]).toContain(typeof leaf);
    }
    const hex = Buffer.from(net.servers[0]!.state.groups.get("1111")!.generations[0]!.teks[0]!.key.secret).toString(
      "hex",
    );
    expect(JSON.stringify(views)).not.toContain(hex.slice(0, 16));
  });

  it("show what an operator looks for", () => {
    const [group] = viewKs(net.servers[0]!.state, net.now).groups;
    expect(group).toMatchObject({ name: "GROUP", identity: "1111", transport: "unicast", rekeying: false });
    expect(group!.members.map(({ address }) => address).sort()).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    expect(group!.entries).toEqual(["deny 6 any any port 22", "permit 1 any any"]);
    const [member] = viewGm(net.members[0]!.state, net.now).groups;
    expect(member).toMatchObject({ registration: "Registered", server: "192.168.1.254", transport: "unicast" });
    expect(member!.teks).toHaveLength(1);
    expect(member!.teks[0]!.sending).toBe(true);
  });
});
