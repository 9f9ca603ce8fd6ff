/**
 * Is the peer still there, and does the NAT in front of us still know us? RFC 7296 sections 2.4 and 2.23.
 *
 * The timers look at when something was last heard or sent; a packet only notes its instant and moves no timer.
 */
import { SECOND } from "../base/micros.ts";
import { Exchange } from "../wire/ikev2Numbers.ts";
import { NAT_KEEPALIVE } from "../wire/nonEsp.ts";
import type { LivenessConfig } from "./api.ts";
import { type IkeSa, isEstablished, profileOf, Slot, startTimer, type Turn } from "./state.ts";
import { startRequest } from "./window.ts";

/** Interval of strongSwan. */
const KEEPALIVE = 20 * SECOND;

/** Starts what an established SA has to watch. */
export function startLiveness(turn: Turn, sa: IkeSa): void {
  const { nat } = turn.endpoint.config;
  const liveness = livenessOf(turn, sa);
  if (liveness !== undefined) startTimer(turn, sa, Slot.liveness, liveness.idleMicros);
  const interval = nat?.keepaliveMicros ?? KEEPALIVE;
  if (sa.nat.weBehindNat && interval > 0) startTimer(turn, sa, Slot.keepalive, interval);
}

/** The profile's own word counts before that of the box. */
function livenessOf({ endpoint }: Turn, sa: IkeSa): LivenessConfig | undefined {
  return profileOf(endpoint, sa.profile)?.liveness ?? endpoint.config.liveness;
}

/** Asks where the peer has been silent, unless a request is under way: its answer will do as well. */
export function onLivenessTimer(turn: Turn, sa: IkeSa): void {
  const liveness = livenessOf(turn, sa);
  if (liveness === undefined || !isEstablished(sa)) return;
  const silent = turn.now - sa.heardAt;
  if (silent < liveness.idleMicros) {
    startTimer(turn, sa, Slot.liveness, liveness.idleMicros - silent);
    return;
  }
  const waiting = sa.out.pending.some((request) => !request.abandoned);
  if (!waiting) startRequest(turn, sa, Exchange.INFORMATIONAL, { kind: "liveness" }, [], liveness.retransmit);
  startTimer(turn, sa, Slot.liveness, liveness.idleMicros);
}

/** One octet, without marker, where nothing else has passed the NAT for a while. */
export function onKeepaliveTimer(turn: Turn, sa: IkeSa): void {
  const interval = turn.endpoint.config.nat?.keepaliveMicros ?? KEEPALIVE;
  const quiet = turn.now - sa.sentAt;
  if (quiet >= interval) {
    const { local, remote } = sa;
    turn.outcomes.push({ kind: "send", local, remote, octets: NAT_KEEPALIVE });
    sa.sentAt = turn.now;
  }
  startTimer(turn, sa, Slot.keepalive, quiet >= interval ? interval : interval - quiet);
}
