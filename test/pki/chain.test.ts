import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import type { Crypto, PublicKey } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { type Certificate, decodeCertificate, KeyUsage } from "../../src/pki/certificate.ts";
import { checkChain, PATH_MAX, type Trust } from "../../src/pki/chain.ts";
import type { Crl } from "../../src/pki/crl.ts";
import { issueCertificate } from "../../src/pki/issue.ts";
import { parseName } from "../../src/pki/name.ts";
import { toPem } from "../../src/pki/pem.ts";
import { describeTool } from "../tools.ts";
import { BEGIN, crlOf, DAY, END, type Holder, issue, keyOf, NOW, root } from "./authority.ts";

/** Counts what would cost time. */
function counting(): { crypto: Crypto; count(): number } {
  let verifications = 0;
  const crypto: Crypto = {
    ...native,
    verify(...args) {
      verifications += 1;
      return native.verify(...args);
    },
  };
  return { crypto, count: () => verifications };
}

function trust(anchor: Holder, change: Partial<Trust> = {}): Trust {
  return { anchors: [anchor.certificate], crls: [], revocation: "none", ...change };
}

function outcome(presented: readonly Holder[], trusted: Trust, at = NOW, crypto: Crypto = native): string {
  const certificates = presented.map(({ certificate }) => certificate);
  const result = checkChain(crypto, certificates, trusted, at);
  return result.ok ? `path of ${result.path.length}` : result.problem;
}

const ca = root("cn=Root,o=Test");
const sub = issue("cn=Sub,o=Test", ca, { authority: { pathLength: 0 } });
const gm = issue("cn=gm", sub);

/** Authorities one below the other, and a peer at the end: `count` certificates under the root. */
function chainOf(count: number): Holder[] {
  const chain: Holder[] = [];
  let issuer = ca;
  for (let i = 1; i < count; i++) {
    issuer = issue(`cn=Sub ${i},o=Test`, issuer, { authority: {} });
    chain.unshift(issuer);
  }
  return [issue("cn=last", issuer), ...chain];
}

describe("a chain", () => {
  it("leads from the peer over intermediates in any order to the anchor", () => {
    expect(outcome([gm, sub], trust(ca))).toBe("path of 3");
    expect(outcome([gm, ca, issue("cn=other", ca), sub], trust(ca))).toBe("path of 3");
    expect(outcome([gm], trust(sub))).toBe("path of 2");
  });

  it("is judged alike by both back ends", () => {
    for (const kind of ["P-256", "P-384", "P-521", 1024] as const) {
      const top = root("cn=Top", keyOf("top", kind));
      const leaf = issue("cn=leaf", top);
      for (const crypto of [native, noble]) expect(outcome([leaf], trust(top), NOW, crypto)).toBe("path of 2");
    }
  });

  it("without the intermediate leads nowhere", () => {
    expect(outcome([gm], trust(ca))).toBe("untrusted");
    expect(outcome([], trust(ca))).toBe("missing");
    expect(outcome([gm, sub], { anchors: [], crls: [], revocation: "none" })).toBe("untrusted");
    expect(outcome([root("cn=self")], trust(ca))).toBe("untrusted");
  });

  it("under an authority of the same name with another key does not hold", () => {
    const impostor = root("cn=Root,o=Test", keyOf("impostor"));
    const leaf = issue("cn=gm", impostor);
    expect(outcome([leaf], trust(ca))).toBe("untrusted");
    // Without key identifiers it takes a signature to find out.
    const bare = { ...leaf.certificate, authorityKeyId: undefined };
    expect(outcome([{ ...leaf, certificate: bare }], trust(ca))).toBe("signature");
  });

  it("holds within the validity of all its certificates, to the second", () => {
    const brief = issue("cn=brief", ca, { notBefore: BEGIN + DAY, notAfter: BEGIN + 2 * DAY });
    const at = (seconds: number) => outcome([brief], trust(ca), seconds);
    expect(at(BEGIN + DAY - 1)).toBe("notYetValid");
    expect(at(BEGIN + DAY)).toBe("path of 2");
    expect(at(BEGIN + 2 * DAY)).toBe("path of 2");
    expect(at(BEGIN + 2 * DAY + 1)).toBe("expired");
    expect(outcome([gm, sub], trust(ca), END + 1)).toBe("expired");
  });

  it("has authorities only above the peer, and no more than they allow", () => {
    const leaf = issue("cn=leaf", ca);
    expect(outcome([issue("cn=below", leaf), leaf], trust(ca))).toBe("notAuthority");
    const noSigner = issue("cn=NoSigner", ca, { authority: {}, keyUsage: KeyUsage.crlSign });
    expect(outcome([issue("cn=below", noSigner), noSigner], trust(ca))).toBe("notAuthority");
    const deeper = issue("cn=Deeper", sub, { authority: {} });
    expect(outcome([issue("cn=deep", deeper), deeper, sub], trust(ca))).toBe("pathLength");
  });

  it("begins with a key that may sign", () => {
    expect(outcome([issue("cn=enc", ca, { keyUsage: KeyUsage.keyEncipherment })], trust(ca))).toBe("usage");
    expect(outcome([issue("cn=nr", ca, { keyUsage: KeyUsage.nonRepudiation })], trust(ca))).toBe("path of 2");
  });

  it("with a critical extension that nobody understands is refused", () => {
    const odd = { ...gm.certificate, unknownCritical: ["1.2.3"] };
    expect(outcome([{ ...gm, certificate: odd }, sub], trust(ca))).toBe("unknownExtension");
  });

  it("of 20 is refused, at little cost; one at the limit holds", () => {
    expect(outcome(chainOf(PATH_MAX - 1), trust(ca))).toBe(`path of ${PATH_MAX}`);
    const { crypto, count } = counting();
    expect(outcome(chainOf(20), trust(ca), NOW, crypto)).toBe("tooLong");
    expect(count()).toBeLessThanOrEqual(PATH_MAX);
  });

  it("that runs in a circle ends", () => {
    const [a, b] = [keyOf("A"), keyOf("B")];
    const byB = issue("cn=A", { ...ca, certificate: named("cn=B"), key: b }, { authority: {} }, a);
    const byA = issue("cn=B", byB, { authority: {} }, b);
    const leaf = issue("cn=leaf", byB);
    expect(outcome([leaf, byA, byB], trust(ca))).toBe("loop");
  });

  it("of many authorities that all vouch for one another costs no more than 30 signatures", () => {
    const names = Array.from({ length: 8 }, (_, i) => `cn=N${i}`);
    const key = keyOf("shared");
    const self = issue("cn=N0", undefined, { authority: {} }, key);
    const all = names.flatMap((subject) =>
      names.map((issuer) => issue(subject, { ...self, certificate: named(issuer) }, { authority: {} }, key)),
    );
    const { crypto, count } = counting();
    expect(outcome([issue("cn=leaf", { ...self, key }), ...all], trust(ca), NOW, crypto)).not.toMatch("path of");
    expect(count()).toBeLessThanOrEqual(30);
  });

  function named(subject: string): Certificate {
    return { ...ca.certificate, subject: parseName(subject)! };
  }
});

describe("keys of odd lengths", () => {
  it("RSA of 512 and of 16,384 bits is refused before any signature is looked at", () => {
    const { crypto, count } = counting();
    const weak = issue("cn=weak", ca, {}, keyOf("weak", 512));
    expect(outcome([weak], trust(ca), NOW, crypto)).toBe("weakKey");
    const modulus = new Uint8Array(2048).fill(0xff);
    const publicKey: PublicKey = { type: "rsa", n: modulus, e: Uint8Array.of(1, 0, 1) };
    const huge = issue("cn=huge", ca, { publicKey });
    expect(outcome([huge], trust(ca), NOW, crypto)).toBe("weakKey");
    const hugeCa = issue("cn=HugeCa", ca, { publicKey, authority: {} });
    const below = issue("cn=below", { ...hugeCa, key: keyOf("anything") });
    const bare = { ...below, certificate: { ...below.certificate, authorityKeyId: undefined } };
    expect(outcome([bare, hugeCa], trust(ca), NOW, crypto)).toBe("weakKey");
    expect(count()).toBe(0);
  });

  it("keys of unknown kinds are refused", () => {
    const odd = { ...gm.certificate, publicKey: undefined };
    expect(outcome([{ ...gm, certificate: odd }, sub], trust(ca))).toBe("weakKey");
  });
});

describe("revocation", () => {
  const leaf = issue("cn=leaf", ca);
  const checks = (crls: readonly Crl[], revocation: Trust["revocation"], at = NOW) =>
    outcome([leaf], trust(ca, { crls, revocation }), at);

  it("counts from the instant at which a list says so", () => {
    const lists = [crlOf(ca, [], BEGIN), crlOf(ca, [leaf], NOW)];
    expect(checks(lists, "crl", NOW - 1)).toBe("path of 2");
    expect(checks(lists, "crl", NOW)).toBe("revoked");
    expect(checks(lists.reverse(), "crl", NOW)).toBe("revoked");
    expect(checks(lists, "none", NOW)).toBe("path of 2");
  });

  it("cannot be told without a list; whether that matters is a matter of configuration", () => {
    expect(checks([], "crl")).toBe("noCrl");
    expect(checks([], "crl-none")).toBe("path of 2");
    const ended = [crlOf(ca, [], BEGIN, NOW - 1)];
    expect(checks(ended, "crl")).toBe("noCrl");
    const other = root("cn=Other");
    expect(checks([crlOf(other, [leaf])], "crl")).toBe("noCrl");
  });

  it("is believed from nobody but the issuer", () => {
    const forger: Holder = { ...ca, key: keyOf("forger") };
    expect(checks([crlOf(forger, [leaf])], "crl")).toBe("noCrl");
    expect(checks([crlOf(forger, [leaf])], "crl-none")).toBe("path of 2");
  });

  it("of an intermediate authority takes its peers along", () => {
    const lists = [crlOf(ca, [sub]), crlOf(sub, [])];
    expect(outcome([gm, sub], trust(ca, { crls: lists, revocation: "crl" }))).toBe("revoked");
    expect(outcome([gm, sub], trust(ca, { crls: [crlOf(ca, []), crlOf(sub, [gm])], revocation: "crl" }))).toBe(
      "revoked",
    );
    expect(outcome([gm, sub], trust(ca, { crls: [crlOf(ca, []), crlOf(sub, [])], revocation: "crl" }))).toBe(
      "path of 3",
    );
  });
});

describeTool("openssl", "apt-get install -y openssl", "beside openssl verify", () => {
  const folder = mkdtempSync(join(tmpdir(), "getvpn-pki-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;

  function put(label: string, ...octets: readonly Bytes[]): string {
    const path = join(folder, `${++files}.pem`);
    writeFileSync(path, octets.map((one) => toPem(label, one)).join(""));
    return path;
  }

  function openssl(presented: readonly Holder[], anchor: Holder, crls: readonly Crl[] = [], at = NOW): boolean {
    const [own, ...others] = presented.map(({ octets }) => octets);
    const lists =
      crls.length === 0 ? [] : ["-crl_check", "-CRLfile", put("X509 CRL", ...crls.map((crl) => crl.octets))];
    const untrusted = others.length === 0 ? [] : ["-untrusted", put("CERTIFICATE", ...others)];
    const { status } = spawnSync("openssl", [
      ...["verify", "-x509_strict", "-auth_level", "1", "-attime", String(at), ...lists, ...untrusted],
      ...["-CAfile", put("CERTIFICATE", anchor.octets), put("CERTIFICATE", own!)],
    ]);
    return status === 0;
  }

  const leaf = issue("cn=leaf", ca);
  const rsaRoot = root("cn=RSA Root", keyOf("rsa root", 2048));
  const notCa = issue("cn=notCa", ca);
  const deeper = issue("cn=Deeper,o=Test", sub, { authority: {} });
  const cases: readonly [string, readonly Holder[], Holder, readonly Crl[], number][] = [
    ["one step, ECDSA", [leaf], ca, [], NOW],
    ["one step, RSA", [issue("cn=rsa", rsaRoot, {}, keyOf("rsa", 1024))], rsaRoot, [], NOW],
    ["an intermediate", [gm, sub], ca, [], NOW],
    ["a long path", chainOf(8), ca, [], NOW],
    ["no way", [gm], ca, [], NOW],
    ["expired", [leaf], ca, [], END + 1],
    ["not yet valid", [leaf], ca, [], BEGIN - 1],
    ["signed by no authority", [issue("cn=x", notCa), notCa], ca, [], NOW],
    ["too deep", [issue("cn=y", deeper), deeper, sub], ca, [], NOW],
    ["on the list", [leaf], ca, [crlOf(ca, [leaf], BEGIN, END)], NOW],
    ["not on the list", [leaf], ca, [crlOf(ca, [notCa], BEGIN, END)], NOW],
    ["an old list", [leaf], ca, [crlOf(ca, [], BEGIN, BEGIN + DAY)], NOW],
  ];

  it.each(cases)("%s: the same verdict", (_name, presented, anchor, crls, at) => {
    const ours = outcome(presented, trust(anchor, { crls, revocation: crls.length === 0 ? "none" : "crl" }), at);
    expect(ours.startsWith("path of")).toBe(openssl(presented, anchor, crls, at));
  });

  it("says yes to some of these and no to others", () => {
    const verdicts = cases.map(([, presented, anchor, crls, at]) => openssl(presented, anchor, crls, at));
    expect(verdicts.filter(Boolean).length).toBe(5);
  });

  it("openssl's own certificates are read here and hold", () => {
    const run = (...args: string[]) =>
      execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "root.pem", "-subj", "/O=T/CN=R");
    run(
      "req",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-384",
      "-nodes",
      "-keyout",
      "l.pem",
      "-out",
      "l.csr",
      "-subj",
      "/O=T/CN=L",
    );
    run("x509", "-req", "-in", "l.csr", "-CA", "root.pem", "-CAkey", "k.pem", "-out", "l.crt", "-days", "10");
    const read = (file: string) => decodeCertificate(new Uint8Array(run("x509", "-in", file, "-outform", "DER")));
    const [top, low] = [read("root.pem"), read("l.crt")];
    const result = checkChain(native, [low], { anchors: [top], crls: [], revocation: "none" }, low.notBefore);
    expect(result).toMatchObject({ ok: true });
  });

  it("reads names and alternative names as they were written", () => {
    const subject = parseName("cn=gm1.example,ou=Members,o=Bücher,c=CH")!;
    const key = keyOf("text");
    const octets = issueCertificate(
      native,
      { name: subject, key },
      {
        subject,
        publicKey: key,
        serial: 4711,
        notBefore: BEGIN,
        notAfter: END,
        alternativeNames: [{ kind: "dns", text: "gm1.example" }],
      },
    );
    const text = execFileSync(
      "openssl",
      ["x509", "-in", put("CERTIFICATE", octets), "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"],
      {
        encoding: "utf8",
      },
    );
    expect(text).toContain("C=CH,O=Bücher,OU=Members,CN=gm1.example");
    expect(text).toContain("DNS:gm1.example");
    expect(text).toContain("4711 (0x1267)");
    expect(text).toContain("Digital Signature");
  });
});
