/** All dialects by name. */
import type { Dialect, DialectName } from "./dialect.ts";
import { rfc9838 } from "./rfc9838/rfc9838.ts";
import type { Yeung07Switches } from "./yeung07/switches.ts";
import { YEUNG07_SWITCHES } from "./yeung07/switches.ts";
import { yeung07 } from "./yeung07/yeung07.ts";

/** What a group says about its dialect. `switches`: of draft-yeung, where they differ from the defaults. */
export interface DialectChoice {
  readonly dialect: DialectName;
  readonly switches?: Partial<Yeung07Switches>;
}

const DEFAULTS: Readonly<Record<DialectName, Dialect>> = { rfc9838, "yeung-07": yeung07(YEUNG07_SWITCHES) };

export function dialectOf(name: DialectName): Dialect {
  return DEFAULTS[name];
}

export function dialectOfChoice({ dialect, switches }: DialectChoice): Dialect {
  if (dialect === "rfc9838" || switches === undefined) return DEFAULTS[dialect];
  return yeung07({ ...YEUNG07_SWITCHES, ...switches });
}
