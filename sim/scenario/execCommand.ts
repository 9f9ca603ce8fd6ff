/** What an operator types at the exec prompt of a node, as an action of the network. */
import { SECOND } from "../../src/base/micros.ts";
import { type ExecCommand, isIosError, parseExec } from "../../src/ios/exec.ts";
import type { Action } from "../device/spec.ts";
import type { RouterNode } from "./scenario.ts";

/** What a machine is told for a command of IOS, and on which role. Commands that show or configure something are in none. */
const TAKERS: Partial<Record<ExecCommand["kind"], { readonly role: "ks" | "gm"; readonly name: string }>> = {
  rekey: { role: "ks", name: "rekey" },
  clearMembers: { role: "ks", name: "clearMembers" },
  evictMember: { role: "ks", name: "evictMember" },
  clearGroups: { role: "gm", name: "clear" },
  // A member without SAs registers again, as after the other command.
  clearIpsecSas: { role: "gm", name: "clear" },
};

/**
 * The actions of one command on one node, or a sentence that says why there are none: the error of IOS, or that nothing on
 * the node does what the command asks for. A command that names no group is given once for each.
 */
export function execCommand(node: RouterNode, text: string): readonly Action[] | string {
  const command = parseExec(text);
  return isIosError(command) ? command.message : actionsOf(node, command);
}

/** The same for a command that has been read. */
export function actionsOf(node: RouterNode, command: ExecCommand): readonly Action[] | string {
  const device = node.name;
  if (command.kind === "ping") {
    const { destination, repeat, size, timeoutSeconds, dontFragment: df, sourceAddress, sourceInterface } = command;
    const source = sourceAddress ?? sourceInterface;
    return [{ kind: "ping", device, destination, source, repeat, size, timeout: timeoutSeconds * SECOND, df }];
  }
  const taker = TAKERS[command.kind];
  if (taker?.role !== node.role) return `${device} does not do this in a run`;
  const { kind: _, ...data } = command as Extract<ExecCommand, { group?: string }>;
  const groups = [...node.config.groups.keys()].filter((name) => data.group === undefined || data.group === name);
  if (groups.length === 0) return `${device} has no group ${data.group}`;
  return groups.map((group) => ({
    kind: "machine",
    device,
    machine: taker.role,
    input: { kind: "command", name: taker.name, data: { ...data, group } },
  }));
}
