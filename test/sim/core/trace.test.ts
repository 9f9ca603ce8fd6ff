import { describe, expect, it } from "vitest";
import { NONE, Trace, type TraceLevel } from "../../../sim/core/trace.ts";
import { fromHex } from "../../../src/base/bytes.ts";

const PING = fromHex("4500001c");
const PONG = fromHex("45000020");

/** A packet goes from device 0 to 1 and is answered; the answer is lost. */
function fill(trace: Trace): Trace {
  const sent = trace.append(1000, 0, "packet.sent", NONE, PING, { link: "l1", octets: 4 });
  const got = trace.append(1250, 1, "packet.received", sent, PING, { link: "l1" });
  const up = trace.append(1250, 1, "gm.registered", got, undefined, { group: "G1" });
  const answer = trace.append(1300, 1, "packet.sent", up, PONG, { link: "l1", octets: 4 });
  trace.append(1400, 1, "packet.lost", answer, PONG, { link: "l1", reason: "loss" });
  return trace;
}

describe("a trace", () => {
  it("numbers events without gaps and gives each back as it was appended", () => {
    const trace = fill(new Trace());
    expect(trace.events).toBe(5);
    expect(trace.event(1)).toEqual({
      number: 1,
      time: 1250,
      device: 1,
      kind: "packet.received",
      cause: 0,
      packet: 0,
      data: { link: "l1" },
    });
    expect(trace.event(2)).toMatchObject({ kind: "gm.registered", cause: 1, packet: NONE });
    expect(() => trace.event(5)).toThrow();
  });

  it("keeps a packet once, by the object that holds its octets", () => {
    const trace = fill(new Trace());
    expect(trace.packets).toBe(2);
    expect(trace.packet(0)).toEqual(PING);
    expect(trace.packetNumber(PONG)).toBe(1);
    // Equal octets sent twice are two packets: a retransmission has a life of its own.
    expect(trace.packetNumber(PONG.slice())).toBe(2);
  });

  it("refuses to go back in time and to name a cause that is not there yet", () => {
    const trace = fill(new Trace());
    expect(() => trace.append(1399, 0, "a.b")).toThrow(/older/);
    expect(() => trace.append(1500, 0, "a.b", 5)).toThrow(/later one/);
    expect(trace.events).toBe(5);
  });

  it("finds events by kind and by instant", () => {
    const trace = fill(new Trace());
    expect([...trace.ofKind("packet.sent")].map((event) => event.number)).toEqual([0, 3]);
    expect([...trace.ofKind("packet.sent", 1)].map((event) => event.number)).toEqual([3]);
    expect([...trace.ofKind("no.such")]).toEqual([]);
    expect(trace.countOf("packet.received")).toBe(1);
    expect([0, 1000, 1001, 1250, 1400, 1401].map((time) => trace.firstAt(time))).toEqual([0, 0, 1, 1, 4, 5]);
  });

  it("holds more events than a block has room for", () => {
    const trace = new Trace();
    for (let i = 0; i < 40_000; i++) trace.append(i, i % 9, `k.${i % 5}`, i - 1);
    expect(trace.event(39_999)).toMatchObject({ time: 39_999, device: 39_999 % 9, kind: "k.4", cause: 39_998 });
    expect(trace.event(0)).toMatchObject({ time: 0, kind: "k.0", cause: -1 });
    expect(trace.kinds).toEqual(["k.0", "k.1", "k.2", "k.3", "k.4"]);
    expect(trace.firstAt(33_000)).toBe(33_000);
    const { time, cause } = trace.chunk(10_000, 0);
    expect(time).toEqual(Float64Array.from({ length: 30_000 }, (_, i) => 10_000 + i));
    expect(cause).toEqual(Int32Array.from({ length: 30_000 }, (_, i) => 9_999 + i));
  });
});

describe("levels", () => {
  const at = (level: TraceLevel) => fill(new Trace({ level }));

  it("never move the fingerprint, nor the numbers of events and packets", () => {
    const full = at("full");
    expect(full.fingerprint()).toMatch(/^[0-9a-f]{64}$/);
    for (const level of ["protocol", "off"] as const) {
      expect(at(level).fingerprint()).toBe(full.fingerprint());
      expect(at(level).events).toBe(5);
      expect(at(level).packets).toBe(2);
    }
  });

  it("drop octets at `protocol` and everything at `off`", () => {
    expect(at("protocol").event(3)).toEqual(at("full").event(3));
    expect(at("protocol").packet(0)).toHaveLength(0);
    expect([...at("off").range()]).toEqual([]);
    expect(at("off").chunk(0, 0).count).toBe(0);
    expect(() => at("off").event(0)).toThrow();
  });
});

describe("chunks", () => {
  it("build the same trace elsewhere, in whatever portions they are taken", () => {
    for (const portion of [1, 2, 3, 5]) {
      const source = new Trace();
      const target = new Trace();
      let sinceLast = 0;
      const append = source.append.bind(source);
      source.append = (...event) => {
        const number = append(...event);
        if (++sinceLast % portion === 0)
          target.appendChunk(structuredClone(source.chunk(target.events, target.packets)));
        return number;
      };
      fill(source);
      target.appendChunk(source.chunk(target.events, target.packets));
      expect([...target.range()]).toEqual([...source.range()]);
      expect(target.kinds).toEqual(source.kinds);
      expect([...target.ofKind("packet.lost")]).toEqual([...source.ofKind("packet.lost")]);
      expect([target.packet(0), target.packet(1)]).toEqual([PING, PONG]);
      expect(target.fingerprint()).toBe(source.fingerprint());
    }
  });

  it("name a kind in the chunk in which it first appears", () => {
    const trace = fill(new Trace());
    expect(trace.chunk(0, 0).newKinds).toEqual(["packet.sent", "packet.received", "gm.registered", "packet.lost"]);
    expect(trace.chunk(3, 2)).toMatchObject({ firstEvent: 3, count: 2, newKinds: ["packet.lost"], packets: [] });
  });

  it("are refused where they leave a gap", () => {
    const source = fill(new Trace());
    expect(() => new Trace().appendChunk(source.chunk(1, 0))).toThrow(/0 expected/);
    expect(() => new Trace().appendChunk(source.chunk(0, 1))).toThrow(/0 expected/);
  });

  it("do not carry a fingerprint where nobody asked for one", () => {
    const target = new Trace({ fingerprint: false });
    target.appendChunk(fill(new Trace()).chunk(0, 0));
    expect(target.fingerprint()).toBe("");
  });
});
