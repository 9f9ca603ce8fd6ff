/** The one thing that moves: while playing, the cursor goes forward with the frames of the screen. */
import { effect } from "@preact/signals-core";
import { DEFAULT_SPEED } from "../model/pace.ts";
import type { TimeMap } from "../model/timeMap.ts";
import type { Store } from "./store.ts";

/** By event, the default speed shows this many events a second. */
const EVENTS_PER_SECOND = 6;
/** The longest that a shortened gap is looked at: nothing happens in it. */
const GAP_SECONDS_MAX = 1;
/** A frame that came late, after a pause of the page, counts at most this much. */
const FRAME_SECONDS_MAX = 0.1;

export function startPlayback(store: Store): void {
  let last = 0;
  let frame = 0;
  const step = (now: number) => {
    frame = 0;
    if (!store.playing.peek()) return;
    const seconds = last === 0 ? 0 : Math.min(FRAME_SECONDS_MAX, (now - last) / 1000);
    last = now;
    advance(store, seconds);
    if (store.playing.peek()) frame = requestAnimationFrame(step);
  };
  effect(() => {
    if (store.playing.value && frame === 0) {
      last = 0;
      frame = requestAnimationFrame(step);
    }
  });
  // Following a run that goes on: the cursor stays at its end.
  effect(() => {
    store.revision.value;
    const trace = store.run.value?.trace;
    if (trace !== undefined && store.follow.value) {
      store.cursor.value = { time: trace.endTime, event: trace.eventCount };
    }
  });
}

/** Place of the cursor that `advance` set last, finer than whole microseconds. */
let exact: { readonly cursor: unknown; readonly place: number } | undefined;

/** Places per second that leave the gap at `from` behind in time; 0 outside of gaps. */
function rateInGap(map: TimeMap, from: number): number {
  const gap = map.breaks(from, from).find((one) => one.from <= from && from < one.to);
  return gap === undefined ? 0 : (gap.to - gap.from) / GAP_SECONDS_MAX;
}

/** Moves the cursor by what `seconds` of the viewer's time are worth; stops at the end and at a question. */
export function advance(store: Store, seconds: number): void {
  const map = store.map.peek();
  const model = store.run.peek();
  if (map === undefined || model === undefined) return;
  const cursor = store.cursor.peek();
  const rate = map.mapping === "events" ? (EVENTS_PER_SECOND * store.speed.peek()) / DEFAULT_SPEED : store.speed.peek();
  // Rounding to whole microseconds must not swallow a slow step: the exact place is kept beside the cursor.
  const from = exact !== undefined && exact.cursor === cursor ? exact.place : map.placeOf(cursor);
  const place = Math.min(map.end, from + seconds * Math.max(rate, rateInGap(map, from)));
  let next = map.cursorAt(place);
  if (next.event < cursor.event) next = { time: next.time, event: cursor.event };
  if (store.presenter.peek()) {
    const question = model.head.head.notes.find(
      (note) => note.question === true && note.at > cursor.time && note.at <= next.time,
    );
    if (question !== undefined) {
      store.playing.value = false;
      next = { time: question.at, event: model.trace.eventsUntil(question.at) };
    }
  }
  exact = { cursor: next, place };
  store.cursor.value = next;
  if (place >= map.end && store.phase.peek() !== "live") store.playing.value = false;
}
