/**
 * Which of several TEKs a member sends with. Members get a new TEK at different instants, so each goes on with the old
 * one until it has 30 s left: by then everybody has the new one. The same rule makes a newcomer send with the oldest TEK
 * that is not in its last seconds. They begin earlier where its end is in doubt. Where the key server has given an activation delay (RFC 9838 ATD) the new TEK takes
 * over when that has passed.
 */
import { type Micros, SECOND } from "../base/micros.ts";

export interface Candidate {
  readonly expiresAt: Micros;
  /** How much earlier others may see it end. */
  readonly doubt?: Micros;
  /** Activation delay over; undefined where none was given. */
  readonly sendFrom?: Micros;
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

/** `teks` of one family, newest first. */
export function chooseSender<T extends Candidate>(teks: readonly T[], now: Micros, rolloverLeft: Micros): Choice<T> {
  const alive = teks.filter((tek) => tek.expiresAt > now);
  const activated = alive.filter((tek) => tek.sendFrom !== undefined);
  if (activated.length > 0) return chooseActivated(alive, now);
  for (let i = alive.length - 1; i > 0; i--) {
    const tek = alive[i]!;
    const until = tek.expiresAt - Math.max(rolloverLeft, (tek.doubt ?? 0) + TRANSIT);
    if (until > now) return { tek, until };
  }
  return { tek: alive[0], until: undefined };
}

/** The newest TEK whose delay is over; before that, the one in use. */
function chooseActivated<T extends Candidate>(alive: readonly T[], now: Micros): Choice<T> {
  const index = alive.findIndex((tek) => (tek.sendFrom ?? 0) <= now);
  const waiting = alive.slice(0, index < 0 ? alive.length : index).map((tek) => tek.sendFrom!);
  return {
    tek: alive[index < 0 ? alive.length - 1 : index],
    until: waiting.length === 0 ? undefined : Math.min(...waiting),
  };
}
