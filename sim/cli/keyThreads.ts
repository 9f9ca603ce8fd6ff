/** Threads that do a run's Diffie-Hellman ahead of it, on the processors that it leaves idle. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Crypto } from "../../src/crypto/api.ts";
import type { KeyExchange } from "../core/keyExchange.ts";
import { boardCrypto, KeyBoard, sharedMemoryFor } from "./keyBoard.ts";
import type { KeyTask } from "./keyWorker.ts";

export interface KeyThreads {
  /** The back end, which finds at hand what the threads have done. */
  readonly crypto: Crypto;
  /** When all of them have ended: nothing is left to do, or they were stopped. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

/** Built beside the command line; a program that runs from its sources has none. */
const WORKER = new URL("./keyWorker.js", import.meta.url);

/** More threads than this wait for the run, not the run for them. */
const THREADS_MOST = 3;
/** Below, a thread has hardly started when all is done. */
const EXCHANGES_LEAST = 200;

/** As many threads as processors are idle beside the run. */
export function idleProcessors(): number {
  return Math.min(THREADS_MOST, availableParallelism() - 1);
}

/** Undefined where it is not worth it: few exchanges, no thread. `seed`: of the run whose forecast it is. */
export function startKeyThreads(
  crypto: Crypto,
  seed: string,
  forecast: readonly KeyExchange[],
  threads = idleProcessors(),
  worker = WORKER,
): KeyThreads | undefined {
  if (threads === 0 || forecast.length < EXCHANGES_LEAST || !existsSync(fileURLToPath(worker))) return undefined;
  const groups = forecast.map(({ group }) => group);
  const memory = sharedMemoryFor(groups);
  const board = new KeyBoard(memory, groups);
  const ends = Array.from({ length: threads }, (_, first) => {
    const workerData: KeyTask = { seed, forecast, memory, first, threads };
    const thread = new Worker(worker, { workerData });
    // The run does without them where they fail, and nobody waits for them at the end.
    thread.on("error", () => board.stop()).unref();
    return new Promise((resolve) => thread.once("exit", resolve));
  });
  return {
    crypto: { ...crypto, ...boardCrypto(crypto, board) },
    ended: Promise.all(ends),
    stop: () => board.stop(),
  };
}
