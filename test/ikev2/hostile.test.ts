/** A peer that holds the keys and breaks the rules: random payloads in genuine messages, of every exchange. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { receive, request, saNumbers } from "../../src/ikev2/endpoint.ts";
import { counterIv, directionKeys, sealChain } from "../../src/ikev2/protect.ts";
import { Exchange, FLAG_INITIATOR, FLAG_RESPONSE } from "../../src/wire/ikev2Numbers.ts";
import { encodeChain, IKEV2, type Payload, RFC9838 } from "../../src/wire/payloads.ts";
import { carryOut, connect, createPair, DELETE_TEK, establishedPair, kinds, type Pair, settle, step } from "./pair.ts";

const EXCHANGES = [...Exchange.space.names.keys()];

/** A genuine message of the initiator to the responder, with whatever inside. */
function sealed(pair: Pair, exchange: number, messageId: number, flags: number, first: number, inner: Bytes): Bytes {
  const sa = pair.initiator.endpoint.sas.get(1)!;
  const keys = sa.keys!;
  const { spiInitiator, spiResponder } = sa;
  const head = { spiInitiator, spiResponder, exchange, flags, messageId };
  const direction = directionKeys(keys, true);
  return sealChain(native, keys.protection, direction, { head, first, inner, iv: counterIv(1000) });
}

function give(pair: Pair, octets: Bytes): void {
  const { endpoint, tools, address } = pair.responder;
  const datagram = { local: address, remote: pair.initiator.address, octets };
  carryOut(pair, pair.responder, receive(endpoint, tools, datagram, pair.now));
}

describe("a peer that breaks the rules", () => {
  it("random octets inside a genuine message of any exchange never throw", () => {
    const message = fc.record({
      exchange: fc.constantFrom(...EXCHANGES),
      response: fc.boolean(),
      first: fc.oneof(fc.constant(0), fc.integer({ min: 30, max: 60 })),
      inner: fc.uint8Array({ maxLength: 120 }),
      authenticated: fc.boolean(),
    });
    fc.assert(
      fc.property(message, ({ exchange, response, first, inner, authenticated }) => {
        const pair = createPair();
        connect(pair);
        while (pair.initiator.endpoint.sas.get(1)!.phase.at === "initSent") step(pair);
        if (authenticated) settle(pair);
        const flags = FLAG_INITIATOR | (response ? FLAG_RESPONSE : 0);
        give(pair, sealed(pair, exchange, authenticated ? 2 : 1, flags, first, inner));
        settle(pair);
      }),
      { numRuns: 400 },
    );
  });

  it("well-formed payloads in any mixture never throw", () => {
    const octets = fc.uint8Array({ maxLength: 40 });
    const selectors = fc.array(
      fc.constantFrom(
        { type: 7, ipProtocol: 0, startPort: 0, endPort: 65535, startAddress: "10.0.0.0", endAddress: "10.0.0.255" },
        { type: 7, ipProtocol: 0, startPort: 9, endPort: 1, startAddress: "10.0.0.9", endAddress: "10.0.0.1" },
      ),
      { maxLength: 3 },
    );
    const transform = fc.record({
      type: fc.integer({ min: 1, max: 14 }),
      id: fc.constantFrom(0, 1, 5, 12, 20, 31),
      attributes: fc.constantFrom([], [{ kind: "KEY_LENGTH" as const, value: 256 }]),
    });
    const proposal = fc.record({
      number: fc.integer({ min: 0, max: 3 }),
      protocol: fc.constantFrom(1, 3, 9),
      spi: fc.uint8Array({ maxLength: 9 }),
      transforms: fc.array(transform, { maxLength: 5 }),
    });
    const payload: fc.Arbitrary<Payload> = fc.oneof(
      fc.record({
        kind: fc.constant("SA" as const),
        body: fc.record({ proposals: fc.array(proposal, { maxLength: 3 }) }),
      }),
      fc.record({ kind: fc.constant("NONCE" as const), body: fc.record({ data: octets }) }),
      fc.record({
        kind: fc.constant("KE" as const),
        body: fc.record({ group: fc.constantFrom(0, 14, 31, 99), data: octets }),
      }),
      fc.record({ kind: fc.constantFrom("TSi" as const, "TSr" as const), body: fc.record({ selectors }) }),
      fc.record({
        kind: fc.constant("N" as const),
        body: fc.record({
          protocol: fc.constantFrom(0, 3),
          type: fc.constantFrom(7, 14, 17, 24, 43, 44, 16385, 16391, 16393),
          spi: fc.uint8Array({ maxLength: 4 }),
          data: octets,
        }),
      }),
      fc.record({
        kind: fc.constant("D" as const),
        body: fc.record({
          protocol: fc.constantFrom(1, 3),
          spiSize: fc.constant(4),
          spis: fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { maxLength: 3 }),
        }),
      }),
    );
    const exchange = fc.constantFrom(Exchange.CREATE_CHILD_SA, Exchange.INFORMATIONAL, Exchange.GSA_INBAND_REKEY);
    fc.assert(
      fc.property(exchange, fc.array(payload, { maxLength: 6 }), (number, payloads) => {
        const pair = establishedPair();
        const { first, octets: inner } = encodeChain(payloads, RFC9838);
        give(pair, sealed(pair, number, 2, FLAG_INITIATOR, first, inner));
        settle(pair);
      }),
      { numRuns: 400 },
    );
  });

  it("an unknown payload that must be understood is refused by its number, and the SA stands", () => {
    const pair = establishedPair();
    const odd: Payload = { kind: "unknown", type: 99, critical: true, body: new Uint8Array(3) };
    const { first, octets } = encodeChain([odd], IKEV2);
    give(pair, sealed(pair, Exchange.INFORMATIONAL, 2, FLAG_INITIATOR, first, octets));
    expect(saNumbers(pair.responder.endpoint)).toEqual([1]);
    expect(pair.flight).toHaveLength(1);
  });

  it("nonsense under good protection ends the SA on both sides", () => {
    const pair = establishedPair();
    const sa = pair.initiator.endpoint.sas.get(1)!;
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, request(endpoint, tools, 1, 42, DELETE_TEK, { tag: "" }, pair.now));
    pair.flight.length = 0;
    expect(sa.out.nextId).toBe(3);
    give(pair, sealed(pair, 42, 2, FLAG_INITIATOR, 33, Uint8Array.of(0, 0, 0, 9)));
    settle(pair);
    expect(kinds(pair.responder).at(-1)).toBe("closed");
    expect(kinds(pair.initiator).at(-1)).toBe("closed");
  });
});

describe("the state of an endpoint", () => {
  it("is plain data: a copy of it goes on in the same way", () => {
    const pair = establishedPair();
    const copy = { ...pair, initiator: { ...pair.initiator, endpoint: structuredClone(pair.initiator.endpoint) } };
    const ask = (which: Pair) =>
      request(which.initiator.endpoint, pair.initiator.tools, 1, 42, DELETE_TEK, { tag: "" }, pair.now);
    expect(ask(copy)).toEqual(ask(pair));
    expect(copy.initiator.endpoint).toEqual(pair.initiator.endpoint);
  });
});
