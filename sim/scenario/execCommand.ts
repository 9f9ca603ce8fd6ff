/** What an operator types at the exec prompt of a node, as an action of the network. */
import { SECOND } from "../../src/base/micros.ts";
import type { ClearIkeSas } from "../../src/gikev2/clearIkeSas.ts";
import { type ExecCommand, isIosError, parseExec } from "../../src/ios/exec.ts";
import { siteFromIos } from "../../src/peer/fromIos.ts";
import type { Action } from "../device/spec.ts";
import { FIRST_CONNECTION } from "../device/views/isakmp.ts";
import type { RouterNode } from "./scenario.ts";

/** What a machine is told for a command of IOS about groups, and on which role. */
const TAKERS: Partial<Record<ExecCommand["kind"], { readonly role: "ks" | "gm"; readonly name: string }>> = {
  rekey: { role: "ks", name: "rekey" },
  clearMembers: { role: "ks", name: "clearMembers" },
  evictMember: { role: "ks", name: "evictMember" },
  clearGroups: { role: "gm", name: "clear" },
};

/**
 * The actions of one command on one node, or a sentence that says why there are none: the error of IOS, or that nothing on
 * the node does what the command asks for. A command that names no group is given once for each. SAs that are not there
 * are cleared without a word, as IOS does.
 */
export function execCommand(node: RouterNode, text: string): readonly Action[] | string {
  const command = parseExec(text);
  return isIosError(command) ? command.message : actionsOf(node, command);
}

/** The same for a command that has been read. */
export function actionsOf(node: RouterNode, command: ExecCommand): readonly Action[] | string {
  const device = node.name;
  switch (command.kind) {
    case "ping": {
      const { destination, repeat, size, timeoutSeconds, dontFragment: df, sourceAddress, sourceInterface } = command;
      const source = sourceAddress ?? sourceInterface;
      return [{ kind: "ping", device, destination, source, repeat, size, timeout: timeoutSeconds * SECOND, df }];
    }
    case "clearIpsecSas":
      return clearDataSas(node, command.peer);
    case "clearIkev2Sas": {
      const { local, remote } = command;
      return clearIkeSas(node, { name: "clearIkeSas", version: "ikev2", local, remote });
    }
    case "clearIsakmp": {
      const number = command.connection === undefined ? undefined : command.connection - FIRST_CONNECTION;
      return clearIkeSas(node, { name: "clearIkeSas", version: "ikev1", number });
    }
    case "clearSessions": {
      const { local, remote } = command;
      const ike = clearIkeSas(node, { name: "clearIkeSas", local, remote });
      // The session of a group is one with nobody in particular.
      return local === undefined && node.role === "gm" ? [...ike, ...clearDataSas(node, remote)] : ike;
    }
    default:
      return groupActions(node, command);
  }
}

/** Name of the machine that has the IKE SAs of a node; undefined for a router that makes no tunnels. */
function ikeMachine({ role, config, pki }: RouterNode): string | undefined {
  if (role !== "router") return role;
  return siteFromIos(config, pki).config === undefined ? undefined : "ipsec";
}

function clearIkeSas(node: RouterNode, { name, ...data }: ClearIkeSas): readonly Action[] {
  const machine = ikeMachine(node);
  return machine === undefined ? [] : [told(node, machine, name, data)];
}

/**
 * A member without SAs registers again, as after `clear crypto gkm`; the SAs of its groups have the peer 0.0.0.0. A key
 * server has none.
 */
function clearDataSas(node: RouterNode, peer: string | undefined): readonly Action[] {
  switch (node.role) {
    case "gm":
      if (peer !== undefined && peer !== "0.0.0.0") return [];
      return [...node.config.groups.keys()].map((group) => told(node, "gm", "clear", { group }));
    case "router":
      return ikeMachine(node) === undefined ? [] : [told(node, "ipsec", "clearTunnels", { peer })];
    default:
      return [];
  }
}

function groupActions(node: RouterNode, command: ExecCommand): readonly Action[] | string {
  const device = node.name;
  const taker = TAKERS[command.kind];
  if (taker?.role !== node.role) return `${device} does not do this in a run`;
  const { kind: _, ...data } = command as Extract<ExecCommand, { group?: string }>;
  const groups = [...node.config.groups.keys()].filter((name) => data.group === undefined || data.group === name);
  if (groups.length === 0) return `${device} has no group ${data.group ?? ""}`.trimEnd();
  return groups.map((group) => told(node, taker.role, taker.name, { ...data, group }));
}

function told({ name: device }: RouterNode, machine: string, name: string, data: object): Action {
  return { kind: "machine", device, machine, input: { kind: "command", name, data } };
}
