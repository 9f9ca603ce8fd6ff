/** How a member gets its policy: one key server after the other, until one hands it out. */
import type { Micros } from "../base/micros.ts";
import { MILLISECOND, SECOND } from "../base/micros.ts";
import { passOn } from "../gikev2/outcomes.ts";
import type { CloseReason, SaNumber } from "../ikev2/api.ts";
import { close, forget, initiate, lastSa, request, saView } from "../ikev2/endpoint.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import { gmEvent } from "./events.ts";
import { grantProblem, installGrant } from "./install.ts";
import type { GmGroup, GmPhase, Turn } from "./state.ts";
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
  const data = { group: config.name, server: server.address, address: config.local.address };
  turn.out.push(gmEvent("gm.registering", { attempt: counters.attempts, again: group.held !== undefined, ...data }));
  const dialect = dialectFor(group);
  const { id, senderIds, capabilities } = config;
  const wish = { group: id, senderIds, ...(capabilities === undefined ? {} : { capabilities }) };
  const options = {
    local: config.local,
    remote: server,
    profile: config.profile,
    authExchange: dialect.authExchange,
    payloads: dialect.registration(wish),
  };
  const outcomes = initiate(turn.state.endpoint, turn.tools, options, turn.now);
  moveTo(group, transition, { at: "registering", server, sa: lastSa(turn.state.endpoint) });
  passOn(turn.out, outcomes);
}

/** The group that an IKE SA is registering, or undefined where the SA has another purpose. */
export function registeringWith(turn: Turn, sa: SaNumber): GmGroup | undefined {
  return turn.state.groups.find(({ phase }) => phase.at === "registering" && phase.sa === sa);
}

/** The key server proved itself and answered: with policy and keys, or with a reason why not. */
export function onEstablished(turn: Turn, sa: SaNumber, payloads: readonly Payload[]): void {
  const group = registeringWith(turn, sa);
  if (group === undefined) return;
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
  const problem = grantProblem(group, grant);
  if (problem !== undefined) {
    abandon(turn, group, sa, problem, NotifyType.REGISTRATION_FAILED);
    return;
  }
  const phase = group.phase as Extract<GmPhase, { at: "registering" }>;
  retireSa(turn, group, sa);
  const again = group.held !== undefined;
  installGrant(turn, group, grant, phase.server, sa, kwk);
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
  if (group.retiredSa !== undefined) forget(turn.state.endpoint, group.retiredSa);
  group.retiredSa = old;
}

/** The policy is of no use here: the key server is told, so that it does not count on this member. */
function abandon(turn: Turn, group: GmGroup, sa: SaNumber, reason: string, notify: number): void {
  const { endpoint } = turn.state;
  if (notify === NotifyType.INVALID_SYNTAX) {
    // Out of the phase first: the end of this SA is no failure of its own.
    serverFailed(turn, group, reason, notify);
    passOn(turn.out, close(endpoint, turn.tools, sa, turn.now));
    return;
  }
  sendWithdrawal(turn, group, sa, notify);
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

/** Waits before the member comes back, so that a group does not come at once. Returns whole seconds. */
export function waitToRegister(turn: Turn, group: GmGroup, transition: GmTransition, most: Micros): number {
  const seconds = 1 + turn.tools.rng.below(Math.max(1, Math.floor(most / SECOND)));
  stopTimer(turn, "reregister", group);
  group.reregisterAt = undefined;
  moveTo(group, transition, { at: "waiting" });
  startTimer(turn, "retry", group, turn.now + seconds * SECOND);
  return seconds;
}
