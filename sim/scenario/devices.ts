/** Nodes by globs. */
import { globMatches } from "../check/glob.ts";
import type { Path } from "./document.ts";
import type { Problems } from "./problems.ts";

/** Names of nodes that one glob or any of a list fits, in the order of `names`. `unknownNode` for a glob that fits none. */
export function selectNodes(
  globs: string | readonly string[],
  names: readonly string[],
  path: Path,
  problems: Problems,
): readonly string[] {
  const list = typeof globs === "string" ? [globs] : globs;
  const chosen = new Set<string>();
  for (const [index, glob] of list.entries()) {
    const fitting = names.filter((name) => globMatches(glob, name));
    const at = typeof globs === "string" ? path : [...path, index];
    if (fitting.length === 0) problems.unknown("unknownNode", at, "node", glob, names);
    for (const name of fitting) chosen.add(name);
  }
  return names.filter((name) => chosen.has(name));
}
