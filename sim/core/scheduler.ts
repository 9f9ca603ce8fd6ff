/**
 * The event queue: what happens next, in the order (time, insertion).
 *
 * It is a monotone radix queue. A simulation never schedules into its past, so every pending time differs from a base
 * instant at some most significant digit of ten bits; that digit's position is the event's level and its value the
 * bucket within the level. The lowest non-empty level holds the earliest events, and its lowest non-empty bucket the
 * earliest of them. When that bucket holds more than a handful, the base moves to its start and its events spread over
 * the levels below.
 *
 *     level 0   1 us a bucket        level 3   18 minutes a bucket
 *     level 1   1.024 ms             level 4   12.7 days
 *     level 2   1.05 s               level 5   35.7 years
 *
 * Events of the same time are always in the same bucket and lists are kept in the order of insertion, so ties need no
 * sequence number. An event moves at most once per level; insertion and cancellation take constant time. Nothing is
 * allocated per event: slots of one typed array are used again, and a generation tells a stale handle from a live one.
 */
import { assert } from "../../src/base/errors.ts";
import type { Micros } from "../../src/base/micros.ts";

/** Names a pending event; a whole number from 1 to 2^53 - 1. It stays invalid for good once the event is over. */
export type EventHandle = number;

/** No event; `cancel` answers false for it. */
export const NO_EVENT: EventHandle = 0;

/** What travels with an event; small whole numbers and objects cost no allocation. */
export type Payload = number | object;

export type Handler<P extends Payload> = (payload: P, now: Micros) => void;

declare const carries: unique symbol;

/** Number of a registered handler that takes payloads of type P. */
export type Target<P extends Payload> = number & { readonly [carries]?: (payload: P) => void };

const DIGIT_BITS = 10;
const DIGIT_MASK = (1 << DIGIT_BITS) - 1;
const LEVELS = 6;
/** A time is kept as two integers of three digits each, so that all digit arithmetic is on 32-bit numbers. */
const LOW_BITS = 3 * DIGIT_BITS;
const LOW_SPAN = 2 ** LOW_BITS;
const LOW_MASK = LOW_SPAN - 1;
const LOW_SCALE = 1 / LOW_SPAN;

/** Up to so many events in the earliest bucket are searched in place instead of being spread over the level below. */
const SEARCH_MAX = 6;

/* One slot is half a cache line: eight 32-bit fields. */
const SLOT_SHIFT = 3;
const NEXT = 0;
const PREV = 1;
const LOW = 2;
const HIGH = 3;
const BUCKET = 4;
const TARGET = 5;
const GENERATION = 6;

const NIL = -1;
const SLOTS_MAX = 2 ** 25;
const GENERATION_MASK = 2 ** 27 - 1;

export class Scheduler {
  private readonly handlers: Handler<never>[] = [];
  private readonly names: string[] = [];
  private readonly heads = new Int32Array(LEVELS << DIGIT_BITS).fill(NIL);
  private readonly tails = new Int32Array(LEVELS << DIGIT_BITS).fill(NIL);
  /** Which buckets hold something: one bit a bucket, one bit a word of those, one bit a level. */
  private readonly bucketBits = new Int32Array(LEVELS << 5);
  private readonly wordBits = new Int32Array(LEVELS);
  private levelBits = 0;
  private baseLow = 0;
  private baseHigh = 0;
  private slots: Int32Array;
  private payloads: Payload[];
  private capacity: number;
  private free = NIL;
  private used = 0;
  private count = 0;
  private clock: Micros = 0;
  private total = 0;
  private stopping = false;

  /** `capacity`: slots to begin with; the table doubles when it is full. */
  constructor(capacity = 1024) {
    this.capacity = Math.max(16, capacity);
    this.slots = new Int32Array(this.capacity << SLOT_SHIFT);
    this.payloads = new Array<Payload>(this.capacity).fill(0);
  }

  /** The current instant: that of the event being handled, or the end of the last `runUntil`. */
  get now(): Micros {
    return this.clock;
  }

  /** Events that are scheduled and neither over nor cancelled. */
  get pending(): number {
    return this.count;
  }

  /** Events handled since the start of the run. */
  get handled(): number {
    return this.total;
  }

  /** Adds a handler to the dispatch table; done once per kind of event, before the run. */
  register<P extends Payload>(name: string, handler: Handler<P>): Target<P> {
    this.handlers.push(handler as Handler<never>);
    this.names.push(name);
    return this.handlers.length - 1;
  }

  /**
   * Puts an event behind all others of the same time.
   * `time`: whole microseconds, not before `now`; anything else is a failed assertion.
   */
  schedule<P extends Payload>(time: Micros, target: Target<P>, payload: P): EventHandle {
    const high = Math.floor(time * LOW_SCALE);
    const low = time - high * LOW_SPAN;
    if (!(time >= this.clock && time <= Number.MAX_SAFE_INTEGER) || (low | 0) !== low) this.refuse(time, target);
    let slot = this.free;
    if (slot === NIL) {
      if (this.used === this.capacity) this.grow();
      slot = this.used++;
      this.slots[(slot << SLOT_SHIFT) + GENERATION] = 1;
    } else {
      this.free = this.slots[(slot << SLOT_SHIFT) + NEXT]!;
    }
    const at = slot << SLOT_SHIFT;
    const slots = this.slots;
    slots[at + LOW] = low;
    slots[at + HIGH] = high;
    slots[at + TARGET] = target;
    this.payloads[slot] = payload;
    this.count++;
    this.link(slot, low | 0, high | 0);
    return slots[at + GENERATION]! * SLOTS_MAX + slot;
  }

  /** Takes an event back. False where it is over or cancelled already. */
  cancel(handle: EventHandle): boolean {
    const generation = Math.floor(handle / SLOTS_MAX);
    const slot = handle - generation * SLOTS_MAX;
    if (!this.isLive(slot, generation)) return false;
    this.unlink(slot);
    this.release(slot);
    return true;
  }

  /** Instant of a pending event, undefined where it is over or cancelled. */
  timeOf(handle: EventHandle): Micros | undefined {
    const generation = Math.floor(handle / SLOTS_MAX);
    const slot = handle - generation * SLOTS_MAX;
    return this.isLive(slot, generation) ? this.slotTime(slot) : undefined;
  }

  /** Instant of the earliest pending event; takes time in proportion to the size of its bucket. */
  nextTime(): Micros | undefined {
    if (this.levelBits === 0) return undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (let slot = this.heads[this.firstBucket()]!; slot !== NIL; slot = this.slots[(slot << SLOT_SHIFT) + NEXT]!) {
      const time = this.slotTime(slot);
      if (time < earliest) earliest = time;
    }
    return earliest;
  }

  /** Handles the next event; false where there is none. */
  step(): boolean {
    const slot = this.take(Number.POSITIVE_INFINITY);
    if (slot === NIL) return false;
    this.fire(slot);
    return true;
  }

  /**
   * Handles all events up to and including `until`, those that they schedule meanwhile included; then `now` is `until`.
   * Returns how many. A handler that calls `stop` ends the run behind itself, and `now` stays at its instant.
   */
  runUntil(until: Micros): number {
    const before = this.total;
    this.stopping = false;
    for (;;) {
      const slot = this.take(until);
      if (slot === NIL) break;
      this.fire(slot);
      if (this.stopping) return this.total - before;
    }
    if (until > this.clock && until <= Number.MAX_SAFE_INTEGER) this.clock = until;
    return this.total - before;
  }

  /** Ends `runUntil` behind the event that is being handled. */
  stop(): void {
    this.stopping = true;
  }

  private fire(slot: number): void {
    const payload = this.payloads[slot]!;
    const handler = this.handlers[this.slots[(slot << SLOT_SHIFT) + TARGET]!]!;
    const time = this.slotTime(slot);
    this.clock = time;
    this.total++;
    this.release(slot);
    handler(payload as never, time);
  }

  /** Unlinks the earliest event if it is due by `limit`, else returns NIL. */
  private take(limit: Micros): number {
    while (this.levelBits !== 0) {
      const bucket = this.firstBucket();
      const head = this.heads[bucket]!;
      const headTime = this.slotTime(head);
      const second = this.slots[(head << SLOT_SHIFT) + NEXT]!;
      if (second === NIL || bucket <= DIGIT_MASK) {
        // Alone, or of level 0, where a bucket holds one instant and its head is the oldest of the earliest.
        if (headTime > limit) return NIL;
        this.heads[bucket] = second;
        if (second === NIL) {
          this.tails[bucket] = NIL;
          this.clearBit(bucket);
        } else this.slots[(second << SLOT_SHIFT) + PREV] = NIL;
        return head;
      }
      const best = this.earliestOfFew(head, headTime, second);
      if (best !== NIL) {
        if (this.slotTime(best) > limit) return NIL;
        this.unlink(best);
        return best;
      }
      if (!this.spread(bucket, limit)) return NIL;
    }
    return NIL;
  }

  /** The oldest of the earliest events of a list of at most SEARCH_MAX, NIL where it is longer. */
  private earliestOfFew(head: number, headTime: Micros, second: number): number {
    let best = head;
    let bestTime = headTime;
    let slot = second;
    for (let size = 1; slot !== NIL; size++) {
      if (size === SEARCH_MAX) return NIL;
      const time = this.slotTime(slot);
      if (time < bestTime) {
        best = slot;
        bestTime = time;
      }
      slot = this.slots[(slot << SLOT_SHIFT) + NEXT]!;
    }
    return best;
  }

  /**
   * Moves the base to the start of the earliest bucket and its events to the levels below, in order. Not done where the
   * bucket starts after `limit`: then something may still be scheduled between the limit and that start.
   */
  private spread(bucket: number, limit: Micros): boolean {
    const { slots, heads, tails } = this;
    const level = bucket >>> DIGIT_BITS;
    const digit = bucket & DIGIT_MASK;
    let low = 0;
    let high = 0;
    if (level < 3) {
      const shift = level * DIGIT_BITS;
      low = ((this.baseLow >>> (shift + DIGIT_BITS)) << (shift + DIGIT_BITS)) | (digit << shift);
      high = this.baseHigh;
    } else {
      const shift = (level - 3) * DIGIT_BITS;
      high = ((this.baseHigh >>> (shift + DIGIT_BITS)) << (shift + DIGIT_BITS)) | (digit << shift);
    }
    if (high * LOW_SPAN + low > limit) return false;
    this.baseLow = low;
    this.baseHigh = high;
    let slot = heads[bucket]!;
    heads[bucket] = NIL;
    tails[bucket] = NIL;
    this.clearBit(bucket);
    while (slot !== NIL) {
      const at = slot << SLOT_SHIFT;
      const next = slots[at + NEXT]!;
      this.link(slot, slots[at + LOW]!, slots[at + HIGH]!);
      slot = next;
    }
    return true;
  }

  private firstBucket(): number {
    const levels = this.levelBits;
    const level = 31 - Math.clz32(levels & -levels);
    const words = this.wordBits[level]!;
    const word = (level << 5) + 31 - Math.clz32(words & -words);
    const bits = this.bucketBits[word]!;
    return (word << 5) + 31 - Math.clz32(bits & -bits);
  }

  private slotTime(slot: number): Micros {
    const at = slot << SLOT_SHIFT;
    return this.slots[at + HIGH]! * LOW_SPAN + this.slots[at + LOW]!;
  }

  private link(slot: number, low: number, high: number): void {
    const slots = this.slots;
    let level = 0;
    let digits = low;
    let difference = high ^ this.baseHigh;
    if (difference !== 0) {
      level = 3;
      digits = high;
    } else {
      difference = (low ^ this.baseLow) & LOW_MASK;
    }
    let bucket = digits & DIGIT_MASK;
    if (difference > DIGIT_MASK) {
      const position = difference >>> (2 * DIGIT_BITS) !== 0 ? 2 : 1;
      level += position;
      bucket = (digits >>> (position * DIGIT_BITS)) & DIGIT_MASK;
    }
    bucket |= level << DIGIT_BITS;
    const at = slot << SLOT_SHIFT;
    const tail = this.tails[bucket]!;
    slots[at + NEXT] = NIL;
    slots[at + PREV] = tail;
    slots[at + BUCKET] = bucket;
    this.tails[bucket] = slot;
    if (tail !== NIL) {
      slots[(tail << SLOT_SHIFT) + NEXT] = slot;
      return;
    }
    this.heads[bucket] = slot;
    this.bucketBits[bucket >>> 5]! |= 1 << (bucket & 31);
    this.wordBits[level]! |= 1 << ((bucket >>> 5) & 31);
    this.levelBits |= 1 << level;
  }

  private unlink(slot: number): void {
    const slots = this.slots;
    const at = slot << SLOT_SHIFT;
    const next = slots[at + NEXT]!;
    const previous = slots[at + PREV]!;
    const bucket = slots[at + BUCKET]!;
    if (previous === NIL) this.heads[bucket] = next;
    else slots[(previous << SLOT_SHIFT) + NEXT] = next;
    if (next === NIL) this.tails[bucket] = previous;
    else slots[(next << SLOT_SHIFT) + PREV] = previous;
    if (previous === NIL && next === NIL) this.clearBit(bucket);
  }

  private clearBit(bucket: number): void {
    const word = bucket >>> 5;
    const level = word >>> 5;
    const bits = this.bucketBits[word]! & ~(1 << (bucket & 31));
    this.bucketBits[word] = bits;
    if (bits !== 0) return;
    const words = this.wordBits[level]! & ~(1 << (word & 31));
    this.wordBits[level] = words;
    if (words === 0) this.levelBits &= ~(1 << level);
  }

  private release(slot: number): void {
    const at = slot << SLOT_SHIFT;
    const slots = this.slots;
    const generation = (slots[at + GENERATION]! + 1) & GENERATION_MASK || 1;
    slots[at + GENERATION] = generation;
    slots[at + NEXT] = this.free;
    slots[at + BUCKET] = NIL;
    this.payloads[slot] = 0;
    this.free = slot;
    this.count--;
  }

  private isLive(slot: number, generation: number): boolean {
    if (!(slot >= 0 && slot < this.used) || generation === 0) return false;
    const at = slot << SLOT_SHIFT;
    return this.slots[at + GENERATION] === generation && this.slots[at + BUCKET] !== NIL;
  }

  private grow(): void {
    assert(this.capacity < SLOTS_MAX, `more than ${SLOTS_MAX} pending events`);
    this.capacity *= 2;
    const slots = new Int32Array(this.capacity << SLOT_SHIFT);
    slots.set(this.slots);
    this.slots = slots;
    while (this.payloads.length < this.capacity) this.payloads.push(0);
  }

  private refuse(time: Micros, target: number): never {
    const name = this.names[target] ?? `target ${target}`;
    assert(Number.isSafeInteger(time), `${name} is scheduled for ${time}, which is no whole microsecond`);
    assert(false, `${name} is scheduled for ${time}, before now (${this.clock})`);
  }
}
