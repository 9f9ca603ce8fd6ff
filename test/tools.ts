/** Programs of the system that tests compare with. Where one is absent its suite is skipped, visibly; in CI it fails. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, it } from "vitest";

/** True where a program of that name is on the PATH. */
export function hasTool(name: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.some((folder) => folder !== "" && existsSync(join(folder, name)));
}

/**
 * `describe` for tests that run a program. Without it the suite is skipped under a title that names the command which
 * installs it; with CI set, it fails: a green run there has compared with everything.
 */
export function describeTool(name: string, install: string, title: string, body: () => void): void {
  if (hasTool(name)) {
    describe(title, body);
  } else if (process.env.CI) {
    describe(title, () => {
      it(`finds ${name}`, () => {
        throw new Error(`${name} is not installed: ${install}`);
      });
    });
  } else {
    describe.skip(`${title} (skipped: ${name} is not installed; ${install})`, body);
  }
}
