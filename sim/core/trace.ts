/**
 * What a run leaves behind, as append-only columns: 26 octets an event, each packet once, and equal data of events once.
 * A page builds the same object from chunks.
 */
import { type Bytes, EMPTY } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import type { EventData } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Spill } from "./blockList.ts";
import { DataTable } from "./dataTable.ts";
import { EventColumns } from "./eventColumns.ts";
import { Fingerprint, type Sha256 } from "./fingerprint.ts";
import { OctetColumn } from "./octetColumn.ts";
import type { TraceChunk, TraceEvent } from "./traceTypes.ts";

/**
 * - `full` every event with its data, every packet with its octets
 * - `protocol` every event with its data; packets keep their numbers but lose their octets
 * - `off` events are counted and fingerprinted, nothing is kept
 */
export type TraceLevel = "full" | "protocol" | "off";

export interface TraceOptions {
  /** Default `full`. The fingerprint is the same at every level. */
  readonly level?: TraceLevel;
  /** Default true; false for a trace that is filled from chunks. */
  readonly fingerprint?: boolean;
  /** A hash of the host, faster than the default. */
  readonly sha256?: Sha256;
  /** Takes what memory has no room for; without it all stays in memory. */
  readonly spill?: Spill;
}

/** Stands for "no event" as a cause and for "no packet". */
export const NONE = -1;

const NO_DATA: EventData = Object.freeze({});
const KINDS_MAX = 65_536;

/** A packet as traces see it. */
type Marked = Bytes & { [mark: symbol]: number | undefined };

export class Trace {
  readonly level: TraceLevel;
  private readonly hash: Fingerprint | undefined;
  private readonly kindNames: string[] = [];
  private readonly kindNumbers = new Map<string, number>();
  /** Number of the first event of each kind. */
  private readonly kindStarts: number[] = [];
  private readonly packetOctets: OctetColumn;
  /**
   * Under this name a packet's object holds its number. A WeakMap would say the same without a mark on foreign objects, at
   * two to three percent of the time of a rekey, most of it in collections.
   */
  private readonly numberMark = Symbol("number in the trace");
  private readonly dataTable: DataTable;
  private readonly columns: EventColumns;
  private eventCount = 0;
  private packetTotal = 0;
  private last: Micros = 0;

  constructor(options: TraceOptions = {}) {
    this.level = options.level ?? "full";
    this.hash = options.fingerprint === false ? undefined : new Fingerprint(options.sha256);
    this.packetOctets = new OctetColumn(options.spill);
    this.dataTable = new DataTable(options.spill);
    this.columns = new EventColumns(options.spill);
  }

  /** Events so far, kept or not. */
  get events(): number {
    return this.eventCount;
  }

  /** Packets so far. */
  get packets(): number {
    return this.packetTotal;
  }

  /** Kinds in the order of their first appearance; columns hold indices into this list. */
  get kinds(): readonly string[] {
    return this.kindNames;
  }

  /** Instant of the last event, 0 without any. */
  get lastTime(): Micros {
    return this.last;
  }

  /** SHA-256 over all events so far, 64 hexadecimal digits; empty where the trace was made without. */
  fingerprint(): string {
    return this.hash === undefined ? "" : this.hash.hex();
  }

  /**
   * Adds what happened at `time` (not before the last event) and returns its number.
   * `device`: index into the devices of the head. `cause`: number of an earlier event, -1 for none. `packet`: octets from
   * the IP header on, never changed afterwards; one object appended twice is one packet. `data`: never changed
   * afterwards.
   */
  append(
    time: Micros,
    device: number,
    kind: string,
    cause: number = NONE,
    packet: Bytes | undefined = undefined,
    data: EventData = NO_DATA,
  ): number {
    const number = this.eventCount;
    if (!(time >= this.last && cause < number)) this.refuse(time, kind, cause);
    this.hash?.event(time, device, kind, packet);
    this.last = time;
    this.eventCount = number + 1;
    const packetNumber = packet === undefined ? NONE : this.packetNumber(packet);
    if (this.level === "off") return number;
    const kindNumber = this.kindNumber(kind, number);
    this.columns.add(time, device, kindNumber, cause, packetNumber, this.dataTable.numberOf(data, kindNumber));
    return number;
  }

  /** Number of a packet, given on its first appearance. */
  packetNumber(octets: Bytes): number {
    const marked = octets as Marked;
    const known = marked[this.numberMark];
    if (known !== undefined) return known;
    const number = this.packetTotal++;
    marked[this.numberMark] = number;
    if (this.level === "full") this.packetOctets.push(octets);
    return number;
  }

  /** Octets of a packet, a view that is not to be written to; empty where the level does not keep them. */
  packet(number: number): Bytes {
    assert(number >= 0 && number < this.packetTotal, () => `no packet ${number}`);
    return this.level === "full" ? this.packetOctets.at(number) : EMPTY;
  }

  event(number: number): TraceEvent {
    this.check(number);
    return {
      number,
      time: this.columns.at("time", number),
      device: this.columns.at("device", number),
      kind: this.kindNames[this.columns.at("kind", number)]!,
      cause: this.columns.at("cause", number),
      packet: this.columns.at("packet", number),
      data: this.dataTable.at(this.columns.at("data", number)),
    };
  }

  timeOf(number: number): Micros {
    this.check(number);
    return this.columns.at("time", number);
  }

  deviceOf(number: number): number {
    this.check(number);
    return this.columns.at("device", number);
  }

  kindOf(number: number): string {
    this.check(number);
    return this.kindNames[this.columns.at("kind", number)]!;
  }

  causeOf(number: number): number {
    this.check(number);
    return this.columns.at("cause", number);
  }

  packetOf(number: number): number {
    this.check(number);
    return this.columns.at("packet", number);
  }

  dataOf(number: number): EventData {
    this.check(number);
    return this.dataTable.at(this.columns.at("data", number));
  }

  /** Events from number `from` on, up to but not including `to`. */
  *range(from = 0, to = this.stored): Generator<TraceEvent> {
    for (let number = from; number < to; number++) yield this.event(number);
  }

  /** Events of one kind from number `from` on, oldest first. */
  *ofKind(kind: string, from = 0): Generator<TraceEvent> {
    const index = this.kindNumbers.get(kind);
    if (index === undefined) return;
    for (let number = Math.max(from, this.kindStarts[index]!); number < this.stored; number++) {
      if (this.columns.at("kind", number) === index) yield this.event(number);
    }
  }

  /** How many events of that kind are kept. */
  countOf(kind: string): number {
    const index = this.kindNumbers.get(kind);
    if (index === undefined) return 0;
    let count = 0;
    for (let number = this.kindStarts[index]!; number < this.stored; number++) {
      if (this.columns.at("kind", number) === index) count++;
    }
    return count;
  }

  /** Number of the first event at `time` or later; the number of events where there is none. */
  firstAt(time: Micros): number {
    let low = 0;
    let high = this.stored;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.columns.at("time", middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** All that is new since a reader had `fromEvent` events and `fromPacket` packets. Columns and packets are copies. */
  chunk(fromEvent: number, fromPacket: number): TraceChunk {
    const to = Math.max(fromEvent, this.stored);
    const { data, ...columns } = this.columns.slice(fromEvent, to);
    return {
      firstEvent: fromEvent,
      count: to - fromEvent,
      ...columns,
      data: Array.from(data, (number) => this.dataTable.at(number)),
      newKinds: this.kindNames.filter((_, index) => this.kindStarts[index]! >= fromEvent),
      firstPacket: fromPacket,
      packets: this.packetsFrom(fromPacket),
    };
  }

  /** Adds what `chunk` gave in another place; chunks must follow one another without a gap. */
  appendChunk(chunk: TraceChunk): void {
    assert(this.level === "full", "chunks are loaded at level full");
    assert(
      chunk.firstEvent === this.eventCount,
      () => `chunk at event ${chunk.firstEvent}, ${this.eventCount} expected`,
    );
    assert(
      chunk.firstPacket === this.packetTotal,
      `chunk at packet ${chunk.firstPacket}, ${this.packetTotal} expected`,
    );
    for (const octets of chunk.packets) this.packetOctets.push(octets);
    this.packetTotal += chunk.packets.length;
    const first = this.eventCount;
    const end = first + chunk.count;
    const { time, device, kind, cause, packet, data } = chunk;
    for (let i = 0; i < chunk.count; i++) {
      const dataNumber = this.dataTable.numberOf(data[i]!, kind[i]!);
      this.columns.add(time[i]!, device[i]!, kind[i]!, cause[i]!, packet[i]!, dataNumber);
    }
    this.eventCount = end;
    if (chunk.count > 0) this.last = this.columns.at("time", end - 1);
    this.learnKinds(chunk, first);
    if (this.hash !== undefined) this.hashRange(this.hash, first, end);
  }

  /** Events that can be read: all, or none at level `off`. */
  private get stored(): number {
    return this.level === "off" ? 0 : this.eventCount;
  }

  private refuse(time: Micros, kind: string, cause: number): never {
    const event = `event ${this.eventCount} (${kind})`;
    assert(time >= this.last, `${event} at ${time} is older than the one before it (${this.last})`);
    assert(false, `${event} names a later one as its cause: ${cause}`);
  }

  private check(number: number): void {
    assert(number >= 0 && number < this.stored, () => `no event ${number}`);
  }

  private kindNumber(kind: string, firstEvent: number): number {
    const known = this.kindNumbers.get(kind);
    if (known !== undefined) return known;
    const index = this.kindNames.length;
    assert(index < KINDS_MAX, "too many kinds of event");
    this.kindNames.push(kind);
    this.kindStarts.push(firstEvent);
    this.kindNumbers.set(kind, index);
    return index;
  }

  private learnKinds(chunk: TraceChunk, first: number): void {
    const known = this.kindNames.length;
    let next = known;
    for (let i = 0; i < chunk.count; i++) {
      const index = chunk.kind[i]!;
      if (index < next) continue;
      const name = chunk.newKinds[index - known];
      assert(index === next && name !== undefined, () => `chunk uses kind ${index} without naming it`);
      this.kindNumber(name, first + i);
      next++;
    }
  }

  private hashRange(hash: Fingerprint, from: number, to: number): void {
    for (let number = from; number < to; number++) {
      const packet = this.columns.at("packet", number);
      const octets = packet === NONE ? undefined : this.packet(packet);
      hash.event(this.columns.at("time", number), this.columns.at("device", number), this.kindOf(number), octets);
    }
  }

  private packetsFrom(first: number): readonly Bytes[] {
    if (this.level === "full") return this.packetOctets.copyFrom(first);
    // Numbers must agree with the events, so each packet without octets takes its place as an empty one.
    return this.level === "off" ? [] : new Array<Bytes>(this.packetTotal - first).fill(EMPTY);
  }
}
