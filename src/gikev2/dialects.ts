/** All dialects by name. */
import type { Dialect, DialectName } from "./dialect.ts";
import { perSwitches } from "./perSwitches.ts";
import { rfc9838 } from "./rfc9838/rfc9838.ts";
import type { Yeung07Switches } from "./yeung07/switches.ts";
import { YEUNG07_SWITCHES } from "./yeung07/switches.ts";
import { yeung07 } from "./yeung07/yeung07.ts";

/** What a group says about its dialect. `switches`: of draft-yeung, where they differ from the defaults. */
export interface DialectChoice {
  readonly dialect: DialectName;
  readonly switches?: Partial<Yeung07Switches>;
}

const yeung07Of = perSwitches(YEUNG07_SWITCHES, yeung07);

const DEFAULTS: Readonly<Record<DialectName, Dialect>> = { rfc9838, "yeung-07": yeung07Of() };

export function dialectOf(name: DialectName): Dialect {
  return DEFAULTS[name];
}

/** The same object for the same choice. */
export function dialectOfChoice({ dialect, switches }: DialectChoice): Dialect {
  return dialect === "rfc9838" ? rfc9838 : yeung07Of(switches);
}
