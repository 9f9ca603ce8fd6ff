/** Collects what is wrong with a scenario, each with its place, so that all of it can be told at once. */
import { ConfigError, type ConfigProblem } from "../../src/base/errors.ts";
import type { Path, SourceDocument } from "./document.ts";
import { describeValue, formatPath, valueAt } from "./schemaProblems.ts";
import { suggest } from "./suggest.ts";

/**
 * Codes of what a schema cannot see:
 * - `duplicateName` two things of one name
 * - `unknownNode`, `unknownInterface`, `unknownLink`, `unknownSite`, `unknownGroup`, `unknownMetric`, `unknownKind` a name that
 *   nothing bears
 * - `interfaceTaken` an interface with two links
 * - `badPath` a file outside of the scenario's folder and those beside it
 * - `missingFile` a file that is not there
 * - `unknownVariable` a name in `${}` that the template does not have
 * - `conflict` keys that exclude each other
 * - `outsideRun` an instant behind the end of the run
 * - `roleMissing` a node whose configuration does not make it what its kind says
 * - `unknownCommand` an exec command that no machine of the node takes
 */
export class Problems {
  readonly list: ConfigProblem[] = [];
  private readonly document: SourceDocument;
  private readonly told = new Set<string>();

  constructor(document: SourceDocument) {
    this.document = document;
  }

  /** A problem of the scenario file, at the value or the key of `path`. */
  add(code: string, path: Path, message: string, hints: { expected?: string; of?: "key" | "value" } = {}): void {
    const found = valueAt(this.document.value, path);
    this.take({
      code,
      file: this.document.file,
      ...this.document.position(path, hints.of),
      path: formatPath(path),
      message,
      ...(hints.expected === undefined ? {} : { expected: hints.expected }),
      ...(found === undefined || code === "missing" ? {} : { found: describeValue(found) }),
    });
  }

  /** A name that nothing bears; tells the nearest one that something does. */
  unknown(code: string, path: Path, what: string, name: string, known: Iterable<string>): void {
    const near = suggest(name, known);
    this.add(code, path, `there is no ${what} ${name}${near === undefined ? "" : `; did you mean ${near}?`}`);
  }

  /** A problem with a place of its own. A template that is used many times tells each of its problems once. */
  take(problem: ConfigProblem): void {
    const key = `${problem.file}:${problem.line}:${problem.column}:${problem.code}:${problem.path}`;
    if (this.told.has(key)) return;
    this.told.add(key);
    this.list.push(problem);
  }

  /** Throws all problems together, ordered by file and place; returns where there are none. */
  throwIfAny(): void {
    if (this.list.length === 0) return;
    throw new ConfigError(sortProblems(this.list));
  }
}

export function sortProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return [...problems].sort((a, b) => {
    if (a.file !== b.file) return a.file < b.file ? -1 : 1;
    return a.line - b.line || a.column - b.column;
  });
}
