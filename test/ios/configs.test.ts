import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatIpv4 } from "../../src/base/ipv4.ts";
import { checkConfig } from "../../src/ios/check.ts";
import type { IosConfig } from "../../src/ios/model.ts";
import { parseConfig } from "../../src/ios/parse.ts";
import { describeShared, readShared, sharedPath } from "../shared.ts";

const LESSON = "mission/002_688d486aedeb0119.txt";
const CHAPTER = "mission/000_dcc75b2615bc8e7c.txt";

describeShared(LESSON, "the lesson's configuration, pasted with its prompts", () => {
  const lines = readShared(LESSON)
    .toString("utf8")
    .split("\n")
    .filter((line) => /^R1\(\S+\)#/.test(line));
  const { config, problems, ignored } = parseConfig(lines.join("\n"), "lesson");

  it("is understood to the last line", () => {
    expect(lines.length).toBeGreaterThan(15);
    expect(problems).toEqual([]);
    expect(ignored).toEqual([]);
  });

  it("says what the lesson says", () => {
    expect(config.isakmp.policies.get(10)).toMatchObject({
      encryption: "aes-128",
      hash: "sha",
      authentication: "pre-share",
      group: 5,
    });
    expect(config.isakmp.keys).toMatchObject([{ address: 0, mask: 0 }]);
    expect(config.transformSets.get("TRANSFORM_SET")).toMatchObject({
      cipher: "esp-aes",
      keyBits: 128,
      espHash: "sha",
    });
    expect(config.ipsecProfiles.get("IPSEC_PROFILE")!.transformSets).toMatchObject([{ name: "TRANSFORM_SET" }]);
    expect(config.rsaKeys.get("RSA_KEYS")).toMatchObject({ modulusBits: 1024 });
    expect(config.accessLists.get("ICMP")!.entries).toMatchObject([{ action: "permit", protocol: 1 }]);
    const group = config.groups.get("GDOI_GROUP")!;
    expect(group).toMatchObject({ keyword: "gdoi", identity: { number: 123 } });
    expect(group.server).toMatchObject({ rekeyTransport: "unicast", rekeyAuthentication: { name: "RSA_KEYS" } });
    expect(formatIpv4(group.server!.address!.value)).toBe("192.168.1.254");
  });

  it("lacks what the lesson keeps for its members, and the check says so", () => {
    expect(checkConfig(config).map(({ code, message }) => `${code}: ${message}`)).toEqual([
      "iosIncompleteObject: Group GDOI_GROUP has no sa ipsec, so nothing to protect.",
    ]);
  });
});

describeShared(CHAPTER, "the chapter's examples", () => {
  const text = readShared(CHAPTER).toString("utf8");
  const blocks = [...text.matchAll(/^```\n([\s\S]*?)^```/gm)].map((match) => match[1]!);
  const read = (block: string) => parseConfig(block, "chapter");

  it("key server before the upgrade: elisions are set aside, everything else is the model", () => {
    const { config, problems, ignored } = read(blocks[0]!);
    expect(problems).toEqual([]);
    expect(new Set(ignored.map(({ text: line }) => line))).toEqual(new Set(["."]));
    const group = config.groups.get("g1")!;
    expect(group).toMatchObject({ keyword: "gdoi", identity: { number: 1111 } });
    expect(group.server!.saIpsec.get(1)).toMatchObject({
      profile: { name: "getvpn_profile" },
      acl: { name: "getvpn_acl" },
    });
    expect(group.server!.redundancy).toBeDefined();
  });

  it("key server after the upgrade serves both protocols", () => {
    const { config, problems } = read(blocks[1]!);
    expect(problems).toEqual([]);
    expect(config.groups.get("g1")!.server).toMatchObject({ gdoi: true, gikev2: { name: "ikev2_profile1" } });
  });

  it("group members have their servers by name and their map on the interface", () => {
    const members = blocks.filter((block) => block.includes("server address"));
    expect(members).toHaveLength(2);
    const [before, after] = members.map(read);
    const config = before!.config;
    expect(before!.problems).toEqual([]);
    expect(config.groups.get("g1")!.servers.map((one) => one.kind === "hostname" && one.name)).toEqual(["ks1", "ks2"]);
    expect(config.interfaces.get("GigabitEthernet0/0/0")!.cryptoMap).toMatchObject({ name: "GETVPN_CM" });
    expect(config.cryptoMaps.get("GETVPN_CM")!.entries.get(10)).toMatchObject({ keyword: "gdoi" });
    // The document's own note behind the command is no command, and the lines around it are still read.
    expect(after!.problems).toMatchObject([{ code: "iosInvalidInput", column: 41, found: "]" }]);
    expect(after!.config.groups.get("g1")!.client.protocol).toBe("gdoi");
    expect(after!.config.cryptoMaps.get("GETVPN_CM")!.entries.get(10)).toMatchObject({ keyword: "gkm" });
  });

  it("all examples of the steps are legal lines", () => {
    const examples = [...text.matchAll(/Device\(([\w-]+)\)# [^\t\n<]+/g)];
    expect(examples.length).toBeGreaterThan(10);
    for (const [line, mode] of examples) {
      const opener = OPENERS[mode!] ?? "";
      expect(parseConfig(opener + line, "step").problems, line).toEqual([]);
    }
  });
});

/** Lines that lead to the mode of an example. */
const OPENERS: Readonly<Record<string, string>> = {
  "config-ikev2-profile": "crypto ikev2 profile P\n",
  "config-gkm-group": "crypto gkm group G\n",
  "gkm-local-server": "crypto gkm group G\nserver local\n",
};

describeShared("vectors/ios-configs", "configurations from the field", () => {
  const files = readdirSync(sharedPath("vectors/ios-configs")).filter((name) => name.endsWith(".cfg"));

  it.each(files)("%s is read without throwing and every line is accounted for", (name) => {
    const text = readShared(`vectors/ios-configs/${name}`).toString("utf8");
    const { config, problems, ignored } = parseConfig(text, name);
    checkConfig(config);
    expect(config.hostname).toBe(name.replace(".cfg", ""));
    // All of them are legal IOS: nothing may be unknown, and what is set aside has its reason.
    expect(problems).toEqual([]);
    expect(ignored.filter(({ reason, why }) => reason === "unknown" || why === "")).toEqual([]);
    const commands = text.split("\n").filter((line) => /^\s*[^\s!]/.test(line)).length;
    expect(ignored.length).toBeLessThan(commands);
  });

  it("what belongs to the model is in it", () => {
    const read = (name: string): IosConfig =>
      parseConfig(readShared(`vectors/ios-configs/${name}.cfg`).toString("utf8"), name).config;
    expect([...read("ios-crypto").isakmp.policies]).toMatchObject([
      [10, { hash: "md5", group: 1, encryption: "aes-128", lifetimeSeconds: 14_400 }],
      [20, {}],
      [30, { authentication: "rsa-encr" }],
    ]);
    expect(read("ios-crypto").isakmp.keys).toMatchObject([{ key: { encryption: 6 } }, { mask: 0xffffff00 }]);
    const sets = read("ios-crypto-transform-set").transformSets;
    expect([...sets.values()].map(({ cipher, keyBits }) => `${cipher} ${keyBits}`)).toEqual([
      "esp-aes 256",
      "esp-3des 192",
      "esp-aes 192",
      "esp-gcm 128",
      "esp-gcm 256",
      "esp-gmac 128",
      "esp-gmac 256",
      "esp-seal 160",
      "esp-null 0",
    ]);
    const profiles = read("ios-crypto-ipsec-profile").ipsecProfiles;
    expect([...profiles.values()].map(({ pfsGroup }) => pfsGroup)).toEqual([14, 15, 16, 19, 21, 5]);
    const map = read("ios-crypto-map").cryptoMaps.get("mymap")!;
    expect([...map.tunnels.keys()]).toEqual([10, 20]);
    expect([...map.otherEntries.keys()]).toEqual([30]);
  });
});

describe("the reference's own examples", () => {
  it("a key server and a member as the command reference composes them", () => {
    const { problems, ignored } = parseConfig(
      `crypto gkm group G
 identity number 1111
 server local
  gdoi
  gikev2 P1
  rekey retransmit 10 number 2
  rekey authentication mypubkey rsa RK
  rekey transport unicast
  sa ipsec 1
   profile IP1
   match address ipv4 A1
   replay time window-size 5
  address ipv4 192.0.2.1
  redundancy
   local priority 100
   peer address ipv4 192.0.2.2
`,
      "ks",
    );
    expect(problems).toEqual([]);
    expect(ignored).toEqual([]);
  });
});
