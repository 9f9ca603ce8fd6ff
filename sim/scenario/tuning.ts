/** Habits of roles that a scenario may change, as the roles take them. */
import type { GmTuning } from "../../src/gm/config.ts";
import type { KsTuning } from "../../src/ks/config.ts";
import type { Path } from "./document.ts";
import { duration } from "./line.ts";
import type { Problems } from "./problems.ts";
import type { NodeInput, TuningInput } from "./schema.ts";

/** What differs from the defaults of the roles. */
export interface Tuning {
  readonly ks: Partial<KsTuning>;
  readonly gm: Partial<GmTuning>;
}

const TAKERS: Readonly<Record<keyof TuningInput, NodeInput["kind"]>> = {
  "eject-after": "ks",
  "batch-size": "ks",
  "batch-pause": "ks",
  "rollover-left": "gm",
  "retry-wait": "gm",
};

/** A habit that the node's kind does not have is a `conflict`. */
export function loadTuning(input: NodeInput, path: Path, problems: Problems): Tuning {
  const { tuning = {} } = input;
  for (const key of Object.keys(tuning) as (keyof TuningInput)[]) {
    if (TAKERS[key] !== input.kind) {
      problems.add("conflict", [...path, "tuning", key], `this is a habit of nodes of kind ${TAKERS[key]}`, {
        of: "key",
      });
    }
  }
  const micros = (key: "batch-pause" | "rollover-left" | "retry-wait") =>
    tuning[key] === undefined ? undefined : duration(tuning[key], [...path, "tuning", key], problems);
  return {
    ks: given({
      ejectAfter: tuning["eject-after"],
      batchSize: tuning["batch-size"],
      batchPause: micros("batch-pause"),
    }),
    gm: given({ rolloverLeft: micros("rollover-left"), retryWait: micros("retry-wait") }),
  };
}

/** Without the keys that nothing was said about: they must not cover a default. */
function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
