/** `getvpn bench engine`: the event queue beside the npm package flatqueue. */
import { bareHold, type HoldModel, type NumberQueue, schedulerHold } from "../bench/hold.ts";
import { type BenchReport, type BenchRow, rateRow } from "../bench/report.ts";
import { peakMemory, secondsOf, takeTurns } from "./benchClock.ts";
import type { BenchOptions } from "./benchOptions.ts";
import { printNote } from "./terminal.ts";

const SIZES = [1_000, 100_000, 1_000_000];
const EVENTS = 2_000_000;

/** Absent where the package is not installed: then there is nothing to compare with. */
async function flatQueue(): Promise<(new () => NumberQueue) | undefined> {
  try {
    return (await import("flatqueue")).default;
  } catch {
    printNote("flatqueue is not installed (npm i flatqueue): no baseline");
    return undefined;
  }
}

export async function benchEngine({ rounds, quick }: BenchOptions): Promise<BenchReport> {
  const FlatQueue = await flatQueue();
  const rows: BenchRow[] = [];
  for (const size of quick ? SIZES.slice(0, 1) : SIZES) {
    printNote(`${size} pending`);
    const events = quick ? 100_000 : EVENTS;
    const ours = warm(schedulerHold(size), events);
    const baseline = FlatQueue === undefined ? undefined : warm(bareHold(size, new FlatQueue()), events);
    const turn = (model: HoldModel) => () => secondsOf(() => model.run(events));
    const times = takeTurns(rounds, turn(ours), turn(baseline ?? ours));
    const { baseline: theirs, ratio, ...row } = rateRow(`hold ${size}`, "events/s", events, times);
    rows.push(baseline === undefined ? row : { ...row, baseline: theirs, ratio });
  }
  return { benchmark: "engine", rows };
}

function warm(model: HoldModel, events: number): HoldModel {
  model.run(events >>> 2);
  return model;
}

/** The line by which a product joins the comparators' hold model. */
export function holdLine(pending: number, events: number): string {
  const model = warm(schedulerHold(pending), events);
  const before = model.handled;
  const seconds = secondsOf(() => model.run(events));
  const handled = model.handled - before;
  const rss = (peakMemory() / 2 ** 20).toFixed(1);
  const speed = (handled / seconds).toFixed(0);
  return `W1 engine=getvpn N=${pending} ops=${handled} wall_s=${seconds.toFixed(4)} events_per_s=${speed} rss_mb=${rss}\n`;
}
