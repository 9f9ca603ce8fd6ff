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
  readonly text: string;
}

/** By kind of event. `{name}` in a text is a value of the event's data. */
const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries<Rule>({
    "ks.tekCreated": { kind: "key", text: "new TEK {spi}" },
    "ks.kekCreated": { kind: "key", text: "new KEK {spi}" },
    "ks.rekeyStarted": { kind: "rekey", text: "rekey {sequence}" },
    "ks.refused": { kind: "failure", text: "registration of {member} refused: {reason}" },
    "ks.rekeyUnanswered": { kind: "failure", text: "rekey {sequence} not acknowledged by {member}" },
    "ks.memberEjected": { kind: "failure", text: "{member} deleted, it was silent" },
    "ike.authFailed": { kind: "failure", text: "authentication of {identity} failed: {reason}" },
    "gm.registrationFailed": { kind: "failure", text: "registration at {server} failed: {reason}" },
    "gm.listExhausted": { kind: "failure", text: "no key server would register it" },
    "gm.rekeyRejected": { kind: "failure", text: "rekey not accepted: {reason}" },
    "gm.reregister": { kind: "failure", text: "no rekey came in time, registers again" },
    "fault.applied": { kind: "fault", text: "fault {kind}" },
    "device.down": { kind: "fault", text: "down: {reason}" },
    "link.down": { kind: "fault", text: "line protocol down on {interface}" },
  }),
);

function markerText(trace: TraceView, event: number, rule: Rule): string {
  const data = trace.dataOf(event);
  const text = rule.text.replace(/\{(\w+)\}/g, (_, name: string) => trace.nameOf(String(data[name] ?? "?")));
  return `${trace.deviceName(trace.deviceOf(event))}: ${text}`;
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
      const rule = RULES.get(trace.kindOf(this.seen));
      if (rule === undefined) continue;
      const text = markerText(trace, this.seen, rule);
      this.list.push({ kind: rule.kind, time: trace.timeOf(this.seen), event: this.seen, text });
    }
    if (this.list.length > before) this.list.sort((a, b) => a.time - b.time || a.event - b.event);
  }

  /** Failures, oldest first: what `N` and `P` walk. */
  get problems(): readonly Marker[] {
    return this.list.filter((marker) => marker.kind === "failure");
  }
}
