import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { SECOND } from "../../src/base/micros.ts";
import { chooseSender } from "../../src/gm/rollover.ts";
import { GM_TRANSITIONS, type GmStateName, stateAfter } from "../../src/gm/states.ts";
import { reregisterInstant, reregisterLead } from "../../src/gm/timing.ts";
import { rekeyMargin } from "../../src/ks/schedule.ts";

const LIVES = [120, 300, 600, 900, 1200, 1800, 3600, 7200, 28800, 86400, 2_592_000];

describe("the lead of a re-registration", () => {
  it.each(LIVES)("for a key of %i s begins behind the last copy of a key server's rekey, by multicast too", (life) => {
    const rng = createRng(`lead ${life}`);
    for (let i = 0; i < 200; i++) {
      const lead = reregisterLead(life, rng);
      expect(lead).toBeGreaterThanOrEqual(60 * SECOND);
      expect(lead).toBeLessThan(rekeyMargin("tek", life, undefined) - 20 * SECOND);
    }
  });

  it("differs from member to member", () => {
    const leads = Array.from({ length: 100 }, (_, i) => reregisterLead(3600, createRng(`gm${i}`)));
    expect(new Set(leads).size).toBeGreaterThan(90);
    expect(Math.max(...leads) - Math.min(...leads)).toBeGreaterThan(60 * SECOND);
  });

  it("is half of what is left where a key lives no longer than the lead", () => {
    expect(reregisterInstant(100 * SECOND, 140 * SECOND, 40, createRng("short"))).toBe(120 * SECOND);
  });
});

describe("the TEK that a member sends with", () => {
  const old = { name: "old", family: 0, expiresAt: 600 * SECOND };
  const fresh = { name: "fresh", family: 0, expiresAt: 1200 * SECOND };
  const at = (seconds: number, teks = [fresh, old]) => chooseSender(teks, 0, seconds * SECOND, 30 * SECOND);

  it("is the old one until it has 30 s left", () => {
    expect(at(500)).toEqual({ tek: old, until: 570 * SECOND });
    expect(at(569)).toEqual({ tek: old, until: 570 * SECOND });
    expect(at(570)).toEqual({ tek: fresh, until: undefined });
  });

  it("is the only one to its very end", () => {
    expect(at(599, [old])).toEqual({ tek: old, until: undefined });
    expect(at(600, [old])).toEqual({ tek: undefined, until: undefined });
  });

  it("is of three the oldest that is not in its last seconds", () => {
    const newest = { name: "newest", family: 0, expiresAt: 1800 * SECOND };
    expect(at(580, [newest, fresh, old])).toEqual({ tek: fresh, until: 1170 * SECOND });
  });

  it("is never one of another family", () => {
    const other = { ...old, name: "other", family: 1 };
    expect(at(500, [fresh, other])).toEqual({ tek: fresh, until: undefined });
    expect(at(500, [other])).toEqual({ tek: undefined, until: undefined });
  });

  it("changes when the activation delay has passed, where the key server gave one", () => {
    const delayed = { ...fresh, sendFrom: 515 * SECOND };
    expect(at(510, [delayed, old])).toEqual({ tek: old, until: 515 * SECOND });
    expect(at(515, [delayed, old])).toEqual({ tek: delayed, until: undefined });
    expect(at(510, [delayed])).toEqual({ tek: delayed, until: 515 * SECOND });
  });
});

describe("the states of a member", () => {
  it("can all be reached from idle, and all lead back to it", () => {
    const states = Object.keys(GM_TRANSITIONS) as GmStateName[];
    const reach = (from: GmStateName) => {
      const seen = new Set<GmStateName>([from]);
      for (const state of seen) for (const next of Object.values(GM_TRANSITIONS[state])) seen.add(next);
      return seen;
    };
    expect(reach("idle")).toEqual(new Set(states));
    for (const state of states) expect(reach(state).has("idle")).toBe(true);
  });

  it("know no transition that the table does not have", () => {
    expect(() => stateAfter("idle", "granted")).toThrow("granted while idle");
    expect(stateAfter("registered", "reregisterDue")).toBe("registering");
  });
});
