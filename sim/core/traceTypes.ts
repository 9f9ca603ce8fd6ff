/**
 * The shape of a trace: what a run leaves behind, in memory as columns, on a wire or in a file as NDJSON. Everything
 * that draws, captures or asserts reads this and nothing else. It never holds a key.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { EventData } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";

export const TRACE_VERSION = 1;

export type DeviceRole = "ks" | "gm" | "router" | "host" | "cloud";

export interface TraceDevice {
  readonly name: string;
  readonly role: DeviceRole;
  /** Name of the WAN site that the device stands in, where the scenario names sites. */
  readonly site?: string;
  /** Addresses for display, such as `192.168.1.1`. */
  readonly addresses: readonly string[];
}

export interface TraceLink {
  readonly name: string;
  /** Device numbers (indices into `devices`) and interface names of the two ends. */
  readonly a: number;
  readonly aInterface: string;
  readonly b: number;
  readonly bInterface: string;
  /** Base one-way latency, for tooltips. */
  readonly latencyMicros: Micros;
}

/** A caption of the scenario's author, shown from `at` on; a `question` stops playback in presenter mode. */
export interface TraceNote {
  readonly at: Micros;
  readonly text: string;
  readonly question?: boolean;
}

export interface TraceHead {
  readonly version: number;
  readonly scenario: string;
  readonly description?: string;
  readonly seed: string;
  readonly run: number;
  readonly devices: readonly TraceDevice[];
  readonly links: readonly TraceLink[];
  readonly notes: readonly TraceNote[];
}

/**
 * One event. Numbers count from 0 without gaps in the order in which things happened. `cause` is the number of the
 * event that led to this one, `packet` the number of the packet concerned; -1 where there is none.
 *
 * Kinds of the network, always with `packet`:
 * - `packet.sent`      a device gave the packet to a link; data `{ link, interface, octets }`
 * - `packet.received`  it arrived; cause = its `packet.sent`; data `{ link, interface }`
 * - `packet.lost`      it did not; cause = its `packet.sent`; data `{ link, reason }` with reason
 *                      `loss`, `queue`, `mtu`, `down` or `partition`; `time` is the instant at which it vanished
 * All other kinds are `room.what` (`gm.registered`, `ks.rekeySent`, `ike.retransmit`, `esp.dropped`, `ping.reply` ...)
 * and stand in the events table of their room.
 */
export interface TraceEvent {
  readonly number: number;
  readonly time: Micros;
  /** Index into `devices`. */
  readonly device: number;
  readonly kind: string;
  readonly cause: number;
  readonly packet: number;
  readonly data: EventData;
}

/** A run of consecutive events as columns: what a worker posts to a page. `kind` indexes all kinds named so far. */
export interface TraceChunk {
  readonly firstEvent: number;
  readonly count: number;
  readonly time: Float64Array;
  readonly device: Uint32Array;
  readonly kind: Uint16Array;
  readonly cause: Int32Array;
  readonly packet: Int32Array;
  readonly data: readonly EventData[];
  /** Kinds that appear for the first time in this chunk, in order; they get the next free indices. */
  readonly newKinds: readonly string[];
  readonly firstPacket: number;
  /** Octets of the packets that appear for the first time in this chunk. */
  readonly packets: readonly Bytes[];
}

export interface TraceEnd {
  readonly fingerprint: string;
  readonly events: number;
  readonly packets: number;
  readonly virtualMicros: Micros;
}

/*
 * NDJSON, one object a line:
 *   {"type":"head", ...TraceHead}
 *   {"type":"packet","n":0,"octets":"4500..."}                       before the first event that names it
 *   {"type":"event","n":0,"t":1000,"device":"gm1","kind":"packet.sent","cause":-1,"packet":0,"data":{...}}
 *   {"type":"end", ...TraceEnd}
 */
