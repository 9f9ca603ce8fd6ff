/** What an operator types at the exec prompt of a node, as an action of the network. */
import { SECOND } from "../../src/base/micros.ts";
import { type ExecCommand, isIosError, parseExec } from "../../src/ios/exec.ts";
import type { Action } from "../device/spec.ts";
import type { RouterNode } from "./scenario.ts";

/** Which of the machines of a router takes a command. Commands that only show or configure something are in none. */
const TAKERS: Partial<Record<ExecCommand["kind"], readonly ("ks" | "gm")[]>> = {
  rekey: ["ks"],
  clearMembers: ["ks"],
  clearGroups: ["ks", "gm"],
};

/**
 * The actions of one command on one node, or why there are none: the error of IOS, or that no machine of the node does
 * what the command asks for.
 */
export function execCommand(node: RouterNode, text: string): readonly Action[] | string {
  const command = parseExec(text);
  if (isIosError(command)) return command.message;
  const device = node.name;
  if (command.kind === "ping") {
    const { destination, repeat, size, timeoutSeconds, dontFragment: df, sourceAddress, sourceInterface } = command;
    const source = sourceAddress ?? sourceInterface;
    return [{ kind: "ping", device, destination, source, repeat, size, timeout: timeoutSeconds * SECOND, df }];
  }
  const { kind: name, ...data } = command;
  const machines = (TAKERS[name] ?? []).filter((machine) => machine === node.role);
  if (machines.length === 0) return `${node.name} does not do this in a run`;
  return machines.map((machine) => ({ kind: "machine", device, machine, input: { kind: "command", name, data } }));
}
