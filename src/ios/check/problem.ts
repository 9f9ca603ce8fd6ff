import type { ConfigProblem } from "../../base/errors.ts";
import type { Place, Reference } from "../model.ts";

/** A finding at a place. */
export function problemAt(code: string, at: Place, message: string): ConfigProblem {
  return { code, file: at.file, line: at.line, column: at.column, path: "", message };
}

/** A finding for each reference whose name is not among the known ones. */
export function missing(
  references: readonly (Reference | undefined)[],
  known: { has(name: string): boolean },
  message: (name: string) => string,
): ConfigProblem[] {
  return references.flatMap((reference) =>
    reference === undefined || known.has(reference.name)
      ? []
      : [problemAt("iosMissing", reference.at, message(reference.name))],
  );
}
