import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { ChildPolicy, ChildProposal, ChildView } from "../../src/ikev2/api.ts";
import {
  close,
  createChild,
  deleteChild,
  rekeyChild,
  rekeySa,
  request,
  saNumbers,
  saView,
} from "../../src/ikev2/endpoint.ts";
import type { AddressSelector } from "../../src/wire/ikev2.ts";
import {
  carryOut,
  closedReasons,
  connect,
  createPair,
  DELETE_TEK,
  events,
  fqdn,
  kinds,
  outcomesOf,
  type Pair,
  type PairOptions,
  pskProfile,
  run,
  type Side,
  SUITE,
  settle,
  step,
} from "./pair.ts";

function net(startAddress: string, endAddress: string): AddressSelector {
  return { type: 7, ipProtocol: 0, startPort: 0, endPort: 65535, startAddress, endAddress };
}

const LEFT = net("10.1.0.0", "10.1.255.255");
const RIGHT = net("10.2.0.0", "10.2.255.255");
const ESP: ChildProposal = { encr: [{ id: 20, keyBits: 256 }], integ: [], dh: [], sn: [0] };
const LEFT_POLICY: ChildPolicy = {
  proposals: [ESP],
  mode: "tunnel",
  localSelectors: [LEFT],
  remoteSelectors: [RIGHT],
};
const RIGHT_POLICY: ChildPolicy = { ...LEFT_POLICY, localSelectors: [RIGHT], remoteSelectors: [LEFT] };

interface Change {
  readonly left?: Partial<ChildPolicy>;
  readonly right?: Partial<ChildPolicy>;
  readonly options?: PairOptions;
  readonly lifetimeSeconds?: number;
  readonly atLifetime?: "rekey" | "reauthenticate";
}

function childPair(change: Change = {}): Pair {
  const { lifetimeSeconds = 0, atLifetime } = change;
  const profile = (name: string, child: ChildPolicy) =>
    pskProfile(fqdn(name), "shared", { child, lifetimeSeconds, atLifetime });
  const left = { ...LEFT_POLICY, ...change.left };
  const right = { ...RIGHT_POLICY, ...change.right };
  const pair = createPair({
    ...change.options,
    initiator: { profiles: [profile("gm1.example", left)], ...change.options?.initiator },
    responder: { profiles: [profile("ks1.example", right)], ...change.options?.responder },
  });
  connect(pair, { child: left });
  settle(pair);
  return pair;
}

/** Pairs that a side's data plane holds. */
function held(side: Side): ChildView[] {
  const views = new Map<number, ChildView>();
  for (const outcome of side.log) {
    if (outcome.kind === "child") views.set(outcome.child.inboundSpi, outcome.child);
    if (outcome.kind === "childClosed") views.delete(outcome.inboundSpi);
  }
  return [...views.values()];
}

/** The same pairs on both sides, seen from both ends, with the same keys. */
function expectAgreement(pair: Pair, count: number): void {
  const mine = held(pair.initiator);
  const theirs = held(pair.responder);
  expect([mine.length, theirs.length]).toEqual([count, count]);
  for (const view of mine) {
    const twin = theirs.find((entry) => entry.inboundSpi === view.outboundSpi)!;
    expect(twin.outboundSpi).toBe(view.inboundSpi);
    expect(toHex(twin.inbound.encr.secret)).toBe(toHex(view.outbound.encr.secret));
    expect(toHex(twin.outbound.encr.secret)).toBe(toHex(view.inbound.encr.secret));
    expect(toHex(twin.outbound.integ.secret)).toBe(toHex(view.inbound.integ.secret));
    expect(twin.localSelectors).toEqual(view.remoteSelectors);
  }
  for (const side of [pair.initiator, pair.responder]) expect(side.endpoint.childSpis?.size ?? 0).toBe(count);
}

function current(side: Side): number {
  return saNumbers(side.endpoint)[0]!;
}

function startRekey(pair: Pair, side: Side): void {
  const spi = held(side).at(-1)!.inboundSpi;
  carryOut(pair, side, rekeyChild(side.endpoint, side.tools, current(side), spi, pair.now));
}

function startIkeRekey(pair: Pair, side: Side): void {
  carryOut(pair, side, rekeySa(side.endpoint, side.tools, current(side), pair.now));
}

const PFS: Partial<ChildPolicy> = { proposals: [{ ...ESP, dh: [31] }] };

describe("a Child SA with IKE_AUTH", () => {
  it("comes up on both sides with the same keys", () => {
    const pair = childPair();
    expectAgreement(pair, 1);
    expect(kinds(pair.initiator)).toEqual(["established", "child"]);
    expect(pair.sent).toHaveLength(4);
  });

  it("with block cipher and integrity algorithm", () => {
    const proposals = [{ encr: [{ id: 12, keyBits: 256 }], integ: [12], dh: [], sn: [0] }];
    const pair = childPair({ left: { proposals }, right: { proposals } });
    expectAgreement(pair, 1);
    expect(held(pair.initiator)[0]!.inbound.integ.secret).toHaveLength(32);
  });

  it("its selectors are narrowed to what the responder allows", () => {
    const pair = childPair({ left: { remoteSelectors: [net("10.0.0.0", "10.255.255.255")] } });
    expectAgreement(pair, 1);
    expect(held(pair.initiator)[0]!.remoteSelectors).toEqual([RIGHT]);
  });

  it("transport mode is used where both want it", () => {
    expect(held(childPair({ left: { mode: "transport" } }).initiator)[0]!.mode).toBe("tunnel");
    const both = childPair({ left: { mode: "transport" }, right: { mode: "transport" } });
    expect(held(both.initiator)[0]!.mode).toBe("transport");
    expect(held(both.responder)[0]!.mode).toBe("transport");
  });

  it("no common selector or algorithm refuses the child, and the IKE SA stands", () => {
    const cases: readonly [Partial<ChildPolicy>, number][] = [
      [{ remoteSelectors: [net("172.16.0.0", "172.16.0.255")] }, 38],
      [{ proposals: [{ ...ESP, encr: [{ id: 12, keyBits: 128 }], integ: [12] }] }, 14],
    ];
    for (const [left, notify] of cases) {
      const pair = childPair({ left });
      expect(outcomesOf(pair.initiator, "childRefused")).toEqual([{ kind: "childRefused", sa: 1, notify }]);
      expect(saView(pair.responder.endpoint, 1)!.established).toBe(true);
      expectAgreement(pair, 0);
    }
  });

  it("goes with its IKE SA", () => {
    const pair = childPair();
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, close(endpoint, tools, 1, pair.now));
    settle(pair);
    expectAgreement(pair, 0);
    expect(outcomesOf(pair.responder, "childClosed")[0]!.reason).toBe("withIkeSa");
  });
});

describe("CREATE_CHILD_SA", () => {
  it("makes a second pair, with and without perfect forward secrecy, asked for by either side", () => {
    for (const which of ["initiator", "responder"] as const) {
      for (const change of [{}, PFS]) {
        const pair = childPair({ left: change, right: change });
        const side = pair[which];
        const policy = { ...(which === "initiator" ? LEFT_POLICY : RIGHT_POLICY), ...change };
        carryOut(pair, side, createChild(side.endpoint, side.tools, 1, policy, pair.now));
        settle(pair);
        expectAgreement(pair, 2);
      }
    }
  });

  it("a group that the responder does not want is asked for again with INVALID_KE_PAYLOAD", () => {
    const pair = childPair({ right: { proposals: [{ ...ESP, dh: [19] }] } });
    const policy = { ...LEFT_POLICY, proposals: [{ ...ESP, dh: [31, 19] }] };
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, createChild(endpoint, tools, 1, policy, pair.now));
    settle(pair);
    expectAgreement(pair, 2);
  });

  it("a pair is deleted with one exchange", () => {
    const pair = childPair();
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, deleteChild(endpoint, tools, 1, held(pair.initiator)[0]!.inboundSpi, pair.now));
    settle(pair);
    expectAgreement(pair, 0);
    expect(pair.sent).toHaveLength(6);
  });

  it("two Deletes of one pair that cross leave nothing", () => {
    const pair = childPair();
    for (const side of [pair.initiator, pair.responder]) {
      const spi = held(side)[0]!.inboundSpi;
      carryOut(pair, side, deleteChild(side.endpoint, side.tools, 1, spi, pair.now));
    }
    settle(pair);
    expectAgreement(pair, 0);
  });
});

describe("fresh keys for a Child SA", () => {
  for (const change of [{}, PFS]) {
    it(`${"proposals" in change ? "with" : "without"} perfect forward secrecy, by either side in turn`, () => {
      const pair = childPair({ left: change, right: change });
      for (const side of [pair.initiator, pair.responder]) {
        const before = held(side)[0]!.inboundSpi;
        startRekey(pair, side);
        settle(pair);
        expectAgreement(pair, 1);
        expect(held(side)[0]!.inboundSpi).not.toBe(before);
        expect(held(side)[0]!.replaces).toBe(before);
      }
    });
  }

  it("come by themselves before the lifetime ends, and no instant is without a pair", () => {
    const life = { lifetimeSeconds: 100 };
    const pair = childPair({ left: life, right: life });
    while (pair.now < 1000 * SECOND && step(pair)) {
      expect(held(pair.initiator).length).toBeGreaterThan(0);
      expect(held(pair.responder).length).toBeGreaterThan(0);
    }
    expect(outcomesOf(pair.initiator, "child").length).toBeGreaterThan(9);
    expect(held(pair.initiator)).toHaveLength(1);
  });

  /*
   *   initiator         responder
   *       rekey --. .-- rekey        both ask before either hears
   *             <-' `->
   *         answer -. .- answer      two new pairs on each side
   *             <---' `--->
   *   whoever made the pair with the lowest of the four nonces deletes it, the other deletes the old one
   */
  it("asked for by both sides at once, leave one pair, whichever nonces are drawn", () => {
    const survivors = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const pair = childPair({ options: { seed: `collision ${i}` } });
      for (const side of [pair.initiator, pair.responder]) startRekey(pair, side);
      settle(pair);
      expectAgreement(pair, 1);
      const redundant = outcomesOf(pair.initiator, "childClosed").some(({ reason }) => reason === "redundant");
      survivors.add(redundant ? "responder" : "initiator");
      expect(outcomesOf(pair.initiator, "childClosed")).toHaveLength(2);
    }
    expect(survivors.size).toBe(2);
  });

  it("asked for by both at once, leave one pair under every pattern of losses among the first seven datagrams", () => {
    for (let pattern = 0; pattern < 128; pattern++) {
      const pair = childPair({ options: { seed: `losses ${pattern % 4}` } });
      const first = pair.sent.length;
      pair.lose = (number) => number >= first && number < first + 7 && ((pattern >> (number - first)) & 1) === 1;
      for (const side of [pair.initiator, pair.responder]) startRekey(pair, side);
      run(pair, 200 * SECOND);
      expect(
        [pair.initiator, pair.responder].map((side) => held(side).length),
        `pattern ${pattern}`,
      ).toEqual([1, 1]);
      expectAgreement(pair, 1);
      expect(outcomesOf(pair.initiator, "childRefused")).toEqual([]);
    }
  });

  it("the request of the other side arrives when the pair is being closed: TEMPORARY_FAILURE, and one pair is left", () => {
    const pair = childPair();
    startRekey(pair, pair.responder);
    const late = pair.flight.shift()!;
    startRekey(pair, pair.initiator);
    // The initiator's rekey is answered and its Delete is under way when the late request comes in.
    step(pair);
    step(pair);
    pair.flight.unshift({ ...late, at: pair.now });
    settle(pair);
    run(pair, pair.now + 10 * SECOND);
    expectAgreement(pair, 1);
  });

  it("survive every loss of one datagram", () => {
    for (let lost = 0; lost < 4; lost++) {
      const pair = childPair();
      const first = pair.sent.length;
      pair.lose = (number) => number === first + lost;
      startRekey(pair, pair.initiator);
      run(pair, 20 * SECOND);
      expectAgreement(pair, 1);
    }
  });
});

function user(pair: Pair, side: Side, tag: string): void {
  carryOut(pair, side, request(side.endpoint, side.tools, current(side), 42, DELETE_TEK, { tag }, pair.now));
}

describe("fresh keys for the IKE SA", () => {
  it("the successor takes over children and requests, the old SA goes quietly", () => {
    for (const which of ["initiator", "responder"] as const) {
      const pair = childPair();
      const side = pair[which];
      const before = saView(side.endpoint, 1)!;
      startIkeRekey(pair, side);
      settle(pair);
      for (const each of [pair.initiator, pair.responder]) {
        expect(saNumbers(each.endpoint)).toEqual([2]);
        expect(outcomesOf(each, "rekeyed")).toEqual([{ kind: "rekeyed", sa: 1, successor: 2 }]);
        expect(closedReasons(each)).toEqual([]);
      }
      const views = [pair.initiator, pair.responder].map((each) => saView(each.endpoint, 2)!);
      expect(toHex(views[0]!.skD!.secret)).toBe(toHex(views[1]!.skD!.secret));
      expect(toHex(views[0]!.skD!.secret)).not.toBe(toHex(before.skD!.secret));
      expect(saView(side.endpoint, 2)!.initiator).toBe(true);
      user(pair, pair.initiator, "over the new SA");
      settle(pair);
      expect(outcomesOf(pair.initiator, "response")).toHaveLength(1);
      startRekey(pair, pair.responder);
      settle(pair);
      expectAgreement(pair, 1);
      run(pair);
      expect(pair.initiator.endpoint.sas.size + pair.responder.endpoint.sas.size).toBe(2);
    }
  });

  it("requests that wait in line meanwhile leave over the successor", () => {
    const pair = childPair();
    startIkeRekey(pair, pair.initiator);
    carryOut(
      pair,
      pair.initiator,
      request(pair.initiator.endpoint, pair.initiator.tools, 1, 42, DELETE_TEK, { tag: "queued" }, pair.now),
    );
    settle(pair);
    expect(outcomesOf(pair.initiator, "response")[0]).toMatchObject({ sa: 2, tag: "queued" });
    expect(outcomesOf(pair.responder, "request")[0]!.sa).toBe(2);
  });

  it("asked for by both sides at once, leave one SA with the children, whichever nonces are drawn", () => {
    const survivors = new Set<boolean>();
    for (let i = 0; i < 12; i++) {
      const pair = childPair({ options: { seed: `ike collision ${i}` } });
      for (const side of [pair.initiator, pair.responder]) startIkeRekey(pair, side);
      settle(pair);
      const numbers = [pair.initiator, pair.responder].map((side) => saNumbers(side.endpoint));
      expect(numbers.map(({ length }) => length)).toEqual([1, 1]);
      const views = [pair.initiator, pair.responder].map((side, n) => saView(side.endpoint, numbers[n]![0]!)!);
      expect(views[0]!.spiInitiator).toBe(views[1]!.spiInitiator);
      expectAgreement(pair, 1);
      survivors.add(views[0]!.initiator);
      run(pair);
      expect(pair.initiator.endpoint.sas.size + pair.responder.endpoint.sas.size).toBe(2);
      expect(closedReasons(pair.initiator).concat(closedReasons(pair.responder))).toEqual([]);
    }
    expect(survivors.size).toBe(2);
  });

  it("asked for by both at once, leave one SA under every pattern of losses among the first seven datagrams", () => {
    for (let pattern = 0; pattern < 128; pattern++) {
      const pair = childPair({ options: { seed: `losses ${pattern % 4}` } });
      const first = pair.sent.length;
      pair.lose = (number) => number >= first && number < first + 7 && ((pattern >> (number - first)) & 1) === 1;
      for (const side of [pair.initiator, pair.responder]) startIkeRekey(pair, side);
      run(pair, 600 * SECOND);
      const numbers = [pair.initiator, pair.responder].map((side) => saNumbers(side.endpoint));
      expect(
        numbers.map(({ length }) => length),
        `pattern ${pattern}`,
      ).toEqual([1, 1]);
      const views = [pair.initiator, pair.responder].map((side, n) => saView(side.endpoint, numbers[n]![0]!)!);
      expect(views[0]!.spiInitiator, `pattern ${pattern}`).toBe(views[1]!.spiInitiator);
      expectAgreement(pair, 1);
      expect(pair.initiator.endpoint.sas.size + pair.responder.endpoint.sas.size).toBe(2);
    }
  });

  it("a Child SA rekey that meets an IKE SA rekey is put off, and both are done in the end", () => {
    const life = { lifetimeSeconds: 400 };
    const pair = childPair({ left: life, right: life });
    startIkeRekey(pair, pair.initiator);
    startRekey(pair, pair.responder);
    run(pair, 390 * SECOND);
    expectAgreement(pair, 1);
    expect(outcomesOf(pair.responder, "child").length).toBeGreaterThan(1);
  });

  it("come by themselves before the lifetime ends", () => {
    const pair = childPair({ lifetimeSeconds: 120, atLifetime: "rekey" });
    run(pair, 1000 * SECOND);
    expect(outcomesOf(pair.initiator, "rekeyed").length).toBeGreaterThanOrEqual(8);
    expect(closedReasons(pair.initiator)).toEqual([]);
    expectAgreement(pair, 1);
  });

  it("survive every loss of one datagram", () => {
    for (let lost = 0; lost < 4; lost++) {
      const pair = childPair();
      const first = pair.sent.length;
      pair.lose = (number) => number === first + lost;
      startIkeRekey(pair, pair.initiator);
      run(pair, 20 * SECOND);
      expect([pair.initiator, pair.responder].map((side) => saNumbers(side.endpoint))).toEqual([[2], [2]]);
      expectAgreement(pair, 1);
    }
  });

  it("another group is asked for where the old one is not wanted any more", () => {
    const pair = childPair();
    Object.assign(pair.responder.endpoint.config, { proposals: [{ ...SUITE, dh: [19] }] });
    Object.assign(pair.initiator.endpoint.config, { proposals: [{ ...SUITE, dh: [31, 19] }] });
    startIkeRekey(pair, pair.initiator);
    settle(pair);
    expect(saView(pair.initiator.endpoint, current(pair.initiator))!.suite.dh).toBe(19);
  });
});

describe("the end of a lifetime", () => {
  it("deletes an SA that is not to be renewed", () => {
    const pair = childPair({ lifetimeSeconds: 120 });
    run(pair);
    expect(closedReasons(pair.initiator)).toEqual(["expired"]);
    expect(pair.initiator.endpoint.sas.size + pair.responder.endpoint.sas.size).toBe(0);
  });

  it("by reauthentication brings a new SA before the old one goes", () => {
    const pair = childPair({ lifetimeSeconds: 120, atLifetime: "reauthenticate" });
    while (pair.now < 300 * SECOND && step(pair)) expect(saNumbers(pair.responder.endpoint).length).toBeGreaterThan(0);
    expect(outcomesOf(pair.initiator, "established").length).toBeGreaterThan(2);
    expect(new Set(closedReasons(pair.initiator))).toEqual(new Set(["replaced"]));
    expect(events(pair.initiator)).not.toContain("ike.rekeyed");
    expectAgreement(pair, 1);
  });
});
