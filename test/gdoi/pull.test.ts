import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import { obstacle } from "../../src/gdoi/policySa.ts";
import {
  createPulls,
  grantKeys,
  offerPolicy,
  type PullOutcome,
  type Pulls,
  pullsUnderWay,
  refusePull,
  startPull,
  takePullOutcome,
} from "../../src/gdoi/pull.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import type { GroupKeys, GroupPolicy, Registration } from "../../src/gikev2/policy.ts";
import type { Ikev1Outcome } from "../../src/ikev1/api.ts";
import {
  acceptAll,
  carryOut,
  establishedPair,
  isUp,
  outcomesOf,
  type Pair,
  run,
  type Side,
  settle,
} from "../ikev1/pair.ts";
import { KEK, keysFor, POLICY, SUITES, selector } from "./group.ts";

const GROUP = { kind: "number", number: 1234 } as const;

type Told = Exclude<PullOutcome, Ikev1Outcome>;

interface World {
  readonly pair: Pair;
  readonly pulls: ReadonlyMap<Side, Pulls>;
  readonly told: { readonly member: Told[]; readonly server: Told[] };
}

interface Server {
  readonly policy?: GroupPolicy;
  readonly keys?: GroupKeys;
  readonly refuseAt?: "pullAsked" | "pullWanted";
}

/** A member and a key server over an established phase 1. */
function world(server: Server = {}): World {
  const pair = establishedPair();
  const pulls = new Map([pair.initiator, pair.responder].map((side) => [side, createPulls(DEFAULT_SWITCHES)]));
  const told = { member: [] as Told[], server: [] as Told[] };
  const { policy = POLICY, keys = keysFor(policy), refuseAt } = server;
  pair.decide = (_, side, outcome) => {
    if (outcome.kind === "authenticating") return acceptAll(pair, side, outcome);
    const state = pulls.get(side)!;
    const { endpoint, tools } = side;
    const onward: Ikev1Outcome[] = [];
    const pass = (list: readonly PullOutcome[]): void => {
      for (const one of list) {
        if (!one.kind.startsWith("pull")) {
          onward.push(one as Ikev1Outcome);
          continue;
        }
        const said = one as Told;
        told[side === pair.initiator ? "member" : "server"].push(said);
        if (said.kind === refuseAt) pass(refusePull(state, endpoint, tools, said.pull, 24, pair.now));
        else if (said.kind === "pullAsked") {
          pass(offerPolicy(state, endpoint, tools, said.pull, { policy, keys }, pair.now));
        } else if (said.kind === "pullWanted") {
          const senderIds = Array.from({ length: said.senderIds }, (_item, index) => index + 40);
          pass(grantKeys(state, endpoint, tools, said.pull, { senderIds }, pair.now));
        }
      }
    };
    pass(takePullOutcome(state, endpoint, tools, outcome, pair.now));
    return onward;
  };
  return { pair, pulls, told };
}

function ask({ pair, pulls }: World, change: Partial<Registration> = {}): void {
  const { initiator } = pair;
  const { endpoint, tools } = initiator;
  const registration = { group: GROUP, senderIds: undefined, ...change };
  const { outcomes } = startPull(pulls.get(initiator)!, endpoint, tools, 1, registration, pair.now);
  carryOut(pair, initiator, outcomes as Ikev1Outcome[]);
}

function granted({ told }: World) {
  const [found] = told.member;
  if (found?.kind !== "pullGranted") throw new Error(JSON.stringify(found));
  return found;
}

describe("a GROUPKEY-PULL", () => {
  it("hands over policy, keys, number of the KEK and Sender-IDs as the key server has them", () => {
    const policy = { ...POLICY, senderIdBits: 16 };
    const keys = keysFor(policy);
    const at = world({ policy, keys });
    ask(at, { senderIds: 3 });
    settle(at.pair);
    const { grant, group } = granted(at);
    expect(group).toEqual(GROUP);
    expect(grant.policy).toEqual(policy);
    expect(grant.keys).toEqual(keys);
    expect(grant.senderIds).toEqual([40, 41, 42]);
    expect([...at.pulls.values()].map(pullsUnderWay)).toEqual([[], []]);
  });

  it("carries deny entries and port ranges in attributes of ours, in their places", () => {
    const { dataSas } = POLICY;
    const ranged = { ...dataSas[3]!, selector: selector({ protocol: 17, sourcePortFirst: 100, sourcePortLast: 200 }) };
    const policy: GroupPolicy = {
      ...POLICY,
      dataSas: [ranged],
      bypass: [
        { before: 0, selector: selector({ protocol: 89 }) },
        { before: 1, selector: selector({ destinationPortFirst: 22, destinationPortLast: 23 }) },
      ],
    };
    const at = world({ policy });
    ask(at);
    settle(at.pair);
    expect(granted(at).grant.policy).toEqual(policy);
    expect(obstacle(policy, DEFAULT_SWITCHES)).toBeUndefined();
    expect(obstacle(policy, { ...DEFAULT_SWITCHES, denyEntries: "refuse" })).toBe("a range of ports");
  });

  it("without a KEK has no number, and works", () => {
    const { kek: _, ...policy } = POLICY;
    const at = world({ policy: { ...policy, senderIdBits: 16 } });
    ask(at);
    settle(at.pair);
    expect(granted(at).grant.policy.kek).toBeUndefined();
  });

  it.each(["pullAsked", "pullWanted"] as const)(
    "is refused at %s, and the phase 1 stands for another try",
    (refuseAt) => {
      const at = world({ refuseAt });
      ask(at);
      settle(at.pair);
      expect(at.told.member).toMatchObject([{ kind: "pullRefused", group: GROUP, notify: 24 }]);
      expect(isUp(at.pair.initiator)).toBe(true);
      run(at.pair);
      expect([...at.pulls.values()].map(pullsUnderWay)).toEqual([[], []]);
    },
  );

  it("with a policy beyond the member ends the phase 1, and the key server hears of it", () => {
    const at = world({ policy: { ...POLICY, senderIdBits: 16 } });
    ask(at, { capabilities: { kek: [KEK.suite], data: SUITES.slice(1), signatures: [] } });
    settle(at.pair);
    expect(at.told.member).toMatchObject([{ kind: "pullRefused", notify: 14 }]);
    expect(isUp(at.pair.initiator) || isUp(at.pair.responder)).toBe(false);
    expect(outcomesOf(at.pair.responder, "closed").map(({ reason }) => reason)).toEqual(["deletedByPeer"]);
    expect([...at.pulls.values()].map(pullsUnderWay)).toEqual([[], []]);
  });

  it("survives every pattern of losses among its first six datagrams, with Sender-IDs allocated once", () => {
    for (let pattern = 0; pattern < 64; pattern++) {
      const at = world({ policy: { ...POLICY, senderIdBits: 16 } });
      const first = at.pair.sent.length;
      at.pair.lose = (number) => number - first < 6 && ((pattern >> (number - first)) & 1) === 1;
      ask(at);
      run(at.pair, 400 * SECOND);
      const kinds = at.told.server.map(({ kind }) => kind);
      if (pattern === 63) expect(kinds).toEqual([]);
      else {
        expect(kinds, pattern.toString(2)).toEqual(["pullAsked", "pullWanted"]);
        expect(at.told.member.map(({ kind }) => kind)).toEqual(["pullGranted"]);
      }
      expect([...at.pulls.values()].map(pullsUnderWay), pattern.toString(2)).toEqual([[], []]);
    }
  });

  it("for two groups at once over one phase 1 is two exchanges", () => {
    const at = world({ policy: { ...POLICY, senderIdBits: 16 } });
    ask(at);
    ask(at, { group: { kind: "address", address: "10.9.8.7" } });
    settle(at.pair);
    expect(at.told.member.map((one) => one.group)).toEqual([GROUP, { kind: "address", address: "10.9.8.7" }]);
  });
});

describe("a policy that GDOI cannot tell", () => {
  it.each([
    ["a KEK with an AEAD cipher", { kek: { ...KEK, suite: { encr: 20, encrKeyBits: 256, integ: 0, kwa: 1 } } }],
    ["rekeys without a signature", { kek: { ...KEK, authentication: { kind: "implicit" } as const } }],
    ["ChaCha20", { dataSas: [{ ...POLICY.dataSas[0]!, suite: { encr: 28, encrKeyBits: 0, integ: 0 } }] }],
  ])("is named before it is tried: %s", (_, change) => {
    expect(obstacle({ ...POLICY, ...change }, DEFAULT_SWITCHES)).toBeTypeOf("string");
    expect(obstacle(POLICY, DEFAULT_SWITCHES)).toBeUndefined();
  });
});
