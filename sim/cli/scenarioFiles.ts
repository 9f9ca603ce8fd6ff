/** Reads a scenario and the files that it names from the disk. */
import { readFileSync, statSync } from "node:fs";
import { normalize, sep } from "node:path";
import { ConfigError, type ConfigProblem } from "../../src/base/errors.ts";
import { FILE_CHARS_MAX } from "../scenario/document.ts";
import { referencedFiles } from "../scenario/files.ts";

export interface ScenarioFiles {
  /** Name of the scenario within `files`: the path as typed, with slashes. */
  readonly path: string;
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The scenario at `typed` (absolute or relative to the working directory) with all files that it names. A file that is not
 * there is left out: the loader tells where it is named. Throws a ConfigError for a scenario that cannot be read:
 * `missingFile`, `notFile`, `unreadable` or `tooLarge`.
 */
export function readScenarioFiles(typed: string): ScenarioFiles {
  const path = normalize(typed).split(sep).join("/");
  const text = readText(path);
  if (typeof text !== "string") throw new ConfigError([text]);
  const files = new Map([[path, text]]);
  const problems: ConfigProblem[] = [];
  for (const name of referencedFiles(path, text)) {
    const content = readText(name);
    if (typeof content === "string") files.set(name, content);
    else if (content.code !== "missingFile") problems.push(content);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { path, files };
}

/** UTF-8 takes up to four octets a character; a file beyond that is not even opened. */
const FILE_OCTETS_MAX = 4 * FILE_CHARS_MAX;

const CODES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  ENOENT: ["missingFile", "there is no such file"],
  ENOTDIR: ["missingFile", "there is no such file"],
  ENAMETOOLONG: ["missingFile", "there is no such file"],
  EISDIR: ["notFile", "this is a folder"],
};

function readText(path: string): string | ConfigProblem {
  const problem = (code: string, message: string): ConfigProblem => ({
    code,
    file: path,
    line: 1,
    column: 1,
    path: "",
    message,
  });
  try {
    const found = statSync(path);
    if (found.isDirectory()) return problem(...CODES.EISDIR!);
    if (found.size > FILE_OCTETS_MAX) return problem("tooLarge", `the file is larger than ${FILE_OCTETS_MAX} octets`);
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const [kind, message] = CODES[code] ?? ["unreadable", `the file cannot be read (${code})`];
    return problem(kind, message);
  }
}
