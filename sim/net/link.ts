/** A link: two ends, and for each direction a list of rules. */
import type { Micros } from "../../src/base/micros.ts";
import type { Streams } from "../core/streams.ts";
import type { LinkRule, LinkRuleKind } from "./linkRule.ts";
import { admit, clearPathRule, createPath, type Fate, type Path, setPathRule } from "./path.ts";

/** `ab`: from end a to end b. */
export type Direction = "ab" | "ba";

/** Plain data, changed in place by the functions of this file only. */
export interface Link {
  readonly name: string;
  readonly ab: Path;
  readonly ba: Path;
}

/**
 * `rules` hold for both directions; where they differ, each list is given by itself. Two rules of one kind in one list
 * or a value out of its range is a failed assertion: the scenario's loader has checked before (`ruleProblem`).
 */
export function createLink(
  name: string,
  rules: readonly LinkRule[] | Readonly<Record<Direction, readonly LinkRule[]>>,
): Link {
  const isShared = (given: typeof rules): given is readonly LinkRule[] => Array.isArray(given);
  const { ab, ba } = isShared(rules) ? { ab: rules, ba: rules } : rules;
  return { name, ab: createPath(`link/${name}/ab`, ab), ba: createPath(`link/${name}/ba`, ba) };
}

/**
 * A packet of so many octets, from the IP header on, is given to the link at `now`. Returns the fate of each copy, the
 * packet itself first; more than one where the link duplicates. What is on its way when a rule changes is not touched.
 */
export function transmit(
  link: Link,
  direction: Direction,
  now: Micros,
  octets: number,
  streams: Streams,
): readonly Fate[] {
  return admit(link[direction], now, octets, streams);
}

/** Adds a rule or replaces the one of its kind, from now on: a fault begins. */
export function setRule(link: Link, direction: Direction | "both", rule: LinkRule): void {
  for (const path of paths(link, direction)) setPathRule(path, rule);
}

/** Takes the rule of a kind away: a fault ends. */
export function clearRule(link: Link, direction: Direction | "both", kind: LinkRuleKind): void {
  for (const path of paths(link, direction)) clearPathRule(path, kind);
}

/** True where an interface at either end would see its line protocol go down: the rule `down`, not a partition. */
export function isDown(link: Link): boolean {
  return link.ab.rules.down !== undefined || link.ba.rules.down !== undefined;
}

function paths(link: Link, direction: Direction | "both"): readonly Path[] {
  return direction === "both" ? [link.ab, link.ba] : [link[direction]];
}
