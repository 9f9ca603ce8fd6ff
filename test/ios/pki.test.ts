import { describe, expect, it } from "vitest";
import { checkConfig } from "../../src/ios/check.ts";
import { parseConfig } from "../../src/ios/parse.ts";
import { printConfig } from "../../src/ios/print.ts";

const TEXT = `hostname KS1
crypto key generate rsa label KS1-KEY modulus 2048
crypto key generate ec keysize 384 label KS1-EC
crypto pki trustpoint CORP
 enrollment url http://192.0.2.9:80
 subject-name cn=ks1.example.org, ou=Servers, o=Example
 fqdn ks1.example.org
 revocation-check crl none
 rsakeypair KS1-KEY 2048
crypto pki trustpoint CORP-EC
 enrollment terminal pem
 fqdn none
 subject-alt-name ks1.example.org
 eckeypair KS1-EC
 hash sha256
crypto pki certificate map MEMBERS 20
 issuer-name co cn = corp ca
crypto pki certificate map MEMBERS 10
 subject-name co ou = members
 expires-on ge Oct 22 2027 12:00:00
crypto ikev2 profile GKM
 match certificate MEMBERS
 authentication local rsa-sig
 authentication remote rsa-sig
 authentication remote ecdsa-sig
 pki trustpoint CORP sign
 pki trustpoint CORP-EC verify
`;

function read(text: string) {
  const result = parseConfig(text, "r.cfg");
  expect(result.problems).toEqual([]);
  return result;
}

describe("public key infrastructure", () => {
  it("trustpoints, certificate maps and key pairs are read with their defaults", () => {
    const { config, ignored } = read(TEXT);
    const [corp, ec] = [...config.pki.trustpoints.values()];
    expect(corp).toMatchObject({
      name: "CORP",
      enrollment: ["url http://192.0.2.9:80"],
      subjectName: { value: "cn=ks1.example.org, ou=Servers, o=Example" },
      fqdn: "ks1.example.org",
      revocationCheck: ["crl", "none"],
      rsaKeyPair: { name: "KS1-KEY", modulusBits: 2048 },
    });
    expect(ec).toMatchObject({ revocationCheck: ["crl"], ecKeyPair: { name: "KS1-EC" }, fqdn: "none" });
    expect(config.ecKeys.get("KS1-EC")).toMatchObject({ curveBits: 384, exportable: false });
    const map = config.pki.certificateMaps.get("MEMBERS")!;
    expect([...map.entries.keys()]).toEqual([10, 20]);
    expect(map.entries.get(10)!.lines).toMatchObject([
      { field: "subject-name", operator: "co", text: "ou = members" },
      { field: "expires-on", operator: "ge", text: "Oct 22 2027 12:00:00" },
    ]);
    expect(ignored.map(({ text }) => text.trim())).toEqual(["hash sha256"]);
    expect(checkConfig(config)).toEqual([]);
  });

  it("goes to text and back", () => {
    const first = read(TEXT).config;
    const text = printConfig(first, { withKeys: true });
    expect(text).toContain("crypto pki certificate map MEMBERS 10\n subject-name co ou = members\n");
    expect(printConfig(read(text).config, { withKeys: true })).toBe(text);
    expect(printConfig(first)).not.toContain("generate ec");
  });

  it("is taken back by `no`", () => {
    const { pki, ecKeys } = read(`${TEXT}
crypto pki trustpoint CORP
 no subject-name
 no fqdn
 no rsakeypair
 no enrollment
 default revocation-check
crypto pki certificate map MEMBERS 10
 no subject-name co ou = members
no crypto pki certificate map MEMBERS 20
no crypto pki trustpoint CORP-EC
crypto key zeroize ec KS1-EC
`).config;
    expect(pki.trustpoints.get("CORP")).toMatchObject({ enrollment: [], revocationCheck: ["crl"] });
    expect(pki.trustpoints.get("CORP")!.subjectName).toBeUndefined();
    expect(pki.trustpoints.has("CORP-EC")).toBe(false);
    const [entry, ...others] = pki.certificateMaps.get("MEMBERS")!.entries.values();
    expect(entry!.lines.map(({ field }) => field)).toEqual(["expires-on"]);
    expect(others).toEqual([]);
    expect(ecKeys.size).toBe(0);
  });

  it("that is named but not configured is found", () => {
    const config = read(`crypto ikev2 profile P
 match certificate NOWHERE
 authentication local rsa-sig
 authentication remote rsa-sig
 pki trustpoint NEITHER
`).config;
    const found = checkConfig(config).map(({ code, line, message }) => `${line} ${code}: ${message}`);
    expect(found).toContain("5 iosMissing: PKI trustpoint NEITHER does not exist.");
    expect(found).toContain("2 iosMissing: Certificate map NOWHERE does not exist.");
  });
});
