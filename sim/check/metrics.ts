/** Figures of a run, counted while it happens: what a report prints and what a scenario may set bounds to. */
import type { Micros } from "../../src/base/micros.ts";
import { SECOND } from "../../src/base/micros.ts";
import { DROP_COUNTERS } from "../../src/esp/counters.ts";
import type { TraceEvent } from "../core/traceTypes.ts";

type Unit = "count" | "octets" | "seconds";

export interface MetricRow {
  readonly unit: Unit;
  readonly meaning: string;
}

const LOSS_REASONS = ["loss", "queue", "mtu", "down", "partition"] as const;

const rows = (prefix: string, names: readonly string[], meaning: string) =>
  Object.fromEntries(names.map((name) => [`${prefix}.${name}`, { unit: "count", meaning: `${meaning}: ${name}` }]));

/** All metrics of a report, in the order in which it prints them. */
export const METRICS: Readonly<Record<string, MetricRow>> = {
  registrations: { unit: "count", meaning: "Members that a key server gave policy and keys, repetitions included" },
  refusals: { unit: "count", meaning: "Members that a key server refused" },
  reregistrations: { unit: "count", meaning: "Times that a member registered again" },
  registrationMin: { unit: "seconds", meaning: "Shortest time from the first message of a registration to its keys" },
  registrationMedian: { unit: "seconds", meaning: "Median of that time" },
  registrationMax: { unit: "seconds", meaning: "Longest such time" },
  rekeys: { unit: "count", meaning: "Rekeys that a key server began" },
  rekeysSent: {
    unit: "count",
    meaning: "Rekey messages without repetitions: one a member, or one for all by multicast",
  },
  rekeysRetransmitted: { unit: "count", meaning: "Repetitions of rekey messages" },
  rekeysAcknowledged: { unit: "count", meaning: "Acknowledgements of unicast rekeys" },
  rekeysReceived: { unit: "count", meaning: "Rekeys that a member took in" },
  ejections: { unit: "count", meaning: "Silent members that a key server deleted" },
  rekeyFanoutMedian: { unit: "seconds", meaning: "Median over all rekeys of the time until the last member had it" },
  rekeyFanoutMax: { unit: "seconds", meaning: "Longest such time" },
  pingsSent: { unit: "count", meaning: "Echo requests that were sent" },
  pingsAnswered: { unit: "count", meaning: "Echo requests that were answered in time" },
  pingsLost: { unit: "count", meaning: "Echo requests that were not" },
  firstAnswerMedian: {
    unit: "seconds",
    meaning:
      "Median, over all pairs, of the time from a device's first echo request to a destination to its first answer",
  },
  firstAnswerMax: { unit: "seconds", meaning: "Longest such time" },
  ikeSas: { unit: "count", meaning: "IKE SAs that came to be, each counted where it was begun" },
  dataSasPerSite: {
    unit: "count",
    meaning: "Most data SAs that one router holds; the two directions with a peer are one, and so is an SA of a group",
  },
  espOverhead: { unit: "octets", meaning: "Octets that ESP and the outer header add to a packet, on average" },
  espAddressPairs: { unit: "count", meaning: "Pairs of outer addresses that sealed packets have shown to the network" },
  packetsSent: { unit: "count", meaning: "Packets given to a link, each hop by itself" },
  octetsSent: { unit: "octets", meaning: "Their octets, from the IP header on" },
  ...rows("lost", LOSS_REASONS, "Packets lost on a link"),
  ...rows("espDropped", Object.keys(DROP_COUNTERS), "Packets that a data plane dropped"),
  ipDropped: { unit: "count", meaning: "Packets that a device could not forward or did not want" },
  cpuDropped: { unit: "count", meaning: "Datagrams that found the queue of a CPU full" },
  ikeDropped: { unit: "count", meaning: "Datagrams that an IKE endpoint threw away" },
  ikeRetransmitted: { unit: "count", meaning: "Repetitions of IKE requests" },
};

/** Figures that parts of a network have for themselves, as `PART.NAME`. */
const PART_METRICS = [
  "ikeSas",
  "dataSasPerSite",
  "firstAnswerMedian",
  "firstAnswerMax",
  "espOverhead",
  "espAddressPairs",
  "pingsSent",
  "pingsAnswered",
  "pingsLost",
] as const;

/** Names of all figures that a part has. */
export function partMetrics(part: string): readonly string[] {
  return PART_METRICS.map((name) => `${part}.${name}`);
}

export type Metrics = Readonly<Record<string, number>>;

export interface MetricsCollector {
  watch(event: TraceEvent): void;
  /** The figures so far; a time that was never measured is 0. */
  figures(): Metrics;
}

/** What one kind of event adds. */
type Counting = (add: (metric: string, amount?: number) => void, event: TraceEvent) => void;

const count =
  (metric: string): Counting =>
  (add) =>
    add(metric);

const COUNTED: Readonly<Record<string, Counting>> = {
  "ks.registered": count("registrations"),
  "ks.refused": count("refusals"),
  "ks.rekeyStarted": (add, { data }) => {
    add("rekeys");
    add("rekeysSent", data.transport === "unicast" ? Number(data.members) : 1);
  },
  "ks.rekeyRetransmitted": count("rekeysRetransmitted"),
  "ks.rekeyAcked": count("rekeysAcknowledged"),
  "ks.memberEjected": count("ejections"),
  "gm.rekeyReceived": count("rekeysReceived"),
  "gm.reregister": count("reregistrations"),
  "ike.established": (add, { data }) => {
    if (data.initiator === true) add("ikeSas");
  },
  "isakmp.established": (add, { data }) => {
    if (data.initiator === true) add("ikeSas");
  },
  "ping.sent": count("pingsSent"),
  "ping.reply": count("pingsAnswered"),
  "ping.lost": count("pingsLost"),
  "ping.unreachable": count("pingsLost"),
  "packet.sent": (add, { data }) => {
    add("packetsSent");
    add("octetsSent", Number(data.octets));
  },
  "packet.lost": (add, { data }) => add(`lost.${data.reason}`),
  "esp.dropped": (add, { data }) => add(`espDropped.${data.reason}`),
  "ip.dropped": count("ipDropped"),
  "cpu.dropped": count("cpuDropped"),
  "ike.dropped": count("ikeDropped"),
  "ike.retransmit": count("ikeRetransmitted"),
};

/** What no event tells: what a router holds and what its data planes have done. */
export interface Protection {
  /** That it can send with now. */
  readonly dataSas: number;
  readonly packets: number;
  readonly octetsAdded: number;
  readonly addressPairs: ReadonlySet<string>;
}

/** Devices by number in the trace. */
export type Parts = ReadonlyMap<string, ReadonlySet<number>>;

/** `look`: at a device as it is now; undefined for one that seals nothing. `parts`: get figures of their own. */
export function createMetrics(look: (device: number) => Protection | undefined, parts: Parts): MetricsCollector {
  const whole = createCollector(look);
  const inner = [...parts].map(([name, devices]) => ({ name, devices, collector: createCollector(look, devices) }));
  return {
    watch(event) {
      whole.watch(event);
      for (const { devices, collector } of inner) if (devices.has(event.device)) collector.watch(event);
    },
    figures() {
      const ofParts = inner.flatMap(({ name, collector }) => {
        const figures = collector.figures();
        return PART_METRICS.map((metric) => [`${name}.${metric}`, figures[metric]!] as const);
      });
      return { ...whole.figures(), ...Object.fromEntries(ofParts) };
    },
  };
}

function createCollector(
  look: (device: number) => Protection | undefined,
  only?: ReadonlySet<number>,
): MetricsCollector {
  const seen = new Set<number>();
  const counts = new Map<string, number>();
  const add = (metric: string, amount = 1) => counts.set(metric, (counts.get(metric) ?? 0) + amount);
  const registrations: Micros[] = [];
  const begun = new Map<number, Micros>();
  const fanouts: Micros[] = [];
  const asked = new Map<string, { readonly at: Micros; answered: Micros | undefined }>();
  const destinations = new Map<string, string>();
  let rekeyAt: Micros | undefined;
  let lastReceipt: Micros | undefined;
  const closeRekey = () => {
    if (rekeyAt !== undefined && lastReceipt !== undefined) fanouts.push(lastReceipt - rekeyAt);
    rekeyAt = undefined;
    lastReceipt = undefined;
  };
  return {
    watch(event) {
      COUNTED[event.kind]?.(add, event);
      seen.add(event.device);
      const ping = `${event.device} ${event.data.ping}`;
      switch (event.kind) {
        case "ping.started":
          destinations.set(ping, `${event.device} ${event.data.from} ${event.data.to}`);
          break;
        case "ping.sent": {
          const pair = destinations.get(ping) ?? ping;
          if (!asked.has(pair)) asked.set(pair, { at: event.time, answered: undefined });
          break;
        }
        case "ping.reply": {
          const first = asked.get(destinations.get(ping) ?? ping);
          if (first !== undefined) first.answered ??= event.time - first.at;
          break;
        }
        case "gm.registering":
          if (!begun.has(event.device)) begun.set(event.device, event.time);
          break;
        case "gm.registered": {
          const start = begun.get(event.device);
          if (start !== undefined) registrations.push(event.time - start);
          begun.delete(event.device);
          break;
        }
        case "ks.rekeyStarted":
          closeRekey();
          rekeyAt = event.time;
          break;
        case "gm.rekeyReceived":
          if (rekeyAt !== undefined) lastReceipt = event.time;
          break;
      }
    },
    figures() {
      const openFanout = rekeyAt !== undefined && lastReceipt !== undefined ? [lastReceipt - rekeyAt] : [];
      const fanout = spread([...fanouts, ...openFanout]);
      const registration = spread(registrations);
      const answer = spread([...asked.values()].flatMap(({ answered }) => answered ?? []));
      const protection = protectionOf([...(only ?? seen)].flatMap((device) => look(device) ?? []));
      const times: Readonly<Record<string, Micros>> = {
        registrationMin: registration.min,
        registrationMedian: registration.median,
        registrationMax: registration.max,
        rekeyFanoutMedian: fanout.median,
        rekeyFanoutMax: fanout.max,
        firstAnswerMedian: answer.median,
        firstAnswerMax: answer.max,
      };
      return Object.fromEntries(
        Object.keys(METRICS).map((name) => [
          name,
          name in times ? times[name]! / SECOND : (protection[name] ?? counts.get(name) ?? 0),
        ]),
      );
    },
  };
}

function protectionOf(all: readonly Protection[]): Readonly<Record<string, number>> {
  const packets = all.reduce((sum, one) => sum + one.packets, 0);
  const octets = all.reduce((sum, one) => sum + one.octetsAdded, 0);
  return {
    dataSasPerSite: all.reduce((most, { dataSas }) => Math.max(most, dataSas), 0),
    espOverhead: packets === 0 ? 0 : Math.round(octets / packets),
    espAddressPairs: new Set(all.flatMap(({ addressPairs }) => [...addressPairs])).size,
  };
}

/** The lower of the two middle values is the median of an even number of values: a time that was measured. */
function spread(values: readonly Micros[]): { readonly min: Micros; readonly median: Micros; readonly max: Micros } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? 0;
  return { min: at(0), median: at((sorted.length - 1) >> 1), max: at(sorted.length - 1) };
}
