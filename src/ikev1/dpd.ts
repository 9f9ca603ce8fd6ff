/**
 * Is the peer still there? RFC 3706. The timer looks at when something was last heard; a message only notes its instant
 * and moves no timer.
 */
import { u32, uintFrom } from "../base/bytes.ts";
import type { Notify } from "../wire/isakmp.ts";
import { IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import type { DpdConfig } from "./api.ts";
import { closeSa, drop } from "./closing.ts";
import { happened } from "./events.ts";
import { ipsecNotify, isOwnSpi, sendInformational } from "./inform.ts";
import { type IsakmpSa, isEstablished, profileOf, startTimer, type Turn } from "./state.ts";
import { waitBefore } from "./transmit.ts";

/** A profile has its own word or leaves it to the endpoint. */
function dpdOf({ endpoint }: Turn, { profile }: IsakmpSa): DpdConfig | undefined {
  return profileOf(endpoint, profile)?.dpd ?? endpoint.config.dpd;
}

export function startDpd(turn: Turn, sa: IsakmpSa): void {
  const dpd = dpdOf(turn, sa);
  if (dpd !== undefined && sa.abilities.dpd) startTimer(turn, sa, "dpd", dpd.idleMicros);
}

/** Numbers start at random below 2^31 and count questions; a repetition keeps its number. Section 6.2. */
export function ask(turn: Turn, sa: IsakmpSa): void {
  const { dpd } = sa;
  if (dpd.unanswered === 0 || dpd.own === undefined) {
    dpd.own = dpd.own === undefined ? turn.tools.rng.below(0x80000000) : (dpd.own + 1) >>> 0;
  }
  dpd.unanswered += 1;
  sendInformational(turn, sa, ipsecNotify(sa, IsakmpNotifyType["R-U-THERE"], u32(dpd.own)));
}

export function onDpdTimer(turn: Turn, sa: IsakmpSa): void {
  const config = dpdOf(turn, sa);
  if (config === undefined || !isEstablished(sa)) return;
  const silent = turn.now - sa.heardAt;
  if (sa.dpd.unanswered === 0 && silent < config.idleMicros) {
    startTimer(turn, sa, "dpd", config.idleMicros - silent);
    return;
  }
  if (sa.dpd.unanswered > config.retransmit.repeats) {
    turn.outcomes.push(happened("isakmp.dead", sa.number, sa.remote));
    closeSa(turn, sa, "timeout");
    return;
  }
  ask(turn, sa);
  startTimer(turn, sa, "dpd", waitBefore(config.retransmit, sa.dpd.unanswered - 1));
}

/** A genuine R-U-THERE or its answer. */
export function receiveDpd(turn: Turn, sa: IsakmpSa, notify: Notify): void {
  const number = notify.data.length === 4 ? uintFrom(notify.data) : undefined;
  if (number === undefined || !isOwnSpi(sa, notify.spi)) {
    drop(turn, "grammar", sa.remote, sa.number, "dead peer detection");
    return;
  }
  // An answer has done its work by being heard.
  if (notify.type !== IsakmpNotifyType["R-U-THERE"]) return;
  if (sa.dpd.peer !== undefined && number < sa.dpd.peer) {
    drop(turn, "repeated", sa.remote, sa.number, "dead peer detection");
    return;
  }
  sa.dpd.peer = number;
  sendInformational(turn, sa, ipsecNotify(sa, IsakmpNotifyType["R-U-THERE-ACK"], u32(number)));
}
