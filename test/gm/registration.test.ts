import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import { createNetwork, gmAddress, KS_ADDRESS, ksEvents, ksGroup, named, runUntil, spis, startAll } from "./network.ts";

describe("a member that registers", () => {
  it("gets the policy, the KEK and the TEK in four messages", () => {
    const net = createNetwork({ members: 1 });
    startAll(net);
    runUntil(net, SECOND);
    const [gm] = net.members;
    expect(net.wire.map(({ exchange, response }) => [exchange, response])).toEqual([
      [34, false],
      [34, true],
      [39, false],
      [39, true],
    ]);
    expect(gm!.state.groups[0]!.phase.at).toBe("registered");
    expect(gm!.sas.size).toBe(1);
    expect(named(gm!.events, "gm.registered")[0]!.data).toMatchObject({
      group: "GROUP",
      server: KS_ADDRESS,
      address: gmAddress(1),
      teks: 1,
      kek: true,
      again: false,
    });
    expect(ksEvents(net, "ks.registered")).toHaveLength(1);
  });

  it("holds the same TEK as every other member, and sends with it", () => {
    const net = createNetwork({ members: 4 });
    startAll(net);
    runUntil(net, 5 * SECOND);
    const [first, ...others] = net.members;
    expect(first!.sas.size).toBe(1);
    for (const other of others) {
      expect(spis(other)).toEqual(spis(first!));
      const [spi] = spis(first!);
      expect(other.sas.get(spi!)!.encrKey).toEqual(first!.sas.get(spi!)!.encrKey);
      expect(other.sending.get(0)).toBe(spi);
    }
  });
});

describe("an answer that comes late", () => {
  it("makes the member change over early, as the lifetime in it is as old as the first request", () => {
    const net = createNetwork({ members: 2, group: { dataSas: [{ ...ksGroup().dataSas[0]!, lifetimeSeconds: 600 }] } });
    // The second member's answers are lost for a while: what it then gets was made when it first asked.
    net.lose = (wire, target) => target === gmAddress(2) && wire.exchange === 39 && net.now < 62 * SECOND;
    startAll(net);
    runUntil(net, 600 * SECOND);
    const [early, late] = net.members.map(({ events }) => named(events, "gm.sendingWith").at(-1)!.at);
    expect(named(net.members[1]!.events, "gm.registered")[0]!.at).toBeGreaterThan(30 * SECOND);
    // Both before the key ends, which is 600 s after the first registration.
    expect([early! < 600 * SECOND, late! < 600 * SECOND]).toEqual([true, true]);
  });
});
