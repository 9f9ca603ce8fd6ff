/** From a set of files to a scenario. Pure: whoever calls has read the files. */
import type { Micros } from "../../src/base/micros.ts";
import type { Parts } from "../check/metrics.ts";
import type { TraceNote } from "../core/traceTypes.ts";
import { selectNodes } from "./devices.ts";
import { readDocument } from "./document.ts";
import { loadExpectations } from "./expectations.ts";
import { relativePath } from "./files.ts";
import { duration } from "./line.ts";
import { loadLinks } from "./links.ts";
import { loadNodes } from "./nodes.ts";
import { loadPki } from "./pkiPlan.ts";
import { Problems } from "./problems.ts";
import type { Limits, Scenario } from "./scenario.ts";
import { type ScenarioInput, ScenarioSchema } from "./schema.ts";
import { schemaProblems } from "./schemaProblems.ts";
import { loadTimeline } from "./timeline.ts";

/** Far more than a scenario of 10,000 members needs in an hour; it ends what would not end. */
const EVENTS_MAX = 50_000_000;

/**
 * Reads the scenario `path` of `files` (text by relative name) and the configurations that it names.
 * Throws a ConfigError with all problems of all files, ordered by place. Where the file does not fit the schema, what the
 * schema cannot see is not looked at: it would only repeat the same mistakes.
 */
export function loadScenario(files: ReadonlyMap<string, string>, path: string): Scenario {
  const text = files.get(path);
  const document = readDocument(path, text ?? "");
  const problems = new Problems(document);
  if (text === undefined) {
    problems.take({ code: "missingFile", file: path, line: 1, column: 1, path: "", message: "there is no such file" });
  } else {
    for (const problem of document.problems) problems.take(problem);
    if (document.value !== undefined) {
      for (const problem of schemaProblems(ScenarioSchema, document)) problems.take(problem);
    }
  }
  problems.throwIfAny();
  const input = document.value as ScenarioInput;
  const end = duration(input.duration, ["duration"], problems);
  const { nodes, ignored } = loadNodes({ files, document, input, problems });
  const links = loadLinks(input, nodes, problems);
  const names = [...nodes.keys()];
  const pki = loadPki(input.pki, nodes, problems);
  const timeline = loadTimeline(input.timeline ?? [], nodes, links, end, problems);
  const parts = loadParts(input, names, problems);
  const expectations = loadExpectations(input.expect ?? [], names, end, [...parts.keys()], problems);
  const notes = loadNotes(input, end, problems);
  problems.throwIfAny();
  return {
    name: input.name,
    description: input.description,
    seed: String(input.seed ?? input.name),
    duration: end,
    nodes: [...nodes.values()].map((loaded) => loaded.node),
    ...links,
    parts,
    ospfHellos: input["ospf-hellos"] ?? false,
    ...(pki === undefined ? {} : { pki }),
    timeline,
    expectations,
    notes,
    limits: { events: input.limits?.events ?? EVENTS_MAX } satisfies Limits,
    ignored: ignored.map((line) => ({ ...line, file: relativePath(path, line.file) })),
  };
}

function loadParts(input: ScenarioInput, names: readonly string[], problems: Problems): Parts {
  const parts = Object.entries(input.compare ?? {}).map(([part, globs]) => {
    const chosen = selectNodes(globs, names, ["compare", part], problems);
    return [part, new Set(chosen.map((name) => names.indexOf(name)))] as const;
  });
  return new Map(parts);
}

function loadNotes(input: ScenarioInput, end: Micros, problems: Problems): readonly TraceNote[] {
  const notes = (input.notes ?? []).map(({ at, text, question }, index) => {
    const instant = duration(at, ["notes", index, "at"], problems);
    if (instant > end) problems.add("outsideRun", ["notes", index, "at"], "the run has ended by then");
    return { at: instant, text: text.trim(), ...(question === undefined ? {} : { question }) };
  });
  return notes.sort((a, b) => a.at - b.at);
}
