import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import type { IkeProposal } from "../../src/ikev2/api.ts";
import { answerAuth, saNumbers, saView } from "../../src/ikev2/endpoint.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import {
  closedReasons,
  connect,
  createPair,
  establishedPair,
  events,
  fqdn,
  IDG,
  kinds,
  outcomesOf,
  pskProfile,
  run,
  SUITE,
  settle,
} from "./pair.ts";

const AEAD: readonly [number, number][] = [
  [18, 128],
  [19, 192],
  [20, 128],
  [20, 256],
  [28, 0],
];
const PLAIN: readonly [number, number, number][] = [
  [12, 128, 2],
  [12, 256, 12],
  [12, 192, 13],
  [13, 128, 14],
  [3, 0, 1],
  [12, 128, 5],
  [12, 256, 8],
];

function suites(): IkeProposal[] {
  const list: IkeProposal[] = [];
  for (const [id, keyBits] of AEAD) list.push({ ...SUITE, encr: [{ id, keyBits }] });
  for (const [id, keyBits, integ] of PLAIN) list.push({ ...SUITE, encr: [{ id, keyBits }], integ: [integ] });
  for (const prf of [1, 2, 4, 5, 6, 7, 8]) list.push({ ...SUITE, prf: [prf] });
  for (const dh of [2, 5, 14, 15, 16, 19, 20, 21, 31]) list.push({ ...SUITE, dh: [dh] });
  for (const kwa of [1, 2, 3]) list.push({ ...SUITE, kwa: [kwa] });
  return list;
}

function label({ encr, prf, integ, dh, kwa }: IkeProposal): string {
  return `encr ${encr[0]!.id}/${encr[0]!.keyBits} prf ${prf} integ ${integ} dh ${dh} kwa ${kwa}`;
}

describe("IKE_SA_INIT and IKE_AUTH", () => {
  for (const suite of suites()) {
    it(`two endpoints agree on ${label(suite)}, with the same octets from both back ends`, () => {
      const runs = [noble, native].map((crypto) => {
        const pair = establishedPair({ crypto, initiator: { proposals: [suite] }, responder: { proposals: [suite] } });
        const views = [pair.initiator, pair.responder].map((side) => saView(side.endpoint, 1)!);
        expect(views.map((view) => view.established)).toEqual([true, true]);
        expect(toHex(views[0]!.skD!.secret)).toBe(toHex(views[1]!.skD!.secret));
        expect(views[0]!.suite).toEqual(views[1]!.suite);
        return pair.sent.map((sent) => toHex(sent.octets));
      });
      expect(runs[0]).toHaveLength(4);
      expect(runs[0]).toEqual(runs[1]);
    });
  }

  it("each side learns who the other is", () => {
    const pair = establishedPair();
    expect(kinds(pair.initiator)).toEqual(["established"]);
    expect(kinds(pair.responder)).toEqual(["authenticating", "established"]);
    expect(outcomesOf(pair.initiator, "established")[0]!.identity).toEqual(fqdn("ks1.example"));
    expect(outcomesOf(pair.responder, "established")[0]!.identity).toEqual(fqdn("gm1.example"));
  });

  it("GSA_AUTH carries the payloads of the room above", () => {
    const pair = createPair();
    connect(pair, { authExchange: Exchange.GSA_AUTH, payloads: [IDG] });
    settle(pair);
    const [asked] = outcomesOf(pair.responder, "authenticating");
    expect(asked!.exchange).toBe(Exchange.GSA_AUTH);
    expect(asked!.payloads).toContainEqual(IDG);
  });

  it("different keys end in AUTHENTICATION_FAILED on both sides", () => {
    const pair = createPair({ initiator: { profiles: [pskProfile(fqdn("gm1.example"), "wrong")] } });
    connect(pair);
    settle(pair);
    expect(closedReasons(pair.initiator)).toEqual(["authenticationFailed"]);
    expect(closedReasons(pair.responder)).toEqual(["authenticationFailed"]);
    expect(outcomesOf(pair.initiator, "closed")[0]!.notify).toBe(24);
    expect(events(pair.responder)).toContain("ike.authFailed");
    expect(saNumbers(pair.responder.endpoint)).toEqual([]);
    run(pair);
    expect(pair.responder.endpoint.sas.size).toBe(0);
  });

  it("a responder whose own key is wrong is told so, and drops its SA", () => {
    const key = pskProfile(fqdn("ks1.example"), "shared").keys[0]!;
    const keys = [{ ...key, localKey: { secret: Uint8Array.of(1) } }];
    const pair = createPair({ responder: { profiles: [pskProfile(fqdn("ks1.example"), "shared", { keys })] } });
    connect(pair);
    settle(pair);
    expect(closedReasons(pair.initiator)).toEqual(["authenticationFailed"]);
    expect(closedReasons(pair.responder)).toEqual(["authenticationFailed"]);
  });

  it("an initiator refuses a responder whose identity its profile does not match", () => {
    const match = { remoteAddresses: [], remoteIdentities: [fqdn("another.example")], anyRemote: false };
    const profile = pskProfile(fqdn("gm1.example"), "shared", { match });
    const pair = createPair({ initiator: { profiles: [profile] } });
    connect(pair);
    settle(pair);
    expect(closedReasons(pair.initiator)).toEqual(["authenticationFailed"]);
  });

  it("no common proposal ends in NO_PROPOSAL_CHOSEN, and the responder keeps nothing", () => {
    const pair = createPair({ responder: { proposals: [{ ...SUITE, prf: [7] }] } });
    connect(pair);
    settle(pair);
    expect(closedReasons(pair.initiator)).toEqual(["noProposalChosen"]);
    expect(pair.responder.endpoint.sas.size).toBe(0);
  });

  it("another group is asked for with INVALID_KE_PAYLOAD, and the initiator tries again with it", () => {
    const pair = createPair({
      initiator: { proposals: [{ ...SUITE, dh: [31, 19] }] },
      responder: { proposals: [{ ...SUITE, dh: [19] }] },
    });
    connect(pair);
    settle(pair);
    expect(saView(pair.initiator.endpoint, 1)!.established).toBe(true);
    expect(saView(pair.initiator.endpoint, 1)!.suite.dh).toBe(19);
    expect(pair.sent).toHaveLength(6);
  });

  it("a refusal by the room above travels as its notify alone", () => {
    const pair = createPair();
    const accept = pair.decide;
    pair.decide = (p, side, outcome) =>
      outcome.kind === "authenticating"
        ? answerAuth(side.endpoint, side.tools, outcome.sa, { accept: false, notify: 46 }, p.now)
        : accept(p, side, outcome);
    connect(pair);
    settle(pair);
    expect(outcomesOf(pair.initiator, "closed")[0]).toMatchObject({ reason: "refused", notify: 46 });
    expect(closedReasons(pair.responder)).toEqual(["refused"]);
  });
});
