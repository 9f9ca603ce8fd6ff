/** Scenarios of the repository for tests: read from the disk once, run to their end. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { referencedFiles } from "../../sim/scenario/files.ts";
import { loadScenario } from "../../sim/scenario/loader.ts";
import { createRun, type Run, type RunOptions } from "../../sim/scenario/runner.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { native } from "../../src/crypto/native.ts";

const ROOT = fileURLToPath(new URL("../../scenarios/", import.meta.url));

/** `path`: from the folder of scenarios, such as `lab.yaml`. */
export function diskScenario(path: string): Scenario {
  const read = (name: string) => readFileSync(ROOT + name, "utf8");
  const text = read(path);
  const files = new Map([[path, text], ...referencedFiles(path, text).map((name) => [name, read(name)] as const)]);
  return loadScenario(files, path);
}

export function finishedRun(scenario: Scenario, options: Partial<RunOptions> = {}): Run {
  const run = createRun(scenario, { crypto: native, ...options });
  run.step();
  return run;
}
