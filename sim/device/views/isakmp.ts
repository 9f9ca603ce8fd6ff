/** SAs of IKEv1: phase 1 of a role's endpoint, and on a member the rekey SAs of its GDOI groups. */

import type { Micros } from "../../../src/base/micros.ts";
import type { GmState } from "../../../src/gm/state.ts";
import type { Ikev1Endpoint } from "../../../src/ikev1/endpoint.ts";
import { expiryOf, type IsakmpSa } from "../../../src/ikev1/state.ts";
import type { IsakmpSaView } from "../../../src/ios/show/views.ts";
import { Doi } from "../../../src/wire/isakmpNumbers.ts";
import type { RoleState } from "../spec.ts";
import { secondsLeft } from "./common.ts";

/** IOS numbers connections from here on. */
export const FIRST_CONNECTION = 1000;

export function isakmpViews({ kind, state }: RoleState, now: Micros): IsakmpSaView[] {
  if (kind === "site" || state.isakmp === undefined) return [];
  const { endpoint } = state.isakmp;
  const phase1 = [...endpoint.sas.values()].map((sa) => phase1View(endpoint, sa, now));
  return kind === "gm" ? [...phase1, ...rekeyViews(state, endpoint, now)] : phase1;
}

/** Oldest first; `dst` is who was asked. */
function phase1View(endpoint: Ikev1Endpoint, sa: IsakmpSa, now: Micros): IsakmpSaView {
  const { local, remote, initiator, number, nat, abilities } = sa;
  const policy = sa.agreed?.policy;
  return {
    destination: (initiator ? remote : local).address,
    source: (initiator ? local : remote).address,
    local,
    remote,
    state: stateOf(sa),
    connectionId: FIRST_CONNECTION + number,
    status: "ACTIVE",
    suite: policy && {
      encryption: ENCRYPTIONS[policy.encryption] ?? String(policy.encryption),
      hash: HASHES[policy.hash] ?? String(policy.hash),
      authentication: METHODS[policy.authentication] ?? String(policy.authentication),
      group: policy.group,
    },
    remaining: secondsLeft(expiryOf(endpoint, sa) ?? now, now),
    isNatted: nat.peerBehindNat || nat.weBehindNat,
    hasDpd: abilities.dpd,
  };
}

/** Attribute values of RFC 2409 appendix A, in the words of IOS. */
const ENCRYPTIONS: Readonly<Record<number, string>> = { 1: "des", 5: "3des", 7: "aes" };
const HASHES: Readonly<Record<number, string>> = { 1: "md5", 2: "sha", 4: "sha256", 5: "sha384", 6: "sha512" };
const METHODS: Readonly<Record<number, string>> = { 1: "psk", 3: "rsig", 4: "renc" };

function stateOf({ phase, doi, mode, keys }: IsakmpSa): IsakmpSaView["state"] {
  if (phase.at === "established") return doi === Doi.GDOI ? "GDOI_IDLE" : "QM_IDLE";
  if (mode === "aggressive") return "AG_NO_STATE";
  return keys === undefined ? "MM_NO_STATE" : "MM_KEY_EXCH";
}

/** From the key server to the member, or to the group's multicast address; numbered behind those of phase 1. */
function rekeyViews({ groups }: GmState, { nextSa }: Ikev1Endpoint, now: Micros): IsakmpSaView[] {
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
        suite: undefined,
        remaining: secondsLeft(held.kek.expiresAt, now),
        isNatted: false,
        hasDpd: false,
      },
    ];
  });
}
