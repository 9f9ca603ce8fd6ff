/** What stands over the canvas while there is no picture, or where something went wrong. */
import { effect, signal } from "@preact/signals-core";
import { formatProblem } from "../../src/base/errors.ts";
import { button, h } from "../base/dom.ts";
import { formatTime, plural } from "../base/format.ts";
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

const PLACES_MAX = 100;

export function overlay(store: Store, restart: () => void): HTMLElement {
  const element = h("div", { class: "overlay-panel", hidden: true });
  const dismissed = signal<unknown>(undefined);
  effect(() => {
    const error = store.error.value;
    const end = store.end.value;
    const isLoading = store.run.value === undefined && error === undefined;
    element.className = isLoading ? "overlay-panel skeleton" : "overlay-panel";
    element.hidden = false;
    if (isLoading) {
      element.replaceChildren(
        h("p", { role: "status" }, "Loading the run"),
        h("p", { class: "label" }, "Or drop a trace.ndjson anywhere on the page."),
      );
    } else if (error !== undefined && dismissed.value !== error) {
      element.replaceChildren(
        banner(HEADINGS[error.code], error.message, ADVICE[error.code]),
        places(error.problems.map(formatProblem)),
        ...(error.code === "file" ? [] : [action("Run again", "primary", restart)]),
        ...(store.run.value === undefined ? [] : [action("Save the trace", "outlined", () => saveTrace(store))]),
        close(error),
      );
    } else if (end?.mismatch !== undefined && dismissed.value !== end) {
      const found = `Stated ${end.end.fingerprint.slice(0, 16)}, found ${end.mismatch.slice(0, 16)}.`;
      element.replaceChildren(
        banner(
          "The fingerprint does not match",
          "The events in this file are not those that the run had when it ended: the file was changed.",
          found,
        ),
        close(end),
      );
    } else if (end?.warnings !== undefined && end.warnings.length > 0 && dismissed.value !== end) {
      const count = plural(end.warnings.length, "line was not understood", "lines were not understood");
      element.replaceChildren(
        banner("Parts of this file are unknown here", `${count}. What is known is shown.`, ADVICE.version),
        places(end.warnings),
        close(end),
      );
    } else element.hidden = true;
  });

  const close = (what: unknown) =>
    action("Close", "outlined", () => {
      dismissed.value = what;
    });
  return element;
}

function banner(heading: string, text: string, advice: string): HTMLElement {
  return h(
    "div",
    { class: "banner", role: "alert" },
    h("h2", {}, heading),
    h("p", {}, text),
    h("p", { class: "label" }, advice),
  );
}

function places(lines: readonly string[]): HTMLElement {
  return h("ul", { class: "problem-places mono" }, ...lines.slice(0, PLACES_MAX).map((line) => h("li", {}, line)));
}

function action(text: string, look: "primary" | "outlined", onclick: () => void): HTMLElement {
  return button({ label: text, text, class: `button ${look}`, onclick });
}

/** What has arrived as a file that this page and the command line read. */
function saveTrace(store: Store): void {
  const trace = store.run.peek()?.trace;
  if (trace === undefined) return;
  const address = URL.createObjectURL(new Blob([...trace.ndjson()], { type: "application/x-ndjson" }));
  const link = h("a", { href: address, download: "trace.ndjson" });
  link.click();
  URL.revokeObjectURL(address);
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
