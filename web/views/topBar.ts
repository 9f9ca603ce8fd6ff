/** The top bar: which run this is, and what concerns the whole screen. */
import { effect } from "@preact/signals-core";
import type { Control } from "../../sim/serve/protocol.ts";
import { button, h, setAttribute, setText, svg } from "../base/dom.ts";
import { type MarkName, markIcon } from "../base/marks.ts";
import type { Store } from "../state/store.ts";

const ICONS = {
  theme: "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12",
  presenter: "M2 3h12v8H2zM8 11v3M5 14h6",
  help: "M6 6a2 2 0 1 1 3 1.7c-.7.4-1 .8-1 1.6M8 11.8v.2M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z",
  link: "M6.5 9.5 9.5 6.5M7 4.5 8.5 3a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3 3 0 0 1 3 8.5L4.5 7",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  run: "M4 2.5 13 8l-9 5.5z",
} as const;

/** What the presenter's legend explains, in words that fit beside each other. */
const LEGEND: readonly (readonly [MarkName, string])[] = [
  ["registration", "Registration"],
  ["rekey", "Rekey"],
  ["ack", "Ack"],
  ["data", "ESP"],
  ["clear", "Clear"],
  ["lost", "Lost"],
];

export interface TopBarHost {
  start(control: Extract<Control, { readonly action: "start" }>): void;
  openFiles(files: readonly File[]): void;
  copyLink(): void;
  run(command: string): void;
}

export interface TopBar {
  readonly element: HTMLElement;
  focusSearch(): void;
}

export function topBar(store: Store, host: TopBarHost): TopBar {
  const scenario = h("select", { class: "field", "aria-label": "Scenario", onchange: () => start(true) });
  const seed = h("input", { class: "field seed mono", "aria-label": "Seed", spellcheck: "false", autocomplete: "off" });
  const run = h("input", { class: "field run mono", "aria-label": "Run", inputmode: "numeric", autocomplete: "off" });
  const name = h("span", { class: "scenario-name" });
  const runButton = button({
    label: "Run",
    text: "Run",
    icon: ICONS.run,
    class: "button primary",
    onclick: () => start(false),
  });
  const hash = button({
    label: "Copy the fingerprint of this run",
    text: "",
    icon: ICONS.copy,
    class: "button hash mono",
    onclick: () => {
      const fingerprint = store.end.peek()?.end.fingerprint;
      if (fingerprint === undefined) return;
      void navigator.clipboard?.writeText(fingerprint);
      store.notice.value = "Fingerprint copied.";
    },
  });
  const picker = h("input", {
    type: "file",
    multiple: true,
    class: "visually-hidden",
    tabindex: -1,
    "aria-label": "Trace file and key files",
    onchange: () => host.openFiles([...(picker.files ?? [])]),
  });
  const open = button({
    label: "Open a trace file",
    text: "Open trace",
    class: "button outlined",
    onclick: () => picker.click(),
  });
  const search = h("input", {
    class: "field search mono",
    type: "search",
    "aria-label": "Filter events",
    placeholder: "Filter: type:rekey gm:7 (/)",
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => {
      store.filter.value = search.value;
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === "Enter") document.querySelector<HTMLElement>("[data-testid=events]")?.focus();
    },
  });
  const problem = h("span", { class: "visually-hidden", id: "filter-problem", role: "status" });

  const start = (other: boolean) => {
    const number = Number(run.value);
    host.start({
      type: "control",
      action: "start",
      scenario: scenario.value,
      // Another scenario begins with its own seed.
      seed: other || seed.value.trim() === "" ? undefined : seed.value.trim(),
      run: other || !Number.isSafeInteger(number) || number < 0 ? undefined : number,
    });
  };
  for (const input of [seed, run]) {
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") start(false);
    });
  }

  const bar = h(
    "header",
    { class: "top", "data-region": "top" },
    h("h1", { class: "brand" }, logo(), h("span", {}, "getvpn-sim")),
    h(
      "div",
      { class: "group run-group" },
      scenario,
      name,
      h("label", { class: "group optional optional-narrow" }, h("span", { class: "label" }, "Seed"), seed),
      h("label", { class: "group optional optional-narrow" }, h("span", { class: "label" }, "Run"), run),
      h("span", { class: "optional" }, runButton),
    ),
    h("span", { class: "optional optional-narrow" }, hash),
    h("span", { class: "spacer" }),
    h(
      "ul",
      { class: "pinned-legend", "aria-label": "Legend" },
      ...LEGEND.map(([mark, text]) => h("li", {}, markIcon(mark), text)),
    ),
    h("span", { class: "optional optional-narrow" }, open, picker),
    h("span", { class: "optional search-box" }, search, problem),
    button({ label: "Copy link to this view", icon: ICONS.link, onclick: () => host.copyLink() }),
    button({ label: "Theme", key: "T", icon: ICONS.theme, onclick: () => host.run("view.theme") }),
    button({
      label: "Presenter mode",
      key: "Shift+P",
      icon: ICONS.presenter,
      onclick: () => host.run("view.presenter"),
    }),
    button({ label: "Keys and help", key: "?", icon: ICONS.help, onclick: () => host.run("view.help") }),
  );

  effect(() => {
    const scenarios = store.hello.value?.scenarios ?? [];
    const head = store.run.value?.head;
    const picked = head?.scenario;
    scenario.replaceChildren(
      ...scenarios.map((entry) => h("option", { value: entry.path, selected: entry.path === picked }, entry.title)),
    );
    // A single run that nobody here can start anew has a name and no picker.
    const startable = scenarios.length > 0 && (head === undefined || picked !== undefined);
    scenario.hidden = !startable;
    name.hidden = startable;
    runButton.hidden = !startable;
    seed.readOnly = !startable;
    run.readOnly = !startable;
    if (head === undefined) return;
    setText(name, head.head.scenario);
    seed.value = head.head.seed;
    run.value = String(head.head.run);
    document.title = `${head.head.scenario} · getvpn-sim`;
  });
  effect(() => {
    const fingerprint = store.end.value?.end.fingerprint;
    hash.hidden = fingerprint === undefined || fingerprint === "";
    setText(hash.querySelector("span")!, fingerprint?.slice(0, 12) ?? "");
    hash.dataset.fingerprint = fingerprint ?? "";
    setAttribute(hash, "aria-label", `${fingerprint?.slice(0, 12) ?? ""}: copy the fingerprint of this run`);
    hash.title = `Fingerprint ${fingerprint ?? ""}: the same for every run of this scenario, seed and run number`;
  });
  effect(() => {
    const text = store.filter.value;
    if (search.value !== text) search.value = text;
    const found = store.compiled.value?.problem;
    setAttribute(search, "aria-invalid", found === undefined ? undefined : "true");
    setAttribute(search, "aria-describedby", found === undefined ? undefined : "filter-problem");
    setText(problem, found?.message ?? "");
    search.title = found?.message ?? "";
  });

  return {
    element: bar,
    focusSearch() {
      search.focus();
      search.select();
    },
  };
}

function logo(): SVGSVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { d: "M8 .8 14.2 4.4v7.2L8 15.2 1.8 11.6V4.4z" }),
    svg("circle", { cx: 8, cy: 8, r: 3 }),
  );
}
