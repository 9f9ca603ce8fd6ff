/** A rekey for all members at once: one signed message, and copies of it that nobody asks for. */
import type { Bytes } from "../base/bytes.ts";
import { concat, u32 } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { SECOND } from "../base/micros.ts";
import { encrSpec } from "../crypto/suite.ts";
import type { GroupUpdate } from "../gikev2/policy.ts";
import { ksEvent } from "./events.ts";
import type { KsGroup, KsKek, Turn } from "./state.ts";
import { dialectFor, startTimer } from "./state.ts";

/** Protected by `kek`, which is the old one where the message brings a new one. Its copies are the same octets. */
export function sendToAll(turn: Turn, group: KsGroup, kek: KsKek, update: GroupUpdate): void {
  const { signer } = group.config.kek;
  const iv = nextIv(turn, kek);
  const message = dialectFor(group).sealRekey(turn.tools.crypto, kek.sa, signer?.key, update, kek.sequence, iv);
  group.copies = { octets: message, sequence: kek.sequence + 1, startedAt: turn.now, sent: 0 };
  group.counters.lastRetransmits = 0;
  sendCopy(turn, group);
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
export function sendCopy(turn: Turn, group: KsGroup): void {
  const { copies, config } = group;
  if (copies === undefined) return;
  assert(config.transport.kind === "multicast", "copies of a rekey in a unicast group");
  const { source, destination } = config.transport;
  turn.out.push({ kind: "send", local: source, remote: destination, octets: copies.octets });
  if (copies.sent > 0) {
    group.counters.retransmits += 1;
    group.counters.lastRetransmits += 1;
    const data = { group: config.name, sequence: copies.sequence, copy: copies.sent };
    turn.out.push(ksEvent("ks.rekeyRetransmitted", data));
  }
  copies.sent += 1;
  if (copies.sent <= config.retransmit.count) {
    startTimer(turn, "copy", group.id, turn.now + config.retransmit.seconds * SECOND);
    return;
  }
  group.copies = undefined;
  const durationMillis = Math.floor((turn.now - copies.startedAt) / 1000);
  group.counters.lastDurationMillis = durationMillis;
  const data = { group: config.name, sequence: copies.sequence, durationMillis, retransmits: copies.sent - 1 };
  turn.out.push(ksEvent("ks.rekeyDone", data));
}
