/** What a scenario demands, from its words to the plain data that `sim/check` watches a run with. */
import type { Micros } from "../../src/base/micros.ts";
import { EVENT_KINDS } from "../check/eventKinds.ts";
import type { EventFilter, Expectation, Window } from "../check/expectation.ts";
import { METRICS, partMetrics } from "../check/metrics.ts";
import { selectNodes } from "./devices.ts";
import type { Path } from "./document.ts";
import { duration, odds } from "./line.ts";
import type { Problems } from "./problems.ts";
import type { ExpectationInput } from "./schema.ts";

type InputOf<K extends ExpectationInput["check"]> = Extract<ExpectationInput, { check: K }>;
type EventInput = Pick<InputOf<"never">, "kind" | "device" | "where">;

interface Context {
  /** Names of devices in the order of the trace head. */
  readonly names: readonly string[];
  readonly end: Micros;
  /** Metrics of this scenario: those of the whole and those of its parts. */
  readonly metrics: ReadonlySet<string>;
  readonly problems: Problems;
}

/** `names`: devices in the order of the trace head. `end`: end of the run, and of every window that says nothing else. `parts`: names. */
export function loadExpectations(
  inputs: readonly ExpectationInput[],
  names: readonly string[],
  end: Micros,
  parts: readonly string[],
  problems: Problems,
): readonly Expectation[] {
  const metrics = new Set([...Object.keys(METRICS), ...parts.flatMap(partMetrics)]);
  const context: Context = { names, end, metrics, problems };
  return inputs.map((input, index) => {
    const load = LOADERS[input.check] as (c: Context, input: ExpectationInput, path: Path) => Expectation;
    return load(context, input, ["expect", index]);
  });
}

const LOADERS: {
  readonly [K in ExpectationInput["check"]]: (c: Context, input: InputOf<K>, path: Path) => Expectation;
} = {
  count: loadCount,
  never: (context, input, path) => {
    const { name = `never ${eventText(input)}${windowText(input)}` } = input;
    return loadBounds(context, { ...input, name }, path, 0, 0, false);
  },
  follows: (context, input, path) => ({
    check: "follows",
    name: input.name ?? `each ${eventText(input.each)} is followed by ${eventText(input.by)} within ${input.within}`,
    window: loadWindow(context, input, path),
    each: loadEvent(context, input.each, [...path, "each"]),
    by: loadEvent(context, input.by, [...path, "by"]),
    within: duration(input.within, [...path, "within"], context.problems),
    sameDevice: input.same !== "any",
  }),
  registered: (context, input, path) => {
    const at = duration(input.at, [...path, "at"], context.problems);
    if (at > context.end) context.problems.add("outsideRun", [...path, "at"], "the run has ended by then");
    const name = input.name ?? `${deviceText(input.device)} registered at ${input.at}`;
    return { check: "registered", name, at, devices: devices(context, input.device, [...path, "device"]) };
  },
  "shared-tek": (context, input, path) => ({
    check: "sharedTek",
    name: input.name ?? `${deviceText(input.device)} can read each other${windowText(input)}`,
    window: loadWindow(context, input, path),
    devices: devices(context, input.device, [...path, "device"]),
  }),
  pings: (context, input, path) => ({
    check: "pings",
    name: input.name ?? `${input.answered ?? "100%"} of the pings are answered${windowText(input)}`,
    window: loadWindow(context, input, path),
    ...(input.device === undefined ? {} : { devices: devices(context, input.device, [...path, "device"]) }),
    ...odds(input.answered ?? "100%", [...path, "answered"], context.problems),
    min: input.min ?? 1,
  }),
  metric: (context, input, path) => {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, metric } = input;
    if (!context.metrics.has(metric)) {
      context.problems.unknown("unknownMetric", [...path, "metric"], "metric", metric, context.metrics);
    }
    checkBounds(context, input, path);
    return { check: "metric", name: input.name ?? `${metric} ${boundsText(input.min, input.max)}`, metric, min, max };
  },
};

function loadCount(context: Context, input: InputOf<"count">, path: Path): Expectation {
  const { equals, min, max } = input;
  if (equals !== undefined && (min !== undefined || max !== undefined)) {
    context.problems.add("conflict", [...path, "equals"], "equals excludes min and max", { of: "key" });
  }
  if (equals === undefined) checkBounds(context, input, path);
  const isDistinct = input.distinct === "device";
  const what = isDistinct ? `devices with ${eventText(input)}` : eventText(input);
  const name = input.name ?? `${boundsText(equals ?? min, equals ?? max)} ${what}${windowText(input)}`;
  const bounds = [equals ?? min ?? 0, equals ?? max ?? Number.POSITIVE_INFINITY] as const;
  return loadBounds(context, { ...input, name }, path, ...bounds, isDistinct);
}

function loadBounds(
  context: Context,
  input: EventInput & { readonly name: string; readonly from?: string; readonly until?: string },
  path: Path,
  min: number,
  max: number,
  distinctDevices: boolean,
): Expectation {
  const window = loadWindow(context, input, path);
  return {
    check: "count",
    name: input.name,
    window,
    event: loadEvent(context, input, path),
    min,
    max,
    distinctDevices,
  };
}

function checkBounds(context: Context, input: { readonly min?: number; readonly max?: number }, path: Path): void {
  const { min, max } = input;
  if (min === undefined && max === undefined) {
    context.problems.add("missing", path, "this expectation cannot fail", { expected: "min or max" });
  } else if (min !== undefined && max !== undefined && min > max) {
    context.problems.add("outOfRange", [...path, "max"], "max is less than min");
  }
}

function loadWindow(context: Context, input: { readonly from?: string; readonly until?: string }, path: Path): Window {
  const { end, problems } = context;
  const from = input.from === undefined ? 0 : duration(input.from, [...path, "from"], problems);
  const until = input.until === undefined ? end : duration(input.until, [...path, "until"], problems);
  if (from > end) problems.add("outsideRun", [...path, "from"], "the run has ended by then");
  else if (until > end) problems.add("outsideRun", [...path, "until"], "the run has ended by then");
  else if (until < from) problems.add("outOfRange", [...path, "until"], "until is before from");
  return { from, until };
}

function loadEvent(context: Context, input: EventInput, path: Path): EventFilter {
  if (!EVENT_KINDS.has(input.kind)) {
    context.problems.unknown("unknownKind", [...path, "kind"], "kind of event", input.kind, EVENT_KINDS);
  }
  return {
    kind: input.kind,
    ...(input.device === undefined ? {} : { devices: devices(context, input.device, [...path, "device"]) }),
    where: new Map(Object.entries(input.where ?? {})),
  };
}

function devices(context: Context, globs: string | readonly string[], path: Path): ReadonlySet<number> {
  const { names, problems } = context;
  return new Set(selectNodes(globs, names, path, problems).map((name) => names.indexOf(name)));
}

// ---------------------------------------------------------------------------------------------- default names

function eventText({ kind, device, where }: EventInput): string {
  const data = Object.entries(where ?? {}).map(([key, value]) => `${key} ${value}`);
  const on = device === undefined ? "" : ` on ${deviceText(device)}`;
  return `${kind}${data.length === 0 ? "" : ` with ${data.join(", ")}`}${on}`;
}

function deviceText(globs: string | readonly string[]): string {
  return typeof globs === "string" ? globs : globs.join(", ");
}

function windowText({ from, until }: { readonly from?: string; readonly until?: string }): string {
  return (from === undefined ? "" : ` from ${from}`) + (until === undefined ? "" : ` until ${until}`);
}

function boundsText(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && min === max) return `exactly ${min}`;
  return [min === undefined ? "" : `at least ${min}`, max === undefined ? "" : `at most ${max}`]
    .filter(Boolean)
    .join(", ");
}
