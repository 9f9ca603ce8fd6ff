/** When an IKE SA is renewed and when it ends. Lifetimes are not negotiated: each side keeps its own. RFC 7296 2.8. */
import { SECOND } from "../base/micros.ts";
import { type IkeSa, profileOf, Slot, startTimerAt, type Turn } from "./state.ts";

/**
 * Starts the clocks of an SA that has just come to stand. Proposed default: the original initiator renews after nine
 * tenths of the lifetime, the other side after nineteen twentieths, so that the two seldom meet; only the initiator can
 * authenticate anew (RFC 7296 section 2.8.3).
 */
export function startLifetime(turn: Turn, sa: IkeSa): void {
  const profile = profileOf(turn.endpoint, sa.profile);
  const life = (profile?.lifetimeSeconds ?? 0) * SECOND;
  if (profile === undefined || life === 0) return;
  startTimerAt(turn, sa, Slot.expiry, sa.createdAt + life);
  const action = profile.atLifetime ?? "end";
  if (action === "end" || (action === "reauthenticate" && sa.options === undefined)) return;
  startTimerAt(turn, sa, Slot.renew, sa.createdAt + Math.floor((life * (sa.initiator ? 18 : 19)) / 20));
}
