/** Links, access lines and the WAN of a scenario. */
import { parseIpv4Prefix } from "../../src/base/ipv4.ts";
import { canonicalInterface } from "../../src/ios/interfaceName.ts";
import type { CloudSiteSpec, CloudSpec, LinkEnd, LinkSpec } from "../device/spec.ts";
import type { BackbonePath } from "../net/cloud.ts";
import type { Path } from "./document.ts";
import { lineRules, withDefaults } from "./line.ts";
import type { LoadedNode } from "./nodes.ts";
import type { Problems } from "./problems.ts";
import type { LinkInput, ScenarioInput, WanInput } from "./schema.ts";

const WAN_NAME = "wan";

export interface LoadedLinks {
  readonly links: readonly LinkSpec[];
  readonly clouds: readonly CloudSpec[];
}

/** All links, each interface at most once and each name at most once, access lines and the WAN itself among them. */
export function loadLinks(
  input: ScenarioInput,
  nodes: ReadonlyMap<string, LoadedNode>,
  problems: Problems,
): LoadedLinks {
  const taken = new Map<string, Path>();
  const names = new Set<string>();
  const take = (end: LinkEnd, path: Path): void => {
    const key = `${end.device}:${end.interface}`;
    if (taken.has(key)) problems.add("interfaceTaken", path, `${key} has a link already`);
    taken.set(key, path);
  };
  const claim = (name: string, path: Path): void => {
    if (names.has(name)) problems.add("duplicateName", path, `there is a link or site ${name} already`);
    names.add(name);
  };
  const links = (input.topology.links ?? []).flatMap((link, index) => {
    const path = ["topology", "links", index];
    const a = readEnd(link, 0, path, nodes, problems);
    const b = readEnd(link, 1, path, nodes, problems);
    if (a !== undefined) take(a, [...path, "endpoints", 0]);
    if (b !== undefined) take(b, [...path, "endpoints", 1]);
    const rules = lineRules(withDefaults(link, input.topology.defaults?.link), path, problems);
    if (a === undefined || b === undefined) return [];
    const name = link.name ?? `${a.device}-${b.device}`;
    claim(name, link.name === undefined ? path : [...path, "name"]);
    return [{ name, a, b, rules }];
  });
  const clouds = loadCloud(input.wan, nodes, problems, take, claim);
  return { links, clouds };
}

function readEnd(
  link: LinkInput,
  index: 0 | 1,
  linkPath: Path,
  nodes: ReadonlyMap<string, LoadedNode>,
  problems: Problems,
): LinkEnd | undefined {
  const text = link.endpoints[index];
  if (text === undefined) return undefined;
  const path = [...linkPath, "endpoints", index];
  const colon = text.indexOf(":");
  const device = text.slice(0, colon);
  const loaded = nodes.get(device);
  if (loaded === undefined) {
    problems.unknown("unknownNode", path, "node", device, nodes.keys());
    return undefined;
  }
  const name = interfaceOf(loaded, text.slice(colon + 1), path, problems);
  return name === undefined ? undefined : { device, interface: name };
}

/** The canonical name of an interface that the node has. */
export function interfaceOf({ node }: LoadedNode, typed: string, path: Path, problems: Problems): string | undefined {
  const known = node.kind === "host" ? [node.interface] : [...node.config.interfaces.keys()];
  const name = node.kind === "host" ? typed : (canonicalInterface(typed) ?? typed);
  if (known.includes(name)) return name;
  problems.unknown("unknownInterface", path, `interface of ${node.name} called`, typed, known);
  return undefined;
}

function loadCloud(
  wan: WanInput | undefined,
  nodes: ReadonlyMap<string, LoadedNode>,
  problems: Problems,
  take: (end: LinkEnd, path: Path) => void,
  claim: (name: string, path: Path) => void,
): readonly CloudSpec[] {
  const attached = [...nodes.values()].filter((loaded) => loaded.wan !== undefined);
  if (wan === undefined) {
    for (const { wan: attachment } of attached) {
      problems.add("missing", attachment!.path, "the scenario has no wan to attach to", {
        expected: "a section `wan`",
      });
    }
    return [];
  }
  const name = wan.name ?? WAN_NAME;
  claim(name, ["wan", "name"]);
  if (nodes.has(name)) problems.add("duplicateName", ["wan", "name"], `there is a node ${name} already`);
  const sites = attached.flatMap((loaded) => {
    const site = loadSite(loaded, wan, problems, take);
    if (site === undefined) return [];
    claim(site.name, loaded.node.site === undefined ? loaded.path : [...loaded.path, "site"]);
    return [site];
  });
  const known = sites.map((site) => site.name);
  for (const site of Object.keys(wan.sites ?? {})) {
    if (!known.includes(site)) problems.unknown("unknownSite", ["wan", "sites", site], "site", site, known);
  }
  const backbone = lineRules(wan, ["wan"], problems);
  return [{ name, sites, backbone, pairs: loadPairs(wan, known, problems) }];
}

function loadSite(
  loaded: LoadedNode,
  wan: WanInput,
  problems: Problems,
  take: (end: LinkEnd, path: Path) => void,
): CloudSiteSpec | undefined {
  const attachment = loaded.wan!;
  const port = interfaceOf(loaded, attachment.interface, attachment.path, problems);
  if (port === undefined) return undefined;
  const device = loaded.node.name;
  take({ device, interface: port }, attachment.path);
  const name = loaded.node.site ?? device;
  const own = wan.sites?.[name];
  if (own?.access !== undefined) lineRules(own.access, ["wan", "sites", name, "access"], problems);
  const line = withDefaults(attachment.line, withDefaults(own?.access ?? {}, wan.access));
  const announce = (own?.announce ?? []).flatMap((text, index) => {
    const prefix = parseIpv4Prefix(text);
    if (prefix !== undefined) return [prefix];
    problems.add("badAddress", ["wan", "sites", name, "announce", index], "this is no IPv4 prefix");
    return [];
  });
  return { name, device, interface: port, rules: lineRules(line, attachment.path, problems), announce };
}

function loadPairs(wan: WanInput, sites: readonly string[], problems: Problems): readonly BackbonePath[] {
  const pairs = new Map<string, BackbonePath>();
  for (const [index, entry] of (wan.paths ?? []).entries()) {
    const path = ["wan", "paths", index];
    for (const key of ["from", "to"] as const) {
      if (!sites.includes(entry[key])) problems.unknown("unknownSite", [...path, key], "site", entry[key], sites);
    }
    if (entry.from === entry.to) {
      problems.add("conflict", [...path, "to"], "a path leads to another site");
      continue;
    }
    const rules = lineRules(withDefaults(entry, wan), path, problems);
    const ways = [[entry.from, entry.to] as const];
    if (entry["one-way"] !== true) ways.push([entry.to, entry.from]);
    for (const [from, to] of ways) {
      const key = `${from} ${to}`;
      if (pairs.has(key)) problems.add("duplicateName", path, `there is a path from ${from} to ${to} already`);
      pairs.set(key, { from, to, rules });
    }
  }
  return [...pairs.values()];
}
