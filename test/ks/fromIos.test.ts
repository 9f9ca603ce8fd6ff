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
        profile: "GKM_PROFILE",
        transport: { kind: "unicast" },
        kek: { lifetimeSeconds: 1200, suite: { encr: 12, encrKeyBits: 256, integ: 12, kwa: 3 } },
        dataSas: [{ number: 1, lifetimeSeconds: 600, suite: { encr: 12, encrKeyBits: 256, integ: 12 } }],
        retransmit: { seconds: 10, count: 2 },
      },
    ]);
    const [entry] = config!.groups[0]!.dataSas[0]!.entries;
    expect(entry).toMatchObject({
      action: "permit",
      selector: { protocol: 1, sourceFirst: 0, sourceLast: 0xffffffff },
    });
    expect(config!.ike.profiles[0]).toMatchObject({
      name: "GKM_PROFILE",
      match: { remoteAddresses: [{ network: "192.168.1.0", mask: "255.255.255.0" }] },
    });
  });

  it("reports all that it cannot serve with, each at its line", () => {
    const text = lab("ks1")
      .replace("rekey authentication mypubkey rsa RSA_KEYS", "")
      .replace("gikev2 GKM_PROFILE", "gdoi");
    const { config, problems } = ks(text);
    expect(config).toBeUndefined();
    expect(problems.map(({ code }) => code)).toEqual(["iosUnsupported", "iosIncompleteObject"]);
    for (const { file, line } of problems) expect([file, line > 1]).toEqual(["ks1.cfg", true]);
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

  it("that speaks GDOI is refused with its place", () => {
    const { config, problems } = gm(lab("gm1").replace(" client protocol gikev2 GKM_PROFILE\n", ""));
    expect(config).toBeUndefined();
    expect(problems[0]).toMatchObject({ code: "iosUnsupported", file: "gm1.cfg" });
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
