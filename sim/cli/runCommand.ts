/** `getvpn run SCENARIO`: the run, its report, and what it leaves behind. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Command, Option } from "commander";
import { ConfigError } from "../../src/base/errors.ts";
import { formatSeconds, type Micros } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { MEMORY_OCTETS } from "../core/blockList.ts";
import { syslogLines } from "../device/syslog.ts";
import { loadScenario } from "../scenario/loader.ts";
import { verdictOf } from "../scenario/report.ts";
import { createRun, type Run, type RunOptions } from "../scenario/runner.ts";
import { backends, nodeSha256 } from "./backends.ts";
import { boundHeap } from "./boundedHeap.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { idleProcessors, type KeyThreads, startKeyThreads } from "./keyThreads.ts";
import { parseMegabytes, parseRunNumber, parseThreads, parseUntil } from "./optionValue.ts";
import { OutputError, writeJunit, writeRun } from "./outputFiles.ts";
import { readScenarioFiles } from "./scenarioFiles.ts";
import { summaryText } from "./summary.ts";
import { createProgress, outColors, printData, printInternal, printNote, printProblems } from "./terminal.ts";
import { createTraceFile } from "./traceFile.ts";
import { printIgnored } from "./validateCommand.ts";

interface RunFlags {
  readonly seed?: string;
  readonly run?: number;
  readonly until?: Micros;
  readonly crypto: keyof typeof backends;
  readonly memo: boolean;
  readonly threads: number;
  readonly json?: boolean;
  readonly syslog?: boolean;
  readonly out?: string;
  readonly junit?: string;
  readonly traceMemory: number;
}

const MEGABYTE = 1 << 20;

/** Events of the queue between two looks at signals and the progress bar. */
const SLICE_EVENTS = 2_000;

const VERDICT_EXIT = { passed: EXIT.ok, failed: EXIT.failed, inconclusive: EXIT.inconclusive } as const;

/** Adds the command; `done` gets its exit code. */
export function addRun(program: Command, done: (exit: ExitCode) => void): void {
  program
    .command("run")
    .description("run a scenario and tell how it came out")
    .argument("<scenario>", "YAML file")
    .option("--seed <seed>", "of all random streams (default: that of the scenario)")
    .option("--run <number>", "number of the repetition under that seed (default: 0)", parseRunNumber)
    .option("--until <duration>", "end the run earlier, such as 90s", parseUntil)
    .addOption(new Option("--crypto <backend>", "back end").choices(Object.keys(backends)).default("native"))
    .option("--no-memo", "every device computes everything by itself")
    .addOption(
      new Option("--threads <count>", "threads that do Diffie-Hellman ahead of large runs, with the memo and native")
        .argParser(parseThreads)
        .default(idleProcessors(), "a processor each, but for the first"),
    )
    .option("--json", "print the report as JSON")
    .option("--syslog", "print what the routers log as it happens, instead of the summary (to stderr with --json)")
    .option("--out <dir>", "write trace.ndjson, capture.pcapng, keys/ and report.json")
    .option("--junit <file>", "write the expectations as JUnit XML")
    .option(
      "--trace-memory <megabytes>",
      "of the trace in memory; the rest is in a temporary file",
      parseMegabytes,
      MEMORY_OCTETS / MEGABYTE,
    )
    .addHelpText("after", "\nExit: 0 all well, 1 an expectation failed, 2 bad usage or input, 3 inconclusive.")
    .action(async (scenario: string, flags: RunFlags) => done(await runCommand(scenario, flags)));
}

async function runCommand(typed: string, flags: RunFlags): Promise<ExitCode> {
  let run: Run | undefined;
  let threads: KeyThreads | undefined;
  try {
    const { files, path } = readScenarioFiles(typed);
    const scenario = printIgnored(loadScenario(files, path), path);
    const { seed, run: number, until: untilMicros, memo } = flags;
    const crypto = backends[flags.crypto];
    boundHeap(scenario.nodes.length);
    const { spill } = createTraceFile(flags.traceMemory * MEGABYTE);
    const ahead: RunOptions["ahead"] = (given, ofRun, forecast) => {
      threads = given === native ? startKeyThreads(given, ofRun, forecast, flags.threads) : undefined;
      return threads?.crypto ?? given;
    };
    run = createRun(scenario, { seed, run: number, untilMicros, memo, crypto, ahead, hash: nodeSha256(), spill });
    const until = Math.min(scenario.duration, untilMicros ?? scenario.duration);
    const log =
      flags.syslog === true ? logPrinter(run, flags.json === true ? process.stderr : process.stdout) : undefined;
    if ((await drive(run, until, log)) === "interrupted") {
      printNote(`interrupted at ${formatSeconds(run.now)} s of virtual time`);
      return EXIT.interrupted;
    }
    const report = run.report();
    if (flags.out !== undefined) writeRun(flags.out, run, report);
    if (flags.junit !== undefined) writeJunit(flags.junit, report);
    if (flags.json === true) printData(`${JSON.stringify(report, null, 2)}\n`);
    else if (flags.syslog !== true) printData(summaryText(report, outColors));
    return VERDICT_EXIT[verdictOf(report)];
  } catch (error) {
    if (error instanceof ConfigError) {
      printProblems(error);
      return EXIT.invalid;
    }
    if (error instanceof OutputError) {
      printNote(error.message);
      return EXIT.invalid;
    }
    printInternal(error, run === undefined ? "" : whereText(run));
    return EXIT.internal;
  } finally {
    threads?.stop();
  }
}

/** Goes to the end in slices, between which a signal can come through. */
async function drive(run: Run, until: Micros, log: (() => void) | undefined): Promise<"ended" | "interrupted"> {
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
  };
  process.once("SIGINT", interrupt);
  const progress = createProgress(run.head.scenario);
  try {
    while (!run.done && !isInterrupted) {
      run.step({ maxEvents: SLICE_EVENTS });
      log?.();
      progress.update(until === 0 ? 1 : run.now / until, `${formatSeconds(run.now)} s, ${run.trace.events} events`);
      await nextTurn();
    }
  } finally {
    progress.stop();
    process.off("SIGINT", interrupt);
  }
  return isInterrupted ? "interrupted" : "ended";
}

/** Prints what has been logged since the last call, in the order of the trace. */
function logPrinter({ head, trace }: Run, stream: NodeJS.WriteStream): () => void {
  let seen = 0;
  return () => {
    for (; seen < trace.events; seen++) {
      for (const line of syslogLines(head, trace.event(seen))) stream.write(`${line}\n`);
    }
  };
}

function whereText({ head, trace, now }: Run): string {
  return `seed ${head.seed}, run ${head.run}, event ${trace.events}, at ${formatSeconds(now)} s of virtual time`;
}
