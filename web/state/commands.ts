/**
 * Everything a viewer can do, once: the keyboard, the buttons, the table of keys and the tests name commands by their
 * ids.
 */
import { batch } from "@preact/signals-core";
import type { Micros } from "../../src/base/micros.ts";
import { SPEEDS } from "../model/pace.ts";
import { MAPPINGS } from "../model/timeMap.ts";
import { type Panels, type Store, seekEvent, seekTime } from "./store.ts";
import { THEMES } from "./url.ts";

export interface Command {
  readonly id: string;
  readonly title: string;
  /** As `KeyboardEvent.key` names them, with `Shift+` or `Ctrl+` before; shown as they stand. */
  readonly keys: readonly string[];
  /** Heading in the table of keys. */
  readonly group: "Time" | "Views" | "Selection" | "Screen";
  readonly run: () => void;
}

/** What commands need from the page outside of the store. */
export interface CommandHost {
  focusSearch(): void;
  toggleHelp(): boolean;
  closeHelp(): boolean;
  fit(): void;
  copySelection(): void;
  focusRegion(step: 1 | -1): void;
  focusInspector(): void;
}

export function commandsOf(store: Store, host: CommandHost): readonly Command[] {
  const time = (id: string, title: string, keys: readonly string[], run: () => void): Command => ({
    id,
    title,
    keys,
    group: "Time",
    run,
  });
  const screen = (id: string, title: string, keys: readonly string[], run: () => void): Command => ({
    id,
    title,
    keys,
    group: "Screen",
    run,
  });
  return [
    time("time.play", "Play or pause", ["Space"], () => togglePlay(store)),
    time("time.nextEvent", "Next event", ["."], () => stepEvent(store, 1)),
    time("time.previousEvent", "Previous event", [","], () => stepEvent(store, -1)),
    time("time.next", "Next filtered event; next note in presenter mode", ["ArrowRight", "PageDown"], () =>
      store.presenter.value ? stepNote(store, 1) : stepRow(store, 1),
    ),
    time("time.previous", "Previous filtered event; previous note in presenter mode", ["ArrowLeft", "PageUp"], () =>
      store.presenter.value ? stepNote(store, -1) : stepRow(store, -1),
    ),
    time("time.nextMarker", "Next marker", ["Shift+ArrowRight"], () => stepMarker(store, 1)),
    time("time.previousMarker", "Previous marker", ["Shift+ArrowLeft"], () => stepMarker(store, -1)),
    time("time.nextProblem", "Next problem", ["n"], () => stepProblem(store, 1)),
    time("time.previousProblem", "Previous problem", ["p"], () => stepProblem(store, -1)),
    time("time.start", "Start", ["Home"], () => jump(store, 0)),
    time("time.end", "End", ["End"], () => jump(store, store.run.value?.trace.endTime ?? 0)),
    time("time.faster", "Faster", ["+"], () => changeSpeed(store, 1)),
    time("time.slower", "Slower", ["-"], () => changeSpeed(store, -1)),
    time("time.mapping", "Time mapping: compressed, linear, by event", ["v"], () => {
      store.mapping.value = after(MAPPINGS, store.mapping.value);
    }),
    time("time.zoomIn", "Zoom in on time", ["w"], () => zoomTime(store, 0.5)),
    time("time.zoomOut", "Zoom out of time", ["s"], () => zoomTime(store, 2)),
    time("time.panLeft", "Earlier part of the time bar", ["a"], () => panTime(store, -0.25)),
    time("time.panRight", "Later part of the time bar", ["d"], () => panTime(store, 0.25)),
    {
      id: "view.search",
      title: "Search and filter",
      keys: ["/"],
      group: "Selection",
      run: () => host.focusSearch(),
    },
    {
      id: "select.clear",
      title: "Clear selection, then filter, then leave the mode",
      keys: ["Escape"],
      group: "Selection",
      run: () => leave(store, host),
    },
    {
      id: "select.copy",
      title: "Copy the selection as text",
      keys: ["Ctrl+c"],
      group: "Selection",
      run: () => host.copySelection(),
    },
    { id: "view.fit", title: "Fit the picture", keys: ["f"], group: "Views", run: () => host.fit() },
    {
      id: "view.inspector",
      title: "Inspector",
      keys: ["i"],
      group: "Views",
      run: () => {
        store.panels.value = { ...store.panels.value, inspector: true };
        host.focusInspector();
      },
    },
    screen("view.rail", "Show or hide the left rail", ["["], () => togglePanel(store, "rail")),
    screen("view.side", "Show or hide the inspector", ["]"], () => togglePanel(store, "inspector")),
    screen("view.dock", "Show or hide the event list", ["\\"], () => togglePanel(store, "dock")),
    screen("view.theme", "Theme: system, light, dark", ["t"], () => {
      store.theme.value = after(THEMES, store.theme.value);
    }),
    screen("view.presenter", "Presenter mode", ["Shift+P"], () => {
      store.presenter.value = !store.presenter.value;
    }),
    screen("view.nextRegion", "Next region", ["F6"], () => host.focusRegion(1)),
    screen("view.previousRegion", "Previous region", ["Shift+F6"], () => host.focusRegion(-1)),
    screen("view.help", "This table", ["?"], () => {
      host.toggleHelp();
    }),
  ];
}

export function togglePlay(store: Store): void {
  const map = store.map.value;
  if (map === undefined) return;
  batch(() => {
    const atEnd = map.placeOf(store.cursor.value) >= map.end;
    if (!store.playing.value && atEnd && store.phase.value !== "live") store.cursor.value = { time: 0, event: 0 };
    store.follow.value = false;
    store.playing.value = !store.playing.value;
  });
}

/** Puts the cursor at `time`; whatever moved it until now stops. */
export function jump(store: Store, time: Micros): void {
  batch(() => {
    store.playing.value = false;
    store.follow.value = false;
    seekTime(store, time);
  });
}

export function jumpToEvent(store: Store, event: number): void {
  batch(() => {
    store.playing.value = false;
    store.follow.value = false;
    seekEvent(store, event);
  });
}

function stepEvent(store: Store, step: 1 | -1): void {
  const { event } = store.cursor.value;
  if (step < 0 && event <= 1) jump(store, 0);
  else jumpToEvent(store, step > 0 ? event : event - 2);
}

function stepRow(store: Store, step: 1 | -1): void {
  const rows = store.rows.value?.rows;
  if (rows === undefined || rows.count === 0) return;
  const { event } = store.cursor.value;
  // Right behind event n the cursor counts n + 1 events.
  const row = step > 0 ? rows.rowOf(event) : rows.rowOf(event - 1) - 1;
  if (row >= 0 && row < rows.count) jumpToEvent(store, rows.at(row));
}

function stepMarker(store: Store, step: 1 | -1): void {
  jumpTo(store, store.run.value?.markers.list ?? [], step);
}

function stepProblem(store: Store, step: 1 | -1): void {
  const problems = store.run.value?.markers.problems ?? [];
  if (problems.length === 0) store.notice.value = "No problems in this run so far.";
  jumpTo(store, problems, step);
}

function stepNote(store: Store, step: 1 | -1): void {
  const notes = store.run.value?.markers.list.filter((marker) => marker.kind === "note") ?? [];
  if (notes.length === 0) stepRow(store, step);
  else jumpTo(store, notes, step);
}

function jumpTo(store: Store, list: readonly { readonly time: Micros; readonly event: number }[], step: 1 | -1): void {
  const { time, event } = store.cursor.value;
  const at = (marker: { readonly time: Micros; readonly event: number }) =>
    marker.event < 0 ? marker.time - time : marker.event + 1 - event || marker.time - time;
  const found = step > 0 ? list.find((marker) => at(marker) > 0) : list.findLast((marker) => at(marker) < 0);
  if (found === undefined) return;
  if (found.event < 0) jump(store, found.time);
  else jumpToEvent(store, found.event);
}

function changeSpeed(store: Store, step: 1 | -1): void {
  const index = SPEEDS.indexOf(store.speed.value as (typeof SPEEDS)[number]);
  store.speedChosen.value = true;
  store.speed.value = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index + step))]!;
}

const WINDOW_MIN = 1e-5;

/** Shrinks or widens the part of the time bar in view around the cursor. */
export function zoomTime(store: Store, factor: number, around = cursorShare(store)): void {
  const [from, to] = store.window.value;
  const width = Math.min(1, Math.max(WINDOW_MIN, (to - from) * factor));
  const anchor = Math.min(to, Math.max(from, around));
  const share = (anchor - from) / (to - from);
  const start = Math.min(1 - width, Math.max(0, anchor - share * width));
  store.window.value = [start, start + width];
}

/** Moves the part in view by a share of its own width. */
export function panTime(store: Store, share: number): void {
  const [from, to] = store.window.value;
  const width = to - from;
  const start = Math.min(1 - width, Math.max(0, from + share * width));
  store.window.value = [start, start + width];
}

function cursorShare(store: Store): number {
  const map = store.map.value;
  return map === undefined || map.end === 0 ? 0 : map.placeOf(store.cursor.value) / map.end;
}

function togglePanel(store: Store, panel: keyof Panels): void {
  store.panels.value = { ...store.panels.value, [panel]: !store.panels.value[panel] };
}

function leave(store: Store, host: CommandHost): void {
  if (host.closeHelp()) return;
  if (store.selection.value !== undefined) store.selection.value = undefined;
  else if (store.filter.value !== "" || store.brush.value !== undefined) {
    batch(() => {
      store.filter.value = "";
      store.brush.value = undefined;
    });
  } else store.presenter.value = false;
}

function after<T>(list: readonly T[], value: T): T {
  return list[(list.indexOf(value) + 1) % list.length]!;
}
