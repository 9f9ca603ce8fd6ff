/** Runs of the scenarios that are bundled with the page. */

import { loadScenario } from "../../sim/scenario/loader.ts";
import { createRun } from "../../sim/scenario/runner.ts";
import type { WatchedRun } from "../../sim/serve/liveRun.ts";
import type { Control, HolderMessage, ScenarioEntry } from "../../sim/serve/protocol.ts";
import { simulatedRun } from "../../sim/serve/simulatedRun.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { noble } from "../../src/crypto/noble.ts";
import { ReplayError } from "./replay.ts";

/** Long enough to lose little to messages, short enough to answer a question at once. */
const SLICE_MILLIS = 40;

/** The scenarios folder as text files, by path from its root; what is there to be refused is not part of the page. */
const files: ReadonlyMap<string, string> = new Map(
  Object.entries(
    import.meta.glob<string>(
      ["../../scenarios/**/*.{yaml,cfg}", "!../../scenarios/bad/**", "!../../scenarios/refused/**"],
      { query: "?raw", import: "default", eager: true },
    ),
  ).map(([path, text]) => [path.replace("../../scenarios/", ""), text]),
);

/** Scenarios stand in the folder itself, the configurations that they name in folders of theirs. */
export const scenarioEntries: readonly ScenarioEntry[] = [...files.keys()]
  .filter((path) => /^[^/]+\.yaml$/.test(path))
  .map((path) => ({ path, title: path.replace(/\.yaml$/, "") }));

/** Throws a ConfigError for a scenario that cannot run. */
export function startRun(control: Extract<Control, { readonly action: "start" }>): WatchedRun {
  const scenario = loadScenario(files, control.scenario);
  const run = createRun(scenario, { seed: control.seed, run: control.run, crypto: noble });
  return simulatedRun(run, {
    scenario: control.scenario,
    untilMicros: scenario.duration,
    crypto: noble,
    sliceMillis: SLICE_MILLIS,
  });
}

export function failureMessage(error: unknown): HolderMessage {
  if (error instanceof ConfigError) {
    return { type: "error", code: "config", message: "The scenario has problems.", problems: error.problems };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { type: "error", code: error instanceof ReplayError ? "file" : "internal", message, problems: [] };
}
