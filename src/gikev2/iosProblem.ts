/** Findings about a configuration that is well formed. */
import type { ConfigProblem } from "../base/errors.ts";
import type { Place } from "../ios/model.ts";

type Code = "iosUnsupported" | "iosIncompleteObject" | "iosRefused";

/** A finding at a place of the configuration; `iosUnsupported` is legal IOS that has no model here. */
export function iosProblem(code: Code, at: Place, message: string): ConfigProblem {
  return { code, file: at.file, line: at.line, column: at.column, path: "", message };
}
