/**
 * The event queue: what happens next, in the order (time, insertion).
 *
 * It is a monotone radix queue. A simulation never schedules into its past, so every pending time differs from a base
 * instant at some most significant digit; that digit's position is the event's level and its value the bucket within
 * the level. The lowest non-empty level holds the earliest events, and its lowest non-empty bucket the earliest of
 * them: the buckets are numbered in this order. When that bucket holds more than a handful, the base moves to its start
 * and its events spread over the levels below.
 *
 *     level 0      512 buckets of 1 us        level 3   1,024 buckets of 2.4 hours
 *     level 1   16,384 buckets of 512 us      level 4   1,024 buckets of 102 days
 *     level 2    1,024 buckets of 8.4 s
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

/* The digits of a time, lowest first: 9 and 14 bits of its low part, 10, 10 and 10 bits of its high part, 53 in all. */
const FINE_BITS = 9;
const FINE_SPAN = 1 << FINE_BITS;
const FINE_MASK = FINE_SPAN - 1;
/**
 * Level 1 is wide, so that a timer of up to some seconds is put at once where it stays, mostly alone in its bucket. With
 * five digits of 10 bits and one of 3 the hold model takes 1.2 times as long at 1,000 and 1,000,000 pending events.
 */
const WIDE_BITS = 14;
const DIGIT_BITS = 10;
const DIGIT_SPAN = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGIT_SPAN - 1;
/** A time is kept apart in two integers, so that all digit arithmetic is on 32-bit numbers. */
const LOW_SPAN = 1 << (WIDE_BITS + FINE_BITS);
const LOW_SCALE = 1 / LOW_SPAN;

/* First bucket of each level above 0. */
const LEVEL_1 = FINE_SPAN;
const LEVEL_2 = LEVEL_1 + (1 << WIDE_BITS);
const LEVEL_3 = LEVEL_2 + DIGIT_SPAN;
const LEVEL_4 = LEVEL_3 + DIGIT_SPAN;
const BUCKETS = LEVEL_4 + DIGIT_SPAN;

/** Up to so many events in the earliest bucket are searched in place instead of being spread over the level below. */
const SEARCH_MAX = 6;

/* One slot has 24 octets: four 32-bit fields and its time as a double. With 32 the hold model takes up to 1.1 times as long. */
const SLOT_INTS = 6;
const NEXT = 0;
const PREV = 1;
const TARGET = 2;
const GENERATION = 3;
const SLOT_DOUBLES = SLOT_INTS / 2;
const TIME = 2;

const NIL = -1;
const SLOTS_MAX = 2 ** 25;
const GENERATION_MASK = 2 ** 27 - 1;

export class Scheduler {
  private readonly handlers: Handler<never>[] = [];
  private readonly names: string[] = [];
  /** First and last event of each bucket side by side; meaningless where the bucket is empty. */
  private readonly ends = new Int32Array(2 * BUCKETS);
  /** Which buckets hold something, one bit each. */
  private readonly bucketBits = new Int32Array(wordsFor(BUCKETS));
  /** Which words of `bucketBits` may be other than 0, and which words of this again: cleared when a search meets them. */
  private readonly wordBits = new Int32Array(wordsFor(wordsFor(BUCKETS)));
  private groupBits = 0;
  /** No word of `bucketBits` before this one holds anything. */
  private firstWord = 0;
  /** The base instant: its high part, the instant at which that begins, and its low part. */
  private baseHigh = 0;
  private baseStart: Micros = 0;
  private baseLow = 0;
  private slots: Int32Array;
  /** The same memory as `slots`. */
  private times: Float64Array;
  private payloads: Payload[];
  private capacity: number;
  private free = NIL;
  private used = 0;
  private scheduled = 0;
  private cancelled = 0;
  private clock: Micros = 0;
  private total = 0;
  private stopping = false;

  /** `capacity`: slots to begin with; the table doubles when it is full. */
  constructor(capacity = 1024) {
    this.capacity = Math.max(16, capacity);
    this.slots = new Int32Array(this.capacity * SLOT_INTS);
    this.times = new Float64Array(this.slots.buffer);
    this.payloads = new Array<Payload>(this.capacity).fill(0);
  }

  /** The current instant: that of the event being handled, or the end of the last `runUntil`. */
  get now(): Micros {
    return this.clock;
  }

  /** Events that are scheduled and neither over nor cancelled. */
  get pending(): number {
    return this.scheduled - this.total - this.cancelled;
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
    const isValid = time >= this.clock && time <= Number.MAX_SAFE_INTEGER && Math.floor(time) === time;
    if (!isValid) this.refuse(time, target);
    let slot = this.free;
    if (slot === NIL) {
      if (this.used === this.capacity) this.grow();
      slot = this.used++;
      this.slots[slot * SLOT_INTS + GENERATION] = 1;
    } else {
      this.free = this.slots[slot * SLOT_INTS + NEXT]!;
    }
    const at = slot * SLOT_INTS;
    const slots = this.slots;
    this.times[slot * SLOT_DOUBLES + TIME] = time;
    slots[at + TARGET] = target;
    this.payloads[slot] = payload;
    this.scheduled++;
    this.link(slot, time);
    return slots[at + GENERATION]! * SLOTS_MAX + slot;
  }

  /** Takes an event back. False where it is over or cancelled already. */
  cancel(handle: EventHandle): boolean {
    const generation = Math.floor(handle / SLOTS_MAX);
    const slot = handle - generation * SLOTS_MAX;
    if (!this.isLive(slot, generation)) return false;
    // An event's bucket changes only when the bucket is spread, so that it can be told from time and base at any moment.
    this.unlink(slot, this.bucketOf(this.slotTime(slot)));
    this.release(slot);
    this.cancelled++;
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
    const bucket = this.firstBucket();
    if (bucket === NIL) return undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (let slot = this.ends[2 * bucket]!; slot !== NIL; slot = this.slots[slot * SLOT_INTS + NEXT]!) {
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
    const handler = this.handlers[this.slots[slot * SLOT_INTS + TARGET]!]!;
    const time = this.slotTime(slot);
    this.clock = time;
    this.total++;
    this.release(slot);
    handler(payload as never, time);
  }

  /** Unlinks the earliest event if it is due by `limit`, else returns NIL. */
  private take(limit: Micros): number {
    for (;;) {
      const bucket = this.firstBucket();
      if (bucket === NIL) return NIL;
      const head = this.ends[2 * bucket]!;
      const headTime = this.slotTime(head);
      const second = this.slots[head * SLOT_INTS + NEXT]!;
      if (second === NIL || bucket < LEVEL_1) {
        // Alone, or of level 0, where a bucket holds one instant and its head is the oldest of the earliest.
        if (headTime > limit) return NIL;
        this.ends[2 * bucket] = second;
        if (second === NIL) this.clearBit(bucket);
        else this.slots[second * SLOT_INTS + PREV] = NIL;
        return head;
      }
      const best = this.earliestOfFew(head, headTime, second);
      if (best !== NIL) {
        if (this.slotTime(best) > limit) return NIL;
        this.unlink(best, bucket);
        return best;
      }
      if (!this.spread(bucket, limit)) return NIL;
    }
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
      slot = this.slots[slot * SLOT_INTS + NEXT]!;
    }
    return best;
  }

  /**
   * Moves the base to the start of the earliest bucket and its events to the levels below, in order. Not done where the
   * bucket starts after `limit`: then something may still be scheduled between the limit and that start.
   */
  private spread(bucket: number, limit: Micros): boolean {
    const low = bucket < LEVEL_2 ? (bucket - LEVEL_1) << FINE_BITS : 0;
    const high = this.highOf(bucket);
    const start = high * LOW_SPAN;
    if (start + low > limit) return false;
    this.baseLow = low;
    this.baseHigh = high;
    this.baseStart = start;
    const slots = this.slots;
    let slot = this.ends[2 * bucket]!;
    this.clearBit(bucket);
    while (slot !== NIL) {
      const next = slots[slot * SLOT_INTS + NEXT]!;
      this.link(slot, this.slotTime(slot));
      slot = next;
    }
    return true;
  }

  /** High part of the instant at which a bucket of level 1 or above starts. */
  private highOf(bucket: number): number {
    if (bucket < LEVEL_2) return this.baseHigh;
    if (bucket < LEVEL_3) return (this.baseHigh & ~DIGIT_MASK) | (bucket - LEVEL_2);
    const top = bucket < LEVEL_4 ? this.baseHigh >>> (2 * DIGIT_BITS) : bucket - LEVEL_4;
    return ((top << DIGIT_BITS) | (bucket < LEVEL_4 ? bucket - LEVEL_3 : 0)) << DIGIT_BITS;
  }

  /** The earliest bucket that holds something, NIL where none does. */
  private firstBucket(): number {
    let bits = this.bucketBits[this.firstWord]!;
    if (bits === 0) {
      if (!this.findFirstWord()) return NIL;
      bits = this.bucketBits[this.firstWord]!;
    }
    return (this.firstWord << 5) + trailingZeros(bits);
  }

  private findFirstWord(): boolean {
    for (;;) {
      const groups = this.groupBits;
      if (groups === 0) return false;
      const group = trailingZeros(groups);
      const words = this.wordBits[group]!;
      const word = (group << 5) + trailingZeros(words);
      if (words === 0) this.groupBits = groups & (groups - 1);
      else if (this.bucketBits[word] === 0) this.wordBits[group] = words & (words - 1);
      else {
        this.firstWord = word;
        return true;
      }
    }
  }

  private slotTime(slot: number): Micros {
    return this.times[slot * SLOT_DOUBLES + TIME]!;
  }

  private link(slot: number, time: Micros): void {
    const slots = this.slots;
    const at = slot * SLOT_INTS;
    const bucket = this.bucketOf(time);
    slots[at + NEXT] = NIL;
    const word = bucket >>> 5;
    const bits = this.bucketBits[word]!;
    const bit = 1 << (bucket & 31);
    if ((bits & bit) !== 0) {
      const tail = this.ends[2 * bucket + 1]!;
      slots[at + PREV] = tail;
      slots[tail * SLOT_INTS + NEXT] = slot;
      this.ends[2 * bucket + 1] = slot;
      return;
    }
    slots[at + PREV] = NIL;
    this.ends[2 * bucket] = slot;
    this.ends[2 * bucket + 1] = slot;
    this.bucketBits[word] = bits | bit;
    if (bits === 0) {
      this.wordBits[word >>> 5]! |= 1 << (word & 31);
      this.groupBits |= 1 << (word >>> 5);
      if (word < this.firstWord) this.firstWord = word;
    }
  }

  private bucketOf(time: Micros): number {
    const ahead = time - this.baseStart;
    if (ahead < LOW_SPAN) {
      const low = ahead | 0;
      return low - this.baseLow < FINE_SPAN ? low & FINE_MASK : LEVEL_1 + (low >>> FINE_BITS);
    }
    const high = Math.floor(time * LOW_SCALE);
    const difference = high ^ this.baseHigh;
    if (difference < DIGIT_SPAN) return LEVEL_2 + (high & DIGIT_MASK);
    if (difference < DIGIT_SPAN * DIGIT_SPAN) return LEVEL_3 + ((high >>> DIGIT_BITS) & DIGIT_MASK);
    return LEVEL_4 + (high >>> (2 * DIGIT_BITS));
  }

  private unlink(slot: number, bucket: number): void {
    const slots = this.slots;
    const at = slot * SLOT_INTS;
    const next = slots[at + NEXT]!;
    const previous = slots[at + PREV]!;
    if (previous === NIL) this.ends[2 * bucket] = next;
    else slots[previous * SLOT_INTS + NEXT] = next;
    if (next === NIL) this.ends[2 * bucket + 1] = previous;
    else slots[next * SLOT_INTS + PREV] = previous;
    if (previous === NIL && next === NIL) this.clearBit(bucket);
  }

  private clearBit(bucket: number): void {
    this.bucketBits[bucket >>> 5]! &= ~(1 << (bucket & 31));
  }

  private release(slot: number): void {
    const at = slot * SLOT_INTS;
    const slots = this.slots;
    const generation = (slots[at + GENERATION]! + 1) & GENERATION_MASK || 1;
    slots[at + GENERATION] = generation;
    slots[at + NEXT] = this.free;
    this.payloads[slot] = 0;
    this.free = slot;
  }

  private isLive(slot: number, generation: number): boolean {
    if (!(slot >= 0 && slot < this.used) || generation === 0) return false;
    return this.slots[slot * SLOT_INTS + GENERATION] === generation;
  }

  private grow(): void {
    assert(this.capacity < SLOTS_MAX, `more than ${SLOTS_MAX} pending events`);
    this.capacity *= 2;
    const slots = new Int32Array(this.capacity * SLOT_INTS);
    slots.set(this.slots);
    this.slots = slots;
    this.times = new Float64Array(slots.buffer);
    while (this.payloads.length < this.capacity) this.payloads.push(0);
  }

  private refuse(time: Micros, target: number): never {
    const name = this.names[target] ?? `target ${target}`;
    assert(Number.isSafeInteger(time), `${name} is scheduled for ${time}, which is no whole microsecond`);
    assert(false, `${name} is scheduled for ${time}, before now (${this.clock})`);
  }
}

/** Words of 32 bits for so many bits. */
function wordsFor(bits: number): number {
  return Math.ceil(bits / 32);
}

/** Position of the lowest bit that is set. */
function trailingZeros(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
