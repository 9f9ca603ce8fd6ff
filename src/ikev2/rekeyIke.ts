/**
 * CREATE_CHILD_SA for the IKE SA itself: fresh keys under fresh SPIs, both sides. RFC 7296 sections 1.3.2, 2.8.2, 2.18
 * and 2.25.2.
 *
 *     our exchange                             the peer asks to rekey the IKE SA
 *     making, rekeying or closing a Child SA   TEMPORARY_FAILURE
 *     closing the IKE SA                       TEMPORARY_FAILURE
 *     rekeying the IKE SA                      as usual; of the two new SAs that with the lowest nonce goes
 *
 * The new SA takes over children, queue and lifetime; the old one ends with a Delete of the side whose exchange stands.
 */
import { toHex, u16, uintFrom } from "../base/bytes.ts";
import { MINUTE } from "../base/micros.ts";
import { secret } from "../base/secret.ts";
import type { DhGroup } from "../crypto/api.ts";
import { dhSpec } from "../crypto/suite.ts";
import { Exchange, NotifyType } from "../wire/ikev2Numbers.ts";
import { notifyOf, type Payload, payloadOf } from "../wire/payloads.ts";
import { isLower, lowest } from "./childState.ts";
import { armChildren } from "./childTable.ts";
import { happened } from "./events.ts";
import { isNonce, NONCE_LENGTH, newPrivateKey, newSpi } from "./exchangeValues.ts";
import { DELETE_IKE } from "./informational.ts";
import { deriveRekeyed, type KeyInput, keyEntry, spiOctets, withoutAuthKeys } from "./keys.ts";
import { startLifetime } from "./lifetime.ts";
import { startLiveness } from "./liveness.ts";
import { notify } from "./nat.ts";
import { checkAnswer, offer, select } from "./proposal.ts";
import {
  addSa,
  blankSa,
  type IkeSa,
  isEstablished,
  listPeer,
  moveTo,
  Slot,
  startTimer,
  stopTimer,
  type Turn,
} from "./state.ts";
import { answerRequest, pumpQueue, startRequest } from "./window.ts";

/** Proposed default: when a rekey that was refused is tried again. */
const RETRY = MINUTE;
/** How long an SA is kept for the Delete of the other side. */
const OLD_SA_LIFE = 2 * MINUTE;

function touchesChildren(sa: IkeSa): boolean {
  const concerns = ({ purpose }: { purpose: { kind: string } }) =>
    purpose.kind === "createChild" || purpose.kind === "deleteChild";
  return sa.out.pending.some(concerns) || sa.out.queue.some(concerns);
}

// ------------------------------------------------------------------------------------------------------------ asking

/** Asks for fresh keys. False where the SA is busy with its children or on its way out. */
export function askIkeRekey(turn: Turn, sa: IkeSa, group = sa.keys!.suite.dh): boolean {
  if (!isEstablished(sa) || sa.rekey !== undefined || sa.successor !== 0 || touchesChildren(sa)) return false;
  const { tools, endpoint } = turn;
  const spi = newSpi(tools);
  const offered = offer(endpoint.config.proposals, spiOctets(spi));
  const privateKey = newPrivateKey(tools, group);
  const ni = tools.rng.bytes(NONCE_LENGTH);
  sa.rekey = { spi, offered, ni, group, privateKey: secret(privateKey), rival: undefined };
  startRequest(turn, sa, Exchange.CREATE_CHILD_SA, { kind: "rekeyIke" }, [
    { kind: "SA", body: offered },
    { kind: "NONCE", body: { data: ni } },
    { kind: "KE", body: { group, data: tools.crypto.dhPublic(group as DhGroup, privateKey) } },
  ]);
  return true;
}

export function receiveIkeRekeyAnswer(turn: Turn, sa: IkeSa, payloads: readonly Payload[]): void {
  const { rekey } = sa;
  if (rekey === undefined || !isEstablished(sa)) return;
  sa.rekey = undefined;
  const wanted = notifyOf(payloads, NotifyType.INVALID_KE_PAYLOAD)?.data;
  if (wanted?.length === 2 && uintFrom(wanted) !== rekey.group && dhSpec(uintFrom(wanted)) !== undefined) {
    const group = uintFrom(wanted);
    const offered = turn.endpoint.config.proposals.some((proposal) => proposal.dh.includes(group));
    if (offered && askIkeRekey(turn, sa, group)) return;
  }
  const answer = payloadOf(payloads, "SA");
  const nr = payloadOf(payloads, "NONCE")?.data;
  const ke = payloadOf(payloads, "KE");
  const agreed = answer && checkAnswer(rekey.offered, answer);
  const shared =
    agreed !== undefined && ke?.group === rekey.group && agreed.suite.dh === rekey.group
      ? turn.tools.crypto.dhShared(rekey.group as DhGroup, rekey.privateKey.secret, ke.data)
      : undefined;
  const complete = agreed !== undefined && nr !== undefined && isNonce(nr) && agreed.spi.length === 8;
  const rival = rekey.rival && turn.endpoint.sas.get(rekey.rival.made);
  if (!complete || shared === undefined) {
    if (rival === undefined) startTimer(turn, sa, Slot.renew, RETRY);
    else {
      // Refused because the peer is closing the old SA already: its own exchange stands.
      adopt(turn, sa, rival);
      awaitDelete(turn, sa);
    }
    return;
  }
  const input = { suite: agreed.suite, ni: rekey.ni, nr, shared };
  const made = makeSuccessor(turn, sa, true, {
    ...input,
    spiInitiator: rekey.spi,
    spiResponder: toHex(agreed.spi),
  });
  if (rival !== undefined && isLower(lowest(rekey.ni, nr), rekey.rival!.lowestNonce)) {
    adopt(turn, sa, rival);
    awaitDelete(turn, sa);
    deleteQuietly(turn, made);
    return;
  }
  adopt(turn, sa, made);
  deleteQuietly(turn, sa);
  // The peer deletes what its own exchange made, unless it has forgotten about it when the old SA went.
  if (rival !== undefined) awaitDelete(turn, rival);
}

/**
 * The peer deletes an SA for which our own request is under way: that request is forgotten, and what the peer's exchange
 * made takes over. RFC 7296 section 2.25.2.
 */
export function yieldToRival(turn: Turn, sa: IkeSa): void {
  const rival = sa.rekey?.rival && turn.endpoint.sas.get(sa.rekey.rival.made);
  if (rival === undefined || !isEstablished(sa)) return;
  sa.rekey = undefined;
  adopt(turn, sa, rival);
}

/** A Delete without a word to the room above: it has the successor. */
function deleteQuietly(turn: Turn, sa: IkeSa): void {
  moveTo(turn.endpoint, sa, { at: "deleting" });
  startRequest(turn, sa, Exchange.INFORMATIONAL, { kind: "delete" }, [DELETE_IKE]);
}

// --------------------------------------------------------------------------------------------------------- answering

/** A CREATE_CHILD_SA request without traffic selectors; it is being served. */
export function receiveIkeRekeyRequest(turn: Turn, sa: IkeSa, messageId: number, payloads: readonly Payload[]): void {
  const refuse = (type: number, data?: Uint8Array) => answerRequest(turn, sa, messageId, [notify(type, data)]);
  if (!isEstablished(sa) || sa.successor !== 0 || touchesChildren(sa)) {
    refuse(NotifyType.TEMPORARY_FAILURE);
    return;
  }
  const { tools, endpoint } = turn;
  const ni = payloadOf(payloads, "NONCE")!.data;
  const ke = payloadOf(payloads, "KE");
  const spi = newSpi(tools);
  const offered = payloadOf(payloads, "SA")!;
  const chosen = select(endpoint.config.proposals, offered, ke?.group ?? 0, spiOctets(spi));
  if (chosen === undefined) {
    refuse(NotifyType.NO_PROPOSAL_CHOSEN);
    return;
  }
  const group = chosen.suite.dh as DhGroup;
  if (ke?.group !== group) {
    refuse(NotifyType.INVALID_KE_PAYLOAD, u16(group));
    return;
  }
  const privateKey = newPrivateKey(tools, group);
  const shared = tools.crypto.dhShared(group, privateKey, ke.data);
  if (shared === undefined || !isNonce(ni) || chosen.spi.length !== 8) {
    refuse(NotifyType.INVALID_SYNTAX);
    return;
  }
  const nr = tools.rng.bytes(NONCE_LENGTH);
  answerRequest(turn, sa, messageId, [
    { kind: "SA", body: chosen.answer },
    { kind: "NONCE", body: { data: nr } },
    { kind: "KE", body: { group, data: tools.crypto.dhPublic(group, privateKey) } },
  ]);
  const input = { suite: chosen.suite, ni, nr, shared };
  const made = makeSuccessor(turn, sa, false, { ...input, spiInitiator: toHex(chosen.spi), spiResponder: spi });
  if (sa.rekey !== undefined) {
    sa.rekey.rival = { made: made.number, lowestNonce: lowest(ni, nr) };
    return;
  }
  adopt(turn, sa, made);
  awaitDelete(turn, sa);
}

// ---------------------------------------------------------------------------------------------------- the succession

/** Whoever asked is the original initiator of the new SA; its message IDs begin at 0, its window at 1. */
function makeSuccessor(turn: Turn, old: IkeSa, initiator: boolean, input: KeyInput): IkeSa {
  const { endpoint, tools, now } = turn;
  const { local, remote, marker, nat, fragments, authExchange, profile, identity, options } = old;
  const { spiInitiator, spiResponder } = input;
  const phase = { at: "established" } as const;
  const number = endpoint.nextSa++;
  const fixed = { number, initiator, local, remote, marker, spiInitiator, spiResponder, phase };
  const keys = withoutAuthKeys(deriveRekeyed(tools.crypto, old.keys!, input));
  const inherited = { nat, fragments, authExchange, profile, identity, options };
  const made: IkeSa = { ...blankSa(fixed, now), ...inherited, keys, announced: false };
  addSa(endpoint, made);
  turn.outcomes.push({ kind: "keys", entry: keyEntry(keys, spiInitiator, spiResponder, turn.endpoint.config.dialect) });
  return made;
}

/** From now on the new SA stands for the old one. */
function adopt(turn: Turn, old: IkeSa, made: IkeSa): void {
  made.announced = true;
  listPeer(turn.endpoint, made);
  made.children.push(...old.children);
  old.children.length = 0;
  old.successor = made.number;
  for (const slot of [Slot.liveness, Slot.keepalive, Slot.renew, Slot.expiry, Slot.renewChild]) {
    stopTimer(turn.endpoint, old, slot);
  }
  turn.outcomes.push(happened("ike.rekeyed", old.number, old.remote, { successor: made.number }), {
    kind: "rekeyed",
    sa: old.number,
    successor: made.number,
  });
  startLifetime(turn, made);
  startLiveness(turn, made);
  armChildren(turn, made);
  made.out.queue.push(...old.out.queue);
  old.out.queue.length = 0;
  pumpQueue(turn, made);
}

/** The other side deletes this SA; where it does not, it goes by itself. */
function awaitDelete(turn: Turn, sa: IkeSa): void {
  startTimer(turn, sa, Slot.life, OLD_SA_LIFE);
}
