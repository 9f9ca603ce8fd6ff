/** A rekey for all members at once: one signed message, and copies of it that nobody asks for. */
import type { Bytes } from "../base/bytes.ts";
import { concat, u32 } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { SECOND } from "../base/micros.ts";
import { encrSpec } from "../crypto/suite.ts";
import type { GroupUpdate } from "../gikev2/policy.ts";
import { markedIf, NAT_PORT, NON_ESP_MARKER } from "../wire/nonEsp.ts";
import { ksEvent } from "./events.ts";
import type { Copies, KsBranch, KsGroup, KsKek, MulticastMessage, Turn } from "./state.ts";
import { membersOf, protocolOf, startTimer } from "./state.ts";

/** `kek` protects the message; it is the old one where the message brings a new one. */
export interface GroupMessage {
  readonly kek: KsKek;
  readonly update: GroupUpdate;
}

/**
 * The pause between messages that belong together: later ones can be opened only by those who have the earlier ones, and
 * a network that reorders must not make them useless.
 */
const FOLLOW_UP = SECOND;

/**
 * Messages that belong together: each copy is all of them, the same octets in the same order. What was under way before
 * ends with them, but for messages that bring the KEK that these travel under: whoever has missed those so far gets them in
 * front of the next copies, as often as they would have come anyway.
 */
export function sendToAll(turn: Turn, group: KsGroup, branch: KsBranch, messages: readonly GroupMessage[]): void {
  const { kek } = messages[0]!;
  const earlier = keysUnderWay(branch.copies, group.config.retransmit.count);
  const fresh = messages.map((message): MulticastMessage => {
    const datagrams = sealFor(turn, group, branch, message);
    return { datagrams, brings: message.update.policy.kek?.spi, sent: 0 };
  });
  branch.copies = {
    earlier: earlier.at(-1)?.brings === kek.sa.spi ? earlier : [],
    messages: fresh,
    queue: [],
    copyLength: 0,
    copyAt: turn.now,
    sequence: kek.sequence + 1,
    startedAt: turn.now,
    sent: 0,
  };
  group.counters.lastRetransmits = 0;
  sendCopy(turn, group, branch);
}

/** Messages with a KEK that have copies left. `count`: copies behind the first one. */
function keysUnderWay(copies: Copies | undefined, count: number): readonly MulticastMessage[] {
  if (copies === undefined) return [];
  return [...copies.earlier, ...copies.messages].filter(({ brings, sent }) => brings !== undefined && sent <= count);
}

/** The datagrams of one message under its KEK. */
export function sealFor(turn: Turn, group: KsGroup, branch: KsBranch, { kek, update }: GroupMessage): readonly Bytes[] {
  const protocol = protocolOf(group, branch);
  const messageId = kek.sequence + protocol.firstMessageId;
  const sealing = { messageId, nextIv: () => nextIv(turn, kek), ...mtuOf(turn, group, branch) };
  return protocol.sealRekey(turn.tools.crypto, kek.sa, kek.signer?.key, update, sealing);
}

/**
 * Fragments only where every member has agreed on them for its IKE SA. RFC 9838 section 2.4.1.2. All get the same
 * datagrams, so that there is room for the non-ESP marker where one of them needs it.
 */
function mtuOf({ state }: Turn, group: KsGroup, branch: KsBranch): { readonly mtu?: number } {
  const fragmentation = state.config.ike?.fragmentation;
  if (fragmentation === undefined) return {};
  const members = membersOf(group, branch);
  if (!members.every(({ fragments }) => fragments)) return {};
  const { transport } = group.config;
  const marked =
    transport.kind === "multicast" ? transport.destination.port === NAT_PORT : members.some(({ marker }) => marker);
  return { mtu: fragmentation.mtu - (marked ? NON_ESP_MARKER.length : 0) };
}

/** An explicit IV that never repeats under the KEK: this key server is the only sender, so counting is enough. */
function nextIv(turn: Turn, kek: KsKek): Bytes {
  const { encr, encrKeyBits } = kek.sa.suite;
  const spec = encrSpec(encr, encrKeyBits)!;
  if (spec.ivKind !== "counter") return turn.tools.rng.bytes(spec.iv);
  const iv = kek.nextIv++;
  return concat(u32(Math.floor(iv / 2 ** 32)), u32(iv % 2 ** 32));
}

/** Receivers know copies by their message ID (RFC 9838 section 2.4.1.3). */
export function sendCopy(turn: Turn, group: KsGroup, branch: KsBranch): void {
  const { config } = group;
  const { copies, kind: protocol } = branch;
  if (copies === undefined) return;
  assert(config.transport.kind === "multicast", "copies of a rekey in a unicast group");
  const { source, destination } = config.transport;
  if (copies.queue.length === 0) {
    const again = copies.sent === 0 ? [] : copies.earlier.filter(({ sent }) => sent <= config.retransmit.count);
    copies.queue = [...again, ...copies.messages];
    copies.copyLength = copies.queue.length;
  }
  const [message, ...others] = copies.queue;
  copies.queue = others;
  message!.sent += 1;
  for (const octets of message!.datagrams) {
    // RFC 9838 section 2.4.1.1.
    const whole = markedIf(destination.port === NAT_PORT, octets);
    turn.out.push({ kind: "send", local: source, remote: destination, octets: whole });
  }
  const period = config.retransmit.seconds * SECOND;
  if (others.length > 0) {
    startTimer(turn, "copy", branch.id, turn.now + Math.min(FOLLOW_UP, Math.floor(period / copies.copyLength)));
    return;
  }
  if (copies.sent > 0) {
    group.counters.retransmits += 1;
    group.counters.lastRetransmits += 1;
    const data = { group: config.name, protocol, sequence: copies.sequence, copy: copies.sent };
    turn.out.push(ksEvent("ks.rekeyRetransmitted", data));
  }
  copies.sent += 1;
  if (copies.sent <= config.retransmit.count) {
    copies.copyAt += period;
    startTimer(turn, "copy", branch.id, copies.copyAt);
    return;
  }
  branch.copies = undefined;
  const durationMillis = Math.floor((turn.now - copies.startedAt) / 1000);
  group.counters.lastDurationMillis = durationMillis;
  const { sequence, sent } = copies;
  const data = { group: config.name, protocol, sequence, durationMillis, retransmits: sent - 1 };
  turn.out.push(ksEvent("ks.rekeyDone", data));
}
