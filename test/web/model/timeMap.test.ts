import { describe, expect, it } from "vitest";
import { HOUR, SECOND } from "../../../src/base/micros.ts";
import { Compression, compressedGap, gapThreshold, MAPPINGS, timeMap } from "../../../web/model/timeMap.ts";
import { syntheticTrace } from "../syntheticTrace.ts";
import { viewOf } from "../view.ts";

const view = viewOf(syntheticTrace(4));
const compression = new Compression(gapThreshold(view.head));
compression.update(view);

describe.each(MAPPINGS)("the %s mapping", (mapping) => {
  const map = timeMap(mapping, view, compression);

  it("never runs backwards", () => {
    let last = -1;
    for (let event = 0; event < view.eventCount; event++) {
      const place = map.placeOfTime(view.timeOf(event));
      expect(place).toBeGreaterThanOrEqual(last);
      last = place;
    }
    expect(last).toBeCloseTo(map.end, 6);
  });

  it("leads back from every place to the instant that it came from", () => {
    for (let event = 0; event < view.eventCount; event++) {
      const time = view.timeOf(event);
      expect(Math.abs(map.timeAt(map.placeOfTime(time)) - time)).toBeLessThanOrEqual(1);
    }
  });

  it("keeps the cursor within the run", () => {
    expect(map.cursorAt(-5).time).toBeGreaterThanOrEqual(0);
    expect(map.cursorAt(map.end + 5)).toEqual({ time: view.endTime, event: view.eventCount });
  });
});

describe("the compressed mapping", () => {
  const map = timeMap("compressed", view, compression);

  it("shrinks an hour without events to less than a second", () => {
    const hour = map.breaks(0, map.end).find((gap) => gap.micros > HOUR / 2);
    expect(hour).toBeDefined();
    expect(hour!.to - hour!.from).toBeLessThan(1);
  });

  it("leaves the pace of packets under way as it is", () => {
    const sent = view.kinds.indexOf("packet.sent");
    expect(sent).toBeGreaterThanOrEqual(0);
    const first = view.eventsUntil(1_019_000) - 1;
    const from = map.placeOfTime(view.timeOf(first));
    expect(map.placeOfTime(view.timeOf(first) + 8_000) - from).toBeCloseTo(8_000 / SECOND, 9);
  });

  it("is continuous where shortening begins, and a longer gap never becomes shorter than a short one", () => {
    expect(compressedGap(60_000, 60_000)).toBe(60_000);
    expect(compressedGap(60_001, 60_000)).toBeCloseTo(60_000, 0);
    expect(compressedGap(HOUR, 60_000)).toBeGreaterThan(compressedGap(SECOND, 60_000));
  });

  it("is the same whether the trace came at once or piece by piece", () => {
    const growing = new Compression(gapThreshold(view.head));
    for (let i = 0; i < 5; i++) growing.update(view);
    expect(growing.knotPlace).toEqual(compression.knotPlace);
  });
});

describe("the mapping by event", () => {
  it("puts each event of one instant at a place of its own", () => {
    const map = timeMap("events", view, compression);
    for (let event = 0; event < view.eventCount; event++) {
      expect(map.placeOf({ time: view.timeOf(event), event: event + 1 })).toBe(event);
      expect(map.cursorAt(event)).toEqual({ time: view.timeOf(event), event: event + 1 });
    }
  });
});
