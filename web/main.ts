/** Puts the page together: state from the URL, views around the store, a source for the run. */
import { computed, effect, signal } from "@preact/signals-core";
import { h } from "./base/dom.ts";
import { readPalette } from "./base/marks.ts";
import { eventSummary, eventTitle } from "./model/eventText.ts";
import { connect } from "./source/connection.ts";
import { type CommandHost, commandsOf } from "./state/commands.ts";
import { bindKeyboard } from "./state/keyboard.ts";
import { startPlayback } from "./state/playback.ts";
import { createStore, screenOf, seekTime } from "./state/store.ts";
import { formatFragment, parseFragment } from "./state/url.ts";
import { captionBar } from "./views/caption.ts";
import { eventList } from "./views/eventList.ts";
import { helpDialog } from "./views/help.ts";
import { inspector } from "./views/inspector.ts";
import { leftRail } from "./views/leftRail.ts";
import { overlay, progressBar } from "./views/overlay.ts";
import { statusLine } from "./views/statusLine.ts";
import { timeBar } from "./views/timeBar.ts";
import { topBar } from "./views/topBar.ts";
import { topologyView } from "./views/topology.ts";

const initial = parseFragment(location.hash);
const store = createStore(initial);

// ------------------------------------------------------------------------------------------------------------- theme
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(dark.matches);
dark.addEventListener("change", () => {
  systemDark.value = dark.matches;
});
const theme = computed(() => {
  if (store.theme.value !== "system") return store.theme.value;
  // Projectors wash a dark theme out.
  return systemDark.value && !store.presenter.value ? "dark" : "light";
});
const palette = signal(readPalette());
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  document.documentElement.toggleAttribute("data-presenter", store.presenter.value);
  palette.value = readPalette();
});

// ------------------------------------------------------------------------------------------------------------ source
const meta = document.querySelector<HTMLMetaElement>("meta[name=getvpn-source]")?.content;
const asked = new URLSearchParams(location.search).get("source");
let wanted = initial;
const connection = connect(store, {
  kind: asked !== "worker" && meta === "socket" ? "socket" : "worker",
  first: initial,
  onRun: () => {
    // The place that a link asks for may not have been computed yet: it is tried again when the run is complete.
    if (wanted.time === undefined) return;
    const model = store.run.peek();
    seekTime(store, wanted.time);
    if (wanted.event !== undefined && model !== undefined && wanted.event <= model.trace.eventCount) {
      store.cursor.value = { time: wanted.time, event: wanted.event };
    }
    if (store.phase.peek() === "done") wanted = {};
  },
});

// ---------------------------------------------------------------------------------------------------------- commands
const copy = (text: string, message: string) => {
  void navigator.clipboard?.writeText(text);
  store.notice.value = message;
};
const host: CommandHost = {
  focusSearch: () => top.focusSearch(),
  toggleHelp: () => help.toggle(),
  closeHelp: () => help.close(),
  fit: () => topology.fit(),
  copySelection() {
    const model = store.run.peek();
    const event = store.selectedEvent.peek();
    if (model === undefined || event < 0) return;
    const { trace } = model;
    const device = trace.deviceName(trace.deviceOf(event));
    copy(`#${event} ${device} ${eventTitle(trace, event)} ${eventSummary(trace, event)}`, "Event copied.");
  },
  focusRegion(step) {
    const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(
      (region) => region.offsetParent !== null && focusable(region) !== undefined,
    );
    const at = regions.findIndex((region) => region.contains(document.activeElement));
    const next = regions[(at + step + regions.length) % regions.length];
    if (next !== undefined) focusable(next)?.focus();
  },
  focusInspector: () => document.querySelector<HTMLElement>("[data-region=inspector] [tabindex]")?.focus(),
};
const commands = commandsOf(store, host);
const run = (id: string) => commands.find((command) => command.id === id)?.run();

function focusable(region: HTMLElement): HTMLElement | undefined {
  const found = region.querySelectorAll<HTMLElement>("[tabindex='0'], button, select, input");
  return [...found].find((element) => element.offsetParent !== null);
}

// ------------------------------------------------------------------------------------------------------------- views
const top = topBar(store, {
  start: connection.start,
  openFiles: connection.openFiles,
  copyLink: () => copy(location.href, "Link copied. It restores this view together with the same run or trace file."),
  run,
});
const topology = topologyView(store, palette);
const help = helpDialog(commands);
topology.element.append(overlay(store, connection.restart));
const screen = h(
  "main",
  { class: "screen" },
  top.element,
  leftRail(store),
  topology.element,
  captionBar(store, run),
  eventList(store),
  inspector(store, connection.dissect),
  timeBar(store, palette, run),
  statusLine(store),
);
document.body.append(screen, progressBar(store), help.element);
bindKeyboard(document, commands);
startPlayback(store);

effect(() => {
  const { rail, inspector: side, dock } = store.panels.value;
  screen.dataset.rail = rail ? "open" : "closed";
  screen.dataset.inspector = side ? "open" : "closed";
  screen.dataset.dock = dock ? "open" : "closed";
});

// --------------------------------------------------------------------------------------------------------------- URL
let saved: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const fragment = formatFragment(screenOf(store));
  store.revision.value;
  // While the cursor moves the address would change sixty times a second, which browsers refuse.
  if (store.run.value === undefined || store.playing.value || wanted.time !== undefined) return;
  clearTimeout(saved);
  saved = setTimeout(() => history.replaceState(null, "", fragment), 200);
});

// ------------------------------------------------------------------------------------------------------ dropped files
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  connection.openFiles([...(event.dataTransfer?.files ?? [])]);
});
