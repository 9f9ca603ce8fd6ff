import { expect, test } from "vitest";
import { firstDifference } from "../../../sim/check/firstDifference.ts";
import { Trace } from "../../../sim/core/trace.ts";

function traceOf(
  ...events: readonly [time: number, device: number, kind: string, octet?: number, data?: object][]
): Trace {
  const trace = new Trace();
  for (const [time, device, kind, octet, data] of events) {
    const packet = octet === undefined ? undefined : Uint8Array.of(octet);
    trace.append(time, device, kind, -1, packet, (data ?? {}) as Record<string, number>);
  }
  return trace;
}

test("two traces of one run have no difference", () => {
  const make = () => traceOf([1, 0, "a.b", 7], [2, 1, "c.d"]);
  expect(firstDifference(make(), make())).toBeUndefined();
});

test.each([
  ["time", traceOf([1, 0, "a.b", 7], [3, 1, "c.d"], [9, 9, "z.z"])],
  ["device", traceOf([1, 0, "a.b", 7], [2, 2, "c.d"], [9, 9, "z.z"])],
  ["kind", traceOf([1, 0, "a.b", 7], [2, 1, "c.e"], [9, 9, "z.z"])],
  ["packet", traceOf([1, 0, "a.b", 7], [2, 1, "c.d", 1], [9, 9, "z.z"])],
  ["data", traceOf([1, 0, "a.b", 7], [2, 1, "c.d", undefined, { x: 1 }], [9, 9, "z.z"])],
  ["length", traceOf([1, 0, "a.b", 7])],
] as const)("the first difference is named, not the last: %s", (what, other) => {
  const one = traceOf([1, 0, "a.b", 7], [2, 1, "c.d"], [5, 5, "y.y"]);
  expect(firstDifference(one, other)).toMatchObject({ event: 1, what });
  expect(firstDifference(other, one)).toMatchObject({ event: 1, what });
});

test("packets are compared by octets, whatever their numbers", () => {
  expect(firstDifference(traceOf([1, 0, "a.b", 7]), traceOf([1, 0, "a.b", 8]))).toMatchObject({ what: "packet" });
});
