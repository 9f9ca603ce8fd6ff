/** Third-party data lies beside the checkout; a suite that needs it is skipped, visibly, where it is absent. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

const ROOT = fileURLToPath(new URL("../../shared/", import.meta.url));

export function sharedPath(relative: string): string {
  return ROOT + relative;
}

export function readShared(relative: string): Buffer {
  return readFileSync(sharedPath(relative));
}

export function readSharedJson<T>(relative: string): T {
  return JSON.parse(readShared(relative).toString("utf8")) as T;
}

/** `describe`, or a skipped suite whose title says which data is missing. */
export function describeShared(relative: string, title: string, body: () => void): void {
  if (existsSync(sharedPath(relative))) describe(title, body);
  else describe.skip(`${title} (skipped: ../shared/${relative} is not there)`, body);
}
