/** How long an obsolete TEK lives on after its policy was replaced or its member removed. */
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";

/**
 * TEK_SLT = MIN(TEK_RLT, MAX(90 s, MIN(5 % of TEK_CLT, 3600 s))), from the Cisco guide's chapter about removal of group
 * members. `remaining`: what the TEK has left; `configuredSeconds`: its life as configured.
 */
export function shortenedLifetime(remaining: Micros, configuredSeconds: number): Micros {
  const twentieth = Math.floor((configuredSeconds * SECOND) / 20);
  return Math.min(remaining, Math.max(90 * SECOND, Math.min(twentieth, 3600 * SECOND)));
}
