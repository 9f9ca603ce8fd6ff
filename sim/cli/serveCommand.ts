/** `getvpn serve [SCENARIO]`: the visualizer, with the run streamed to it while it is computed. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { ConfigError } from "../../src/base/errors.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { loadScenario } from "../scenario/loader.ts";
import { createRun } from "../scenario/runner.ts";
import { DEFAULT_PORT, type RunRequest, ServeError, serve } from "../serve/server.ts";
import { simulatedRun } from "../serve/simulatedRun.ts";
import { backends, nodeSha256 } from "./backends.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { parsePort, parseRunNumber } from "./optionValue.ts";
import { readScenarioFiles } from "./scenarioFiles.ts";
import { printData, printNote, printProblems } from "./terminal.ts";
import { printIgnored } from "./validateCommand.ts";

interface ServeFlags {
  readonly port?: number;
  readonly host: string;
  readonly seed?: string;
  readonly run?: number;
  readonly crypto: keyof typeof backends;
}

/** Long enough to lose little to requests, short enough to answer them at once. */
const SLICE_MILLIS = 30;

/** Adds the command; `done` gets its exit code. */
export function addServe(program: Command, done: (exit: ExitCode) => void): void {
  program
    .command("serve")
    .description("show a run in the browser while it is computed")
    .argument("[scenario]", "YAML file (default: the lab)")
    .option("--port <port>", `port to listen on (default: ${DEFAULT_PORT} or the next free one)`, parsePort)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--seed <seed>", "of all random streams")
    .option("--run <number>", "number of the repetition under that seed", parseRunNumber)
    .addOption(new Option("--crypto <backend>", "back end").choices(Object.keys(backends)).default("native"))
    .action(async (scenario: string | undefined, flags: ServeFlags) => done(await serveCommand(scenario, flags)));
}

async function serveCommand(typed: string | undefined, flags: ServeFlags): Promise<ExitCode> {
  const wanted = typed ?? defaultScenario();
  if (wanted === undefined) {
    printNote("the scenario lab.yaml is not where this program is installed; name one");
    return EXIT.invalid;
  }
  try {
    const { files, path } = readScenarioFiles(wanted);
    const scenario = printIgnored(loadScenario(files, path), path);
    const crypto: Crypto = backends[flags.crypto];
    const serving = await serve({
      port: flags.port,
      host: flags.host,
      runFactory: ({ seed = flags.seed, run = flags.run }: RunRequest) =>
        simulatedRun(createRun(scenario, { seed, run, crypto, hash: nodeSha256() }), {
          untilMicros: scenario.duration,
          crypto,
          sliceMillis: SLICE_MILLIS,
        }),
    });
    printData(`${scenario.name}: ${serving.url}\n`);
    printNote("Ctrl-C ends it.");
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await serving.close();
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ConfigError) printProblems(error);
    else if (error instanceof ServeError) printNote(error.message);
    else throw error;
    return EXIT.invalid;
  }
}

/** Beside the package's `dist`, or in the repository. */
function defaultScenario(): string | undefined {
  const folder = fileURLToPath(new URL("../../scenarios/", import.meta.url));
  const path = join(folder, "lab.yaml");
  return existsSync(path) ? path : undefined;
}
