/** The caption bar of the presenter mode: the scenario's note for the instant at the cursor. */
import { effect } from "@preact/signals-core";
import { button, h, setText } from "../base/dom.ts";
import type { Store } from "../state/store.ts";

export function captionBar(store: Store, run: (command: string) => void): HTMLElement {
  const text = h("p", { class: "caption-text", "aria-live": "polite" });
  const step = h("span", { class: "label" });
  const element = h(
    "section",
    { class: "caption", "aria-label": "Caption" },
    button({ label: "Previous note", icon: "M10 3 5 8l5 5", onclick: () => run("time.previous") }),
    text,
    step,
    button({ label: "Next note", icon: "M6 3l5 5-5 5", onclick: () => run("time.next") }),
  );
  effect(() => {
    const notes = store.run.value?.trace.head.notes ?? [];
    const { time } = store.cursor.value;
    const current = notes.findLastIndex((note) => note.at <= time);
    const note = notes[current];
    element.hidden = !store.presenter.value;
    setText(text, note === undefined ? (store.run.value?.trace.head.description ?? "") : note.text);
    setText(step, notes.length === 0 ? "" : `${current + 1} of ${notes.length}`);
    element.classList.toggle("question", note?.question === true);
  });
  return element;
}
