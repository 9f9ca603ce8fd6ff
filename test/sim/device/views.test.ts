import { describe, expect, test } from "vitest";
import { routerView } from "../../../sim/device/views.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { native } from "../../../src/crypto/native.ts";
import { isIosError, parseExec } from "../../../src/ios/exec.ts";
import { showText } from "../../../src/ios/show/show.ts";
import type { RouterView } from "../../../src/ios/show/views.ts";
import { labels } from "../../ios/show/labels.ts";
import { diskScenario } from "../../scenarios/diskScenario.ts";

/** Behind the first rekey, while old and new TEK are both there. */
const NOW = 500 * SECOND;
const run = createRun(diskScenario("lab.yaml"), { crypto: native });
run.passTo(NOW);

function viewOf(device: string): RouterView {
  return routerView(run.network, run.network.byName.get(device)!, NOW)!;
}

function show(device: string, command: string): string {
  const parsed = parseExec(`show ${command}`);
  if (isIosError(parsed) || parsed.kind !== "show") throw new Error(command);
  return showText(viewOf(device), parsed)!;
}

const SHOW_COMMANDS = [
  "crypto gkm",
  "crypto gkm ks",
  "crypto gkm ks detail",
  "crypto gkm ks members",
  "crypto gkm ks members summary",
  "crypto gkm ks policy",
  "crypto gkm ks acl",
  "crypto gkm ks rekey",
  "crypto gkm ks replay",
  "crypto gkm ks coop",
  "crypto gkm ks identifier detail",
  "crypto gkm gm",
  "crypto gkm gm acl",
  "crypto gkm gm rekey detail",
  "crypto gkm gm replay",
  "crypto gkm gm identifier detail",
  "crypto gkm gm dataplane counters",
  "crypto gkm gm pubkey",
  "crypto gkm feature gikev2",
  "crypto gkm ipsec sa",
  "crypto gkm rekey sa",
  "crypto gkm rekey sa detail",
  "crypto ikev2 sa detailed",
  "crypto isakmp sa",
  "crypto ipsec sa",
  "crypto session detail",
  "crypto map",
  "crypto isakmp policy",
  "crypto isakmp key",
  "crypto ikev2 proposal",
  "crypto ikev2 policy",
  "crypto ikev2 profile",
  "crypto ipsec transform-set",
  "crypto ipsec profile",
  "crypto key mypubkey rsa",
  "crypto pki certificates",
  "crypto pki trustpoints",
  "access-lists",
  "ip nat translations",
  "logging",
  "ip interface brief",
  "ip route",
  "running-config",
  "version",
  "clock",
];

describe("a key server of the lab behind its first rekey", () => {
  const [group] = viewOf("ks1").servers;

  test("has four members that got it and acknowledged it", () => {
    expect(group!.members.map(({ address }) => address).sort()).toEqual([1, 2, 3, 4].map((n) => `192.168.1.${n}`));
    for (const member of group!.members) {
      expect(member).toMatchObject({
        rekeysSent: 1,
        acksReceived: 1,
        acksMissed: 0,
        sequencesSent: [1],
        sequencesReceived: [1],
      });
    }
    expect(group).toMatchObject({ rekeysSent: 1, lastRetransmits: 0, type: "G-IKEv2 (IKEv2)" });
  });

  test("has two TEKs, the newest first, whose ages and rests make up their lives", () => {
    const { teks, keks } = group!;
    const [kek] = keks;
    expect(teks).toHaveLength(2);
    for (const { lifetime, elapsed, remaining } of teks) {
      expect(lifetime).toBe(600);
      expect(Math.abs(elapsed + remaining - lifetime)).toBeLessThanOrEqual(1);
    }
    expect(teks[0]!.remaining).toBeGreaterThan(teks[1]!.remaining);
    expect(teks.map(({ rekeyIn }) => rekeyIn === undefined)).toEqual([false, true]);
    expect(kek).toMatchObject({
      lifetime: 1200,
      remaining: 700,
      cipher: "AES",
      keyOctets: 32,
      ivOctets: 16,
      sequence: 1,
    });
    // A key of 2048 bits: 294 octets of SubjectPublicKeyInfo.
    expect(kek!.signature).toMatchObject({ spkiOctets: 294, signatureOctets: 256, label: "RSA_KEYS" });
  });
});

describe("a member of the lab behind that rekey", () => {
  const view = viewOf("gm1");
  const [group] = view.members;

  test("holds what the key server lists", () => {
    const [server] = viewOf("ks1").servers;
    expect(group!.teks.map(({ spi }) => spi)).toEqual(server!.teks.map(({ spi }) => spi));
    expect(group!.kek!.spi).toBe(server!.keks[0]!.spi);
    expect(group!.downloaded.map(({ action, protocol }) => `${action} ${protocol}`)).toEqual(["permit 1"]);
    expect(group).toMatchObject({
      status: "Registered",
      server: "192.168.1.254",
      succeeded: 1,
      attempted: 1,
      transport: "Unicast",
      rekeys: {
        unicast: 1,
        multicast: 0,
        acksSent: 1,
        sinceRegistration: 1,
        lastFrom: "192.168.1.254",
        lastSequence: 1,
      },
    });
    expect(group!.kek!.signature).toMatchObject({ spkiOctets: 294, hash: "HMAC_AUTH_SHA256" });
  });

  test("sends with the old TEK and lists both in its data plane, with one MTU for all", () => {
    const [flow] = view.ipsec[0]!.flows;
    expect(flow!.sas.map(({ inboundSpi }) => inboundSpi)).toEqual(group!.teks.map(({ spi }) => spi));
    expect(flow!.outboundSpi).toBe(group!.teks[1]!.spi);
    expect(flow!.plaintextMtu).toBe(1438);
    expect(flow!.counters.encaps).toBeGreaterThan(100);
    expect(flow!.counters).toMatchObject({ sendErrors: 0, receiveErrors: 0 });
    expect(group!.dataPlane.encrypted).toBe(flow!.counters.encrypt);
  });

  test("has one IKE SA, whose ids the two sides see the other way round", () => {
    const [own] = view.ikev2Sas;
    const other = viewOf("ks1").ikev2Sas.find(({ remote }) => remote.address === "192.168.1.1")!;
    expect(own).toMatchObject({
      isInitiator: true,
      status: "READY",
      cipher: "AES-CBC",
      keyBits: 256,
      dhGroup: 19,
      lifetime: 86_400,
    });
    expect([own!.localSpi, own!.localId]).toEqual([other.remoteSpi, other.remoteId]);
    expect([own!.requests.localNext, own!.requests.remoteNext]).toEqual([
      other.requests.remoteNext,
      other.requests.localNext,
    ]);
  });

  test("knows the loopbacks of the others by their routers", () => {
    const learned = view.routes
      .filter(({ source }) => source === "ospf")
      .map(({ network, nextHop }) => `${network} ${nextHop}`);
    expect(learned).toEqual(["2.2.2.2 192.168.1.2", "3.3.3.3 192.168.1.3", "4.4.4.4 192.168.1.4"]);
  });
});

describe("every view", () => {
  test.each(["ks1", "gm1"])("of %s shows no key, nothing undefined and no number that is none", (device) => {
    for (const command of SHOW_COMMANDS) {
      const text = show(device, command);
      expect(text, command).not.toMatch(/MY_KEY|undefined|NaN|\[object/);
    }
  });

  test("counts in whole seconds down from one instant to the next", () => {
    const left = (now: number) => {
      const text = showText(routerView(run.network, run.network.byName.get("gm1")!, now)!, {
        words: ["crypto", "gkm"],
      })!;
      return Number(labels(text).get("Lifetime (secs)"));
    };
    expect(left(NOW) - left(NOW + 10 * SECOND)).toBe(10);
  });
});

test("a host and a router without power have no view", () => {
  const off = createRun(diskScenario("lab.yaml"), { crypto: native });
  off.passTo(0);
  off.perform({ kind: "fault", fault: { kind: "powerOff", device: "gm1" } });
  expect(routerView(off.network, off.network.byName.get("gm1")!, 0)).toBeUndefined();
});
