/**
 * When a member asks for new keys by itself. It keeps a lead of MAX(60 s, 5 % of the life) before the end of a key and
 * adds up to 2 % of the life at random, so that a group does not come back in one burst; the draw is repeated with each
 * key. A rekey that arrives in time makes it void.
 */
import type { Micros } from "../base/micros.ts";
import { MILLISECOND, SECOND } from "../base/micros.ts";
import type { Rng } from "../base/rng.ts";

const LEAD_LEAST: Micros = 60 * SECOND;

/** `lifetimeSeconds`: life of the key when it was received. */
export function reregisterLead(lifetimeSeconds: number, rng: Rng): Micros {
  const twentieth = Math.floor((lifetimeSeconds * SECOND) / 20);
  // Two percent of a second are 20 ms.
  const jitterMillis = Math.min(lifetimeSeconds * 20, 0xffffffff);
  const jitter = jitterMillis === 0 ? 0 : rng.below(jitterMillis) * MILLISECOND;
  return Math.max(LEAD_LEAST, twentieth) + jitter;
}

/** For a key that ends at `expiresAt`. A key that lives no longer than the lead leaves half of its life for the attempt. */
export function reregisterInstant(now: Micros, expiresAt: Micros, lifetimeSeconds: number, rng: Rng): Micros {
  const left = expiresAt - now;
  const lead = reregisterLead(lifetimeSeconds, rng);
  return lead < left ? expiresAt - lead : now + Math.floor(left / 2);
}
