/**
 * Deadlines by key: one binary heap for all that a machine waits for, so that ten thousand of them cost no more than a
 * handful of comparisons each. Equal deadlines fall due in the order in which they were set.
 */
import type { Micros } from "./micros.ts";

/** Plain data. `K`: what names a deadline; one key has at most one. */
export interface Timers<K extends string | number> {
  readonly heap: Entry<K>[];
  /** Undefined as long as there never were more than `FEW_MAX`: a table costs as much as several of them. */
  byKey: Map<K, Entry<K>> | undefined;
  nextOrder: number;
}

interface Entry<K> {
  readonly key: K;
  at: Micros;
  /** Number of the call that set it: breaks ties. */
  order: number;
  /** Place in the heap. */
  index: number;
}

/** So few are looked through one by one. */
const FEW_MAX = 8;

export function createTimers<K extends string | number>(): Timers<K> {
  return { heap: [], byKey: undefined, nextOrder: 0 };
}

function entryOf<K extends string | number>({ heap, byKey }: Timers<K>, key: K): Entry<K> | undefined {
  if (byKey !== undefined) return byKey.get(key);
  for (const entry of heap) if (entry.key === key) return entry;
  return undefined;
}

function list<K extends string | number>(timers: Timers<K>, entry: Entry<K>): void {
  if (timers.byKey !== undefined) timers.byKey.set(entry.key, entry);
  else if (timers.heap.length > FEW_MAX) timers.byKey = new Map(timers.heap.map((one) => [one.key, one]));
}

/** Sets the deadline of `key`, or moves it where it has one. O(log n). */
export function setTimer<K extends string | number>(timers: Timers<K>, key: K, at: Micros): void {
  const order = timers.nextOrder++;
  const known = entryOf(timers, key);
  if (known === undefined) {
    const entry = { key, at, order, index: timers.heap.length };
    timers.heap.push(entry);
    list(timers, entry);
    rise(timers.heap, entry);
    return;
  }
  known.at = at;
  known.order = order;
  rise(timers.heap, known);
  sink(timers.heap, known);
}

/** False where `key` had no deadline. O(log n). */
export function cancelTimer<K extends string | number>(timers: Timers<K>, key: K): boolean {
  const entry = entryOf(timers, key);
  if (entry === undefined) return false;
  remove(timers, entry);
  return true;
}

/** The deadline of `key`. */
export function timerAt<K extends string | number>(timers: Timers<K>, key: K): Micros | undefined {
  return entryOf(timers, key)?.at;
}

/** The earliest deadline of all. O(1). */
export function nextTimer<K extends string | number>(timers: Timers<K>): Micros | undefined {
  return timers.heap[0]?.at;
}

/** Takes out the earliest deadline that is not after `now` and returns its key. O(log n). */
export function takeDue<K extends string | number>(timers: Timers<K>, now: Micros): K | undefined {
  const first = timers.heap[0];
  if (first === undefined || first.at > now) return undefined;
  remove(timers, first);
  return first.key;
}

function remove<K extends string | number>(timers: Timers<K>, entry: Entry<K>): void {
  const { heap } = timers;
  timers.byKey?.delete(entry.key);
  const last = heap.pop()!;
  if (last === entry) return;
  place(heap, last, entry.index);
  rise(heap, last);
  sink(heap, last);
}

function place<K>(heap: Entry<K>[], entry: Entry<K>, index: number): void {
  heap[index] = entry;
  entry.index = index;
}

function before<K>(a: Entry<K>, b: Entry<K>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function rise<K>(heap: Entry<K>[], entry: Entry<K>): void {
  let index = entry.index;
  while (index > 0) {
    const parent = heap[(index - 1) >> 1]!;
    if (!before(entry, parent)) break;
    const free = parent.index;
    place(heap, parent, index);
    index = free;
  }
  place(heap, entry, index);
}

function sink<K>(heap: Entry<K>[], entry: Entry<K>): void {
  let index = entry.index;
  for (;;) {
    let child = heap[2 * index + 1];
    if (child === undefined) break;
    const other = heap[2 * index + 2];
    if (other !== undefined && before(other, child)) child = other;
    if (!before(child, entry)) break;
    const free = child.index;
    place(heap, child, index);
    index = free;
  }
  place(heap, entry, index);
}
