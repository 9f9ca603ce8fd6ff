/** The scenarios that are bundled with the page, as text. */
import type { ScenarioEntry } from "../../sim/serve/protocol.ts";

/** The scenarios folder by path from its root; what is there to be refused is not part of the page. */
export const scenarioFiles: ReadonlyMap<string, string> = new Map(
  Object.entries(
    import.meta.glob<string>(
      ["../../scenarios/**/*.{yaml,cfg}", "!../../scenarios/bad/**", "!../../scenarios/refused/**"],
      { query: "?raw", import: "default", eager: true },
    ),
  ).map(([path, text]) => [path.replace("../../scenarios/", ""), text]),
);

/** Scenarios stand in the folder itself, the configurations that they name in folders of theirs. */
export const scenarioEntries: readonly ScenarioEntry[] = [...scenarioFiles.keys()]
  .filter((path) => /^[^/]+\.yaml$/.test(path))
  .map((path) => ({ path, title: path.replace(/\.yaml$/, "") }));
