/** The line at the bottom: where the run comes from and how far it is, rows shown, expectations, messages. */
import { effect } from "@preact/signals-core";
import { h, setText } from "../base/dom.ts";
import { formatCount, formatTime, plural } from "../base/format.ts";
import type { Store } from "../state/store.ts";

const SOURCE_NAMES = {
  worker: "simulated in this page",
  socket: "streamed by the server",
  file: "trace file",
} as const;

export function statusLine(store: Store): HTMLElement {
  const phase = h("span");
  const rows = h("span");
  const verdicts = h("span");
  const notice = h("span", { role: "status", "aria-live": "polite" });
  effect(() => {
    store.revision.value;
    const model = store.run.value;
    const live = store.phase.value === "live";
    const state = { loading: "loading", live: "● live", done: "complete", failed: "stopped" }[store.phase.value];
    const truncated = store.end.value?.truncated === true ? ", cut off before its end" : "";
    phase.className = live ? "live" : "";
    setText(phase, `${state}${truncated}, ${SOURCE_NAMES[store.source.value]}`);
    if (model === undefined) return;
    const { trace } = model;
    setText(
      rows,
      `${plural(trace.eventCount, "event")}, ${plural(trace.packetCount, "packet")}, ${formatTime(trace.endTime)} of sim time`,
    );
  });
  effect(() => {
    const list = store.end.value?.verdicts ?? [];
    const failed = list.filter((verdict) => !verdict.ok).length;
    verdicts.className = failed > 0 ? "bad" : "";
    setText(
      verdicts,
      list.length === 0 ? "" : `expectations ${formatCount(list.length - failed)} ✓ ${formatCount(failed)} ✕`,
    );
  });
  effect(() => {
    const text = store.notice.value;
    setText(notice, text);
  });
  return h(
    "footer",
    { class: "status", "data-region": "status" },
    phase,
    rows,
    notice,
    h("span", { class: "spacer" }),
    verdicts,
  );
}
