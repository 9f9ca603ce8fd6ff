/**
 * Rekeys that a member missed, and how it can tell: others use a TEK or a KEK whose SPI was announced (GSA_NEXT_SPI) and
 * that the member does not hold. RFC 9838 section 4.4.2.2.3. Packets overtake each other, so the rekey is given a moment.
 */
import { reregister } from "./registration.ts";
import type { GmGroup, Turn } from "./state.ts";
import { startTimer } from "./state.ts";

/** `spi`: of a packet of the data plane, or of a rekey message as 32 hexadecimal digits. */
export function noteUnknownSpi(turn: Turn, group: GmGroup, spi: number | string): void {
  const { held } = group;
  if (held === undefined || held.missing !== undefined || !isMissing(group, spi)) return;
  held.missing = spi;
  startTimer(turn, "missed", group, turn.now + group.tuning.missedRekeyWait);
}

function isMissing({ held }: GmGroup, spi: number | string): boolean {
  if (held === undefined) return false;
  if (typeof spi === "string") return held.kek?.nextSpis.includes(spi) === true;
  return held.teks.some((tek) => tek.nextSpis.includes(spi)) && !held.teks.some((tek) => tek.spi === spi);
}

export function onMissedTimer(turn: Turn, group: GmGroup): void {
  const { held } = group;
  const missing = held?.missing;
  if (held === undefined || missing === undefined) return;
  held.missing = undefined;
  if (isMissing(group, missing)) reregister(turn, group, "nextSpi");
}
