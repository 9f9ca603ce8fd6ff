/** A trace as the page has it: filled by a chunk. */
import type { Trace } from "../../sim/core/trace.ts";
import type { TraceHead } from "../../sim/core/traceTypes.ts";
import { TraceView } from "../../web/model/traceView.ts";

export function viewOf(run: { readonly head: TraceHead; readonly trace: Trace }): TraceView {
  const view = new TraceView(run.head);
  view.append(run.trace.chunk(0, 0));
  return view;
}
