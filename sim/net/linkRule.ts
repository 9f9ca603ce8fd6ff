/**
 * What a link does to packets, as plain data. A direction of a link holds at most one rule of each kind; whichever order
 * they are given in, a packet meets them in the order of this table.
 *
 * | kind | what happens |
 * |---|---|
 * | `down` | nothing passes |
 * | `partition` | nothing passes, but the interface does not notice |
 * | `mtu` | packets of more octets are lost |
 * | `rate` | packets leave one behind the other; what does not fit into the queue is lost |
 * | `loss` | lost with odds `hits` in `outOf`, having used the line |
 * | `latency` | the way takes so long: a fixed time, or an entry of a table drawn with equal odds |
 * | `jitter` | plus 0 to `maxMicros`, each with equal odds |
 * | `reorder` | plus `extraMicros` with odds `hits` in `outOf`, so that later packets overtake |
 * | `duplicate` | a second copy with odds `hits` in `outOf`, with a latency and jitter of its own |
 */
import type { Micros } from "../../src/base/micros.ts";

export type LinkRule =
  | { readonly kind: "down" }
  | { readonly kind: "partition" }
  /** `octets`: largest IP packet that passes. */
  | { readonly kind: "mtu"; readonly octets: number }
  /** `queueOctets`: what may wait and be sent at one time; a packet always passes an idle line. */
  | { readonly kind: "rate"; readonly bitsPerSecond: number; readonly queueOctets: number }
  | { readonly kind: "loss"; readonly hits: number; readonly outOf: number }
  | { readonly kind: "latency"; readonly micros: Micros | readonly Micros[] }
  /** `ordered`: a packet that would overtake the one before it arrives together with it instead. */
  | { readonly kind: "jitter"; readonly maxMicros: Micros; readonly ordered?: boolean }
  | { readonly kind: "reorder"; readonly hits: number; readonly outOf: number; readonly extraMicros: Micros }
  | { readonly kind: "duplicate"; readonly hits: number; readonly outOf: number };

export type LinkRuleKind = LinkRule["kind"];

export type RuleOf<K extends LinkRuleKind> = Extract<LinkRule, { readonly kind: K }>;

/** Why a packet did not arrive; the `reason` of `packet.lost`. */
export type LossReason = "loss" | "queue" | "mtu" | "down" | "partition";

/** Bounds within which all arithmetic on a line's queue is exact in a double. */
export const RATE_MAX = 100_000_000_000;
export const QUEUE_OCTETS_MAX = 1_000_000_000;
const ODDS_MAX = 2 ** 32;
const OCTETS_MAX = 65_535;

/** What is wrong with a rule, in one sentence; undefined where nothing is. */
export function ruleProblem(rule: LinkRule): string | undefined {
  switch (rule.kind) {
    case "down":
    case "partition":
      return undefined;
    case "mtu":
      return within("octets", rule.octets, 20, OCTETS_MAX);
    case "rate":
      return (
        within("bitsPerSecond", rule.bitsPerSecond, 1, RATE_MAX) ??
        within("queueOctets", rule.queueOctets, 0, QUEUE_OCTETS_MAX)
      );
    case "latency":
      return latencyProblem(rule.micros);
    case "jitter":
      // One draw of 32 bits has to cover it.
      return within("maxMicros", rule.maxMicros, 0, ODDS_MAX - 1);
    case "reorder":
      return odds(rule.hits, rule.outOf) ?? within("extraMicros", rule.extraMicros, 0, Number.MAX_SAFE_INTEGER);
    case "loss":
    case "duplicate":
      return odds(rule.hits, rule.outOf);
  }
}

function latencyProblem(micros: Micros | readonly Micros[]): string | undefined {
  if (typeof micros === "number") return within("micros", micros, 0, Number.MAX_SAFE_INTEGER);
  if (micros.length === 0) return "micros: the table is empty";
  for (const entry of micros) {
    const problem = within("micros", entry, 0, Number.MAX_SAFE_INTEGER);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function odds(hits: number, outOf: number): string | undefined {
  return within("outOf", outOf, 1, ODDS_MAX) ?? within("hits", hits, 0, outOf);
}

function within(name: string, value: number, min: number, max: number): string | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined;
  return `${name}: whole number from ${min} to ${max} expected, found ${value}`;
}
