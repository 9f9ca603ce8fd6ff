/**
 * What lives in time: a machine gets inputs with the instant at which they happen and answers with everything that they
 * cause. It has no clock, no socket and no randomness of its own.
 */
import type { Bytes } from "./bytes.ts";
import type { Micros } from "./micros.ts";

/** An address in text form (`192.0.2.1`, `2001:db8::1`) and a UDP port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Datagram {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** UDP payload. */
  readonly octets: Bytes;
}

/** Values that an event may carry: nothing that could hold a key. */
export type Scalar = string | number | boolean;
export type EventData = Readonly<Record<string, Scalar>>;

/** `send`: a datagram leaves. */
export interface Send extends Datagram {
  readonly kind: "send";
}

/** `event`: what a router would log; `name` is declared in the events table of its room. */
export interface Happened {
  readonly kind: "event";
  readonly name: string;
  readonly data: EventData;
}

export interface Machine<In, Out> {
  /** All that this input causes, in order; nothing is kept back for a later poll. Never throws for foreign octets. */
  handle(input: In, now: Micros): readonly Out[];
  /** Earliest deadline; the driver returns then with `{ kind: "timeout" }`. */
  nextTimeout(): Micros | undefined;
}
