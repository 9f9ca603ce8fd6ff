/** The events that pass the filter, ascending; a growing trace only adds to them. */
import { grown, lowerBound } from "../model/columns.ts";
import type { Predicate } from "../model/filter.ts";
import type { TraceView } from "../model/traceView.ts";

export class Rows {
  count = 0;
  private numbers = new Uint32Array(1024);
  private readonly trace: TraceView;
  private readonly test: Predicate;
  private seen = 0;

  constructor(trace: TraceView, test: Predicate) {
    this.trace = trace;
    this.test = test;
  }

  update(): void {
    for (; this.seen < this.trace.eventCount; this.seen++) {
      if (!this.test(this.seen)) continue;
      this.numbers = grown(this.numbers, this.count + 1);
      this.numbers[this.count++] = this.seen;
    }
  }

  /** Event number of a row. */
  at(row: number): number {
    return this.numbers[row]!;
  }

  /** Number of rows whose event is before `event`: the row of that event, or where it would stand. */
  rowOf(event: number): number {
    return lowerBound(this.numbers, this.count, event);
  }
}
