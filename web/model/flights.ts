/**
 * Flights: one packet on one link, from `packet.sent` to `packet.received` or `packet.lost`, or inside a cloud, from its
 * arrival to its departure. A packet that crosses the WAN makes three flights, a multicast one many, a duplicated one two
 * on the same link.
 */
import type { Micros } from "../../src/base/micros.ts";
import { grown } from "./columns.ts";
import type { TraceView } from "./traceView.ts";

/** Outcomes of a flight. A flight without an end yet, in a run that goes on, is not drawn. */
export const PENDING = 0;
export const RECEIVED = 1;
export const LOST = 2;

const BLOCK = 256;
/** Inside a cloud only the instant of a loss is known: it is drawn behind the middle, where copies have parted. */
const CLOUD_LOSS_AT = 0.7;

export class Flights {
  count = 0;
  packet = new Int32Array(1024);
  /** Link; inside a cloud the link by which the packet leaves, -1 where it was lost before that was known. */
  link = new Int32Array(1024);
  /** Inside a cloud the link by which the packet came in, else -1. */
  entry = new Int32Array(1024);
  from = new Int32Array(1024);
  sentEvent = new Int32Array(1024);
  endEvent = new Int32Array(1024);
  start = new Float64Array(1024);
  end = new Float64Array(1024);
  outcome = new Uint8Array(1024);
  /** 1 where the packet's way inside a cloud is a flight of its own: then this one ends at the cloud's rim. */
  rim = new Uint8Array(1024);
  /** Where on its way, 0 at the sender to 1 at the receiver, a lost packet vanished. */
  lossAt = new Float64Array(1024);
  private readonly trace: TraceView;
  private readonly flightOfSent = new Map<number, number>();
  private readonly flightOfArrival = new Map<number, number>();
  private readonly blockStart: number[] = [];
  private readonly blockEnd: number[] = [];
  private seen = 0;

  constructor(trace: TraceView) {
    this.trace = trace;
  }

  /** Takes in the events that the trace has gained. */
  update(): void {
    const { trace } = this;
    for (let event = this.seen; event < trace.eventCount; event++) {
      const kind = trace.kindOf(event);
      if (kind === "packet.sent") this.open(event);
      else if (kind === "packet.received") this.close(event, RECEIVED);
      else if (kind === "packet.lost") this.close(event, LOST);
    }
    this.seen = trace.eventCount;
  }

  /** The flight that a network event began or ended, or -1. */
  ofEvent(event: number): number {
    return this.flightOfSent.get(event) ?? this.flightOfSent.get(this.trace.causeOf(event)) ?? -1;
  }

  /** Calls `visit` for each flight that is under way at `time`, or that ended after `lingerFrom`. */
  visit(time: Micros, lingerFrom: Micros, visit: (flight: number) => void): void {
    for (let block = 0; block < this.blockStart.length; block++) {
      if (this.blockStart[block]! > time || this.blockEnd[block]! < lingerFrom) continue;
      const last = Math.min(this.count, (block + 1) * BLOCK);
      for (let flight = block * BLOCK; flight < last; flight++) {
        if (this.outcome[flight] === PENDING || this.start[flight]! > time || this.end[flight]! < lingerFrom) continue;
        visit(flight);
      }
    }
  }

  /** Device at the far end of the link; inside a cloud the cloud itself. */
  to(flight: number): number {
    if (this.entry[flight]! >= 0) return this.from[flight]!;
    return this.farEnd(this.link[flight]!, this.from[flight]!);
  }

  /** The device at the other end of `link` than `device`, or -1. */
  farEnd(link: number, device: number): number {
    const ends = this.trace.head.links[link];
    if (ends === undefined) return -1;
    return ends.a === device ? ends.b : ends.a;
  }

  private isCloud(device: number): boolean {
    return this.trace.head.devices[device]?.role === "cloud";
  }

  private open(event: number): number {
    const { trace } = this;
    const link = trace.linkOf(event);
    if (link < 0) return -1;
    const device = trace.deviceOf(event);
    const time = trace.timeOf(event);
    const flight = this.add(event, link, device, time);
    if (!this.flightOfSent.has(event)) this.flightOfSent.set(event, flight);
    if (this.isCloud(device)) {
      const inside = this.cross(event, link, device, time);
      if (inside >= 0) {
        this.rim[flight] = 1;
        this.finish(inside, event, time, RECEIVED);
      }
    }
    return flight;
  }

  /** The way of a packet through a cloud that took time, up to `event` at `time`; -1 where there is none. */
  private cross(event: number, link: number, device: number, time: Micros): number {
    const { trace } = this;
    const arrival = trace.causeOf(event);
    const before = this.flightOfArrival.get(arrival);
    if (before === undefined || trace.timeOf(arrival) >= time) return -1;
    this.rim[before] = 1;
    const inside = this.add(arrival, link, device, trace.timeOf(arrival));
    this.entry[inside] = this.link[before]!;
    return inside;
  }

  private close(event: number, outcome: number): void {
    const { trace } = this;
    const sent = trace.causeOf(event);
    const time = trace.timeOf(event);
    let flight = this.flightOfSent.get(sent) ?? -1;
    if (flight < 0) {
      // What a cloud loses, it loses between an arrival and a departure that never came.
      if (outcome !== LOST) return;
      const inside = this.cross(event, trace.linkOf(event), trace.deviceOf(event), time);
      if (inside < 0) return;
      this.finish(inside, event, time, LOST);
      this.lossAt[inside] = CLOUD_LOSS_AT;
      this.flightOfSent.set(event, inside);
      return;
    }
    // A second end of the same sending is a duplicate that the link made: it flies on its own.
    if (this.outcome[flight] !== PENDING)
      flight = this.add(sent, this.link[flight]!, this.from[flight]!, trace.timeOf(sent));
    this.finish(flight, event, time, outcome);
    if (outcome === LOST) {
      const latency = trace.head.links[this.link[flight]!]?.latencyMicros ?? 0;
      const reason = String(trace.dataOf(event).reason ?? "loss");
      this.lossAt[flight] = lossPoint(time - this.start[flight]!, latency, reason);
    } else if (this.isCloud(trace.deviceOf(event))) this.flightOfArrival.set(event, flight);
  }

  private add(event: number, link: number, device: number, time: Micros): number {
    const flight = this.count++;
    this.packet = grown(this.packet, this.count);
    this.link = grown(this.link, this.count);
    this.entry = grown(this.entry, this.count);
    this.from = grown(this.from, this.count);
    this.sentEvent = grown(this.sentEvent, this.count);
    this.endEvent = grown(this.endEvent, this.count);
    this.start = grown(this.start, this.count);
    this.end = grown(this.end, this.count);
    this.outcome = grown(this.outcome, this.count);
    this.rim = grown(this.rim, this.count);
    this.lossAt = grown(this.lossAt, this.count);
    this.packet[flight] = this.trace.packetOf(event);
    this.link[flight] = link;
    this.entry[flight] = -1;
    this.from[flight] = device;
    this.sentEvent[flight] = event;
    this.endEvent[flight] = -1;
    this.start[flight] = time;
    return flight;
  }

  private finish(flight: number, event: number, time: Micros, outcome: number): void {
    this.end[flight] = time;
    this.endEvent[flight] = event;
    this.outcome[flight] = outcome;
    const block = Math.floor(flight / BLOCK);
    while (this.blockStart.length <= block) {
      this.blockStart.push(Number.POSITIVE_INFINITY);
      this.blockEnd.push(Number.NEGATIVE_INFINITY);
    }
    this.blockStart[block] = Math.min(this.blockStart[block]!, this.start[flight]!);
    this.blockEnd[block] = Math.max(this.blockEnd[block]!, time);
  }
}

/**
 * Where to draw the cross. The trace gives the instant; a packet that a full queue, a small MTU or a dead link refused
 * never left, so it ends at the sender's end of the link.
 */
export function lossPoint(elapsed: Micros, latency: Micros, reason: string): number {
  if (reason !== "loss" && reason !== "partition") return 0.12;
  if (elapsed <= 0 || latency <= 0) return 0.5;
  return Math.min(0.9, Math.max(0.12, elapsed / latency));
}
