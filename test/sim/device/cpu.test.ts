import { describe, expect, it } from "vitest";
import { createCpu, enqueue, releaseServer, takeJob, workFor } from "../../../sim/device/cpu.ts";
import { perform } from "../../../sim/device/network.ts";
import type { Network } from "../../../sim/device/networkState.ts";
import { operationNanos, PLATFORMS } from "../../../sim/device/platform.ts";
import type { CpuSpec, HostedMachine, MachineInput } from "../../../sim/device/spec.ts";
import { MILLISECOND, type Micros, SECOND } from "../../../src/base/micros.ts";
import { newMeter, OPERATIONS, operationNumber } from "../../../src/crypto/meter.ts";
import { ike } from "../../gm/network.ts";
import { memberRouter, serverRouter } from "./group.ts";
import { cloudOf, link, network, router, story } from "./lab.ts";

const ISR: CpuSpec = { profile: "isr4400" };

function nanosOf(counts: Readonly<Record<string, readonly [count: number, octets: number]>>): number {
  const meter = newMeter();
  for (const [name, [count, octets]] of Object.entries(counts)) {
    meter.counts[operationNumber(name)!] = count;
    meter.octets[operationNumber(name)!] = octets;
  }
  return operationNanos(PLATFORMS.isr4400, meter);
}

describe("platforms", () => {
  it("give every operation of the meter a cost, but for the ideal one", () => {
    for (const name of ["isr4400", "asr1000"] as const) {
      const free = OPERATIONS.filter((_, number) => PLATFORMS[name].operations[number]!.each <= 0);
      expect(free).toEqual([]);
    }
    expect(PLATFORMS.ideal.operations.every(({ each, perOctet }) => each === 0 && perOctet === 0)).toBe(true);
  });

  it("bear 45 IKEv1 tunnels in a second: five datagrams in, a DH pair, a few hashes and ciphers", () => {
    const cryptography = nanosOf({
      "dh.14.public": [1, 0],
      "dh.14.shared": [1, 0],
      "hmac.sha1": [24, 5_000],
      "aes-cbc.decrypt": [3, 400],
      "aes-cbc.encrypt": [3, 900],
    });
    const tunnel = 5 * PLATFORMS.isr4400.negotiation + cryptography;
    expect(Math.round(1e9 / tunnel)).toBe(45);
  });

  it("admit 60 negotiations of IKEv1 and 200 of IKEv2 at a time", () => {
    expect(PLATFORMS.isr4400.maxInNegotiation).toEqual({ ike: 60, ikev2: 200 });
  });
});

/** All members ask at once; the datagrams wait for the key server's CPU. */
function storm(count: number, cpu: CpuSpec): Network {
  const change = { proposals: ike("192.168.1.254").proposals.map((proposal) => ({ ...proposal, dh: [14] })) };
  const gms = Array.from({ length: count }, (_, i) => memberRouter(i + 1, "", { profile: "ideal" }, change));
  return network({
    devices: [serverRouter({}, cpu, change), ...gms],
    clouds: [cloudOf(["ks1", ...gms.map(({ name }) => name)], MILLISECOND)],
  });
}

function registeredAt(net: Network): number[] {
  return story(net, "ks.registered").map(({ time }) => Number(time));
}

describe("a key server under load", () => {
  it.each([
    ["isr4400", 89],
    ["asr1000", 178],
  ] as const)("on %s completes %i G-IKEv2 registrations in a second", (profile, rate) => {
    const net = storm(150, { profile });
    net.scheduler.runUntil(3 * SECOND);
    const times = registeredAt(net);
    const [firstAt] = story(net, "packet.received")
      .filter(({ device }) => device === "ks1")
      .map(({ time }) => Number(time));
    expect(times.length).toBe(150);
    expect(Math.round((150 * SECOND) / (times[149]! - firstAt!))).toBe(rate);
  });

  it("takes no time at all on the ideal platform", () => {
    const net = storm(20, { profile: "ideal" });
    net.scheduler.runUntil(SECOND);
    expect(new Set(registeredAt(net)).size).toBe(1);
  });

  it("puts off what exceeds its negotiations, and serves it in the end", () => {
    const net = storm(250, ISR);
    net.scheduler.runUntil(SECOND);
    expect(registeredAt(net).length).toBeLessThan(100);
    net.scheduler.runUntil(30 * SECOND);
    const ips = new Set(story(net, "gm.registered").map(({ device }) => device));
    expect(ips.size).toBe(250);
    expect(story(net, "ike.retransmit").length).toBeGreaterThan(0);
  });
});

/** Notes when it was called; each datagram costs one public value. */
function worker(log: [string, Micros][], deadline?: Micros) {
  return {
    name: "worker",
    start: ({ crypto }: { crypto: { dhPublic(group: 14, key: Uint8Array): unknown } }): HostedMachine => {
      let next = deadline;
      return {
        handle(input: MachineInput, now) {
          log.push([input.kind === "command" ? input.name : input.kind, now]);
          if (input.kind === "timeout") next = undefined;
          else crypto.dhPublic(14, new Uint8Array(32).fill(3));
          return [{ kind: "event", name: "test.done", data: {} }];
        },
        nextTimeout: () => next,
      };
    },
  };
}

function work(net: Network, name: string) {
  const input = { kind: "command", name, data: {} } as const;
  perform(net, { kind: "machine", device: "r1", machine: "worker", input });
}

describe("a CPU", () => {
  const text = "interface GigabitEthernet0/0\n ip address 10.0.0.1 255.255.255.0";
  const one = PLATFORMS.isr4400.input + 1_860_000;

  function busy(log: [string, Micros][], cpu: CpuSpec, deadline?: Micros): Network {
    const machines = [worker(log, deadline)];
    return network({
      devices: [router("r1", text, { cpu, machines }), router("r2", text.replace("0.1 ", "0.2 "))],
      links: [link("r1:GigabitEthernet0/0", "r2:GigabitEthernet0/0")],
    });
  }

  it("works on one input after the other, and answers leave when the work is done", () => {
    const log: [string, Micros][] = [];
    const net = busy(log, ISR);
    for (const name of ["a", "b", "c"]) work(net, name);
    net.scheduler.runUntil(SECOND);
    const micros = one / 1_000;
    expect(log).toEqual([
      ["a", 0],
      ["b", micros],
      ["c", 2 * micros],
    ]);
    expect(story(net, "test.done").map(({ time }) => time)).toEqual([micros, 2 * micros, 3 * micros]);
  });

  it("lets a deadline wait like everything else", () => {
    const log: [string, Micros][] = [];
    const net = busy(log, ISR, 1_000);
    work(net, "a");
    net.scheduler.runUntil(SECOND);
    expect(log).toEqual([
      ["a", 0],
      ["timeout", one / 1_000],
    ]);
  });

  it("with several servers works on several inputs at a time", () => {
    const log: [string, Micros][] = [];
    const net = busy(log, { profile: "isr4400", queue: "multi", servers: 2 });
    for (const name of ["a", "b", "c"]) work(net, name);
    net.scheduler.runUntil(SECOND);
    expect(log.map(([, at]) => at)).toEqual([0, 0, one / 1_000]);
  });

  it("drops datagrams when the queue is full, but never a deadline or a command", () => {
    const cpu = createCpu<string>({ profile: "isr4400", queueLimit: 1 });
    expect(enqueue(cpu, "a", true)).toBe(true);
    expect(takeJob(cpu)).toBe("a");
    expect([enqueue(cpu, "b", true), enqueue(cpu, "c", true), enqueue(cpu, "d", false)]).toEqual([true, false, true]);
    expect(takeJob(cpu)).toBeUndefined();
    releaseServer(cpu);
    expect([takeJob(cpu), cpu.dropped]).toEqual(["b", 1]);
  });

  it("loses no fraction of a microsecond over many pieces of work", () => {
    const cpu = createCpu<string>(ISR);
    let micros = 0;
    for (let i = 0; i < 1_000; i++) micros += workFor(cpu, 1_333);
    expect(micros).toBe(1_333);
  });
});
