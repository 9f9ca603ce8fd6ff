/** The command line `getvpn`. Data goes to stdout, everything else to stderr; exit codes are those of `exitCode.ts`. */
import { Command, CommanderError } from "commander";
import { version } from "../../package.json";
import { scenarioJsonSchema } from "../scenario/schema.ts";
import { addBench } from "./bench.ts";
import { addConsole } from "./console.ts";
import { addDecode } from "./decode.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { addLive } from "./live.ts";
import { OutputError } from "./outputFiles.ts";
import { addRun } from "./runCommand.ts";
import { addServe } from "./serveCommand.ts";
import { addShow } from "./show.ts";
import { printData, printInternal, printNote, stopOnBrokenPipe } from "./terminal.ts";
import { addValidate } from "./validateCommand.ts";

async function main(args: readonly string[]): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok;
  const program = new Command("getvpn")
    .description("Simulates Cisco GETVPN networks: key servers and group members exchange real G-IKEv2 and ESP octets.")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(getvpn help shows what there is)");
  const done = (code: ExitCode) => {
    exit = code;
  };
  addRun(program, done);
  addShow(program, done);
  addConsole(program, done);
  addServe(program, done);
  addValidate(program, done);
  program
    .command("schema")
    .description("print the JSON Schema of scenarios, for editors")
    .action(() => printData(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`));
  addDecode(program, done);
  addBench(program, done);
  addLive(program, done);
  try {
    await program.parseAsync(args, { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.invalid;
    if (error instanceof OutputError) {
      printNote(error.message);
      return EXIT.invalid;
    }
    printInternal(error, "");
    return EXIT.internal;
  }
}

stopOnBrokenPipe();
process.exitCode = await main(process.argv.slice(2));
