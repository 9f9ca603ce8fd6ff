import { describe, expect, it } from "vitest";
import { compileFilter } from "../../../web/model/filter.ts";
import { syntheticTrace } from "../syntheticTrace.ts";
import { viewOf } from "../view.ts";

const view = viewOf(syntheticTrace(12));

function matches(query: string): number[] {
  const { test, problem } = compileFilter(query, view);
  expect(problem).toBeUndefined();
  return Array.from({ length: view.eventCount }, (_, event) => event).filter((event) => test!(event));
}

describe("compileFilter", () => {
  it("lets everything pass when it is empty", () => {
    expect(matches("  ")).toHaveLength(view.eventCount);
  });

  it("finds packets of a class", () => {
    const found = matches("type:rekey");
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((event) => view.classOf(view.packetOf(event)) === "rekey")).toBe(true);
  });

  it("takes commas as alternatives, blanks as conditions and a minus as the contrary", () => {
    const both = matches("type:rekey,ack");
    expect(both).toHaveLength(matches("type:rekey").length + matches("type:ack").length);
    const one = matches("type:rekey gm:5");
    expect(one.length).toBeGreaterThan(0);
    expect(one.every((event) => view.deviceName(view.deviceOf(event)) === "gm5")).toBe(true);
    expect(matches("-type:rekey")).toHaveLength(view.eventCount - matches("type:rekey").length);
  });

  it("reads times as seconds or with a unit, open at either end", () => {
    expect(matches("t:3000..4000")).toEqual(matches("t:50m..4000s"));
    expect(matches("t:..2")).toHaveLength(view.eventsUntil(2_000_000));
    expect(matches("t:2..").length + matches("t:..2").length).toBe(view.eventCount);
  });

  it("takes a star for any text", () => {
    expect(matches("kind:gm.*").every((event) => view.kindOf(event).startsWith("gm."))).toBe(true);
    expect(matches("node:gm1*").length).toBeGreaterThan(matches("node:gm1").length);
    // A dot is a dot, not any character.
    expect(matches("kind:gm?registered")).toEqual([]);
  });

  it("finds lost packets, SPIs and addresses", () => {
    expect(matches("lost:yes").every((event) => view.kindOf(event) === "packet.lost")).toBe(true);
    expect(matches("spi:0x1F2E3D01").length).toBeGreaterThan(12);
    expect(matches("dst:239.1.1.1")).toEqual(matches("ip:239.1.1.1"));
  });

  it("looks for text without a key in kind, device and detail", () => {
    expect(matches("tekinstalled")).toEqual(matches("kind:gm.tekInstalled"));
    expect(matches('"group 1"').length).toBeGreaterThan(0);
  });

  it.each([
    ["colour:red", "unknownKey", 0],
    ["gm:1 type:rekeys", "badValue", 5],
    ["t:soon", "badValue", 0],
    ["t:..", "badValue", 0],
    ["lost:perhaps", "badValue", 0],
    ["type:", "badValue", 0],
    ['"open', "unclosedQuote", 0],
    ["constructor:1", "unknownKey", 0],
    ["lost:toString", "badValue", 0],
  ])("says what is wrong with %s", (query, code, at) => {
    const { test, problem } = compileFilter(query, view);
    expect(test).toBeUndefined();
    expect(problem).toMatchObject({ code, at });
  });
});
