/**
 * `configure terminal` on a router at work: ports, routes and data planes follow the configuration at once; roles are told
 * what has changed for them, and act when their CPU comes to it.
 */
import type { ConfigProblem } from "../../src/base/errors.ts";
import type { IosConfig } from "../../src/ios/model.ts";
import { applyConfig } from "../../src/ios/parse.ts";
import { NONE } from "../core/trace.ts";
import { announce, withdraw } from "../net/cloud.ts";
import { adoptSpec, type Device } from "./device.ts";
import { refreshLine } from "./lifecycle.ts";
import { giveInput, startMachines } from "./machineHost.ts";
import { type Network, note } from "./networkState.ts";
import { createRouteTable } from "./routeTable.ts";
import { converge } from "./routing.ts";

/**
 * Applies lines as they are typed after `configure terminal`. Returns what IOS refuses, which is left out, and why roles
 * could not follow. A router without power only keeps the configuration for its next start.
 */
export function configure(network: Network, device: Device, text: string): readonly ConfigProblem[] {
  if (device.spec.kind !== "router") return [];
  const { config, problems } = applyConfig(device.spec.config, text, "console");
  return [...problems, ...reconfigure(network, device, config)];
}

function reconfigure(network: Network, device: Device, config: IosConfig): readonly ConfigProblem[] {
  if (device.spec.kind !== "router") return [];
  const before = device.spec;
  const { spec, problems, warnings } = before.withConfig?.(config) ?? {
    spec: { ...before, config },
    problems: [],
    warnings: [],
  };
  const cause = device.isUp ? note(network, device.number, "config.applied", NONE, undefined, {}) : NONE;
  if (!device.isUp) {
    device.spec = spec;
    return problems;
  }
  const { enabled } = config.isakmp;
  if (enabled !== before.config.isakmp.enabled) {
    note(network, device.number, "config.isakmp", cause, undefined, { enabled });
  }
  adoptSpec(device, spec);
  for (const { attachment } of device.ports) {
    if (attachment !== undefined) refreshLine(network, network.lines[attachment.line]!, cause);
  }
  reconverge(network);
  const group = [...config.groups.keys()].join(", ");
  for (const { message } of problems) {
    const data = { group, role: spec.role, problem: message, ...loggedAs(message) };
    note(network, device.number, "config.incomplete", cause, undefined, data);
  }
  for (const { message } of warnings) {
    note(network, device.number, "config.warning", cause, undefined, { problem: message, ...loggedAs(message) });
  }
  warnOfDownInterfaces(network, device, cause);
  if (problems.length === 0) tellRoles(network, device, cause);
  return problems;
}

/** A finding that IOS has a line of the log for begins with its mnemonic. */
function loggedAs(message: string): { readonly mnemonic?: string; readonly text?: string } {
  const found = /^%GDOI-\d-(\w+): (.*)$/.exec(message);
  return found === null ? {} : { mnemonic: found[1]!, text: found[2]! };
}

/** Machines that run are told first, those that the new configuration asks for besides start behind them. */
function tellRoles(network: Network, device: Device, cause: number): void {
  if (device.spec.kind !== "router") return;
  for (const { name, machine } of [...device.hosted]) {
    const change = machine.reconfigure?.(device.spec.machines.find((spec) => spec.name === name));
    for (const { name: kind, data } of change?.events ?? []) {
      network.trace.append(network.scheduler.now, device.number, kind, cause, undefined, data);
    }
    for (const input of change?.inputs ?? []) giveInput(network, device, name, input, cause);
  }
  startMachines(network, device, cause);
}

function warnOfDownInterfaces(network: Network, device: Device, cause: number): void {
  for (const { name, map, isUp } of device.ports) {
    if (map === undefined || isUp) continue;
    for (const group of device.planes.get(map)?.groups.keys() ?? []) {
      note(network, device.number, "config.interfaceDown", cause, undefined, { group, interface: name });
    }
  }
}

/** Routes of all devices and what the clouds know, anew. */
function reconverge(network: Network): void {
  for (const device of network.devices) {
    device.routes = createRouteTable();
    device.wanExit = undefined;
  }
  const routes = converge(network.devices, network.spec.clouds);
  for (const [index, node] of network.clouds.entries()) {
    for (const [site, prefixes] of node.routes.announcements.entries()) {
      for (const prefix of prefixes) withdraw(node.cloud, site, prefix);
    }
    node.routes = routes[index]!;
    for (const [site, prefixes] of node.routes.announcements.entries()) {
      for (const prefix of prefixes) announce(node.cloud, site, prefix);
    }
  }
}
