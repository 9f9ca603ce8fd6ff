import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NdjsonReader, ndjsonLines, readNdjson } from "../../../sim/core/ndjson.ts";
import { NONE, Trace } from "../../../sim/core/trace.ts";
import { TRACE_VERSION, type TraceEnd, type TraceHead } from "../../../sim/core/traceTypes.ts";
import { fromHex } from "../../../src/base/bytes.ts";

const HEAD: TraceHead = {
  version: TRACE_VERSION,
  scenario: "lab",
  seed: "7",
  run: 0,
  devices: [
    { name: "ks1", role: "ks", site: "hq", addresses: ["192.168.1.254"] },
    { name: "gm1", role: "gm", addresses: [] },
  ],
  links: [{ name: "l1", a: 0, aInterface: "Gi0/0", b: 1, bInterface: "Gi0/1", latencyMicros: 250 }],
  notes: [{ at: 5, text: "Who is next?", question: true }],
};

function sample(): { trace: Trace; end: TraceEnd; text: string } {
  const trace = new Trace();
  const packet = fromHex("45000014ff");
  const sent = trace.append(10, 0, "packet.sent", NONE, packet, { link: "l1", octets: 5 });
  trace.append(20, 1, "packet.received", sent, packet, { link: "l1" });
  trace.append(20, 1, "gm.registered", 1, undefined, { group: "Größe", ok: true });
  trace.append(30, 1, "packet.sent", 2, fromHex("46"), { link: "l1", octets: 1 });
  const end = { fingerprint: trace.fingerprint(), events: 4, packets: 2, virtualMicros: 40 };
  return { trace, end, text: [...ndjsonLines(HEAD, trace, end)].join("") };
}

const codes = (text: string) => readNdjson(text).problems.map((problem) => [problem.code, problem.line]);

describe("writing", () => {
  it("puts the head first, each packet before the event that names it, and the end last", () => {
    const lines = sample().text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).type)).toEqual([
      "head",
      "packet",
      "event",
      "event",
      "event",
      "packet",
      "event",
      "end",
    ]);
    expect(lines[1]).toBe('{"type":"packet","n":0,"octets":"45000014ff"}');
    expect(lines[2]).toBe(
      '{"type":"event","n":0,"t":10,"device":"ks1","kind":"packet.sent","cause":-1,"packet":0,"data":{"link":"l1","octets":5}}',
    );
  });
});

describe("reading", () => {
  it("gives the trace back, in pieces of any size", () => {
    const { trace, end, text } = sample();
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const reader = new NdjsonReader();
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        for (let i = 1; i < at.length; i++) reader.push(text.slice(at[i - 1], at[i]));
        const read = reader.finish();
        expect(read.problems).toEqual([]);
        expect(read.head).toEqual(HEAD);
        expect(read.end).toEqual(end);
        expect([...read.trace.range()]).toEqual([...trace.range()]);
        expect(read.trace.packet(1)).toEqual(fromHex("46"));
        expect(read.trace.fingerprint()).toBe(end.fingerprint);
      }),
      { numRuns: 50 },
    );
  });

  it("reads what it knows of a later version and lists what it does not", () => {
    const { text } = sample();
    const later = text
      .replace(`"version":${TRACE_VERSION}`, '"version":99,"colour":"red"')
      .replaceAll('"cause":', '"weight":3,"cause":')
      .replace('{"type":"end"', '{"type":"checkpoint","n":1}\n{"type":"end"');
    const read = readNdjson(later);
    expect(read.problems.map(({ code, line }) => [code, line])).toEqual([
      ["newerVersion", 1],
      ["unknownField", 1],
      ["unknownField", 3],
      ["unknownType", 8],
    ]);
    expect(read.trace.events).toBe(4);
    expect(read.end).toBeDefined();
  });

  it("tells a file that is cut off, wherever it is cut", () => {
    const { text } = sample();
    const whole = text.trimEnd().length;
    for (let length = 0; length < whole; length++) {
      const read = readNdjson(text.slice(0, length));
      expect(read.problems.length).toBeGreaterThan(0);
      expect(read.problems.at(-1)!.code).toBe(read.head === undefined ? "noHead" : "truncated");
    }
    expect(readNdjson(text.slice(0, whole)).problems).toEqual([]);
  });

  it("names the line of each mistake and goes on behind it", () => {
    const lines = sample().text.split("\n");
    const broken = (index: number, line: string) => codes(lines.with(index, line).join("\n"));
    expect(broken(7, "{")[0]).toEqual(["badJson", 8]);
    expect(broken(7, "[1]")[0]).toEqual(["badJson", 8]);
    expect(broken(6, lines[6]!.replace('"t":30', '"t":19'))).toEqual([["badLine", 7]]);
    expect(broken(6, lines[6]!.replace('"cause":2', '"cause":3'))).toEqual([["badLine", 7]]);
    expect(broken(6, lines[6]!.replace('"packet":1', '"packet":2'))).toEqual([["badLine", 7]]);
    expect(broken(6, lines[6]!.replace("gm1", "__proto__"))).toEqual([["badLine", 7]]);
    expect(broken(6, lines[6]!.replace('"t":30', '"t":1e400'))).toEqual([["badLine", 7]]);
    expect(broken(1, '{"type":"packet","n":0,"octets":"4g"}')).toContainEqual(["badLine", 2]);
    expect(broken(0, lines[0]!.replace('"b":1', '"b":2'))[0]).toEqual(["badLine", 1]);
  });

  it("says that a file of something else is no trace, once", () => {
    expect(codes("")).toEqual([["noHead", 0]]);
    expect(codes('{"a":1}\n{"b":2}\n')).toEqual([["noHead", 1]]);
    expect(codes("hello\nworld\n")).toEqual([
      ["badJson", 1],
      ["badJson", 2],
      ["noHead", 2],
    ]);
  });

  it("keeps only scalars of an event's data", () => {
    const { text } = sample();
    const odd = text.replace('"data":{"link":"l1"}', '"data":{"link":"l1","deep":{"a":1},"__proto__":7,"none":null}');
    expect(readNdjson(odd).trace.event(1).data).toEqual({ link: "l1" });
  });
});
