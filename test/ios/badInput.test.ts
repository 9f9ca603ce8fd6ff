import { describe, expect, it } from "vitest";
import { checkConfig } from "../../src/ios/check.ts";
import { renderIosError } from "../../src/ios/iosError.ts";
import { openConfig, parseConfig, typeLine } from "../../src/ios/parse.ts";

/** A key server with one mistake of every kind. Lines that carry one end in `; what is wrong`. */
const TEXT = `
hostname KS1
crypto isakmp policy 0 ; iosRange
crypto isakmp policy 10
 ! comments inside a block
 encr aes 256
 hash sha256
 lifetime 59 ; iosRange
 lifetime 86401 ; iosRange
 group 14
crypto ikev2 proposal PR
 encryption aes-cbc-256
 integrity sha9 ; iosInvalidInput
 integrity sha256
 group 19
ip access-list extended A1
 deny udp any eq 848 any eq 848
 permit ip 10.0.0.0 0.255.0.255 10.0.0.0 0.255.255.255
 permit ip 10.0.0.0 0.255.0.256 any ; iosInvalidInput
crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac
crypto ipsec profile IP1
 set security-association lifetime seconds 119 ; iosRange
 set security-association lifetime seconds 2592001 ; iosRange
 set transform-set TS
crypto gkm group G
 identity number 1111
 identity address ipv4 10.0.0.9 ; iosRefused
 identity number 2222 ; iosRefused
 server local
  gdoi
  ! a comment between the lines
  rekey lifetime seconds 299 ; iosRange
  rekey lifetime seconds 2592001 ; iosRange
  rekey authentication mypubkey rsa RK
  rekey a any ; iosAmbiguous
  rekey retransmit ; iosIncomplete
  rekey transport unicast
  redundancy
   local priority 0 ; iosRange
   local priority 256 ; iosRange
   local priority 255
  sa ipsec 1
   profile IP1
   match address ipv4 A1
crypto g group H ; iosAmbiguous
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
`;

const LINES = TEXT.split("\n");
const MARK = / ; (ios\w+)$/;

/** `line code` of every mistake, as the text itself says. */
const EXPECTED = LINES.flatMap((line, i) => {
  const code = MARK.exec(line)?.[1];
  return code === undefined ? [] : [`ks1.cfg:${i + 1} ${code}`];
});
const PLAIN = LINES.map((line) => line.replace(MARK, "")).join("\n");

function read(text: string) {
  const { config, problems, ignored } = parseConfig(text, "ks1.cfg");
  return { config, problems, ignored, found: problems.map(({ file, line, code }) => `${file}:${line} ${code}`) };
}

const FORMS: readonly [name: string, change: (text: string) => string][] = [
  ["as it stands", (text) => text],
  ["with CRLF", (text) => text.replaceAll("\n", "\r\n")],
  ["with tabs for blanks", (text) => text.replace(/^ +/gm, (blanks) => "\t".repeat(blanks.length))],
  ["with tabs between the words", (text) => text.replace(/(?<=\S) (?=\S)/g, "\t")],
  ["with a comment behind every block", (text) => text.replace(/\n(?=\S)/g, "\n!\n").replace("\n!\n", "\n")],
];

describe("a configuration with a mistake of every kind", () => {
  it.each(FORMS.slice(0, 4))("%s: each has its place, and the rest is read", (_name, change) => {
    const { config, ignored, found } = read(change(PLAIN));
    expect(found).toEqual(EXPECTED);
    expect(ignored).toEqual([]);
    expect([...config.isakmp.policies.keys()]).toEqual([10]);
    expect(config.isakmp.policies.get(10)).toMatchObject({ encryption: "aes-256", hash: "sha256", group: 14 });
    expect(config.isakmp.policies.get(10)!.lifetimeSeconds).toBe(86_400);
    expect(config.ikev2.proposals.get("PR")).toMatchObject({ encryption: ["aes-cbc-256"], groups: [19] });
    expect(config.accessLists.get("A1")!.entries.map(({ source }) => source.wildcard)).toEqual([
      0xffffffff, 0x00ff00ff,
    ]);
    const group = config.groups.get("G")!;
    expect(group.identity).toMatchObject({ kind: "number", number: 1111 });
    expect(group.server).toMatchObject({ gdoi: true, rekeyTransport: "unicast" });
    expect(group.server!.redundancy!.localPriority).toBe(255);
    expect(group.server!.saIpsec.get(1)!.acl?.name).toBe("A1");
    expect([...config.interfaces.keys()]).toEqual(["GigabitEthernet0/0"]);
  });

  it("reads the same model whatever separates words, lines and blocks", () => {
    const shape = (text: string) =>
      JSON.stringify(read(text).config, (key, value: unknown) => {
        if (key === "at") return undefined;
        return value instanceof Map ? [...value] : value;
      });
    for (const [name, change] of FORMS) expect(shape(change(PLAIN)) === shape(PLAIN), name).toBe(true);
  });

  it("is reported in the words of IOS, with the caret where it stops to understand", () => {
    const { problems } = read(PLAIN);
    const said = (code: string) => new Set(problems.filter((one) => one.code === code).map(({ message }) => message));
    for (const code of ["iosRange", "iosInvalidInput"]) {
      expect([...said(code)]).toEqual(["% Invalid input detected at '^' marker."]);
    }
    expect([...said("iosAmbiguous")]).toEqual([
      '% Ambiguous command:  "rekey a any"',
      '% Ambiguous command:  "crypto g group H"',
    ]);
    expect([...said("iosIncomplete")]).toEqual(["% Incomplete command."]);
    const carets = problems
      .filter(({ code }) => code === "iosRange" || code === "iosInvalidInput")
      .map(({ line, column }) => PLAIN.split("\n")[line - 1]!.slice(column - 1));
    expect(carets).toEqual([
      "0",
      "59",
      "86401",
      "9",
      "0.255.0.256 any",
      "119",
      "2592001",
      "299",
      "2592001",
      "0",
      "256",
    ]);
  });

  it("lacks an RSA key, which is found when all has been read; a wildcard with holes is no mistake", () => {
    const { config } = read(PLAIN);
    const found = checkConfig(config).map(({ code, line, message }) => ({
      code,
      text: LINES[line - 1]!.trim(),
      message,
    }));
    expect(found).toContainEqual({
      code: "iosMissing",
      text: "rekey authentication mypubkey rsa RK",
      message: "%GDOI-1-KS_NO_RSA_KEYS: RSA Key - RK : Not found, Required for group G",
    });
    expect(found.map(({ text }) => text)).not.toContain("permit ip 10.0.0.0 0.255.0.255 10.0.0.0 0.255.255.255");
  });
});

describe("a second identity", () => {
  it("is refused until the first is gone; the same one again is none", () => {
    const { config, found } = read(
      "crypto gkm group G\n identity number 5\n identity number 5\n no identity number 5\n identity address ipv4 10.0.0.9\n",
    );
    expect(found).toEqual([]);
    expect(config.groups.get("G")!.identity).toMatchObject({ kind: "address", address: 0x0a000009 });
  });

  it("is refused at the console too, and what was typed before stays", () => {
    const session = openConfig(read("crypto gkm group G\n identity number 5\n").config);
    expect(typeLine(session, "crypto gkm group G").problems).toEqual([]);
    expect(typeLine(session, "identity number 6").problems).toMatchObject([
      { code: "iosRefused", column: 17, message: "% Group G already has an identity." },
    ]);
    expect(session.config.groups.get("G")!.identity).toMatchObject({ number: 5 });
  });
});

describe("the caret at the console", () => {
  it("stands under the number that is out of range", () => {
    const session = openConfig(read("crypto isakmp policy 10\n").config);
    typeLine(session, "crypto isakmp policy 10");
    const { error } = typeLine(session, "lifetime 59");
    const prompt = "R1(config-isakmp)#";
    // R1(config-isakmp)#lifetime 59
    expect(renderIosError(error!, prompt.length)).toBe(
      "                           ^\n% Invalid input detected at '^' marker.\n",
    );
  });
});

describe("an access list of 5,000 lines", () => {
  const entry = (i: number) => `permit tcp 10.${i >> 8}.${i & 255}.0 0.0.0.255 any eq ${i}`;
  const numbered = Array.from({ length: 5_000 }, (_, i) => `access-list 101 ${entry(i)}`).join("\n");
  const named = `ip access-list extended A\n${Array.from({ length: 5_000 }, (_, i) => ` ${entry(i)}`).join("\n")}`;

  it("is read whole, one broken line in the middle is told apart, and the policy that it makes is refused once", () => {
    const broken = named.split("\n");
    broken[2_500] = " permit tcp 10.0.0.0 0.0.0.255 any eq nowhere";
    const { config, found } = read(broken.join("\n"));
    expect(found).toEqual(["ks1.cfg:2501 iosInvalidInput"]);
    expect(config.accessLists.get("A")!.entries).toHaveLength(4_999);
    const used = read(`${PLAIN.replace("match address ipv4 A1", "match address ipv4 A")}\n${named}`).config;
    expect(checkConfig(used).filter(({ code }) => code === "iosAclTooLong")).toHaveLength(1);
  });

  it("is the same list in either notation", () => {
    const entriesOf = (text: string) => {
      const [list] = [...read(text).config.accessLists.values()];
      return list!.entries.map(({ at: _at, ...rest }) => rest);
    };
    expect(entriesOf(numbered)).toEqual(entriesOf(named));
  });
});
