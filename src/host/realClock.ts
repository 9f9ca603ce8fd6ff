/** Real time as microseconds since this process began to drive machines; it never goes back. */
import type { Micros } from "../base/micros.ts";

export function realClock(): () => Micros {
  const start = process.hrtime.bigint();
  return () => Number((process.hrtime.bigint() - start) / 1000n);
}
