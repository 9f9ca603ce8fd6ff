import { describe, expect, it } from "vitest";
import { concat, u32 } from "../../src/base/bytes.ts";
import { saNumbers } from "../../src/ikev1/endpoint.ts";
import { testRng } from "../crypto/testRng.ts";
import {
  connect,
  createPair,
  establishedPair,
  events,
  inject,
  isUp,
  other,
  outcomesOf,
  type Pair,
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
