import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import { publicHalf } from "../../src/crypto/privateKey.ts";
import { type EndpointConfig, GLOBAL_KEYRING, type ProfileMatch, type PskEntry } from "../../src/ikev1/api.ts";
import { answerAuth, saView } from "../../src/ikev1/endpoint.ts";
import { seal, unseal } from "../../src/ikev1/message.ts";
import { type Claimant, findKey, matchesClaimant } from "../../src/ikev1/profile.ts";
import type { Id } from "../../src/wire/isakmp.ts";
import { decodeIsakmp, encodeIsakmpChain } from "../../src/wire/isakmpMessage.ts";
import { IsakmpCertEncoding, IsakmpExchange, IsakmpIdType } from "../../src/wire/isakmpNumbers.ts";
import { ISAKMP } from "../../src/wire/isakmpPayloads.ts";
import { issue, keyOf, root } from "../pki/authority.ts";
import {
  acceptAll,
  closedReasons,
  connect,
  createPair,
  type Decide,
  establishedPair,
  events,
  fqdn,
  inject,
  isUp,
  outcomesOf,
  type Pair,
  POLICY,
  profile,
  run,
  type Side,
  settle,
} from "./pair.ts";

const NOBODY: ProfileMatch = { remoteAddresses: [], remoteIdentities: [], anyRemote: false };
const ANYBODY: ProfileMatch = { ...NOBODY, anyRemote: true };
const id = (type: number, data: Uint8Array): Id => ({ type, protocol: 0, port: 0, data });
const user = (text: string) => id(IsakmpIdType.USER_FQDN, utf8(text));
const address = (...octets: number[]) => id(IsakmpIdType.IPV4_ADDR, Uint8Array.from(octets));
const ca = root();
const staff = issue("cn=gm1,ou=Staff,ou=West,o=Example", ca);
const dn = id(IsakmpIdType.DER_ASN1_DN, staff.certificate.subject.octets);

const key = (text: string, network: string, mask: string, more: Partial<PskEntry> = {}): PskEntry => ({
  key: secret(utf8(text)),
  address: { network, mask },
  ...more,
});

const failure = (side: Side) =>
  outcomesOf(side, "event")
    .filter(({ name }) => name === "isakmp.authFailed")
    .map(({ data }) => [data.reason, data.profile]);

describe("a match statement", () => {
  const claims = (match: Partial<ProfileMatch>, identity: Id, more: Partial<Claimant> = {}) =>
    matchesClaimant({ ...NOBODY, ...match }, { identity, local: "192.0.2.2", certificate: undefined, ...more });

  it("about an address looks at the identity under its mask", () => {
    const match = { remoteAddresses: [{ network: "10.1.0.0", mask: "255.255.0.0" }] };
    expect([claims(match, address(10, 1, 7, 7)), claims(match, address(10, 2, 7, 7))]).toEqual([true, false]);
    expect(claims(match, fqdn("10.1.7.7"))).toBe(false);
  });

  it("about a domain takes what stands behind the first dot of a host and the at sign of a user", () => {
    const hosts = { remoteDomains: [{ type: IsakmpIdType.FQDN, domain: "example.org" }] };
    expect(["gm1.example.org", "a.b.example.org", "example.org"].map((name) => claims(hosts, fqdn(name)))).toEqual([
      true,
      false,
      false,
    ]);
    const users = { remoteDomains: [{ type: IsakmpIdType.USER_FQDN, domain: "example.org" }] };
    expect([claims(users, user("gm1@example.org")), claims(users, fqdn("gm1.example.org"))]).toEqual([true, false]);
  });

  it("about a group means a unit of the distinguished name, in either case of letters", () => {
    expect([["staff"], ["WEST"], ["Guests"], []].map((remoteUnits) => claims({ remoteUnits }, dn))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(claims({ remoteUnits: ["staff"] }, id(IsakmpIdType.DER_ASN1_DN, utf8("no name")))).toBe(false);
  });

  it("about a certificate needs one, and octets that are none match nothing", () => {
    const map = { name: "M", alternatives: [[{ field: "subject-name", operator: "co", text: "ou=staff" } as const]] };
    const certificateMaps = [map];
    expect(claims({ certificateMaps }, fqdn("x"), { certificate: staff.octets })).toBe(true);
    expect(claims({ certificateMaps }, fqdn("x"), { certificate: issue("cn=gm2,ou=Guests", ca).octets })).toBe(false);
    expect(claims({ certificateMaps }, fqdn("x"))).toBe(false);
    expect(claims({ certificateMaps }, fqdn("x"), { certificate: Uint8Array.of(0x30, 1) })).toBe(false);
  });

  it("counts only where the profile's own address is used", () => {
    const match = { anyRemote: true, localAddresses: ["192.0.2.2"] };
    expect([claims(match, fqdn("x")), claims(match, fqdn("x"), { local: "192.0.2.9" })]).toEqual([true, false]);
  });
});

describe("the key for a peer", () => {
  const search = { local: "192.0.2.2", remote: "10.1.2.3", identity: undefined, keyrings: undefined };
  const all = key("all", "0.0.0.0", "0.0.0.0");
  const net = key("net", "10.1.0.0", "255.255.0.0", { keyring: "K" });

  it("is that with the longest mask, across keyrings; of equal ones the first", () => {
    expect(findKey([all, net], search)).toBe(net);
    const twin = { ...net, keyring: "L" };
    expect(findKey([twin, net], search)).toBe(twin);
  });

  it("is in one of the keyrings that are looked through", () => {
    expect(findKey([all, net], { ...search, keyrings: [GLOBAL_KEYRING] })).toBe(all);
    expect(findKey([net], { ...search, keyrings: ["L"] })).toBeUndefined();
  });

  it("counts where its keyring's local address is used", () => {
    const bound = { ...net, localAddress: "192.0.2.9" };
    expect(findKey([all, bound], search)).toBe(all);
    expect(findKey([all, bound], { ...search, local: "192.0.2.9" })).toBe(bound);
  });
});

describe("a responder with profiles", () => {
  /** Two profiles with a keyring each for the same address, and the global settings behind them. */
  const responder = (change: Partial<EndpointConfig> = {}): Partial<EndpointConfig> => ({
    profiles: [
      profile(fqdn("ks1.example"), {
        name: "WEST",
        match: { ...NOBODY, remoteIdentities: [fqdn("west.example")] },
        keyrings: ["W"],
      }),
      profile(fqdn("ks1.example"), {
        name: "EAST",
        match: { ...NOBODY, remoteIdentities: [fqdn("east.example")] },
        keyrings: ["E"],
      }),
      profile(fqdn("ks1.example"), { name: "default", match: ANYBODY, keyrings: [GLOBAL_KEYRING] }),
    ],
    keys: [
      key("west", "192.0.2.0", "255.255.255.0", { keyring: "W" }),
      key("east", "192.0.2.0", "255.255.255.0", { keyring: "E" }),
    ],
    ...change,
  });
  const caller = (name: string, secretText: string): Partial<EndpointConfig> => ({
    profiles: [profile(fqdn(name))],
    keys: [key(secretText, "0.0.0.0", "0.0.0.0")],
  });

  it("takes the first profile that matches, with its key", () => {
    const pair = establishedPair({ initiator: caller("west.example", "west"), responder: responder() });
    expect(saView(pair.responder.endpoint, 1)).toMatchObject({ established: true, profile: "WEST" });
  });

  it("gives up where Main Mode has found the key in another profile's keyring", () => {
    // Both keyrings have a key for the address; the first one is taken before the peer has said who it is.
    const pair = establishedPair({ initiator: caller("east.example", "west"), responder: responder() });
    expect(failure(pair.responder)).toEqual([["keyring", "EAST"]]);
    expect([isUp(pair.initiator), isUp(pair.responder)]).toEqual([false, false]);
  });

  it("looks in the keyring of the profile alone where Aggressive Mode has told the name", () => {
    const options = { initiator: caller("east.example", "east"), responder: responder() };
    expect(isUp(establishedPair(options, { mode: "aggressive" }).responder)).toBe(true);
    expect(isUp(establishedPair(options).responder)).toBe(false);
  });

  it("leaves whom no profile matches to the global settings, which have no key of a profile's keyring", () => {
    const stranger = { initiator: caller("north.example", "west"), responder: responder() };
    expect(failure(establishedPair(stranger).responder)).toEqual([["keyring", "default"]]);
    const keys = [...responder().keys!, key("all", "192.0.2.1", "255.255.255.255")];
    const known = { initiator: caller("north.example", "all"), responder: responder({ keys }) };
    expect(saView(establishedPair(known).responder.endpoint, 1)).toMatchObject({
      established: true,
      profile: "default",
    });
  });

  it("does not look at a certificate that comes with a pre-shared key, which proves nothing about it", () => {
    const map = { name: "M", alternatives: [[{ field: "subject-name", operator: "co", text: "ou=staff" } as const]] };
    const staffOnly = profile(fqdn("ks1.example"), { name: "STAFF", match: { ...NOBODY, certificateMaps: [map] } });
    const everybody = profile(fqdn("ks1.example"), { name: "default", match: ANYBODY });
    const pair = createPair({ responder: { profiles: [staffOnly, everybody] } });
    const proof = 4;
    pair.lose = (number) => number === proof;
    connect(pair);
    settle(pair);
    const sa = pair.responder.endpoint.sas.get(1)!;
    const { sealed } = decodeIsakmp(pair.sent[proof]!.octets, ISAKMP);
    const { payloads } = unseal(native, sa.keys!, sa.iv, sealed!, ISAKMP)!;
    const certificate = { encoding: IsakmpCertEncoding.X509_SIGNATURE, data: staff.octets };
    const { octets } = encodeIsakmpChain([...payloads, { kind: "CERT", body: certificate }], ISAKMP);
    inject(
      pair,
      pair.responder,
      seal(native, sa.keys!, sa, IsakmpExchange.IDENTITY_PROTECTION, 0, sa.iv, sealed!.first, octets).octets,
    );
    expect(saView(pair.responder.endpoint, 1)).toMatchObject({ established: true, profile: "default" });
  });

  it("is left by an initiator whose own profile does not match it", () => {
    const own = profile(fqdn("west.example"), { match: { ...NOBODY, remoteIdentities: [fqdn("ks9.example")] } });
    const pair = establishedPair({
      initiator: { ...caller("west.example", "west"), profiles: [own] },
      responder: responder(),
    });
    expect(failure(pair.initiator)).toEqual([["identity", "default"]]);
    expect(isUp(pair.initiator)).toBe(false);
  });

  it("refuses nobody's exchange with an exception when the profile goes while it is under way", () => {
    const pair = createPair({ initiator: caller("west.example", "west"), responder: responder() });
    connect(pair);
    const { config } = pair.initiator.endpoint;
    (pair.initiator.endpoint as { config: EndpointConfig }).config = {
      ...config,
      profiles: config.profiles.map((one) => ({ ...one, name: "another" })),
    };
    run(pair, 200 * SECOND);
    expect(closedReasons(pair.initiator)).toEqual(["authenticationFailed"]);
  });
});

describe("a profile of an initiator", () => {
  const aggressive = { profiles: [profile(fqdn("gm1.example"), { mode: "aggressive" })] };

  it("says which mode it begins with", () => {
    const pair = establishedPair({ initiator: aggressive });
    expect([pair.sent.length, isUp(pair.responder)]).toEqual([3, true]);
  });

  it("begins with Main Mode where Aggressive Mode is disabled", () => {
    const pair = establishedPair({ initiator: { ...aggressive, aggressive: false }, responder: { aggressive: false } });
    expect([pair.sent.length, isUp(pair.responder)]).toEqual([6, true]);
  });

  it("finds no key in keyrings that are not its own, and sends nothing", () => {
    const own = { profiles: [profile(fqdn("gm1.example"), { keyrings: ["K"] })] };
    const pair = establishedPair({ initiator: own });
    expect([pair.sent, closedReasons(pair.initiator)]).toEqual([[], ["authenticationFailed"]]);
  });

  it("asks a silent peer at its own interval", () => {
    const dpd = { idleMicros: 10 * SECOND, retransmit: { first: 2 * SECOND, factor: 1, repeats: 1 } };
    const pair = establishedPair({ initiator: { profiles: [profile(fqdn("gm1.example"), { dpd })] } });
    const before = pair.sent.length;
    pair.lose = (_, from) => from === "responder";
    run(pair, 60 * SECOND);
    expect(pair.sent.slice(before).filter(({ from }) => from === "initiator")).toHaveLength(2);
    expect(events(pair.initiator)).toContain("isakmp.dead");
    expect(events(pair.responder)).not.toContain("isakmp.dead");
  });
});

describe("an endpoint that is switched off", () => {
  it("begins nothing, and says so at once", () => {
    const pair = establishedPair({ initiator: { enabled: false } });
    expect([pair.sent, closedReasons(pair.initiator)]).toEqual([[], ["disabled"]]);
    expect(pair.initiator.endpoint.sas.size).toBe(0);
  });

  it("answers nothing", () => {
    const pair: Pair = establishedPair({ responder: { enabled: false } });
    expect(pair.sent.filter(({ from }) => from === "responder")).toEqual([]);
    expect(pair.responder.endpoint.dropped.disabled).toBe(1);
  });
});

describe("an SA that stands", () => {
  it("knows the certificate of a peer with a signature, and none with a pre-shared key", () => {
    const holder = issue("cn=gm1,o=Example", ca, {}, keyOf("gm1", 1024));
    const signed = { policies: [{ ...POLICY, authentication: 3 }], keys: [] };
    const own = profile(fqdn("x"), { signer: holder.key, certificates: [holder.octets] });
    const trust: Decide = (pair, side, outcome) =>
      outcome.kind === "authenticating"
        ? answerAuth(
            side.endpoint,
            side.tools,
            outcome.sa,
            { accept: true, publicKey: publicHalf(holder.key) },
            pair.now,
          )
        : [];
    const pair = createPair({ initiator: { ...signed, profiles: [own] }, responder: { ...signed, profiles: [own] } });
    pair.decide = trust;
    connect(pair);
    run(pair);
    expect(saView(pair.responder.endpoint, 1)!.certificate).toEqual(holder.octets);
    const plain = createPair();
    plain.decide = acceptAll;
    connect(plain);
    run(plain);
    expect(saView(plain.responder.endpoint, 1)!.certificate).toBeUndefined();
  });
});
