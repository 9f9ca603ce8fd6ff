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
  it("makes the member change over before the key ends for the others, as the lifetime in it is old", () => {
    const retransmit = { first: 2 * SECOND, factor: 2, repeats: 6 };
    const net = createNetwork({
      members: 2,
      group: { dataSas: [{ ...ksGroup().dataSas[0]!, lifetimeSeconds: 600 }] },
      gmConfig: (_index, config) => ({ ...config, ike: { ...config.ike!, retransmit } }),
    });
    // The second member's answer is lost until it asks for the sixth time: what it gets then was made a minute before.
    net.lose = (wire, target) => target === gmAddress(2) && wire.exchange === 39 && net.now < 60 * SECOND;
    startAll(net);
    runUntil(net, 640 * SECOND);
    const [early, late] = net.members.map(({ events }) => named(events, "gm.sendingWith").at(-1)!.at / SECOND);
    expect(named(net.members[1]!.events, "gm.registered")[0]!.at).toBeGreaterThan(60 * SECOND);
    expect(Math.floor(early!)).toBe(570);
    expect(late).toBeGreaterThan(590);
    expect(late).toBeLessThan(600);
  });
});
