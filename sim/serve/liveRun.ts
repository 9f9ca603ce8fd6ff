/**
 * A run while it is computed, and the pages that watch it. Each page has a feed that says how much of the trace it got;
 * what it gets next depends on nothing else, so a page may come late, or again.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Field } from "../../src/wire/field.ts";
import type { Trace } from "../core/trace.ts";
import type { TraceEnd, TraceHead } from "../core/traceTypes.ts";
import type { HolderMessage, Verdict } from "./protocol.ts";

/** A run as its holder drives it: that of a scenario, or a trace that was read from a file and is complete already. */
export interface WatchedRun {
  readonly head: TraceHead;
  readonly trace: Trace;
  readonly scenario?: string;
  /** Where the run stops at the latest; 0 where that is not known. */
  readonly untilMicros: Micros;
  readonly now: Micros;
  readonly done: boolean;
  /** Computes the next slice. */
  step(): void;
  /** Called once, when `done`. */
  outcome(): Outcome;
  readonly decrypts: boolean;
  dissect(octets: Bytes): Field;
}

export interface Outcome {
  readonly end: TraceEnd;
  readonly verdicts: readonly Verdict[];
  readonly mismatch?: string;
  readonly truncated?: boolean;
  readonly warnings?: readonly string[];
}

/** How far one page is. */
export interface Feed {
  headSent: boolean;
  events: number;
  packets: number;
  ended: boolean;
}

export function createFeed(): Feed {
  return { headSent: false, events: 0, packets: 0, ended: false };
}

/** Everything that is new for a page, in order; moves its feed on. `outcome` is absent while the run goes on. */
export function nextMessages(run: WatchedRun, feed: Feed, outcome: Outcome | undefined): readonly HolderMessage[] {
  const messages: HolderMessage[] = [];
  if (!feed.headSent) {
    feed.headSent = true;
    messages.push({ type: "head", head: run.head, scenario: run.scenario, decrypts: run.decrypts });
  }
  if (run.trace.events > feed.events) {
    const chunk = run.trace.chunk(feed.events, feed.packets);
    feed.events += chunk.count;
    feed.packets += chunk.packets.length;
    messages.push({ type: "events", chunk });
  }
  if (outcome === undefined) {
    messages.push({ type: "progress", virtualMicros: run.now, untilMicros: run.untilMicros });
  } else if (!feed.ended) {
    feed.ended = true;
    messages.push({ type: "end", ...outcome });
  }
  return messages;
}

/** Answers a page's question about a packet. */
export function dissected(run: WatchedRun | undefined, id: number, packet: number): HolderMessage {
  const known = run !== undefined && Number.isInteger(packet) && packet >= 0 && packet < run.trace.packets;
  return { type: "dissected", id, field: known ? run.dissect(run.trace.packet(packet)) : undefined };
}
