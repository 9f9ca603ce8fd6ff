import { describe, expect, it } from "vitest";
import { type Bytes, EMPTY, toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { answer, close, finish, forget, inform, open, probe } from "../../src/ikev1/endpoint.ts";
import { IsakmpNotifyType } from "../../src/wire/isakmpNumbers.ts";
import type { IsakmpPayload } from "../../src/wire/isakmpPayloads.ts";
import {
  acceptAll,
  carryOut,
  closedReasons,
  connect,
  createPair,
  type Decide,
  establishedPair,
  events,
  inject,
  isUp,
  outcomesOf,
  type Pair,
  run,
  settle,
} from "./pair.ts";

const PULL = 32;

function nonce(fill: number): IsakmpPayload {
  return { kind: "NONCE", body: { data: new Uint8Array(16).fill(fill) } };
}

/** Four messages, as a PULL has them: nonces in the first two, then a message that is HASH alone, then a last one. */
const fourMessages: Decide = (pair, side, outcome) => {
  if (outcome.kind !== "message") return acceptAll(pair, side, outcome);
  const { sa, messageId, index } = outcome;
  const { endpoint, tools } = side;
  if (index === 4) {
    finish(endpoint, tools, sa, messageId, pair.now);
    return [];
  }
  const payloads = [[nonce(2)], [], [nonce(3)]][index - 1]!;
  return answer(endpoint, tools, sa, messageId, payloads, index === 3, pair.now);
};

function established(mode: "main" | "aggressive" = "main"): Pair {
  const pair = establishedPair({}, { mode });
  pair.decide = fourMessages;
  return pair;
}

function ask(pair: Pair): void {
  const { endpoint, tools } = pair.initiator;
  carryOut(pair, pair.initiator, open(endpoint, tools, 1, PULL, [nonce(1)], pair.now).outcomes);
}

function indices(pair: Pair): number[][] {
  return [pair.initiator, pair.responder].map((side) => outcomesOf(side, "message").map(({ index }) => index));
}

describe("an exchange of phase 2", () => {
  it("passes four messages, and nothing is left of it in the end", () => {
    const pair = established();
    ask(pair);
    settle(pair);
    expect(indices(pair)).toEqual([
      [2, 4],
      [1, 3],
    ]);
    run(pair);
    for (const { endpoint } of [pair.initiator, pair.responder]) expect(endpoint.sas.get(1)!.phase2.size).toBe(0);
  });

  it("survives every pattern of losses among its first six datagrams, and each message is taken once", () => {
    for (let pattern = 0; pattern < 64; pattern++) {
      const pair = established();
      const first = pair.sent.length;
      pair.lose = (number) => number - first < 6 && ((pattern >> (number - first)) & 1) === 1;
      ask(pair);
      run(pair, 400 * SECOND);
      const expected =
        pattern === 63
          ? [[], []]
          : [
              [2, 4],
              [1, 3],
            ];
      expect(indices(pair), pattern.toString(2)).toEqual(expected);
      if (pattern === 63) expect(outcomesOf(pair.initiator, "unanswered")).toMatchObject([{ exchange: PULL }]);
      expect(isUp(pair.initiator)).toBe(true);
    }
  });

  it("may run several times at once, interleaved", () => {
    const pair = established();
    ask(pair);
    ask(pair);
    ask(pair);
    settle(pair);
    expect(indices(pair)).toEqual([
      [2, 2, 2, 4, 4, 4],
      [1, 1, 1, 3, 3, 3],
    ]);
  });

  it("makes an Aggressive Mode whole whose last message got lost", () => {
    const pair = createPair();
    pair.decide = (at, side, outcome) => fourMessages(at, side, outcome);
    pair.lose = (number) => number === 2;
    connect(pair, { mode: "aggressive" });
    settle(pair);
    ask(pair);
    run(pair, 30 * SECOND);
    expect(isUp(pair.responder)).toBe(true);
    expect(indices(pair)).toEqual([
      [2, 4],
      [1, 3],
    ]);
  });

  it("does not go on with an altered message, and goes on with the genuine one", () => {
    const pair = established();
    ask(pair);
    const [request] = pair.flight.splice(0);
    const octets = request!.datagram.octets;
    // No hash covers version and flags. Nor the exchange type, but 32 becomes one that is refused.
    for (let bit = 0; bit < 8 * octets.length; bit++) {
      const at = bit >> 3;
      if (at === 17 || at === 19) continue;
      const copy = octets.slice();
      copy[at]! ^= 1 << (bit & 7);
      inject(pair, pair.responder, copy);
    }
    pair.flight.length = 0;
    expect(outcomesOf(pair.responder, "message")).toEqual([]);
    expect(pair.responder.endpoint.sas.get(1)!.phase2.size).toBe(0);
    pair.flight.push(request!);
    settle(pair);
    expect(indices(pair)).toEqual([
      [2, 4],
      [1, 3],
    ]);
  });

  it("of a number that nobody serves is refused", () => {
    const pair = established();
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, open(endpoint, tools, 1, 33, [nonce(1)], pair.now).outcomes);
    settle(pair);
    expect(outcomesOf(pair.initiator, "notified").map(({ notify }) => notify.type)).toEqual([29]);
    const refusals = outcomesOf(pair.initiator, "event").filter(({ name }) => name === "isakmp.refused");
    expect(refusals.map(({ data }) => [data.side, data.notify])).toEqual([["remote", 29]]);
  });

  it("is dropped where a peer has too many under way", () => {
    const pair = established();
    pair.decide = () => [];
    for (let i = 0; i < 70; i++) ask(pair);
    settle(pair);
    expect(pair.responder.endpoint.dropped.busy).toBe(6);
    expect(pair.responder.endpoint.sas.get(1)!.phase2.size).toBe(64);
  });
});

describe("Informational", () => {
  it("a Delete ends the SA on both sides, and a replay of any message finds nothing", () => {
    const pair = established();
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, close(endpoint, tools, 1, pair.now));
    settle(pair);
    expect([closedReasons(pair.initiator), closedReasons(pair.responder)]).toEqual([
      ["deletedByUs"],
      ["deletedByPeer"],
    ]);
    const { responder } = pair;
    for (const { octets, from } of [...pair.sent]) if (from === "initiator") inject(pair, responder, octets);
    expect(isUp(responder)).toBe(false);
    expect(responder.endpoint.byCookie.size).toBe(responder.endpoint.sas.size);
  });

  it("a Delete in clear, or altered, changes nothing", () => {
    const pair = established();
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, close(endpoint, tools, 1, pair.now));
    const { octets } = pair.flight.splice(0)[0]!.datagram;
    for (let at = 20; at < octets.length; at++) inject(pair, pair.responder, altered(octets, at));
    expect(isUp(pair.responder)).toBe(true);
  });

  it("notifies and Deletes of other SAs go to the room above, once", () => {
    const pair = established();
    const { endpoint, tools } = pair.initiator;
    const payloads: IsakmpPayload[] = [
      { kind: "N", body: { doi: 2, protocol: 1, type: 40_000, spi: EMPTY, data: Uint8Array.of(7) } },
      { kind: "D", body: { doi: 1, protocol: 3, spiSize: 4, spis: [Uint8Array.of(1, 2, 3, 4)] } },
    ];
    for (const payload of payloads) carryOut(pair, pair.initiator, inform(endpoint, tools, 1, payload, pair.now));
    for (const { datagram } of [...pair.flight]) pair.flight.push({ ...pair.flight[0]!, datagram });
    settle(pair);
    expect(outcomesOf(pair.responder, "notified").map(({ notify }) => notify.type)).toEqual([40_000]);
    expect(outcomesOf(pair.responder, "deleted").map(({ deletion }) => deletion.spis.map(toHex))).toEqual([
      ["01020304"],
    ]);
    expect(pair.responder.endpoint.dropped.repeated).toBe(2);
  });

  it("INITIAL-CONTACT of a peer that started anew drops its older SA", () => {
    const pair = established();
    forget(pair.initiator.endpoint, 1);
    connect(pair);
    settle(pair);
    expect(closedReasons(pair.responder)).toEqual(["replaced"]);
    expect(pair.responder.endpoint.sas.size).toBe(1);
    expect(events(pair.responder)).toContain("isakmp.initialContact");
  });

  it("a second SA beside a first one that both know of is not a first contact", () => {
    const pair = established();
    connect(pair);
    settle(pair);
    expect(pair.responder.endpoint.sas.size).toBe(2);
  });
});

function altered(octets: Bytes, at: number): Bytes {
  const copy = octets.slice();
  copy[at]! ^= 0x80;
  return copy;
}

describe("dead peer detection", () => {
  const dpd = { idleMicros: 10 * SECOND, retransmit: { first: 2 * SECOND, factor: 1, repeats: 3 } };

  it("asks a silent peer, which answers, and the SA stands", () => {
    const pair = establishedPair({ initiator: { dpd } });
    const before = pair.sent.length;
    run(pair, 25 * SECOND);
    expect(pair.sent.slice(before).map(({ from }) => from)).toEqual([
      "initiator",
      "responder",
      "initiator",
      "responder",
    ]);
    expect(isUp(pair.initiator)).toBe(true);
  });

  it("gives a peer up that answers none of four questions", () => {
    const pair = establishedPair({ initiator: { dpd } });
    pair.lose = (_, from) => from === "responder";
    run(pair, 100 * SECOND);
    expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
    expect(events(pair.initiator)).toContain("isakmp.dead");
    const questions = pair.sent.filter(({ from, at }) => from === "initiator" && at > SECOND);
    expect(questions.map(({ at }) => Math.round(at / SECOND))).toEqual([10, 12, 14, 16]);
  });

  it("an old question that comes again is not answered", () => {
    const pair = established();
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, probe(endpoint, tools, 1, pair.now));
    const question = pair.flight[0]!.datagram.octets;
    settle(pair);
    const before = pair.sent.length;
    inject(pair, pair.responder, question);
    expect(pair.sent).toHaveLength(before);
    expect(pair.responder.endpoint.dropped).toEqual({ repeated: 1 });
    expect(IsakmpNotifyType["R-U-THERE"]).toBe(36136);
  });
});

describe("a NAT on the way", () => {
  const outside = { address: "203.0.113.9", port: 1024 };

  it.each(["main", "aggressive"] as const)(
    "moves %s mode to port 4500 with the marker, and keeps the mapping alive",
    (mode) => {
      const pair = createPair({ port: 500 });
      pair.translate = (source, from) =>
        from === "initiator" ? { ...outside, port: outside.port + source.port } : source;
      pair.restore = (target, from) =>
        from === "responder" ? { address: "192.0.2.1", port: target.port - outside.port } : target;
      connect(pair, { mode });
      run(pair, 45 * SECOND);
      expect(isUp(pair.initiator) && isUp(pair.responder)).toBe(true);
      expect(pair.responder.endpoint.sas.get(1)!.remote).toEqual({ address: "203.0.113.9", port: 1024 + 4500 });
      expect(events(pair.responder)).toContain("isakmp.natDetected");
      const floated = pair.sent.filter(({ from, remote }) => from === "initiator" && remote.port === 4500);
      expect(floated.slice(0, 3).map(({ octets }) => toHex(octets.subarray(0, 4)))).toEqual(["00000000", "ff", "ff"]);
    },
  );

  it("does not matter where detection is switched off", () => {
    const pair = createPair({ initiator: { nat: { detect: false } } });
    pair.translate = (source, from) => (from === "initiator" ? { ...outside } : source);
    pair.restore = (target, from) => (from === "responder" ? { address: "192.0.2.1", port: 848 } : target);
    connect(pair);
    settle(pair);
    expect(isUp(pair.responder)).toBe(true);
    expect(pair.responder.endpoint.sas.get(1)!.nat).toEqual({ peerBehindNat: false, weBehindNat: false });
  });
});
