/** What follows from the outcomes of the IKEv2 endpoint. */
import { SECOND } from "../base/micros.ts";
import { dialectOf } from "../gikev2/dialects.ts";
import type { CloseReason, IkeOutcome, SaNumber } from "../ikev2/api.ts";
import { answerAuth, respond, saView } from "../ikev2/endpoint.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import { protocolEvent } from "./events.ts";
import { onEstablished, onIkeKeys, onRegistrationAnswer } from "./gikev2Registration.ts";
import { followInbandRekey, inbandAnswer, readInbandRekey } from "./inbandRekey.ts";
import { registeringOver, serverFailed, waitToRegister } from "./registration.ts";
import type { Turn } from "./state.ts";
import { dialectFor, groupsOf, ikeOf, rekeysInband } from "./state.ts";

const NO_RESPONDER = { accept: false, notify: NotifyType.NO_PROPOSAL_CHOSEN } as const;
const UNSUPPORTED = dialectOf("rfc9838").refusal(NotifyType.NO_PROPOSAL_CHOSEN);

export function followIke(turn: Turn, outcomes: readonly IkeOutcome[]): void {
  for (const outcome of outcomes) followOne(turn, outcome);
}

function followOne(turn: Turn, outcome: IkeOutcome): void {
  switch (outcome.kind) {
    case "keys":
      onIkeKeys(turn, outcome.entry);
      turn.out.push(outcome);
      break;
    case "send":
    case "event":
      turn.out.push(outcome);
      break;
    case "established":
      onEstablished(turn, outcome.sa, outcome.payloads);
      break;
    case "closed":
      onClosed(turn, outcome.sa, outcome.reason, outcome.notify);
      break;
    case "request":
      onRequest(turn, outcome);
      break;
    case "authenticating":
      // A member starts IKE SAs and takes none.
      followIke(turn, answerAuth(ikeOf(turn), turn.tools, outcome.sa, NO_RESPONDER, turn.now));
      break;
    case "response":
      onRegistrationAnswer(turn, outcome.sa, outcome.tag, outcome.payloads);
      break;
    case "rekeyed":
      onRekeyed(turn, outcome.sa, outcome.successor);
      break;
    default:
      // Answers to withdrawals change nothing, and members ask for no Child SAs.
      break;
  }
}

/** Key servers ask members for nothing but to take a rekey. */
function onRequest(turn: Turn, { sa, exchange, messageId, payloads }: Extract<IkeOutcome, { kind: "request" }>): void {
  const reading = isInbandRekey(turn, exchange) ? readInbandRekey(turn, sa, messageId, payloads) : undefined;
  const answer = reading === undefined ? UNSUPPORTED : inbandAnswer(reading);
  followIke(turn, respond(ikeOf(turn), turn.tools, sa, messageId, answer, turn.now));
  if (reading !== undefined) followInbandRekey(turn, sa, reading);
}

function isInbandRekey(turn: Turn, exchange: number): boolean {
  for (const group of groupsOf(turn, "gikev2")) if (dialectFor(group).inbandExchange === exchange) return true;
  return false;
}

/**
 * The IKE SA that rekeys come in has a successor: keys are wrapped under what its SK_d yields from now on. RFC 9838
 * section 2.3.3 allows the rekey of the IKE SA; that GSK_w changes with it follows from section 3.1.1.
 */
function onRekeyed(turn: Turn, sa: SaNumber, successor: SaNumber): void {
  const view = saView(ikeOf(turn), successor);
  for (const group of groupsOf(turn, "gikev2")) {
    const { held } = group;
    if (held?.sa !== sa || view?.skD === undefined) continue;
    const kwk = dialectFor(group).unicastKwk(turn.tools.crypto, view.suite, view.skD);
    if (kwk === undefined) continue;
    held.sa = successor;
    held.kwk = kwk;
  }
}

/**
 * Without its IKE SA a member that is rekeyed in it gets no rekeys: it is as good as excluded and comes back (RFC 9838
 * section 2.3.3). Others need none: the key server closes it by convention.
 */
function onClosed(turn: Turn, sa: SaNumber, reason: CloseReason, notify: number): void {
  for (const group of registeringOver(turn, "gikev2", sa)) serverFailed(turn, group, reason, notify);
  for (const group of groupsOf(turn, "gikev2")) {
    if (group.retiredSa === sa) group.retiredSa = undefined;
    const { held } = group;
    if (held?.sa !== sa) continue;
    held.sa = undefined;
    if (!rekeysInband(group) || group.phase.at !== "registered") continue;
    const { local } = group.config;
    const waitSeconds = waitToRegister(turn, group, "lost", group.tuning.exclusionSecondsMost * SECOND);
    const data = { server: held.server.address, address: local.address, reason, waitSeconds };
    turn.out.push(protocolEvent(group, "gm.saLost", data));
  }
}
