import { describe, expect, it } from "vitest";
import type { ConfigProblem } from "../../src/base/errors.ts";
import { native } from "../../src/crypto/native.ts";
import { isakmpOfIos } from "../../src/gdoi/iosIsakmp.ts";
import { judgePeer } from "../../src/gdoi/peerCertificates.ts";
import type { RouterPki } from "../../src/gikev2/iosPki.ts";
import { answerAuth } from "../../src/ikev1/endpoint.ts";
import { formatId } from "../../src/ikev1/profile.ts";
import { parseConfig } from "../../src/ios/parse.ts";
import { printConfig } from "../../src/ios/print.ts";
import { IsakmpIdType, IsakmpNotifyType } from "../../src/wire/isakmpNumbers.ts";
import { closedReasons, connect, createPair, isUp, settle } from "../ikev1/pair.ts";
import { issue, keyOf, NOW, root } from "../pki/authority.ts";

const LOCAL = 0xc0a80101;
const ca = root();
const own = issue("cn=gm1,o=Members", ca, {}, keyOf("gm1", 1024));
const PKI: RouterPki = {
  trustpoints: new Map([
    ["TP", { anchor: ca.certificate, crls: [], identity: { key: own.key, chain: [own.certificate] } }],
  ]),
  config: { epoch: NOW },
};
const TRUSTPOINT = "crypto pki trustpoint TP\n revocation-check none\n";

function isakmp(text: string, pki?: RouterPki) {
  const { config, problems: typed } = parseConfig(text, "x.cfg");
  expect(typed).toEqual([]);
  const problems: ConfigProblem[] = [];
  const endpoint = isakmpOfIos(config, LOCAL, problems, pki);
  return { config, endpoint, problems: problems.map(({ code, line }) => `${code}@${line}`) };
}

describe("crypto isakmp", () => {
  it("offers its policies by priority, with IOS's values where none was typed", () => {
    const { endpoint, problems } = isakmp(`crypto isakmp policy 20
 authentication pre-share
 group 2
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
 lifetime 3600
`);
    expect(problems).toEqual([]);
    expect(endpoint!.policies).toEqual([
      { encryption: 7, keyBits: 256, hash: 4, group: 14, authentication: 1, lifetimeSeconds: 3600 },
      { encryption: 1, keyBits: 0, hash: 2, group: 2, authentication: 1, lifetimeSeconds: 86_400 },
    ]);
  });

  it("has keys for addresses, networks and names, and asks a silent peer only with periodic keepalives", () => {
    const base = `ip host ks2 192.168.9.9
crypto isakmp policy 10
 authentication pre-share
crypto isakmp key ONE address 192.168.1.254
crypto isakmp key NET address 10.1.0.0 255.255.0.0
crypto isakmp key ANY address 0.0.0.0
crypto isakmp key NAMED hostname ks2
`;
    const { endpoint } = isakmp(base);
    expect(endpoint!.keys.map(({ address }) => address)).toEqual([
      { network: "192.168.1.254", mask: "255.255.255.255" },
      { network: "10.1.0.0", mask: "255.255.0.0" },
      { network: "0.0.0.0", mask: "0.0.0.0" },
      { network: "192.168.9.9", mask: "255.255.255.255" },
    ]);
    expect(endpoint!.keys[3]!.identity?.type).toBe(IsakmpIdType.FQDN);
    expect(isakmp(`${base}crypto isakmp keepalive 15 4\n`).endpoint!.dpd).toBeUndefined();
    expect(isakmp(`${base}crypto isakmp keepalive 15 4 periodic\n`).endpoint!.dpd).toEqual({
      idleMicros: 15_000_000,
      retransmit: { first: 4_000_000, factor: 1, repeats: 5 },
    });
  });

  it("names itself as it is told, and by its address where that is impossible", () => {
    const base = "hostname gm1\ncrypto isakmp policy 10\n authentication pre-share\n";
    const identity = (line: string) => formatId(isakmp(base + line).endpoint!.profiles[0]!.localIdentity);
    expect(identity("")).toBe("192.168.1.1");
    expect(identity("crypto isakmp identity hostname\n")).toBe("gm1");
    expect(identity("crypto isakmp identity dn\n")).toBe("192.168.1.1");
  });

  it("takes no Aggressive Mode where that is disabled, and prints it so", () => {
    const text = "crypto isakmp policy 10\n authentication pre-share\ncrypto isakmp aggressive-mode disable\n";
    const { config, endpoint } = isakmp(text);
    expect(endpoint!.aggressive).toBe(false);
    expect(printConfig(config)).toContain("crypto isakmp aggressive-mode disable");
    expect(isakmp(`${text}no crypto isakmp aggressive-mode disable\n`).endpoint!.aggressive).toBe(true);
  });

  it("says which policy it cannot model, at its line", () => {
    const { endpoint, problems } = isakmp(`crypto isakmp policy 10
 authentication rsa-encr
`);
    expect(endpoint).toBeUndefined();
    expect(problems).toEqual(["iosUnsupported@1"]);
  });

  it("misses a policy that it can use, at the place that needs it", () => {
    expect(isakmp("crypto gdoi group G\n identity number 1\n").problems).toEqual(["iosIncompleteObject@1"]);
    expect(isakmp("crypto isakmp policy 10\n group 2\n").problems).toEqual(["iosIncompleteObject@1"]);
    const both = isakmp("crypto isakmp policy 10\n group 2\ncrypto isakmp policy 20\n authentication pre-share\n");
    expect([both.problems, both.endpoint!.policies.length]).toEqual([[], 1]);
  });
});

describe("crypto isakmp with certificates", () => {
  const text = `${TRUSTPOINT}crypto isakmp policy 10\n encr aes\n group 14\ncrypto isakmp identity dn\n`;
  const endpoint = isakmp(text, PKI).endpoint!;
  const ks = issue("cn=ks1,o=Servers", ca, {}, keyOf("ks1", 1024));
  const server = {
    ...endpoint,
    profiles: [
      {
        ...endpoint.profiles[0]!,
        localIdentity: { type: 9, protocol: 0, port: 0, data: ks.certificate.subject.octets },
        signer: ks.key,
        certificates: [ks.certificate.octets],
      },
    ],
  };

  function meet(responder: typeof server) {
    const pair = createPair({ initiator: endpoint, responder });
    pair.decide = ({ now }, side, outcome) => {
      if (outcome.kind !== "authenticating") return [];
      const answer = judgePeer(native, side.name === "initiator" ? endpoint : responder, outcome, now);
      return answerAuth(side.endpoint, side.tools, outcome.sa, answer, now);
    };
    connect(pair);
    settle(pair);
    return pair;
  }

  it("is the subject of its certificate, and signs with its key", () => {
    expect(endpoint.profiles[0]!.localIdentity).toMatchObject({ type: 9, data: own.certificate.subject.octets });
    expect(endpoint.policies.map(({ authentication }) => authentication)).toEqual([3]);
    expect(endpoint.profiles[0]!.authorities).toEqual([ca.certificate.subject.octets]);
  });

  it("takes a peer whose certificate leads to its trustpoint", () => {
    const pair = meet(server);
    expect([isUp(pair.initiator), isUp(pair.responder)]).toEqual([true, true]);
  });

  it("takes no peer of a stranger's authority, and none under another's name", () => {
    const stranger = issue("cn=ks1,o=Servers", root("cn=Elsewhere"), {}, keyOf("stranger", 1024));
    const [profile] = server.profiles;
    const certificates = [stranger.certificate.octets];
    const foreign = meet({ ...server, profiles: [{ ...profile!, signer: stranger.key, certificates }] });
    expect(closedReasons(foreign.initiator)).toEqual(["authenticationFailed"]);
    const localIdentity = { ...profile!.localIdentity, data: own.certificate.subject.octets };
    const pretended = meet({ ...server, profiles: [{ ...profile!, localIdentity }] });
    expect(closedReasons(pretended.initiator)).toEqual(["authenticationFailed"]);
  });

  it("refuses octets that are no certificate by their kind", () => {
    const peer = {
      kind: "authenticating",
      sa: 1,
      method: 3,
      identity: endpoint.profiles[0]!.localIdentity,
      profile: "default",
      certificates: [Uint8Array.of(0x30, 1)],
    } as const;
    const notify = IsakmpNotifyType["INVALID-CERT-ENCODING"];
    expect(judgePeer(native, endpoint, peer, 0)).toEqual({ accept: false, notify });
    expect(judgePeer(native, endpoint, { ...peer, method: 1 }, 0)).toEqual({ accept: true });
  });
});
