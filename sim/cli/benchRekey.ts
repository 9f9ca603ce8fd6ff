/**
 * `getvpn bench rekey`: unicast rekeys with acknowledgement beside a skeleton that does the same cryptography, and signed
 * rekeys for all members with results shared and not.
 */
import { spawnSync } from "node:child_process";
import { assert } from "../../src/base/errors.ts";
import { native } from "../../src/crypto/native.ts";
import { bareFanOut } from "../bench/bareFanOut.ts";
import { type FanOut, roleFanOut } from "../bench/fanOut.ts";
import { type BenchReport, type BenchRow, rateRow, valueRow } from "../bench/report.ts";
import { type SignedFanOut, type SignedShape, signedFanOut } from "../bench/signedFanOut.ts";
import { Trace } from "../core/trace.ts";
import { memoCrypto } from "../scenario/memo.ts";
import { nodeSha256 } from "./backends.ts";
import { peakMemory, secondsOf, takeTurns } from "./benchClock.ts";
import type { BenchOptions } from "./benchOptions.ts";
import { boundHeap } from "./boundedHeap.ts";
import { printNote } from "./terminal.ts";
import { createTraceFile, type TraceFile } from "./traceFile.ts";

const SIZES = [1_000, 10_000];
const REKEYS = 20;
/** Of signed rekeys, in each round. */
const SIGNED_REKEYS = 3;
const SIGNED_SHAPES: readonly SignedShape[] = ["G-IKEv2 with ECDSA P-256", "GDOI with RSA-2048"];
const MEGABYTE = 2 ** 20;

/** As `getvpn run` keeps it. */
const newTrace = ({ spill }: TraceFile): Trace => new Trace({ sha256: nodeSha256(), spill });

export function benchRekey({ rounds, quick }: BenchOptions): BenchReport {
  const rows: BenchRow[] = [];
  const sizes = quick ? [50] : SIZES;
  const rekeys = quick ? 2 : REKEYS;
  for (const size of sizes) {
    rows.push(...rowsOf(size, rekeys, rounds));
    printNote(`${size} members: memory of a process of its own`);
    const memory = memoryRow(size, rekeys);
    if (memory !== undefined) rows.push(memory);
  }
  for (const shape of SIGNED_SHAPES) rows.push(signedRow(shape, sizes.at(-1)!, rounds));
  return { benchmark: "rekey", rows };
}

/** The same members in all contests, each time with another back end and a new trace. */
function rowsOf(size: number, rekeys: number, rounds: number): readonly BenchRow[] {
  boundHeap(size);
  printNote(`${size} members register`);
  const roles = roleFanOut(size, native);
  const bare = bareFanOut(size, roles.shape(native), native);
  const memo = memoCrypto(native);
  const contests = {
    bare: () => timed(bare, rekeys),
    plain: () => timedRoles("plain"),
    memo: () => timedRoles("memo"),
    untraced: () => timedRoles("untraced"),
  };
  function timedRoles(kind: "plain" | "memo" | "untraced"): number {
    const file = createTraceFile();
    roles.change(kind === "memo" ? memo : native, kind === "untraced" ? undefined : newTrace(file));
    const seconds = timed(roles, rekeys);
    roles.change(native, undefined);
    file.close();
    return seconds;
  }
  roles.run(1);
  bare.run(1);
  const times: Record<keyof typeof contests, number[]> = { bare: [], plain: [], memo: [], untraced: [] };
  for (let round = 0; round < rounds; round++) {
    printNote(`${size} members: round ${round + 1} of ${rounds}`);
    for (const kind of ["plain", "bare", "memo", "untraced"] as const) times[kind].push(contests[kind]());
  }
  const exchanges = size * rekeys;
  const row = (name: string, ours: readonly number[], baseline: readonly number[]) =>
    rateRow(`${size} members, ${name}`, "rekeys/s", exchanges, { ours, baseline });
  return [
    row("no memo", times.plain, times.bare),
    row("memo", times.memo, times.bare),
    row("trace on against off", times.plain, times.untraced),
  ];
}

/** One signed message for all members: our own speed with the memo on against off, over the very same rekeys. */
function signedRow(shape: SignedShape, size: number, rounds: number): BenchRow {
  printNote(`${size} members register, twice, for rekeys of ${shape}`);
  const [on, off] = [memoCrypto(native), native].map((crypto) => {
    const model = signedFanOut(size, crypto, shape);
    const trace = newTrace(createTraceFile());
    model.traceTo(trace);
    model.run(1);
    return { model, trace };
  }) as [TracedModel, TracedModel];
  const run = ({ model }: TracedModel) => secondsOf(() => model.run(SIGNED_REKEYS));
  const times = takeTurns(
    rounds,
    () => run(on),
    () => run(off),
  );
  assert(on.trace.fingerprint() === off.trace.fingerprint(), "the memo has moved the fingerprint");
  return rateRow(`${size} members, ${shape}, memo on against off`, "rekeys/s", size * SIGNED_REKEYS, times);
}

interface TracedModel {
  readonly model: SignedFanOut;
  readonly trace: Trace;
}

function timed(model: FanOut, rekeys: number): number {
  return secondsOf(() => model.run(rekeys));
}

/** Peak of a process that does nothing else. */
function memoryRow(size: number, rekeys: number): BenchRow | undefined {
  const args = [...process.execArgv, process.argv[1]!, "bench", "rekey", "--w2", String(size), String(rekeys)];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const peak = /\brss_mb=([\d.]+)/.exec(stdout ?? "")?.[1];
  return peak === undefined ? undefined : valueRow(`${size} members, peak memory, trace on`, "MB", [Number(peak)]);
}

/** The line by which a product joins the comparators' fan-out: registration is its set-up. */
export function fanOutLine(size: number, rekeys: number): string {
  boundHeap(size);
  let setup = 0;
  const start = performance.now();
  const roles = roleFanOut(size, native);
  roles.change(native, newTrace(createTraceFile()));
  setup = (performance.now() - start) / 1_000;
  let counts = roles.run(0);
  const wall = secondsOf(() => {
    counts = roles.run(rekeys);
  });
  const { dataSent, dataRx, ackSent, ackRx, timers, failed, rounds, events } = counts;
  const packets = dataSent + ackSent;
  const modelEvents = dataRx + ackRx + timers + rounds;
  const values = {
    engine: "getvpn",
    N: size,
    rounds,
    setup_s: setup.toFixed(3),
    wall_s: wall.toFixed(4),
    packets,
    packets_per_s: (packets / wall).toFixed(0),
    model_events_per_s: (modelEvents / wall).toFixed(0),
    native_events: events,
    native_events_per_s: (events / wall).toFixed(0),
    rss_mb: (peakMemory() / MEGABYTE).toFixed(1),
    dataSent,
    dataRx,
    ackRx,
    timers,
    failed,
  };
  return `W2 ${Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ")}\n`;
}
