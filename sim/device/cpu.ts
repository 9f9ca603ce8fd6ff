/**
 * The processor of a device as a queue: inputs wait for one of its servers, are worked on one after the other in the
 * order of their arrival, and what follows from them leaves when the work is done. Time is virtual; sub-microsecond
 * rests are carried on, so that many small pieces of work add up to their exact sum.
 */
import type { Micros } from "../../src/base/micros.ts";
import { PLATFORMS, type Platform } from "./platform.ts";
import type { CpuSpec } from "./spec.ts";

/** Plain data. J: what waits. */
export interface Cpu<J> {
  readonly platform: Platform;
  readonly servers: number;
  readonly queueLimit: number;
  readonly waiting: J[];
  /** Servers at work. */
  busy: number;
  /** Nanoseconds, below 1000, that the work so far took beyond whole microseconds. */
  rest: number;
  /** Nanoseconds of work done since the start, for utilisation. */
  worked: number;
  dropped: number;
  /** Most inputs that waited at a time. */
  waitingMax: number;
}

const SERVERS_DEFAULT = 4;

export function createCpu<J>(spec: CpuSpec): Cpu<J> {
  const platform = PLATFORMS[spec.profile];
  return {
    platform,
    servers: spec.queue === "multi" ? (spec.servers ?? SERVERS_DEFAULT) : 1,
    queueLimit: spec.queueLimit ?? platform.queueLimit,
    waiting: [],
    busy: 0,
    rest: 0,
    worked: 0,
    dropped: 0,
    waitingMax: 0,
  };
}

/** Puts work at the end of the queue. False where there is no room: `mayDrop` says that it may be thrown away. */
export function enqueue<J>(cpu: Cpu<J>, job: J, mayDrop: boolean): boolean {
  if (mayDrop && cpu.busy >= cpu.servers && cpu.waiting.length >= cpu.queueLimit) {
    cpu.dropped += 1;
    return false;
  }
  cpu.waiting.push(job);
  if (cpu.waiting.length > cpu.waitingMax) cpu.waitingMax = cpu.waiting.length;
  return true;
}

/** The next work, where a server is free for it; the server is taken. */
export function takeJob<J>(cpu: Cpu<J>): J | undefined {
  if (cpu.busy >= cpu.servers) return undefined;
  const job = cpu.waiting.shift();
  if (job !== undefined) cpu.busy += 1;
  return job;
}

/** Turns nanoseconds of work into the microseconds until it is done. */
export function workFor<J>(cpu: Cpu<J>, nanos: number): Micros {
  const whole = Math.round(nanos);
  cpu.worked += whole;
  const total = cpu.rest + whole;
  const micros = Math.floor(total / 1_000);
  cpu.rest = total - micros * 1_000;
  return micros;
}

/** The work of a server is done. */
export function releaseServer<J>(cpu: Cpu<J>): void {
  cpu.busy -= 1;
}

/** Everything that waits is forgotten: the device was switched off. */
export function resetCpu<J>(cpu: Cpu<J>): void {
  cpu.waiting.length = 0;
  cpu.busy = 0;
}
