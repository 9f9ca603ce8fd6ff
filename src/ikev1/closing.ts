/** The ways in which an SA or a datagram comes to its end. */
import type { Endpoint } from "../base/machine.ts";
import type { CloseReason } from "./api.ts";
import { type DropReason, happened } from "./events.ts";
import { type IsakmpSa, isEstablished, removeSa, type Turn } from "./state.ts";

/** The end of an SA: reported, and gone from all tables. */
export function closeSa(turn: Turn, sa: IsakmpSa, reason: CloseReason, notify = 0): void {
  const established = isEstablished(sa);
  turn.outcomes.push(
    happened("isakmp.closed", sa.number, sa.remote, { reason, established, ...(notify > 0 && { notify }) }),
    { kind: "closed", sa: sa.number, reason, notify, established, remote: sa.remote },
  );
  removeSa(turn.endpoint, sa);
}

export function drop(turn: Turn, reason: DropReason, remote: Endpoint, sa = 0, detail = ""): void {
  const { dropped } = turn.endpoint;
  dropped[reason] = (dropped[reason] ?? 0) + 1;
  turn.outcomes.push(happened("isakmp.dropped", sa, remote, detail === "" ? { reason } : { reason, detail }));
}
