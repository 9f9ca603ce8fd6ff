/**
 * The one message protocol between whoever holds a run and a page that draws it: the worker in the page, the socket of
 * `getvpn serve`, and the replay of a trace file. Messages are plain data. Keys never travel: a page that wants to see
 * inside a packet asks for its field tree, and whoever holds the keys answers.
 *
 *     page                                    holder of the run
 *      |  <-- hello { version, scenarios }           at once
 *      |  --> control { action: "start" }            a run, or "attach" to the one that is under way
 *      |  <-- head                                   once per run; whatever came before belongs to another run
 *      |  <-- events, progress ...                   chunks without gaps, from event 0 on
 *      |  <-- end | error
 *      |  --> dissect { id, packet }                 at any time after the packet's chunk
 *      |  <-- dissected { id, field }
 */
import type { ConfigProblem } from "../../src/base/errors.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Field } from "../../src/wire/field.ts";
import type { TraceChunk, TraceEnd, TraceHead } from "../core/traceTypes.ts";

/** Raised when a message changes its meaning; a page refuses a holder with another one and says so. */
export const PROTOCOL_VERSION = 1;

export interface ScenarioEntry {
  /** What `control` names it by. */
  readonly path: string;
  readonly title: string;
}

/** An expectation of the scenario, judged at the end of the run. */
export interface Verdict {
  readonly text: string;
  readonly ok: boolean;
}

/**
 * - `config`    the scenario or a configuration cannot be used; `problems` says where
 * - `file`      a trace file cannot be read
 * - `version`   the other side speaks another version
 * - `internal`  a fault of the simulator; what has arrived so far stays valid
 */
export type RunErrorCode = "config" | "file" | "version" | "internal";

export interface Hello {
  readonly type: "hello";
  readonly version: number;
  /** Scenarios that `control` may start; empty where the holder has but one run. */
  readonly scenarios: readonly ScenarioEntry[];
  /** A run is under way or done, and may be attached to. */
  readonly attachable: boolean;
}

export interface Head {
  readonly type: "head";
  readonly head: TraceHead;
  /** Path of the scenario where it is one of those in `hello`. */
  readonly scenario?: string;
  /** Dissections show decrypted content. */
  readonly decrypts: boolean;
}

export interface Events {
  readonly type: "events";
  readonly chunk: TraceChunk;
}

export interface Progress {
  readonly type: "progress";
  readonly virtualMicros: Micros;
  /** 0 where the end of the run is not known beforehand. */
  readonly untilMicros: Micros;
}

export interface End {
  readonly type: "end";
  readonly end: TraceEnd;
  readonly verdicts: readonly Verdict[];
  /** What the file's own fingerprint is, where it differs from the one it states. */
  readonly mismatch?: string;
  /** The trace stopped before its end line. */
  readonly truncated?: boolean;
  /** What of a file was not understood, such as lines of a later version. */
  readonly warnings?: readonly string[];
}

export interface RunError {
  readonly type: "error";
  readonly code: RunErrorCode;
  readonly message: string;
  readonly problems: readonly ConfigProblem[];
}

export interface Dissected {
  readonly type: "dissected";
  readonly id: number;
  /** Absent where there is no such packet. */
  readonly field?: Field;
}

export type HolderMessage = Hello | Head | Events | Progress | End | RunError | Dissected;

export type Control =
  | {
      readonly type: "control";
      readonly action: "start";
      readonly scenario: string;
      /** The scenario's own where absent. */
      readonly seed?: string;
      readonly run?: number;
    }
  | { readonly type: "control"; readonly action: "attach" | "stop" };

export interface Dissect {
  readonly type: "dissect";
  readonly id: number;
  readonly packet: number;
}

export type PageMessage = Control | Dissect;
