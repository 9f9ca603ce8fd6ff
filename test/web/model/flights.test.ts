import { describe, expect, it } from "vitest";
import { Trace } from "../../../sim/core/trace.ts";
import type { TraceHead } from "../../../sim/core/traceTypes.ts";
import { Flights, LOST, lossPoint, RECEIVED } from "../../../web/model/flights.ts";
import { ip, syntheticTrace } from "../syntheticTrace.ts";
import { viewOf } from "../view.ts";

const head: TraceHead = {
  version: 1,
  scenario: "two",
  seed: "1",
  run: 0,
  devices: [
    { name: "wan", role: "cloud", addresses: [] },
    { name: "a", role: "gm", addresses: [] },
    { name: "b", role: "gm", addresses: [] },
  ],
  links: [
    { name: "a-wan", a: 1, aInterface: "x", b: 0, bInterface: "a", latencyMicros: 1000 },
    { name: "b-wan", a: 2, aInterface: "x", b: 0, bInterface: "b", latencyMicros: 1000 },
  ],
  notes: [],
};
const packet = ip(1, "1.1.1.1", "2.2.2.2", Uint8Array.of(8, 0));

/** Over the access link in 1 ms, through the cloud in 5 ms, over the other access link in 1 ms. */
function crossing(): Trace {
  const trace = new Trace();
  const sent = trace.append(0, 1, "packet.sent", -1, packet, { link: "a-wan" });
  const inside = trace.append(1000, 0, "packet.received", sent, packet, { link: "a-wan" });
  const out = trace.append(6000, 0, "packet.sent", inside, packet, { link: "b-wan" });
  trace.append(7000, 2, "packet.received", out, packet, { link: "b-wan" });
  return trace;
}

function flightsOf(trace: Trace): Flights {
  const flights = new Flights(viewOf({ head, trace }));
  flights.update();
  return flights;
}

function underWay(flights: Flights, time: number): number[] {
  const found: number[] = [];
  flights.visit(time, time, (flight) => found.push(flight));
  return found;
}

describe("Flights", () => {
  it("follows a packet over the access link, through the cloud and out again, without a gap", () => {
    const flights = flightsOf(crossing());
    expect(flights.count).toBe(3);
    for (const time of [500, 3000, 6500]) expect(underWay(flights, time)).toHaveLength(1);
    const [inside] = underWay(flights, 3000);
    expect(flights.entry[inside!]).toBe(0);
    expect(flights.link[inside!]).toBe(1);
    expect(flights.farEnd(flights.link[inside!]!, 0)).toBe(2);
  });

  it("ends access links at the rim of a cloud that takes time, and in its middle otherwise", () => {
    const flights = flightsOf(crossing());
    expect([flights.rim[0], flights.rim[1]]).toEqual([1, 1]);
    const trace = new Trace();
    const sent = trace.append(0, 1, "packet.sent", -1, packet, { link: "a-wan" });
    const inside = trace.append(1000, 0, "packet.received", sent, packet, { link: "a-wan" });
    trace.append(1000, 0, "packet.sent", inside, packet, { link: "b-wan" });
    const instant = flightsOf(trace);
    expect([instant.count, instant.rim[0], instant.rim[1]]).toEqual([2, 0, 0]);
  });

  it("makes two flights of a packet that a link duplicates", () => {
    const trace = new Trace();
    const sent = trace.append(0, 1, "packet.sent", -1, packet, { link: "a-wan" });
    trace.append(1000, 0, "packet.received", sent, packet, { link: "a-wan" });
    trace.append(1500, 0, "packet.received", sent, packet, { link: "a-wan" });
    const flights = flightsOf(trace);
    expect(flights.count).toBe(2);
    expect([...flights.end.subarray(0, 2)]).toEqual([1000, 1500]);
  });

  it("shows what the cloud lost between arrival and departure", () => {
    const trace = new Trace();
    const sent = trace.append(0, 1, "packet.sent", -1, packet, { link: "a-wan" });
    const inside = trace.append(1000, 0, "packet.received", sent, packet, { link: "a-wan" });
    trace.append(4000, 0, "packet.lost", inside, packet, { link: "wan/a-wan/b-wan", reason: "loss" });
    const flights = flightsOf(trace);
    expect(flights.outcome[1]).toBe(LOST);
    expect([flights.end[1], flights.entry[1], flights.link[1]]).toEqual([4000, 0, 1]);
  });

  it("does not draw what has no end yet", () => {
    const trace = new Trace();
    trace.append(0, 1, "packet.sent", -1, packet, { link: "a-wan" });
    expect(underWay(flightsOf(trace), 10)).toEqual([]);
  });

  it("finds the same flights by blocks as by looking at each", () => {
    const run = syntheticTrace(60);
    const flights = new Flights(viewOf(run));
    flights.update();
    expect(flights.count).toBeGreaterThan(800);
    for (const time of [1_019_000, 1_100_000, 3_600_004_000, 3_600_020_000]) {
      const all: number[] = [];
      for (let flight = 0; flight < flights.count; flight++) {
        if (flights.start[flight]! <= time && flights.end[flight]! >= time) all.push(flight);
      }
      expect(underWay(flights, time)).toEqual(all);
      expect(all.length).toBeGreaterThan(0);
    }
    expect(
      [...flights.outcome.subarray(0, flights.count)].every((outcome) => outcome === RECEIVED || outcome === LOST),
    ).toBe(true);
  });
});

describe("lossPoint", () => {
  it("leaves packets that never left at the sender, and others where they were", () => {
    expect(lossPoint(0, 1000, "queue")).toBeLessThan(0.2);
    expect(lossPoint(500, 1000, "loss")).toBe(0.5);
    expect(lossPoint(0, 1000, "loss")).toBe(0.5);
    expect(lossPoint(5000, 1000, "loss")).toBeLessThan(1);
  });
});
