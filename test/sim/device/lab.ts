/** Small networks for the tests of devices, from IOS text. */
import { createRng } from "../../../sim/core/rng.ts";
import { Trace } from "../../../sim/core/trace.ts";
import { createNetwork, perform } from "../../../sim/device/network.ts";
import type { Network } from "../../../sim/device/networkState.ts";
import type {
  CloudSpec,
  CpuSpec,
  HostSpec,
  LinkSpec,
  MachineSpec,
  NetworkSpec,
  PingAction,
  RouterSpec,
} from "../../../sim/device/spec.ts";
import type { LinkRule } from "../../../sim/net/linkRule.ts";
import { parseIpv4 } from "../../../src/base/ipv4.ts";
import { MILLISECOND, type Micros } from "../../../src/base/micros.ts";
import type { Crypto } from "../../../src/crypto/api.ts";
import { native } from "../../../src/crypto/native.ts";
import { parseConfig } from "../../../src/ios/parse.ts";

export function ip(text: string): number {
  return parseIpv4(text)!;
}

export function router(
  name: string,
  text: string,
  options: { machines?: readonly MachineSpec[]; cpu?: CpuSpec } = {},
): RouterSpec {
  const { config, problems } = parseConfig(text, `${name}.cfg`);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const { machines = [], cpu = { profile: "ideal" } } = options;
  return { kind: "router", name, role: "router", config, cpu, machines };
}

export function host(name: string, address: string, gateway: string): HostSpec {
  return {
    kind: "host",
    name,
    interface: "eth0",
    address: ip(address),
    mask: ip("255.255.255.0"),
    gateway: ip(gateway),
  };
}

export function latency(micros: Micros): readonly LinkRule[] {
  return [{ kind: "latency", micros }];
}

/** `a:if` and `b:if`. */
export function link(a: string, b: string, rules = latency(MILLISECOND)): LinkSpec {
  const end = (text: string) => {
    const [device, port] = text.split(":");
    return { device: device!, interface: port! };
  };
  return { name: `${a.split(":")[0]}-${b.split(":")[0]}`, a: end(a), b: end(b), rules };
}

/** Each device on its own site, by GigabitEthernet0/0. */
export function cloudOf(devices: readonly string[], micros = 5 * MILLISECOND): CloudSpec {
  const sites = devices.map((device) => ({
    name: `site-${device}`,
    device,
    interface: "GigabitEthernet0/0",
    rules: latency(MILLISECOND),
  }));
  return { name: "wan", sites, backbone: latency(micros), pairs: [] };
}

/** Everything has started: the clock stands at 0, behind the events of that instant. */
export function network(spec: Partial<NetworkSpec>, seed = "test", crypto: Crypto = native): Network {
  const whole: NetworkSpec = { devices: [], links: [], clouds: [], timeline: [], ...spec };
  const net = createNetwork(whole, { rng: createRng(seed), crypto, trace: new Trace() });
  net.scheduler.runUntil(0);
  return net;
}

/** Runs a ping from now on until it is done, and returns the data of its `ping.done`. */
export function ping(net: Network, device: string, destination: string, options: Partial<PingAction> = {}) {
  const from = net.trace.events;
  perform(net, { kind: "ping", device, destination: ip(destination), ...options });
  for (;;) {
    const [done] = [...net.trace.ofKind("ping.done", from)];
    if (done !== undefined) return done.data;
    if (!net.scheduler.step()) throw new Error("the ping does not end");
  }
}

/** Kinds and data of what happened from event `from` on, at one device or at all. */
export function story(net: Network, kind: string, from = 0): Record<string, unknown>[] {
  return [...net.trace.ofKind(kind, from)].map(({ device, data, time }) => ({
    device: net.devices[device]?.name ?? net.clouds[device - net.devices.length]?.name,
    time,
    ...data,
  }));
}

/** A router on the cloud with a loopback that OSPF tells of. */
export function site(number: number, extra = ""): string {
  return `
hostname R${number}
interface GigabitEthernet0/0
 ip address 192.168.1.${number} 255.255.255.0
${extra}
interface Loopback0
 ip address 10.0.0.${number} 255.255.255.255
router ospf 1
 network 192.168.1.0 0.0.0.255 area 0
 network 10.0.0.0 0.0.0.255 area 0
`;
}
