import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { authenticatedState, phase1State } from "./authenticated.ts";
import { type Finding, runCampaign } from "./campaign.ts";
import { INNER_NAMES } from "./inner.ts";
import { MACHINES, recordAll } from "./machines.ts";
import { MUTATOR_NAMES } from "./mutate.ts";
import type { TrustMachine } from "./recordCertificates.ts";

const COUNT = 20_000;

function brief(findings: readonly Finding[]): string[] {
  return findings.slice(0, 10).map((f) => `#${f.number} ${f.mutator} ${f.what} exchange ${f.exchange}: ${f.detail}`);
}

describe("the mutation campaign", () => {
  it("records every exchange, towards both sides", () => {
    const seen = new Set(recordAll().map(({ role, exchange, response }) => `${role} ${exchange} ${response}`));
    for (const name of ["ks 34 false", "gm 34 true", "ks 39 false", "gm 39 true", "gm 42 false", "ks 42 true"]) {
      expect(seen).toContain(name);
    }
    for (const name of ["gm 41 false", "ks 41 true", "ike 36 false", "ike 36 true", "ike 35 false", "ike 37 false"]) {
      expect(seen).toContain(name);
    }
    // Main and Aggressive Mode, Informational, GROUPKEY-PULL; GROUPKEY-PUSH, and its acknowledgement of both kinds.
    for (const exchange of [2, 4, 5, 32]) {
      for (const response of [false, true]) expect(seen).toContain(`isakmp ${exchange} ${response}`);
    }
    // The roles: phase 1, PULL and PUSH, with both acknowledgements at a key server.
    for (const name of ["gdoiKs 2 false", "gdoiGm 2 true", "gdoiKs 32 false", "gdoiGm 32 true", "gdoiGm 33 false"]) {
      expect(seen).toContain(name);
    }
    for (const name of ["gdoiKs 35 false", "gdoiKs 240 false"]) expect(seen).toContain(name);
    for (const name of ["push 33 false", "ack 35 true", "ack 240 true"]) expect(seen).toContain(name);
  });

  it("has good sessions to begin with, and payloads under a good key reach the machines", () => {
    const recordings = recordAll();
    for (const recording of recordings) {
      const { role, tools, datagram, now, session, exchange } = recording;
      const { handle, reseal } = MACHINES[role];
      const resealed = reseal(recording, (inner) => inner, createRng("same"));
      if (resealed === undefined) continue;
      const [one, two] = [datagram.octets, resealed].map((octets) => {
        const state = structuredClone(recording.state);
        handle(state, { ...tools, rng: createRng("same") }, { ...datagram, octets }, now);
        return phase1State(recording, state) ?? authenticatedState(recording, state);
      });
      expect(two === one, `${session}, exchange ${exchange}`).toBe(true);
    }
    // A PULL of four messages shows that phase 1 came up, whatever proved it.
    for (const session of new Set(recordings.filter(({ role }) => role === "isakmp").map((one) => one.session))) {
      const pulls = recordings.filter((one) => one.session === session && one.exchange === 32);
      expect(pulls, session).toHaveLength(4);
    }
    for (const { role, state, tools, datagram, now, session } of recordings) {
      if (!["certificate", "authority", "crl"].includes(role)) continue;
      MACHINES[role].handle(state, tools, datagram, now);
      expect((state as TrustMachine).trusted, session).toBe(!session.includes("16,384"));
    }
  });

  it(`finds nothing in ${COUNT} broken datagrams`, { timeout: 600_000 }, () => {
    const clock = (): number => Number(process.hrtime.bigint() / 1000n);
    const result = runCampaign({ seed: "vitest", count: COUNT, clock });
    expect(brief(result.findings)).toEqual([]);
    expect(Object.keys(result.perMutator).sort()).toEqual([...MUTATOR_NAMES, ...INNER_NAMES].sort());
  });
});
