/**
 * Which of several TEKs a member sends with. Members get a new TEK at different instants, so each goes on with the old
 * one until it has 30 s left: by then everybody has the new one. The same rule makes a newcomer send with the oldest TEK
 * that is not in its last seconds. They begin earlier where its end is in doubt. Where the key server has given an
 * activation delay (RFC 9838 ATD) the new TEK takes over when that has passed.
 */
import { type Micros, SECOND } from "../base/micros.ts";

export interface Candidate {
  readonly family: number;
  readonly expiresAt: Micros;
  /** How much earlier others may see it end. */
  readonly doubt?: Micros;
  /** Activation delay over; undefined where none was given. */
  readonly sendFrom?: Micros | undefined;
}

export interface Choice<T> {
  /** Undefined where no TEK is alive. */
  readonly tek: T | undefined;
  /** When the choice must be made anew; undefined: not before another TEK comes or one ends. */
  readonly until: Micros | undefined;
}

/**
 * What must be left beside the doubt: others are to hold the old TEK still when the last packet under it arrives. No
 * more than that, as members that missed the rekey come back from 60 s before the end on and know the old TEK alone.
 */
const TRANSIT: Micros = SECOND;

/** `teks`: newest first; those of other families are passed over. */
export function chooseSender<T extends Candidate>(
  teks: readonly T[],
  family: number,
  now: Micros,
  rolloverLeft: Micros,
): Choice<T> {
  let newest: T | undefined;
  let isDelayed = false;
  for (const tek of teks) {
    if (tek.family !== family || tek.expiresAt <= now) continue;
    newest ??= tek;
    isDelayed ||= tek.sendFrom !== undefined;
  }
  if (isDelayed) return chooseActivated(teks, family, now);
  for (let i = teks.length - 1; i >= 0 && teks[i] !== newest; i--) {
    const tek = teks[i]!;
    if (tek.family !== family || tek.expiresAt <= now) continue;
    const until = tek.expiresAt - Math.max(rolloverLeft, (tek.doubt ?? 0) + TRANSIT);
    if (until > now) return { tek, until };
  }
  return { tek: newest, until: undefined };
}

/** The newest TEK whose delay is over; before that, the one in use. */
function chooseActivated<T extends Candidate>(teks: readonly T[], family: number, now: Micros): Choice<T> {
  let until: Micros | undefined;
  let oldest: T | undefined;
  for (const tek of teks) {
    if (tek.family !== family || tek.expiresAt <= now) continue;
    if ((tek.sendFrom ?? 0) <= now) return { tek, until };
    until = Math.min(until ?? tek.sendFrom!, tek.sendFrom!);
    oldest = tek;
  }
  return { tek: oldest, until };
}
