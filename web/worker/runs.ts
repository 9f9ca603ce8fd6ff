/** Runs of the scenarios that are bundled with the page. */

import { loadScenario } from "../../sim/scenario/loader.ts";
import { createRun } from "../../sim/scenario/runner.ts";
import type { WatchedRun } from "../../sim/serve/liveRun.ts";
import type { Control } from "../../sim/serve/protocol.ts";
import { simulatedRun } from "../../sim/serve/simulatedRun.ts";
import { noble } from "../../src/crypto/noble.ts";
import { scenarioFiles } from "./scenarioFiles.ts";

/** Long enough to lose little to messages, short enough to answer a question at once. */
const SLICE_MILLIS = 40;

/** Throws a ConfigError for a scenario that cannot run. */
export function startRun(control: Extract<Control, { readonly action: "start" }>): WatchedRun {
  const scenario = loadScenario(scenarioFiles, control.scenario);
  const run = createRun(scenario, { seed: control.seed, run: control.run, crypto: noble });
  return simulatedRun(run, {
    scenario: control.scenario,
    untilMicros: scenario.duration,
    crypto: noble,
    sliceMillis: SLICE_MILLIS,
  });
}
