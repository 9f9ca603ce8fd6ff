/**
 * Sending, and repeating what the peer may have missed. RFC 2408 section 5.1.
 *
 * Message 1 may name anybody as its source. Until the peer sends back our cookie it therefore gets at most three times the
 * octets that came from there, all copies together, as RFC 9000 section 8 has it for the same reason. An answer beyond
 * that is kept: it leaves when the peer repeats message 1 often enough to pay for it, which every initiator does. That
 * concerns message 2 of Aggressive Mode with signatures, whose certificates are longer than a message 1 without any; an
 * initiator of ours sends its own in message 1 and is answered at once.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import { markedIf } from "../wire/nonEsp.ts";
import type { RetransmitPolicy } from "./api.ts";
import { closeSa, drop } from "./closing.ts";
import { happened } from "./events.ts";
import {
  type Conversation,
  DEFAULT_RETRANSMIT,
  type Ikev1Endpoint,
  type IsakmpSa,
  type Slot,
  startTimer,
  stopTimer,
  type Turn,
} from "./state.ts";

/** Octets to an unverified source for each octet that came from it. */
const AMPLIFICATION_MAX = 3;

/** False where the octets are more than an unverified peer may get; that is counted and reported. */
export function transmit(turn: Turn, sa: IsakmpSa, octets: Bytes): boolean {
  const { local, remote, unverified } = sa;
  const whole = markedIf(sa.marker, octets);
  if (unverified !== undefined) {
    if (unverified.sent + whole.length > AMPLIFICATION_MAX * unverified.heard) {
      drop(turn, "amplification", remote, sa.number);
      return false;
    }
    unverified.sent += whole.length;
  }
  sa.sentAt = turn.now;
  turn.outcomes.push({ kind: "send", local, remote, octets: whole });
  return true;
}

export function retransmitPolicy(endpoint: Ikev1Endpoint): RetransmitPolicy {
  return endpoint.config.retransmit ?? DEFAULT_RETRANSMIT;
}

export function waitBefore(policy: RetransmitPolicy, repeat: number): Micros {
  return policy.first * policy.factor ** repeat;
}

/** As long as a peer with our policy repeats itself: so long the last message of an exchange is kept for it. */
export function lingerOf(policy: RetransmitPolicy): Micros {
  let total = 0;
  for (let repeat = 0; repeat <= policy.repeats; repeat++) total += waitBefore(policy, repeat);
  return total;
}

function slotOfConversation({ messageId }: Conversation): Slot {
  return messageId === 0 ? "phase1" : messageId;
}

/** The next message of an exchange. `expectsAnswer`: it is repeated until the peer goes on. */
export function sendIn(
  turn: Turn,
  sa: IsakmpSa,
  conversation: Conversation,
  octets: Bytes,
  expectsAnswer: boolean,
): void {
  conversation.sent = octets;
  conversation.repeats = 0;
  transmit(turn, sa, octets);
  const slot = slotOfConversation(conversation);
  if (expectsAnswer) startTimer(turn, sa, slot, waitBefore(retransmitPolicy(turn.endpoint), 0));
  else stopTimer(turn.endpoint, sa, slot);
}

/** The peer went on: what we sent before has reached it. */
export function noteHeard(turn: Turn, sa: IsakmpSa, conversation: Conversation, octets: Bytes): void {
  conversation.heard = octets;
  conversation.sent = undefined;
  stopTimer(turn.endpoint, sa, slotOfConversation(conversation));
}

/** Sends the last message of an exchange once more, which the peer asked for by repeating itself; false where there is none. */
export function sendAgain(turn: Turn, sa: IsakmpSa, conversation: Conversation): boolean {
  const { sent, exchange, messageId, repeats: repeat } = conversation;
  if (sent === undefined) return false;
  if (!transmit(turn, sa, sent)) return true;
  turn.outcomes.push(happened("isakmp.retransmit", sa.number, sa.remote, { exchange, messageId, repeat }), {
    kind: "retransmitted",
    sa: sa.number,
    exchange,
    messageId,
    repeat,
  });
  return true;
}

/** A deadline of an exchange that waits for the peer. */
export function onRetransmitTimer(turn: Turn, sa: IsakmpSa, conversation: Conversation): void {
  const policy = retransmitPolicy(turn.endpoint);
  if (conversation.repeats < policy.repeats && conversation.sent !== undefined) {
    conversation.repeats += 1;
    sendAgain(turn, sa, conversation);
    startTimer(turn, sa, slotOfConversation(conversation), waitBefore(policy, conversation.repeats));
    return;
  }
  const { exchange, messageId } = conversation;
  turn.outcomes.push(happened("isakmp.unanswered", sa.number, sa.remote, { exchange, messageId }));
  if (messageId === 0) {
    closeSa(turn, sa, "timeout");
    return;
  }
  sa.phase2.delete(messageId);
  turn.outcomes.push({ kind: "unanswered", sa: sa.number, exchange, messageId });
}
