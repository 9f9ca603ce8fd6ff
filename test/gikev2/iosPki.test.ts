import { describe, expect, it } from "vitest";
import type { ConfigProblem } from "../../src/base/errors.ts";
import { endpointOfIos } from "../../src/gikev2/iosIke.ts";
import { type RouterPki, readIosTime } from "../../src/gikev2/iosPki.ts";
import { parseConfig } from "../../src/ios/parse.ts";
import { formatCalendar } from "../../src/pki/calendar.ts";
import { identityText } from "../../src/pki/identity.ts";
import { issue, keyOf, NOW, root } from "../pki/authority.ts";

const ca = root();
const own = issue("cn=gm1,o=Members", ca, {}, keyOf("gm1", 1024));
const PKI: RouterPki = {
  trustpoints: new Map([
    ["TP", { anchor: ca.certificate, crls: [], identity: { key: own.key, chain: [own.certificate] } }],
  ]),
  config: { epoch: NOW },
};

function endpoint(lines: string, pki: RouterPki | undefined = PKI) {
  const text = `crypto pki trustpoint TP
 revocation-check crl none
crypto pki certificate map SERVERS 10
 subject-name co cn = ks
 expires-on ge Oct 22 2027 12:00:00
crypto pki certificate map SERVERS 20
 issuer-name eq cn=Root
interface Loopback0
 ip address 10.9.9.9 255.255.255.255
crypto ikev2 profile P
${lines}
`;
  const { config, problems: typed } = parseConfig(text, "x.cfg");
  expect(typed).toEqual([]);
  const problems: ConfigProblem[] = [];
  const { profiles, pki: settings } = endpointOfIos(config, ["P"], 0x0a000001, problems, pki);
  return { profile: profiles[0]!, settings, problems: problems.map(({ code, line }) => `${code}@${line}`) };
}

describe("an IKEv2 profile with signatures", () => {
  const base = " match certificate SERVERS\n authentication local rsa-sig\n pki trustpoint TP\n";

  it("names itself by its certificate, and takes several methods", () => {
    const { profile, settings, problems } = endpoint(
      `${base} authentication remote rsa-sig\n authentication remote ecdsa-sig`,
    );
    expect(problems).toEqual([]);
    expect(settings).toEqual({ epoch: NOW });
    expect(identityText(profile.localIdentity)).toBe("cn=gm1,o=Members");
    expect([profile.local, profile.remote]).toEqual(["rsa-sig", ["rsa-sig", "ecdsa-sig"]]);
    expect(profile.trustpoints).toMatchObject([{ name: "TP", use: "both", revocation: "crl-none" }]);
    expect(profile.match.certificateMaps).toMatchObject([
      {
        alternatives: [
          [{ field: "subject-name" }, { field: "expires-on", operator: "ge" }],
          [{ field: "issuer-name", text: "cn=Root" }],
        ],
      },
    ]);
  });

  it("may name itself otherwise, and match by domain and by local address", () => {
    const { profile } = endpoint(
      `${base} authentication remote pre-share key K\n identity local fqdn gm1.example
 match identity remote fqdn domain example.org
 match address local interface Loopback0`,
    );
    expect(identityText(profile.localIdentity)).toBe("gm1.example");
    expect(profile.remote).toEqual(["pre-share"]);
    expect(profile.match).toMatchObject({
      remoteDomains: [{ type: 2, domain: "example.org" }],
      localAddresses: ["10.9.9.9"],
    });
  });

  it("that lacks a certificate, or one of the kind that it wants, is incomplete", () => {
    expect(endpoint(`${base} authentication remote rsa-sig`, { ...PKI, trustpoints: new Map() }).problems).toEqual([
      "iosIncompleteObject@13",
    ]);
    const ecdsa = base.replace("rsa-sig", "ecdsa-sig");
    expect(endpoint(`${ecdsa} authentication remote rsa-sig`).problems).toEqual(["iosIncompleteObject@12"]);
    expect(endpoint(`${base.replace("TP", "TP verify")} authentication remote rsa-sig`).problems).toEqual([
      "iosIncompleteObject@12",
    ]);
  });

  it("knows no EAP and no OCSP", () => {
    expect(endpoint(`${base} authentication remote eap`).problems).toEqual(["iosUnsupported@14"]);
    const ocsp = endpoint(
      `${base} authentication remote rsa-sig\ncrypto pki trustpoint TP\n revocation-check ocsp none`,
    );
    expect(ocsp.problems).toEqual(["iosUnsupported@1"]);
  });
});

it("times of certificate maps are read in both orders of IOS", () => {
  const read = (text: string) => {
    const seconds = readIosTime(text);
    return seconds === undefined ? undefined : formatCalendar(seconds);
  };
  expect(read("Oct 22 2027 12:00:00")).toBe("2027-10-22T12:00:00Z");
  expect(read("2 oct 2027")).toBe("2027-10-02T00:00:00Z");
  for (const text of ["", "Feb 30 2027", "22.10.2027", "Oct 22 2027 25:00:00", "Oct 22 2027 12:00:00 UTC"]) {
    expect(read(text)).toBeUndefined();
  }
});
