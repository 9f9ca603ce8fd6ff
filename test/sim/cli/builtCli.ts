/** The command line as it is shipped: built once by each test file that asks, run as a program of its own. */
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished>;
  /** The thread that is built beside it. */
  readonly keyWorker: URL;
  /** For tests that talk to the program while it runs. */
  start(args: readonly string[]): ReturnType<typeof spawn>;
  remove(): void;
}

/** Below node_modules, because the built file looks for its packages from where it lies. */
export async function buildCli(): Promise<Cli> {
  const cache = `${ROOT}node_modules/.cache`;
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(`${cache}/getvpn-cli-`);
  await build({ root: ROOT, configFile: `${ROOT}vite.cli.config.ts`, logLevel: "error", build: { outDir } });
  const main = `${outDir}/main.js`;
  return {
    run: (args, env = {}) =>
      new Promise((resolve) => {
        const options = { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: 1 << 28 };
        const child = execFile(process.execPath, [main, ...args], options, (_, stdout, stderr) =>
          resolve({ code: child.exitCode, stdout, stderr }),
        );
      }),
    keyWorker: pathToFileURL(`${outDir}/keyWorker.js`),
    start: (args) => spawn(process.execPath, [main, ...args], { cwd: ROOT }),
    remove: () => rmSync(outDir, { recursive: true }),
  };
}
