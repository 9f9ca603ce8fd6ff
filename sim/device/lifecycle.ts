/** Devices and lines come up and go down. */

import type { Micros } from "../../src/base/micros.ts";
import { NONE } from "../core/trace.ts";
import { clearRule, isDown, setRule } from "../net/link.ts";
import { type Device, resetDevice } from "./device.ts";
import { leaveAllGroups } from "./groups.ts";
import { startHellos } from "./hello.ts";
import { startMachines, stopMachines } from "./machineHost.ts";
import { type Line, type LineEnd, type Network, note } from "./networkState.ts";

/** The device starts with its configuration and nothing else. */
export function boot(network: Network, device: Device, cause = NONE): void {
  if (device.isUp) return;
  resetDevice(device);
  device.startedAt = network.scheduler.now;
  device.isUp = true;
  const { spec } = device;
  const speaksIke = spec.kind === "router" && spec.machines.length > 0 && spec.config.isakmp.enabled;
  const up = note(network, device.number, "device.up", cause, undefined, speaksIke ? { isakmp: true } : {});
  for (const line of linesOf(network, device)) refreshLine(network, line, up);
  startMachines(network, device, up);
  startHellos(network, device);
}

/** The device is without power: it forgets, and its neighbours see their line go down. */
export function shutDown(network: Network, device: Device, reason: "powerOff" | "reload", cause = NONE): void {
  if (!device.isUp) return;
  const down = note(network, device.number, "device.down", cause, undefined, { reason });
  stopMachines(network, device);
  leaveAllGroups(network, device);
  for (const { due } of device.pings.values()) network.scheduler.cancel(due);
  device.pings.clear();
  device.isUp = false;
  device.life += 1;
  for (const line of linesOf(network, device)) refreshLine(network, line, down);
}

/** `reload`: back after `downtime`. */
export function reload(network: Network, device: Device, downtime: Micros, cause: number): void {
  if (!device.isUp) return;
  shutDown(network, device, "reload", cause);
  const { scheduler, targets } = network;
  scheduler.schedule(scheduler.now + downtime, targets.boot, { device, life: device.life });
}

export function setLineDown(network: Network, line: Line, goesDown: boolean, cause: number): void {
  if (goesDown) setRule(line.link, "both", { kind: "down" });
  else clearRule(line.link, "both", "down");
  refreshLine(network, line, cause);
}

/** Sets the line protocol of the ports at both ends and tells the trace where it changes. */
export function refreshLine(network: Network, line: Line, cause: number): void {
  const isLive = !isDown(line.link) && hasPower(network, line.a) && hasPower(network, line.b);
  for (const end of [line.a, line.b]) {
    if (end.kind === "cloud") continue;
    const device = network.devices[end.device]!;
    const port = device.ports[end.port]!;
    const isUp = isLive && !port.isShutdown;
    if (port.isUp === isUp) continue;
    port.isUp = isUp;
    if (!device.isUp) continue;
    const data = { link: line.link.name, interface: port.name };
    note(network, device.number, isUp ? "link.up" : "link.down", cause, undefined, data);
  }
}

function hasPower(network: Network, end: LineEnd): boolean {
  return end.kind === "cloud" || network.devices[end.device]!.isUp;
}

function linesOf(network: Network, device: Device): readonly Line[] {
  return device.ports.flatMap(({ attachment }) => (attachment === undefined ? [] : [network.lines[attachment.line]!]));
}
