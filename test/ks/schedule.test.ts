import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import { shortenedLifetime } from "../../src/gikev2/shortenedLifetime.ts";
import { nextSequence, rekeyInstant, rekeyMargin, takesKekAlong } from "../../src/ks/schedule.ts";

const TWO_COPIES = { seconds: 10, count: 2 };

describe("the margin of a rekey", () => {
  it.each([
    // Life of a TEK, retransmit period and number, seconds left when the rekey starts.
    [3600, 10, 2, 205],
    [7200, 40, 3, 485],
    [86400, 10, 2, 3625],
    [1800, 10, 2, 115],
  ])(
    "is what real key servers show for a TEK of %i s with retransmit %i number %i: %i s",
    (life, seconds, count, left) => {
      expect(rekeyMargin("tek", life, { seconds, count })).toBe(left * SECOND);
    },
  );

  it("has a floor of 200 s for a KEK, and no allowance for copies in a multicast group", () => {
    expect(rekeyMargin("kek", 3600, TWO_COPIES)).toBe(225 * SECOND);
    expect(rekeyMargin("kek", 3600, undefined)).toBe(200 * SECOND);
    expect(rekeyMargin("tek", 3600, undefined)).toBe(180 * SECOND);
  });

  it("differs by 110 s between KEK and TEK of a short life, whatever the copies", () => {
    for (const retransmit of [undefined, TWO_COPIES, { seconds: 60, count: 3 }]) {
      expect(rekeyMargin("kek", 1200, retransmit) - rekeyMargin("tek", 1200, retransmit)).toBe(110 * SECOND);
    }
  });

  it("takes no more than three quarters of the life: a TEK of 120 s is renewed every 30 s", () => {
    expect(rekeyMargin("tek", 120, TWO_COPIES)).toBe(90 * SECOND);
    expect(rekeyInstant("tek", 120 * SECOND, 120, TWO_COPIES)).toBe(30 * SECOND);
  });
});

describe("a KEK that lives twice as long as the TEK", () => {
  it("is renewed with every second TEK rekey, so its period is exactly twice the TEK's", () => {
    const tekLife = 3600;
    const kekLife = 7200;
    const margin = rekeyMargin("tek", tekLife, TWO_COPIES);
    let kekBorn = 0;
    let sequence = 0;
    const shown: number[] = [];
    const births: number[] = [];
    for (let now = tekLife * SECOND - margin, i = 0; i < 6; i++, now += tekLife * SECOND - margin) {
      const kekRekeyAt = rekeyInstant("kek", kekBorn + kekLife * SECOND, kekLife, TWO_COPIES);
      expect(now).toBeLessThanOrEqual(kekRekeyAt);
      const along = takesKekAlong(now, kekRekeyAt, margin);
      sequence = nextSequence(sequence, along).shown;
      shown.push(sequence);
      if (!along) continue;
      births.push(now - kekBorn);
      kekBorn = now;
    }
    expect(shown).toEqual([1, 0, 1, 0, 1, 0]);
    expect(new Set(births)).toEqual(new Set([2 * (tekLife * SECOND - margin)]));
  });

  it("is sent under the number that follows on the old KEK", () => {
    expect(nextSequence(4, true)).toEqual({ sent: 5, shown: 0 });
    expect(nextSequence(4, false)).toEqual({ sent: 5, shown: 5 });
  });
});

describe("the life of an obsolete TEK", () => {
  it("is cut to the larger of 90 s and 5 % of its life, at most an hour, never lengthened", () => {
    expect(shortenedLifetime(3000 * SECOND, 3600)).toBe(180 * SECOND);
    expect(shortenedLifetime(600 * SECOND, 900)).toBe(90 * SECOND);
    expect(shortenedLifetime(40 * SECOND, 3600)).toBe(40 * SECOND);
    expect(shortenedLifetime(80_000 * SECOND, 2_592_000)).toBe(3600 * SECOND);
  });
});
