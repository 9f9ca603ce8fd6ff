/** The head of a run's trace: what there is, before anything happens. */
import { formatIpv4 } from "../../src/base/ipv4.ts";
import type { Micros } from "../../src/base/micros.ts";
import { TRACE_VERSION, type TraceDevice, type TraceHead, type TraceLink } from "../core/traceTypes.ts";
import type { LinkSpec } from "../device/spec.ts";
import type { LinkRule } from "../net/linkRule.ts";
import type { Scenario, ScenarioNode } from "./scenario.ts";

/** Devices are numbered as the network numbers them: nodes in the order of the scenario, the WAN behind them. */
export function headOf(scenario: Scenario, seed: string, run: number): TraceHead {
  const { nodes, links, clouds } = scenario;
  const numbers = new Map(nodes.map(({ name }, number) => [name, number]));
  const numberOf = (name: string) => numbers.get(name)!;
  const cloudDevices: TraceDevice[] = clouds.map(({ name }) => ({ name, role: "cloud", addresses: [] }));
  const accessLinks = clouds.flatMap(({ sites }, index) =>
    sites.map((site): TraceLink => {
      const b = nodes.length + index;
      const latencyMicros = latencyOf(site.rules);
      return {
        name: site.name,
        a: numberOf(site.device),
        aInterface: site.interface,
        b,
        bInterface: site.name,
        latencyMicros,
      };
    }),
  );
  return {
    version: TRACE_VERSION,
    scenario: scenario.name,
    ...(scenario.description === undefined ? {} : { description: scenario.description }),
    seed,
    run,
    devices: [...nodes.map(deviceOf), ...cloudDevices],
    links: [
      ...links.map(({ name, a, b, rules }): TraceLink => {
        const ends = { a: numberOf(a.device), aInterface: a.interface, b: numberOf(b.device), bInterface: b.interface };
        return { name, ...ends, latencyMicros: latencyOf(rules) };
      }),
      ...accessLinks,
    ],
    notes: scenario.notes,
  };
}

function deviceOf(node: ScenarioNode): TraceDevice {
  const { name, site } = node;
  const place = site === undefined ? {} : { site };
  if (node.kind === "host") return { name, role: "host", ...place, addresses: [formatIpv4(node.address)] };
  // Displays show the first address: that of the network, not of a loopback.
  const interfaces = [...node.config.interfaces.values()];
  const isLoopback = ({ name }: { readonly name: string }): boolean => name.startsWith("Loopback");
  const ordered = [...interfaces.filter((one) => !isLoopback(one)), ...interfaces.filter(isLoopback)];
  const addresses = ordered.flatMap((one) => (one.address === undefined ? [] : [formatIpv4(one.address.address)]));
  return { name, role: node.role, ...place, addresses };
}

/** The fixed latency of a line, or the shortest of its table; of direction ab where the two differ. */
function latencyOf(rules: LinkSpec["rules"]): Micros {
  const list: readonly LinkRule[] = "ab" in rules ? rules.ab : rules;
  const rule = list.find((one) => one.kind === "latency");
  if (rule?.kind !== "latency") return 0;
  return typeof rule.micros === "number" ? rule.micros : Math.min(...rule.micros);
}
