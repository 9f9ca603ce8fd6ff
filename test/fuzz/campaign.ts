/**
 * The mutation campaign. A case is drawn from a seed and its number: a recorded datagram, a mutator, the mutated octets.
 * It is given to a copy of the machine that the good datagram met, or of the same machine when the session began or
 * ended. What is promised:
 *
 * - nothing is thrown across `handle`, and what a reader of certificates throws is a WireError
 * - where the octets are not authentic, the authenticated state is what it was (counters apart)
 * - a source that proved nothing, not even that it reads what is sent to it, gets at most three times its own octets;
 *   what leaves later on timers counts too
 * - no case takes long
 */
import { createRng } from "../../sim/core/rng.ts";
import { type Bytes, equal, toHex } from "../../src/base/bytes.ts";
import type { Datagram, Endpoint } from "../../src/base/machine.ts";
import { MINUTE } from "../../src/base/micros.ts";
import type { Rng } from "../../src/base/rng.ts";
import { authenticatedState, isCarriedOver, phase1State } from "./authenticated.ts";
import { INNER_NAMES, innerMutator } from "./inner.ts";
import { MACHINES, type Output, recordAll } from "./machines.ts";
import { MUTATOR_NAMES, MUTATORS } from "./mutate.ts";
import type { Recording, Role } from "./record.ts";

const AMPLIFICATION_MAX = 3;
/** Nobody's address in any session, and how long what goes there is counted. */
const STRANGER: Endpoint = { address: "203.0.113.9", port: 848 };
const PATIENCE = 5 * MINUTE;

export interface Finding {
  readonly number: number;
  readonly session: string;
  readonly role: Role;
  readonly stage: Stage;
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

/** Which copy of the machine gets the octets: as the good datagram met it, as it was at first, as it was at last. */
type Stage = "met" | "fresh" | "late";

/** A recording with the first and the last state of the same machine in the same session. */
interface Subject {
  readonly recording: Recording;
  readonly stages: Readonly<Record<Stage, Recording>>;
  /** Authenticated state of each stage as text, made when it is first wanted. */
  readonly expected: Map<Stage, string>;
  /** After the good datagram, as far as phase 1 of IKEv1 vouches for it; undefined for others. */
  readonly phase1: string | undefined;
}

interface Case {
  readonly subject: Subject;
  readonly stage: Stage;
  readonly mutator: string;
  readonly octets: Bytes;
  /** The integrity check holds: the machine may believe what it reads. */
  readonly authentic: boolean;
}

function drawStage(rng: Rng): Stage {
  if (rng.chance(3, 4)) return "met";
  return rng.chance(1, 2) ? "fresh" : "late";
}

function drawCase(subjects: readonly Subject[], seed: string, number: number): Case {
  const rng = createRng(`${seed}/${number}`);
  const subject = subjects[rng.below(subjects.length)]!;
  const { recording } = subject;
  const { format, reseal } = MACHINES[recording.role];
  const stage = drawStage(rng);
  const good = recording.datagram.octets;
  if (rng.chance(1, 4)) {
    const mutator = INNER_NAMES[rng.below(INNER_NAMES.length)]!;
    const octets = reseal(recording, innerMutator(mutator), rng);
    if (octets !== undefined) return { subject, stage, mutator, octets, authentic: true };
  }
  const mutator = MUTATOR_NAMES[rng.below(MUTATOR_NAMES.length)]!;
  const octets = MUTATORS[mutator]!(good, rng, format);
  return { subject, stage, mutator, octets, authentic: equal(octets, good) || isCarriedOver(recording, octets) };
}

function sentOctets(outputs: readonly Output[]): number {
  let sum = 0;
  for (const output of outputs)
    if (output.kind === "send") sum += (output as unknown as { octets: Bytes }).octets.length;
  return sum;
}

/** Handles octets at a copy of the machine at this stage; returns what happened and how long it took. */
function handleAt({ recording, stages }: Subject, stage: Stage, octets: Bytes, clock: () => number) {
  const { role, tools, datagram } = recording;
  const { now, state: recorded } = stages[stage];
  const state = structuredClone(recorded);
  const copy = { ...datagram, octets };
  // The same draws each time: what a mutated message leads to can be compared with what the good one does.
  const drawing = { ...tools, rng: createRng("case") };
  const before = clock();
  try {
    const outputs = MACHINES[role].handle(state, drawing, copy, now);
    return { state, outputs, took: clock() - before, error: undefined };
  } catch (error) {
    return { state, outputs: [], took: clock() - before, error: String((error as Error).stack ?? error) };
  }
}

function subjectsOf(recordings: readonly Recording[], clock: () => number): Subject[] {
  const ends = new Map<string, { readonly fresh: Recording; late: Recording }>();
  const machineOf = ({ session, role, datagram }: Recording) => `${session}/${role}/${datagram.local.address}`;
  for (const recording of recordings) {
    const known = ends.get(machineOf(recording));
    if (known === undefined) ends.set(machineOf(recording), { fresh: recording, late: recording });
    else known.late = recording;
  }
  return recordings.map((recording) => {
    const stages = { met: recording, ...ends.get(machineOf(recording))! };
    const subject: Subject = { recording, stages, expected: new Map(), phase1: undefined };
    const { state } = handleAt(subject, "met", recording.datagram.octets, clock);
    return { ...subject, phase1: phase1State(recording, state) };
  });
}

/** Who echoes the SPI or cookie that this machine chose reads what is sent to that address. */
function isEchoed({ response, datagram }: Recording, octets: Bytes): boolean {
  const [from, to] = response ? [0, 8] : [8, 16];
  const chosen = datagram.octets.subarray(from, to);
  return chosen.some((octet) => octet !== 0) && equal(octets.subarray(from, to), chosen);
}

/** Octets to somebody who sends these `copies` times from an address that nobody knows: the answers, and what follows. */
function sentToStranger({ recording, stages }: Subject, stage: Stage, octets: Bytes, copies: number): number {
  const { role, tools, datagram } = recording;
  const { now, state: recorded } = stages[stage];
  const { handle, expire } = MACHINES[role];
  const state = structuredClone(recorded);
  let sum = 0;
  const count = (outputs: readonly Output[]): void => {
    for (const output of outputs) {
      if (output.kind !== "send") continue;
      const { remote, octets: sent } = output as unknown as Datagram;
      if (remote.address === STRANGER.address) sum += sent.length;
    }
  };
  for (let i = 0; i < copies; i++) count(handle(state, tools, { ...datagram, remote: STRANGER, octets }, now));
  const { next, run } = expire;
  for (let due = next(state); due !== undefined && due <= now + PATIENCE; due = next(state)) {
    count(run(state, tools, due));
  }
  return sum;
}

/** What is wrong with how much these octets bring their source; undefined where nothing is. */
function amplification(subject: Subject, stage: Stage, octets: Bytes, outputs: readonly Output[]): string | undefined {
  const sent = sentOctets(outputs);
  if (sent === 0 || isEchoed(subject.recording, octets)) return undefined;
  if (sent > AMPLIFICATION_MAX * octets.length) return `${octets.length} octets in, ${sent} out`;
  for (const copies of [1, 3]) {
    const total = sentToStranger(subject, stage, octets, copies);
    if (total > AMPLIFICATION_MAX * copies * octets.length) {
      return `${copies} times ${octets.length} octets in, ${total} out in the end`;
    }
  }
  return undefined;
}

/** What the octets have changed though nobody vouches for them; undefined where all is as it was. */
function changeBy(subject: Subject, stage: Stage, state: unknown): string | undefined {
  const { recording, stages, expected, phase1 } = subject;
  const before = expected.get(stage) ?? authenticatedState(recording, stages[stage].state);
  expected.set(stage, before);
  const difference = firstDifference(before, authenticatedState(recording, state));
  if (difference === undefined || phase1 === undefined || stages[stage] !== recording) return difference;
  return firstDifference(phase1, phase1State(recording, state)!);
}

export function runCampaign(options: CampaignOptions): CampaignResult {
  const { seed, count, first = 0, clock, limit = Number.POSITIVE_INFINITY } = options;
  const subjects = subjectsOf(recordAll(), clock);
  const findings: Finding[] = [];
  const perMutator: Record<string, number> = {};
  let slowest = 0;
  let slowestGood = 0;
  for (const subject of subjects) {
    const { octets } = subject.recording.datagram;
    slowestGood = Math.max(
      slowestGood,
      fastestOf(3, () => handleAt(subject, "met", octets, clock).took),
    );
  }
  for (let number = first; number < first + count; number++) {
    const { subject, stage, mutator, octets, authentic } = drawCase(subjects, seed, number);
    perMutator[mutator] = (perMutator[mutator] ?? 0) + 1;
    const result = handleAt(subject, stage, octets, clock);
    const found = (what: Finding["what"], detail: string): void => {
      const { session, role, exchange } = subject.recording;
      findings.push({ number, session, role, stage, mutator, exchange, what, detail, octets: toHex(octets) });
    };
    if (result.error !== undefined) found("threw", result.error);
    else if (!authentic) {
      const difference = changeBy(subject, stage, result.state);
      if (difference !== undefined) found("stateChanged", difference);
      const amplified = amplification(subject, stage, octets, result.outputs);
      if (amplified !== undefined) found("amplified", amplified);
    }
    // A pause of the host is no fault of the code: what was slow once is tried again.
    let took = result.took;
    if (took > limit) took = fastestOf(5, () => handleAt(subject, stage, octets, clock).took);
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
