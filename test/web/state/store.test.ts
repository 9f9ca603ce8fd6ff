import { describe, expect, it } from "vitest";
import { commandsOf } from "../../../web/state/commands.ts";
import { advance } from "../../../web/state/playback.ts";
import { beginRun, createStore, growRun, type Store, screenOf, seekTime } from "../../../web/state/store.ts";
import { syntheticTrace } from "../syntheticTrace.ts";

const run = syntheticTrace(4);

function loaded(): Store {
  const store = createStore({});
  beginRun(store, { type: "head", head: run.head, decrypts: false });
  growRun(store, run.trace.chunk(0, 0));
  return store;
}

function commands(store: Store): (id: string) => void {
  const nothing = () => undefined;
  const list = commandsOf(store, {
    focusSearch: nothing,
    toggleHelp: () => false,
    closeHelp: () => false,
    fit: nothing,
    copySelection: nothing,
    focusRegion: nothing,
    focusInspector: nothing,
  });
  return (id) => list.find((command) => command.id === id)!.run();
}

describe("stepping", () => {
  it("goes through events of one instant one by one, forwards and backwards", () => {
    const store = loaded();
    const go = commands(store);
    const forward: number[] = [];
    for (let i = 0; i < 20; i++) {
      go("time.nextEvent");
      forward.push(store.cursor.value.event);
    }
    expect(forward).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    go("time.previousEvent");
    expect(store.cursor.value.event).toBe(19);
    expect(store.selectedEvent.value).toBe(18);
    for (let i = 0; i < 40; i++) go("time.previousEvent");
    expect(store.cursor.value).toEqual({ time: 0, event: 0 });
  });

  it("goes from one filtered event to the next", () => {
    const store = loaded();
    const go = commands(store);
    store.filter.value = "lost:yes";
    go("time.next");
    const first = store.selectedEvent.value;
    expect(run.trace.kindOf(first)).toBe("packet.lost");
    go("time.next");
    expect(store.selectedEvent.value).toBeGreaterThan(first);
    go("time.previous");
    expect(store.selectedEvent.value).toBe(first);
  });

  it("goes from marker to marker", () => {
    const store = loaded();
    const go = commands(store);
    seekTime(store, 2_000_000);
    go("time.nextMarker");
    expect(store.cursor.value.time).toBe(3_600_000_000);
  });
});

describe("playing", () => {
  it("moves ten times slower than simulated time by default, and through an hour of nothing in seconds", () => {
    const store = loaded();
    seekTime(store, 1_020_000);
    advance(store, 0.1);
    expect(store.cursor.value.time).toBe(1_030_000);
    let seconds = 0;
    while (store.cursor.value.time < run.trace.lastTime && seconds < 120) {
      advance(store, 0.1);
      seconds += 0.1;
    }
    expect(store.cursor.value).toEqual({ time: run.trace.lastTime, event: run.trace.events });
  });

  it("makes progress however slow it is", () => {
    const store = loaded();
    store.speed.value = 0.01;
    seekTime(store, 1_020_000);
    for (let i = 0; i < 10_000; i++) advance(store, 0.0001);
    expect(store.cursor.value.time).toBe(1_030_000);
  });

  it("stops at a question in presenter mode", () => {
    const store = loaded();
    store.presenter.value = true;
    store.playing.value = true;
    seekTime(store, 3_500_000_000);
    for (let i = 0; i < 100 && store.playing.value; i++) advance(store, 0.1);
    expect(store.cursor.value.time).toBe(3_600_000_000);
    expect(store.playing.value).toBe(false);
  });
});

describe("what is on the screen", () => {
  it("shows rows within the brushed range only", () => {
    const store = loaded();
    store.brush.value = [3_000_000, 3_200_000];
    const { rows } = store.rows.value!;
    expect(rows.count).toBeGreaterThan(0);
    for (let row = 0; row < rows.count; row++) {
      const time = run.trace.timeOf(rows.at(row));
      expect(time >= 3_000_000 && time <= 3_200_000).toBe(true);
    }
  });

  it("goes into a link, and the link holds the event where the instant alone would not do", () => {
    const store = loaded();
    const go = commands(store);
    for (let i = 0; i < 3; i++) go("time.nextEvent");
    expect(screenOf(store)).toMatchObject({ time: run.trace.timeOf(2), event: 3, selection: { event: 2 } });
    seekTime(store, 1_500_000);
    expect(screenOf(store).event).toBeUndefined();
  });

  it("lets Escape clear the selection first and the filter next", () => {
    const store = loaded();
    const go = commands(store);
    store.selection.value = { device: "gm1" };
    store.filter.value = "type:data";
    go("select.clear");
    expect([store.selection.value, store.filter.value]).toEqual([undefined, "type:data"]);
    go("select.clear");
    expect(store.filter.value).toBe("");
  });
});
