import { describe, expect, it } from "vitest";
import { isIosError, parseExec } from "../../src/ios/exec.ts";
import { renderIosError } from "../../src/ios/iosError.ts";
import { parseConfig } from "../../src/ios/parse.ts";

/** The caret goes under the first character that fits nothing. */
const CARETS: readonly [text: string, code: string, caret: string][] = [
  ["crypto gkm group G\n identity nummer 5", "iosInvalidInput", "             ^"],
  ["crypto gkm group G\n identty number 5", "iosInvalidInput", "      ^"],
  ["crypto gkm group G\n server lokal", "iosInvalidInput", "          ^"],
  ["crypto gkm group G\n server local\n  rekey retransmit 9", "iosRange", "                   ^"],
  ["crypto gkm group G\n server local\n  rekey retransmit 61 number 2", "iosRange", "                   ^"],
  ["crypto gkm group G\n server local\n  rekey retransmit 10 number 11", "iosRange", "                             ^"],
  ["crypto gkm group G\n server local\n  rekey retransmit ten", "iosInvalidInput", "                   ^"],
  ["crypto gkm group G\n server local\n  rekey timers 10", "iosInvalidInput", "         ^"],
  ["crypto gkm group G\n server local\n  rekey sa ipsec", "iosInvalidInput", "         ^"],
  ["crypto gkm group G\n server local\n  sa ipsec 1\n   replay interval 5", "iosInvalidInput", "          ^"],
  ["crypto gkm group G extra", "iosInvalidInput", "                   ^"],
  ["crypto isakmp policy 0", "iosRange", "                     ^"],
  ["interface g0/0\n ip address 10.0.0.1 255.0.255.0", "iosInvalidInput", "                     ^"],
  ["ip access-list extended A\n permit ip any 10.0.0.256 0.0.0.255", "iosInvalidInput", "               ^"],
  ["crypto ikev2 proposal P\n group 3", "iosInvalidInput", "       ^"],
  ["crypto ipsec transform-set T esp-aes 512", "iosInvalidInput", "                                     ^"],
  ["crypto isakmp nat keepalive 4", "iosRange", "                            ^"],
  ["crypto isakmp profile P\n keepalive 9 retry 2", "iosRange", "           ^"],
  ["crypto isakmp profile P\n match identity hosst h", "iosInvalidInput", "                   ^"],
  ["crypto keyring K\n pre-shared-key address 10.0.0.0/8 key k", "iosInvalidInput", "                        ^"],
  ["crypto identity I\n ou Members", "iosInvalidInput", " ^"],
];

describe("invalid input", () => {
  it.each(CARETS)("%j is %s with the caret in its place", (text, code, caret) => {
    const { problems } = parseConfig(text, "r1.cfg");
    const line = text.split("\n").length;
    expect(problems).toMatchObject([{ code, file: "r1.cfg", line, column: caret.length }]);
    expect(problems[0]!.message).toBe("% Invalid input detected at '^' marker.");
  });

  it("counts a tab as one column and keeps the place behind a pasted prompt", () => {
    expect(parseConfig("crypto gkm group G\n\tidentty number 5", "f").problems[0]!.column).toBe(7);
    const pasted = "R1(config)#crypto gkm group G\nR1(config-gkm-group)#identty number 5";
    expect(parseConfig(pasted, "f").problems[0]!.column).toBe("R1(config-gkm-group)#ident".length + 1);
  });

  it("names what would have been accepted", () => {
    const { problems } = parseConfig("crypto gkm group G\n server local\n  rekey retransmit 9", "f");
    expect(problems[0]).toMatchObject({ expected: "<10-60>", found: "9" });
  });

  it("never repeats a key", () => {
    for (const text of [
      "crypto ikev2 keyring K\n peer P\n  pre-shared-key local top-secret second-half\n",
      "crypto keyring K\n pre-shared-key address 10.0.0.1 key top-secret second-half\n",
    ]) {
      const { problems } = parseConfig(text, "f");
      expect(problems).toHaveLength(1);
      expect(JSON.stringify(problems)).not.toMatch(/secret|second/);
    }
  });
});

describe("incomplete and ambiguous lines", () => {
  it.each([
    "crypto gkm group",
    "crypto ikev2 keyring",
    "crypto gkm group G\n identity number",
    "crypto gkm group G\n server local\n  rekey authentication mypubkey rsa",
    "hostname",
    "ip access-list extended A\n permit ip any",
    "ip route 10.0.0.0 255.0.0.0",
    "crypto map CM 10",
    "crypto isakmp profile",
    "crypto isakmp profile P\n match identity host",
    "crypto keyring K\n pre-shared-key address 10.0.0.1 key",
    "crypto identity I\n dn",
  ])("%j is incomplete", (text) => {
    const { problems } = parseConfig(text, "f");
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toBe("% Incomplete command.");
  });

  it("a prefix of several keywords is ambiguous, and the message repeats the line", () => {
    const { problems } = parseConfig("crypto gkm group G\n server local\n  rekey a any", "f");
    expect(problems).toMatchObject([{ code: "iosAmbiguous", line: 3, message: '% Ambiguous command:  "rekey a any"' }]);
    const profile = parseConfig("crypto isakmp profile P\n k 30", "f").problems;
    expect(profile).toMatchObject([{ code: "iosAmbiguous", message: '% Ambiguous command:  "k 30"' }]);
    const cr = parseConfig("crypto g group G", "f").problems;
    expect(cr).toMatchObject([{ code: "iosAmbiguous", message: '% Ambiguous command:  "crypto g group G"' }]);
  });

  it("an exact keyword is not ambiguous with a longer one", () => {
    const { problems, config } = parseConfig("crypto gkm group G\n server local\n  rekey sig-hash algorithm sha", "f");
    expect(problems).toEqual([]);
    expect(config.groups.get("G")!.server!.rekeySigHash).toBe("sha");
  });
});

describe("errors on the console", () => {
  it("the caret is under the first wrong character and nothing else has one", () => {
    const wrong = parseExec("show crypto gkm ks membres");
    expect(isIosError(wrong) && renderIosError(wrong, "R1#".length)).toBe(
      // R1#show crypto gkm ks membres
      "                          ^\n% Invalid input detected at '^' marker.\n",
    );
    const short = parseExec("crypto gkm ks");
    expect(isIosError(short) && renderIosError(short, 3)).toBe("% Incomplete command.\n");
  });

  it("the caret stands inside a word that starts like a keyword", () => {
    const { problems } = parseConfig("ip route 10.0.0.0 255.0.0.0 null0 nome X", "f");
    expect(problems[0]!.column).toBe("ip route 10.0.0.0 255.0.0.0 null0 n".length + 1);
  });
});
