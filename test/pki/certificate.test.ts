import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { publicHalf } from "../../src/crypto/privateKey.ts";
import { formatCalendar, parseCalendar } from "../../src/pki/calendar.ts";
import { decodeCertificate, KeyUsage } from "../../src/pki/certificate.ts";
import { matchesMap } from "../../src/pki/certificateMap.ts";
import { decodeCrl } from "../../src/pki/crl.ts";
import { certifies, distinguishedName, identityText } from "../../src/pki/identity.ts";
import { issueCertificate } from "../../src/pki/issue.ts";
import { decodeName, formatName, makeName, parseName, sameName } from "../../src/pki/name.ts";
import { dotted } from "../../src/pki/oid.ts";
import { pemBlocks, toPem } from "../../src/pki/pem.ts";
import { IdType } from "../../src/wire/ikev2Numbers.ts";
import { describeShared, readSharedJson } from "../shared.ts";
import { BEGIN, crlOf, END, issue, keyOf, root } from "./authority.ts";

describe("calendar time", () => {
  it("agrees with the host's calendar from 1950 to 2150", () => {
    fc.assert(
      fc.property(fc.integer({ min: -631_152_000, max: 5_680_000_000 }), (seconds) => {
        const text = new Date(seconds * 1000).toISOString().replace(".000", "");
        expect(formatCalendar(seconds)).toBe(text);
        expect(parseCalendar(text)).toBe(seconds);
      }),
    );
  });

  it.each(["2026-02-29", "2026-13-01", "2026-04-31", "2026-01-01T24:00:00Z", "yesterday"])(
    "%s does not exist",
    (text) => {
      expect(parseCalendar(text)).toBeUndefined();
    },
  );
});

describe("names", () => {
  it("read as IOS shows them, most specific first, and go on the wire the other way round", () => {
    const name = parseName("cn=gm1.example.org, o=Vectors\\, Inc., c=CH")!;
    expect(name.attributes.map(({ value }) => value)).toEqual(["CH", "Vectors, Inc.", "gm1.example.org"]);
    expect(formatName(decodeName(name.octets))).toBe("cn=gm1.example.org,o=Vectors\\, Inc.,c=CH");
  });

  it("are compared without case and repeated blanks", () => {
    expect(sameName(parseName("cn=Key  Server,o=X")!, parseName("CN=key server,O=x")!)).toBe(true);
    expect(sameName(parseName("cn=a,o=x")!, parseName("o=x,cn=a")!)).toBe(false);
  });

  it("with words that IOS does not know are none", () => {
    expect(parseName("common=x")).toBeUndefined();
    expect(parseName("cn")).toBeUndefined();
    expect(parseName("")).toBeUndefined();
  });

  it("survive with any text and with unknown attributes", () => {
    const type = fc.constantFrom("550403", "55040a", "2b06010401aa7b01");
    fc.assert(
      fc.property(fc.array(fc.record({ type, value: fc.string() }), { minLength: 1, maxLength: 5 }), (attributes) => {
        const name = makeName(attributes);
        expect(decodeName(name.octets).attributes).toEqual(attributes);
      }),
    );
    expect(dotted("2a864886f70d010101")).toBe("1.2.840.113549.1.1.1");
  });
});

describe("certificates of our authority", () => {
  const ca = root("cn=Root,o=Test,c=CH", keyOf("root", 1024));
  const gm = issue("hostname=gm1.example,cn=gm1", ca, {
    alternativeNames: [
      { kind: "dns", text: "gm1.example" },
      { kind: "ip", octets: Uint8Array.of(192, 0, 2, 1) },
      { kind: "email", text: "gm1@example" },
    ],
  });

  it("are read by node's reader, which finds the same in them", () => {
    const theirs = new X509Certificate(gm.octets);
    const authority = new X509Certificate(ca.octets);
    expect(theirs.verify(authority.publicKey)).toBe(true);
    expect(theirs.checkIssued(authority)).toBe(true);
    expect(authority.ca).toBe(true);
    expect(theirs.ca).toBe(false);
    expect(theirs.subjectAltName).toBe("DNS:gm1.example, IP Address:192.0.2.1, email:gm1@example");
    expect(theirs.issuer).toBe("C=CH\nO=Test\nCN=Root");
    expect(new Date(theirs.validTo).getTime()).toBe(END * 1000);
    expect(theirs.serialNumber.toLowerCase()).toBe(gm.certificate.serial);
  });

  it("say what was ordered", () => {
    const { certificate } = gm;
    expect(certificate.notBefore).toBe(BEGIN);
    expect(certificate.notAfter).toBe(END);
    expect(certificate.publicKey).toEqual(publicHalf(gm.key));
    expect(certificate.keyUsage).toBe(KeyUsage.digitalSignature);
    expect(certificate.basicConstraints).toBeUndefined();
    expect(ca.certificate.basicConstraints).toEqual({ ca: true, pathLength: undefined });
    expect(toHex(certificate.authorityKeyId!)).toBe(toHex(ca.certificate.subjectKeyId!));
    expect(certificate.unknownCritical).toEqual([]);
  });

  it("are the same octets from both back ends, for every kind of key", () => {
    for (const kind of ["P-256", "P-384", "P-521", 1024] as const) {
      const key = keyOf("both", kind);
      const subject = parseName("cn=both")!;
      const order = { subject, publicKey: publicHalf(key), serial: 7, notBefore: BEGIN, notAfter: END };
      const [a, b] = [native, noble].map((crypto) => issueCertificate(crypto, { name: subject, key }, order));
      expect(toHex(a!)).toBe(toHex(b!));
      expect(new X509Certificate(a!).verify(new X509Certificate(a!).publicKey)).toBe(true);
    }
  });

  it("use GeneralizedTime from 2050 on", () => {
    const late = issue("cn=late", ca, { notAfter: parseCalendar("2051-07-01")! });
    expect(formatCalendar(late.certificate.notAfter)).toBe("2051-07-01T00:00:00Z");
    expect(new X509Certificate(late.octets).validTo).toContain("2051");
  });

  it("stand for the identities that they name, and for no others", () => {
    const { certificate } = gm;
    const id = (type: number, data: Uint8Array) => certifies(certificate, { type, data });
    expect(certifies(certificate, distinguishedName(certificate.subject))).toBe(true);
    expect(certifies(certificate, distinguishedName(ca.certificate.subject))).toBe(false);
    expect(id(IdType.FQDN, utf8("GM1.example"))).toBe(true);
    expect(id(IdType.FQDN, utf8("gm2.example"))).toBe(false);
    expect(id(IdType.RFC822_ADDR, utf8("gm1@example"))).toBe(true);
    expect(id(IdType.IPV4_ADDR, Uint8Array.of(192, 0, 2, 1))).toBe(true);
    expect(id(IdType.IPV4_ADDR, Uint8Array.of(192, 0, 2, 2))).toBe(false);
    expect(id(IdType.KEY_ID, utf8("gm1"))).toBe(false);
    expect(id(IdType.DER_ASN1_DN, utf8("gm1"))).toBe(false);
    expect(identityText(distinguishedName(certificate.subject))).toBe("hostname=gm1.example,cn=gm1");
  });

  it("are found by certificate maps: lines of a number together, numbers as alternatives", () => {
    const map = (...alternatives: Parameters<typeof matchesMap>[0]["alternatives"]) =>
      matchesMap({ name: "m", alternatives }, gm.certificate);
    expect(map([{ field: "subject-name", operator: "co", text: "CN=GM1" }])).toBe(true);
    expect(map([{ field: "issuer-name", operator: "co", text: "cn = root, o = test" }])).toBe(true);
    expect(map([{ field: "subject-name", operator: "eq", text: "cn=gm1" }])).toBe(false);
    expect(map([{ field: "subject-name", operator: "nc", text: "gm2" }])).toBe(true);
    expect(map([{ field: "alt-subject-name", operator: "eq", text: "192.0.2.1" }])).toBe(true);
    expect(map([{ field: "unstructured-subject-name", operator: "ne", text: "gm1.example" }])).toBe(false);
    expect(map([{ field: "serial-number", operator: "eq", text: gm.certificate.serial }])).toBe(true);
    expect(map([{ field: "expires-on", operator: "ge", value: END + 1 }])).toBe(false);
    const [yes, no] = [
      { field: "name", operator: "co", text: "gm1@" } as const,
      { field: "name", operator: "co", text: "gm9" } as const,
    ];
    expect(map([yes, no])).toBe(false);
    expect(map([no], [yes])).toBe(true);
    expect(map()).toBe(false);
  });

  it("travel in PEM and back", () => {
    const text = `junk\n${toPem("CERTIFICATE", ca.octets)}${toPem("CERTIFICATE", gm.octets)}`;
    expect(pemBlocks(text, "CERTIFICATE")).toEqual([ca.octets, gm.octets]);
    expect(() => pemBlocks("-----BEGIN X-----\n???\n-----END X-----", "X")).toThrow(WireError);
  });
});

describe("revocation lists of our authority", () => {
  it("say which serial numbers are revoked since when", () => {
    const ca = root();
    const [a, b] = [issue("cn=a", ca), issue("cn=b", ca)];
    const crl = crlOf(ca, [a], BEGIN + 5, END);
    expect(crl.revoked.get(a.certificate.serial)).toEqual({ at: BEGIN + 5, reason: 1 });
    expect(crl.revoked.has(b.certificate.serial)).toBe(false);
    expect(crl.nextUpdate).toBe(END);
    expect(crlOf(ca, []).revoked.size).toBe(0);
  });
});

describe("broken octets", () => {
  const ca = root();
  const samples = [ca.octets, issue("cn=x", ca, { alternativeNames: [{ kind: "dns", text: "x" }] }).octets];

  it("are refused with a typed error wherever they were cut or changed", () => {
    for (const octets of samples) {
      for (let at = 0; at < octets.length; at++) {
        const changed = octets.slice();
        changed[at]! ^= 1 << (at % 8);
        for (const broken of [octets.subarray(0, at), changed]) decodesOrRefuses(broken);
      }
    }
    const list = crlOf(ca, [issue("cn=y", ca)]).octets;
    for (let at = 0; at < list.length; at++) {
      expect(() => decodeCrl(list.subarray(0, at))).toThrow(WireError);
    }
  });

  function decodesOrRefuses(octets: Uint8Array): boolean {
    try {
      decodeCertificate(octets);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      return false;
    }
  }

  const corpus = "vectors/malformed/x509-corpus.json";
  describeShared(corpus, "the fuzzing corpus of strongSwan", () => {
    it("decodes or is refused with a typed error, in no time", () => {
      const files = readSharedJson<{ pem: boolean; base64: string }[]>(corpus);
      expect(files.length).toBe(80);
      let decoded = 0;
      for (const { base64, pem } of files) {
        const octets = Uint8Array.from(Buffer.from(base64, "base64"));
        if (!pem) {
          decoded += decodesOrRefuses(octets) ? 1 : 0;
          continue;
        }
        try {
          for (const block of pemBlocks(new TextDecoder().decode(octets), "CERTIFICATE")) {
            decoded += decodesOrRefuses(block) ? 1 : 0;
          }
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }
      expect(decoded).toBe(9);
    });
  });
});
