/**
 * A network at work: built from its specification, driven by its scheduler. `scheduler.runUntil` lets time pass; all
 * that happens stands in the trace. Two networks of one specification, seed and set of options leave the same trace.
 */
import { assert } from "../../src/base/errors.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import type { SeededRng } from "../core/rng.ts";
import { Scheduler } from "../core/scheduler.ts";
import { createStreams } from "../core/streams.ts";
import { NONE, type Trace } from "../core/trace.ts";
import { announce, createCloud } from "../net/cloud.ts";
import { createLink } from "../net/link.ts";
import { applyFault } from "./applyFault.ts";
import { type Attachment, createDevice, type Device, type Port } from "./device.ts";
import { performOutputs } from "./effects.ts";
import { joinGroup, leaveGroup } from "./groups.ts";
import { helloDue } from "./hello.ts";
import { engineIn, loopedBack, receive } from "./input.ts";
import { boot } from "./lifecycle.ts";
import { finishJob, giveInput, wake } from "./machineHost.ts";
import { deviceStream } from "./machineStreams.ts";
import { natDue } from "./nat.ts";
import { type CloudNode, deviceNamed, type Line, type LineEnd, type Network, type Targets } from "./networkState.ts";
import { engineOut } from "./output.ts";
import { pingDue, startPing } from "./ping.ts";
import { configure } from "./reconfigure.ts";
import { type CloudRoutes, converge } from "./routing.ts";
import type { Action, LinkEnd, NetworkSpec } from "./spec.ts";
import { arrive, leaveCloud, noteLoss } from "./transmission.ts";

export interface NetworkOptions {
  /** Of this run: seed and number. All streams of the network are forks of it. */
  readonly rng: SeededRng;
  readonly crypto: Crypto;
  readonly trace: Trace;
  readonly scheduler?: Scheduler;
}

/** Builds the network and schedules its start, at time 0 or when a device is to be started, and its timeline. */
export function createNetwork(spec: NetworkSpec, options: NetworkOptions): Network {
  const { rng, crypto, trace } = options;
  const scheduler = options.scheduler ?? new Scheduler();
  const devices = spec.devices.map((device, number) =>
    createDevice(number, device, crypto, deviceStream(rng, device.name)),
  );
  const byName = new Map(devices.map((device) => [device.name, device]));
  assert(byName.size === devices.length, "two devices have one name");
  const lines = createLines(spec, byName);
  const routes = converge(devices, spec.clouds);
  const streams = createStreams(rng.fork("net"));
  const network: Network = {
    spec,
    scheduler,
    trace,
    streams,
    rng,
    devices,
    byName,
    clouds: spec.clouds.map((_, index) => createCloudNode(spec, index, devices.length, routes[index]!, lines)),
    lines,
    lineByName: new Map(lines.map((line) => [line.link.name, line])),
    tamperers: [],
    keys: [],
    targets: {} as Targets,
  };
  assert(network.lineByName.size === lines.length, "two links have one name");
  Object.assign(network.targets, registerHandlers(network));
  for (const device of devices) {
    scheduler.schedule(device.spec.startAt ?? 0, network.targets.boot, { device, life: device.life });
  }
  for (const entry of spec.timeline) scheduler.schedule(entry.at, network.targets.timeline, entry);
  return network;
}

/** Does at the current instant what a timeline entry would do. */
export function perform(network: Network, action: Action): void {
  switch (action.kind) {
    case "ping":
      startPing(network, deviceNamed(network, action.device), action);
      return;
    case "machine":
      giveInput(network, deviceNamed(network, action.device), action.machine, action.input, NONE);
      return;
    case "configure":
      configure(network, deviceNamed(network, action.device), action.text);
      return;
    case "joinGroup":
      joinGroup(network, deviceNamed(network, action.device), action.group);
      return;
    case "leaveGroup":
      leaveGroup(network, deviceNamed(network, action.device), action.group);
      return;
    case "fault":
      applyFault(network, action.fault);
      return;
  }
}

function registerHandlers(network: Network): Targets {
  const { scheduler } = network;
  const isAlive = ({ device, life }: { device: Device; life: number }) => device.isUp && device.life === life;
  return {
    arrive: scheduler.register("packet arrives", (arrival) => {
      const there = arrive(network, arrival);
      if (there !== undefined) receive(network, there.device, there.port, arrival.packet, there.received);
    }),
    lose: scheduler.register("packet is lost", (loss) => noteLoss(network, loss)),
    cross: scheduler.register("packet leaves a cloud", (crossing) => leaveCloud(network, crossing)),
    engine: scheduler.register("packet leaves the engine", (done) => {
      if (!isAlive(done)) return;
      if (done.way === "out") engineOut(network, done);
      else engineIn(network, done);
    }),
    loop: scheduler.register("packet to oneself", (looped) => {
      if (isAlive(looped)) loopedBack(network, looped);
    }),
    job: scheduler.register("work is done", (done) => {
      if (isAlive(done)) finishJob(network, done.device, done.job, performOutputs(network, done));
    }),
    wake: scheduler.register("deadline of a role", (due) => {
      if (isAlive(due)) wake(network, due.device);
    }),
    hello: scheduler.register("hellos of a router", (due) => {
      if (isAlive(due)) helloDue(network, due.device);
    }),
    nat: scheduler.register("end of a translation", (due) => {
      if (isAlive(due)) natDue(network, due.device);
    }),
    ping: scheduler.register("ping", (due) => {
      if (isAlive(due)) pingDue(network, due.device, due.identifier, due.what);
    }),
    boot: scheduler.register("device starts", ({ device, life }) => {
      if (!device.isUp && device.life === life) boot(network, device);
    }),
    timeline: scheduler.register("timeline", ({ action }) => perform(network, action)),
  };
}

/** Links first, access links behind them; plugs the ports in. */
function createLines(spec: NetworkSpec, devices: ReadonlyMap<string, Device>): readonly Line[] {
  const lines: Line[] = [];
  for (const { name, a, b, rules } of spec.links) {
    const index = lines.length;
    const one = portAt(devices, a);
    const other = portAt(devices, b);
    plug(one.port, { kind: "link", line: index, peerDevice: other.device.number, peerPort: other.port.index });
    plug(other.port, { kind: "link", line: index, peerDevice: one.device.number, peerPort: one.port.index });
    lines.push({ index, link: createLink(name, rules), a: portEnd(one), b: portEnd(other) });
  }
  for (const [cloud, { sites }] of spec.clouds.entries()) {
    for (const [site, { name, rules, ...end }] of sites.entries()) {
      const index = lines.length;
      const at = portAt(devices, end);
      plug(at.port, { kind: "cloud", line: index, cloud, site });
      lines.push({ index, link: createLink(name, rules), a: portEnd(at), b: { kind: "cloud", cloud, site } });
    }
  }
  return lines;
}

interface DevicePort {
  readonly device: Device;
  readonly port: Port;
}

function portAt(devices: ReadonlyMap<string, Device>, end: LinkEnd): DevicePort {
  const device = devices.get(end.device);
  const port = device?.ports.find(({ name }) => name === end.interface);
  assert(device !== undefined && port !== undefined, `there is no interface ${end.device} ${end.interface}`);
  return { device, port };
}

function portEnd({ device, port }: DevicePort): LineEnd {
  return { kind: "port", device: device.number, port: port.index };
}

function plug(port: Port, attachment: Attachment): void {
  assert(port.attachment === undefined && !port.isLoopback, `${port.name} cannot take another link`);
  port.attachment = attachment;
}

function createCloudNode(
  spec: NetworkSpec,
  index: number,
  deviceCount: number,
  routes: CloudRoutes,
  lines: readonly Line[],
): CloudNode {
  const { name, sites, backbone, pairs } = spec.clouds[index]!;
  const siteNames = sites.map((site) => site.name);
  const cloud = createCloud(name, siteNames, backbone, pairs);
  for (const [site, prefixes] of routes.announcements.entries()) {
    for (const prefix of prefixes) announce(cloud, site, prefix);
  }
  const access = lines.filter(({ b }) => b.kind === "cloud" && b.cloud === index).map((line) => line.index);
  return { number: deviceCount + index, name, cloud, routes, lines: access };
}
