/**
 * `getvpn console SCENARIO`: the command line of the routers of a run, with virtual time that stands still while somebody
 * types. On a terminal with a line editor, history, Tab and `?`; from a pipe line by line, echoed behind the prompt, so
 * that a session can be kept and compared.
 */
import { createInterface } from "node:readline";
import { type Command, Option } from "commander";
import { ConfigError } from "../../src/base/errors.ts";
import { loadScenario } from "../scenario/loader.ts";
import { createRun } from "../scenario/runner.ts";
import { backends } from "./backends.ts";
import { answer, type Console, helpFor, openConsole, promptText, tabFor } from "./consoleSession.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { parseRunNumber } from "./optionValue.ts";
import { readScenarioFiles } from "./scenarioFiles.ts";
import { printData, printInternal, printNote, printProblems } from "./terminal.ts";

interface ConsoleFlags {
  readonly device?: string;
  readonly seed?: string;
  readonly run?: number;
  readonly crypto: keyof typeof backends;
}

/** Adds the command; `done` gets its exit code. */
export function addConsole(program: Command, done: (exit: ExitCode) => void): void {
  program
    .command("console")
    .description("type at the prompts of a scenario's routers while its virtual time stands still")
    .argument("<scenario>", "YAML file")
    .option("--device <name>", "node to begin at (default: the first router)")
    .option("--seed <seed>", "of all random streams (default: that of the scenario)")
    .option("--run <number>", "number of the repetition under that seed (default: 0)", parseRunNumber)
    .addOption(new Option("--crypto <backend>", "back end").choices(Object.keys(backends)).default("native"))
    .addHelpText(
      "after",
      "\nBeside the commands of IOS: run 30s, until 90s, time, @gm1 or connect gm1, devices, quit.\n" +
        "Exit: 0 the session has ended, 2 bad usage or input.",
    )
    .action(async (scenario: string, flags: ConsoleFlags) => done(await console(scenario, flags)));
}

async function console(typed: string, flags: ConsoleFlags): Promise<ExitCode> {
  let session: Console | undefined;
  try {
    const { files, path } = readScenarioFiles(typed);
    const scenario = loadScenario(files, path);
    const run = createRun(scenario, { seed: flags.seed, run: flags.run, crypto: backends[flags.crypto] });
    const opened = openConsole(run, scenario, flags.device);
    if (typeof opened === "string") {
      printNote(opened);
      return EXIT.invalid;
    }
    session = opened;
    if (process.stdin.isTTY === true && process.stdout.isTTY === true) await talk(session);
    else await read(session);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ConfigError) {
      printProblems(error);
      return EXIT.invalid;
    }
    const { run } = session ?? {};
    printInternal(error, run === undefined ? "" : `seed ${run.head.seed}, event ${run.trace.events}`);
    return EXIT.internal;
  }
}

/** From a pipe: each line appears behind its prompt as if it had been typed. */
async function read(session: Console): Promise<void> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    printData(`${promptText(session)}${line}\n`);
    printData(line.trimEnd().endsWith("?") ? helpFor(session, line.trimEnd().slice(0, -1)) : answer(session, line));
    if (session.isOver) return;
  }
}

/** On a terminal. A question mark answers at once and leaves what has been typed. */
async function talk(session: Console): Promise<void> {
  const completer = (line: string): [string[], string] => {
    const rest = tabFor(session, line);
    return rest === "" ? [[], line] : [[line + rest], line];
  };
  const editor = createInterface({ input: process.stdin, output: process.stdout, completer, historySize: 1000 });
  const ask = () => {
    editor.setPrompt(promptText(session));
    editor.prompt();
  };
  process.stdin.on("keypress", (character: string | undefined) => {
    if (character !== "?") return;
    const line = editor.line.replace(/\?$/, "");
    printData(`\n${helpFor(session, line)}`);
    editor.write(null, { ctrl: true, name: "u" });
    ask();
    editor.write(line);
  });
  // CNTL/Z ends the configuration mode, as the router says, and does not stop the program.
  editor.on("SIGTSTP", () => {
    if (session.typing !== undefined) printData(`^Z\n${answer(session, "end")}`);
    ask();
  });
  ask();
  for await (const line of editor) {
    printData(answer(session, line));
    if (session.isOver) break;
    ask();
  }
  editor.close();
}
