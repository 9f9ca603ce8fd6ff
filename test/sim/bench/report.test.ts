import { describe, expect, it } from "vitest";
import { median, rateRow, reportText, valueRow } from "../../../sim/bench/report.ts";

describe("the rows of a benchmark", () => {
  it("compare round by round, so that a slow minute of the machine does not count", () => {
    const row = rateRow("x", "things/s", 10, { ours: [1, 4, 2], baseline: [1, 4, 3] });
    expect(row).toEqual({ name: "x", unit: "things/s", median: 5, min: 2.5, max: 10, baseline: 10 / 3, ratio: 1 });
  });

  it("take the middle of an even number of rounds between the two in the middle", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(valueRow("y", "MB", [3, 1, 2])).toEqual({ name: "y", unit: "MB", median: 2, min: 1, max: 3 });
  });

  it("are printed with three significant figures", () => {
    const rows = [valueRow("small", "us", [1.2345]), valueRow("large", "events/s", [12_345_678])];
    expect(reportText({ benchmark: "demo", rows })).toContain("small  1.23    us");
    expect(reportText({ benchmark: "demo", rows })).toContain("large  12.3M");
  });
});
