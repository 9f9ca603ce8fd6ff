/** `getvpn show SCENARIO --at T --device D "command"`: what a router answers at an instant of the run. */
import { type Command, Option } from "commander";
import { ConfigError } from "../../src/base/errors.ts";
import type { Micros } from "../../src/base/micros.ts";
import { formatSeconds } from "../../src/base/micros.ts";
import { isIosError, parseExec } from "../../src/ios/exec.ts";
import { renderIosError } from "../../src/ios/iosError.ts";
import { showText } from "../../src/ios/show/show.ts";
import { routerView } from "../device/views.ts";
import { loadScenario } from "../scenario/loader.ts";
import { createRun, type Run } from "../scenario/runner.ts";
import { suggest } from "../scenario/suggest.ts";
import { backends } from "./backends.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { parseRunNumber, parseUntil } from "./optionValue.ts";
import { OutputError } from "./outputFiles.ts";
import { readScenarioFiles } from "./scenarioFiles.ts";
import { printData, printInternal, printNote, printProblems } from "./terminal.ts";
import { createTraceFile } from "./traceFile.ts";

interface ShowFlags {
  readonly at: Micros;
  readonly device: string;
  readonly seed?: string;
  readonly run?: number;
  readonly crypto: keyof typeof backends;
}

/** Adds the command; `done` gets its exit code. */
export function addShow(program: Command, done: (exit: ExitCode) => void): void {
  program
    .command("show")
    .description("run a scenario to an instant and print what a show command of a router says then")
    .argument("<scenario>", "YAML file")
    .argument("<command...>", 'such as "show crypto gkm ks members", abbreviated as on the router')
    .requiredOption("--at <duration>", "instant of virtual time, such as 12s", parseUntil)
    .requiredOption("--device <name>", "node of the scenario")
    .option("--seed <seed>", "of all random streams (default: that of the scenario)")
    .option("--run <number>", "number of the repetition under that seed (default: 0)", parseRunNumber)
    .addOption(new Option("--crypto <backend>", "back end").choices(Object.keys(backends)).default("native"))
    .addHelpText("after", "\nExit: 0 printed, 2 bad usage, input or command.")
    .action((scenario: string, words: string[], flags: ShowFlags) => done(show(scenario, words.join(" "), flags)));
}

function show(typed: string, command: string, flags: ShowFlags): ExitCode {
  let run: Run | undefined;
  try {
    const { files, path } = readScenarioFiles(typed);
    const scenario = loadScenario(files, path);
    const { seed, run: number, at, device } = flags;
    const names = scenario.nodes.map(({ name }) => name);
    if (!names.includes(device)) return refuse(`there is no node ${device}${suggestion(device, names)}`);
    if (at > scenario.duration) return refuse(`the scenario ends at ${formatSeconds(scenario.duration)} s`);
    // A word too many or too few is found before the run, which may take a while.
    const parsed = parseExec(command);
    if (isIosError(parsed)) {
      const prompt = `${device}#`;
      process.stderr.write(`${prompt}${command}\n${renderIosError(parsed, prompt.length)}`);
      return EXIT.invalid;
    }
    if (parsed.kind !== "show") return refuse("only show commands can be given here; `getvpn console` takes all");
    run = createRun(scenario, { seed, run: number, crypto: backends[flags.crypto], spill: createTraceFile().spill });
    run.passTo(at);
    const view = routerView(run.network, run.network.byName.get(device)!, at);
    if (view === undefined) return refuse(`${device} is no router, or has no power at ${formatSeconds(at)} s`);
    const text = showText(view, parsed);
    if (text === undefined) return refuse(`show ${parsed.words.join(" ")}: nothing of that is modelled`);
    printData(text);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ConfigError) {
      printProblems(error);
      return EXIT.invalid;
    }
    if (error instanceof OutputError) return refuse(error.message);
    printInternal(error, run === undefined ? "" : `seed ${run.head.seed}, event ${run.trace.events}`);
    return EXIT.internal;
  }
}

function refuse(message: string): ExitCode {
  printNote(message);
  return EXIT.invalid;
}

function suggestion(name: string, known: readonly string[]): string {
  const close = suggest(name, known);
  return close === undefined ? "" : `; did you mean ${close}?`;
}
