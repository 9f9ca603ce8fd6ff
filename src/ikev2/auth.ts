/**
 * IKE_AUTH and GSA_AUTH, both sides: who proves what to whom. RFC 7296 sections 2.15 and 2.21.2, RFC 9838 section 2.3.1
 * (GSA_AUTH computes AUTH the same way). What else the messages carry belongs to the room above.
 */
import { EMPTY, u32 } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { identityText } from "../pki/identity.ts";
import { errorNotify } from "../wire/grammar.ts";
import type { Auth, Id } from "../wire/ikev2.ts";
import { Exchange, NotifyType } from "../wire/ikev2Numbers.ts";
import { type Payload, payloadOf } from "../wire/payloads.ts";
import type { AuthAnswer, AuthProfile, ChildPolicy, CloseReason } from "./api.ts";
import { type Brought, certificateRequests, noteAbilities, readCertificates } from "./certificates.ts";
import {
  childRequest,
  deletePayload,
  type Grant,
  grantChild,
  installChild,
  newChildSpi,
  readGrant,
} from "./childSa.ts";
import type { ChildOffer } from "./childState.ts";
import { closeSa, drop, lingerSa } from "./closing.ts";
import { heedInitialContact, initialContact } from "./contact.ts";
import { happened } from "./events.ts";
import { deleteSa } from "./informational.ts";
import { withoutAuthKeys } from "./keys.ts";
import { startLifetime } from "./lifetime.ts";
import { startLiveness } from "./liveness.ts";
import { notify } from "./nat.ts";
import { type Claimant, matchesClaimant, matchProfile } from "./profile.ts";
import { type AuthProblem, checkPeer, proveSelf } from "./proof.ts";
import {
  type IkeSa,
  type InitTranscript,
  listPeer,
  moveTo,
  type PendingRequest,
  type Phase,
  profileOf,
  Slot,
  stopTimer,
  type Turn,
} from "./state.ts";
import { answerRequest, noteWindowSize, sealMessage, startRequest, transmit, windowSize } from "./window.ts";

function reportFailure(turn: Turn, sa: IkeSa, identity: Id | undefined, reason: AuthProblem): void {
  const named = identity === undefined ? "" : identityText(identity);
  turn.outcomes.push(happened("ike.authFailed", sa.number, sa.remote, { identity: named, reason }));
}

// -------------------------------------------------------------------------------------------------------- initiator

/** IDi, AUTH and what the room above adds; called once the keys exist. */
export function sendAuthRequest(turn: Turn, sa: IkeSa): void {
  const { phase } = sa;
  assert(phase.at === "authSent", "AUTH is sent after IKE_SA_INIT");
  const profile = profileOf(turn.endpoint, sa.profile);
  const proof = profile && proveSelf(turn, sa, phase.transcript, profile);
  if (profile === undefined || proof === undefined) {
    reportFailure(turn, sa, undefined, profile === undefined ? "noProfile" : "noKey");
    closeSa(turn, sa, "authenticationFailed");
    return;
  }
  const { child } = phase.options;
  const asked = child && askFirstChild(turn, child);
  const { transcript, options } = phase;
  moveTo(turn.endpoint, sa, { at: "authSent", transcript, options, offer: asked?.offer });
  const payloads: Payload[] = [
    { kind: "IDi", body: profile.localIdentity },
    ...proof.certificates,
    ...certificateRequests(turn.tools.crypto, [profile], turn.endpoint.config.pki?.urls),
    { kind: "AUTH", body: proof.auth },
    ...(asked?.payloads ?? []),
    ...phase.options.payloads,
    ...initialContact(turn, sa),
    ...windowNotify(turn),
  ];
  startRequest(turn, sa, sa.authExchange, { kind: "auth" }, payloads);
}

/** The Child SA that comes with IKE_AUTH has neither nonces nor a key exchange of its own. RFC 7296 section 1.2. */
function askFirstChild(turn: Turn, policy: ChildPolicy): { offer: ChildOffer; payloads: readonly Payload[] } {
  const inboundSpi = newChildSpi(turn.endpoint, turn.tools);
  const { offered, payloads } = childRequest(policy, inboundSpi, false);
  return {
    payloads,
    offer: { policy, inboundSpi, offered, ni: EMPTY, group: 0, privateKey: undefined, rival: undefined },
  };
}

/** N(SET_WINDOW_SIZE) where we take more than one request at a time. */
function windowNotify(turn: Turn): Payload[] {
  const window = windowSize(turn);
  return window > 1 ? [notify(NotifyType.SET_WINDOW_SIZE, u32(window))] : [];
}

const REFUSALS: ReadonlyMap<number, CloseReason> = new Map<number, CloseReason>([
  [NotifyType.AUTHENTICATION_FAILED, "authenticationFailed"],
  [NotifyType.INVALID_SYNTAX, "invalidSyntax"],
  [NotifyType.NO_PROPOSAL_CHOSEN, "noProposalChosen"],
]);

export function receiveAuthResponse(
  turn: Turn,
  sa: IkeSa,
  request: PendingRequest,
  payloads: readonly Payload[],
): void {
  const { phase } = sa;
  assert(phase.at === "authSent", "a response to AUTH comes while AUTH is pending");
  const identity = payloadOf(payloads, "IDr");
  const auth = payloadOf(payloads, "AUTH");
  if (identity === undefined || auth === undefined) {
    const error = errorNotify(payloads) ?? 0;
    const { exchange } = request;
    turn.outcomes.push(happened("ike.refused", sa.number, sa.remote, { side: "remote", notify: error, exchange }));
    closeSa(turn, sa, REFUSALS.get(error) ?? "refused", error);
    return;
  }
  const profile = profileOf(turn.endpoint, sa.profile)!;
  const brought = broughtBy(turn, payloads);
  const problem = matchesClaimant(profile.match, claimantOf(sa, identity, brought))
    ? checkPeer(turn, sa, phase.transcript, profile, identity, auth, brought)
    : "identity";
  if (problem !== undefined) {
    rejectResponder(turn, sa, identity, problem);
    return;
  }
  sa.identity = owned(identity);
  const { transcript, offer } = phase;
  establish(turn, sa, profile, payloads);
  if (offer !== undefined) takeFirstChild(turn, sa, offer, transcript, payloads);
}

/** Whoever has no trustpoints does not look at certificates. */
function broughtBy(turn: Turn, payloads: readonly Payload[]): Brought {
  const { pki, profiles } = turn.endpoint.config;
  const isAsked = profiles.some(({ trustpoints = [] }) => trustpoints.length > 0);
  return readCertificates(turn.tools.crypto, isAsked ? payloads : [], pki?.urls);
}

function claimantOf(sa: IkeSa, identity: Id, brought: Brought): Claimant {
  const certificate = brought.ok ? brought.certificates[0] : undefined;
  return { identity, certificate, local: sa.local.address };
}

function takeFirstChild(
  turn: Turn,
  sa: IkeSa,
  offer: ChildOffer,
  { ni, nr }: InitTranscript,
  payloads: readonly Payload[],
): void {
  const terms = readGrant(offer.policy, offer.inboundSpi, offer.offered, payloads);
  if (terms !== undefined) {
    installChild(turn, sa, offer.policy, terms, { ni, nr, shared: undefined, asker: true });
    return;
  }
  const granted = payloadOf(payloads, "SA") !== undefined;
  const error = errorNotify(payloads) ?? (granted ? NotifyType.NO_PROPOSAL_CHOSEN : 0);
  turn.outcomes.push({ kind: "childRefused", sa: sa.number, notify: error });
  if (!granted) return;
  // The peer believes in a pair that does not keep to what we asked for.
  const purpose = { kind: "deleteChild", inboundSpi: offer.inboundSpi, reason: "redundant" } as const;
  startRequest(turn, sa, Exchange.INFORMATIONAL, purpose, [deletePayload([offer.inboundSpi])]);
}

/**
 * The responder believes that the SA stands; one INFORMATIONAL tells it otherwise. It is not repeated: the SA is gone.
 * RFC 7296 section 2.21.2.
 */
function rejectResponder(turn: Turn, sa: IkeSa, identity: Id, problem: AuthProblem): void {
  reportFailure(turn, sa, identity, problem);
  const payloads = [notify(NotifyType.AUTHENTICATION_FAILED)];
  transmit(turn, sa, sealMessage(turn, sa, Exchange.INFORMATIONAL, sa.out.nextId, false, payloads));
  closeSa(turn, sa, "authenticationFailed");
}

function establish(turn: Turn, sa: IkeSa, profile: AuthProfile, payloads: readonly Payload[]): void {
  const identity = sa.identity!;
  moveTo(turn.endpoint, sa, { at: "established" });
  sa.keys = withoutAuthKeys(sa.keys!);
  listPeer(turn.endpoint, sa);
  stopTimer(turn.endpoint, sa, Slot.life);
  turn.outcomes.push(
    happened("ike.established", sa.number, sa.remote, {
      identity: identityText(identity),
      profile: profile.name,
      initiator: sa.initiator,
    }),
    {
      kind: "established",
      sa: sa.number,
      initiator: sa.initiator,
      exchange: sa.authExchange,
      identity,
      profile: profile.name,
      payloads,
    },
  );
  noteWindowSize(turn, sa, payloads);
  startLifetime(turn, sa);
  startLiveness(turn, sa);
  heedInitialContact(turn, sa, profile, payloads);
  const replaced = sa.replaces === 0 ? undefined : turn.endpoint.sas.get(sa.replaces);
  if (replaced !== undefined) deleteSa(turn, replaced, "replaced");
}

// -------------------------------------------------------------------------------------------------------- responder

/** A view would keep the whole message in memory for as long as the SA lives. */
function owned(identity: Id): Id {
  return { ...identity, data: identity.data.slice() };
}

/** An AUTH request; the grammar has been checked and the request is being served. */
export function receiveAuthRequest(
  turn: Turn,
  sa: IkeSa,
  exchange: number,
  messageId: number,
  payloads: readonly Payload[],
): void {
  const { phase } = sa;
  if (phase.at !== "initAnswered") {
    drop(turn, "wrongPhase", sa.remote, sa.number);
    return;
  }
  const { transcript } = phase;
  sa.authExchange = exchange;
  sa.abilities = noteAbilities(sa.abilities, payloads);
  const identity = payloadOf(payloads, "IDi")!;
  const brought = broughtBy(turn, payloads);
  const profile = matchProfile(turn.endpoint.config.profiles, claimantOf(sa, identity, brought));
  const auth = payloadOf(payloads, "AUTH");
  const problem = judge(turn, sa, transcript, profile, identity, auth, brought);
  if (profile === undefined || problem !== undefined) {
    reportFailure(turn, sa, identity, problem ?? "noProfile");
    answerRequest(turn, sa, messageId, [notify(NotifyType.AUTHENTICATION_FAILED)]);
    lingerSa(turn, sa, "authenticationFailed");
    return;
  }
  sa.profile = profile.name;
  sa.identity = owned(identity);
  moveTo(turn.endpoint, sa, { at: "authenticating", transcript, messageId, payloads });
  turn.outcomes.push({
    kind: "authenticating",
    sa: sa.number,
    exchange,
    identity,
    profile: profile.name,
    payloads,
  });
}

/** A request without AUTH asks for EAP (RFC 7296 section 2.16), which Cisco does not support for groups. */
function judge(
  turn: Turn,
  sa: IkeSa,
  transcript: InitTranscript,
  profile: AuthProfile | undefined,
  identity: Id,
  auth: Auth | undefined,
  brought: Brought,
): AuthProblem | undefined {
  if (profile === undefined) return "noProfile";
  return auth === undefined ? "eap" : checkPeer(turn, sa, transcript, profile, identity, auth, brought);
}

/** The decision of the room above about a peer that has proved its identity. */
export function answerAuth(turn: Turn, sa: IkeSa, answer: AuthAnswer): void {
  const { phase } = sa;
  assert(phase.at === "authenticating", "answerAuth follows `authenticating`");
  if (!answer.accept) {
    refuse(turn, sa, phase, answer.notify);
    return;
  }
  const profile = profileOf(turn.endpoint, sa.profile)!;
  const proof = proveSelf(turn, sa, phase.transcript, profile);
  if (proof === undefined) {
    reportFailure(turn, sa, sa.identity, "noKey");
    refuse(turn, sa, phase, NotifyType.AUTHENTICATION_FAILED);
    return;
  }
  const grant = grantFirstChild(turn, sa, profile, phase.payloads);
  const childPayloads = grant === undefined ? [] : grant.ok ? [grant.sa, ...grant.rest] : [grant.error];
  answerRequest(turn, sa, phase.messageId, [
    { kind: "IDr", body: profile.localIdentity },
    ...proof.certificates,
    { kind: "AUTH", body: proof.auth },
    ...childPayloads,
    ...answer.payloads,
    ...windowNotify(turn),
  ]);
  const { ni, nr } = phase.transcript;
  establish(turn, sa, profile, phase.payloads);
  if (grant?.ok) installChild(turn, sa, profile.child!, grant.terms, { ni, nr, shared: undefined, asker: false });
}

/** Undefined where the peer asked for no Child SA. In GSA_AUTH the SA payload means something else. */
function grantFirstChild(turn: Turn, sa: IkeSa, profile: AuthProfile, payloads: readonly Payload[]): Grant | undefined {
  if (sa.authExchange !== Exchange.IKE_AUTH || payloadOf(payloads, "SA") === undefined) return undefined;
  if (profile.child === undefined) return { ok: false, error: notify(NotifyType.NO_ADDITIONAL_SAS) };
  return grantChild(turn, profile.child, payloads, false);
}

function refuse(turn: Turn, sa: IkeSa, phase: Extract<Phase, { at: "authenticating" }>, type: number): void {
  turn.outcomes.push(
    happened("ike.refused", sa.number, sa.remote, { side: "local", notify: type, exchange: sa.authExchange }),
  );
  answerRequest(turn, sa, phase.messageId, [notify(type)]);
  lingerSa(turn, sa, type === NotifyType.AUTHENTICATION_FAILED ? "authenticationFailed" : "refused");
}
