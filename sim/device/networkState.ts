/** What the parts of a running network share. */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";

import type { EventData } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import type { Scheduler, Target } from "../core/scheduler.ts";
import type { Streams } from "../core/streams.ts";
import type { Trace } from "../core/trace.ts";
import type { Tamperer } from "../fault/fault.ts";
import type { Cloud } from "../net/cloud.ts";
import type { Link } from "../net/link.ts";
import type { Device, Job } from "./device.ts";
import type { DEVICE_EVENTS, IpDrop } from "./events.ts";
import type { CloudRoutes } from "./routing.ts";
import type { MachineOutput, NetworkSpec, TimelineEntry } from "./spec.ts";

/** A cloud in the trace, and its access lines by site. */
export interface CloudNode {
  readonly number: number;
  readonly name: string;
  readonly cloud: Cloud;
  routes: CloudRoutes;
  readonly lines: readonly number[];
}

/** One end of a line: a port of a device, or a site of a cloud. */
export type LineEnd =
  | { readonly kind: "port"; readonly device: number; readonly port: number }
  | { readonly kind: "cloud"; readonly cloud: number; readonly site: number };

/** A link of the specification or an access link, and what is at its ends. */
export interface Line {
  readonly index: number;
  readonly link: Link;
  readonly a: LineEnd;
  readonly b: LineEnd;
}

/** A packet has come to the end of a line. */
export interface Arrival {
  readonly line: Line;
  readonly end: LineEnd;
  readonly packet: Bytes;
  /** Number of its `packet.sent`. */
  readonly cause: number;
}

export interface Loss {
  readonly device: number;
  readonly link: string;
  readonly reason: string;
  readonly packet: Bytes;
  readonly cause: number;
}

/** A copy has crossed a cloud and enters the access line of a site. */
export interface Crossing {
  readonly cloud: CloudNode;
  readonly site: number;
  readonly packet: Bytes;
  readonly cause: number;
}

/** Something on its way within a device. Void when the device has been switched off meanwhile. */
interface Within {
  readonly device: Device;
  readonly life: number;
}

/** Sealed packets leave, or an opened one goes on, once the engine for user traffic is through with them. */
export interface EngineDone extends Within {
  readonly way: "out" | "in";
  readonly port: number;
  readonly packets: readonly Bytes[];
  readonly cause: number;
}

/** A packet that a device sends to itself. */
export interface Looped extends Within {
  readonly packet: Bytes;
  readonly cause: number;
}

export interface JobDone extends Within {
  readonly job: Job;
  readonly outputs: readonly MachineOutput[];
}

export interface PingDue extends Within {
  readonly identifier: number;
  readonly what: "send" | "timeout";
}

export interface Targets {
  readonly arrive: Target<Arrival>;
  readonly lose: Target<Loss>;
  readonly cross: Target<Crossing>;
  readonly engine: Target<EngineDone>;
  readonly loop: Target<Looped>;
  readonly job: Target<JobDone>;
  readonly wake: Target<Within>;
  readonly nat: Target<Within>;
  readonly hello: Target<Within>;
  readonly ping: Target<PingDue>;
  readonly boot: Target<Within>;
  readonly timeline: Target<TimelineEntry>;
}

/** Keys that a machine gave out, for the export of a run. */
export interface RevealedKey {
  readonly at: Micros;
  /** Number of the device in the trace. */
  readonly device: number;
  readonly entry: KeyEntry;
}

export interface Network {
  readonly spec: NetworkSpec;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly streams: Streams;
  readonly rng: Rng;
  /** By number in the trace; clouds follow them there. */
  readonly devices: readonly Device[];
  readonly byName: ReadonlyMap<string, Device>;
  readonly clouds: readonly CloudNode[];
  readonly lines: readonly Line[];
  readonly lineByName: ReadonlyMap<string, Line>;
  readonly tamperers: Tamperer[];
  readonly keys: RevealedKey[];
  readonly targets: Targets;
}

export type DeviceEvent = keyof typeof DEVICE_EVENTS;

/** Appends an event of a device at the current instant and returns its number. */
export function note(
  network: Network,
  device: number,
  kind: DeviceEvent,
  cause: number,
  packet: Bytes | undefined,
  data: EventData,
): number {
  return network.trace.append(network.scheduler.now, device, kind, cause, packet, data);
}

export function noteDrop(network: Network, device: Device, reason: IpDrop, packet: Bytes, cause: number): number {
  return note(network, device.number, "ip.dropped", cause, packet, { reason });
}

export function deviceNamed(network: Network, name: string): Device {
  const device = network.byName.get(name);
  assert(device !== undefined, `there is no device ${name}`);
  return device;
}

export function lineNamed(network: Network, name: string): Line {
  const line = network.lineByName.get(name);
  assert(line !== undefined, `there is no link ${name}`);
  return line;
}
