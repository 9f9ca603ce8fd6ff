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

export const ISAKMP_EVENTS = {
  "isakmp.initiated": { severity: "info", meaning: "Message 1 of a phase 1 left; data cookie, mode, doi." },
  "isakmp.answered": {
    severity: "info",
    meaning: "A phase 1 was taken up as responder; data cookie, mode, doi, suite.",
  },
  "isakmp.established": {
    severity: "notice",
    meaning: "Both sides are authenticated; data identity, profile, initiator.",
  },
  "isakmp.authFailed": {
    severity: "error",
    meaning:
      "A peer did not prove who it is, or no profile takes it; data identity, reason (noKey, refused; identity: no profile " +
      "matches; keyring: the key is not one of the profile's), notify, mode, profile.",
  },
  "isakmp.refused": {
    severity: "warning",
    meaning: "We or the peer refused an exchange; data side, notify, exchange.",
  },
  "isakmp.dropped": { severity: "debug", meaning: "A datagram was thrown away; data reason (see DROP_REASONS)." },
  "isakmp.retransmit": { severity: "info", meaning: "A message was repeated; data exchange, messageId, repeat." },
  "isakmp.unanswered": { severity: "warning", meaning: "An exchange was given up; data exchange, messageId." },
  "isakmp.closed": { severity: "notice", meaning: "An SA is gone, or never came to be; data reason, established." },
  "isakmp.natDetected": {
    severity: "info",
    meaning: "Addresses were translated on the way; data who (us, peer, both).",
  },
  "isakmp.moved": { severity: "notice", meaning: "A peer behind a NAT now comes from another address or port." },
  "isakmp.initialContact": { severity: "info", meaning: "The peer knows of no other SA with us; data closed." },
  "isakmp.dead": { severity: "warning", meaning: "The peer answers no R-U-THERE any more." },
} as const satisfies Readonly<Record<string, EventRow>>;

export type IsakmpEventName = keyof typeof ISAKMP_EVENTS;

/** Why a datagram was thrown away; each reason has a counter in the endpoint. */
export const DROP_REASONS = {
  malformed: "The octets are no ISAKMP message.",
  notIke: "The non-ESP marker is missing on a port that wants it.",
  grammar: "Payloads are missing or must not be there.",
  unknownCookies: "No SA has these cookies.",
  reflected: "Our own first message came back.",
  garbage: "What was decrypted is no chain of payloads: another key, or altered on the way.",
  hash: "The HASH payload does not fit.",
  signature: "The SIG payload does not fit.",
  unencrypted: "A message that must be encrypted is not.",
  unprotected: "An Informational without protection: a hint, no more.",
  wrongPhase: "The message does not fit the state of the SA or of its exchange.",
  repeated: "An earlier message came again, and nothing answers it.",
  busy: "More exchanges are under way than an SA may have.",
  amplification: "Its answer is longer than an unverified source may get; it waits for a repetition.",
  overload: "Too many SAs are being negotiated.",
  doi: "A domain of interpretation that is not served here.",
  disabled: "IKEv1 is switched off.",
  keepalive: "A NAT keepalive.",
} as const satisfies Readonly<Record<string, string>>;

export type DropReason = keyof typeof DROP_REASONS;

export function happened(name: IsakmpEventName, sa: number, remote: Endpoint, data: EventData = {}): Happened {
  return { kind: "event", name, data: { sa, remote: remote.address, port: remote.port, ...data } };
}
