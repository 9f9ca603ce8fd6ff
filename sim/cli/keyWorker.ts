/** A thread that works out Diffie-Hellman exchanges before the run comes to them. */
import { workerData } from "node:worker_threads";
import type { Bytes } from "../../src/base/bytes.ts";
import type { DhGroup } from "../../src/crypto/api.ts";
import { drawPrivateKey } from "../../src/crypto/ephemeral.ts";
import { native } from "../../src/crypto/native.ts";
import type { KeyExchange } from "../core/keyExchange.ts";
import { createRng, type SeededRng } from "../core/rng.ts";
import { KeyBoard } from "./keyBoard.ts";

export interface KeyTask {
  readonly seed: string;
  readonly forecast: readonly KeyExchange[];
  readonly memory: SharedArrayBuffer;
  /** This thread takes every `threads`-th exchange, from `first`. */
  readonly first: number;
  readonly threads: number;
}

/** Private keys of so many initiators are made known at a time, so that a run that catches up finds what is begun. */
const AHEAD = 64;

function work({ seed, forecast, memory, first, threads }: KeyTask): void {
  const board = new KeyBoard(
    memory,
    forecast.map(({ group }) => group),
  );
  const root = createRng(seed);
  const draw = (stream: SeededRng, group: DhGroup, peer?: Bytes) =>
    drawPrivateKey({ rng: stream, keys: stream }, group, peer);
  // While this thread started, the run has begun: each of its exchanges asks for two values.
  const begun = (board.asked >> 1) - ((board.asked >> 1) % threads);
  const step = AHEAD * threads;
  for (let chunk = begun + first; chunk < forecast.length; chunk += step) {
    const end = Math.min(forecast.length, chunk + step);
    for (let i = chunk; i < end; i += threads) {
      const { initiator, group } = forecast[i]!;
      board.offer(2 * i, draw(root.fork(initiator), group));
    }
    for (let i = chunk; i < end; i += threads) {
      if (board.isStopped) return;
      if (!board.settle(2 * i, native)) continue;
      const { responder, group } = forecast[i]!;
      board.offer(2 * i + 1, draw(root.fork(responder), group, board.publicValue(2 * i)));
      board.settle(2 * i + 1, native);
    }
  }
}

work(workerData as KeyTask);
