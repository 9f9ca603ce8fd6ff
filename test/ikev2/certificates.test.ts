import { describe, expect, it } from "vitest";
import { type Bytes, concat, utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import type { CurveName } from "../../src/crypto/api.ts";
import { contextTag, DER_SEQUENCE, der } from "../../src/crypto/der.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import type { AuthProfile, EndpointConfig, ProfileMatch } from "../../src/ikev2/api.ts";
import { receive, saNumbers } from "../../src/ikev2/endpoint.ts";
import { matchProfile } from "../../src/ikev2/profile.ts";
import { counterIv, directionKeys, openPart, readInner, sealChain } from "../../src/ikev2/protect.ts";
import { signAuth, verifyAuth } from "../../src/ikev2/signature.ts";
import { distinguishedName } from "../../src/pki/identity.ts";
import type { Trustpoint } from "../../src/pki/trustpoint.ts";
import { decodeMessage } from "../../src/wire/ikeMessage.ts";
import { CertEncoding, Exchange, FLAG_INITIATOR, IdType, NotifyType } from "../../src/wire/ikev2Numbers.ts";
import { encodeChain, IKEV2, notifyOf, type Payload, payloadOf } from "../../src/wire/payloads.ts";
import { BEGIN, crlOf, DAY, type Holder, issue, keyOf, NOW, root } from "../pki/authority.ts";
import {
  carryOut,
  closedReasons,
  connect,
  createPair,
  events,
  fqdn,
  kinds,
  outcomesOf,
  type Pair,
  type PairOptions,
  type Side,
  settle,
  step,
} from "./pair.ts";

const ANYBODY: ProfileMatch = { remoteAddresses: [], remoteIdentities: [], anyRemote: true };
const ca = root("cn=Root,o=Test", keyOf("root", 1024));

function trustpoint(anchor: Holder, own: readonly Holder[], change: Partial<Trustpoint> = {}): Trustpoint {
  const [first] = own;
  const identity = first && { key: first.key, chain: own.map(({ certificate }) => certificate) };
  return { name: "TP", use: "both", anchor: anchor.certificate, identity, crls: [], revocation: "none", ...change };
}

function profileOf(own: readonly Holder[], change: Partial<AuthProfile> = {}, anchor = ca): AuthProfile {
  const method = own[0]?.key.type === "rsa" ? "rsa-sig" : "ecdsa-sig";
  return {
    name: "default",
    localIdentity: own[0] === undefined ? fqdn("nobody") : distinguishedName(own[0].certificate.subject),
    local: method,
    remote: ["rsa-sig", "ecdsa-sig"],
    match: ANYBODY,
    keys: [],
    trustpoints: [trustpoint(anchor, own)],
    lifetimeSeconds: 0,
    ...change,
  };
}

function endpoint(profile: AuthProfile, change: Partial<EndpointConfig> = {}): Partial<EndpointConfig> {
  return { profiles: [profile], pki: { epoch: NOW }, ...change };
}

function meet(options: PairOptions): Pair {
  const pair = createPair(options);
  connect(pair);
  settle(pair);
  return pair;
}

/** The payloads that a side proved itself with, as the other side saw them. */
function proofOf(pair: Pair, side: "initiator" | "responder"): readonly Payload[] {
  if (side === "initiator") return outcomesOf(pair.responder, "authenticating")[0]!.payloads;
  return outcomesOf(pair.initiator, "established")[0]!.payloads;
}

function dataOf(side: Side, name: string) {
  for (const outcome of side.log) if (outcome.kind === "event" && outcome.name === name) return outcome.data;
  throw new Error(`${side.name} has no ${name}: ${events(side).join(" ")}`);
}

function isUp(pair: Pair): boolean {
  return kinds(pair.initiator).includes("established") && kinds(pair.responder).includes("established");
}

const gm = issue("cn=gm1,o=Members", ca);
const ks = issue("cn=ks1,o=Servers", ca, {}, keyOf("ks1", 1024));

describe("authentication by signature", () => {
  const rows: readonly [CurveName | number, number][] = [
    [1024, 1],
    ["P-256", 9],
    ["P-384", 10],
    ["P-521", 11],
  ];

  for (const [kind, method] of rows) {
    const one = issue(`cn=one ${kind}`, ca, {}, keyOf("one", kind));
    const two = issue(`cn=two ${kind}`, ca, {}, keyOf("two", kind));

    it(`${kind}: both sides announce hashes, so both use method 14`, () => {
      const pair = meet({ initiator: endpoint(profileOf([one])), responder: endpoint(profileOf([two])) });
      expect(isUp(pair)).toBe(true);
      for (const side of ["initiator", "responder"] as const) {
        expect(payloadOf(proofOf(pair, side), "AUTH")!.method).toBe(14);
      }
      expect(dataOf(pair.responder, "ike.established").identity).toBe(`cn=one ${kind}`);
    });

    it(`${kind}: one side announces none, so both use method ${method}`, () => {
      const older = { pki: { epoch: NOW, signatureHashes: [] } };
      for (const [a, b] of [
        [older, {}],
        [{}, older],
      ]) {
        const pair = meet({ initiator: endpoint(profileOf([one]), a), responder: endpoint(profileOf([two]), b) });
        expect(isUp(pair)).toBe(true);
        for (const side of ["initiator", "responder"] as const) {
          expect(payloadOf(proofOf(pair, side), "AUTH")!.method).toBe(method);
        }
      }
    });
  }

  it("sends the same octets with both back ends", () => {
    const sent = [native, noble].map((crypto) =>
      meet({ initiator: endpoint(profileOf([gm])), responder: endpoint(profileOf([ks])), crypto }).sent.map(
        ({ octets }) => octets,
      ),
    );
    expect(sent[0]).toEqual(sent[1]);
    expect(sent[0]!.length).toBe(4);
  });

  it("uses a hash that the other side has announced", () => {
    const only = (id: number) => ({ pki: { epoch: NOW, signatureHashes: [id] } });
    const pair = meet({ initiator: endpoint(profileOf([gm]), only(4)), responder: endpoint(profileOf([ks]), only(3)) });
    expect(isUp(pair)).toBe(true);
  });

  it("with a hash that was not announced, or an older number after both announced, is refused", () => {
    const octets = utf8("what is signed");
    const auth = signAuth(native, ks.key, [2], octets)!;
    const key = ks.certificate.publicKey!;
    expect(verifyAuth(native, key, [2], octets, auth)).toBeUndefined();
    expect(verifyAuth(native, key, [3, 4], octets, auth)).toBe("method");
    expect(verifyAuth(native, key, undefined, octets, auth)).toBe("method");
    const older = signAuth(native, ks.key, undefined, octets)!;
    expect(verifyAuth(native, key, undefined, octets, older)).toBeUndefined();
    expect(verifyAuth(native, key, [1, 2], octets, older)).toBe("method");
    expect(verifyAuth(native, gm.certificate.publicKey!, [2], octets, auth)).toBe("mismatch");
    expect(verifyAuth(native, key, [2], concat(octets, octets), auth)).toBe("mismatch");
    expect(signAuth(native, ks.key, [5], octets)).toBeUndefined();
    for (let length = 0; length < auth.data.length; length++) {
      const cut = { method: 14, data: auth.data.subarray(0, length) };
      expect(verifyAuth(native, key, [2], octets, cut)).not.toBeUndefined();
    }
  });

  it("one side may use a pre-shared key and the other one a certificate", () => {
    const psk = secret(utf8("shared"));
    const everybody = { network: "0.0.0.0", mask: "0.0.0.0" };
    const keys = [{ peer: "any", address: everybody, localKey: psk, remoteKey: psk }];
    const member = profileOf([], { local: "pre-share", keys, localIdentity: fqdn("gm1") });
    const server = profileOf([ks], { remote: ["pre-share", "ecdsa-sig"], keys });
    expect(isUp(meet({ initiator: endpoint(member), responder: endpoint(server) }))).toBe(true);
    const strict = profileOf([ks], { remote: ["ecdsa-sig"], keys });
    const refused = meet({ initiator: endpoint(member), responder: endpoint(strict) });
    expect(dataOf(refused.responder, "ike.authFailed").reason).toBe("method");
  });

  it("by a kind of key that the profile does not take is refused", () => {
    const pair = meet({
      initiator: endpoint(profileOf([gm])),
      responder: endpoint(profileOf([ks], { remote: ["rsa-sig"] })),
    });
    expect(dataOf(pair.responder, "ike.authFailed").reason).toBe("method");
  });

  it("with somebody else's certificate does not hold", () => {
    const thief = profileOf([{ ...gm, key: keyOf("thief") }]);
    const pair = meet({ initiator: endpoint(thief), responder: endpoint(profileOf([ks])) });
    expect(dataOf(pair.responder, "ike.authFailed").reason).toBe("mismatch");
    expect(closedReasons(pair.initiator)).toEqual(["authenticationFailed"]);
  });

  it("without a key of our own does not begin", () => {
    const pair = meet({
      initiator: endpoint(profileOf([], { local: "rsa-sig" })),
      responder: endpoint(profileOf([ks])),
    });
    expect(dataOf(pair.initiator, "ike.authFailed").reason).toBe("noKey");
  });
});

describe("certificates on the way", () => {
  it("intermediate ones come behind our own, and both sides say whom they trust", () => {
    const sub = issue("cn=Sub,o=Test", ca, { authority: {} });
    const member = issue("cn=gm2", sub);
    const pair = meet({ initiator: endpoint(profileOf([member, sub])), responder: endpoint(profileOf([ks])) });
    expect(isUp(pair)).toBe(true);
    const payloads = proofOf(pair, "initiator");
    expect(payloads.flatMap((one) => (one.kind === "CERT" ? [one.body.data] : []))).toEqual([
      member.octets,
      sub.octets,
    ]);
    const wanted = native.hash("sha1", ca.certificate.keyInfo);
    expect(payloadOf(payloads, "CERTREQ")!.authorities).toEqual(wanted);
  });

  it("come from the trustpoint whose authority the other side knows", () => {
    const other = root("cn=Other");
    const second = issue("cn=gm1,o=Elsewhere", other);
    const both = profileOf([gm], { trustpoints: [trustpoint(other, [second]), trustpoint(ca, [gm])] });
    const pair = meet({ initiator: endpoint(both), responder: endpoint(profileOf([ks])) });
    expect(payloadOf(proofOf(pair, "initiator"), "CERT")!.data).toEqual(gm.octets);
    expect(isUp(pair)).toBe(true);
  });

  it("a trustpoint for signing is not trusted, one for verifying proves nothing", () => {
    const sign = profileOf([ks], { trustpoints: [trustpoint(ca, [ks], { use: "sign" })] });
    const pair = meet({ initiator: endpoint(profileOf([gm])), responder: endpoint(sign) });
    expect(dataOf(pair.responder, "ike.authFailed").reason).toBe("untrusted");
    const split = profileOf([ks], {
      trustpoints: [trustpoint(ca, [ks], { use: "sign" }), trustpoint(ca, [], { use: "verify" })],
    });
    expect(isUp(meet({ initiator: endpoint(profileOf([gm])), responder: endpoint(split) }))).toBe(true);
  });

  it("need not come: a profile without trustpoints asks for none and says nothing of hashes", () => {
    const pair = meet({});
    expect(isUp(pair)).toBe(true);
    expect(payloadOf(proofOf(pair, "initiator"), "CERTREQ")).toBeUndefined();
  });

  describe("by hash and URL", () => {
    const URL = "http://pki.example/gm1.cer";
    const identity = { key: gm.key, chain: [gm.certificate], urls: [URL] };
    const member = profileOf([gm], { trustpoints: [{ ...trustpoint(ca, [gm]), identity }] });
    const withUrls = (urls: ReadonlyMap<string, Bytes> | undefined) =>
      meet({ initiator: endpoint(member), responder: endpoint(profileOf([ks]), { pki: { epoch: NOW, urls } }) });

    it("go where the other side can fetch", () => {
      const pair = withUrls(new Map([[URL, gm.octets]]));
      expect(isUp(pair)).toBe(true);
      const { encoding, data } = payloadOf(proofOf(pair, "initiator"), "CERT")!;
      expect(encoding).toBe(CertEncoding.HASH_URL_CERTIFICATE);
      expect(data).toEqual(concat(native.hash("sha1", gm.octets), utf8(URL)));
    });

    it("go as they are where it cannot", () => {
      const pair = withUrls(undefined);
      expect(isUp(pair)).toBe(true);
      expect(payloadOf(proofOf(pair, "initiator"), "CERT")!.encoding).toBe(CertEncoding.X509_SIGNATURE);
    });

    it("are refused where something else or nothing is there", () => {
      for (const urls of [new Map([[URL, ks.octets]]), new Map<string, Bytes>()]) {
        expect(dataOf(withUrls(urls).responder, "ike.authFailed").reason).toBe("hash");
      }
    });

    it("of a bundle bring intermediates and revocation lists", () => {
      const sub = issue("cn=Sub,o=Test", ca, { authority: {} });
      const low = issue("cn=gm3", sub);
      const tagged = (tag: number, octets: Bytes) => der(contextTag(tag), octets);
      const bundle = (revoked: Holder[]) =>
        der(
          DER_SEQUENCE,
          tagged(0, low.octets),
          tagged(0, sub.octets),
          tagged(1, crlOf(sub, revoked).octets),
          tagged(1, crlOf(ca, []).octets),
        );
      for (const revoked of [[], [low]]) {
        const octets = bundle(revoked);
        const data = concat(native.hash("sha1", octets), utf8(URL));
        const server = profileOf([ks], { trustpoints: [trustpoint(ca, [ks], { revocation: "crl" })] });
        const pair = receiveAuth(
          server,
          low,
          [{ kind: "CERT", body: { encoding: CertEncoding.HASH_URL_BUNDLE, data } }],
          { pki: { epoch: NOW, urls: new Map([[URL, octets]]) } },
        );
        if (revoked.length === 0) expect(kinds(pair.responder)).toContain("established");
        else expect(dataOf(pair.responder, "ike.authFailed").reason).toBe("revoked");
      }
    });
  });
});

/** A genuine AUTH request of `member` with these CERT payloads instead of its own; no AUTH payload where `eap`. */
function receiveAuth(
  server: AuthProfile,
  member: Holder,
  certificates: readonly Payload[],
  change: Partial<EndpointConfig> = {},
  eap = false,
): Pair {
  const pair = createPair({ initiator: endpoint(profileOf([member])), responder: endpoint(server, change) });
  connect(pair);
  while (pair.initiator.endpoint.sas.get(1)!.phase.at === "initSent") step(pair);
  const [flying] = pair.flight.splice(0);
  const sa = pair.initiator.endpoint.sas.get(1)!;
  // Certificates are not covered by AUTH, so that of our own initiator stays good.
  const keys = sa.keys!;
  const { sealed } = decodeMessage(flying!.datagram.octets, IKEV2);
  const plain = openPart(native, keys.protection, directionKeys(keys, true), flying!.datagram.octets, sealed!)!;
  const own = readInner(plain, sealed!.firstInner, IKEV2);
  const inner = own.filter(({ kind }) => kind !== "CERT" && !(eap && kind === "AUTH"));
  const { octets, first } = encodeChain([...certificates, ...inner], IKEV2);
  const { spiInitiator, spiResponder } = sa;
  const head = { spiInitiator, spiResponder, exchange: Exchange.IKE_AUTH, flags: FLAG_INITIATOR, messageId: 1 };
  const message = sealChain(native, keys.protection, directionKeys(keys, true), {
    head,
    first,
    inner: octets,
    iv: counterIv(1000),
  });
  const { endpoint: responder, tools } = pair.responder;
  carryOut(pair, pair.responder, receive(responder, tools, { ...flying!.datagram, octets: message }, pair.now));
  settle(pair);
  return pair;
}

describe("a certificate that cannot be trusted", () => {
  const refused = (member: readonly Holder[], change: Partial<Trustpoint> = {}, now = NOW) => {
    const server = profileOf([ks], { trustpoints: [trustpoint(ca, [ks], change)] });
    const pair = meet({
      initiator: endpoint(profileOf(member)),
      responder: endpoint(server, { pki: { epoch: now } }),
    });
    expect(closedReasons(pair.initiator)).toEqual(["authenticationFailed"]);
    expect(kinds(pair.responder)).not.toContain("authenticating");
    const { reason } = dataOf(pair.responder, "ike.authFailed");
    const told = dataOf(pair.responder, "ike.certificateRefused");
    expect(told.reason).toBe(reason);
    return told;
  };

  it("is named in the event that says why", () => {
    const expired = issue("cn=old,o=Members", ca, { notAfter: BEGIN + DAY });
    expect(refused([expired])).toMatchObject({
      reason: "expired",
      subject: "cn=old,o=Members",
      issuer: "cn=Root,o=Test",
      serial: expired.certificate.serial,
    });
  });

  it("is expired, not valid yet, revoked, unknown, too weak, in a circle or at the end of too long a chain", () => {
    expect(refused([issue("cn=young", ca, { notBefore: NOW + 5 })]).reason).toBe("notYetValid");
    expect(refused([gm], { revocation: "crl", crls: [crlOf(ca, [gm])] }).reason).toBe("revoked");
    expect(refused([gm], { revocation: "crl" }).reason).toBe("noCrl");
    expect(refused([issue("cn=x", root("cn=Nobody"))]).reason).toBe("untrusted");
    expect(refused([issue("cn=weak", ca, {}, keyOf("weak", 512))]).reason).toBe("weakKey");
    let issuer = ca;
    const chain: Holder[] = [];
    for (let i = 0; i < 19; i++) {
      issuer = issue(`cn=S${i}`, issuer, { authority: {} });
      chain.unshift(issuer);
    }
    expect(refused([issue("cn=end", issuer), ...chain]).reason).toBe("tooLong");
  });

  it("counts as revoked or expired from the instant of virtual time on", () => {
    const brief = issue("cn=brief", ca, { notAfter: NOW + 60 });
    const server = profileOf([ks], {
      trustpoints: [trustpoint(ca, [ks], { revocation: "crl", crls: [crlOf(ca, []), crlOf(ca, [gm], NOW + 60)] })],
    });
    const begin = (member: Holder, seconds: number) => {
      const pair = createPair({ initiator: endpoint(profileOf([member])), responder: endpoint(server) });
      pair.now = seconds * SECOND;
      connect(pair);
      settle(pair);
      return isUp(pair) ? "up" : dataOf(pair.responder, "ike.authFailed").reason;
    };
    expect([begin(gm, 30), begin(gm, 61)]).toEqual(["up", "revoked"]);
    expect([begin(brief, 30), begin(brief, 62)]).toEqual(["up", "expired"]);
  });

  it("makes the initiator refuse its server, and tell it", () => {
    const impostor = root("cn=Root,o=Test", keyOf("impostor"));
    const fake = issue("cn=ks1,o=Servers", impostor);
    const pair = meet({ initiator: endpoint(profileOf([gm])), responder: endpoint(profileOf([fake])) });
    expect(dataOf(pair.initiator, "ike.authFailed").reason).toBe("untrusted");
    expect(saNumbers(pair.initiator.endpoint)).toEqual([]);
    expect(saNumbers(pair.responder.endpoint)).toEqual([]);
  });

  it("is missing, or is none at all", () => {
    const server = profileOf([ks]);
    const cert = (data: Bytes): Payload => ({ kind: "CERT", body: { encoding: CertEncoding.X509_SIGNATURE, data } });
    const reasonOf = (pair: Pair) => dataOf(pair.responder, "ike.authFailed").reason;
    expect(reasonOf(receiveAuth(server, gm, []))).toBe("missing");
    expect(reasonOf(receiveAuth(server, gm, [cert(gm.octets.subarray(1))]))).toBe("malformed");
    expect(reasonOf(receiveAuth(server, gm, [cert(ks.octets)]))).toBe("identity");
    expect(kinds(receiveAuth(server, gm, [cert(gm.octets)]).responder)).toContain("established");
  });
});

describe("profiles", () => {
  const hidden = issue("cn=gm9,ou=Routers,o=Members", ca, { alternativeNames: [{ kind: "dns", text: "gm9.example" }] });

  it("take an identity only where the certificate was made out to it", () => {
    const as = (name: string, certificateIdentity?: "any") =>
      meet({
        initiator: endpoint(profileOf([hidden], { localIdentity: fqdn(name) })),
        responder: endpoint(profileOf([ks], { certificateIdentity })),
      });
    expect(isUp(as("gm9.example"))).toBe(true);
    expect(dataOf(as("gm8.example").responder, "ike.authFailed").reason).toBe("identity");
    expect(isUp(as("gm8.example", "any"))).toBe(true);
  });

  it("are chosen by certificate maps, before the certificate is trusted", () => {
    const map = (text: string) => ({
      name: "MAP",
      alternatives: [[{ field: "subject-name", operator: "co", text } as const]],
    });
    const nobody: ProfileMatch = { remoteAddresses: [], remoteIdentities: [], anyRemote: false };
    const named = (name: string, text: string) =>
      profileOf([ks], { name, match: { ...nobody, certificateMaps: [map(text)] } });
    const profiles = [named("switches", "ou=switches"), named("routers", "OU = routers")];
    const pair = meet({ initiator: endpoint(profileOf([hidden])), responder: { profiles, pki: { epoch: NOW } } });
    expect(outcomesOf(pair.responder, "established")[0]!.profile).toBe("routers");
    const other = meet({ initiator: endpoint(profileOf([gm])), responder: { profiles, pki: { epoch: NOW } } });
    expect(dataOf(other.responder, "ike.authFailed").reason).toBe("noProfile");
  });

  it("with statements of several types want all of them", () => {
    const maps = (text: string) => [{ name: "m", alternatives: [[{ field: "name", operator: "co", text } as const]] }];
    const base: ProfileMatch = { remoteAddresses: [], remoteIdentities: [fqdn("gm9.example")], anyRemote: false };
    const found = (match: ProfileMatch, name: string, local = "192.0.2.2") =>
      matchProfile([profileOf([ks], { match })], { identity: fqdn(name), certificate: hidden.certificate, local }) !==
      undefined;
    expect(found({ ...base, certificateMaps: maps("routers") }, "gm9.example")).toBe(true);
    expect(found({ ...base, certificateMaps: maps("routers") }, "gm1.example")).toBe(false);
    expect(found({ ...base, certificateMaps: maps("hosts") }, "gm9.example")).toBe(false);
    expect(found({ ...base, localAddresses: ["192.0.2.2"] }, "gm9.example")).toBe(true);
    expect(found({ ...base, localAddresses: ["192.0.2.3"] }, "gm9.example")).toBe(false);
    const domain = { ...base, remoteDomains: [{ type: IdType.FQDN, domain: "example" }] };
    expect([found(domain, "gm7.example"), found(domain, "gm7.example.net")]).toEqual([true, false]);
    expect(found({ ...base, remoteIdentities: [] }, "gm9.example")).toBe(false);
  });
});

describe("EAP", () => {
  it("is refused with the reason: groups know no such thing", () => {
    const pair = receiveAuth(profileOf([ks]), gm, [], {}, true);
    expect(dataOf(pair.responder, "ike.authFailed").reason).toBe("eap");
    const answer = outcomesOf(pair.initiator, "closed")[0];
    expect(answer).toMatchObject({ reason: "authenticationFailed", notify: NotifyType.AUTHENTICATION_FAILED });
  });
});

describe("IKE_SA_INIT", () => {
  const octetsOf = (payloads: readonly Payload[]) => notifyOf(payloads, NotifyType.SIGNATURE_HASH_ALGORITHMS)?.data;

  it("lists the hash algorithms of the SHA-2 family, from both sides, and the authorities of the responder", () => {
    const pair = meet({ initiator: endpoint(profileOf([gm])), responder: endpoint(profileOf([ks])) });
    const [request, response] = pair.sent.map(({ octets }) => decodeMessage(octets, IKEV2).payloads);
    expect(octetsOf(request!)).toEqual(Uint8Array.of(0, 2, 0, 3, 0, 4));
    expect(octetsOf(response!)).toEqual(Uint8Array.of(0, 2, 0, 3, 0, 4));
    expect(payloadOf(request!, "CERTREQ")).toBeUndefined();
    expect(payloadOf(response!, "CERTREQ")!.authorities.length).toBe(20);
  });

  it("says nothing of either where nobody has certificates", () => {
    const pair = meet({});
    for (const { octets } of pair.sent.slice(0, 2)) {
      const { payloads } = decodeMessage(octets, IKEV2);
      expect(octetsOf(payloads)).toBeUndefined();
      expect(payloadOf(payloads, "CERTREQ")).toBeUndefined();
    }
  });
});
