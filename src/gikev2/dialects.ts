/** All dialects by name. */
import type { Dialect, DialectName } from "./dialect.ts";
import { rfc9838 } from "./rfc9838/rfc9838.ts";

const DIALECTS: Readonly<Record<DialectName, Dialect>> = { rfc9838 };

export function dialectOf(name: DialectName): Dialect {
  return DIALECTS[name];
}
