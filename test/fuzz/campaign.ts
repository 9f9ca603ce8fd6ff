/**
 * The mutation campaign. A case is drawn from a seed and its number: a recorded datagram, a mutator, the mutated octets.
 * It is given to a copy of the machine that the good datagram met. What is promised:
 *
 * - nothing is thrown across `handle`
 * - where the octets are not authentic, the authenticated state is what it was (counters apart)
 * - a source that proved nothing gets at most three times the octets that it sent
 * - no case takes long
 */
import { createRng } from "../../sim/core/rng.ts";
import { type Bytes, equal, toHex } from "../../src/base/bytes.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import { INNER_NAMES, mutateInner } from "./inner.ts";
import { MUTATOR_NAMES, MUTATORS } from "./mutate.ts";
import { deliver, type Recording, recordAll } from "./record.ts";

const AMPLIFICATION_MAX = 3;

export interface Finding {
  readonly number: number;
  readonly session: string;
  readonly mutator: string;
  readonly exchange: number;
  readonly what: "threw" | "stateChanged" | "amplified" | "slow";
  readonly detail: string;
  readonly octets: string;
}

export interface CampaignResult {
  readonly cases: number;
  readonly perMutator: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  /** Longest single case, in units of the clock that was given. */
  readonly slowest: number;
  /** Longest handling of a good datagram, for comparison. */
  readonly slowestGood: number;
}

export interface CampaignOptions {
  readonly seed: string;
  readonly count: number;
  readonly first?: number;
  /** A clock of the host; the campaign itself has none. */
  readonly clock: () => number;
  /** Longest time that a case may take; measured again before it is believed. */
  readonly limit?: number;
  readonly onProgress?: (done: number) => void;
}

/** Parts of a machine's state that any datagram may touch: counters, half-open SAs, timers. */
const LOOSE: ReadonlySet<string> = new Set([
  "counters",
  "dropped",
  "cookies",
  "halfOpen",
  "nextSa",
  "byInit",
  "bySpi",
  "timers",
  "unknownRekeys",
]);
/**
 * An answer to IKE_SA_INIT is not authenticated: it may end an attempt to register, and the member waits or tries the
 * next server. What the member holds is not touched by it.
 */
const LOOSE_DURING_INIT: ReadonlySet<string> = new Set(["phase", "server", "nextServer", "attempt"]);
const AUTHENTICATED: ReadonlySet<string> = new Set(["established", "deleting"]);

/** The authenticated state as text: what must not change by octets that are not authentic. */
export function authenticatedState(state: unknown, duringInit: boolean): string {
  return JSON.stringify(state, (key, value: unknown) => {
    if (LOOSE.has(key) || (duringInit && LOOSE_DURING_INIT.has(key))) return undefined;
    if (key === "sas" && value instanceof Map) {
      return [...value.entries()].filter(([, sa]) => AUTHENTICATED.has((sa as { phase: { at: string } }).phase.at));
    }
    if (value instanceof Map) return [...value.entries()];
    if (value instanceof Set) return [...value];
    if (value instanceof Uint8Array) return toHex(value);
    return value;
  });
}

function stateOf(recording: Recording, state: unknown): string {
  return authenticatedState(state, recording.exchange === Exchange.IKE_SA_INIT && recording.response);
}

interface Case {
  readonly recording: Recording;
  readonly mutator: string;
  readonly octets: Bytes;
  /** The integrity check holds: the machine may believe what it reads. */
  readonly authentic: boolean;
}

function drawCase(recordings: readonly Recording[], seed: string, number: number): Case {
  const rng = createRng(`${seed}/${number}`);
  const recording = recordings[rng.below(recordings.length)]!;
  const good = recording.datagram.octets;
  if (rng.chance(1, 4)) {
    const mutator = INNER_NAMES[rng.below(INNER_NAMES.length)]!;
    const octets = mutateInner(good, recording.keys, mutator, rng);
    if (octets !== undefined) return { recording, mutator, octets, authentic: true };
  }
  const mutator = MUTATOR_NAMES[rng.below(MUTATOR_NAMES.length)]!;
  const octets = MUTATORS[mutator]!(good, rng);
  return { recording, mutator, octets, authentic: equal(octets, good) };
}

function sentOctets(outputs: readonly { readonly kind: string }[]): number {
  let sum = 0;
  for (const output of outputs)
    if (output.kind === "send") sum += (output as unknown as { octets: Bytes }).octets.length;
  return sum;
}

/** Handles octets at a copy of the recorded machine; returns what happened and how long it took. */
function handleAt(recording: Recording, octets: Bytes, clock: () => number) {
  const { role, tools, now, datagram } = recording;
  const state = structuredClone(recording.state);
  const copy = { ...datagram, octets };
  const before = clock();
  try {
    const outputs = deliver(role, state, tools, copy, now) as readonly { readonly kind: string }[];
    return { state, outputs, took: clock() - before, error: undefined };
  } catch (error) {
    return { state, outputs: [], took: clock() - before, error: String((error as Error).stack ?? error) };
  }
}

export function runCampaign(options: CampaignOptions): CampaignResult {
  const { seed, count, first = 0, clock, limit = Number.POSITIVE_INFINITY } = options;
  const recordings = recordAll();
  const expected = new Map(recordings.map((recording) => [recording, stateOf(recording, recording.state)]));
  const findings: Finding[] = [];
  const perMutator: Record<string, number> = {};
  let slowest = 0;
  let slowestGood = 0;
  for (const recording of recordings) {
    const good = fastestOf(3, () => handleAt(recording, recording.datagram.octets, clock).took);
    slowestGood = Math.max(slowestGood, good);
  }
  for (let number = first; number < first + count; number++) {
    const one = drawCase(recordings, seed, number);
    const { recording, mutator, octets, authentic } = one;
    perMutator[mutator] = (perMutator[mutator] ?? 0) + 1;
    const result = handleAt(recording, octets, clock);
    const found = (what: Finding["what"], detail: string): void => {
      const { session, exchange } = recording;
      findings.push({ number, session, mutator, exchange, what, detail, octets: toHex(octets) });
    };
    if (result.error !== undefined) found("threw", result.error);
    else if (!authentic) {
      const difference = firstDifference(expected.get(recording)!, stateOf(recording, result.state));
      if (difference !== undefined) found("stateChanged", difference);
      const sent = sentOctets(result.outputs);
      if (sent > AMPLIFICATION_MAX * octets.length) found("amplified", `${octets.length} octets in, ${sent} out`);
    }
    // A pause of the host is no fault of the code: what was slow once is tried again.
    let took = result.took;
    if (took > limit) took = fastestOf(5, () => handleAt(recording, octets, clock).took);
    if (took > limit) found("slow", `${took}`);
    slowest = Math.max(slowest, took);
    options.onProgress?.(number + 1 - first);
  }
  return { cases: count, perMutator, findings, slowest, slowestGood };
}

/** Where two states part, with some of what stands in front. */
function firstDifference(before: string, after: string): string | undefined {
  if (before === after) return undefined;
  let at = 0;
  while (before[at] === after[at]) at++;
  const from = Math.max(0, at - 80);
  return `...${before.slice(from, at + 40)} became ...${after.slice(at, at + 60)}`;
}

function fastestOf(times: number, measure: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) best = Math.min(best, measure());
  return best;
}
