/**
 * Registration over IKEv1: phase 1 with the key server, then a GROUPKEY-PULL for each group over its SA. RFC 6407 section
 * 3. The SA may end afterwards without effect on any key; a member never begins one for its own sake.
 */
import { type PullOutcome, startPull, takePullOutcome } from "../gdoi/pull.ts";
import { DEFAULT_SWITCHES } from "../gdoi/switches.ts";
import { isHostOutcome, passOn } from "../gikev2/outcomes.ts";
import { close, initiate, lastSa, saView } from "../ikev1/endpoint.ts";
import type { SaNumber } from "../ikev2/api.ts";
import { Doi, GdoiExchange, IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import type { GroupProtocol } from "./config.ts";
import {
  isMisfit,
  isUsedByOthers,
  type Registering,
  registeringOver,
  serverFailed,
  takeGrant,
  wishOf,
} from "./registration.ts";
import type { GmGroup, IsakmpSide, Registrar, Turn } from "./state.ts";
import { groupsOf } from "./state.ts";

export const gdoiRegistrar: Registrar = {
  exchangeOf: () => GdoiExchange.GROUPKEY_PULL,
  canShare: ({ protocol: a }, { protocol: b }) => profileName(a) === profileName(b),
  open(turn, group, server) {
    const { endpoint } = sideOf(turn);
    const { local, protocol } = group.config;
    const profile = profileName(protocol) ?? endpoint.config.profiles.at(-1)!.name;
    const outcomes = initiate(endpoint, turn.tools, { local, remote: server, profile, doi: Doi.GDOI }, turn.now);
    // Without a key for the server nothing leaves.
    const failed = outcomes.find((outcome) => outcome.kind === "closed");
    return {
      sa: lastSa(endpoint),
      outcomes: outcomes.filter(isHostOutcome),
      ...(failed === undefined ? {} : { failed }),
    };
  },
  isUp: (turn, sa) => saView(sideOf(turn).endpoint, sa)?.established === true,
  ask,
  // GDOI has no word for it; the end of the SA is all that the key server can be told.
  leave: closeUnused,
  retire: closeUnused,
};

function profileName(protocol: GroupProtocol): string | undefined {
  return protocol.kind === "gdoi" ? protocol.profile : undefined;
}

export function sideOf({ state }: Turn): IsakmpSide {
  return state.isakmp!;
}

/** Message 1; lifetimes in the answer are those of the instant at which it arrives at the key server. */
function ask(turn: Turn, group: GmGroup, sa: SaNumber): void {
  const { endpoint, pulls } = sideOf(turn);
  const { protocol } = group.config;
  const switches = { ...DEFAULT_SWITCHES, ...(protocol.kind === "gdoi" ? protocol.switches : {}) };
  const { pull, outcomes } = startPull(pulls, endpoint, turn.tools, sa, wishOf(group), turn.now, switches);
  const { server } = group.phase as Registering;
  group.phase = { at: "registering", server, sa, step: "request", pull: pull.messageId, since: turn.now };
  passOn(turn.out, outcomes);
}

function closeUnused(turn: Turn, group: GmGroup | undefined, sa: SaNumber): void {
  if (isUsedByOthers(turn, "gdoi", group, sa)) return;
  const { endpoint, pulls } = sideOf(turn);
  const outcomes = close(endpoint, turn.tools, sa, turn.now);
  for (const outcome of outcomes) takePullOutcome(pulls, endpoint, turn.tools, outcome, turn.now);
  passOn(turn.out, outcomes);
  forgetSa(turn, sa);
}

/** The SA is gone: keys stay as they are. */
export function forgetSa(turn: Turn, sa: SaNumber): void {
  for (const { held } of groupsOf(turn, "gdoi")) if (held?.sa === sa) held.sa = undefined;
}

/** Phase 1 is done: the group that began it asks, and those that have waited for it. */
export function onPhase1Established(turn: Turn, sa: SaNumber): void {
  for (const group of registeringOver(turn, "gdoi", sa)) ask(turn, group, sa);
  // The map is gone since then.
  closeUnused(turn, undefined, sa);
}

function asking(turn: Turn, sa: SaNumber, messageId: number): GmGroup | undefined {
  return registeringOver(turn, "gdoi", sa).find(({ phase }) => (phase as Registering).pull === messageId);
}

export function onPullGranted(turn: Turn, { pull, grant }: Extract<PullOutcome, { kind: "pullGranted" }>): void {
  const group = asking(turn, pull.sa, pull.messageId);
  if (group === undefined) {
    // The map is gone since then: the key server is told as far as that is possible.
    closeUnused(turn, undefined, pull.sa);
    return;
  }
  const problem = takeGrant(turn, group, pull.sa, grant, undefined);
  if (problem === undefined) return;
  // Out of the phase first: the end of the SA is no failure of its own. RFC 6407 section 3.3.
  serverFailed(turn, group, problem, isMisfit(problem) ? IsakmpNotifyType["NO-PROPOSAL-CHOSEN"] : 0);
  closeUnused(turn, group, pull.sa);
}

/** By the key server, where the SA stands; or the member cannot use what it was offered and has deleted the SA. */
export function onPullRefused(turn: Turn, outcome: Extract<PullOutcome, { kind: "pullRefused" }>): void {
  const { pull, notify, misfit = "policy" } = outcome;
  const group = asking(turn, pull.sa, pull.messageId);
  if (group === undefined) return;
  const stands = saView(sideOf(turn).endpoint, pull.sa)?.established === true;
  serverFailed(turn, group, stands ? "refused" : misfit, notify);
}

export function onPullUnanswered(turn: Turn, sa: SaNumber, messageId: number): void {
  const group = asking(turn, sa, messageId);
  if (group !== undefined) serverFailed(turn, group, "timeout", 0);
}
