/** A console on a scenario of the repository, and what its trace holds. */
import { answer, type Console, openConsole } from "../../../sim/cli/consoleSession.ts";
import { createRun, type Run } from "../../../sim/scenario/runner.ts";
import { native } from "../../../src/crypto/native.ts";
import { diskScenario } from "../../scenarios/diskScenario.ts";

export interface Typed {
  readonly run: Run;
  readonly session: Console;
  /** Types lines one after the other, as at the console (`until 60s`, `@gm1`), and returns what the last one prints. */
  type(...lines: readonly string[]): string;
  /** Kinds and reasons of the events of a device behind the last call of `mark`, those that begin with one of `kinds`. */
  happened(device: string, ...kinds: readonly string[]): readonly string[];
  mark(): void;
}

export function typed(scenario: string): Typed {
  const loaded = diskScenario(scenario);
  const run = createRun(loaded, { crypto: native });
  const session = openConsole(run, loaded, undefined);
  if (typeof session === "string") throw new Error(session);
  let from = 0;
  return {
    run,
    session,
    type: (...lines) => lines.map((line) => answer(session, line)).at(-1) ?? "",
    happened(device, ...kinds) {
      const found: string[] = [];
      const { number } = run.network.byName.get(device)!;
      for (let i = from; i < run.trace.events; i++) {
        const event = run.trace.event(i);
        if (event.device !== number || !kinds.some((kind) => event.kind.startsWith(kind))) continue;
        found.push(event.data.reason === undefined ? event.kind : `${event.kind} ${event.data.reason}`);
      }
      return found;
    },
    mark() {
      from = run.trace.events;
    },
  };
}
