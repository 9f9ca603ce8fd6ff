/** `getvpn bench`: how fast the parts of this program are, each beside a baseline that is measured in the same run. */
import { type Command, InvalidArgumentError } from "commander";
import { type BenchReport, reportText } from "../bench/report.ts";
import { benchEngine, holdLine } from "./benchEngine.ts";
import { benchRegistration } from "./benchRegistration.ts";
import { benchRekey, fanOutLine } from "./benchRekey.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { printData } from "./terminal.ts";

interface CommonFlags {
  readonly rounds: number;
  readonly quick?: boolean;
  readonly json?: boolean;
}

const ROUNDS = 5;
const REGISTRATIONS = 10_000;
const HOLD_EVENTS = 2_000_000;
const FAN_OUT_ROUNDS = 20;

/** Adds the commands; `done` gets their exit code. */
export function addBench(program: Command, done: (exit: ExitCode) => void): void {
  const bench = program.command("bench").description("measure this program beside a baseline in the same run");
  addCommon(bench.command("engine"), "the event queue beside the npm package flatqueue (hold model)")
    .option("--w1 <pending>", "print the line of one hold model, for a comparison with other programs", wholeNumber)
    .option("--ops <events>", "with --w1: so many events", wholeNumber, HOLD_EVENTS)
    .action(async (flags: CommonFlags & { readonly w1?: number; readonly ops: number }) => {
      if (flags.w1 !== undefined) printData(holdLine(flags.w1, flags.ops));
      else printReport(await benchEngine(optionsOf(flags)), flags);
      done(EXIT.ok);
    });
  addCommon(bench.command("registration"), "registrations beside the bare cryptography of both ends")
    .option("--count <members>", "registrations in a round", wholeNumber, REGISTRATIONS)
    .action((flags: CommonFlags & { readonly count: number }) => {
      printReport(benchRegistration({ ...optionsOf(flags), count: flags.count }), flags);
      done(EXIT.ok);
    });
  addCommon(
    bench.command("rekey"),
    "acknowledged unicast rekeys with loss, beside a bare model with the same cryptography",
  )
    .option("--w2 <members>", "print the line of one fan-out, for a comparison with other programs", wholeNumber)
    .argument("[rekeys]", "with --w2: so many rekeys", wholeNumber, FAN_OUT_ROUNDS)
    .action((rekeys: number, flags: CommonFlags & { readonly w2?: number }) => {
      if (flags.w2 !== undefined) printData(fanOutLine(flags.w2, rekeys));
      else printReport(benchRekey(optionsOf(flags)), flags);
      done(EXIT.ok);
    });
}

function addCommon(command: Command, description: string): Command {
  return command
    .description(description)
    .option("--rounds <number>", "rounds in which all take turns", wholeNumber, ROUNDS)
    .option("--quick", "small sizes: shows that it works, not how fast")
    .option("--json", "print { benchmark, rows: [{ name, unit, median, min, max, baseline, ratio }] }");
}

function optionsOf({ rounds, quick }: CommonFlags) {
  return { rounds, quick: quick === true };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1 on");
  return value;
}

function printReport(report: BenchReport, { json }: CommonFlags): void {
  printData(json === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
}
