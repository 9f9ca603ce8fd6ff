/** What roles answer becomes packets, events, keys and orders to the data plane. */
import { assert } from "../../src/base/errors.ts";
import { type Ipv4, parseIpv4 } from "../../src/base/ipv4.ts";
import type { DataPlaneOrder } from "../../src/esp/api.ts";
import { apply } from "../../src/esp/dataPlane.ts";
import { applyPair } from "../../src/peer/pairPlane.ts";
import type { Device } from "./device.ts";
import { joinGroup, leaveGroup } from "./groups.ts";
import type { JobDone, Network } from "./networkState.ts";
import { sendUdp } from "./output.ts";
import type { MachineOutput } from "./spec.ts";

/**
 * Carries the outputs of a job out, in order. An event is caused by the input, a packet by the last event before it
 * or, without one, by the input. Returns the number of the last event, or the cause of the input.
 */
export function performOutputs(network: Network, { device, job, outputs }: JobDone): number {
  let last = job.cause;
  for (const output of outputs) last = perform(network, device, output, job.cause, last);
  return last;
}

function perform(network: Network, device: Device, output: MachineOutput, cause: number, last: number): number {
  switch (output.kind) {
    case "event":
      return network.trace.append(network.scheduler.now, device.number, output.name, cause, undefined, output.data);
    case "send": {
      const addresses = { source: address(output.local.address), destination: address(output.remote.address) };
      sendUdp(network, device, output.local, output.remote, addresses, output.octets, last);
      return last;
    }
    case "keys":
      network.keys.push({ at: network.scheduler.now, device: device.number, entry: output.entry });
      return last;
    case "pairUp":
    case "pairDown":
    case "pairMoved":
    case "pairFailed":
      for (const plane of device.pairPlanes.values()) applyPair(plane, output, network.scheduler.now);
      return last;
    default:
      order(network, device, output);
      return last;
  }
}

function order(network: Network, device: Device, what: DataPlaneOrder): void {
  if (what.kind === "join") joinGroup(network, device, address(what.address));
  else if (what.kind === "leave") leaveGroup(network, device, address(what.address));
  else {
    const group = what.kind === "install" ? what.sa.group : what.group;
    for (const plane of device.planes.values()) if (plane.config.groups.includes(group)) apply(plane, what);
  }
}

function address(text: string): Ipv4 {
  const value = parseIpv4(text);
  assert(value !== undefined, `a role names the address ${text}, which is no IPv4 address`);
  return value;
}
