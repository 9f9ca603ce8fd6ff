/**
 * Roles on a router: started, given their inputs when the CPU comes to them, woken at their deadlines. What they answer
 * is carried out by `effects.ts` once the work is done.
 */

import { assert } from "../../src/base/errors.ts";
import type { Datagram } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import { clearMeter } from "../../src/crypto/meter.ts";
import { privateKeyStream } from "../core/keyExchange.ts";
import { NO_EVENT } from "../core/scheduler.ts";
import { NONE } from "../core/trace.ts";
import { enqueue, releaseServer, resetCpu, takeJob, workFor } from "./cpu.ts";
import type { Device, Hosted, Job } from "./device.ts";
import { machineStream } from "./machineStreams.ts";
import { type Network, note } from "./networkState.ts";
import { inputNanos, operationNanos } from "./platform.ts";
import type { MachineInput } from "./spec.ts";

/** Starts the roles of a router that do not run yet, all of them after a start, and gives them their first inputs. */
export function startMachines(network: Network, device: Device, cause: number): void {
  if (device.spec.kind !== "router") return;
  const { now } = network.scheduler;
  for (const spec of device.spec.machines) {
    if (device.hosted.some(({ name }) => name === spec.name)) continue;
    const rng = machineStream(device.rng, device.life, spec.name);
    const machine = spec.start({
      crypto: device.crypto,
      rng,
      keys: privateKeyStream(rng),
      now,
      maxInNegotiation: device.cpu.platform.maxInNegotiation?.ikev2,
    });
    const hosted = { name: spec.name, machine, isTimeoutQueued: false, deadline: undefined, deadlineCause: cause };
    device.hosted.push(hosted);
    for (const input of spec.firstInputs ?? []) enqueue(device.cpu, { hosted, input, cause }, false);
  }
  // What was computed while starting belongs to no input.
  clearMeter(device.meter);
  startJobs(network, device);
}

/** Ends all roles and their work. */
export function stopMachines(network: Network, device: Device): void {
  network.scheduler.cancel(device.wake);
  device.wake = NO_EVENT;
  device.wakeAt = undefined;
  device.hosted = [];
  resetCpu(device.cpu);
}

/** A datagram for one of the roles. False where no role runs here. */
export function giveDatagram(network: Network, device: Device, datagram: Datagram, cause: number): boolean {
  const hosted = ownerOf(device, datagram);
  if (hosted === undefined) return false;
  const waiting = device.cpu.waiting.length;
  if (!enqueue(device.cpu, { hosted, input: { kind: "datagram", datagram }, cause }, true)) {
    note(network, device.number, "cpu.dropped", cause, undefined, { waiting });
    return true;
  }
  startJobs(network, device);
  return true;
}

function ownerOf({ hosted }: Device, datagram: Datagram): Hosted | undefined {
  return hosted.find(({ machine }) => machine.owns?.(datagram) ?? true) ?? hosted[hosted.length - 1];
}

/** An input for the role of that name; a router without it is a mistake of the scenario's loader. */
export function giveInput(network: Network, device: Device, name: string, input: MachineInput, cause: number): void {
  if (!device.isUp) return;
  const hosted = device.hosted.find((one) => one.name === name);
  assert(hosted !== undefined, () => `${device.name} has no machine ${name}`);
  enqueue(device.cpu, { hosted, input, cause }, false);
  startJobs(network, device);
}

/** ESP under an SPI that is not installed, told once to the roles that want to know. Counters and keys stay as they are. */
export function tellUnknownSpi(network: Network, device: Device, spi: number, cause: number): void {
  if (device.unknownSpis.has(spi)) return;
  device.unknownSpis.add(spi);
  for (const { name, machine } of device.hosted) {
    if (machine.hearsUnknownSpi !== true) continue;
    giveInput(network, device, name, { kind: "command", name: "unknownSpi", data: { spi } }, cause);
  }
}

/** A packet needs a tunnel that is not there; told to the role that makes them. */
export function tellTunnelWanted(network: Network, device: Device, tunnel: string, cause: number): void {
  const maker = device.hosted.find(({ machine }) => machine.makesTunnels === true);
  if (maker === undefined) return;
  giveInput(network, device, maker.name, { kind: "command", name: "tunnelWanted", data: { tunnel } }, cause);
}

/** Works on what waits as long as a server is free. The role decides now, its answers leave when the work is done. */
export function startJobs(network: Network, device: Device): void {
  const { scheduler, targets } = network;
  for (let job = takeJob(device.cpu); job !== undefined; job = takeJob(device.cpu)) {
    const { now } = scheduler;
    const { hosted, input } = job;
    if (input.kind === "timeout") hosted.isTimeoutQueued = false;
    clearMeter(device.meter);
    const outputs = hosted.machine.handle(input, now);
    const { platform } = device.cpu;
    const nanos = inputNanos(platform, input) + operationNanos(platform, device.meter);
    const done = now + workFor(device.cpu, nanos);
    scheduler.schedule(done, targets.job, { device, life: device.life, job, outputs });
    setDeadline(network, hosted, job.cause);
  }
  armWake(network, device);
}

/** The work of a job is done and its outputs have been carried out; the last event of them is what later happens by. */
export function finishJob(network: Network, device: Device, job: Job, lastEvent: number): void {
  releaseServer(device.cpu);
  if (lastEvent !== NONE && job.hosted.deadline !== undefined && job.hosted.deadlineCause === job.cause) {
    job.hosted.deadlineCause = lastEvent;
  }
  startJobs(network, device);
}

function setDeadline(network: Network, hosted: Hosted, cause: number): void {
  const deadline = hosted.machine.nextTimeout();
  assert(deadline === undefined || Number.isSafeInteger(deadline), () => `${hosted.name}: deadline ${deadline}`);
  if (deadline !== hosted.deadline) hosted.deadlineCause = cause;
  hosted.deadline = deadline === undefined ? undefined : Math.max(deadline, network.scheduler.now);
}

/** One wake-up per device, at the earliest deadline of its roles. */
function armWake(network: Network, device: Device): void {
  const { scheduler, targets } = network;
  let earliest: Micros | undefined;
  for (const { deadline, isTimeoutQueued } of device.hosted) {
    if (deadline === undefined || isTimeoutQueued) continue;
    if (earliest === undefined || deadline < earliest) earliest = deadline;
  }
  if (earliest === device.wakeAt) return;
  scheduler.cancel(device.wake);
  device.wakeAt = earliest;
  device.wake =
    earliest === undefined
      ? NO_EVENT
      : scheduler.schedule(Math.max(earliest, scheduler.now), targets.wake, { device, life: device.life });
}

/** Each role whose deadline has come gets one timeout, when the CPU comes to it. */
export function wake(network: Network, device: Device): void {
  const { now } = network.scheduler;
  device.wake = NO_EVENT;
  device.wakeAt = undefined;
  for (const hosted of device.hosted) {
    if (hosted.deadline === undefined || hosted.deadline > now || hosted.isTimeoutQueued) continue;
    hosted.isTimeoutQueued = true;
    enqueue(device.cpu, { hosted, input: { kind: "timeout" }, cause: hosted.deadlineCause }, false);
  }
  startJobs(network, device);
}
