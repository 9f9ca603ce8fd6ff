/** What happens when a lifetime nears its end: fresh keys, a fresh authentication, or deletion. RFC 7296 section 2.8. */
import { SECOND } from "../base/micros.ts";
import { startDeleteChild } from "./childSa.ts";
import { armChildren } from "./childTable.ts";
import { askChild } from "./createChild.ts";
import { deleteSa } from "./informational.ts";
import { startInit } from "./init.ts";
import { askIkeRekey } from "./rekeyIke.ts";
import { type IkeSa, isEstablished, profileOf, Slot, startTimer, type Turn } from "./state.ts";

/** Proposed default: when a renewal that had to wait for another exchange is tried again. */
const RETRY = 5 * SECOND;

export function onRenewTimer(turn: Turn, sa: IkeSa): void {
  if (!isEstablished(sa) || sa.successor !== 0) return;
  const action = profileOf(turn.endpoint, sa.profile)?.atLifetime;
  if (action === "reauthenticate" && sa.options !== undefined) {
    startInit(turn, sa.options, sa.number);
  } else if (!askIkeRekey(turn, sa)) startTimer(turn, sa, Slot.renew, RETRY);
}

export function onExpiryTimer(turn: Turn, sa: IkeSa): void {
  deleteSa(turn, sa, "expired");
}

/** Children whose time has come. */
export function onChildTimer(turn: Turn, sa: IkeSa): void {
  for (const child of [...sa.children]) {
    if (child.state === "closing") continue;
    if (child.endAt !== undefined && child.endAt <= turn.now) startDeleteChild(turn, sa, child, "deletedByUs");
    else if (child.state === "up" && child.renewAt !== undefined && child.renewAt <= turn.now) {
      if (!askChild(turn, sa, child.policy, child)) child.renewAt = turn.now + RETRY;
    }
  }
  armChildren(turn, sa);
}
