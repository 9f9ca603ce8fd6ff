/** What a benchmark prints: one row a figure, medians over rounds in which all contestants took their turns. */

/** Times of one contestant and of its baseline, round by round, in seconds for one piece of work each. */
export interface Rounds {
  readonly ours: readonly number[];
  readonly baseline: readonly number[];
}

export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The baseline's median in the same unit. */
  readonly baseline?: number;
  /** Median over the rounds of ours to the baseline of the same round; higher is better. */
  readonly ratio?: number;
}

export interface BenchReport {
  readonly benchmark: string;
  readonly rows: readonly BenchRow[];
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A row of plain values. */
export function valueRow(name: string, unit: string, values: readonly number[]): BenchRow {
  return { name, unit, median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * A row of how much is done in a second. `amount`: pieces of work in one round. The ratio compares round by round, since
 * what disturbs a machine disturbs neighbours in time alike.
 */
export function rateRow(name: string, unit: string, amount: number, { ours, baseline }: Rounds): BenchRow {
  const row = valueRow(
    name,
    unit,
    ours.map((seconds) => amount / seconds),
  );
  return {
    ...row,
    baseline: median(baseline.map((seconds) => amount / seconds)),
    ratio: median(ours.map((seconds, round) => baseline[round]! / seconds)),
  };
}

/** For people: columns, three significant figures. */
export function reportText({ benchmark, rows }: BenchReport): string {
  const cells = rows.map((row) => [
    row.name,
    figure(row.median),
    row.unit,
    `${figure(row.min)} .. ${figure(row.max)}`,
    row.baseline === undefined ? "" : figure(row.baseline),
    row.ratio === undefined ? "" : row.ratio.toFixed(2),
  ]);
  const table = [[benchmark, "median", "unit", "min .. max", "baseline", "ratio"], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  const text = table.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  return `${text.join("\n")}\n`;
}

function figure(value: number): string {
  const [scaled, suffix] = value >= 1e6 ? [value / 1e6, "M"] : value >= 1e4 ? [value / 1e3, "k"] : [value, ""];
  return `${scaled >= 100 ? scaled.toFixed(0) : scaled.toPrecision(3)}${suffix}`;
}
