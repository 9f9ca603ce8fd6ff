/** The nodes of a scenario with their configurations, those of templates included. */
import { type Ipv4, maskOfLength, parseIpv4, parseIpv4Prefix } from "../../src/base/ipv4.ts";
import type { Micros } from "../../src/base/micros.ts";
import { checkConfig } from "../../src/ios/check.ts";
import { canonicalInterface } from "../../src/ios/interfaceName.ts";
import type { IgnoredLine } from "../../src/ios/model.ts";
import { type IosParseResult, parseConfig } from "../../src/ios/parse.ts";
import type { CpuSpec, HostSpec } from "../device/spec.ts";
import { FILE_CHARS_MAX, type Path, type SourceDocument } from "./document.ts";
import { resolvePath } from "./files.ts";
import { duration } from "./line.ts";
import { promisedPki } from "./pki.ts";
import { promisedTrustpoints } from "./pkiPlan.ts";
import type { Problems } from "./problems.ts";
import { roleProblems } from "./roles.ts";
import type { Dialect, RouterNode, ScenarioNode } from "./scenario.ts";
import { type GeneratedInput, type LineInput, NAME_PATTERN, type NodeInput, type ScenarioInput } from "./schema.ts";
import { formatPath } from "./schemaProblems.ts";
import { switchesOf } from "./switches.ts";
import { fill, NODES_MAX, parseNodeNames, type Series, variablesOf } from "./template.ts";

import { loadTuning } from "./tuning.ts";

/** A node with what the loader needs besides: where it is described, and how it is attached to the WAN. */
export interface LoadedNode {
  readonly node: ScenarioNode;
  readonly path: Path;
  readonly wan?: { readonly interface: string; readonly line: LineInput; readonly path: Path };
}

export interface NodeSource {
  readonly files: ReadonlyMap<string, string>;
  readonly document: SourceDocument;
  readonly input: ScenarioInput;
  readonly problems: Problems;
}

const PLATFORM_DEFAULT = "isr4400";
/** What Cisco's releases speak; RFC 9838 is one line of a scenario. */
const DIALECT_DEFAULT: Dialect = "yeung-07";

/** All nodes by name, in the order of the file, those of templates last; and the lines that their configurations lost. */
export function loadNodes(source: NodeSource): {
  readonly nodes: ReadonlyMap<string, LoadedNode>;
  readonly ignored: readonly IgnoredLine[];
} {
  const { input, problems } = source;
  const nodes = new Map<string, LoadedNode>();
  const ignored: IgnoredLine[] = [];
  const add: AddNode = (name, own, path, instance) => {
    if (nodes.has(name)) {
      problems.add("duplicateName", path, `there is a node ${name} already`, { of: "key" });
      return;
    }
    const loaded = loadNode(source, name, withNodeDefaults(own, input), path, instance, ignored);
    if (loaded !== undefined) nodes.set(name, loaded);
  };
  for (const [name, own] of Object.entries(input.topology.nodes ?? {})) add(name, own, ["topology", "nodes", name]);
  for (const [index, template] of (input.topology.generate ?? []).entries()) {
    generate(template, ["topology", "generate", index], problems, add);
  }
  if (nodes.size === 0 && problems.list.length === 0)
    problems.add("missing", ["topology"], "the topology has no nodes");
  return { nodes, ignored: withoutRepeats(ignored) };
}

function withNodeDefaults(own: NodeInput, input: ScenarioInput): NodeInput {
  return { ...input.topology.defaults?.node, ...own };
}

/** What is different for each node of a template. */
interface Instance {
  readonly variables: ReadonlyMap<string, string>;
  readonly startAt: Micros;
}

type AddNode = (name: string, own: NodeInput, path: Path, instance?: Instance) => void;

function generate(template: GeneratedInput, path: Path, problems: Problems, add: AddNode): void {
  const { nodes: range, addresses, stagger, ...own } = template;
  const names = parseNodeNames(range);
  if (names === undefined) {
    problems.add("outOfRange", [...path, "nodes"], "this range cannot be used", {
      expected: `1 to ${NODES_MAX} numbers`,
    });
    return;
  }
  const series = new Map<string, Series>();
  for (const [name, { first, step }] of Object.entries(addresses ?? {})) {
    const address = readAddress(first, [...path, "addresses", name, "first"], problems);
    series.set(name, { first: address, step: step ?? 1 });
  }
  const first = own.start === undefined ? 0 : duration(own.start, [...path, "start"], problems);
  const step = stagger === undefined ? 0 : duration(stagger, [...path, "stagger"], problems);
  for (let index = names.from; index <= names.to; index++) {
    const variables = variablesOf(names, index, series);
    if (variables === undefined) {
      problems.add("outOfRange", [...path, "addresses"], "the series run beyond 255.255.255.255");
      return;
    }
    const startAt = first + step * (index - names.from);
    add(names.prefix + index, own, path, { variables, startAt });
  }
}

function loadNode(
  source: NodeSource,
  name: string,
  input: NodeInput,
  path: Path,
  instance: Instance | undefined,
  ignored: IgnoredLine[],
): LoadedNode | undefined {
  const { problems } = source;
  const variables = instance?.variables;
  const ownStart = input.start === undefined ? undefined : duration(input.start, [...path, "start"], problems);
  const startAt = instance?.startAt ?? ownStart;
  const put = (key: string, text: string): string =>
    variables === undefined ? text : substitute(text, [...path, key]);
  const substitute = (text: string, at: Path): string => {
    const { text: filled, unknown } = fill(text, variables!);
    for (const { name } of unknown) problems.unknown("unknownVariable", at, "variable", name, variables!.keys());
    return filled;
  };
  const site = input.site === undefined ? undefined : put("site", input.site);
  if (site !== undefined && !NAME_PATTERN.test(site)) problems.add("badName", [...path, "site"], `${site} is no name`);
  if (input.kind === "host") {
    const host = loadHost(name, { ...input, site }, path, problems, put);
    return host === undefined ? undefined : { node: { ...host, startAt }, path };
  }
  for (const key of ["address", "gateway", "interface"] as const) {
    if (input[key] !== undefined) {
      problems.add("conflict", [...path, key], `a ${input.kind} has this in its configuration`, { of: "key" });
    }
  }
  const parsed = readConfig(source, input, path, variables);
  if (parsed === undefined) return undefined;
  for (const problem of parsed.problems) problems.take(problem);
  ignored.push(...parsed.ignored);
  const place = source.document.position(path, "key");
  const at = { file: source.document.file, ...place, path: formatPath(path) };
  const { config } = parsed;
  for (const { label, modulus } of input["rsa-keys"] ?? []) {
    config.rsaKeys.set(label, { label, modulusBits: modulus, exportable: false, at });
  }
  for (const problem of checkConfig(config)) problems.take(problem);
  const dialect: Dialect = input.dialect ?? source.input.dialect ?? DIALECT_DEFAULT;
  const cpu = cpuOf(input);
  const tuning = loadTuning(input, path, problems);
  checkWantedKeys(input, { path, dialect, groups: config.groups, problems });
  const pki = promisedPki(config, promisedTrustpoints(source.input.pki, name));
  const switches = switchesOf(source.input["dialect-switches"]);
  const node: RouterNode = {
    kind: "router",
    name,
    role: input.kind,
    site,
    config,
    cpu,
    dialect,
    ...(switches === undefined ? {} : { switches }),
    tuning,
    startAt,
    ...(pki === undefined ? {} : { pki }),
    at,
  };
  // A configuration that has mistakes already would only have them told again.
  if (parsed.problems.length === 0) for (const problem of roleProblems(node)) problems.take(problem);
  return { node, path, wan: wanOf(input, path, problems) };
}

/** A part of the keys is asked for in a group that there is, and in the one dialect that has words for it. */
function checkWantedKeys(
  input: NodeInput,
  at: { path: Path; dialect: Dialect; groups: ReadonlyMap<string, unknown>; problems: Problems },
): void {
  const wanted = input.tuning?.["wanted-keys"];
  if (wanted === undefined) return;
  const path = [...at.path, "tuning", "wanted-keys"];
  if (at.dialect !== "yeung-07") at.problems.add("conflict", path, "RFC 9838 hands out all keys", { of: "key" });
  for (const name of Object.keys(wanted)) {
    if (!at.groups.has(name)) at.problems.unknown("unknownGroup", [...path, name], "group", name, at.groups.keys());
  }
}

function loadHost(
  name: string,
  input: NodeInput,
  path: Path,
  problems: Problems,
  put: (key: string, text: string) => string,
): HostSpec | undefined {
  for (const key of ["startup-config", "config", "platform", "tuning", "dialect", "rsa-keys", "wan"] as const) {
    if (input[key] !== undefined) problems.add("conflict", [...path, key], "a host has no such thing", { of: "key" });
  }
  if (input.address === undefined) {
    problems.add("missing", path, "a host needs an address", { expected: "address: 10.1.1.2/24", of: "key" });
    return undefined;
  }
  const prefix = parseIpv4Prefix(put("address", input.address));
  if (prefix === undefined) problems.add("badAddress", [...path, "address"], "this is no IPv4 prefix");
  const gateway =
    input.gateway === undefined
      ? undefined
      : readAddress(put("gateway", input.gateway), [...path, "gateway"], problems);
  const { network: address, length } = prefix ?? { network: 0, length: 32 };
  const { site, interface: port = "eth0" } = input;
  return { kind: "host", name, site, interface: port, address, mask: maskOfLength(length), gateway };
}

function cpuOf(input: NodeInput): CpuSpec {
  const { platform = PLATFORM_DEFAULT } = input;
  if (typeof platform === "string") return { profile: platform };
  const { profile, queue, servers, "queue-limit": queueLimit } = platform;
  return { profile, queue, servers, queueLimit };
}

function wanOf(input: NodeInput, path: Path, problems: Problems): LoadedNode["wan"] {
  if (input.wan === undefined) return undefined;
  const at = [...path, "wan"];
  const isName = typeof input.wan === "string";
  const line: LineInput = typeof input.wan === "string" ? {} : input.wan;
  const typed = typeof input.wan === "string" ? input.wan : input.wan.interface;
  const name = canonicalInterface(typed);
  const where = isName ? at : [...at, "interface"];
  if (name === undefined) {
    problems.add("unknownInterface", where, "this is no name of an interface");
    return undefined;
  }
  return { interface: name, line, path: where };
}

/** The configuration of a router, from its file or from the scenario itself; undefined where there is none to read. */
function readConfig(
  source: NodeSource,
  input: NodeInput,
  path: Path,
  variables: ReadonlyMap<string, string> | undefined,
): IosParseResult | undefined {
  const { problems, document } = source;
  const file = input["startup-config"];
  if (file !== undefined && input.config !== undefined) {
    problems.add("conflict", [...path, "config"], "config and startup-config exclude each other", { of: "key" });
    return undefined;
  }
  if (input.config !== undefined) {
    const start = document.textStart([...path, "config"]);
    const { text, isWhole } = filled(input.config, start, document.file, variables, problems);
    const result = parseConfig(start.isVerbatim ? inPlace(text, start) : text, document.file);
    return forgiven(start.isVerbatim ? result : atOnePlace(result, start), isWhole);
  }
  if (file === undefined) {
    const expected = "startup-config: FILE or config: |";
    problems.add("missing", path, `a ${input.kind} needs a configuration`, { expected, of: "key" });
    return undefined;
  }
  return readConfigFile(source, file, [...path, "startup-config"], variables);
}

function readConfigFile(
  source: NodeSource,
  typed: string,
  path: Path,
  variables: ReadonlyMap<string, string> | undefined,
): IosParseResult | undefined {
  const { problems, files, document } = source;
  const name = variables === undefined ? typed : fill(typed, variables).text;
  const resolved = resolvePath(document.file, name);
  if (resolved === undefined) {
    problems.add("badPath", path, "files are named relative to the scenario, without a drive or a leading slash");
    return undefined;
  }
  const text = files.get(resolved);
  if (text === undefined) {
    problems.add("missingFile", path, `there is no file ${resolved}`);
    return undefined;
  }
  if (text.length > FILE_CHARS_MAX) {
    const expected = `at most ${FILE_CHARS_MAX} characters`;
    const found = String(text.length);
    const place = { file: resolved, line: 1, column: 1, path: "" };
    problems.take({ code: "tooLarge", ...place, message: "the file is too large", expected, found });
    return undefined;
  }
  const start = { line: 1, column: 1, isVerbatim: true };
  const { text: whole, isWhole } = filled(text, start, resolved, variables, problems);
  return forgiven(parseConfig(whole, resolved), isWhole);
}

/** Where a variable is missing, what IOS thinks of the text without it tells nothing new. */
function forgiven(result: IosParseResult, isWhole: boolean): IosParseResult {
  return isWhole ? result : { ...result, problems: [] };
}

interface TextStart {
  readonly line: number;
  readonly column: number;
  readonly isVerbatim: boolean;
}

/** A text of a template with its variables replaced; a text of a single node stays as it is. */
function filled(
  text: string,
  start: TextStart,
  file: string,
  variables: ReadonlyMap<string, string> | undefined,
  problems: Problems,
): { readonly text: string; readonly isWhole: boolean } {
  if (variables === undefined) return { text, isWhole: true };
  const result = fill(text, variables);
  for (const { name, offset } of result.unknown) {
    const before = text.slice(0, offset).split("\n");
    const line = start.isVerbatim ? start.line + before.length - 1 : start.line;
    const column = start.isVerbatim ? start.column + before.at(-1)!.length : start.column;
    const expected = [...variables.keys()].join(", ");
    const message = "the template has no such variable";
    problems.take({ code: "unknownVariable", file, line, column, path: "", message, expected, found: name });
  }
  return { text: result.text, isWhole: result.unknown.length === 0 };
}

/** The text as it stands in the scenario, behind empty lines and its indentation: places come out as those of the file. */
function inPlace(text: string, start: TextStart): string {
  const indent = " ".repeat(start.column - 1);
  const lines = text.split("\n").map((line) => (line === "" ? "" : indent + line));
  return "\n".repeat(start.line - 1) + lines.join("\n");
}

/** A folded or quoted text has no lines of its own in the file: everything in it stands where it begins. */
function atOnePlace(result: IosParseResult, start: TextStart): IosParseResult {
  const { line, column } = start;
  return {
    config: result.config,
    problems: result.problems.map((problem) => ({ ...problem, line, column })),
    ignored: result.ignored.map((entry) => ({ ...entry, line })),
  };
}

/** The same line of a template is told once. */
function withoutRepeats(lines: readonly IgnoredLine[]): readonly IgnoredLine[] {
  const byPlace = new Map<string, IgnoredLine>();
  for (const line of lines) {
    const key = `${line.file}:${line.line}`;
    if (!byPlace.has(key)) byPlace.set(key, line);
  }
  return [...byPlace.values()];
}

/** An address that the schema has let through; 0 with a problem where an octet is above 255. */
export function readAddress(text: string, path: Path, problems: Problems): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) problems.add("badAddress", path, "this is no IPv4 address");
  return address ?? 0;
}
