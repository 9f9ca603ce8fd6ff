/** SAs of IKEv1: phase 1 of a role's endpoint, and on a member the rekey SAs of its GDOI groups. */

import type { GmState } from "../../../src/gm/state.ts";
import type { Ikev1Endpoint } from "../../../src/ikev1/endpoint.ts";
import type { IsakmpSa } from "../../../src/ikev1/state.ts";
import type { IsakmpSaView } from "../../../src/ios/show/views.ts";
import { Doi } from "../../../src/wire/isakmpNumbers.ts";
import type { RoleState } from "../spec.ts";

/** IOS numbers connections from here on. */
export const FIRST_CONNECTION = 1000;

export function isakmpViews({ kind, state }: RoleState): IsakmpSaView[] {
  if (kind === "site" || state.isakmp === undefined) return [];
  const { endpoint } = state.isakmp;
  const phase1 = [...endpoint.sas.values()].map(phase1View);
  return kind === "gm" ? [...phase1, ...rekeyViews(state, endpoint)] : phase1;
}

/** Oldest first; `dst` is who was asked. */
function phase1View(sa: IsakmpSa): IsakmpSaView {
  const { local, remote, initiator, number } = sa;
  return {
    destination: (initiator ? remote : local).address,
    source: (initiator ? local : remote).address,
    local,
    remote,
    state: stateOf(sa),
    connectionId: FIRST_CONNECTION + number,
    status: "ACTIVE",
  };
}

function stateOf({ phase, doi, mode, keys }: IsakmpSa): IsakmpSaView["state"] {
  if (phase.at === "established") return doi === Doi.GDOI ? "GDOI_IDLE" : "QM_IDLE";
  if (mode === "aggressive") return "AG_NO_STATE";
  return keys === undefined ? "MM_NO_STATE" : "MM_KEY_EXCH";
}

/** From the key server to the member, or to the group's multicast address; numbered behind those of phase 1. */
function rekeyViews({ groups }: GmState, { nextSa }: Ikev1Endpoint): IsakmpSaView[] {
  return groups.flatMap(({ config, held, index }) => {
    if (config.protocol.kind !== "gdoi" || held?.kek === undefined) return [];
    return [
      {
        destination: held.joined ?? config.local.address,
        source: held.server.address,
        local: config.local,
        remote: held.server,
        state: "GDOI_REKEY",
        connectionId: FIRST_CONNECTION + nextSa + index,
        status: "ACTIVE",
      },
    ];
  });
}
