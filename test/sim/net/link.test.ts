import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { createStreams } from "../../../sim/core/streams.ts";
import { clearRule, createLink, isDown, setRule, transmit } from "../../../sim/net/link.ts";
import { type LinkRule, QUEUE_OCTETS_MAX, ruleProblem } from "../../../sim/net/linkRule.ts";
import { baseLatency, createPath, type Fate } from "../../../sim/net/path.ts";
import { MILLISECOND, SECOND } from "../../../src/base/micros.ts";

const streams = (seed = "1") => createStreams(createRng(seed));

/** Fates of `count` packets of 1000 octets, one each millisecond, from a to b. */
function send(rules: readonly LinkRule[], count = 1, seed = "1"): Fate[][] {
  const link = createLink("l", rules);
  const draws = streams(seed);
  return Array.from({ length: count }, (_, i) => [...transmit(link, "ab", i * MILLISECOND, 1000, draws)]);
}

const delays = (fates: Fate[][]) =>
  fates.map(([fate], i) => (fate !== undefined && "deliverAt" in fate ? fate.deliverAt - i * MILLISECOND : -1));

describe("a link without rules", () => {
  it("delivers at once", () => {
    expect(send([])).toEqual([[{ deliverAt: 0 }]]);
  });
});

describe("latency and jitter", () => {
  it("add a fixed time, or an entry of the table with equal odds", () => {
    expect(delays(send([{ kind: "latency", micros: 20_000 }], 3))).toEqual([20_000, 20_000, 20_000]);
    const drawn = delays(send([{ kind: "latency", micros: [5, 5, 5, 9] }], 4000));
    expect(new Set(drawn)).toEqual(new Set([5, 9]));
    expect(Math.abs(drawn.filter((delay) => delay === 9).length - 1000)).toBeLessThan(120);
  });

  it("reach both ends of the jitter and nothing beyond", () => {
    const drawn = new Set(
      delays(
        send(
          [
            { kind: "latency", micros: 10 },
            { kind: "jitter", maxMicros: 4 },
          ],
          400,
        ),
      ),
    );
    expect([...drawn].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14]);
  });

  it("let packets overtake, or keep their order where asked to", () => {
    const order = (ordered: boolean) => {
      const times = send([{ kind: "jitter", maxMicros: 20 * MILLISECOND, ordered }], 200).map(
        ([fate]) => (fate as { deliverAt: number }).deliverAt,
      );
      return times.every((time, i) => i === 0 || time >= times[i - 1]!);
    };
    expect(order(false)).toBe(false);
    expect(order(true)).toBe(true);
  });
});

describe("loss, duplication, reordering", () => {
  it("hit with their integer odds", () => {
    const lost = send([{ kind: "loss", hits: 1, outOf: 5 }], 10_000).filter(([fate]) => "lostAt" in fate!);
    expect(Math.abs(lost.length - 2000)).toBeLessThan(150);
    expect(lost[0]![0]).toMatchObject({ reason: "loss" });
    expect(send([{ kind: "loss", hits: 5, outOf: 5 }], 50).every(([fate]) => "lostAt" in fate!)).toBe(true);
  });

  it("deliver a second copy with a delay of its own", () => {
    const fates = send(
      [
        { kind: "duplicate", hits: 1, outOf: 1 },
        { kind: "jitter", maxMicros: 1000 },
      ],
      20,
    );
    expect(fates.every((copies) => copies.length === 2)).toBe(true);
    expect(fates.some(([a, b]) => JSON.stringify(a) !== JSON.stringify(b))).toBe(true);
  });

  it("hold a packet back so that the next one overtakes it", () => {
    const drawn = delays(send([{ kind: "reorder", hits: 1, outOf: 4, extraMicros: 5 * MILLISECOND }], 400));
    expect(new Set(drawn)).toEqual(new Set([0, 5 * MILLISECOND]));
    expect(Math.abs(drawn.filter((delay) => delay > 0).length - 100)).toBeLessThan(35);
  });

  it("draw from streams of their own: a rule more changes no other rule's draws", () => {
    const loss: LinkRule = { kind: "loss", hits: 1, outOf: 3 };
    const isLost = (rules: LinkRule[]) => send(rules, 200).map(([fate]) => "lostAt" in fate!);
    expect(
      isLost([loss, { kind: "jitter", maxMicros: 9 }, { kind: "reorder", hits: 1, outOf: 2, extraMicros: 1 }]),
    ).toEqual(isLost([loss]));
    const link = createLink("l", [loss]);
    const draws = streams();
    const both = (["ab", "ba"] as const).map((direction) =>
      Array.from({ length: 64 }, () => "lostAt" in transmit(link, direction, 0, 10, draws)[0]!),
    );
    expect(both[0]).not.toEqual(both[1]);
    expect(isLost([loss]).slice(0, 64)).toEqual(both[0]);
  });

  it("go on where they were after their streams are saved and restored", () => {
    const link = createLink("l", [{ kind: "loss", hits: 1, outOf: 2 }]);
    const draws = streams();
    for (let i = 0; i < 10; i++) transmit(link, "ab", i, 10, draws);
    const copy = structuredClone(link);
    const again = createStreams(createRng("1"), structuredClone(draws.save()));
    for (let i = 10; i < 60; i++) {
      expect(transmit(copy, "ab", i, 10, again)).toEqual(transmit(link, "ab", i, 10, draws));
    }
  });
});

describe("rate", () => {
  it("sends packets one behind the other and drops what the queue does not hold", () => {
    const link = createLink("l", [{ kind: "rate", bitsPerSecond: 8_000_000, queueOctets: 2500 }]);
    const draws = streams();
    const at = (now: number, octets: number) => transmit(link, "ab", now, octets, draws)[0];
    expect(at(0, 1000)).toEqual({ deliverAt: 1000 });
    expect(at(0, 1000)).toEqual({ deliverAt: 2000 });
    expect(at(0, 1000)).toEqual({ lostAt: 0, reason: "queue" });
    expect(at(0, 500)).toEqual({ deliverAt: 2500 });
    // After 500 us, 500 octets have left and as many fit.
    expect(at(500, 501)).toEqual({ lostAt: 500, reason: "queue" });
    expect(at(500, 500)).toEqual({ deliverAt: 3000 });
    // The other direction has a line of its own.
    expect(transmit(link, "ba", 500, 1000, draws)).toEqual([{ deliverAt: 1500 }]);
  });

  it("lets a packet larger than the queue pass an idle line", () => {
    const link = createLink("l", [{ kind: "rate", bitsPerSecond: 1_000_000, queueOctets: 0 }]);
    expect(transmit(link, "ab", 0, 1500, streams())).toEqual([{ deliverAt: 12_000 }]);
  });

  it("carries fractions of a microsecond, so that nothing is gained or lost over any number of packets", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 64_000, max: 100_000_000_000 }),
        fc.array(fc.integer({ min: 20, max: 65_535 }), { minLength: 1, maxLength: 40 }),
        (bitsPerSecond, sizes) => {
          const link = createLink("l", [{ kind: "rate", bitsPerSecond, queueOctets: QUEUE_OCTETS_MAX }]);
          const draws = streams();
          let bits = 0n;
          for (const octets of sizes) {
            bits += BigInt(octets) * 8n;
            const exact = (bits * 1_000_000n + BigInt(bitsPerSecond) - 1n) / BigInt(bitsPerSecond);
            expect(transmit(link, "ab", 0, octets, draws)).toEqual([{ deliverAt: Number(exact) }]);
          }
        },
      ),
    );
  });

  it("loses a packet in transit only after it has used the line", () => {
    const link = createLink("l", [
      { kind: "rate", bitsPerSecond: 8_000_000, queueOctets: 9000 },
      { kind: "loss", hits: 1, outOf: 1 },
    ]);
    expect(transmit(link, "ab", 7, 1000, streams())).toEqual([{ lostAt: 1007, reason: "loss" }]);
    expect(transmit(link, "ab", 7, 1000, streams())).toEqual([{ lostAt: 2007, reason: "loss" }]);
  });
});

describe("faults", () => {
  it("begin and end at the call, each direction by itself", () => {
    const link = createLink("l", []);
    const draws = streams();
    const reason = (direction: "ab" | "ba", octets = 100) => {
      const fate = transmit(link, direction, SECOND, octets, draws)[0]!;
      return "lostAt" in fate ? fate.reason : "delivered";
    };
    setRule(link, "ab", { kind: "partition" });
    expect([reason("ab"), reason("ba"), isDown(link)]).toEqual(["partition", "delivered", false]);
    setRule(link, "both", { kind: "down" });
    expect([reason("ab"), reason("ba"), isDown(link)]).toEqual(["down", "down", true]);
    clearRule(link, "both", "down");
    clearRule(link, "both", "partition");
    setRule(link, "ba", { kind: "mtu", octets: 576 });
    expect([reason("ab", 577), reason("ba", 576), reason("ba", 577)]).toEqual(["delivered", "delivered", "mtu"]);
    clearRule(link, "ba", "mtu");
    setRule(link, "ab", { kind: "loss", hits: 1, outOf: 1 });
    setRule(link, "ab", { kind: "loss", hits: 0, outOf: 1 });
    expect(reason("ab")).toBe("delivered");
  });

  it("do not touch the lists that a scenario gave", () => {
    const rules: LinkRule[] = [{ kind: "latency", micros: 5 }];
    const link = createLink("l", { ab: rules, ba: [] });
    setRule(link, "both", { kind: "latency", micros: 9 });
    expect(rules).toEqual([{ kind: "latency", micros: 5 }]);
    expect(transmit(link, "ba", 0, 1, streams())).toEqual([{ deliverAt: 9 }]);
  });
});

describe("rules that mean nothing", () => {
  it("are told in a sentence and refused", () => {
    const bad: LinkRule[] = [
      { kind: "latency", micros: -1 },
      { kind: "latency", micros: 0.5 },
      { kind: "latency", micros: [] },
      { kind: "latency", micros: [1, Number.NaN] },
      { kind: "jitter", maxMicros: 2 ** 32 },
      { kind: "loss", hits: 2, outOf: 1 },
      { kind: "loss", hits: 0, outOf: 0 },
      { kind: "duplicate", hits: -1, outOf: 4 },
      { kind: "reorder", hits: 1, outOf: 4, extraMicros: -5 },
      { kind: "rate", bitsPerSecond: 0, queueOctets: 1 },
      { kind: "rate", bitsPerSecond: 1, queueOctets: 2e9 },
      { kind: "mtu", octets: 19 },
    ];
    for (const rule of bad) {
      expect(ruleProblem(rule)).toBeTypeOf("string");
      expect(() => createLink("l", [rule])).toThrow(/^link\/l\/ab, rule/);
    }
    expect(() => createLink("l", [{ kind: "down" }, { kind: "down" }])).toThrow(/two rules/);
  });
});

describe("the base latency", () => {
  it("is the least that the rule allows", () => {
    expect(baseLatency(createPath("p", []))).toBe(0);
    expect(baseLatency(createPath("p", [{ kind: "latency", micros: 7 }]))).toBe(7);
    expect(baseLatency(createPath("p", [{ kind: "latency", micros: [7, 3, 5] }]))).toBe(3);
  });
});
