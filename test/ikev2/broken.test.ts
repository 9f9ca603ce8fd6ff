import { describe, expect, it } from "vitest";
import type { Datagram } from "../../src/base/machine.ts";
import { receive, request } from "../../src/ikev2/endpoint.ts";
import { carryOut, connect, createPair, DELETE_TEK, kinds, type Pair, type Side, step } from "./pair.ts";

/** The pair at the moment at which its n-th datagram is about to arrive. */
function beforeArrival(number: number): { pair: Pair; side: Side; datagram: Datagram } {
  const pair = createPair();
  connect(pair);
  for (let i = 0; i < number; i++) {
    if (pair.flight.length === 0) {
      const { endpoint, tools } = pair.initiator;
      carryOut(pair, pair.initiator, request(endpoint, tools, 1, 42, DELETE_TEK, { tag: "" }, pair.now));
    }
    step(pair);
  }
  if (pair.flight.length === 0) {
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, request(endpoint, tools, 1, 42, DELETE_TEK, { tag: "" }, pair.now));
  }
  const { to, datagram } = pair.flight[0]!;
  return { pair, side: to, datagram };
}

/** All that an endpoint knows, but for what it counts. */
function knowledge(side: Side): unknown {
  return structuredClone({ ...side.endpoint, config: undefined, dropped: undefined });
}

function give(side: Side, datagram: Datagram, octets: Uint8Array, now: number): readonly string[] {
  return receive(side.endpoint, side.tools, { ...datagram, octets }, now).map(({ kind }) => kind);
}

const NAMES = ["IKE_SA_INIT request", "IKE_SA_INIT response", "IKE_AUTH request", "IKE_AUTH response"];
const SEALED = [2, 3, 4, 5];

describe("broken datagrams", () => {
  for (let number = 0; number < 6; number++) {
    it(`${NAMES[number] ?? `message ${number}`} cut short anywhere changes nothing but a counter`, () => {
      const { pair, side, datagram } = beforeArrival(number);
      const before = knowledge(side);
      for (let length = 0; length < datagram.octets.length; length++) {
        expect(give(side, datagram, datagram.octets.subarray(0, length), pair.now)).toEqual(["event"]);
      }
      expect(knowledge(side)).toEqual(before);
      expect(Object.values(side.endpoint.dropped).reduce((sum, count) => sum + count, 0)).toBe(datagram.octets.length);
    });
  }

  for (const number of SEALED) {
    it(`${NAMES[number] ?? `message ${number}`} with any one bit flipped changes nothing but a counter`, () => {
      const { pair, side, datagram } = beforeArrival(number);
      const before = knowledge(side);
      for (let bit = 0; bit < 8 * datagram.octets.length; bit++) {
        const octets = datagram.octets.slice();
        octets[bit >> 3]! ^= 1 << (bit & 7);
        const kinds = give(side, datagram, octets, pair.now);
        expect(kinds, `bit ${bit}`).toEqual(["event"]);
      }
      expect(knowledge(side)).toEqual(before);
    });
  }

  it("the endpoint goes on where it was", () => {
    const { pair, side, datagram } = beforeArrival(2);
    give(side, datagram, datagram.octets.subarray(1), pair.now);
    while (pair.flight.length > 0) step(pair);
    expect(kinds(pair.initiator)).toEqual(["established"]);
  });
});
