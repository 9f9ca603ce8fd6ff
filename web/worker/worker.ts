/** The worker of the page: holds one run, computes it in slices and answers between them. */

import { createFeed, dissected, nextMessages, type Outcome, type WatchedRun } from "../../sim/serve/liveRun.ts";
import { type HolderMessage, PROTOCOL_VERSION } from "../../sim/serve/protocol.ts";
import { ConfigError } from "../../src/base/errors.ts";
import type { WorkerMessage } from "./message.ts";
import { ReplayError } from "./replayError.ts";
import { scenarioEntries } from "./scenarioFiles.ts";

const scope = self as unknown as DedicatedWorkerGlobalScope;

let run: WatchedRun | undefined;
/** Counts runs: a slice of a run that was replaced meanwhile is not continued. */
let generation = 0;

function post(message: HolderMessage): void {
  if (message.type !== "events") {
    scope.postMessage(message);
    return;
  }
  const { chunk } = message;
  // Columns may lie in one buffer, and none may be handed over twice.
  const buffers = new Set(
    [chunk.time, chunk.device, chunk.kind, chunk.cause, chunk.packet].map(({ buffer }) => buffer),
  );
  scope.postMessage(message, [...buffers] as ArrayBuffer[]);
}

/** Yields to incoming messages between slices without the delay that nested timers get. */
const channel = new MessageChannel();
let resume: (() => void) | undefined;
channel.port1.onmessage = () => resume?.();
const nextTurn = () =>
  new Promise<void>((resolve) => {
    resume = resolve;
    channel.port2.postMessage(0);
  });

async function drive(next: WatchedRun): Promise<void> {
  const mine = ++generation;
  run = next;
  const feed = createFeed();
  let outcome: Outcome | undefined;
  while (mine === generation && outcome === undefined) {
    if (!next.done) next.step();
    if (next.done) outcome = next.outcome();
    for (const message of nextMessages(next, feed, outcome)) post(message);
    await nextTurn();
  }
}

/** The simulator and the reader of files are loaded when they are wanted: the page is there before them. */
async function handle(message: WorkerMessage): Promise<void> {
  if (message.type === "dissect") post(dissected(run, message.id, message.packet));
  else if (message.type === "open") await drive(await (await import("./replay.ts")).openReplay(message.files));
  else if (message.action === "start") await drive((await import("./runs.ts")).startRun(message));
  else if (message.action === "stop") generation++;
}

function failureMessage(error: unknown): HolderMessage {
  if (error instanceof ConfigError) {
    return { type: "error", code: "config", message: "The scenario has problems.", problems: error.problems };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { type: "error", code: error instanceof ReplayError ? "file" : "internal", message, problems: [] };
}

scope.addEventListener("message", (event: MessageEvent<WorkerMessage>) => {
  handle(event.data).catch((error: unknown) => post(failureMessage(error)));
});
post({ type: "hello", version: PROTOCOL_VERSION, scenarios: scenarioEntries, attachable: false });
