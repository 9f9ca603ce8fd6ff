/** What the program's exit tells a script. */
export const EXIT = {
  ok: 0,
  /** An expectation of the scenario failed. */
  failed: 1,
  /** Bad usage, or an input that cannot be used; then nothing is on stdout. */
  invalid: 2,
  /** The run ended before everything could be decided. */
  inconclusive: 3,
  /** A fault of this program. */
  internal: 70,
  /** By Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
