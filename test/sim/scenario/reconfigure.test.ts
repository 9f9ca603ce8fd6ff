import { describe, expect, test } from "vitest";
import { syslogLines } from "../../../sim/device/syslog.ts";
import { routerView } from "../../../sim/device/views.ts";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { createRun, type Run } from "../../../sim/scenario/runner.ts";
import type { ConfigError } from "../../../src/base/errors.ts";
import { SECOND } from "../../../src/base/micros.ts";
import { native } from "../../../src/crypto/native.ts";
import type { RouterView } from "../../../src/ios/show/views.ts";
import { diskScenario } from "../../scenarios/diskScenario.ts";

const lab = diskScenario("lab.yaml");

/** A run of the lab in which all members are registered. */
function registered(): Run {
  const run = createRun(lab, { crypto: native });
  run.passTo(2 * SECOND);
  return run;
}

function configure(run: Run, device: string, text: string): void {
  run.perform({ kind: "configure", device, text });
}

function view(run: Run, device: string): RouterView {
  return routerView(run.network, run.network.byName.get(device)!, run.now)!;
}

/** Events since `from` as `device kind`, with some of their data. */
function story(run: Run, from: number, kinds: RegExp): string[] {
  const out: string[] = [];
  for (let number = from; number < run.trace.events; number++) {
    const { kind, device, data } = run.trace.event(number);
    if (kinds.test(kind))
      out.push(`${run.head.devices[device]!.name} ${kind} ${data.group ?? data.interface ?? ""}`.trim());
  }
  return out;
}

function pinged(run: Run, device: string, destination: number, source: string): boolean {
  const from = run.trace.events;
  run.perform({ kind: "ping", device, destination, source, repeat: 1 });
  run.passTo(run.now + 3 * SECOND);
  return story(run, from, /^ping\.reply$/).some((line) => line.startsWith(device));
}

describe("an interface of a member", () => {
  test("that is shut takes line and group down, and both come back with it", () => {
    const run = registered();
    const from = run.trace.events;
    configure(run, "gm1", "interface Gi0/0\n shutdown");
    run.passTo(4 * SECOND);
    expect(story(run, from, /^(link|config|gm\.(un|att|reg))/)).toEqual([
      "gm1 config.applied",
      "gm1 link.down GigabitEthernet0/0",
      "gm1 config.interfaceDown GKM_GROUP",
      "gm1 gm.unregistered GKM_GROUP",
    ]);
    expect(view(run, "gm1").members[0]).toMatchObject({ status: "Not Registered", teks: [] });
    expect(view(run, "gm1").interfaces[1]).toMatchObject({ isShutdown: true, isUp: false });
    configure(run, "gm1", "interface Gi0/0\n no shutdown");
    run.passTo(6 * SECOND);
    expect(view(run, "gm1").members[0]).toMatchObject({ status: "Registered", attempted: 2 });
    expect(pinged(run, "gm1", 0x02020202, "Loopback0")).toBe(true);
  });

  test("loses its group with the crypto map, sends in clear, and gets it back", () => {
    const run = registered();
    configure(run, "gm2", "interface Gi0/0\n no crypto map");
    run.passTo(4 * SECOND);
    expect(view(run, "gm2").members).toEqual([]);
    expect(view(run, "gm2").ipsec).toEqual([]);
    // The others refuse what comes in clear and should not.
    expect(pinged(run, "gm2", 0x01010101, "Loopback0")).toBe(false);
    configure(run, "gm2", "interface Gi0/0\n crypto map CRYPTO_MAP");
    run.passTo(run.now + 2 * SECOND);
    expect(view(run, "gm2").members[0]).toMatchObject({ status: "Registered" });
    expect(pinged(run, "gm2", 0x01010101, "Loopback0")).toBe(true);
  });

  test("gets an address and a loopback beside it, and the others learn of them", () => {
    const run = registered();
    configure(
      run,
      "gm3",
      "interface Loopback7\n ip address 7.7.7.7 255.255.255.255\nrouter ospf 1\n network 7.7.7.7 0.0.0.0 area 0",
    );
    expect(view(run, "gm1").routes).toContainEqual(
      expect.objectContaining({ network: "7.7.7.7", nextHop: "192.168.1.3" }),
    );
    expect(pinged(run, "gm1", 0x07070707, "Loopback0")).toBe(true);
  });
});

describe("a member's group", () => {
  test("that changes its key servers registers anew with the new list", () => {
    const run = registered();
    const from = run.trace.events;
    configure(
      run,
      "gm1",
      "crypto gkm group GKM_GROUP\n no server address ipv4 192.168.1.254\n server address ipv4 192.168.1.253",
    );
    run.passTo(4 * SECOND);
    expect(story(run, from, /^gm\.(un|att|registering)/)).toEqual([
      "gm1 gm.unregistered GKM_GROUP",
      "gm1 gm.attached GKM_GROUP",
      "gm1 gm.registering GKM_GROUP",
    ]);
    expect(view(run, "gm1").members[0]).toMatchObject({ servers: ["192.168.1.253"], status: "Registering" });
    configure(run, "gm1", "crypto gkm group GKM_GROUP\n server address ipv4 192.168.1.254");
    run.passTo(run.now + 2 * SECOND);
    configure(run, "gm1", "crypto gkm group GKM_GROUP\n no server address ipv4 192.168.1.253");
    run.passTo(run.now + 2 * SECOND);
    expect(view(run, "gm1").members[0]).toMatchObject({ status: "Registered", server: "192.168.1.254" });
  });

  test("that cannot work any more stays as it was, and the log says why", () => {
    const run = registered();
    const from = run.trace.events;
    configure(run, "gm1", "crypto gkm group GKM_GROUP\n passive");
    run.passTo(4 * SECOND);
    expect(story(run, from, /^(config|gm)\./)).toEqual(["gm1 config.applied", "gm1 config.incomplete GKM_GROUP"]);
    expect(view(run, "gm1").members[0]).toMatchObject({ status: "Registered" });
  });
});

describe("a configuration that nothing can work with", () => {
  const incomplete = "crypto ikev2 proposal NEW\n encryption aes-cbc-256\n integrity sha256";
  const clear = { kind: "command", name: "clear", data: { group: "GKM_GROUP" } } as const;
  const configEvents = (run: Run, from: number) => story(run, from, /^config\./).map((line) => line.split(" ")[1]);

  test("is not followed because of another change either", () => {
    const run = registered();
    configure(run, "gm1", `${incomplete}\ncrypto ikev2 policy NEW\n proposal NEW`);
    const from = run.trace.events;
    configure(run, "gm1", "hostname OTHER");
    expect(configEvents(run, from)).toEqual(["config.applied", "config.incomplete"]);
    run.perform({ kind: "machine", device: "gm1", machine: "gm", input: clear });
    run.passTo(30 * SECOND);
    expect(view(run, "gm1").members[0]).toMatchObject({ status: "Registered", attempted: 2 });
  });

  test("is followed once it is complete", () => {
    const run = registered();
    configure(run, "gm1", `${incomplete}\ncrypto ikev2 policy NEW\n proposal NEW`);
    const from = run.trace.events;
    configure(run, "gm1", "crypto ikev2 proposal NEW\n group 19");
    expect(configEvents(run, from)).toEqual(["config.applied"]);
  });
});

describe("a key server", () => {
  test("logs that its policy has changed, and members learn of it with the rekey that the operator asks for", () => {
    const run = registered();
    const from = run.trace.events;
    configure(run, "ks1", "ip access-list extended ICMP\n permit udp any any eq 53");
    run.passTo(10 * SECOND);
    expect(story(run, from, /^(config|ks|gm)\./)).toEqual(["ks1 config.applied", "ks1 config.groupPolicy GKM_GROUP"]);
    expect(view(run, "gm1").members[0]!.downloaded).toHaveLength(1);
    const lines = syslogLines(run.head, run.trace.event(from + 1));
    expect(lines[0]).toMatch(
      /^ks1: \*Mar {2}1 00:00:02\.\d{3}: %GDOI-5-POLICY_CHANGE: GDOI group GKM_GROUP policy has changed/,
    );
    run.perform({
      kind: "machine",
      device: "ks1",
      machine: "ks",
      input: { kind: "command", name: "rekey", data: { group: "GKM_GROUP", replaceNow: false } },
    });
    run.passTo(12 * SECOND);
    expect(view(run, "gm1").members[0]!.downloaded).toHaveLength(2);
    // One SA for both entries of the list, and the one before it.
    expect(view(run, "gm4").members[0]!.teks).toHaveLength(2);
    expect(pinged(run, "gm1", 0x02020202, "Loopback0")).toBe(true);
  });

  test("gives new lifetimes to the keys of the next rekey, and leaves those in use alone", () => {
    const run = registered();
    const from = run.trace.events;
    configure(run, "ks1", "crypto ipsec profile IPSEC_PROFILE\n set security-association lifetime seconds 900");
    expect(story(run, from, /^config\./)).toEqual(["ks1 config.applied"]);
    expect(view(run, "ks1").servers[0]).toMatchObject({ sas: [{ lifetime: 900 }], teks: [{ lifetime: 600 }] });
    run.passTo(500 * SECOND);
    expect(view(run, "ks1").servers[0]!.teks.map(({ lifetime }) => lifetime)).toEqual([900, 600]);
    expect(view(run, "ks1").servers[0]!.rekeysSent).toBe(1);
  });

  test("that serves no group any more forgets its members, and its timers with them", () => {
    const run = registered();
    configure(run, "ks1", "no crypto gkm group GKM_GROUP");
    expect(view(run, "ks1").servers).toEqual([]);
    run.passTo(600 * SECOND);
    expect(view(run, "gm1").members[0]).not.toMatchObject({ status: "Registered" });
  });

  test("keeps what was configured over a reload", () => {
    const run = registered();
    configure(run, "ks1", "hostname KEYS\ncrypto gkm group GKM_GROUP\n server local\n  rekey lifetime seconds 900");
    run.perform({ kind: "fault", fault: { kind: "reload", device: "ks1", downtime: SECOND } });
    run.passTo(4 * SECOND);
    expect(view(run, "ks1")).toMatchObject({ hostname: "KEYS", uptimeSeconds: 1 });
    expect(view(run, "ks1").servers[0]).toMatchObject({ rekeyLifetime: 900, keks: [] });
  });
});

describe("static routes", () => {
  test("are in the table at once, and gone again", () => {
    const run = registered();
    configure(run, "gm1", "ip route 9.9.0.0 255.255.0.0 192.168.1.3");
    expect(view(run, "gm1").routes).toContainEqual(
      expect.objectContaining({ network: "9.9.0.0", length: 16, source: "static" }),
    );
    configure(run, "gm1", "no ip route 9.9.0.0 255.255.0.0 192.168.1.3");
    expect(view(run, "gm1").routes.some(({ network }) => network === "9.9.0.0")).toBe(false);
  });
});

describe("configuration in a timeline", () => {
  const yaml = (config: string) => `
name: timed
seed: s
duration: 10s
topology:
  nodes:
    r1:
      kind: router
      config: |
        interface Loopback0
         ip address 1.1.1.1 255.255.255.255
timeline:
  - { do: configure, at: 5s, device: r1, config: "${config}" }
`;
  const load = (config: string) => loadScenario(new Map([["timed.yaml", yaml(config)]]), "timed.yaml");

  test("takes effect at its instant, the same in every run", () => {
    const runs = [0, 1].map(() =>
      createRun(load("hostname LATER\\ninterface Loopback0\\nshutdown"), { crypto: native }),
    );
    for (const run of runs) {
      run.passTo(4 * SECOND);
      expect(view(run, "r1").hostname).toBe("r1");
      run.passTo(6 * SECOND);
      expect(view(run, "r1")).toMatchObject({ hostname: "LATER", interfaces: [{ isShutdown: true, isUp: false }] });
      run.step();
    }
    expect(runs[0]!.end()).toEqual(runs[1]!.end());
  });

  test("is refused before the run where IOS would refuse it", () => {
    try {
      load("crypto gkm group G\\nrekey timers 5");
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigError).problems).toMatchObject([{ code: "iosInvalidInput", path: "timeline[0].config" }]);
    }
  });
});

describe("IKEv1 on a key server of GDOI", () => {
  const lesson = diskScenario("lesson.yaml");
  const isRegistered = (run: Run) => view(run, "gm1").members[0]!.status === "Registered";
  const clear = (run: Run) => {
    const input = { kind: "command", name: "clear", data: { group: "GDOI_GROUP" } } as const;
    run.perform({ kind: "machine", device: "gm1", machine: "gm", input });
  };
  const log = (run: Run) =>
    Array.from({ length: run.trace.events }, (_, number) => syslogLines(run.head, run.trace.event(number)))
      .flat()
      .filter((line) => line.includes("ISAKMP_ON_OFF"))
      .map((line) => line.split("%")[1]);

  function started(): Run {
    const run = createRun(lesson, { crypto: native });
    run.passTo(2 * SECOND);
    expect(isRegistered(run)).toBe(true);
    return run;
  }

  test("that is switched off answers nobody, and takes up again where it is switched on", () => {
    const run = started();
    configure(run, "ks1", "no crypto isakmp enable");
    clear(run);
    run.passTo(40 * SECOND);
    expect(isRegistered(run)).toBe(false);
    configure(run, "ks1", "crypto isakmp enable");
    run.passTo(120 * SECOND);
    expect(isRegistered(run)).toBe(true);
    // Behind what every router has said when it was started.
    expect(log(run).slice(5)).toEqual([
      "CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is OFF",
      "CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON",
    ]);
  });

  test("changes its keys for a keyring, and refuses whom the new profile does not match from then on", () => {
    const run = started();
    const profile = (name: string) =>
      "crypto keyring K\n pre-shared-key address 192.168.1.0 255.255.255.0 key MY_KEY\n" +
      `crypto isakmp profile P\n keyring K\n match identity ${name}\nno crypto isakmp key MY_KEY address 0.0.0.0`;
    configure(run, "ks1", profile("address 10.0.0.0 255.0.0.0"));
    clear(run);
    run.passTo(12 * SECOND);
    expect(isRegistered(run)).toBe(false);
    const refused = [...run.trace.ofKind("isakmp.authFailed")].map(({ data }) => [data.reason, data.profile]);
    expect(refused[0]).toEqual(["keyring", "default"]);
    configure(run, "ks1", "crypto isakmp profile P\n match identity address 192.168.1.0 255.255.255.0");
    run.passTo(60 * SECOND);
    expect(isRegistered(run)).toBe(true);
    const server = run.head.devices.findIndex(({ name }) => name === "ks1");
    const taken = [...run.trace.ofKind("isakmp.established")].filter(({ device }) => device === server);
    expect(taken.at(-1)!.data.profile).toBe("P");
  });

  test("takes up no more SAs than crypto call admission allows, and logs whom it denies one", () => {
    const run = createRun(lesson, { crypto: native });
    configure(run, "ks1", "crypto call admission limit ike sa 3");
    run.passTo(5 * SECOND);
    expect([...run.trace.ofKind("ks.registered")]).toHaveLength(3);
    const denied = Array.from({ length: run.trace.events }, (_, number) =>
      syslogLines(run.head, run.trace.event(number)),
    )
      .flat()
      .filter((line) => line.includes("IKE_DENY_SA_REQ"));
    expect(denied.length).toBeGreaterThan(0);
    expect(denied[0]).toMatch(
      /^ks1: .*IKE denied an INCOMING SA request from 192\.168\.1\.\d due to the limit of SAs$/,
    );
  });
});
