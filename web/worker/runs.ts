/** Runs of the scenarios that are bundled with the page. */

import type { WatchedRun } from "../../sim/serve/liveRun.ts";
import type { Control, HolderMessage, ScenarioEntry } from "../../sim/serve/protocol.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { ReplayError } from "./replay.ts";

/** The scenarios folder as text files, by path from its root. */
const files: ReadonlyMap<string, string> = new Map(
  Object.entries(
    import.meta.glob<string>(["../../scenarios/**/*.{yaml,ios,cfg,txt}", "!../../scenarios/bad/**"], {
      query: "?raw",
      import: "default",
      eager: true,
    }),
  ).map(([path, text]) => [path.replace("../../scenarios/", ""), text]),
);

export const scenarioEntries: readonly ScenarioEntry[] = [...files.keys()]
  .filter((path) => /^[^/]+\.yaml$/.test(path))
  .map((path) => ({ path, title: path.replace(/\.yaml$/, "") }));

export function startRun(_control: Extract<Control, { readonly action: "start" }>): WatchedRun {
  throw new ReplayError("no scenarios yet");
}

export function failureMessage(error: unknown): HolderMessage {
  if (error instanceof ConfigError) {
    return { type: "error", code: "config", message: "The scenario has problems.", problems: error.problems };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { type: "error", code: error instanceof ReplayError ? "file" : "internal", message, problems: [] };
}
