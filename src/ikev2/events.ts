/**
 * What this room tells a log. Each event has a syslog severity and a meaning; the data of an event are scalars, never
 * keys. Every event names its SA (`sa`, 0 where there is none), `remote` and `port`.
 */
import type { Endpoint, EventData, Happened } from "../base/machine.ts";

/** Syslog severities that occur here. */
export type Severity = "error" | "warning" | "notice" | "info" | "debug";

export interface EventRow {
  readonly severity: Severity;
  readonly meaning: string;
}

export const IKE_EVENTS = {
  "ike.initiated": { severity: "info", meaning: "An IKE_SA_INIT request left; data spi, authExchange." },
  "ike.answered": { severity: "info", meaning: "An IKE_SA_INIT request was answered; data spi, suite." },
  "ike.established": {
    severity: "notice",
    meaning: "Both sides are authenticated; data identity, profile, initiator.",
  },
  "ike.authFailed": { severity: "error", meaning: "A peer did not prove who it is; data identity, reason." },
  "ike.certificateRefused": {
    severity: "error",
    meaning: "A peer's certificate is not trusted; data reason (see CHAIN_PROBLEMS), subject, serial, issuer.",
  },
  "ike.refused": { severity: "warning", meaning: "We or the peer refused an exchange; data side, notify, exchange." },
  "ike.dropped": { severity: "debug", meaning: "A datagram was thrown away; data reason (see DROP_REASONS)." },
  "ike.retransmit": { severity: "info", meaning: "A request was repeated; data exchange, messageId, repeat." },
  "ike.unanswered": { severity: "warning", meaning: "A request was given up; data exchange, messageId." },
  "ike.closed": { severity: "notice", meaning: "An SA is gone, or never came to be; data reason, established." },
  "ike.rekeyed": { severity: "info", meaning: "An IKE SA has a successor with fresh keys; data successor." },
  "ike.initialContact": { severity: "info", meaning: "The peer knows of no other SA with us; data closed." },
  "ike.cookie": { severity: "info", meaning: "A cookie was demanded from us or by us; data side." },
  "ike.natDetected": { severity: "info", meaning: "Addresses were translated on the way; data who (us, peer, both)." },
  "ike.moved": { severity: "notice", meaning: "A peer behind a NAT now comes from another address or port." },
  "ike.child": { severity: "info", meaning: "A Child SA pair was agreed on; data inbound, outbound, mode." },
  "ike.childClosed": { severity: "info", meaning: "A Child SA pair is gone; data inbound, outbound, reason." },
} as const satisfies Readonly<Record<string, EventRow>>;

export type IkeEventName = keyof typeof IKE_EVENTS;

/** Why a datagram was thrown away; each reason has a counter in the endpoint. */
export const DROP_REASONS = {
  malformed: "The octets are no IKEv2 message.",
  notIke: "The non-ESP marker is missing on a port that wants it.",
  version: "The major version is not 2.",
  tooLong: "An IKE_SA_INIT message longer than any honest peer sends.",
  grammar: "Payloads are missing or must not be there.",
  unknownSpi: "No SA has this SPI, or the peer's SPI or role does not fit it.",
  integrity: "The integrity check failed.",
  unencrypted: "A message that must be encrypted is not.",
  outOfWindow: "The message ID lies outside the window.",
  repeated: "An earlier request came again and its answer is not there (any more).",
  unexpectedResponse: "A response to no request of ours.",
  wrongPhase: "The exchange does not fit the state of the SA.",
  overload: "Too many SAs are being negotiated.",
  cookie: "The cookie is not one of ours.",
  reflected: "Our own IKE_SA_INIT request came back.",
  fragment: "A fragment that fits no set, or a set beyond the limits.",
  unprotectedNotify: "An error notify without protection: a hint, no more.",
  keepalive: "A NAT keepalive.",
} as const satisfies Readonly<Record<string, string>>;

export type DropReason = keyof typeof DROP_REASONS;

export function happened(name: IkeEventName, sa: number, remote: Endpoint, data: EventData = {}): Happened {
  return { kind: "event", name, data: { sa, remote: remote.address, port: remote.port, ...data } };
}
