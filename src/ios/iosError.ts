/** The errors of the command line, in the words and with the caret of IOS. */
import type { ConfigProblem } from "../base/errors.ts";

/**
 * - `iosInvalidInput` a word that fits nothing at its place
 * - `iosRange` a number outside of the range that is allowed at its place
 * - `iosIncomplete` the line ends where an argument is due
 * - `iosAmbiguous` a prefix of several keywords
 */
export type IosErrorCode = "iosInvalidInput" | "iosRange" | "iosIncomplete" | "iosAmbiguous";

export interface IosError {
  readonly code: IosErrorCode;
  /** What IOS prints below the caret. */
  readonly message: string;
  /** Counts from 1 within the line that was given. */
  readonly column: number;
  readonly expected?: string;
  readonly found?: string;
}

/** IOS has one sentence for a word and for a number that do not fit; the code tells them apart. */
export const INVALID_INPUT = "% Invalid input detected at '^' marker.";
export const INCOMPLETE = "% Incomplete command.";

export function ambiguous(line: string): string {
  return `% Ambiguous command:  "${line}"`;
}

/**
 * What the console prints after the line: a caret under the first character that was not understood, then the sentence.
 * Only invalid input has a caret. `promptWidth`: how many columns the prompt takes before the line.
 */
export function renderIosError(error: IosError, promptWidth: number): string {
  const pointed = error.code === "iosInvalidInput" || error.code === "iosRange";
  return pointed ? `${" ".repeat(promptWidth + error.column - 1)}^\n${error.message}\n` : `${error.message}\n`;
}

export function iosProblem(error: IosError, file: string, line: number): ConfigProblem {
  const { code, message, column, expected, found } = error;
  return { code, file, line, column, path: "", message, expected, found };
}
