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

describe("crypto isakmp profile and crypto keyring", () => {
  const POLICY = "hostname ks1\ncrypto isakmp policy 10\n authentication pre-share\n group 14\n";
  const profiles = (text: string, pki?: RouterPki) => isakmp(POLICY + text, pki).endpoint!.profiles;

  it("stand in front of the global settings, in their order, with keyrings of their own", () => {
    const { endpoint, problems } = isakmp(`${POLICY}crypto isakmp key GLOBAL address 0.0.0.0
crypto keyring WEST
 pre-shared-key address 10.1.0.0 255.255.0.0 key W
crypto keyring LOOSE
 local-address 192.168.1.7
 pre-shared-key hostname gm9 key L
crypto keyring ELSEWHERE vrf INTERNET
 pre-shared-key address 10.9.0.1 key X
crypto isakmp profile P
 keyring WEST
 match identity address 10.1.0.0 255.255.0.0
 match identity host gm9.example
 match identity host domain example.org
 match identity user domain example.net
 match identity group Staff
 match identity address 10.8.0.1 INTERNET
crypto isakmp profile Q
 match identity address 0.0.0.0
 initiate mode aggressive
`);
    expect(problems).toEqual([]);
    expect(endpoint!.profiles).toMatchObject([
      {
        name: "P",
        keyrings: ["WEST"],
        match: {
          anyRemote: false,
          remoteAddresses: [{ network: "10.1.0.0", mask: "255.255.0.0" }],
          remoteDomains: [
            { type: IsakmpIdType.FQDN, domain: "example.org" },
            { type: IsakmpIdType.USER_FQDN, domain: "example.net" },
          ],
          remoteUnits: ["Staff"],
        },
        mode: "main",
      },
      { name: "Q", keyrings: ["default"], mode: "aggressive" },
      { name: "default", keyrings: ["default", "LOOSE", "ELSEWHERE"], match: { anyRemote: true } },
    ]);
    expect(endpoint!.profiles[0]!.match.remoteIdentities.map(formatId)).toEqual(["gm9.example", "KEY_ID 5374616666"]);
    // Nobody comes by another routing table.
    expect(
      endpoint!.keys.map(({ keyring, address, localAddress }) => [keyring, address?.network, localAddress]),
    ).toEqual([
      [undefined, "0.0.0.0", undefined],
      ["WEST", "10.1.0.0", undefined],
      ["LOOSE", undefined, "192.168.1.7"],
    ]);
  });

  it("may be called default, and are not the global settings for that", () => {
    const names = profiles("crypto isakmp profile default\n match identity host h\n").map(({ name }) => name);
    expect(names).toEqual(["default", "default (global)"]);
  });

  it("name the router as self-identity says, or else as crypto isakmp identity does", () => {
    const named = (lines: string, global = "") =>
      formatId(profiles(`${global}crypto isakmp profile P\n match identity host h\n${lines}`)[0]!.localIdentity);
    expect(named("")).toBe("192.168.1.1");
    expect(named("", "crypto isakmp identity hostname\n")).toBe("ks1");
    expect(named(" self-identity address\n", "crypto isakmp identity hostname\n")).toBe("192.168.1.1");
    expect(named(" self-identity 10.9.9.9\n")).toBe("10.9.9.9");
    expect(named(" self-identity fqdn\n")).toBe("ks1");
    expect(named(" self-identity fqdn ks.example\n")).toBe("ks.example");
    expect(named(" self-identity user-fqdn ks@example\n")).toBe("ks@example");
  });

  it("ask at their own interval, unless the global line says on demand", () => {
    const dpd = (global: string) =>
      profiles(`${global}crypto isakmp profile P\n match identity host h\n keepalive 30 retry 5\n`)[0]!.dpd;
    const own = { idleMicros: 30_000_000, retransmit: { first: 5_000_000, factor: 1, repeats: 5 } };
    expect(dpd("")).toEqual(own);
    expect(dpd("crypto isakmp keepalive 15 periodic\n")).toEqual(own);
    expect(dpd("crypto isakmp keepalive 15\n")).toBeUndefined();
  });

  it("belong to an address of the router, typed or of an interface", () => {
    const local = (line: string) =>
      profiles(
        `interface Loopback0\n ip address 10.5.5.5 255.255.255.255\ninterface Loopback1\ncrypto isakmp profile P\n` +
          ` match identity host h\n local-address ${line}\n`,
      )[0]!.match.localAddresses;
    expect([local("10.6.6.6"), local("Loopback0"), local("Loopback1")]).toEqual([["10.6.6.6"], ["10.5.5.5"], [""]]);
  });

  it("trust the authorities that they name, and judge their peers by those alone", () => {
    const other = root("cn=Other");
    const pki: RouterPki = {
      ...PKI,
      trustpoints: new Map([...PKI.trustpoints, ["OTHER", { anchor: other.certificate, crls: [] }]]),
    };
    const { endpoint } = isakmp(
      `${TRUSTPOINT}crypto pki trustpoint OTHER\n revocation-check none\ncrypto isakmp policy 10\n group 14\n` +
        "crypto isakmp profile P\n match identity host ks1\n ca trust-point TP\n" +
        "crypto isakmp profile Q\n match identity host ks1\n ca trust-point OTHER\n",
      pki,
    );
    expect(endpoint!.profiles.map(({ authorities, signer }) => [authorities?.length, signer !== undefined])).toEqual([
      [1, true],
      [1, false],
      [2, true],
    ]);
    const member = issue("cn=gm7,o=Members", ca, {}, keyOf("gm7", 1024));
    const identity = { type: 9, protocol: 0, port: 0, data: member.certificate.subject.octets };
    const judged = (profile: string) => {
      const peer = {
        kind: "authenticating",
        sa: 1,
        method: 3,
        identity,
        profile,
        certificates: [member.octets],
      } as const;
      return judgePeer(native, endpoint!, peer, 0).accept;
    };
    expect([judged("P"), judged("Q"), judged("default")]).toEqual([true, false, true]);
  });
});

describe("crypto isakmp's other settings", () => {
  const BASE = "crypto isakmp policy 10\n authentication pre-share\n";

  it("switch IKEv1 off, and limit what is taken up", () => {
    expect(isakmp(`${BASE}no crypto isakmp enable\n`).endpoint!.enabled).toBe(false);
    const { endpoint } = isakmp(
      `${BASE}crypto call admission limit ike sa 100\ncrypto call admission limit ike in-negotiation-sa 20\n`,
    );
    expect(endpoint).toMatchObject({ maxSas: 100, maxInNegotiation: 20 });
    expect(endpoint!.enabled).toBeUndefined();
  });

  it("keep a NAT's mapping alive only where they say so", () => {
    expect(isakmp(BASE).endpoint!.nat).toEqual({ keepaliveMicros: 0 });
    expect(isakmp(`${BASE}crypto isakmp nat keepalive 20\n`).endpoint!.nat).toEqual({ keepaliveMicros: 20_000_000 });
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
