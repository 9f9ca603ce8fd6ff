/**
 * The state of the group members at an instant, folded from the events before it. Checkpoints every few thousand events
 * make a jump backwards as cheap as a step forward.
 */
import type { EventData } from "../../src/base/machine.ts";
import type { TraceView } from "./traceView.ts";

export const UNREGISTERED = 0;
export const REGISTERING = 1;
export const REGISTERED = 2;
export const REGISTRATION_NAMES = ["unregistered", "registering", "registered"] as const;

/** Plain columns by device number. */
export interface Members {
  /** Events folded in so far. */
  event: number;
  /** Events that changed a member so far: equal numbers mean equal states. */
  changes: number;
  readonly registration: Uint8Array;
  /** Newest TEK generation held, 0 for none. */
  readonly tek: Uint32Array;
  /** All TEK generations held, as bits: number n is bit n mod 32. Never more than two or three are alive at a time. */
  readonly held: Uint32Array;
  /** Rekeys that the member accepted. */
  readonly rekeys: Uint32Array;
}

const CHECKPOINT_EVERY = 8192;
/** Kinds that name a TEK for the first time. */
const TEK_KINDS: ReadonlySet<string> = new Set(["gm.tekInstalled", "ks.tekCreated"]);

type Fold = (members: Members, device: number, data: EventData, generations: ReadonlyMap<string, number>) => void;

const bit = (generation: number): number => (1 << (generation % 32)) >>> 0;

/** What each kind of event does to the member that it happened on. Kinds that are not listed change nothing. */
const FOLDS: ReadonlyMap<string, Fold> = new Map(
  Object.entries<Fold>({
    // A member that registers again works on with the keys that it holds.
    "gm.registering": (members, device) => {
      if (members.held[device] === 0) members.registration[device] = REGISTERING;
    },
    "gm.listExhausted": (members, device) => {
      if (members.held[device] === 0) members.registration[device] = UNREGISTERED;
    },
    "gm.registered": (members, device) => {
      members.registration[device] = REGISTERED;
    },
    "gm.unregistered": (members, device) => {
      members.registration[device] = UNREGISTERED;
      members.tek[device] = 0;
      members.held[device] = 0;
    },
    "gm.tekInstalled": (members, device, data, generations) => {
      const generation = generations.get(String(data.spi)) ?? 0;
      members.tek[device] = Math.max(members.tek[device]!, generation);
      members.held[device] = (members.held[device]! | bit(generation)) >>> 0;
    },
    "gm.tekRemoved": (members, device, data, generations) => {
      const generation = generations.get(String(data.spi)) ?? 0;
      const held = (members.held[device]! & ~bit(generation)) >>> 0;
      members.held[device] = held;
      if (held === 0) members.tek[device] = 0;
    },
    "gm.rekeyReceived": (members, device) => {
      members.rekeys[device]!++;
    },
  }),
);

export class MemberStates {
  private readonly trace: TraceView;
  private readonly checkpoints: Members[] = [];
  private readonly head: Members;
  private current: Members;
  /** TEK SPI to generation, from 1: as the key server counts, else in the order in which the trace names them. */
  readonly generations = new Map<string, number>();
  private newest = 0;

  constructor(trace: TraceView) {
    this.trace = trace;
    this.head = empty(trace.head.devices.length);
    this.current = copy(this.head);
    this.checkpoints.push(copy(this.head));
  }

  /** Takes in the events that the trace has gained. */
  update(): void {
    while (this.head.event < this.trace.eventCount) {
      const event = this.head.event;
      if (TEK_KINDS.has(this.trace.kindOf(event))) this.learnTek(event);
      this.step(this.head);
      if (this.head.event % CHECKPOINT_EVERY === 0) this.checkpoints.push(copy(this.head));
    }
  }

  /** State with the first `event` events behind it. The result is valid until the next call. */
  at(event: number): Members {
    const wanted = Math.min(event, this.head.event);
    const checkpoint = this.checkpoints[Math.floor(wanted / CHECKPOINT_EVERY)]!;
    if (this.current.event > wanted || this.current.event < checkpoint.event) this.current = copy(checkpoint);
    while (this.current.event < wanted) this.step(this.current);
    return this.current;
  }

  private learnTek(event: number): void {
    const { spi, generation } = this.trace.dataOf(event);
    if (this.generations.has(String(spi))) return;
    const counted = this.trace.kindOf(event) === "ks.tekCreated" && typeof generation === "number" && generation > 0;
    const number = counted ? generation : this.newest + 1;
    this.generations.set(String(spi), number);
    this.newest = Math.max(this.newest, number);
  }

  private step(members: Members): void {
    const event = members.event++;
    const fold = FOLDS.get(this.trace.kindOf(event));
    if (fold === undefined) return;
    fold(members, this.trace.deviceOf(event), this.trace.dataOf(event), this.generations);
    members.changes++;
  }
}

function empty(devices: number): Members {
  return {
    event: 0,
    changes: 0,
    registration: new Uint8Array(devices),
    tek: new Uint32Array(devices),
    held: new Uint32Array(devices),
    rekeys: new Uint32Array(devices),
  };
}

function copy(members: Members): Members {
  return {
    event: members.event,
    changes: members.changes,
    registration: members.registration.slice(),
    tek: members.tek.slice(),
    held: members.held.slice(),
    rekeys: members.rekeys.slice(),
  };
}
