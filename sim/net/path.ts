/**
 * One direction of a link, or the way between two sites through the cloud: rules, the state of its line, and what
 * becomes of a packet that enters it.
 */
import { assert } from "../../src/base/errors.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Streams } from "../core/streams.ts";
import { type LinkRule, type LinkRuleKind, type LossReason, type RuleOf, ruleProblem } from "./linkRule.ts";

/** Plain data; changed in place by `admit`, `setPathRule` and `clearPathRule` only. */
export interface Path {
  /** Prefix of its random streams, such as `link/wan-gm1/ab`. */
  readonly name: string;
  /** At most one of each kind. */
  rules: { [K in LinkRuleKind]?: RuleOf<K> };
  /** The line is in use until `busyUntil` and `busyRest / bitsPerSecond` microseconds more. */
  busyUntil: Micros;
  busyRest: number;
  /** Latest arrival so far; an `ordered` jitter does not go below it. */
  lastArrival: Micros;
}

/** What becomes of one copy of a packet. `lostAt`: the instant at which it vanishes. */
export type Fate = { readonly deliverAt: Micros } | { readonly lostAt: Micros; readonly reason: LossReason };

export function createPath(name: string, rules: readonly LinkRule[]): Path {
  const path: Path = { name, rules: {}, busyUntil: 0, busyRest: 0, lastArrival: 0 };
  for (const rule of rules) {
    assert(path.rules[rule.kind] === undefined, `${name} has two rules of kind ${rule.kind}`);
    setPathRule(path, rule);
  }
  return path;
}

/** Adds a rule or replaces the one of its kind. Packets that are on their way already do not notice. */
export function setPathRule(path: Path, rule: LinkRule): void {
  const problem = ruleProblem(rule);
  assert(problem === undefined, `${path.name}, rule ${rule.kind}: ${problem}`);
  // What waits keeps the departure that it was given; only the fraction of a microsecond was in units of the old rate.
  if (rule.kind === "rate") path.busyRest = 0;
  path.rules = { ...path.rules, [rule.kind]: rule };
}

/** Takes the rule of a kind away. */
export function clearPathRule(path: Path, kind: LinkRuleKind): void {
  const { [kind]: _, ...rest } = path.rules;
  path.rules = rest;
}

/** One-way time of a packet that meets neither queue nor chance: the least that the latency rule allows. */
export function baseLatency(path: Path): Micros {
  const micros = path.rules.latency?.micros ?? 0;
  return typeof micros === "number" ? micros : Math.min(...micros);
}

/**
 * A packet enters the path at `now`.
 * `octets`: its size from the IP header on. Returns the fate of each copy, the packet itself first. Draws come from the
 * streams `NAME/loss`, `NAME/latency`, `NAME/jitter`, `NAME/reorder` and `NAME/duplicate`: a rule more or less changes no
 * other rule's draws.
 */
export function admit(path: Path, now: Micros, octets: number, streams: Streams): readonly Fate[] {
  const { rules, name } = path;
  if (rules.down !== undefined) return [{ lostAt: now, reason: "down" }];
  if (rules.partition !== undefined) return [{ lostAt: now, reason: "partition" }];
  if (rules.mtu !== undefined && octets > rules.mtu.octets) return [{ lostAt: now, reason: "mtu" }];
  const departure = rules.rate === undefined ? now : depart(path, rules.rate, now, octets);
  if (departure === undefined) return [{ lostAt: now, reason: "queue" }];
  const { loss, duplicate } = rules;
  const isLost = loss !== undefined && streams.of(`${name}/loss`).chance(loss.hits, loss.outOf);
  if (isLost) return [{ lostAt: departure, reason: "loss" }];
  const first = { deliverAt: arrive(path, departure, streams) };
  if (duplicate === undefined || !streams.of(`${name}/duplicate`).chance(duplicate.hits, duplicate.outOf))
    return [first];
  return [first, { deliverAt: arrive(path, departure, streams) }];
}

/** Bits in an octet times microseconds in a second: what turns octets over a rate into microseconds. */
const SCALE = 8_000_000;

/**
 * When the last bit has left, in whole microseconds rounded up; undefined where the queue is full. The line's end of use
 * is kept exactly, as whole microseconds and a rest in units of 1 / bitsPerSecond, so nothing is gained or lost over any
 * number of packets.
 */
function depart(path: Path, rate: RuleOf<"rate">, now: Micros, octets: number): Micros | undefined {
  const speed = rate.bitsPerSecond;
  const isIdle = path.busyUntil < now || (path.busyUntil === now && path.busyRest === 0);
  const start = isIdle ? now : path.busyUntil;
  const rest = isIdle ? 0 : path.busyRest;
  if (!isIdle) {
    const waiting = (start - now) * speed + rest;
    if (waiting + octets * SCALE > rate.queueOctets * SCALE) return undefined;
  }
  const work = rest + octets * SCALE;
  const micros = Math.floor(work / speed);
  path.busyUntil = start + micros;
  path.busyRest = work - micros * speed;
  return path.busyUntil + (path.busyRest > 0 ? 1 : 0);
}

function arrive(path: Path, departure: Micros, streams: Streams): Micros {
  const { latency, jitter, reorder } = path.rules;
  let time = departure;
  if (latency !== undefined) {
    const { micros } = latency;
    time += typeof micros === "number" ? micros : micros[streams.of(`${path.name}/latency`).below(micros.length)]!;
  }
  if (jitter !== undefined && jitter.maxMicros > 0)
    time += streams.of(`${path.name}/jitter`).below(jitter.maxMicros + 1);
  if (jitter?.ordered === true && time < path.lastArrival) time = path.lastArrival;
  if (time > path.lastArrival) path.lastArrival = time;
  // Behind the order of jitter, and not noted as an arrival: what is reordered is meant to be overtaken.
  if (reorder !== undefined && streams.of(`${path.name}/reorder`).chance(reorder.hits, reorder.outOf)) {
    time += reorder.extraMicros;
  }
  return time;
}
