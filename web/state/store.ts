/**
 * The one state that all views read: the run, and where the viewer looks. Everything on the screen follows from it;
 * views keep no time, selection or filter of their own.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { TraceChunk } from "../../sim/core/traceTypes.ts";
import type { End, Head, Hello, Progress, RunError } from "../../sim/serve/protocol.ts";
import type { Micros } from "../../src/base/micros.ts";
import { compileFilter, type Filter } from "../model/filter.ts";
import { Flights } from "../model/flights.ts";
import { Markers } from "../model/markers.ts";
import { MemberStates } from "../model/memberState.ts";
import { DEFAULT_SPEED, defaultSpeed } from "../model/pace.ts";
import { Compression, type Cursor, gapThreshold, type Mapping, type TimeMap, timeMap } from "../model/timeMap.ts";
import { TraceView } from "../model/traceView.ts";
import { Rows } from "./rows.ts";
import type { ScreenState, Selection, Theme } from "./url.ts";

/** A trace and what is derived from it; grows by chunks. */
export interface RunModel {
  readonly head: Head;
  readonly trace: TraceView;
  readonly flights: Flights;
  readonly members: MemberStates;
  readonly compression: Compression;
  readonly markers: Markers;
}

export type SourceKind = "worker" | "socket" | "file";

/** - `loading` nothing has come yet, `live` chunks arrive, `done` complete, `failed` see `error` */
export type Phase = "loading" | "live" | "done" | "failed";

export interface Panels {
  readonly rail: boolean;
  readonly inspector: boolean;
  readonly dock: boolean;
}

export interface Store {
  readonly source: Signal<SourceKind>;
  readonly phase: Signal<Phase>;
  readonly hello: Signal<Hello | undefined>;
  readonly run: Signal<RunModel | undefined>;
  /** Counts chunks: what depends on how much of the run is there reads it. */
  readonly revision: Signal<number>;
  readonly progress: Signal<Progress | undefined>;
  readonly end: Signal<End | undefined>;
  readonly error: Signal<RunError | undefined>;

  readonly cursor: Signal<Cursor>;
  readonly playing: Signal<boolean>;
  readonly follow: Signal<boolean>;
  readonly speed: Signal<number>;
  /** The viewer has chosen a speed: it stays for the runs to come. */
  readonly speedChosen: Signal<boolean>;
  readonly mapping: Signal<Mapping>;
  readonly selection: Signal<Selection>;
  readonly filter: Signal<string>;
  readonly brush: Signal<readonly [Micros, Micros] | undefined>;
  /** Part of the time bar in view, as shares of the whole. */
  readonly window: Signal<readonly [number, number]>;
  readonly theme: Signal<Theme>;
  readonly presenter: Signal<boolean>;
  readonly decrypted: Signal<boolean>;
  readonly panels: Signal<Panels>;
  readonly notice: Signal<string>;

  readonly map: ReadonlySignal<TimeMap | undefined>;
  readonly compiled: ReadonlySignal<Filter | undefined>;
  /** Changes whenever rows do; the object may be the same one with more rows. */
  readonly rows: ReadonlySignal<{ readonly rows: Rows } | undefined>;
  /** Changes whenever the state of a member at the cursor does; views that show states need not follow each frame. */
  readonly memberChanges: ReadonlySignal<number>;
  /** Event that is selected, or -1. */
  readonly selectedEvent: ReadonlySignal<number>;
  /** Device that is selected, itself or as the place of the selected event, or -1. */
  readonly selectedDevice: ReadonlySignal<number>;
}

export function createStore(initial: ScreenState): Store {
  const run = signal<RunModel | undefined>(undefined);
  const revision = signal(0);
  const mapping = signal<Mapping>(initial.mapping ?? "compressed");
  const filter = signal(initial.filter ?? "");
  const brush = signal<readonly [Micros, Micros] | undefined>(initial.brush);
  const selection = signal<Selection>(initial.selection);

  const map = computed(() => {
    revision.value;
    const model = run.value;
    return model === undefined ? undefined : timeMap(mapping.value, model.trace, model.compression);
  });
  const compiled = computed(() => {
    const model = run.value;
    return model === undefined ? undefined : compileFilter(filter.value, model.trace);
  });
  const filtered = computed(() => {
    const model = run.value;
    const test = compiled.value?.test;
    if (model === undefined || test === undefined) return undefined;
    const span = brush.value;
    if (span === undefined) return new Rows(model.trace, test);
    const { trace } = model;
    return new Rows(trace, (event) => {
      const time = trace.timeOf(event);
      return time >= span[0] && time <= span[1] && test(event);
    });
  });
  const rows = computed(() => {
    revision.value;
    const current = filtered.value;
    if (current === undefined) return undefined;
    current.update();
    return { rows: current };
  });
  const cursor = signal<Cursor>({ time: 0, event: 0 });
  const memberChanges = computed(() => {
    revision.value;
    return run.value?.members.at(cursor.value.event).changes ?? -1;
  });
  const selectedEvent = computed(() => {
    revision.value;
    const chosen = selection.value;
    const count = run.value?.trace.eventCount ?? 0;
    return chosen !== undefined && "event" in chosen && chosen.event < count ? chosen.event : -1;
  });
  const selectedDevice = computed(() => {
    const model = run.value;
    const chosen = selection.value;
    if (model === undefined || chosen === undefined) return -1;
    if ("device" in chosen) return model.trace.head.devices.findIndex((device) => device.name === chosen.device);
    return selectedEvent.value < 0 ? -1 : model.trace.deviceOf(selectedEvent.value);
  });

  return {
    source: signal<SourceKind>("worker"),
    phase: signal<Phase>("loading"),
    hello: signal<Hello | undefined>(undefined),
    run,
    revision,
    progress: signal<Progress | undefined>(undefined),
    end: signal<End | undefined>(undefined),
    error: signal<RunError | undefined>(undefined),
    cursor,
    playing: signal(false),
    follow: signal(false),
    speed: signal(DEFAULT_SPEED),
    speedChosen: signal(false),
    mapping,
    selection,
    filter,
    brush,
    window: signal<readonly [number, number]>([0, 1]),
    theme: signal<Theme>(initial.theme ?? "system"),
    presenter: signal(initial.presenter ?? false),
    decrypted: signal(initial.decrypted ?? true),
    panels: signal<Panels>({ rail: true, inspector: true, dock: true }),
    notice: signal(""),
    map,
    compiled,
    rows,
    memberChanges,
    selectedEvent,
    selectedDevice,
  };
}

/** A new run begins: nothing of the one before it stays, but for where the viewer wanted to look. */
export function beginRun(store: Store, head: Head): void {
  const trace = new TraceView(head.head);
  batch(() => {
    store.run.value = {
      head,
      trace,
      flights: new Flights(trace),
      members: new MemberStates(trace),
      compression: new Compression(gapThreshold(head.head)),
      markers: new Markers(trace),
    };
    store.phase.value = "live";
    store.progress.value = undefined;
    store.end.value = undefined;
    store.error.value = undefined;
    store.playing.value = false;
    store.cursor.value = { time: 0, event: 0 };
    store.revision.value++;
  });
}

export function growRun(store: Store, chunk: TraceChunk): void {
  const model = store.run.value;
  if (model === undefined) return;
  model.trace.append(chunk);
  model.flights.update();
  model.members.update();
  model.compression.update(model.trace);
  model.markers.update();
  store.revision.value++;
}

/** Sets the pace of a run that nobody has set yet. */
export function setPace(store: Store): void {
  const model = store.run.value;
  if (model === undefined || store.speedChosen.value) return;
  store.speed.value = defaultSpeed(model.trace, timeMap("compressed", model.trace, model.compression));
}

export function seekTime(store: Store, time: Micros): void {
  const trace = store.run.value?.trace;
  if (trace === undefined) return;
  const instant = Math.min(trace.endTime, Math.max(0, Math.round(time)));
  store.cursor.value = { time: instant, event: trace.eventsUntil(instant) };
}

/** Puts the cursor right behind `event`, also in the middle of events of one instant, and selects it. */
export function seekEvent(store: Store, event: number): void {
  const trace = store.run.value?.trace;
  if (trace === undefined || event < 0 || event >= trace.eventCount) return;
  batch(() => {
    store.cursor.value = { time: trace.timeOf(event), event: event + 1 };
    store.selection.value = { event };
  });
}

/** The state of the screen as the URL keeps it. */
export function screenOf(store: Store): ScreenState {
  const model = store.run.value;
  const cursor = store.cursor.value;
  const plain = model?.trace.eventsUntil(cursor.time);
  const own = model?.head.scenario;
  return {
    scenario: own,
    seed: own === undefined ? undefined : model?.head.head.seed,
    run: own === undefined ? undefined : model?.head.head.run,
    time: cursor.time,
    event: plain === cursor.event || cursor.event === 0 ? undefined : cursor.event,
    selection: store.selection.value,
    filter: store.filter.value,
    brush: store.brush.value,
    mapping: store.mapping.value,
    theme: store.theme.value,
    presenter: store.presenter.value,
    decrypted: store.decrypted.value,
  };
}
