import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import type { ConfigProblem } from "../../src/base/errors.ts";
import { SECOND } from "../../src/base/micros.ts";
import { endpointOfIos } from "../../src/gikev2/iosIke.ts";
import type { RouterPki } from "../../src/gikev2/iosPki.ts";
import { matchProfile } from "../../src/ikev2/profile.ts";
import { checkConfig } from "../../src/ios/check.ts";
import { parseConfig } from "../../src/ios/parse.ts";
import { printConfig } from "../../src/ios/print.ts";
import { identityText } from "../../src/pki/identity.ts";
import { IdType } from "../../src/wire/ikev2Numbers.ts";

const GM = { type: IdType.FQDN, data: utf8("gm1.example") };

/** `profile`: further lines of profile P; `box`: lines beside it. */
function endpoint(profile: string, box = "", pki?: RouterPki) {
  const text = `${box}
crypto ikev2 profile P
 match identity remote fqdn gm1.example
 authentication local pre-share key K
 authentication remote pre-share key K
${profile}
`;
  const { config, problems: typed, ignored } = parseConfig(text, "x.cfg");
  expect([typed, ignored]).toEqual([[], []]);
  const problems: ConfigProblem[] = [];
  const made = endpointOfIos(config, ["P"], 0x0a000001, problems, pki);
  return { made, profile: made.profiles[0]!, config, checked: checkConfig(config), problems };
}

describe("an IKEv2 profile", () => {
  it("asks a silent peer as its own dpd says, before that of the box, and on demand not at all", () => {
    const liveness = (seconds: number, retry: number) => ({
      idleMicros: seconds * SECOND,
      retransmit: { first: retry * SECOND, factor: 1, repeats: 5 },
    });
    const both = endpoint(" dpd 10 2 periodic", "crypto ikev2 dpd 30 5 periodic");
    expect([both.profile.liveness, both.made.liveness]).toEqual([liveness(10, 2), liveness(30, 5)]);
    const onDemand = endpoint(" dpd 10 2 on-demand");
    expect([onDemand.profile.liveness, onDemand.made.liveness]).toEqual([undefined, undefined]);
  });

  it.each([
    ["", true],
    [" match fvrf any", true],
    [" match fvrf RED", false],
  ])("serves the global routing table, and no other one is there: `%s`", (line, isFound) => {
    const { profile } = endpoint(line);
    expect(matchProfile([profile], { identity: GM }) !== undefined).toBe(isFound);
  });

  it("is its address with a pre-shared key, unless it names itself", () => {
    expect(identityText(endpoint("").profile.localIdentity)).toBe("10.0.0.1");
    expect(identityText(endpoint(" identity local email ks@example").profile.localIdentity)).toBe("ks@example");
    expect(identityText(endpoint(" identity local address 10.9.9.9").profile.localIdentity)).toBe("10.9.9.9");
  });

  it("may take INITIAL_CONTACT as said by every peer", () => {
    expect(endpoint("").profile.forceInitialContact).toBeUndefined();
    const { profile, config } = endpoint(" initial-contact force");
    expect(profile.forceInitialContact).toBe(true);
    expect(printConfig(config)).toContain("\n initial-contact force\n");
  });

  it("with EAP is refused with the reason", () => {
    const { checked } = endpoint(" authentication remote eap query-identity");
    expect(checked).toMatchObject([{ code: "iosUnsupported", message: "EAP is not supported with G-IKEv2." }]);
  });
});

describe("the settings of the box", () => {
  it("ask for certificates by URL unless that is switched off", () => {
    const urls = new Map([["http://a.example/1", Uint8Array.of(1)]]);
    const pki = { trustpoints: new Map(), config: { urls } };
    expect(endpoint("", "", pki).made.pki!.urls).toBe(urls);
    const off = endpoint("", "no crypto ikev2 http-url cert", pki);
    expect(off.made.pki!.urls).toBeUndefined();
    expect(printConfig(off.config)).toContain("\nno crypto ikev2 http-url cert\n");
  });

  it("bound the number of SAs", () => {
    expect(endpoint("", "crypto ikev2 limit max-sa 7").made.maxSas).toBe(7);
  });

  it("pass over a policy for a routing table that is not there", () => {
    const policies = `crypto ikev2 proposal ONE
 encryption aes-gcm-256
 prf sha256
 group 19
crypto ikev2 proposal TWO
 encryption aes-gcm-256
 prf sha256
 group 20
crypto ikev2 policy A
 match fvrf RED
 proposal ONE
crypto ikev2 policy B
 proposal TWO`;
    expect(endpoint("", policies).made.proposals).toMatchObject([{ dh: [20] }]);
  });
});
