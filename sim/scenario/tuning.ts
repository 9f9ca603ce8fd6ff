/** Habits of roles that a scenario may change, as the roles take them. */

import { SECOND } from "../../src/base/micros.ts";
import type { Registration } from "../../src/gikev2/policy.ts";
import type { GmTuning } from "../../src/gm/config.ts";
import type { KsGroupConfig, KsTuning } from "../../src/ks/config.ts";
import type { Path } from "./document.ts";
import { duration } from "./line.ts";
import type { Problems } from "./problems.ts";
import type { NodeInput, TuningInput } from "./schema.ts";

/** What differs from the defaults of the roles. */
export interface Tuning {
  readonly ks: Partial<KsTuning>;
  readonly gm: Partial<GmTuning>;
  /** Of a key server's groups. */
  readonly group?: Pick<KsGroupConfig, "atdSeconds" | "dtdSeconds">;
  readonly rekeySignature?: TuningInput["rekey-signature"];
  /** The part of the keys that a member asks for, by group; all for the others. */
  readonly want?: ReadonlyMap<string, Registration["want"]>;
}

const TAKERS: Readonly<Record<keyof TuningInput, NodeInput["kind"]>> = {
  "eject-after": "ks",
  "batch-size": "ks",
  "batch-pause": "ks",
  "key-tree": "ks",
  "announce-next-spi": "ks",
  "rekey-signature": "ks",
  "activation-delay": "ks",
  "deactivation-delay": "ks",
  "rollover-left": "gm",
  "retry-wait": "gm",
  "wanted-keys": "gm",
};

type Delay = "activation-delay" | "deactivation-delay";

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
  const micros = (key: "batch-pause" | "rollover-left" | "retry-wait" | Delay) =>
    tuning[key] === undefined ? undefined : duration(tuning[key], [...path, "tuning", key], problems);
  const delay = (key: Delay) => {
    const time = micros(key);
    if (time === undefined) return undefined;
    // They travel as whole seconds in 16 bits (RFC 9838 section 4.4.3.1).
    if (time % SECOND === 0 && time / SECOND <= 0xffff) return time / SECOND;
    problems.add("outOfRange", [...path, "tuning", key], "this cannot be told to members", {
      expected: "whole seconds, at most 65535",
    });
    return undefined;
  };
  return {
    ks: given({
      ejectAfter: tuning["eject-after"],
      batchSize: tuning["batch-size"],
      batchPause: micros("batch-pause"),
      keyTree: tuning["key-tree"],
      announceNextSpi: tuning["announce-next-spi"],
    }),
    group: given({ atdSeconds: delay("activation-delay"), dtdSeconds: delay("deactivation-delay") }),
    rekeySignature: tuning["rekey-signature"],
    gm: given({ rolloverLeft: micros("rollover-left"), retryWait: micros("retry-wait") }),
    ...(tuning["wanted-keys"] === undefined ? {} : { want: new Map(Object.entries(tuning["wanted-keys"])) }),
  };
}

/** Without the keys that nothing was said about: they must not cover a default. */
function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
