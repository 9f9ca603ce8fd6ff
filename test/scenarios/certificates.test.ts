import { describe, expect, test } from "vitest";
import { syslogLines } from "../../sim/device/syslog.ts";
import { MINUTE, SECOND } from "../../src/base/micros.ts";
import { noble } from "../../src/crypto/noble.ts";
import { diskScenario, finishedRun } from "./diskScenario.ts";

describe("the group that proves itself by certificates", () => {
  const scenario = diskScenario("certificates.yaml");
  const run = finishedRun(scenario);
  const refusals = [...run.trace.ofKind("ike.certificateRefused")];

  test("logs on the key server which certificate was refused, and why", () => {
    const lines = refusals.flatMap((event) => syslogLines(run.head, event));
    expect(lines.every((line) => line.startsWith("ks1: "))).toBe(true);
    const messages = [...new Set(lines.map((line) => line.replace(/^.*?(%PKI)/, "$1")))];
    expect(messages).toEqual([
      "%PKI-3-CERTIFICATE_INVALID_EXPIRED: Certificate chain validation has failed. The certificate (SN: 06) has expired.",
      "%PKI-3-CERTIFICATE_REVOKED: Certificate chain validation has failed. The certificate (SN: 04) is revoked",
    ]);
  });

  test("shows members by the names in their certificates", () => {
    const names = [...run.trace.ofKind("ike.established")].map(({ data }) => data.identity);
    expect(names).toContain("hostname=gm3,cn=gm3,ou=Members,o=Example");
    expect(names).toContain("hostname=ks1,cn=ks1,ou=Servers,o=Example");
  });

  test("lets the revoked member stay until it shows its certificate again", () => {
    const registered = [...run.trace.ofKind("gm.registered")].filter(({ device }) => {
      return run.head.devices[device]!.name === "gm6";
    });
    expect(registered.length).toBe(1);
    const first = refusals.find(({ data }) => data.reason === "revoked")!;
    expect(first.time).toBeGreaterThan(4 * MINUTE);
    expect(first.time).toBeLessThan(4 * MINUTE + SECOND);
  });

  test("leaves the same trace with the portable back end", () => {
    const until = { untilMicros: 30 * SECOND };
    const [a, b] = [finishedRun(scenario, until), finishedRun(scenario, { ...until, crypto: noble, memo: false })];
    expect(b.end()).toEqual(a.end());
  });
});
