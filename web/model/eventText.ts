/** Events in words: the line of the list, the sentence of the inspector. */

import type { Flights } from "./flights.ts";
import { LOST } from "./flights.ts";
import type { TraceView } from "./traceView.ts";

const PACKET_VERBS: Readonly<Record<string, string>> = {
  "packet.sent": "sends",
  "packet.received": "receives",
  "packet.lost": "loses",
};

const LOSS_REASONS: Readonly<Record<string, string>> = {
  loss: "lost at random",
  queue: "queue full",
  mtu: "larger than the MTU",
  down: "link down",
  partition: "link cut in this direction",
};

/** One line without time and device: what happened, with its data. */
export function eventSummary(trace: TraceView, event: number): string {
  const kind = trace.kindOf(event);
  const data = trace.dataOf(event);
  const packet = trace.packetOf(event);
  const facts = packet < 0 ? undefined : trace.factsOf(packet);
  if (facts !== undefined && kind in PACKET_VERBS) {
    const detail = [facts.label];
    if (facts.spi !== undefined) detail.push(`SPI ${facts.spi}`);
    if (facts.sequence !== undefined)
      detail.push(facts.class === "data" ? `seq ${facts.sequence}` : `id ${facts.sequence}`);
    const reason = kind === "packet.lost" ? `, ${LOSS_REASONS[String(data.reason)] ?? String(data.reason)}` : "";
    return `${detail.join(" · ")} · ${facts.source} → ${facts.target}${reason}`;
  }
  const pairs = Object.entries(data).map(([name, value]) => `${name} ${value}`);
  return pairs.length === 0 ? (facts?.label ?? "") : pairs.join(" · ");
}

/** A short name of what happened: `sends GSA_AUTH request`, `gm.registered`. */
export function eventTitle(trace: TraceView, event: number): string {
  const kind = trace.kindOf(event);
  const verb = PACKET_VERBS[kind];
  const packet = trace.packetOf(event);
  if (verb === undefined || packet < 0) return kind;
  return `${verb} ${trace.factsOf(packet).label}`;
}

/** Where a lost packet vanished, as a sentence. */
export function lossSentence(trace: TraceView, flights: Flights, flight: number): string | undefined {
  if (flights.outcome[flight] !== LOST) return undefined;
  const link = trace.head.links[flights.link[flight]!];
  const event = flights.endEvent[flight]!;
  const reason = LOSS_REASONS[String(trace.dataOf(event).reason)] ?? String(trace.dataOf(event).reason);
  return `Lost on link ${link?.name ?? "?"}: ${reason}.`;
}
