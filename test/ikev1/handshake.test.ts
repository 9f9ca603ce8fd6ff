import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import type { RsaPrivateKey } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import type { Phase1Mode } from "../../src/ikev1/api.ts";
import { answerAuth, finish, open, saView } from "../../src/ikev1/endpoint.ts";
import { testRng } from "../crypto/testRng.ts";
import {
  acceptAll,
  closedReasons,
  connect,
  createPair,
  type Decide,
  establishedPair,
  events,
  fqdn,
  isUp,
  outcomesOf,
  type PairOptions,
  POLICY,
  profile,
  run,
  settle,
} from "./pair.ts";

const MODES: readonly Phase1Mode[] = ["main", "aggressive"];
const CIPHERS = [
  [1, 0],
  [5, 0],
  [7, 128],
  [7, 192],
  [7, 256],
] as const;
const HASHES = [1, 2, 4, 5, 6];
const GROUPS = [1, 2, 5, 14, 15, 16, 19, 20, 21];

/** Every cipher with every hash, and every group with one of these pairs: 25 suites per mode. */
const SUITES = CIPHERS.flatMap(([encryption, keyBits], i) =>
  HASHES.map((hash, j) => ({ encryption, keyBits, hash, group: GROUPS[(5 * i + j) % GROUPS.length]! })),
);

const keys: readonly RsaPrivateKey[] = [rsaKey(testRng("gm"), 1024), rsaKey(testRng("ks"), 1024)];

/** RSA signatures on both sides; a certificate stands for its key. */
const SIGNED: PairOptions = {
  initiator: {
    policies: [{ ...POLICY, authentication: 3 }],
    profiles: [profile(fqdn("gm1.example"), { signer: keys[0]!, certificates: [utf8("gm1's")] })],
    keys: [],
  },
  responder: {
    policies: [{ ...POLICY, authentication: 3 }],
    profiles: [profile(fqdn("ks1.example"), { signer: keys[1]!, certificates: [utf8("ks1's"), utf8("the CA's")] })],
    keys: [],
  },
};

function trust(initiatorKey: RsaPrivateKey, responderKey: RsaPrivateKey): Decide {
  return (pair, side, outcome) => {
    if (outcome.kind !== "authenticating") return [];
    const publicKey = publicHalf(side.name === "initiator" ? responderKey : initiatorKey);
    return answerAuth(side.endpoint, side.tools, outcome.sa, { accept: true, publicKey }, pair.now);
  };
}

/**
 * The initiator goes on to phase 2 at once, as every room above does: it is how a responder of Aggressive Mode hears that
 * its peer waits, when message 3 got lost more often than message 2 may go to an unverified source.
 */
const goesOn: Decide = (pair, side, outcome) => {
  const { endpoint, tools, name } = side;
  if (outcome.kind === "message") finish(endpoint, tools, outcome.sa, outcome.messageId, pair.now);
  if (outcome.kind !== "established" || name === "responder") return acceptAll(pair, side, outcome);
  return open(endpoint, tools, outcome.sa, 32, [{ kind: "NONCE", body: { data: new Uint8Array(16) } }], pair.now)
    .outcomes;
};

describe.each(MODES)("%s mode", (mode) => {
  it.each(SUITES)("comes up with %o, and both back ends send the same octets", (suite) => {
    const policies = [{ ...POLICY, ...suite }];
    const [first, second] = [native, noble].map((crypto) => {
      const pair = establishedPair({ initiator: { policies }, responder: { policies }, crypto }, { mode });
      expect(isUp(pair.initiator) && isUp(pair.responder)).toBe(true);
      expect(pair.sent).toHaveLength(mode === "main" ? 6 : 3);
      return pair.sent.map(({ octets }) => toHex(octets));
    });
    expect(second).toEqual(first);
  });

  it("tells both sides who the other is", () => {
    const pair = establishedPair({}, { mode, doi: 1 });
    const [initiator, responder] = [pair.initiator, pair.responder].map((side) => outcomesOf(side, "established")[0]);
    expect(initiator).toMatchObject({ initiator: true, identity: fqdn("ks1.example"), doi: 1 });
    expect(responder).toMatchObject({ initiator: false, identity: fqdn("gm1.example"), doi: 1 });
  });

  it("comes up with RSA signatures, and hands over the certificates", () => {
    const pair = createPair(SIGNED);
    pair.decide = trust(keys[0]!, keys[1]!);
    connect(pair, { mode });
    settle(pair);
    expect(isUp(pair.initiator) && isUp(pair.responder)).toBe(true);
    expect(outcomesOf(pair.initiator, "authenticating")[0]).toMatchObject({
      method: 3,
      certificates: [utf8("ks1's"), utf8("the CA's")],
    });
  });

  it("does not come up where a signature is of another key, and nothing but time ends the attempt", () => {
    const pair = createPair(SIGNED);
    pair.decide = trust(keys[1]!, keys[1]!);
    connect(pair, { mode });
    settle(pair);
    expect(isUp(pair.responder)).toBe(false);
    expect(pair.responder.endpoint.dropped.signature).toBe(1);
    expect(closedReasons(pair.responder)).toEqual([]);
    run(pair, 70 * SECOND);
    expect(closedReasons(pair.responder)).toEqual(["timeout"]);
    expect(pair.responder.endpoint.sas.size + pair.responder.endpoint.halfOpen).toBe(0);
  });

  it("does not come up with different pre-shared keys", () => {
    const key = secret(utf8("another"));
    const pair = createPair({ responder: { keys: [{ address: { network: "0.0.0.0", mask: "0.0.0.0" }, key }] } });
    connect(pair, { mode });
    run(pair, 300 * SECOND);
    expect(events(pair.responder)).not.toContain("isakmp.established");
    expect(events(pair.initiator)).not.toContain("isakmp.established");
    expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
    const dropped = mode === "main" ? pair.responder.endpoint.dropped : pair.initiator.endpoint.dropped;
    expect((dropped.garbage ?? 0) + (dropped.hash ?? 0)).toBeGreaterThan(0);
  });

  it("is refused by a room above that does not want the peer, and the peer is told why", () => {
    const pair = createPair();
    pair.decide = (_, side, outcome) => {
      if (outcome.kind !== "authenticating") return [];
      const decision = side.name === "responder" ? ({ accept: false, notify: 24 } as const) : { accept: true as const };
      return answerAuth(side.endpoint, side.tools, outcome.sa, decision, pair.now);
    };
    connect(pair, { mode });
    settle(pair);
    expect(closedReasons(pair.responder)).toEqual(["authenticationFailed"]);
    // The initiator of an Aggressive Mode already took the SA for established.
    const closed = mode === "main" ? { reason: "authenticationFailed", notify: 24 } : { reason: "deletedByPeer" };
    expect(outcomesOf(pair.initiator, "closed")).toMatchObject([closed]);
    expect(events(pair.initiator)).toContain("isakmp.refused");
    expect(isUp(pair.responder)).toBe(false);
  });

  it("comes up over every pattern of losses among the first six datagrams", () => {
    for (let pattern = 0; pattern < 64; pattern++) {
      const pair = createPair();
      pair.decide = goesOn;
      pair.lose = (number) => number < 6 && ((pattern >> number) & 1) === 1;
      connect(pair, { mode });
      run(pair, 400 * SECOND);
      // All tries of message 1 are lost: the attempt ends.
      if (pattern === 63) expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
      else expect([isUp(pair.initiator), isUp(pair.responder)], pattern.toString(2)).toEqual([true, true]);
      expect(outcomesOf(pair.responder, "established").length).toBeLessThanOrEqual(1);
    }
  });

  it("repeats message 1 five times, ten seconds apart, and gives up ten seconds later", () => {
    const pair = createPair();
    pair.lose = () => true;
    connect(pair, { mode });
    run(pair);
    expect(pair.sent.map(({ at }) => at / SECOND)).toEqual([0, 10, 20, 30, 40, 50]);
    expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
    expect(pair.now).toBe(60 * SECOND);
  });
});

describe("proposals", () => {
  it("are chosen by the responder's priority, with the shorter lifetime", () => {
    const strong = { ...POLICY, keyBits: 256, group: 20, lifetimeSeconds: 500 };
    const weak = { ...POLICY, lifetimeSeconds: 900 };
    const pair = establishedPair({
      initiator: { policies: [strong, weak] },
      responder: { policies: [{ ...weak, lifetimeSeconds: 86_400 }, strong] },
    });
    const views = [pair.initiator, pair.responder].map((side) => saView(side.endpoint, 1)!.policy);
    expect(views).toEqual([weak, weak]);
    run(pair, 901 * SECOND);
    expect([closedReasons(pair.initiator), closedReasons(pair.responder)]).toEqual([["deletedByPeer"], ["expired"]]);
  });

  it("that do not meet are refused in clear, which the initiator logs and does not act on", () => {
    const pair = createPair({ responder: { policies: [{ ...POLICY, hash: 4 }] } });
    connect(pair);
    settle(pair);
    expect(outcomesOf(pair.initiator, "event").map(({ name, data }) => [name, data.notify ?? 0])).toContainEqual([
      "isakmp.refused",
      14,
    ]);
    expect(pair.initiator.endpoint.sas.size).toBe(1);
    expect(pair.responder.endpoint.sas.size).toBe(0);
  });

  it("of a DOI that is not served, or of a mode that is switched off, are refused", () => {
    for (const [responder, change, type] of [
      [{ dois: [1] }, {}, 2],
      [{ aggressive: false }, { mode: "aggressive" }, 29],
    ] as const) {
      const pair = createPair({ responder });
      connect(pair, change);
      settle(pair);
      expect(outcomesOf(pair.responder, "event").at(-1)).toMatchObject({ data: { side: "local", notify: type } });
      expect(pair.responder.endpoint.sas.size).toBe(0);
    }
  });

  it("with a pre-shared key are not even made without a key for the peer's address", () => {
    const pair = createPair({ initiator: { keys: [] } });
    connect(pair);
    expect(pair.sent).toHaveLength(0);
    expect(closedReasons(pair.initiator)).toEqual(["authenticationFailed"]);
  });

  it("of Aggressive Mode have one group, and a key may be found by the identity", () => {
    const named = [{ identity: fqdn("gm1.example"), key: secret(utf8("shared")) }];
    const pair = establishedPair(
      { initiator: { policies: [POLICY, { ...POLICY, group: 14 }] }, responder: { keys: named } },
      { mode: "aggressive" },
    );
    expect(isUp(pair.responder)).toBe(true);
    const main = createPair({ responder: { keys: named } });
    connect(main);
    settle(main);
    expect(main.responder.endpoint.sas.size).toBe(0);
  });
});
