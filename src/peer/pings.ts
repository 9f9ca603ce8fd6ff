/** A run of pings: requests at a steady pace, each answered or lost in the end. */
import type { Happened } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { happened } from "./events.ts";

export interface PingRun {
  /** Tells our requests from those of an earlier run: 16 bits. */
  readonly identifier: number;
  readonly count: number;
  readonly intervalMicros: Micros;
  readonly timeoutMicros: Micros;
  /** Requests that left, numbered from 1. */
  sent: number;
  received: number;
  /** When each request left that has no answer yet, by sequence number. */
  readonly waiting: Map<number, Micros>;
  /** When the next request leaves, or after the last one when waiting ends. */
  dueAt: Micros;
}

/** Takes the next sequence number; the caller sends the request. */
export function nextPing(run: PingRun, now: Micros): number {
  run.sent += 1;
  run.waiting.set(run.sent, now);
  run.dueAt = now + (run.sent < run.count ? run.intervalMicros : run.timeoutMicros);
  return run.sent;
}

/** An answer that nobody waits for yields nothing. */
export function notePong(run: PingRun, identifier: number, sequence: number, now: Micros): Happened[] {
  const sentAt = run.waiting.get(sequence);
  if (identifier !== run.identifier || sentAt === undefined) return [];
  run.waiting.delete(sequence);
  run.received += 1;
  return [happened("peer.echoReply", { sequence, micros: now - sentAt })];
}

/** Whether nothing is left to send or to wait for. */
export function isPingDone(run: PingRun, now: Micros): boolean {
  return run.sent === run.count && (run.waiting.size === 0 || now >= run.dueAt);
}

/** What a finished run says. */
export function concludePings(run: PingRun): Happened[] {
  const { sent, received } = run;
  const lost = [...run.waiting.keys()].map((sequence) => happened("peer.echoLost", { sequence }));
  return [...lost, happened("peer.pingDone", { sent, received })];
}
