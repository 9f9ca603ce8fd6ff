/** What happens in a scenario, and when: operators' commands, pings, faults. */
import { type Ipv4, isMulticastIpv4, parseIpv4 } from "../../src/base/ipv4.ts";
import { MILLISECOND, type Micros, SECOND } from "../../src/base/micros.ts";
import { canonicalInterface } from "../../src/ios/interfaceName.ts";
import { applyConfig } from "../../src/ios/parse.ts";
import type { Action, TimelineEntry } from "../device/spec.ts";
import type { PacketChange, PacketMatch } from "../fault/fault.ts";
import type { Direction } from "../net/link.ts";
import type { LinkRule } from "../net/linkRule.ts";
import { selectNodes } from "./devices.ts";
import type { Path } from "./document.ts";
import { execCommand } from "./execCommand.ts";
import { duration, lineRules } from "./line.ts";
import type { LoadedLinks } from "./links.ts";
import { type LoadedNode, readAddress } from "./nodes.ts";
import type { Problems } from "./problems.ts";
import type { ActionInput } from "./schema.ts";

type ActionOf<K extends ActionInput["do"]> = Extract<ActionInput, { do: K }>;

interface Context {
  readonly nodes: ReadonlyMap<string, LoadedNode>;
  readonly names: readonly string[];
  readonly links: LoadedLinks;
  readonly end: Micros;
  readonly problems: Problems;
  readonly entries: TimelineEntry[];
}

const PING_TIMEOUT: Micros = 2 * SECOND;

/** All entries in the order of the file; the ends of faults stand behind their beginnings. */
export function loadTimeline(
  actions: readonly ActionInput[],
  nodes: ReadonlyMap<string, LoadedNode>,
  links: LoadedLinks,
  end: Micros,
  problems: Problems,
): readonly TimelineEntry[] {
  const context: Context = { nodes, names: [...nodes.keys()], links, end, problems, entries: [] };
  for (const [index, action] of actions.entries()) {
    const path = ["timeline", index];
    const at = duration(action.at, [...path, "at"], problems);
    if (at > end) problems.add("outsideRun", [...path, "at"], "the run has ended by then");
    const load = LOADERS[action.do] as (context: Context, action: ActionInput, at: Micros, path: Path) => void;
    load(context, action, at, path);
  }
  return context.entries;
}

const LOADERS: {
  readonly [K in ActionInput["do"]]: (c: Context, action: ActionOf<K>, at: Micros, path: Path) => void;
} = {
  exec: loadExec,
  configure: loadConfigure,
  ping: loadPing,
  traffic: loadTraffic,
  join: loadGroup,
  leave: loadGroup,
  down: loadDown,
  partition: loadPartition,
  line: loadLine,
  reload: loadReload,
  power: loadPower,
  tamper: loadTamper,
};

function put(context: Context, at: Micros, action: Action): void {
  context.entries.push({ at, action });
}

function loadExec(context: Context, action: ActionOf<"exec">, at: Micros, path: Path): void {
  for (const name of routers(context, action.device, path)) {
    const { node } = context.nodes.get(name)!;
    const actions = node.kind === "router" ? execCommand(node, action.command) : [];
    if (typeof actions === "string") context.problems.add("unknownCommand", [...path, "command"], actions);
    else for (const each of actions) put(context, at, each);
  }
}

/** What is wrong with the lines is told before the run, judged by the configuration that the node starts with. */
function loadConfigure(context: Context, action: ActionOf<"configure">, at: Micros, path: Path): void {
  for (const name of routers(context, action.device, path)) {
    const { node } = context.nodes.get(name)!;
    if (node.kind !== "router") continue;
    for (const { code, message } of applyConfig(node.config, action.config, name).problems) {
      context.problems.add(code, [...path, "config"], message);
    }
    put(context, at, { kind: "configure", device: name, text: action.config });
  }
}

function loadPing(context: Context, action: ActionOf<"ping">, at: Micros, path: Path): void {
  const { problems } = context;
  const destination = readAddress(action.to, [...path, "to"], problems);
  const timeout =
    action.timeout === undefined ? PING_TIMEOUT : duration(action.timeout, [...path, "timeout"], problems);
  const interval = action.every === undefined ? 0 : duration(action.every, [...path, "every"], problems);
  const { count: repeat, size, df, tos } = action;
  for (const device of select(context, action.device, [...path, "device"])) {
    const source =
      action.source === undefined ? undefined : sourceOf(context, device, action.source, [...path, "source"]);
    put(context, at, { kind: "ping", device, destination, source, repeat, size, timeout, interval, df, tos });
  }
}

/** Every ordered pair pings once a period; the pairs are spread evenly over it, so that they do not move in step. */
function loadTraffic(context: Context, action: ActionOf<"traffic">, at: Micros, path: Path): void {
  const { problems, end } = context;
  const every = duration(action.every, [...path, "every"], problems);
  const until = action.until === undefined ? end : duration(action.until, [...path, "until"], problems);
  const timeout =
    action.timeout === undefined ? PING_TIMEOUT : duration(action.timeout, [...path, "timeout"], problems);
  if (every < MILLISECOND) {
    problems.add("outOfRange", [...path, "every"], "a period of traffic is at least 1ms");
    return;
  }
  if (until < at || until > end) problems.add("outsideRun", [...path, "until"], "this is not between `at` and the end");
  const names = select(context, action.between, [...path, "between"]);
  if (names.length === 1) problems.add("conflict", [...path, "between"], "traffic needs two nodes at least");
  const ends = names.flatMap((device) => {
    const address = trafficAddress(context, device, action.source, [
      ...path,
      action.source === undefined ? "between" : "source",
    ]);
    return address === undefined ? [] : [{ device, address }];
  });
  const pairs = ends.flatMap((from) => ends.filter((to) => to !== from).map((to) => ({ from, to })));
  for (const [index, { from, to }] of pairs.entries()) {
    const start = at + Math.floor((every * index) / pairs.length);
    const repeat = Math.floor((until - start) / every) + (start <= until ? 1 : 0);
    if (repeat < 1) continue;
    put(context, start, {
      kind: "ping",
      device: from.device,
      destination: to.address,
      source: from.address,
      repeat,
      size: action.size,
      timeout,
      interval: every,
      tag: `${from.device} to ${to.device}`,
    });
  }
}

const TRAFFIC_SOURCE = "Loopback0";

/** The address that a node sends and answers with: a host's only one, a router's on the interface that was asked for. */
function trafficAddress(context: Context, device: string, source: string | undefined, path: Path): Ipv4 | undefined {
  const { node } = context.nodes.get(device)!;
  if (node.kind === "host") return node.address;
  const name = canonicalInterface(source ?? TRAFFIC_SOURCE) ?? source ?? TRAFFIC_SOURCE;
  const address = node.config.interfaces.get(name)?.address?.address;
  if (address !== undefined) return address;
  context.problems.add("unknownInterface", path, `${device} has no address on ${name}`);
  return undefined;
}

/** An address, or an interface that the node has. */
function sourceOf(context: Context, device: string, text: string, path: Path): string | Ipv4 | undefined {
  const address = parseIpv4(text);
  if (address !== undefined) return address;
  const { node } = context.nodes.get(device)!;
  const known = node.kind === "host" ? [node.interface] : [...node.config.interfaces.keys()];
  const name = canonicalInterface(text) ?? text;
  if (known.includes(name)) return name;
  context.problems.unknown("unknownInterface", path, `interface of ${device} called`, text, known);
  return undefined;
}

function loadGroup(context: Context, action: ActionOf<"join" | "leave">, at: Micros, path: Path): void {
  const group = readAddress(action.group, [...path, "group"], context.problems);
  if (!isMulticastIpv4(group)) {
    context.problems.add("badAddress", [...path, "group"], "a group is an address of 224.0.0.0/4");
    return;
  }
  for (const device of routers(context, action.device, path)) {
    put(context, at, { kind: action.do === "join" ? "joinGroup" : "leaveGroup", device, group });
  }
}

function loadDown(context: Context, action: ActionOf<"down">, at: Micros, path: Path): void {
  const { link } = action;
  if (findLink(context, link, [...path, "link"]) === undefined) return;
  put(context, at, { kind: "fault", fault: { kind: "linkDown", link } });
  ending(context, action.for, at, path, (later) =>
    put(context, later, { kind: "fault", fault: { kind: "linkUp", link } }),
  );
}

function loadPartition(context: Context, action: ActionOf<"partition">, at: Micros, path: Path): void {
  if (action.path !== undefined) {
    changeBackbone(context, action, [{ kind: "partition" }], at, path);
    return;
  }
  const found = placeOnLink(context, action, path);
  if (found === undefined) return;
  const { link, from } = action;
  put(context, at, { kind: "fault", fault: { kind: "partition", link: link!, from } });
  ending(context, action.for, at, path, (later) =>
    put(context, later, { kind: "fault", fault: { kind: "heal", link: link!, from } }),
  );
}

/** From `at` on the line has these rules; afterwards each is again what the topology says. */
function loadLine(context: Context, action: ActionOf<"line">, at: Micros, path: Path): void {
  const rules = lineRules(action, path, context.problems);
  if (rules.length === 0)
    context.problems.add("missing", path, "nothing is said about the line", { expected: "loss, latency ..." });
  if (action.path !== undefined) {
    changeBackbone(context, action, rules, at, path);
    return;
  }
  const found = placeOnLink(context, action, path);
  if (found === undefined) return;
  const link = action.link!;
  const { direction } = found;
  for (const rule of rules) put(context, at, { kind: "fault", fault: { kind: "setRule", link, direction, rule } });
  ending(context, action.for, at, path, (later) => {
    for (const { kind } of rules) {
      for (const way of direction === "both" ? (["ab", "ba"] as const) : [direction]) {
        const before = found.rules[way].find((rule) => rule.kind === kind);
        put(context, later, {
          kind: "fault",
          fault:
            before === undefined
              ? { kind: "clearRule", link, direction: way, rule: kind }
              : { kind: "setRule", link, direction: way, rule: before },
        });
      }
    }
  });
}

function changeBackbone(
  context: Context,
  action: ActionOf<"line" | "partition">,
  rules: readonly LinkRule[],
  at: Micros,
  path: Path,
): void {
  const cloud = context.links.clouds[0];
  if (cloud === undefined || action.link !== undefined || action.from !== undefined) {
    const message = cloud === undefined ? "the scenario has no wan" : "path excludes link and from";
    context.problems.add("conflict", [...path, "path"], message, { of: "key" });
    return;
  }
  const { from, to } = action.path!;
  const sites = cloud.sites.map((site) => site.name);
  for (const [key, site] of Object.entries({ from, to })) {
    if (site !== undefined && !sites.includes(site)) {
      context.problems.unknown("unknownSite", [...path, "path", key], "site", site, sites);
    }
  }
  const pair = cloud.pairs.find((entry) => entry.from === from && entry.to === to);
  const where = { cloud: cloud.name, from, to };
  for (const rule of rules) put(context, at, { kind: "fault", fault: { kind: "setBackboneRule", ...where, rule } });
  ending(context, action.for, at, path, (later) => {
    for (const { kind } of rules) {
      const before = (pair?.rules ?? cloud.backbone).find((rule) => rule.kind === kind);
      put(context, later, {
        kind: "fault",
        fault:
          before === undefined
            ? { kind: "clearBackboneRule", ...where, rule: kind }
            : { kind: "setBackboneRule", ...where, rule: before },
      });
    }
  });
}

interface FoundLink {
  /** Devices at end a and at end b; a WAN stands at the end b of its access lines. */
  readonly a: string;
  readonly b: string;
  readonly rules: Readonly<Record<Direction, readonly LinkRule[]>>;
}

function findLink(context: Context, name: string, path: Path): FoundLink | undefined {
  const { links, clouds } = context.links;
  const link = links.find((entry) => entry.name === name);
  if (link !== undefined) return { a: link.a.device, b: link.b.device, rules: bothWays(link.rules) };
  for (const cloud of clouds) {
    const site = cloud.sites.find((entry) => entry.name === name);
    if (site !== undefined) return { a: site.device, b: cloud.name, rules: bothWays(site.rules) };
  }
  const known = [...links.map((entry) => entry.name), ...clouds.flatMap(({ sites }) => sites.map((site) => site.name))];
  context.problems.unknown("unknownLink", path, "link or site", name, known);
  return undefined;
}

function bothWays(rules: FoundLink["rules"] | readonly LinkRule[]): FoundLink["rules"] {
  return "ab" in rules ? rules : { ab: rules, ba: rules };
}

function placeOnLink(
  context: Context,
  action: ActionOf<"line" | "partition">,
  path: Path,
): (FoundLink & { readonly direction: Direction | "both" }) | undefined {
  if (action.link === undefined) {
    context.problems.add("missing", path, "where is not said", { expected: "link or path" });
    return undefined;
  }
  const found = findLink(context, action.link, [...path, "link"]);
  if (found === undefined) return undefined;
  if (action.from === undefined) return { ...found, direction: "both" };
  if (action.from === found.a) return { ...found, direction: "ab" };
  if (action.from === found.b) return { ...found, direction: "ba" };
  context.problems.unknown("unknownNode", [...path, "from"], `end of ${action.link} called`, action.from, [
    found.a,
    found.b,
  ]);
  return undefined;
}

function loadReload(context: Context, action: ActionOf<"reload">, at: Micros, path: Path): void {
  const downtime = duration(action.downtime, [...path, "downtime"], context.problems);
  for (const device of routers(context, action.device, path)) {
    put(context, at, { kind: "fault", fault: { kind: "reload", device, downtime } });
  }
}

function loadPower(context: Context, action: ActionOf<"power">, at: Micros, path: Path): void {
  for (const device of select(context, action.device, [...path, "device"])) {
    put(context, at, { kind: "fault", fault: { kind: action.state === "off" ? "powerOff" : "powerOn", device } });
  }
}

function loadTamper(context: Context, action: ActionOf<"tamper">, at: Micros, path: Path): void {
  const { problems, names, links } = context;
  const { link, nth = 1, count } = action;
  if (link !== undefined && findLink(context, link, [...path, "link"]) === undefined) return;
  const { from, source, destination, ...rest } = action.match;
  const senders = [...names, ...links.clouds.map(({ name }) => name)];
  if (from !== undefined && !senders.includes(from)) {
    problems.unknown("unknownNode", [...path, "match", "from"], "node", from, senders);
  }
  const match: PacketMatch = {
    ...rest,
    from,
    source: source === undefined ? undefined : readAddress(source, [...path, "match", "source"], problems),
    destination:
      destination === undefined ? undefined : readAddress(destination, [...path, "match", "destination"], problems),
  };
  const { how, ...values } = action.change;
  const change = { kind: how, ...values } as PacketChange;
  put(context, at, { kind: "fault", fault: { kind: "tamper", link, match, nth, count, change } });
}

/** Calls `restore` with the instant at which something that lasts ends, unless the run has ended by then. */
function ending(
  context: Context,
  length: string | undefined,
  at: Micros,
  path: Path,
  restore: (at: Micros) => void,
): void {
  if (length === undefined) return;
  const end = at + duration(length, [...path, "for"], context.problems);
  if (end <= context.end) restore(end);
}

function select(context: Context, globs: string | readonly string[], path: Path): readonly string[] {
  return selectNodes(globs, context.names, path, context.problems);
}

/** Nodes that have a configuration; a host among those that were named is a problem. */
function routers(context: Context, globs: string | readonly string[], path: Path): readonly string[] {
  const chosen = select(context, globs, [...path, "device"]);
  const fitting = chosen.filter((name) => context.nodes.get(name)!.node.kind === "router");
  if (fitting.length < chosen.length) context.problems.add("conflict", [...path, "device"], "a host cannot do this");
  return fitting;
}
