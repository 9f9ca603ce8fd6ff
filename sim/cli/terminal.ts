/** What the commands print with: data on stdout, everything else on stderr; colour and progress for people only. */

import cliProgress from "cli-progress";
import pc from "picocolors";
import { type ConfigError, formatProblem } from "../../src/base/errors.ts";

type Colors = ReturnType<typeof pc.createColors>;

/** Colour on a terminal, unless NO_COLOR is set to anything (https://no-color.org). */
function colorsFor(stream: NodeJS.WriteStream): Colors {
  return pc.createColors(stream.isTTY === true && (process.env.NO_COLOR ?? "") === "");
}

export const outColors = colorsFor(process.stdout);
export const errColors = colorsFor(process.stderr);

export function printData(text: string): void {
  process.stdout.write(text);
}

export function printNote(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printProblems(error: ConfigError): void {
  for (const problem of error.problems) printNote(formatProblem(problem));
  const count = error.problems.length;
  printNote(errColors.red(`${count} problem${count === 1 ? "" : "s"}`));
}

export interface Progress {
  update(fraction: number, text: string): void;
  stop(): void;
}

/** A bar on a terminal; nothing elsewhere. */
export function createProgress(title: string): Progress {
  if (process.stderr.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar({
    format: `${title} {bar} {percentage}% | {text}`,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
    barCompleteChar: "=",
    barIncompleteChar: " ",
  });
  bar.start(1000, 0, { text: "" });
  return {
    update: (fraction, text) => bar.update(Math.floor(1000 * Math.min(1, fraction)), { text }),
    stop: () => bar.stop(),
  };
}

/** A fault of this program: what a report of it needs. `where`: seed and event number, empty before a run. */
export function printInternal(error: unknown, where: string): void {
  printNote(
    errColors.red(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
  );
  if (where !== "") printNote(where);
  printNote(
    "This is a fault of getvpn-sim, not of your input. Please report it with the lines above and the scenario.",
  );
}

/** A reader that has enough (`| head`) is no error: the program ends at once and quietly. */
export function stopOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}
