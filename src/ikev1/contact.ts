/** INITIAL-CONTACT: SAs that are left over from before the peer's restart. RFC 2407 section 4.6.3.3. */
import { closeSa } from "./closing.ts";
import { happened } from "./events.ts";
import { type IsakmpSa, isEstablished, sasOfPeer, type Turn } from "./state.ts";

/** True where no other SA stands with the peer: only then INITIAL-CONTACT is the truth. */
export function isFirstContact(turn: Turn, sa: IsakmpSa): boolean {
  if (turn.endpoint.config.initialContact === false) return false;
  for (const other of turn.endpoint.sas.values()) {
    if (isEstablished(other) && other.remote.address === sa.remote.address) return false;
  }
  return true;
}

/** The peer has no other SA with us: what we still hold is left over from before its restart. */
export function forgetOthers(turn: Turn, sa: IsakmpSa): void {
  if (turn.endpoint.config.initialContact === false) return;
  const others = sasOfPeer(turn.endpoint, sa).filter(
    (other) => other !== sa && other.remote.address === sa.remote.address,
  );
  turn.outcomes.push(happened("isakmp.initialContact", sa.number, sa.remote, { closed: others.length }));
  for (const other of others) closeSa(turn, other, "replaced");
}
