import { describe, expect, it } from "vitest";
import { DAY, HOUR, SECOND } from "../../src/base/micros.ts";
import { clockLine, logStamp } from "../../src/ios/clock.ts";

describe("a clock that was never set", () => {
  it.each([
    [0, "*Mar  1 00:00:00.000"],
    [10 * SECOND + 919_999, "*Mar  1 00:00:10.919"],
    [DAY - 1, "*Mar  1 23:59:59.999"],
    [9 * DAY + HOUR, "*Mar 10 01:00:00.000"],
    [31 * DAY, "*Apr  1 00:00:00.000"],
    [306 * DAY, "*Jan  1 00:00:00.000"],
    [365 * DAY, "*Mar  1 00:00:00.000"],
  ])("at %i", (time, stamp) => {
    expect(logStamp(time)).toBe(stamp);
  });

  it("begins on a Monday; January belongs to the next year", () => {
    expect(clockLine(SECOND)).toBe("*00:00:01.000 UTC Mon Mar 1 1993");
    expect(clockLine(306 * DAY)).toBe("*00:00:00.000 UTC Sat Jan 1 1994");
  });
});
