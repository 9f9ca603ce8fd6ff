import { describe, expect, it } from "vitest";
import { type Finding, runCampaign } from "./campaign.ts";
import { INNER_NAMES } from "./inner.ts";
import { MUTATOR_NAMES } from "./mutate.ts";
import { recordAll } from "./record.ts";

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
  });

  it(`finds nothing in ${COUNT} broken datagrams`, { timeout: 600_000 }, () => {
    const clock = (): number => Number(process.hrtime.bigint() / 1000n);
    const result = runCampaign({ seed: "vitest", count: COUNT, clock });
    expect(brief(result.findings)).toEqual([]);
    expect(Object.keys(result.perMutator).sort()).toEqual([...MUTATOR_NAMES, ...INNER_NAMES].sort());
  });
});
