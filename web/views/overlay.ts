/** What stands over the canvas while there is no picture, or where something went wrong. */
import { effect } from "@preact/signals-core";
import { formatProblem } from "../../src/base/errors.ts";
import { button, h } from "../base/dom.ts";
import { formatTime } from "../base/format.ts";
import type { Store } from "../state/store.ts";

const HEADINGS = {
  config: "This scenario cannot run",
  file: "This file cannot be read as a trace",
  version: "This trace speaks another version",
  internal: "The simulator stopped",
} as const;

const ADVICE = {
  config: "Mend the places below and run it again. Lines and columns count from 1.",
  file: "Drop the trace.ndjson that a run wrote, if you like together with the files of its keys folder.",
  version: "Build the visualizer and the simulator from the same version.",
  internal:
    "What was computed until then stays on the screen. Run the scenario again, or report it with seed and event number.",
} as const;

export function overlay(store: Store, restart: () => void): HTMLElement {
  const element = h("div", { class: "overlay-panel", hidden: true });
  effect(() => {
    const error = store.error.value;
    const mismatch = store.end.value?.mismatch;
    const loading = store.run.value === undefined && error === undefined;
    element.hidden = !loading && error === undefined && mismatch === undefined;
    element.className = loading ? "overlay-panel skeleton" : "overlay-panel";
    if (loading) {
      element.replaceChildren(
        h("p", { role: "status" }, "Loading the run"),
        h("p", { class: "label" }, "Or drop a trace.ndjson anywhere on the page."),
      );
    } else if (error !== undefined) {
      element.replaceChildren(
        h(
          "div",
          { class: "banner", role: "alert" },
          h("h2", {}, HEADINGS[error.code]),
          h("p", {}, error.message),
          h("p", { class: "label" }, ADVICE[error.code]),
        ),
        h(
          "ul",
          { class: "problem-places mono" },
          ...error.problems.map((problem) => h("li", {}, formatProblem(problem))),
        ),
        ...(error.code === "file"
          ? []
          : [button({ label: "Run again", text: "Run again", class: "button primary", onclick: restart })]),
        button({
          label: "Close",
          text: "Close",
          class: "button outlined",
          onclick: () => {
            store.error.value = undefined;
          },
        }),
      );
    } else if (mismatch !== undefined) {
      element.replaceChildren(
        h(
          "div",
          { class: "banner", role: "alert" },
          h("h2", {}, "The fingerprint does not match"),
          h("p", {}, "The events in this file are not those that the run had when it ended: the file was changed."),
          h(
            "p",
            { class: "mono" },
            `stated ${store.end.value?.end.fingerprint.slice(0, 16)}, found ${mismatch.slice(0, 16)}`,
          ),
        ),
      );
    }
  });
  return element;
}

/** A thin bar of progress under the top bar while a run is computed. */
export function progressBar(store: Store): HTMLElement {
  const bar = h("progress", { class: "progress", max: 1, "aria-label": "Computed part of the run" });
  effect(() => {
    const progress = store.progress.value;
    bar.hidden = store.phase.value !== "live" || progress === undefined || progress.untilMicros === 0;
    if (progress === undefined || progress.untilMicros === 0) return;
    bar.value = Math.min(1, progress.virtualMicros / progress.untilMicros);
    bar.title = `${formatTime(progress.virtualMicros)} of ${formatTime(progress.untilMicros)} computed`;
  });
  return bar;
}
