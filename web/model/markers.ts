/** Instants that a person wants to jump to: rekeys, registrations, faults, captions, failed expectations. */
import type { Micros } from "../../src/base/micros.ts";
import type { TraceView } from "./traceView.ts";

export type MarkerKind = "rekey" | "fault" | "failure" | "config" | "note" | "key";

export interface Marker {
  readonly kind: MarkerKind;
  readonly time: Micros;
  /** Number of the event, or -1 for a caption. */
  readonly event: number;
  readonly text: string;
}

interface Rule {
  readonly kind: MarkerKind;
  readonly text: (trace: TraceView, event: number) => string;
}

const named =
  (text: string): Rule["text"] =>
  (trace, event) =>
    `${trace.deviceName(trace.deviceOf(event))}: ${text}`;

/** By kind of event, or by its room where the whole room counts. */
const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries<Rule>({
    "ks.rekeyStarted": { kind: "rekey", text: named("rekey") },
    "gm.ejected": { kind: "failure", text: named("ejected") },
    "gm.registrationFailed": { kind: "failure", text: named("registration failed") },
    "expectation.failed": {
      kind: "failure",
      text: (trace, event) => String(trace.dataOf(event).text ?? "expectation"),
    },
    "fault.": { kind: "fault", text: (trace, event) => trace.kindOf(event) },
    "config.": { kind: "config", text: (trace, event) => trace.kindOf(event) },
  }),
);

export function markerRule(kind: string): Rule | undefined {
  return RULES.get(kind) ?? RULES.get(kind.slice(0, kind.indexOf(".") + 1));
}

/** Markers so far, oldest first. Kept apart so that a growing trace only adds to them. */
export class Markers {
  readonly list: Marker[] = [];
  private readonly trace: TraceView;
  private seen = 0;

  constructor(trace: TraceView) {
    this.trace = trace;
    for (const note of trace.head.notes) this.list.push({ kind: "note", time: note.at, event: -1, text: note.text });
  }

  update(): void {
    const { trace } = this;
    const before = this.list.length;
    for (; this.seen < trace.eventCount; this.seen++) {
      const rule = markerRule(trace.kindOf(this.seen));
      if (rule === undefined) continue;
      const text = rule.text(trace, this.seen);
      this.list.push({ kind: rule.kind, time: trace.timeOf(this.seen), event: this.seen, text });
    }
    if (this.list.length > before) this.list.sort((a, b) => a.time - b.time || a.event - b.event);
  }

  /** Failures, oldest first: what `N` and `P` walk. */
  get problems(): readonly Marker[] {
    return this.list.filter((marker) => marker.kind === "failure");
  }
}
