import { describe, expect, it } from "vitest";
import { concat, u32 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import type { EndpointConfig } from "../../src/ikev1/api.ts";
import { answerAuth, expire, nextDeadline, saNumbers } from "../../src/ikev1/endpoint.ts";
import { testRng } from "../crypto/testRng.ts";
import {
  carryOut,
  connect,
  createPair,
  establishedPair,
  events,
  fqdn,
  inject,
  isUp,
  other,
  outcomesOf,
  type Pair,
  type PairOptions,
  POLICY,
  profile,
  run,
  type SideName,
  settle,
} from "./pair.ts";

const MODES = ["main", "aggressive"] as const;

/** Octets changed, cut off, added or repeated, with the header's length made to fit half of the time. */
function mutated(octets: Uint8Array, rng: ReturnType<typeof testRng>): Uint8Array {
  const copy = octets.slice();
  switch (rng.below(4)) {
    case 0:
      for (let i = 0; i <= rng.below(4); i++) copy[rng.below(copy.length)] = rng.below(256);
      return copy;
    case 1:
      return fitted(copy.subarray(0, rng.below(copy.length)), rng);
    case 2:
      return fitted(concat(copy, rng.bytes(1 + rng.below(40))), rng);
    default: {
      const at = rng.below(copy.length);
      return fitted(concat(copy.subarray(0, at), copy.subarray(rng.below(copy.length))), rng);
    }
  }
}

function fitted(octets: Uint8Array, rng: ReturnType<typeof testRng>): Uint8Array {
  const copy = octets.slice();
  if (copy.length >= 28 && rng.chance(1, 2)) copy.set(u32(copy.length), 24);
  return copy;
}

function total(pair: Pair): number {
  return saNumbers(pair.initiator.endpoint).length + saNumbers(pair.responder.endpoint).length;
}

describe.each(MODES)("mutated datagrams of %s mode", (mode) => {
  it("never throw, and leave an established SA as it is", () => {
    const rng = testRng(`mutations ${mode}`);
    const pair = establishedPair({}, { mode });
    const recorded = pair.sent.map(({ octets, from }) => ({ octets, from }));
    for (let i = 0; i < 3000; i++) {
      const { octets, from } = recorded[rng.below(recorded.length)]!;
      const source = from === "initiator" ? pair.initiator : pair.responder;
      inject(pair, other(pair, source), mutated(octets, rng));
    }
    expect(isUp(pair.initiator) && isUp(pair.responder)).toBe(true);
    expect(outcomesOf(pair.initiator, "established")).toHaveLength(1);
    expect(outcomesOf(pair.responder, "established").map(({ sa }) => sa)).toEqual([1]);
    expect(outcomesOf(pair.responder, "message")).toEqual([]);
  });

  // Notifies and padding behind the proof are covered by no hash (RFC 2407 section 4.6.3): two blocks always are.
  it("before each genuine datagram do not keep the SA from coming up, where what a hash covers is changed", () => {
    const rng = testRng(`interference ${mode}`);
    const pair = createPair();
    connect(pair, { mode });
    while (pair.flight.length > 0) {
      const [next] = pair.flight;
      const { octets } = next!.datagram;
      const isSealed = (octets[19]! & 1) === 1;
      for (let i = 0; isSealed && i < 50; i++) {
        const copy = octets.slice();
        copy[28 + rng.below(32)]! ^= 1 + rng.below(255);
        inject(pair, next!.to, copy);
      }
      settleOne(pair);
    }
    expect(isUp(pair.initiator) && isUp(pair.responder)).toBe(true);
  });
});

/** Delivers the first datagram on its way and no other. */
function settleOne(pair: Pair): void {
  const first = pair.flight.shift()!;
  inject(pair, first.to, first.datagram.octets);
}

describe("a flood of first messages", () => {
  it("is not taken up beyond the limit, and an established SA does not notice", () => {
    const pair = createPair({ responder: { maxInNegotiation: 5 } });
    for (let i = 0; i < 20; i++) connect(pair);
    settle(pair);
    expect(events(pair.responder).filter((name) => name === "isakmp.answered").length).toBeLessThanOrEqual(6);
    expect(pair.responder.endpoint.halfOpen).toBe(0);
    expect(pair.responder.endpoint.dropped.overload).toBeGreaterThan(0);
    expect(total(pair)).toBeLessThan(30);
  });

  it("sent back to its sender is known as a reflection", () => {
    const pair = createPair();
    connect(pair);
    inject(pair, pair.initiator, pair.sent[0]!.octets);
    expect(pair.initiator.endpoint.dropped).toEqual({ reflected: 1 });
  });
});

/** Certificates as long as those of the field, for RSA keys of 2,048 bits. */
const SIGNED: PairOptions = (() => {
  const side = (name: string, certificates: readonly Uint8Array[]): Partial<EndpointConfig> => ({
    policies: [{ ...POLICY, authentication: 3 }],
    profiles: [profile(fqdn(name), { signer: rsaKey(testRng(name), 1024), certificates })],
    keys: [],
  });
  const certificate = new Uint8Array(900).fill(7);
  return { initiator: side("gm1.example", [certificate]), responder: side("ks1.example", [certificate, certificate]) };
})();

function signedPair(options: PairOptions): Pair {
  const pair = createPair(options);
  pair.decide = (at, side, outcome) => {
    if (outcome.kind !== "authenticating") return [];
    const { signer } = at[side.name === "initiator" ? "responder" : "initiator"].endpoint.config.profiles[0]!;
    const answer = { accept: true, publicKey: publicHalf(signer!) } as const;
    return answerAuth(side.endpoint, side.tools, outcome.sa, answer, at.now);
  };
  return pair;
}

/** An initiator that keeps its certificates to itself until message 3, as most do. */
function silent({ initiator, ...options }: PairOptions): PairOptions {
  const profiles = initiator!.profiles!.map(({ certificates: _, ...rest }) => rest);
  return { ...options, initiator: { ...initiator, profiles } };
}

function octetsOf(pair: Pair, name: SideName): number {
  return pair.sent.filter(({ from }) => from === name).reduce((sum, { octets }) => sum + octets.length, 0);
}

describe("a source that has not shown that it reads what is sent there", () => {
  it.each([
    ["main", "a pre-shared key", {}],
    ["aggressive", "a pre-shared key", {}],
    ["main", "RSA signatures", SIGNED],
    ["aggressive", "RSA signatures", SIGNED],
    ["main", "RSA signatures and no certificate in message 1", silent(SIGNED)],
    ["aggressive", "RSA signatures and no certificate in message 1", silent(SIGNED)],
  ] as const)("gets at most three times its octets in %s mode with %s, repetitions counted", (mode, _, options) => {
    for (const copies of [1, 2, 3, 7]) {
      const pair = createPair(options);
      connect(pair, { mode });
      const [first] = pair.flight.splice(0);
      const { octets } = first!.datagram;
      for (let i = 0; i < copies; i++) inject(pair, pair.responder, octets);
      for (;;) {
        const due = nextDeadline(pair.responder.endpoint);
        if (due === undefined) break;
        pair.now = due;
        carryOut(pair, pair.responder, expire(pair.responder.endpoint, pair.responder.tools, due));
      }
      expect(octetsOf(pair, "responder")).toBeLessThanOrEqual(3 * copies * octets.length);
      expect(pair.responder.endpoint.sas.size).toBe(0);
    }
  });

  it("is answered with certificates at once where its own came first", () => {
    const pair = signedPair(SIGNED);
    connect(pair, { mode: "aggressive" });
    settle(pair);
    expect(pair.sent).toHaveLength(3);
    expect(isUp(pair.responder)).toBe(true);
    expect(pair.responder.endpoint.dropped.amplification).toBeUndefined();
  });

  it("gets its answer, certificates and all, when it has asked often enough", () => {
    const pair = signedPair(silent(SIGNED));
    connect(pair, { mode: "aggressive" });
    settle(pair);
    expect(octetsOf(pair, "responder")).toBe(0);
    expect(pair.responder.endpoint.dropped).toEqual({ amplification: 1 });
    run(pair, 45 * SECOND);
    expect(outcomesOf(pair.initiator, "authenticating")[0]!.certificates).toHaveLength(2);
    expect(isUp(pair.initiator) && isUp(pair.responder)).toBe(true);
  });
});
