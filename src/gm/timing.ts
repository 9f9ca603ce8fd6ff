/**
 * When a member asks for new keys by itself, as late as a key server's rekey may still come and as early as a registration
 * needs. Observed members keep MAX(60 s, 5 % of the life) and a few seconds, different for each. Taken literally that
 * overtakes the key server, whose rekeys start MAX(90 s, 5 %) before the end and are repeated for 20 s after that, and a
 * member that gets its rekey must never come back. So the lead is drawn below that margin:
 *
 *     most  = MAX(90 s, MIN(5 % of life, 3600 s)) - 25 s        TEK of 600 s: 65 s, of 3600 s: 155 s
 *     least = MAX(60 s, most - 2 % of life)                     60 s, 83 s
 *
 * The draw keeps a group from coming back in one burst; it is repeated with each key. A rekey in time makes it void.
 */
import { assert } from "../base/errors.ts";
import type { Micros } from "../base/micros.ts";
import { MILLISECOND, SECOND } from "../base/micros.ts";
import type { Rng } from "../base/rng.ts";

const LEAD_LEAST: Micros = 60 * SECOND;
/** The smallest margin of a key server: that of a TEK in a multicast group. */
const MARGIN_FLOOR: Micros = 90 * SECOND;
const MARGIN_SHARE_MOST: Micros = 3600 * SECOND;
/** Two copies, ten seconds apart, and five seconds for the last one to arrive. */
const COPIES: Micros = 25 * SECOND;

assert(MARGIN_FLOOR - COPIES > LEAD_LEAST, "the last copy of a rekey comes before re-registration");

/** `lifetimeSeconds`: life of the key when it was received. */
export function reregisterLead(lifetimeSeconds: number, rng: Rng): Micros {
  const life = lifetimeSeconds * SECOND;
  const share = Math.min(Math.floor(life / 20), MARGIN_SHARE_MOST);
  const most = Math.max(MARGIN_FLOOR, share) - COPIES;
  const least = Math.max(LEAD_LEAST, most - Math.floor(life / 50));
  return least + rng.below(Math.max(1, Math.floor((most - least) / MILLISECOND))) * MILLISECOND;
}

/** For a key that ends at `expiresAt`. A key that lives no longer than the lead leaves half of its life for the attempt. */
export function reregisterInstant(now: Micros, expiresAt: Micros, lifetimeSeconds: number, rng: Rng): Micros {
  const left = expiresAt - now;
  const lead = reregisterLead(lifetimeSeconds, rng);
  return lead < left ? expiresAt - lead : now + Math.floor(left / 2);
}
