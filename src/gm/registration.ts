/**
 * How a member gets its policy: one key server after the other, until one hands it out. The first group of a key server
 * is registered by GSA_AUTH; further ones by GSA_REGISTRATION over the same IKE SA (RFC 9838 section 2.3.2), where they
 * come from the same address with the same profile. A group that comes back never relies on the SA that it had: lost
 * rekeys may have been the SA's fault.
 */
import type { Endpoint } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { MILLISECOND, SECOND } from "../base/micros.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import { passOn } from "../gikev2/outcomes.ts";
import { suits } from "../gikev2/policy.ts";
import type { CloseReason, SaNumber } from "../ikev2/api.ts";
import { close, forget, initiate, lastSa, request, saView } from "../ikev2/endpoint.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { gmEvent } from "./events.ts";
import { grantProblem, installGrant } from "./install.ts";
import type { GmGroup, GmPhase, RegistrationStep, Turn } from "./state.ts";
import { dialectFor, moveTo, startTimer, stopTimer } from "./state.ts";
import type { GmTransition } from "./states.ts";

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
  const dialect = dialectFor(group);
  const shared = group.tuning.shareSa ? sharedSa(turn, group, server) : undefined;
  const exchange = shared === undefined ? dialect.authExchange : dialect.registrationExchange;
  const again = group.held !== undefined;
  const data = { group: config.name, server: server.address, address: config.local.address, exchange };
  turn.out.push(gmEvent("gm.registering", { attempt: counters.attempts, again, ...data }));
  if (shared !== undefined) {
    moveTo(group, transition, { at: "registering", server, since: turn.now, ...shared });
    if (shared.step === "request") ask(turn, group, shared.sa);
    return;
  }
  const options = {
    local: config.local,
    remote: server,
    profile: config.profile,
    authExchange: dialect.authExchange,
    payloads: wishOf(group),
  };
  const outcomes = initiate(turn.state.endpoint, turn.tools, options, turn.now);
  moveTo(group, transition, {
    at: "registering",
    server,
    sa: lastSa(turn.state.endpoint),
    step: "auth",
    since: turn.now,
  });
  passOn(turn.out, outcomes);
}

function wishOf(group: GmGroup): readonly Payload[] {
  const { id, senderIds, capabilities, want } = group.config;
  return dialectFor(group).registration({
    group: id,
    senderIds,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(want === undefined ? {} : { want }),
  });
}

/** The IKE SA of another group with this key server, and what is to be done there. */
function sharedSa(
  turn: Turn,
  group: GmGroup,
  server: Endpoint,
): { readonly sa: SaNumber; readonly step: RegistrationStep } | undefined {
  const { config, held } = group;
  for (const other of turn.state.groups) {
    if (other === group || other.config.profile !== config.profile || other.config.dialect !== config.dialect) continue;
    if (!sameEndpoint(other.config.local, config.local)) continue;
    const { phase } = other;
    if (phase.at === "registering" && phase.step === "auth" && sameEndpoint(phase.server, server)) {
      return { sa: phase.sa, step: "queued" };
    }
    const sa = other.held?.sa;
    if (phase.at !== "registered" || sa === undefined || sa === held?.sa) continue;
    if (!sameEndpoint(other.held!.server, server) || saView(turn.state.endpoint, sa)?.established !== true) continue;
    return { sa, step: "request" };
  }
  return undefined;
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}

const REGISTER = "register";

/** GSA_REGISTRATION; the tag tells by the answer which group asked. */
function ask(turn: Turn, group: GmGroup, sa: SaNumber): void {
  const { registrationExchange } = dialectFor(group);
  const options = { tag: `${REGISTER} ${group.index}` };
  passOn(
    turn.out,
    request(turn.state.endpoint, turn.tools, sa, registrationExchange, wishOf(group), options, turn.now),
  );
}

/** The groups that register over an IKE SA, or wait for it. */
export function registeringOver(turn: Turn, sa: SaNumber): readonly GmGroup[] {
  return turn.state.groups.filter(({ phase }) => phase.at === "registering" && phase.sa === sa);
}

/** IKE_SA_INIT is over and GSA_AUTH leaves now: not before does the key server make its answer. */
export function onIkeKeys(turn: Turn, entry: KeyEntry): void {
  if (entry.kind !== "ike") return;
  for (const group of turn.state.groups) {
    const { phase } = group;
    if (phase.at !== "registering" || phase.step !== "auth") continue;
    const view = saView(turn.state.endpoint, phase.sa);
    if (view?.spiInitiator === entry.spiInitiator) group.phase = { ...phase, since: turn.now };
  }
}

/** The key server proved itself and answered the first group; the others may ask now. */
export function onEstablished(turn: Turn, sa: SaNumber, payloads: readonly Payload[]): void {
  for (const group of registeringOver(turn, sa)) {
    const phase = group.phase as Extract<GmPhase, { at: "registering" }>;
    if (phase.step === "auth") takeAnswer(turn, group, sa, payloads);
  }
  for (const group of registeringOver(turn, sa)) {
    const { server, since } = group.phase as Extract<GmPhase, { at: "registering" }>;
    if (saView(turn.state.endpoint, sa)?.established !== true) {
      serverFailed(turn, group, "closed", 0);
      continue;
    }
    group.phase = { at: "registering", server, sa, step: "request", since };
    ask(turn, group, sa);
  }
}

/** The answer to a GSA_REGISTRATION. */
export function onRegistrationAnswer(turn: Turn, sa: SaNumber, tag: string, payloads: readonly Payload[]): void {
  const [kind, index] = tag.split(" ");
  if (kind !== REGISTER) return;
  const group = turn.state.groups[Number(index)]!;
  const { phase } = group;
  if (phase.at === "registering" && phase.step === "request" && phase.sa === sa) takeAnswer(turn, group, sa, payloads);
  // The map is gone since then: the key server must not count on the member.
  else if (phase.at === "idle") sendWithdrawal(turn, group, sa, NotifyType.REGISTRATION_FAILED);
}

/** Policy and keys, or a reason why not. */
function takeAnswer(turn: Turn, group: GmGroup, sa: SaNumber, payloads: readonly Payload[]): void {
  const { endpoint } = turn.state;
  const dialect = dialectFor(group);
  const view = saView(endpoint, sa)!;
  const kwk = view.skD && dialect.unicastKwk(turn.tools.crypto, view.suite, view.skD);
  if (kwk === undefined) {
    abandon(turn, group, sa, "keyWrap", NotifyType.NO_PROPOSAL_CHOSEN);
    return;
  }
  const answer = dialect.readGrant(turn.tools.crypto, kwk, payloads, group.config.senderIds !== undefined);
  if (!answer.ok) {
    abandon(turn, group, sa, "policy", answer.notify);
    return;
  }
  if (answer.value.kind === "refused") {
    // The IKE SA stands and is closed by the key server (RFC 9838 section 2.3.1).
    serverFailed(turn, group, "refused", answer.value.notify);
    return;
  }
  const { grant } = answer.value;
  const { capabilities } = group.config;
  // A key server that was told beforehand has looked already.
  if (capabilities !== undefined && !suits(capabilities, grant.policy)) {
    abandon(turn, group, sa, "policy", NotifyType.NO_PROPOSAL_CHOSEN);
    return;
  }
  const problem = grantProblem(group, grant);
  if (problem !== undefined) {
    abandon(turn, group, sa, problem, NotifyType.REGISTRATION_FAILED);
    return;
  }
  const phase = group.phase as Extract<GmPhase, { at: "registering" }>;
  retireSa(turn, group, sa);
  const again = group.held !== undefined;
  installGrant(turn, group, grant, phase, kwk);
  moveTo(group, "granted", { at: "registered" });
  group.counters.successes += 1;
  const { name, local } = group.config;
  const data = { group: name, server: phase.server.address, address: local.address, again };
  const { teks, kek } = group.held!;
  turn.out.push(gmEvent("gm.registered", { teks: teks.length, kek: kek !== undefined, ...data }));
}

/** The key server closes the IKE SA of the registration before; the one before that it has forgotten. */
function retireSa(turn: Turn, group: GmGroup, sa: SaNumber): void {
  const old = group.held?.sa;
  if (old === undefined || old === sa) return;
  const { retiredSa } = group;
  if (retiredSa !== undefined && !isUsed(turn, retiredSa)) forget(turn.state.endpoint, retiredSa);
  group.retiredSa = old;
}

/** By another group, for its rekeys or its registration. */
function isUsed(turn: Turn, sa: SaNumber): boolean {
  return turn.state.groups.some(
    ({ held, phase }) => held?.sa === sa || (phase.at === "registering" && phase.sa === sa),
  );
}

/** The policy is of no use here: the key server is told, so that it does not count on this member. */
function abandon(turn: Turn, group: GmGroup, sa: SaNumber, reason: string, notify: number): void {
  const { endpoint } = turn.state;
  const others = turn.state.groups.some(
    (other) =>
      other !== group && (other.held?.sa === sa || (other.phase.at === "registering" && other.phase.sa === sa)),
  );
  if (notify === NotifyType.INVALID_SYNTAX && !others) {
    // Out of the phase first: the end of this SA is no failure of its own.
    serverFailed(turn, group, reason, notify);
    passOn(turn.out, close(endpoint, turn.tools, sa, turn.now));
    return;
  }
  sendWithdrawal(turn, group, sa, notify === NotifyType.INVALID_SYNTAX ? NotifyType.REGISTRATION_FAILED : notify);
  serverFailed(turn, group, reason, notify);
}

/** GSA_REGISTRATION with IDg and an error notify: refusing the policy, or leaving. RFC 9838 section 2.3.2. */
export function sendWithdrawal(turn: Turn, group: GmGroup, sa: SaNumber, notify: number): void {
  const { endpoint } = turn.state;
  if (saView(endpoint, sa)?.established !== true) return;
  const dialect = dialectFor(group);
  const payloads = dialect.withdrawal(group.config.id, notify);
  const options = { tag: "withdrawal" };
  passOn(turn.out, request(endpoint, turn.tools, sa, dialect.registrationExchange, payloads, options, turn.now));
}

/** The IKE SA of a registration ended before there was an answer. */
export function onRegistrationClosed(turn: Turn, group: GmGroup, reason: CloseReason, notify: number): void {
  serverFailed(turn, group, reason, notify);
}

function serverFailed(turn: Turn, group: GmGroup, reason: string, notify: number): void {
  const phase = group.phase as Extract<GmPhase, { at: "registering" }>;
  const { name, servers } = group.config;
  const data = { group: name, server: phase.server.address, reason, notify };
  turn.out.push(gmEvent("gm.registrationFailed", data));
  group.server += 1;
  if (group.server < servers.length) {
    tryServer(turn, group, "serverFailed");
    return;
  }
  const wait = group.tuning.retryWait + turn.tools.rng.below(1000) * MILLISECOND;
  moveTo(group, "listExhausted", { at: "waiting" });
  turn.out.push(
    gmEvent("gm.listExhausted", { group: name, servers: servers.length, waitMillis: Math.floor(wait / MILLISECOND) }),
  );
  startTimer(turn, "retry", group, turn.now + wait);
}

/** New keys have not come, or a rekey was missed: the member asks at once. */
export function reregister(turn: Turn, group: GmGroup, reason: string): void {
  if (group.phase.at !== "registered") return;
  turn.out.push(gmEvent("gm.reregister", { group: group.config.name, reason }));
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
