import { describe, expect, test } from "vitest";
import { helpFor, tabFor } from "../../../sim/cli/consoleSession.ts";
import { typed } from "./typed.ts";

describe("at the console", () => {
  test("a router that translates shows whom for whom, until it is silent", () => {
    const { type } = typed("why-getvpn.yaml");
    const text = type("until 80s", "@nat1", "show ip nat translations");
    expect(text).toContain(
      "Pro  Inside global         Inside local          Outside local         Outside global\n" +
        "udp  192.0.2.40:848        172.16.1.2:848        192.0.2.30:848        192.0.2.30:848\n",
    );
    expect(text).toMatch(/^esp {2}192\.0\.2\.40:0 +10\.3\.5\.1:0 /m);
    expect(type("@m1", "show ip nat translations")).toBe("Total number of translations: 0\n");
  });

  test("the key that a key server shows is the one that its members have", () => {
    const { type } = typed("lab.yaml");
    const digits = (text: string) => /Key Data:\s([\s\S]*)/.exec(text)![1]!.replace(/\s/g, "");
    const own = digits(type("until 5s", "@ks1", "show crypto key mypubkey rsa RSA_KEYS"));
    expect(own).toMatch(/^30820122300D06092A864886F70D0101010500/);
    expect(digits(type("@gm1", "show crypto gkm gm pubkey"))).toBe(own);
    expect(type("show crypto key mypubkey rsa")).toBe("");
  });

  test("certificates are those that the scenario's authority has issued", () => {
    const { type } = typed("certificates.yaml");
    const text = type("@gm1", "show crypto pki certificates CORP");
    expect(text).toMatch(/^Certificate\n {2}Status: Available\n {2}Certificate Serial Number \(hex\): 04\n/);
    expect(text).toContain(
      "    end   date: 08:00:00 UTC Mar 1 2027\n  Associated Trustpoints: CORP \n\nCA Certificate\n",
    );
    expect(type("show crypto key mypubkey rsa")).toMatch(
      /^% Key pair was generated .*\nKey name: [^\n]+\nKey type: RSA KEYS\n/,
    );
    expect(type("show crypto pki trustpoints")).toContain("Trustpoint CORP:\n    Subject Name: \n    cn=Root CA\n");
  });

  test("IKEv2 counts its SAs as they are and its requests as they came", () => {
    const { type } = typed("lab.yaml");
    const rows = (text: string) => [
      ...text.matchAll(/^(?:Total |)(\S+) IKEv2 .*?: +(\d+) .*?: +(\d+) .*?: +(\d+) *$/gm),
    ];
    const counts = (device: string) =>
      rows(type(`@${device}`, "show crypto ikev2 stats")).map(([, ...words]) => words.join(" "));
    type("until 5s");
    expect(counts("ks1")).toEqual([
      "incoming 4 4 0",
      "outgoing 0 0 0",
      "Incoming 4 4 0",
      "Outgoing 0 0 0",
      "Rejected 0 0 0",
    ]);
    expect(counts("gm1")).toEqual([
      "incoming 0 0 0",
      "outgoing 1 1 0",
      "Incoming 0 0 0",
      "Outgoing 1 1 0",
      "Rejected 0 0 0",
    ]);
    type("clear crypto session", "run 1s");
    expect(counts("gm1").slice(1, 4)).toEqual(["outgoing 1 1 0", "Incoming 0 0 0", "Outgoing 2 2 0"]);
    expect(counts("ks1").slice(0, 3)).toEqual(["incoming 4 4 0", "outgoing 0 0 0", "Incoming 5 5 0"]);
  });

  test("the log grows with what happens, and a reload empties it", () => {
    const { type, run } = typed("lab.yaml");
    expect(type("until 5s", "@gm1", "show log | include GM_REGS_COMPL|RESTART").split("\n")).toHaveLength(3);
    run.perform({ kind: "fault", fault: { kind: "reload", device: "gm1", downtime: 1_000_000 } });
    expect(type("run 900ms", "show logging")).toBe("% gm1 has no power\n");
    const log = type("run 200ms", "show logging | begin Log Buffer").split("\n").slice(2);
    expect(log[0]).toBe("*Mar  1 00:00:06.000: %SYS-5-RESTART: System restarted --");
    expect(log.filter((line) => line.includes("%SYS-5-RESTART"))).toHaveLength(1);
  });

  test("no answer holds a key of the configurations", () => {
    const { type, session } = typed("dual-protocol.yaml");
    type("until 5s");
    for (const device of ["ks1", "gm1", "gm3"]) {
      type(`@${device}`);
      const words = helpFor(session, "show crypto ").match(/^ {2}[a-z0-9]+$/gm)!;
      expect(words.length).toBeGreaterThan(6);
      const commands = [
        "show crypto isakmp key",
        "show crypto ikev2 profile",
        "show running-config",
        "show crypto ipsec sa",
      ];
      for (const command of commands) expect(type(command), command).not.toMatch(/MY_KEY|cisco/i);
    }
  });

  test("abbreviations, help and Tab know the commands", () => {
    const { type, session } = typed("lab.yaml");
    type("until 5s", "@gm1");
    expect(type("sh cry ikev2 prof | inc Lifetime")).toBe(" Lifetime: 86400 seconds\n");
    expect(type("sh cry ips tr")).toBe(type("show crypto ipsec transform-set"));
    expect(tabFor(session, "clear crypto ses")).toBe("sion ");
    expect(helpFor(session, "show crypto ipsec ")).toBe("  profile\n  sa\n  transform-set\n");
  });
});
