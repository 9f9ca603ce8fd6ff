import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { Selector, TrafficRule } from "../../src/esp/api.ts";
import { type GroupPolicy, NO_POLICY } from "../../src/gikev2/policy.ts";
import { createGmState } from "../../src/gm/groupMember.ts";
import { trafficRules } from "../../src/gm/rules.ts";
import type { GmGroup } from "../../src/gm/state.ts";
import { GCM, gmAddress, gmGroup, ike, selector } from "./network.ts";

const SELECTORS = [1, 6, 17, 47, 50].map((protocol) => selector({ protocol }));
const [ICMP, TCP, UDP, GRE] = SELECTORS as [Selector, Selector, Selector, Selector];

function member(): GmGroup {
  return createGmState({ ike: ike(gmAddress(1)), groups: [gmGroup(1)] }).groups[0]!;
}

/** `sas`: the selectors of each data SA. */
function policy(sas: readonly (readonly Selector[])[], bypass: GroupPolicy["bypass"] = []): GroupPolicy {
  const dataSas = sas.map(([first, ...more], i) => ({
    spi: 256 + i,
    suite: GCM,
    selector: { ...first! },
    more: more.map((one) => ({ ...one })),
    lifetimeSeconds: 3600,
    sequenceNumbers: 2,
    nextSpis: [],
  }));
  return { ...NO_POLICY, dataSas, bypass };
}

function drawnPolicy(rng: Rng): GroupPolicy {
  const drawn = (): Selector => SELECTORS[rng.below(SELECTORS.length)]!;
  const sas = Array.from({ length: 1 + rng.below(4) }, () => Array.from({ length: 1 + rng.below(3) }, drawn));
  const bypass = Array.from({ length: rng.below(3) }, () => ({ before: rng.below(5), selector: drawn() }));
  return policy(sas, bypass);
}

/** What the rules say apart from the member's own control traffic. */
const said = (rules: readonly TrafficRule[]) =>
  rules.slice(2).map(({ action, selector: { protocol }, family }) => [action, protocol, family]);

describe("the traffic rules after a rekey", () => {
  it("are the same list where the policy repeats what they say", () => {
    const group = member();
    const bypass = [{ before: 1, selector: UDP }];
    const first = trafficRules(group, policy([[ICMP], [TCP, GRE]], bypass), []);
    expect(said(first)).toEqual([
      ["protect", 1, 0],
      ["bypass", 17, -1],
      ["protect", 6, 1],
      ["protect", 47, 1],
    ]);
    expect(trafficRules(group, policy([[ICMP], [TCP, GRE]], bypass), first)).toBe(first);
  });

  it("have each selector once where older generations repeat it", () => {
    const group = member();
    const first = trafficRules(group, policy([[ICMP], [TCP], [ICMP], [TCP]]), []);
    expect(said(first)).toEqual([
      ["protect", 1, 0],
      ["protect", 6, 1],
    ]);
    expect(trafficRules(group, policy([[ICMP], [TCP]]), first)).toBe(first);
  });

  it("follow a list that has got longer, shorter or another order, and leave the old list as it was", () => {
    const group = member();
    const first = trafficRules(group, policy([[ICMP], [TCP]]), []);
    const before = structuredClone(first);
    expect(said(trafficRules(group, policy([[ICMP], [TCP], [UDP]]), first)).at(-1)).toEqual(["protect", 17, 2]);
    expect(said(trafficRules(group, policy([[ICMP]]), first))).toEqual([["protect", 1, 0]]);
    expect(said(trafficRules(group, policy([[TCP], [ICMP]]), first))).toEqual([
      ["protect", 6, 1],
      ["protect", 1, 0],
    ]);
    expect(first).toEqual(before);
  });

  it("say what they would say without the ones before, whatever policies follow each other", () => {
    const rng = createRng("policies in turn");
    const kept = member();
    const anew = member();
    let rules: readonly TrafficRule[] = [];
    for (let i = 0; i < 500; i++) {
      const next = drawnPolicy(rng);
      rules = trafficRules(kept, next, rules);
      expect(rules).toEqual(trafficRules(anew, next, []));
    }
  });
});
