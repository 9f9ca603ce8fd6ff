/** What is left of SAs from before a restart. RFC 7296 section 2.4. */
import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import { close, createEndpoint, rekeySa } from "../../src/ikev2/endpoint.ts";
import {
  carryOut,
  closedReasons,
  config,
  connect,
  createPair,
  establishedPair,
  events,
  fqdn,
  type Pair,
  type PairOptions,
  pskProfile,
  run,
  settle,
} from "./pair.ts";

/** The initiator loses its memory and comes again; the responder's numbers of SAs that stand then. */
function restarted(options: PairOptions, identity = "gm1.example"): { pair: Pair; standing: readonly number[] } {
  const pair = establishedPair(options);
  const initiator = {
    ...pair.initiator,
    endpoint: createEndpoint(config(pskProfile(fqdn(identity), "shared"), options.initiator)),
  };
  const again = { ...pair, initiator };
  connect(again);
  settle(again);
  return { pair: again, standing: standing(again) };
}

function standing({ responder }: Pair): readonly number[] {
  return [...responder.endpoint.sas.values()].filter(({ phase }) => phase.at === "established").map((sa) => sa.number);
}

describe("INITIAL_CONTACT", () => {
  it("of a peer that restarted ends the SA from before, at once and without a word", () => {
    const { pair, standing: left } = restarted({});
    expect(left).toEqual([2]);
    expect(closedReasons(pair.responder)).toEqual(["replaced"]);
    expect(events(pair.responder)).toContain("ike.initialContact");
    const before = pair.sent.length;
    run(pair, 300 * SECOND);
    expect(pair.sent.length).toBe(before);
  });

  it("says nothing about the SAs of another identity", () => {
    expect(restarted({}, "gm2.example").standing).toEqual([1, 2]);
  });

  it("is not said beside an SA that stands or is being made", () => {
    const later = establishedPair();
    connect(later);
    settle(later);
    expect(standing(later)).toEqual([1, 2]);
    const atOnce = createPair();
    connect(atOnce);
    connect(atOnce);
    settle(atOnce);
    expect(standing(atOnce)).toEqual([1, 2]);
  });

  it.each([
    ["not said", { initiator: { initialContact: false } }],
    ["not heeded", { responder: { initialContact: false } }],
  ])("is %s where it is switched off: the old SA waits for its own end", (_, options) => {
    expect(restarted(options).standing).toEqual([1, 2]);
  });

  it("ends the successor of a rekeyed SA too, and ended SAs leave no trace in the tables", () => {
    const pair = establishedPair();
    carryOut(pair, pair.initiator, rekeySa(pair.initiator.endpoint, pair.initiator.tools, 1, pair.now));
    run(pair, 60 * SECOND);
    expect(standing(pair)).toEqual([2]);
    const fresh = config(pskProfile(fqdn("gm1.example"), "shared"));
    const again = { ...pair, initiator: { ...pair.initiator, endpoint: createEndpoint(fresh) } };
    connect(again);
    settle(again);
    expect(standing(again)).toEqual([3]);
    const { endpoint, tools } = again.responder;
    carryOut(again, again.responder, close(endpoint, tools, 3, again.now));
    run(again, 600 * SECOND);
    expect([endpoint.sas.size, endpoint.bySpi.size, endpoint.byInit?.size ?? 0, endpoint.byPeer.size]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it("is taken as said by every peer of a profile that forces it", () => {
    const profile = pskProfile(fqdn("ks1.example"), "shared", { forceInitialContact: true });
    const { standing: left } = restarted({ initiator: { initialContact: false }, responder: { profiles: [profile] } });
    expect(left).toEqual([2]);
  });
});
