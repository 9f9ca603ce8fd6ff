import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/ios/parse.ts";
import { upgradeConfig } from "../../src/ios/upgrade.ts";
import { describeShared, readShared } from "../shared.ts";

const CHAPTER = "mission/000_dcc75b2615bc8e7c.txt";

describeShared(CHAPTER, "the chapter's migration examples", () => {
  const text = readShared(CHAPTER).toString("utf8");
  const blocks = [...text.matchAll(/^```\n([\s\S]*?)^```/gm)].map((match) => match[1]!);
  /** Without elisions, which the document does not print alike before and after. */
  const lines = (block: string) => block.split("\n").filter((line) => !/^\s*\.?\s*$/.test(line));
  const before = blocks.filter((block) => block.startsWith("crypto gdoi group"));
  const after = blocks.filter((block) => block.startsWith("crypto gkm group"));

  it("key server: the image adds `gdoi` and `no gikev2`, the operator adds the profile", () => {
    const upgraded = lines(upgradeConfig(before[0]!));
    expect(upgraded).toEqual(lines(after[0]!).filter((line) => !/^\s+gikev2 /.test(line)));
    expect(upgraded.slice(2, 5)).toEqual(["  server local", "  gdoi", "  no gikev2"]);
  });

  it("group member: group and map change their keyword, `client protocol gdoi` is added", () => {
    const upgraded = lines(upgradeConfig(before[1]!));
    expect(upgraded).toEqual(lines(after[1]!).filter((line) => !line.includes("client protocol gikev2")));
    expect(upgraded).toContain("crypto map GETVPN_CM 10 gkm");
    expect(upgraded).toContain("  client protocol gdoi");
  });

  it("what is upgraded already stays as it is", () => {
    for (const block of before) expect(upgradeConfig(upgradeConfig(block))).toBe(upgradeConfig(block));
  });
});

describe("an upgrade", () => {
  it("leaves everything else as it was, comments and abbreviations included", () => {
    const old = [
      "! saved by the old image",
      "cry gdoi gr gdoi",
      " id num 5",
      " serv addr ipv4 192.0.2.1",
      "!",
      "crypto map gdoi gdoi fail-close",
      " activate",
      "crypto map gdoi 10 gdoi",
      " set group gdoi",
      "interface Gi0/0",
      " crypto map gdoi",
      "end",
    ];
    expect(upgradeConfig(old.join("\n")).split("\n")).toEqual([
      "! saved by the old image",
      "cry gkm gr gdoi",
      " id num 5",
      " serv addr ipv4 192.0.2.1",
      " client protocol gdoi",
      "!",
      "crypto map gdoi gkm fail-close",
      " activate",
      "crypto map gdoi 10 gkm",
      " set group gdoi",
      "interface Gi0/0",
      " crypto map gdoi",
      "end",
    ]);
  });

  it("goes on with GDOI: the model says the same as before but for the keyword", () => {
    const old =
      "crypto gdoi group g\n identity number 1\n server local\n  rekey transport unicast\n  address ipv4 1.2.3.4\n";
    const one = parseConfig(old, "old").config.groups.get("g")!;
    const { config, problems } = parseConfig(upgradeConfig(old), "new");
    expect(problems).toEqual([]);
    const other = config.groups.get("g")!;
    expect(other.keyword).toBe("gkm");
    expect(other.server).toMatchObject({ gdoi: true, rekeyTransport: "unicast" });
    expect(other.server!.gikev2).toBeUndefined();
    expect(one.server!.gdoi).toBe(true);
  });

  it("a key server that was configured for G-IKEv2 keeps what it says", () => {
    const upgraded = "crypto gkm group g\n server local\n  no gdoi\n  gikev2 P\n";
    expect(upgradeConfig(upgraded)).toBe(upgraded);
  });
});
