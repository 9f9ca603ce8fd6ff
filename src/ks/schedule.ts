/**
 * When a key server renews its keys. A margin is the life that a key has left when its rekey starts: long enough for all
 * copies to go out and for a member that missed them to register again. The figures are those of Cisco key servers.
 *
 *     margin = MAX(floor, MIN(5 % of life, 3600 s)) + U          floor: 90 s for a TEK, 200 s for a KEK
 *     U      = retransmit period * retransmit number + 5 s       unicast only
 *
 * TEK 3600 s with `retransmit 10 number 2`: 180 + 25 = 205 s. The 5 % term for KEKs is assumed to be that of TEKs. A margin
 * never exceeds 75 % of the life: real boxes rekey a TEK of 120 s every 30 s.
 */
import { assert } from "../base/errors.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";

export type KeyKind = "tek" | "kek";

const FLOOR: Readonly<Record<KeyKind, Micros>> = { tek: 90 * SECOND, kek: 200 * SECOND };
const SHARE_MOST: Micros = 3600 * SECOND;
const UNICAST_EXTRA: Micros = 5 * SECOND;

/** A group member asks for new keys by itself this long before a key ends, at the latest. */
const MEMBER_LEAD_LEAST: Micros = 60 * SECOND;
assert(FLOOR.tek > MEMBER_LEAD_LEAST && FLOOR.kek > MEMBER_LEAD_LEAST, "a rekey comes before re-registration");

export interface Retransmit {
  /** Seconds between copies. */
  readonly seconds: number;
  /** Copies after the first one. */
  readonly count: number;
}

/** `retransmit`: of a unicast group; undefined for a multicast group. */
export function rekeyMargin(kind: KeyKind, lifetimeSeconds: number, retransmit: Retransmit | undefined): Micros {
  const life = lifetimeSeconds * SECOND;
  const spread = retransmit === undefined ? 0 : retransmit.seconds * retransmit.count * SECOND + UNICAST_EXTRA;
  const margin = Math.max(FLOOR[kind], Math.min(Math.floor(life / 20), SHARE_MOST)) + spread;
  return Math.min(margin, Math.floor((life * 3) / 4));
}

/** Instant at which the rekey of a key that ends at `expiresAt` starts. */
export function rekeyInstant(
  kind: KeyKind,
  expiresAt: Micros,
  lifetimeSeconds: number,
  retransmit: Retransmit | undefined,
): Micros {
  return expiresAt - rekeyMargin(kind, lifetimeSeconds, retransmit);
}

/**
 * Whether a TEK rekey at `now` takes the KEK along: real boxes do where the KEK's own rekey is close. The threshold is
 * unknown (between 15 s and 490 s); the TEK's margin is the default.
 */
export function takesKekAlong(now: Micros, kekRekeyAt: Micros, tekMargin: Micros): boolean {
  return kekRekeyAt - now <= tekMargin;
}

/**
 * Numbers of rekeys. Each KEK counts from 0; a rekey has the next number of the KEK that protects it, and where it
 * brings a new KEK, what is shown afterwards is that one's 0.
 */
export function nextSequence(sequence: number, bringsKek: boolean): { readonly sent: number; readonly shown: number } {
  return { sent: sequence + 1, shown: bringsKek ? 0 : sequence + 1 };
}
