import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { withCertificates } from "../../../sim/scenario/pki.ts";
import type { RouterNode } from "../../../sim/scenario/scenario.ts";
import { toHex } from "../../../src/base/bytes.ts";
import { ConfigError } from "../../../src/base/errors.ts";
import { native } from "../../../src/crypto/native.ts";
import { noble } from "../../../src/crypto/noble.ts";
import { formatCalendar, parseCalendar } from "../../../src/pki/calendar.ts";
import { checkChain } from "../../../src/pki/chain.ts";
import { formatName } from "../../../src/pki/name.ts";

const NODES = `topology:
  nodes:
    r1:
      kind: router
      config: |
        hostname R1
        crypto pki trustpoint TP
         subject-name cn=r1,o=Example
         fqdn r1.example
         eckeypair EC
        crypto pki trustpoint ODD
         subject-name r1
        crypto pki trustpoint SHORT
         rsakeypair S 400
        interface Gi0/0
         ip address 10.0.0.1 255.255.255.0
`;

function load(pki: string) {
  return loadScenario(new Map([["x.yaml", `name: x\nduration: 1m\npki:\n${pki}${NODES}`]]), "x.yaml");
}

function problemsOf(pki: string): readonly string[] {
  try {
    load(pki);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ code, path }) => `${code} ${path}`.trim());
  }
}

function routers(pki: string, crypto = native): readonly RouterNode[] {
  const scenario = load(pki);
  const nodes = withCertificates(scenario.pki, scenario.nodes, createRng("seed").fork("keys"), crypto);
  return nodes.filter((node) => node.kind === "router");
}

const GOOD = `  begins: 2026-05-01
  authorities: [ { name: TOP }, { name: LOW, issuer: TOP, key: p-384 } ]
  certificates:
    - { device: "*", trustpoint: TP, authority: LOW, anchor: TOP, revoked: 30s }
`;

describe("the authorities of a scenario", () => {
  test("issue what the routers' configurations ask for", () => {
    const [r1] = routers(GOOD);
    const { anchor, identity, crls } = r1!.pki!.trustpoints.get("TP")!;
    expect(formatName(anchor.subject)).toBe("cn=TOP");
    const [own, low] = identity!.chain;
    expect(formatName(own!.subject)).toBe("hostname=r1.example,cn=r1,o=Example");
    expect(own!.alternativeNames).toEqual([{ kind: "dns", text: "r1.example" }]);
    expect(formatName(low!.subject)).toBe("cn=LOW");
    expect(formatCalendar(own!.notBefore)).toBe("2026-04-30T00:00:00Z");
    expect(new X509Certificate(own!.octets).verify(new X509Certificate(low!.octets).publicKey)).toBe(true);
    const epoch = parseCalendar("2026-05-01")!;
    const judge = (seconds: number) => {
      const result = checkChain(
        native,
        identity!.chain,
        { anchors: [anchor], crls, revocation: "crl" },
        epoch + seconds,
      );
      return result.ok ? "trusted" : result.problem;
    };
    expect([judge(0), judge(29), judge(30)]).toEqual(["trusted", "trusted", "revoked"]);
  });

  test("issue the same octets with both back ends, and others under another seed", () => {
    const octets = (nodes: readonly RouterNode[]) =>
      nodes.map(({ pki }) => toHex(pki!.trustpoints.get("TP")!.identity!.chain[0]!.octets));
    expect(octets(routers(GOOD, noble))).toEqual(octets(routers(GOOD)));
    const scenario = load(GOOD);
    const other = withCertificates(scenario.pki, scenario.nodes, createRng("other").fork("keys"), native);
    expect(octets(other as RouterNode[])).not.toEqual(octets(routers(GOOD)));
  });

  test("may be trusted without having issued anything", () => {
    const [r1] = routers(GOOD.replace("revoked: 30s", "issue: false"));
    expect(r1!.pki!.trustpoints.get("TP")!.identity).toBeUndefined();
  });

  test("and their mistakes are told with their places", () => {
    const row = (text: string) => `  authorities: [ { name: TOP } ]\n  certificates: [ { device: r1, ${text} } ]\n`;
    expect(problemsOf(row("trustpoint: TP, authority: TIP"))).toEqual([
      "unknownAuthority pki.certificates[0].authority",
    ]);
    expect(problemsOf(row("trustpoint: TQ, authority: TOP"))).toEqual([
      "unknownTrustpoint pki.certificates[0].trustpoint",
    ]);
    expect(problemsOf(row("trustpoint: ODD, authority: TOP"))).toEqual(["badSubject"]);
    expect(problemsOf(row("trustpoint: SHORT, authority: TOP"))).toEqual(["outOfRange pki.certificates[0].trustpoint"]);
    expect(problemsOf(row("trustpoint: TP, authority: TOP, anchor: LOW"))).toEqual([
      "unknownAuthority pki.certificates[0].anchor",
    ]);
    expect(problemsOf(row("trustpoint: TP, authority: TOP, not-after: 2026-02-30"))).toEqual([
      "badTime pki.certificates[0].not-after",
    ]);
    expect(problemsOf(row("trustpoint: TP, authority: TOP, not-after: soon"))).toEqual([
      "badTime pki.certificates[0].not-after",
    ]);
    expect(problemsOf(row("trustpoint: TP, authority: TOP, not-before: 2026-03-01, not-after: 2026-02-01"))).toEqual([
      "conflict pki.certificates[0].not-after",
    ]);
    expect(problemsOf(row("trustpoint: TP, authority: TOP, revoked: 1500ms"))).toEqual([
      "badDuration pki.certificates[0].revoked",
    ]);
    expect(problemsOf("  authorities: [ { name: LOW, issuer: TOP }, { name: TOP }, { name: TOP } ]\n")).toEqual([
      "unknownAuthority pki.authorities[0].issuer",
      "duplicateName pki.authorities[2].name",
    ]);
    expect(problemsOf('  authorities: [ { name: A, subject: "nobody" } ]\n')).toEqual([
      "badSubject pki.authorities[0].subject",
    ]);
  });
});
