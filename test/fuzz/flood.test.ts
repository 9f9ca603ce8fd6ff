import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { MILLISECOND, MINUTE, SECOND } from "../../src/base/micros.ts";
import {
  commandKs,
  createNetwork,
  ike,
  inject,
  KS_ADDRESS,
  ksEvents,
  named,
  runUntil,
  spis,
  startAll,
} from "../gm/network.ts";

const SPOOFED_PER_SECOND = 10_000;

describe("a key server under a flood of spoofed IKE_SA_INIT", () => {
  it("keeps its group alive: members are rekeyed, a new one registers, and nothing piles up", () => {
    const net = createNetwork({
      members: 3,
      ksConfig: (config) => ({
        ...config,
        ike: ike(KS_ADDRESS, "cisco", { cookieThreshold: 50, maxInNegotiation: 500 }),
      }),
    });
    startAll(net);
    runUntil(net, 5 * SECOND);
    expect(ksEvents(net, "ks.registered")).toHaveLength(3);

    const server = net.servers[0]!;
    const template = net.wire.find(({ exchange, response }) => exchange === 34 && !response)!.octets;
    const rng = createRng("flood");
    const seconds = 2;
    let most = 0;
    for (let i = 0; i < seconds * SPOOFED_PER_SECOND; i++) {
      const octets = template.slice();
      octets.set(rng.bytes(8), 0);
      const remote = { address: `10.66.${rng.below(256)}.${rng.below(256)}`, port: 848 };
      inject(net, server, { local: { address: KS_ADDRESS, port: 848 }, remote, octets });
      if (i === SPOOFED_PER_SECOND / 2) commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
      if (i % 100 === 0) runUntil(net, net.now + 10 * MILLISECOND);
      most = Math.max(most, server.state.endpoint!.halfOpen);
    }
    expect(most).toBeLessThanOrEqual(51);
    runUntil(net, net.now + 5 * SECOND);
    for (const member of net.members) {
      expect(named(member.events, "gm.rekeyReceived").length, member.address).toBeGreaterThan(0);
      expect(spis(member)).toEqual(spis(net.members[0]!));
    }
    runUntil(net, net.now + 10 * MINUTE);
    expect(server.state.endpoint!.halfOpen).toBe(0);
    expect(server.state.endpoint!.sas.size).toBe(3);
  });
});
