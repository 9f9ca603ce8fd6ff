/** Carries out a fault of the timeline. */

import { assert } from "../../src/base/errors.ts";
import type { EventData, Scalar } from "../../src/base/machine.ts";
import { NONE } from "../core/trace.ts";
import type { Fault } from "../fault/fault.ts";
import { clearBackboneRule, setBackboneRule, siteNumber } from "../net/cloud.ts";
import { clearRule, type Direction, setRule } from "../net/link.ts";
import { boot, refreshLine, reload, setLineDown, shutDown } from "./lifecycle.ts";
import { type CloudNode, deviceNamed, type Line, lineNamed, type Network, note } from "./networkState.ts";

/** Names that do not exist are failed assertions: the loader of the scenario has checked them. */
export function applyFault(network: Network, fault: Fault): void {
  const { number } = placeOf(network, fault);
  const cause = note(network, number, "fault.applied", NONE, undefined, dataOf(fault));
  switch (fault.kind) {
    case "linkDown":
    case "linkUp":
      setLineDown(network, lineNamed(network, fault.link), fault.kind === "linkDown", cause);
      return;
    case "setRule": {
      const line = lineNamed(network, fault.link);
      setRule(line.link, fault.direction, fault.rule);
      refreshLine(network, line, cause);
      return;
    }
    case "clearRule": {
      const line = lineNamed(network, fault.link);
      clearRule(line.link, fault.direction, fault.rule);
      refreshLine(network, line, cause);
      return;
    }
    case "partition":
      setRule(lineNamed(network, fault.link).link, directionFrom(network, fault), { kind: "partition" });
      return;
    case "heal":
      clearRule(lineNamed(network, fault.link).link, directionFrom(network, fault), "partition");
      return;
    case "setBackboneRule": {
      const node = cloudNamed(network, fault.cloud);
      setBackboneRule(node.cloud, siteOf(node, fault.from), siteOf(node, fault.to), fault.rule);
      return;
    }
    case "clearBackboneRule": {
      const node = cloudNamed(network, fault.cloud);
      clearBackboneRule(node.cloud, siteOf(node, fault.from), siteOf(node, fault.to), fault.rule);
      return;
    }
    case "reload":
      reload(network, deviceNamed(network, fault.device), fault.downtime, cause);
      return;
    case "powerOff":
      shutDown(network, deviceNamed(network, fault.device), "powerOff", cause);
      return;
    case "powerOn":
      boot(network, deviceNamed(network, fault.device), cause);
      return;
    case "tamper":
      network.tamperers.push({ fault, seen: 0 });
      return;
  }
}

/** The device that the trace shows the fault at. */
function placeOf(network: Network, fault: Fault): { readonly number: number } {
  if ("device" in fault) return deviceNamed(network, fault.device);
  if ("cloud" in fault) return cloudNamed(network, fault.cloud);
  if (fault.kind === "tamper") {
    const name = fault.match.from;
    if (name !== undefined && network.byName.has(name)) return deviceNamed(network, name);
    return fault.link === undefined ? network.devices[0]! : ownerOf(network, lineNamed(network, fault.link));
  }
  return ownerOf(network, lineNamed(network, fault.link));
}

function ownerOf(network: Network, { a }: Line): { readonly number: number } {
  return a.kind === "port" ? network.devices[a.device]! : network.clouds[a.cloud]!;
}

/** The scalars of a fault, one level deep: `rule.kind` and the like become `rule`. */
function dataOf(fault: Fault): EventData {
  const data: Record<string, Scalar> = {};
  for (const [key, value] of Object.entries(fault)) {
    if (typeof value === "object") data[key] = "kind" in value ? String(value.kind) : JSON.stringify(value);
    else if (value !== undefined) data[key] = value;
  }
  return data;
}

/** What a device sends over one of its links. */
function directionFrom(
  network: Network,
  { link, from }: { readonly link: string; readonly from?: string },
): Direction | "both" {
  if (from === undefined) return "both";
  const line = lineNamed(network, link);
  const isAt = (end: Line["a"]) =>
    end.kind === "port" ? network.devices[end.device]!.name === from : network.clouds[end.cloud]!.name === from;
  assert(isAt(line.a) || isAt(line.b), `${from} is not at either end of ${link}`);
  return isAt(line.a) ? "ab" : "ba";
}

function cloudNamed(network: Network, name: string): CloudNode {
  const node = network.clouds.find((one) => one.name === name);
  assert(node !== undefined, `there is no cloud ${name}`);
  return node;
}

function siteOf(node: CloudNode, name: string | undefined): number | undefined {
  return name === undefined ? undefined : siteNumber(node.cloud, name);
}
