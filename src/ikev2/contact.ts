/** INITIAL_CONTACT: SAs that are left over from before the peer's restart. RFC 7296 section 2.4. */
import { EMPTY } from "../base/bytes.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import { notifyOf, type Payload } from "../wire/payloads.ts";
import type { AuthProfile } from "./api.ts";
import { closeSa } from "./closing.ts";
import { happened } from "./events.ts";
import { notify } from "./nat.ts";
import { type IkeSa, isEstablished, sasOfPeer, type Turn } from "./state.ts";

/**
 * The notify for the first AUTH request, where no other SA stands or is being made with the peer under this profile: only
 * then it is the truth, and of two SAs that come to be at once neither must end the other.
 */
export function initialContact(turn: Turn, sa: IkeSa): Payload[] {
  const { sas, config } = turn.endpoint;
  if (config.initialContact === false) return [];
  for (const other of sas.values()) {
    const isOver = other.phase.at === "deleting" || other.phase.at === "lingering";
    const isOther = other !== sa && other.profile === sa.profile && other.remote.address === sa.remote.address;
    if (isOther && !isOver) return [];
  }
  return [notify(NotifyType.INITIAL_CONTACT, EMPTY)];
}

/** An SA was just established with a peer that knows of no other one: what we still hold with it ends without a word. */
export function heedInitialContact(turn: Turn, sa: IkeSa, profile: AuthProfile, payloads: readonly Payload[]): void {
  if (turn.endpoint.config.initialContact === false) return;
  // IOS `initial-contact force` serves peers that never say it: a responder takes it as said.
  const isForced = profile.forceInitialContact === true && !sa.initiator;
  if (!isForced && notifyOf(payloads, NotifyType.INITIAL_CONTACT) === undefined) return;
  const others = sasOfPeer(turn.endpoint, sa).filter((other) => other !== sa && isCurrent(other));
  if (others.length === 0) return;
  turn.outcomes.push(happened("ike.initialContact", sa.number, sa.remote, { closed: others.length }));
  for (const other of others) closeSa(turn, other, "replaced");
}

function isCurrent(sa: IkeSa): boolean {
  return isEstablished(sa) && sa.successor === 0;
}
