import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import { SECOND } from "../../src/base/micros.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import { gmFromIos } from "../../src/gm/fromIos.ts";
import { parseConfig } from "../../src/ios/parse.ts";
import { ksFromIos } from "../../src/ks/fromIos.ts";
import { createNetwork, KS_ADDRESS, runUntil, startAll } from "../gm/network.ts";

const lab = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../scenarios/lab/${name}.cfg`, import.meta.url)), "utf8");
const key = rsaKey(createRng("lab"), 1024);
const ks = (text: string) => ksFromIos(parseConfig(text, "ks1.cfg").config, () => key);
const gm = (text: string) => gmFromIos(parseConfig(text, "gm1.cfg").config);

describe("a key server's configuration", () => {
  it("becomes a group with policy, schedule and transport", () => {
    const { config, problems } = ks(lab("ks1"));
    expect(problems).toEqual([]);
    expect(config!.local).toEqual({ address: KS_ADDRESS, port: 848 });
    expect(config!.groups).toMatchObject([
      {
        name: "GKM_GROUP",
        id: { kind: "number", number: 123 },
        gikev2: { profile: "GKM_PROFILE", kekSuite: { encr: 12, encrKeyBits: 256, integ: 12, kwa: 3 } },
        transport: { kind: "unicast" },
        kek: { lifetimeSeconds: 1200 },
        dataSas: [{ number: 1, lifetimeSeconds: 600, suite: { encr: 12, encrKeyBits: 256, integ: 12 } }],
        retransmit: { seconds: 10, count: 2 },
      },
    ]);
    const [entry] = config!.groups[0]!.dataSas[0]!.entries;
    expect(entry).toMatchObject({
      action: "permit",
      selector: { protocol: 1, sourceFirst: 0, sourceLast: 0xffffffff },
    });
    expect(config!.ike!.profiles[0]).toMatchObject({
      name: "GKM_PROFILE",
      match: { remoteAddresses: [{ network: "192.168.1.0", mask: "255.255.255.0" }] },
    });
  });

  it("reports all that it cannot serve with, each at its line", () => {
    const text = lab("ks1")
      .replace("rekey authentication mypubkey rsa RSA_KEYS", "")
      .replace("rekey algorithm aes 256", "rekey algorithm des-cbc");
    const { config, problems } = ks(text);
    expect(config).toBeUndefined();
    expect(problems.map(({ code }) => code)).toEqual(["iosUnsupported", "iosIncompleteObject"]);
    for (const { file, line } of problems) expect([file, line > 1]).toEqual(["ks1.cfg", true]);
  });

  const GDOI = `
crypto isakmp policy 10
 encryption aes 256
 authentication pre-share
 group 14
crypto isakmp key cisco address 0.0.0.0
access-list 5 deny 192.168.1.9
access-list 5 permit 192.168.1.0 0.0.0.255
crypto gkm group`;

  it("serves both protocols where it has an ISAKMP policy beside the IKEv2 profile, each with a KEK of its own", () => {
    const text = lab("ks1")
      .replace("crypto gkm group", GDOI)
      .replace("  no gdoi\n", "  authorization address ipv4 5\n");
    const { config, problems } = ks(text);
    expect(problems).toEqual([]);
    expect(config!.groups[0]).toMatchObject({
      gikev2: { profile: "GKM_PROFILE", kekSuite: { encr: 12, encrKeyBits: 256, integ: 12, kwa: 3 } },
      gdoi: {
        switches: { acknowledgement: "cisco" },
        kekSuite: { encr: 12, encrKeyBits: 256, integ: 0, kwa: 0 },
        authorization: {
          addresses: [
            { permit: false, first: 0xc0a80109, last: 0xc0a80109 },
            { permit: true, first: 0xc0a80100, last: 0xc0a801ff },
          ],
        },
      },
    });
    expect(config!.isakmp!.policies).toMatchObject([{ encryption: 7, keyBits: 256, group: 14, authentication: 1 }]);
    expect(ks(lab("ks1").replace("crypto gkm group", GDOI)).config!.isakmp).toBeUndefined();
  });

  it("knows the members that it lets into GDOI by the lines of crypto identity, and says which of them are none", () => {
    const identity =
      "crypto identity STAFF\n dn ou=Members,o=Example\n fqdn gm1.example\n description those of the west\n!\n";
    const text = lab("ks1")
      .replace("crypto gkm group", `${identity}${GDOI}`)
      .replace("  no gdoi\n", "  authorization identity STAFF\n");
    const { config, problems } = ks(text);
    expect(problems).toEqual([]);
    expect(config!.groups[0]!.gdoi!.authorization).toEqual({
      identities: [
        {
          kind: "dn",
          attributes: [
            { type: "55040a", value: "Example" },
            { type: "55040b", value: "Members" },
          ],
        },
        { kind: "fqdn", text: "gm1.example" },
      ],
    });
    const wrong = text.replace("dn ou=Members,o=Example", "dn Members");
    const line = wrong.split("\n").indexOf(" dn Members") + 1;
    expect(ks(wrong).problems).toMatchObject([
      { code: "iosRefused", line, message: expect.stringContaining("Members") },
    ]);
  });

  it("serves GDOI alone, with a KEK that G-IKEv2 does not have", () => {
    const text = lab("ks1")
      .replace("crypto gkm group", GDOI)
      .replace("  no gdoi\n  gikev2 GKM_PROFILE\n", "")
      .replace("rekey algorithm aes 256", "rekey algorithm des-cbc\n  rekey acknowledgement interoperable");
    const { config, problems } = ks(text);
    expect(problems).toEqual([]);
    expect([config!.ike, config!.groups[0]!.gikev2]).toEqual([undefined, undefined]);
    expect(config!.groups[0]!.gdoi).toEqual({
      switches: { acknowledgement: "interoperable" },
      kekSuite: { encr: 2, encrKeyBits: 0, integ: 0, kwa: 0 },
    });
    const bare = lab("ks1").replace("  no gdoi\n  gikev2 GKM_PROFILE\n", "");
    expect(ks(bare).problems).toMatchObject([{ code: "iosIncompleteObject" }]);
  });

  it("without an ISAKMP policy serves G-IKEv2 alone although gdoi is on", () => {
    const { config, problems } = ks(lab("ks1").replace("  no gdoi\n", ""));
    expect(problems).toEqual([]);
    expect(config!.groups[0]!.gdoi).toBeUndefined();
  });

  it("takes the multicast address of rekeys from its access list", () => {
    const text = lab("ks1")
      .replace("  rekey transport unicast\n", "  rekey address ipv4 REKEY\n")
      .replace(
        "crypto gkm group",
        "ip access-list extended REKEY\n permit udp host 192.168.1.254 eq 848 host 239.1.1.1 eq 848\n!\ncrypto gkm group",
      );
    expect(ks(text).config!.groups[0]!.transport).toEqual({
      kind: "multicast",
      source: { address: KS_ADDRESS, port: 848 },
      destination: { address: "239.1.1.1", port: 848 },
    });
  });
});

describe("a member of GDOI", () => {
  const GDOI = `crypto isakmp policy 10
 encryption aes 256
 authentication pre-share
 group 14
crypto keyring KS
 pre-shared-key address 192.168.1.254 key cisco
crypto isakmp profile P
 keyring KS
 match identity address 192.168.1.254
crypto isakmp profile Q
 keyring KS
 match identity address 0.0.0.0
`;
  const text = (lines: string) =>
    GDOI +
    lab("gm1")
      .replace(" client protocol gikev2 GKM_PROFILE\n", "")
      .replace(/^(crypto map \S+ 10 gkm)$/m, lines);
  const protocol = (lines: string) => gm(text(lines)).config?.groups[0]?.protocol;

  it("registers with the ISAKMP profile of its map entry, or else of the map, or else with the global settings", () => {
    const map = "crypto map CRYPTO_MAP";
    expect(protocol(`${map} 10 gkm`)).toEqual({ kind: "gdoi" });
    expect(protocol(`${map} isakmp-profile P\n${map} 10 gkm`)).toEqual({ kind: "gdoi", profile: "P" });
    const both = `${map} isakmp-profile P\n${map} 10 gkm\n set isakmp-profile Q`;
    expect(protocol(both)).toEqual({ kind: "gdoi", profile: "Q" });
    expect(protocol(`${map} isakmp-profile NONE\n${map} 10 gkm`)).toBeUndefined();
  });
});

describe("a member's configuration", () => {
  it("becomes a member of the group on the interface with the crypto map", () => {
    const { config, attachments, problems } = gm(lab("gm1"));
    expect(problems).toEqual([]);
    expect(attachments).toEqual([{ group: "GKM_GROUP", interface: "GigabitEthernet0/0" }]);
    expect(config!.groups[0]).toMatchObject({
      id: { kind: "number", number: 123 },
      local: { address: "192.168.1.1", port: 848 },
      servers: [{ address: KS_ADDRESS, port: 848 }],
      localBypass: [],
    });
  });

  it("that speaks GDOI without an ISAKMP policy is refused with its place", () => {
    const { config, problems } = gm(lab("gm1").replace(" client protocol gikev2 GKM_PROFILE\n", ""));
    expect(config).toBeUndefined();
    expect(problems[0]).toMatchObject({ code: "iosIncompleteObject", file: "gm1.cfg" });
  });

  it("registers with the key server that the other configuration describes", () => {
    const net = createNetwork({
      members: 2,
      ksConfig: () => ks(lab("ks1")).config!,
      gmConfig: (index) => ({
        ...gm(lab("gm1")).config!,
        groups: [
          {
            ...gm(lab("gm1").replace("192.168.1.1 ", `192.168.1.${index} `)).config!.groups[0]!,
            name: "GROUP",
          },
        ],
      }),
    });
    for (const member of net.members) Object.assign(member, { address: `192.168.1.${member.index}` });
    startAll(net);
    runUntil(net, 700 * SECOND);
    for (const member of net.members) expect(member.state.groups[0]!.phase.at).toBe("registered");
  });
});
