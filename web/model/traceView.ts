/**
 * The page's trace: the columns of `sim/core`, and beside them what each packet is. Numbers of events, packets, devices
 * and links are those of the trace.
 */

import { ndjsonLines } from "../../sim/core/ndjson.ts";
import { Trace } from "../../sim/core/trace.ts";
import type { TraceChunk, TraceHead } from "../../sim/core/traceTypes.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { EventData } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import { grown } from "./columns.ts";
import { PACKET_CLASSES, type PacketClass, type PacketFacts, packetFacts } from "./packetFacts.ts";

/** Facts of packets are made again when they have been forgotten: a list shows some fifty of them at a time. */
const FACTS_KEPT = 20_000;

export class TraceView {
  readonly head: TraceHead;
  private readonly columns = new Trace({ fingerprint: false });
  /** Index into PACKET_CLASSES of each packet. */
  private packetClass = new Uint8Array(1024);
  private readonly facts = new Map<number, PacketFacts>();
  private readonly linkNumbers: ReadonlyMap<string, number>;
  private readonly deviceNames: ReadonlyMap<string, string>;

  constructor(head: TraceHead) {
    this.head = head;
    this.deviceNames = new Map(
      head.devices.flatMap((device) => device.addresses.map((address) => [address, device.name] as const)),
    );
    this.linkNumbers = new Map(head.links.map((link, number) => [link.name, number]));
  }

  /** Chunks follow one another without a gap; anything else is a fault of the sender and throws. */
  append(chunk: TraceChunk): void {
    this.columns.appendChunk(chunk);
    this.packetClass = grown(this.packetClass, this.packetCount);
    chunk.packets.forEach((octets, i) => {
      this.packetClass[chunk.firstPacket + i] = PACKET_CLASSES.indexOf(packetFacts(octets).class);
    });
  }

  get eventCount(): number {
    return this.columns.events;
  }

  get packetCount(): number {
    return this.columns.packets;
  }

  /** Time of the last event, or 0. */
  get endTime(): Micros {
    return this.columns.lastTime;
  }

  get kinds(): readonly string[] {
    return this.columns.kinds;
  }

  timeOf(event: number): Micros {
    return this.columns.timeOf(event);
  }

  deviceOf(event: number): number {
    return this.columns.deviceOf(event);
  }

  kindOf(event: number): string {
    return this.columns.kindOf(event);
  }

  /** Number of the event that led to this one, or -1. */
  causeOf(event: number): number {
    return this.columns.causeOf(event);
  }

  /** Number of the packet that the event is about, or -1. */
  packetOf(event: number): number {
    return this.columns.packetOf(event);
  }

  dataOf(event: number): EventData {
    return this.columns.dataOf(event);
  }

  deviceName(device: number): string {
    return this.head.devices[device]?.name ?? "?";
  }

  /** The device's name for an address, with or without a port, of this network; any other text as it is. */
  nameOf(text: string): string {
    return this.deviceNames.get(text.replace(/:\d+$/, "")) ?? text;
  }

  octetsOf(packet: number): Bytes {
    return this.columns.packet(packet);
  }

  classOf(packet: number): PacketClass {
    return PACKET_CLASSES[this.packetClass[packet]!] ?? "other";
  }

  factsOf(packet: number): PacketFacts {
    const known = this.facts.get(packet);
    if (known !== undefined) return known;
    if (this.facts.size >= FACTS_KEPT) this.facts.clear();
    const facts = packetFacts(this.octetsOf(packet));
    this.facts.set(packet, facts);
    return facts;
  }

  /** Number of the link that the data of a network event names, or -1. */
  linkOf(event: number): number {
    const name = this.dataOf(event).link;
    if (typeof name !== "string") return -1;
    // A way through a cloud is called `cloud/site/site`, and an access link by its site: the packet was to leave by the
    // last one.
    return this.linkNumbers.get(name) ?? this.linkNumbers.get(name.slice(name.lastIndexOf("/") + 1)) ?? -1;
  }

  /** Everything as the lines of a trace file; without an end line, for a run that has not come to its end. */
  ndjson(): Iterable<string> {
    return ndjsonLines(this.head, this.columns);
  }

  /** Number of events at or before `time`: the cursor behind them all. */
  eventsUntil(time: Micros): number {
    return this.columns.firstAt(Math.floor(time) + 1);
  }
}
