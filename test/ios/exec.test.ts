import { describe, expect, it } from "vitest";
import { isIosError, parseExec } from "../../src/ios/exec.ts";

describe("exec commands", () => {
  it.each([
    ["crypto gkm ks rekey", { kind: "rekey", replaceNow: false }],
    ["crypto gdoi ks rekey", { kind: "rekey", replaceNow: false }],
    ["crypto gkm ks rekey group G replace-now", { kind: "rekey", group: "G", replaceNow: true }],
    ["crypto gkm group G ks rekey replace-now", { kind: "rekey", group: "G", replaceNow: true }],
    ["crypto gkm ks evict 10.0.0.1", { kind: "evictMember", member: "10.0.0.1", now: false, bar: false }],
    ["crypto gkm group G ks evict 10.0.0.1 bar now", { kind: "evictMember", group: "G", now: true, bar: true }],
    ["clear crypto gkm", { kind: "clearGroups" }],
    ["clear crypto gdoi group G", { kind: "clearGroups", group: "G" }],
    ["clear crypto gkm ks members", { kind: "clearMembers", now: false }],
    ["clear crypto gkm group G ks members now", { kind: "clearMembers", group: "G", now: true }],
    ["clear crypto gkm ks members now group G", { kind: "clearMembers", group: "G", now: true }],
    ["clear crypto gkm ks coop role", { kind: "clearCoop", what: "role" }],
    ["clear crypto sa", { kind: "clearIpsecSas", peer: undefined }],
    ["clear cry sa peer 10.0.0.1", { kind: "clearIpsecSas", peer: "10.0.0.1" }],
    ["clear crypto ikev2 sa", { kind: "clearIkev2Sas", local: undefined, remote: undefined }],
    ["cle cry ikev2 sa rem 10.0.0.1", { kind: "clearIkev2Sas", local: undefined, remote: "10.0.0.1" }],
    ["clear crypto isakmp", { kind: "clearIsakmp", connection: undefined }],
    ["clear crypto isa 1001", { kind: "clearIsakmp", connection: 1001 }],
    [
      "clear crypto session local 10.0.0.1 remote 10.0.0.2",
      { kind: "clearSessions", local: "10.0.0.1", remote: "10.0.0.2" },
    ],
    ["crypto gkm gm group G ipsec direction inbound optional", { kind: "direction", direction: "inbound-optional" }],
    ["configure terminal", { kind: "configure" }],
    ["conf t", { kind: "configure" }],
    ["term len 0", { kind: "terminal" }],
    ["terminal width 511", { kind: "terminal" }],
    ["show crypto gkm", { kind: "show", words: ["crypto", "gkm"] }],
    ["sh cry gkm gr G ks pol", { kind: "show", words: ["crypto", "gkm", "group", "G", "ks", "policy"] }],
    ["R1#show crypto gdoi ks members", { kind: "show", words: ["crypto", "gdoi", "ks", "members"] }],
    ["debug crypto gkm gm rekey event", { kind: "debug", on: true, words: ["crypto", "gkm", "gm", "rekey", "event"] }],
    ["undebug all", { kind: "debug", on: false, words: ["all"] }],
  ] as const)("%s", (text, expected) => {
    expect(parseExec(text)).toMatchObject(expected);
  });

  it("ping has IOS's defaults and takes its options in any order", () => {
    expect(parseExec("ping 10.0.0.1")).toMatchObject({
      kind: "ping",
      destination: 0x0a000001,
      repeat: 5,
      size: 100,
      timeoutSeconds: 2,
      dontFragment: false,
    });
    expect(parseExec("ping 10.0.0.1 size 1400 source lo0 df-bit repeat 3 timeout 1")).toMatchObject({
      sourceInterface: "Loopback0",
      repeat: 3,
      size: 1400,
      timeoutSeconds: 1,
      dontFragment: true,
    });
    expect(parseExec("ping 10.0.0.1 source 10.9.9.9")).toMatchObject({ sourceAddress: 0x0a090909 });
  });

  it("output filters keep their text as typed", () => {
    expect(parseExec("show crypto gkm ks members | inc Rekeys sent  :")).toMatchObject({
      kind: "show",
      words: ["crypto", "gkm", "ks", "members"],
      filter: { kind: "include", text: "Rekeys sent  :" },
    });
    expect(parseExec("clear crypto sa | include x")).toMatchObject({ code: "iosInvalidInput", column: 17 });
    expect(parseExec("show crypto gkm |")).toMatchObject({ code: "iosIncomplete" });
  });

  it.each([
    ["crypto gkm ks", "iosIncomplete"],
    ["", "iosIncomplete"],
    ["show crypto g", "iosAmbiguous"],
    ["c", "iosAmbiguous"],
    ["ping 10.0.0.1 size 35", "iosRange"],
    ["ping 10.0.0.256", "iosInvalidInput"],
    ["frobnicate", "iosInvalidInput"],
  ])("%j is %s", (text, code) => {
    const result = parseExec(text);
    expect(isIosError(result) && result.code).toBe(code);
  });
});
