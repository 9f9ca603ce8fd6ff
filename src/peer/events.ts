/** What this room tells a log beside the events of the IKE room. */
import type { EventData, Happened } from "../base/machine.ts";
import type { EventRow } from "../ikev2/events.ts";

export const PEER_EVENTS = {
  "peer.tunnelWanted": { severity: "info", meaning: "A packet needs a tunnel that is not there; data tunnel, remote." },
  "peer.tunnelUp": {
    severity: "notice",
    meaning: "Traffic can pass; data tunnel, inbound, outbound, suite, remote, udp, replaces.",
  },
  "peer.tunnelDown": {
    severity: "notice",
    meaning: "A pair of Child SAs is gone; data inbound, reason, sent, received.",
  },
  "peer.tunnelRefused": { severity: "error", meaning: "A Child SA was refused; data notify." },
  "peer.rekeyed": { severity: "info", meaning: "The IKE SA has a successor; data sa, successor." },
  "peer.ended": { severity: "notice", meaning: "The last IKE SA is gone; data reason, notify, established." },
  "peer.echoReply": { severity: "info", meaning: "A ping was answered; data sequence, micros." },
  "peer.echoLost": { severity: "warning", meaning: "A ping was not answered in time; data sequence." },
  "peer.echoAnswered": { severity: "info", meaning: "A ping of the peer was answered; data from, sequence." },
  "peer.pingDone": { severity: "info", meaning: "All pings are answered or lost; data sent, received." },
  "peer.espDropped": { severity: "debug", meaning: "ESP was thrown away; data reason (see ESP_DROPS)." },
  "peer.commandRefused": { severity: "warning", meaning: "A command makes no sense now; data command, reason." },
} as const satisfies Readonly<Record<string, EventRow>>;

export type PeerEventName = keyof typeof PEER_EVENTS;

export function happened(name: PeerEventName, data: EventData): Happened {
  return { kind: "event", name, data };
}
