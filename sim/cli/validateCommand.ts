/** `getvpn validate SCENARIO...`: all problems of all scenarios, and what of their configurations is left aside. */
import type { Command } from "commander";
import { ConfigError } from "../../src/base/errors.ts";
import { resolvePath } from "../scenario/files.ts";
import { loadScenario } from "../scenario/loader.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { readScenarioFiles } from "./scenarioFiles.ts";
import { printData, printNote, printProblems } from "./terminal.ts";

/** Adds the command; `done` gets its exit code. */
export function addValidate(program: Command, done: (exit: ExitCode) => void): void {
  program
    .command("validate")
    .description("tell all problems of scenarios, with file:line:column")
    .argument("<scenario...>", "YAML files")
    .action((paths: string[]) => done(validateCommand(paths)));
}

/** Prints one line per good scenario on stdout when all of them are good; problems of any keep stdout empty. */
function validateCommand(paths: readonly string[]): ExitCode {
  const lines: string[] = [];
  let isValid = true;
  for (const typed of paths) {
    try {
      const { files, path } = readScenarioFiles(typed);
      lines.push(describe(typed, printIgnored(loadScenario(files, path), path)));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      printProblems(error);
      isValid = false;
    }
  }
  if (!isValid) return EXIT.invalid;
  printData(lines.join(""));
  return EXIT.ok;
}

/** Lists configuration lines that are not in the model, with files as seen from here; returns the scenario. */
export function printIgnored(scenario: Scenario, path: string): Scenario {
  for (const { file, line, text, reason, why } of scenario.ignored) {
    printNote(`${resolvePath(path, file) ?? file}:${line}: ignored (${reason}): ${text}: ${why}`);
  }
  return scenario;
}

function describe(path: string, { name, nodes, expectations, ignored }: Scenario): string {
  const counts = [`${nodes.length} nodes`, `${expectations.length} expectations`, `${ignored.length} ignored lines`];
  return `${path}: ok: ${name}, ${counts.join(", ")}\n`;
}
