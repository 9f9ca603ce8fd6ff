/**
 * How a member gets its policy: one key server after the other, until one hands it out. The first group of a key server
 * is registered over an SA of its own; further ones over that SA as well, where they come from the same address with the
 * same protocol and profile (RFC 9838 section 2.3.2; phase 1 of IKEv1 serves any number of GROUPKEY-PULLs). A group that
 * comes back never relies on the SA that it had: lost rekeys may have been the SA's fault.
 *
 * What is said on the wire is a matter of the protocol: `gikev2Registration.ts` and `gdoiRegistration.ts`.
 */
import type { Endpoint } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { MILLISECOND, SECOND } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import { passOn } from "../gikev2/outcomes.ts";
import type { Grant, PolicyMisfit, Registration } from "../gikev2/policy.ts";
import { misfit } from "../gikev2/policy.ts";
import type { SaNumber } from "../ikev2/api.ts";
import type { ProtocolKind } from "./config.ts";
import { gmEvent, protocolEvent } from "./events.ts";
import { grantProblem, installGrant, type UpdateProblem } from "./install.ts";
import type { GmGroup, GmPhase, RegistrationStep, Turn } from "./state.ts";
import { groupsOf, moveTo, registrarOf, startTimer, stopTimer } from "./state.ts";
import type { GmTransition } from "./states.ts";

export type Registering = Extract<GmPhase, { at: "registering" }>;

/** From the first server on: after the map was applied, when keys are missed, after a pause. */
export function beginRegistration(turn: Turn, group: GmGroup, transition: GmTransition): void {
  group.server = 0;
  tryServer(turn, group, transition);
}

function tryServer(turn: Turn, group: GmGroup, transition: GmTransition): void {
  const { config, counters } = group;
  stopTimer(turn, "reregister", group);
  stopTimer(turn, "retry", group);
  group.reregisterAt = undefined;
  const server = config.servers[group.server]!;
  counters.attempts += 1;
  const registrar = registrarOf(turn, group);
  const shared = group.tuning.shareSa ? sharedSa(turn, group, server) : undefined;
  const exchange = registrar.exchangeOf(group, shared !== undefined);
  const again = group.held !== undefined;
  const data = { group: config.name, server: server.address, address: config.local.address, exchange };
  const protocol = config.protocol.kind;
  turn.out.push(gmEvent("gm.registering", { attempt: counters.attempts, again, protocol, ...data }));
  if (shared !== undefined) {
    moveTo(group, transition, { at: "registering", server, since: turn.now, ...shared });
    if (shared.step === "request") registrar.ask(turn, group, shared.sa);
    return;
  }
  const { sa, outcomes, failed } = registrar.open(turn, group, server);
  moveTo(group, transition, { at: "registering", server, sa, step: "auth", since: turn.now });
  passOn(turn.out, outcomes);
  if (failed !== undefined) serverFailed(turn, group, failed.reason, failed.notify);
}

/** What a group asks for. */
export function wishOf({ config: { id, senderIds, capabilities, want } }: GmGroup): Registration {
  return {
    group: id,
    senderIds,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(want === undefined ? {} : { want }),
  };
}

/** The SA of another group with this key server, and what is to be done there. */
function sharedSa(
  turn: Turn,
  group: GmGroup,
  server: Endpoint,
): { readonly sa: SaNumber; readonly step: RegistrationStep } | undefined {
  const { config, held } = group;
  const registrar = registrarOf(turn, group);
  for (const other of groupsOf(turn, config.protocol.kind)) {
    if (other === group || !registrar.canShare(other.config, config)) continue;
    if (!sameEndpoint(other.config.local, config.local)) continue;
    const { phase } = other;
    if (phase.at === "registering" && phase.step === "auth" && sameEndpoint(phase.server, server)) {
      return { sa: phase.sa, step: "queued" };
    }
    const sa = other.held?.sa;
    if (phase.at !== "registered" || sa === undefined || sa === held?.sa) continue;
    if (!sameEndpoint(other.held!.server, server) || !registrar.isUp(turn, sa)) continue;
    return { sa, step: "request" };
  }
  return undefined;
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}

/** The groups of a protocol that register over an SA, or wait for it. */
export function registeringOver(turn: Turn, kind: ProtocolKind, sa: SaNumber): GmGroup[] {
  return groupsOf(turn, kind).filter(({ phase }) => phase.at === "registering" && phase.sa === sa);
}

/** Groups of a protocol, apart from `group`, need the SA: for their rekeys or their registration. */
export function isUsedByOthers(turn: Turn, kind: ProtocolKind, group: GmGroup | undefined, sa: SaNumber): boolean {
  return groupsOf(turn, kind).some(
    (other) =>
      other !== group && (other.held?.sa === sa || (other.phase.at === "registering" && other.phase.sa === sa)),
  );
}

/**
 * Policy and keys as a key server has handed them out are put in place. Returns why they are of no use here; then nothing
 * has changed. `kwk`: wraps keys in the SA, where the protocol does that.
 */
export function takeGrant(
  turn: Turn,
  group: GmGroup,
  sa: SaNumber,
  grant: Grant,
  kwk: Secret | undefined,
): PolicyMisfit | UpdateProblem | undefined {
  const { capabilities, name, local, protocol } = group.config;
  // A key server that was told beforehand has looked already.
  const problem = (capabilities && misfit(capabilities, grant.policy)) ?? grantProblem(group, grant);
  if (problem !== undefined) return problem;
  const phase = group.phase as Registering;
  const old = group.held?.sa;
  if (old !== undefined && old !== sa) registrarOf(turn, group).retire(turn, group, old);
  const again = group.held !== undefined;
  installGrant(turn, group, grant, phase, kwk);
  moveTo(group, "granted", { at: "registered" });
  group.counters.successes += 1;
  const data = { group: name, server: phase.server.address, address: local.address, again, protocol: protocol.kind };
  const { teks, kek } = group.held!;
  turn.out.push(gmEvent("gm.registered", { teks: teks.length, kek: kek !== undefined, ...data }));
  return undefined;
}

/** The policy itself is beyond this member. */
export function isMisfit(problem: string): problem is PolicyMisfit {
  return problem === "policy" || problem === "rekeyPolicy";
}

/** The attempt with this key server has come to nothing; `notify`: of the group's protocol, 0 for none. */
export function serverFailed(turn: Turn, group: GmGroup, reason: string, notify: number): void {
  const phase = group.phase as Registering;
  const { servers } = group.config;
  const data = { server: phase.server.address, reason, notify };
  turn.out.push(protocolEvent(group, "gm.registrationFailed", data));
  group.server += 1;
  if (group.server < servers.length) {
    tryServer(turn, group, "serverFailed");
    return;
  }
  const wait = group.tuning.retryWait + turn.tools.rng.below(1000) * MILLISECOND;
  moveTo(group, "listExhausted", { at: "waiting" });
  const waitMillis = Math.floor(wait / MILLISECOND);
  turn.out.push(protocolEvent(group, "gm.listExhausted", { servers: servers.length, waitMillis }));
  startTimer(turn, "retry", group, turn.now + wait);
}

/** New keys have not come, or a rekey was missed: the member asks at once. */
export function reregister(turn: Turn, group: GmGroup, reason: string): void {
  if (group.phase.at !== "registered") return;
  turn.out.push(protocolEvent(group, "gm.reregister", { reason }));
  beginRegistration(turn, group, "reregisterDue");
}

/** Waits before the member comes back, so that a group does not come at once. Returns whole seconds. */
export function waitToRegister(turn: Turn, group: GmGroup, transition: GmTransition, most: Micros): number {
  const seconds = 1 + turn.tools.rng.below(Math.max(1, Math.floor(most / SECOND)));
  stopTimer(turn, "reregister", group);
  group.reregisterAt = undefined;
  moveTo(group, transition, { at: "waiting" });
  startTimer(turn, "retry", group, turn.now + seconds * SECOND);
  return seconds;
}
