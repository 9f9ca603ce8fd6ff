/** Routers whose roles follow their configuration while a run goes on. */
import type { ConfigProblem } from "../../src/base/errors.ts";
import { publicHalf } from "../../src/crypto/privateKey.ts";
import { adoptConfig as adoptGm, changedGroups } from "../../src/gm/reconfigure.ts";
import type { GmState } from "../../src/gm/state.ts";
import { checkConfig } from "../../src/ios/check.ts";
import type { IosConfig } from "../../src/ios/model.ts";
import { adoptConfig as adoptKs, type ChangedGroup } from "../../src/ks/reconfigure.ts";
import type { KsState } from "../../src/ks/state.ts";
import type { SeededRng } from "../core/rng.ts";
import type {
  ChangedRouter,
  HostedMachine,
  MachineInput,
  MachineSpec,
  MachineTools,
  Reconfiguration,
  RouterSpec,
  RsaKeyPair,
} from "../device/spec.ts";
import { rsaPairOf } from "./pki.ts";
import { machinesOf, roleProblems, rsaKeyOf } from "./roles.ts";
import type { RouterNode } from "./scenario.ts";

/** The router of a node, ready to be configured otherwise. `keys`: see `machinesOf`. */
export function routerSpec(node: RouterNode, keys: SeededRng): RouterSpec {
  return specOf(node, machinesOf(node, keys).map(following), keys);
}

/** `followed`: the node as its machines know it, where they could not follow to what it is by now. */
function specOf(node: RouterNode, machines: readonly MachineSpec[], keys: SeededRng, followed = node): RouterSpec {
  return {
    ...node,
    machines,
    rsaKeyPairs: () => rsaKeyPairs(node, keys),
    withConfig: (config) => changed(followed, machines, config, keys),
  };
}

/** Those that the configuration generates, and those that came up with the certificate of a trustpoint. */
function rsaKeyPairs(node: RouterNode, keys: SeededRng): readonly RsaKeyPair[] {
  const { name, config } = node;
  const generated = [...config.rsaKeys.values()];
  const enrolled = [...config.pki.trustpoints.values()].flatMap((trustpoint) => {
    if (trustpoint.ecKeyPair !== undefined || node.pki?.trustpoints.get(trustpoint.name)?.identity === undefined)
      return [];
    const { label, bits } = rsaPairOf(name, config, trustpoint);
    return config.rsaKeys.has(label) ? [] : [{ label, modulusBits: bits, exportable: false }];
  });
  return [...generated, ...enrolled].map((pair) => ({
    label: pair.label,
    exportable: pair.exportable,
    publicKey: publicHalf(rsaKeyOf(node, pair, keys)),
  }));
}

/** Codes of findings that keep a role from following; all others are for the author to read. */
const GRAVE: ReadonlySet<string> = new Set(["iosUnsupported", "iosIncompleteObject", "iosMissing"]);

/** What is wrong with `node` has been accepted; what is wrong besides keeps its machines from following. */
function changed(
  node: RouterNode,
  machines: readonly MachineSpec[],
  config: IosConfig,
  keys: SeededRng,
): ChangedRouter {
  const next = { ...node, config };
  const found = roleProblems(next);
  if (found.some(({ code }) => code === "roleMissing")) {
    return { spec: specOf(next, [], keys), problems: [], warnings: [] };
  }
  const known = new Set(checkConfig(node.config).map(textOf));
  const fresh = checkConfig(config).filter((problem) => !known.has(textOf(problem)));
  const grave = fresh.filter(({ code }) => GRAVE.has(code));
  const warnings = fresh.filter(({ code, message }) => !GRAVE.has(code) && message.startsWith("%GDOI-"));
  const problems = [...found, ...(node.role === "router" ? [] : grave)];
  if (problems.length > 0) return { spec: specOf(next, machines, keys, node), problems, warnings };
  return { spec: routerSpec(next, keys), problems: [], warnings };
}

function textOf({ code, message }: ConfigProblem): string {
  return `${code} ${message}`;
}

/** The machine that `spec` starts, able to become what another one would start. */
function following(spec: MachineSpec): MachineSpec {
  return {
    ...spec,
    start: (tools) => {
      const machine = spec.start(tools);
      const { role } = machine;
      switch (role?.kind) {
        case "ks":
          return followingServer(machine, role.state, tools);
        case "gm":
          return followingMember(machine, role.state, tools);
        default:
          return machine;
      }
    },
  };
}

function stateOf<K extends "ks" | "gm">(
  kind: K,
  next: MachineSpec | undefined,
  tools: MachineTools,
): (K extends "ks" ? KsState : GmState) | undefined {
  // What the other machine would begin with is all that is wanted of it; it is never run.
  const role = next?.start(tools).role;
  return role?.kind === kind ? (role.state as K extends "ks" ? KsState : GmState) : undefined;
}

/** The configuration is there at once, as it is on the box; what members have been told is not. */
function followingServer(machine: HostedMachine, state: KsState, tools: MachineTools): HostedMachine {
  return {
    ...machine,
    reconfigure(next): Reconfiguration {
      const { added, removed, changed: groups } = adoptKs(state, stateOf("ks", next, tools));
      const event =
        (kind: string) =>
        ({ name: group, transport }: ChangedGroup) =>
          ({ kind: "event", name: kind, data: { group, ...(transport === undefined ? {} : { transport }) } }) as const;
      return {
        inputs: [],
        events: [
          ...added.map(event("config.groupAdded")),
          ...removed.map((name) => event("config.groupRemoved")({ name })),
          ...groups.map(event("config.groupPolicy")),
        ],
      };
    },
  };
}

/** Groups that change are left with their old configuration before the new one is there. */
function followingMember(machine: HostedMachine, state: GmState, tools: MachineTools): HostedMachine {
  return {
    ...machine,
    handle(input, now) {
      if (input.kind !== "command" || input.name !== "configure") return machine.handle(input, now);
      adoptGm(state, (input.data as { readonly next: GmState }).next);
      return [];
    },
    reconfigure(next): Reconfiguration {
      const other = stateOf("gm", next, tools);
      const applied = (next?.firstInputs ?? []).filter((input) => input.kind === "command");
      const live = new Set(applied.map(({ data }) => (data as { readonly group: string }).group));
      const altered = new Set(changedGroups(state, other));
      const names = state.groups.map(({ config }) => config.name);
      const leaving = names.filter((name) => altered.has(name) || !live.has(name));
      const inputs: MachineInput[] = leaving.map((group) => ({ kind: "command", name: "mapRemoved", data: { group } }));
      if (other !== undefined) inputs.push({ kind: "command", name: "configure", data: { next: other } });
      return { inputs: [...inputs, ...applied], events: [] };
    },
  };
}
