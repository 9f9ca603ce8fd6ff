/** One group, one key server, two protocols: what `show` and the log say of it. */
import { describe, expect, test } from "vitest";
import { syslogLines } from "../../../sim/device/syslog.ts";
import { routerView } from "../../../sim/device/views.ts";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { native } from "../../../src/crypto/native.ts";
import { isIosError, parseExec } from "../../../src/ios/exec.ts";
import { showText } from "../../../src/ios/show/show.ts";
import { memberConfig, node, serverConfig } from "./iosText.ts";

const TEXT = `name: protocols
duration: 60s
wan: { latency: 5ms }
topology:
  nodes:
${node("ks1", "ks", serverConfig("icmp any any"))}${node("gm1", "gm", memberConfig("GM1", "10.0.0.1", "gdoi"))}${node("gm2", "gm", memberConfig("GM2", "10.0.0.2", "gikev2 PROFILE"))}timeline:
  - { do: exec, at: 20s, device: ks1, command: crypto gkm ks rekey }
`;

const NOW = 30 * SECOND;
const run = createRun(loadScenario(new Map([["x.yaml", TEXT]]), "x.yaml"), { crypto: native });
run.passTo(NOW);

function show(device: string, command: string): string {
  const parsed = parseExec(`show ${command}`);
  if (isIosError(parsed) || parsed.kind !== "show") throw new Error(command);
  return showText(routerView(run.network, run.network.byName.get(device)!, NOW)!, parsed)!;
}

const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match.slice(1).join(" "));
const SPI = / {8}spi: 0x(\w+)/g;

describe("a key server of both protocols", () => {
  test("names the protocol of the group and of each member, and a KEK for each protocol", () => {
    expect(show("ks1", "crypto gkm")).toMatch(/Group Type +: GDOI \(ISAKMP\) & G-IKEv2 \(IKEv2\)\n/);
    const members = show("ks1", "crypto gkm ks members");
    expect(found(members, /Member ID +: (\S+)[\s\S]*?Group Type +: (.+)\n/g).sort()).toEqual([
      "10.0.0.1 GDOI (ISAKMP)",
      "10.0.0.2 G-IKEv2 (IKEv2)",
    ]);
    expect(found(members, /Rekey Acks Rcvd +: (\d+)/g)).toEqual(["1", "1"]);
    const policy = show("ks1", "crypto gkm ks policy");
    expect(found(policy, /group type +: (.+)\n/g)).toEqual(["G-IKEv2 (IKEv2)", "GDOI (ISAKMP)"]);
    expect(new Set(found(policy, / {4}spi : 0x(\w{32})\n/g)).size).toBe(2);
  });

  test("shows connections of both versions of IKE, and sessions without flows", () => {
    expect(show("ks1", "crypto isakmp sa")).toMatch(/^10\.0\.0\.254 +10\.0\.0\.1 +GDOI_IDLE +1001 ACTIVE$/m);
    expect(show("ks1", "crypto ikev2 sa")).toMatch(/^1 +10\.0\.0\.254\/848 +10\.0\.0\.2\/848 .*READY/m);
    const sessions = show("ks1", "crypto session");
    expect(found(sessions, /status: (\S+)\nPeer: (\S+) port 848\n +(IKEv\d) SA/g)).toEqual([
      "UP-IDLE 10.0.0.1 IKEv1",
      "UP-IDLE 10.0.0.2 IKEv2",
    ]);
  });

  test("leaves both kinds of members with the same TEKs, each under its own KEK", () => {
    expect(show("gm1", "crypto gkm")).toMatch(/Group Type +: GDOI \(ISAKMP\)\n/);
    expect(show("gm2", "crypto gkm")).toMatch(/Group Type +: G-IKEv2 \(IKEv2\)\n {4}IKEv2 Profile +: PROFILE\n/);
    const teks = found(show("gm1", "crypto gkm"), SPI);
    expect(teks).toHaveLength(2);
    expect(found(show("gm2", "crypto gkm"), SPI)).toEqual(teks);
    const isakmp = show("gm1", "crypto isakmp sa");
    expect(isakmp).toMatch(/^10\.0\.0\.254 +10\.0\.0\.1 +GDOI_IDLE +1001 ACTIVE$/m);
    expect(isakmp).toMatch(/^10\.0\.0\.1 +10\.0\.0\.254 +GDOI_REKEY +1002 ACTIVE$/m);
    expect(show("gm1", "crypto gkm rekey sa detail")).toMatch(/conn_id \(IKEv1\)/);
    expect(show("gm1", "crypto session")).toContain("  IKEv1 SA: local 10.0.0.1/848 remote 10.0.0.254/848 Active ");
    expect(show("gm2", "crypto isakmp sa")).not.toContain("GDOI_");
  });

  test("logs rekeys and registrations of both in the same words", () => {
    const lines = [...run.trace.range()].flatMap((event) => syslogLines(run.head, event));
    for (const name of ["gm1", "gm2"]) {
      const own = lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.replace(/^.*?%/, "%"));
      for (const mnemonic of ["CRYPTO-5-GM_REGSTER", "GDOI-5-GM_REGS_COMPL", "GDOI-5-GM_RECV_REKEY"]) {
        expect(own.filter((line) => line.startsWith(`%${mnemonic}: `))).toHaveLength(1);
      }
    }
  });
});
