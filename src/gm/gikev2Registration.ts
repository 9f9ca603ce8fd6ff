/** Registration over IKEv2: GSA_AUTH in an SA of its own, GSA_REGISTRATION in one that stands. RFC 9838 section 2.3. */
import type { KeyEntry } from "../crypto/keyEntry.ts";
import { isHostOutcome, passOn } from "../gikev2/outcomes.ts";
import type { SaNumber } from "../ikev2/api.ts";
import { close, forget, initiate, lastSa, request, saView } from "../ikev2/endpoint.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import {
  isMisfit,
  isUsedByOthers,
  type Registering,
  registeringOver,
  serverFailed,
  takeGrant,
  wishOf,
} from "./registration.ts";
import type { GmGroup, Registrar, Turn } from "./state.ts";
import { dialectFor, groupsOf, ikeOf } from "./state.ts";

export const gikev2Registrar: Registrar = {
  exchangeOf(group, isShared) {
    const { authExchange, registrationExchange } = dialectFor(group);
    return isShared ? registrationExchange : authExchange;
  },
  canShare({ protocol: a }, { protocol: b }) {
    return a.kind === "gikev2" && b.kind === "gikev2" && a.profile === b.profile && a.dialect === b.dialect;
  },
  open(turn, group, server) {
    const endpoint = ikeOf(turn);
    const { local, protocol } = group.config;
    const dialect = dialectFor(group);
    const options = {
      local,
      remote: server,
      profile: protocol.kind === "gikev2" ? protocol.profile : "",
      authExchange: dialect.authExchange,
      payloads: dialect.registration(wishOf(group)),
    };
    const outcomes = initiate(endpoint, turn.tools, options, turn.now);
    return { sa: lastSa(endpoint), outcomes: outcomes.filter(isHostOutcome) };
  },
  isUp: (turn, sa) => saView(ikeOf(turn), sa)?.established === true,
  ask,
  leave: (turn, group, sa) => sendWithdrawal(turn, group, sa, NotifyType.REGISTRATION_FAILED),
  retire,
};

const REGISTER = "register";

/** GSA_REGISTRATION; the tag tells by the answer which group asked. */
function ask(turn: Turn, group: GmGroup, sa: SaNumber): void {
  const { registrationExchange, registration } = dialectFor(group);
  const options = { tag: `${REGISTER} ${group.index}` };
  const payloads = registration(wishOf(group));
  passOn(turn.out, request(ikeOf(turn), turn.tools, sa, registrationExchange, payloads, options, turn.now));
}

/** The key server closes the IKE SA of the registration before; the one before that it has forgotten. */
function retire(turn: Turn, group: GmGroup, old: SaNumber): void {
  const { retiredSa } = group;
  if (retiredSa !== undefined && !isUsedByOthers(turn, "gikev2", group, retiredSa)) forget(ikeOf(turn), retiredSa);
  group.retiredSa = old;
}

/** IKE_SA_INIT is over and GSA_AUTH leaves now: not before does the key server make its answer. */
export function onIkeKeys(turn: Turn, entry: KeyEntry): void {
  if (entry.kind !== "ike") return;
  for (const group of groupsOf(turn, "gikev2")) {
    const { phase } = group;
    if (phase.at !== "registering" || phase.step !== "auth") continue;
    const view = saView(ikeOf(turn), phase.sa);
    if (view?.spiInitiator === entry.spiInitiator) group.phase = { ...phase, since: turn.now };
  }
}

/** The key server proved itself and answered the first group; the others may ask now. */
export function onEstablished(turn: Turn, sa: SaNumber, payloads: readonly Payload[]): void {
  for (const group of registeringOver(turn, "gikev2", sa)) {
    if ((group.phase as Registering).step === "auth") takeAnswer(turn, group, sa, payloads);
  }
  for (const group of registeringOver(turn, "gikev2", sa)) {
    const { server, since } = group.phase as Registering;
    if (saView(ikeOf(turn), sa)?.established !== true) {
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
  const dialect = dialectFor(group);
  const view = saView(ikeOf(turn), sa)!;
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
  const problem = takeGrant(turn, group, sa, answer.value.grant, kwk);
  if (problem === undefined) return;
  const notify = isMisfit(problem) ? NotifyType.NO_PROPOSAL_CHOSEN : NotifyType.REGISTRATION_FAILED;
  abandon(turn, group, sa, problem, notify);
}

/** The policy is of no use here: the key server is told, so that it does not count on this member. */
function abandon(turn: Turn, group: GmGroup, sa: SaNumber, reason: string, notify: number): void {
  if (notify === NotifyType.INVALID_SYNTAX && !isUsedByOthers(turn, "gikev2", group, sa)) {
    // Out of the phase first: the end of this SA is no failure of its own.
    serverFailed(turn, group, reason, notify);
    passOn(turn.out, close(ikeOf(turn), turn.tools, sa, turn.now));
    return;
  }
  sendWithdrawal(turn, group, sa, notify === NotifyType.INVALID_SYNTAX ? NotifyType.REGISTRATION_FAILED : notify);
  serverFailed(turn, group, reason, notify);
}

/** GSA_REGISTRATION with IDg and an error notify: refusing the policy, or leaving. RFC 9838 section 2.3.2. */
export function sendWithdrawal(turn: Turn, group: GmGroup, sa: SaNumber, notify: number): void {
  const endpoint = ikeOf(turn);
  if (saView(endpoint, sa)?.established !== true) return;
  const dialect = dialectFor(group);
  const payloads = dialect.withdrawal(group.config.id, notify);
  const options = { tag: "withdrawal" };
  passOn(turn.out, request(endpoint, turn.tools, sa, dialect.registrationExchange, payloads, options, turn.now));
}
