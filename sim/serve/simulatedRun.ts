/** A simulated run as something to watch: computed in slices of real time, its packets opened with its own keys. */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { dissectPacket } from "../capture/dissect.ts";
import { type KeyRing, keyRing } from "../capture/keyRing.ts";
import type { Run } from "../scenario/runner.ts";
import type { WatchedRun } from "./liveRun.ts";

export interface SimulatedRunOptions {
  /** What `control` names the scenario by; its own name where absent. */
  readonly scenario?: string;
  readonly untilMicros: number;
  /** For opening packets; the run has its own. */
  readonly crypto: Crypto;
  /** Real time that one slice may take: short where other requests wait. */
  readonly sliceMillis: number;
}

/** Events between two looks at the clock. */
const EVENTS_PER_LOOK = 16;

export function simulatedRun(run: Run, options: SimulatedRunOptions): WatchedRun {
  let ring: KeyRing | undefined;
  let ringSize = 0;
  const keys = (): KeyRing => {
    const entries = run.keys();
    if (ring === undefined || entries.length !== ringSize) {
      ring = keyRing(options.crypto, entries);
      ringSize = entries.length;
    }
    return ring;
  };
  return {
    head: run.head,
    trace: run.trace,
    scenario: options.scenario ?? run.head.scenario,
    untilMicros: options.untilMicros,
    decrypts: true,
    get now() {
      return run.now;
    },
    get done() {
      return run.done;
    },
    step() {
      const stop = performance.now() + options.sliceMillis;
      while (!run.done && performance.now() < stop) run.step({ maxEvents: EVENTS_PER_LOOK });
    },
    outcome() {
      const report = run.report();
      return {
        end: run.end(),
        verdicts: report.expectations.map((outcome) => ({
          ok: outcome.ok,
          text: outcome.ok ? outcome.name : `${outcome.name}: expected ${outcome.expected}, found ${outcome.found}`,
        })),
      };
    },
    dissect: (octets: Bytes) => dissectPacket(octets, keys()),
  };
}
