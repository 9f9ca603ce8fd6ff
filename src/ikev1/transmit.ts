/** Sending, and repeating what the peer may have missed. RFC 2408 section 5.1. */
import { type Bytes, concat } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import type { RetransmitPolicy } from "./api.ts";
import { closeSa } from "./closing.ts";
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

export const NON_ESP_MARKER = Uint8Array.of(0, 0, 0, 0);

export function transmit(turn: Turn, sa: IsakmpSa, octets: Bytes): void {
  const { local, remote } = sa;
  sa.sentAt = turn.now;
  turn.outcomes.push({ kind: "send", local, remote, octets: sa.marker ? concat(NON_ESP_MARKER, octets) : octets });
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
  transmit(turn, sa, sent);
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
