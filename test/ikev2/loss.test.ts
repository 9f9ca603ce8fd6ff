import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { close, request, saView } from "../../src/ikev2/endpoint.ts";
import {
  carryOut,
  closedReasons,
  connect,
  createPair,
  DELAY,
  DELETE_TEK,
  establishedPair,
  kinds,
  outcomesOf,
  type Pair,
  run,
  settle,
} from "./pair.ts";

const INBAND = 42;

function ask(pair: Pair, tag: string, keepSa = false): void {
  const { endpoint, tools } = pair.initiator;
  const retransmit = { first: 10 * SECOND, factor: 1, repeats: 2 };
  carryOut(
    pair,
    pair.initiator,
    request(endpoint, tools, 1, INBAND, DELETE_TEK, { tag, keepSa, retransmit }, pair.now),
  );
}

describe("lost datagrams", () => {
  it("every pattern of losses among the first six datagrams ends in an SA, unless all six tries of the request are lost", () => {
    for (let pattern = 0; pattern < 64; pattern++) {
      const pair = createPair();
      pair.lose = (number) => number < 6 && ((pattern >> number) & 1) === 1;
      connect(pair);
      run(pair, 300 * SECOND);
      const view = saView(pair.initiator.endpoint, 1);
      if (pattern === 63) expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
      else expect(view?.established, `pattern ${pattern.toString(2)}`).toBe(true);
    }
  });

  it("repetitions leave after 2, 4, 8, 16 and 32 seconds, and the attempt ends 64 seconds later", () => {
    const pair = createPair();
    pair.lose = () => true;
    connect(pair);
    run(pair);
    expect(pair.sent.map(({ at }) => at / SECOND)).toEqual([0, 2, 6, 14, 30, 62]);
    expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
    expect(pair.now).toBe(126 * SECOND);
    expect(outcomesOf(pair.initiator, "retransmitted").map(({ repeat }) => repeat)).toEqual([1, 2, 3, 4, 5]);
  });

  it("a repeated request has the same octets and gets the same octets in return", () => {
    const pair = createPair();
    pair.lose = (number) => number === 1 || number === 5;
    connect(pair);
    run(pair, 60 * SECOND);
    const [init, lostAnswer, initAgain, answer, auth, lostAuthAnswer, authAgain, authAnswer] = pair.sent.map((sent) =>
      toHex(sent.octets),
    );
    expect(pair.sent).toHaveLength(8);
    expect(initAgain).toBe(init);
    expect(answer).toBe(lostAnswer);
    expect(authAgain).toBe(auth);
    expect(authAnswer).toBe(lostAuthAnswer);
    expect(kinds(pair.responder)).toEqual(["authenticating", "established"]);
  });

  it("a duplicated request is served once", () => {
    const pair = establishedPair();
    ask(pair, "once");
    pair.flight.push({ ...pair.flight[0]!, order: pair.order++ });
    settle(pair);
    expect(outcomesOf(pair.responder, "request")).toHaveLength(1);
    expect(outcomesOf(pair.initiator, "response")).toHaveLength(1);
    expect(pair.initiator.endpoint.dropped).toEqual({ unexpectedResponse: 1 });
  });

  it("an old request is not answered once the window has moved on", () => {
    const pair = establishedPair();
    ask(pair, "first");
    const old = pair.flight[0]!;
    settle(pair);
    ask(pair, "second");
    settle(pair);
    const before = pair.sent.length;
    pair.flight.push({ ...old, at: pair.now });
    settle(pair);
    expect(pair.sent).toHaveLength(before);
    expect(pair.responder.endpoint.dropped).toEqual({ outOfWindow: 1 });
  });

  it("requests wait in line while the window of one is full, and leave in order", () => {
    const pair = establishedPair();
    for (const tag of ["a", "b", "c"]) ask(pair, tag);
    expect(pair.flight).toHaveLength(1);
    settle(pair);
    expect(outcomesOf(pair.initiator, "response").map(({ tag }) => tag)).toEqual(["a", "b", "c"]);
  });

  it("a window of five lets five requests be under way, and answers may come in any order", () => {
    const pair = establishedPair({ responder: { window: 5 } });
    for (const tag of ["a", "b", "c", "d", "e", "f"]) ask(pair, tag);
    expect(pair.flight).toHaveLength(5);
    pair.flight.reverse();
    settle(pair);
    const tags = outcomesOf(pair.initiator, "response").map(({ tag }) => tag);
    expect(tags.slice(0, 5)).toEqual(["e", "d", "c", "b", "a"]);
    expect(tags[5]).toBe("f");
    expect(pair.responder.endpoint.dropped).toEqual({});
  });

  it("an unanswered request closes the SA", () => {
    const pair = establishedPair();
    pair.lose = () => true;
    ask(pair, "lost");
    run(pair);
    expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
    expect(pair.now - 2 * 2 * DELAY).toBe(30 * SECOND);
  });

  it("with keepSa it is given up alone, and the next request takes it up again so that the peer's window moves", () => {
    const pair = establishedPair();
    pair.lose = () => true;
    ask(pair, "lost", true);
    run(pair, 100 * SECOND);
    expect(outcomesOf(pair.initiator, "unanswered").map(({ tag }) => tag)).toEqual(["lost"]);
    pair.lose = () => false;
    ask(pair, "next", true);
    settle(pair);
    expect(outcomesOf(pair.initiator, "response").map(({ tag }) => tag)).toEqual(["lost", "next"]);
    expect(outcomesOf(pair.responder, "request").map(({ messageId }) => messageId)).toEqual([2, 3]);
  });
});

describe("deletion", () => {
  it("the one who deletes is told at once, the other when the Delete arrives; nothing is left in the end", () => {
    const pair = establishedPair();
    const { endpoint, tools } = pair.initiator;
    carryOut(pair, pair.initiator, close(endpoint, tools, 1, pair.now));
    expect(closedReasons(pair.initiator)).toEqual(["deletedByUs"]);
    settle(pair);
    expect(closedReasons(pair.responder)).toEqual(["deletedByPeer"]);
    run(pair);
    expect(endpoint.sas.size + pair.responder.endpoint.sas.size).toBe(0);
    expect(endpoint.bySpi.size + (pair.responder.endpoint.byInit?.size ?? 0)).toBe(0);
  });

  it("a Delete whose answer is lost is answered again", () => {
    const pair = establishedPair();
    const { endpoint, tools } = pair.responder;
    const first = pair.sent.length;
    pair.lose = (number) => number === first + 1;
    carryOut(pair, pair.responder, close(endpoint, tools, 1, pair.now));
    run(pair, 10 * SECOND);
    expect(pair.sent.slice(first)).toHaveLength(4);
    expect(endpoint.sas.size).toBe(0);
    expect(closedReasons(pair.initiator)).toEqual(["deletedByPeer"]);
  });

  it("two Deletes that cross are both answered", () => {
    const pair = establishedPair();
    for (const side of [pair.initiator, pair.responder]) {
      carryOut(pair, side, close(side.endpoint, side.tools, 1, pair.now));
    }
    settle(pair);
    expect(pair.sent.slice(4)).toHaveLength(4);
    run(pair);
    expect(closedReasons(pair.initiator)).toEqual(["deletedByUs"]);
    expect(closedReasons(pair.responder)).toEqual(["deletedByUs"]);
  });
});
