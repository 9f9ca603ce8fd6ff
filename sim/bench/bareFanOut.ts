/**
 * The fan-out as a skeleton: the same exchanges, losses, repetitions and cryptography on typed arrays, with neither
 * payloads, nor roles, nor a trace. What the roles add is measured against it.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { type EventHandle, NO_EVENT, Scheduler } from "../core/scheduler.ts";
import { XORSHIFT_SEED, xorshift } from "./delays.ts";
import {
  type ExchangeShape,
  FAN_OUT_GAP,
  FAN_OUT_REPEATS,
  FAN_OUT_WAIT,
  type FanOut,
  fanOutDelay,
  LOSS_IN_HUNDRED,
} from "./fanOut.ts";

/** IKE header and generic header of the SK payload: what AEAD authenticates. */
const HEAD_OCTETS = 32;
const NONCE_OCTETS = 12;
const KEY_OCTETS = 32;
const TAG_OCTETS = 16;

interface Flight {
  readonly member: number;
  readonly octets: Bytes;
}

/** Octets that differ from member to member. */
function octetsFor(member: number, count: number): Bytes {
  return Uint8Array.from({ length: count }, (_, i) => (member * 31 + i * 7) & 255);
}

export function bareFanOut(members: number, shape: ExchangeShape, crypto: Crypto): FanOut {
  const scheduler = new Scheduler(4 * members);
  const keys = Array.from({ length: members }, (_, member) => octetsFor(member, KEY_OCTETS));
  const secrets = shape.wrapped.map((count) => octetsFor(members, count));
  const timers: EventHandle[] = new Array<EventHandle>(members).fill(NO_EVENT);
  const repeats = new Uint8Array(members);
  const requests: Bytes[] = new Array<Bytes>(members);
  const answers: Bytes[] = new Array<Bytes>(members);
  const answered = new Float64Array(members);
  let round = 0;
  let draw = XORSHIFT_SEED;
  let counts = noCounts();

  const onRekey = scheduler.register<Flight>("rekey arrives", ({ member, octets }) => {
    counts.dataRx++;
    if (answered[member] !== round) {
      answered[member] = round;
      const plain = open(member, octets);
      let at = 0;
      for (const wrapped of wrappedSizes) {
        const key = crypto.unwrapKey(keys[member]!, plain.subarray(at, at + wrapped));
        assert(key !== undefined, "a wrapped key does not open");
        at += wrapped;
      }
      answers[member] = seal(member, new Uint8Array(shape.answer));
    }
    counts.ackSent++;
    if (!isLost())
      scheduler.schedule(scheduler.now + fanOutDelay(member), onAnswer, { member, octets: answers[member]! });
  });
  const onAnswer = scheduler.register<Flight>("answer arrives", ({ member, octets }) => {
    counts.ackRx++;
    open(member, octets);
    scheduler.cancel(timers[member]!);
  });
  const onTimer = scheduler.register<number>("no answer", (member) => {
    counts.timers++;
    if (repeats[member]! >= FAN_OUT_REPEATS) {
      counts.failed++;
      return;
    }
    repeats[member]! += 1;
    send(member);
  });
  const wrappedSizes = secrets.map((secret) => crypto.wrapKey(keys[0]!, secret).length);

  return {
    run(rekeys) {
      counts = noCounts();
      const before = scheduler.handled;
      for (let i = 0; i < rekeys; i++) {
        round++;
        counts.rounds++;
        for (let member = 0; member < members; member++) {
          requests[member] = rekeyFor(member);
          repeats[member] = 0;
          send(member);
        }
        scheduler.runUntil(scheduler.now + FAN_OUT_GAP);
      }
      return { ...counts, events: scheduler.handled - before };
    },
  };

  function rekeyFor(member: number): Bytes {
    const plain = new Uint8Array(shape.rekey);
    let at = 0;
    for (const secret of secrets) {
      const wrapped = crypto.wrapKey(keys[member]!, secret);
      plain.set(wrapped, at);
      at += wrapped.length;
    }
    return seal(member, plain);
  }

  function send(member: number): void {
    counts.dataSent++;
    const flight = { member, octets: requests[member]!.slice() };
    if (!isLost()) scheduler.schedule(scheduler.now + fanOutDelay(member), onRekey, flight);
    timers[member] = scheduler.schedule(scheduler.now + FAN_OUT_WAIT, onTimer, member);
  }

  function seal(member: number, plain: Bytes): Bytes {
    const octets = new Uint8Array(HEAD_OCTETS + NONCE_OCTETS + plain.length + TAG_OCTETS);
    octets[0] = round;
    const nonce = octets.subarray(HEAD_OCTETS, HEAD_OCTETS + NONCE_OCTETS);
    const head = octets.subarray(0, HEAD_OCTETS);
    octets.set(crypto.seal("aes-gcm", keys[member]!, nonce, head, plain, TAG_OCTETS), HEAD_OCTETS + NONCE_OCTETS);
    return octets;
  }

  function open(member: number, octets: Bytes): Bytes {
    const head = octets.subarray(0, HEAD_OCTETS);
    const nonce = octets.subarray(HEAD_OCTETS, HEAD_OCTETS + NONCE_OCTETS);
    const sealed = octets.subarray(HEAD_OCTETS + NONCE_OCTETS);
    const plain = crypto.open("aes-gcm", keys[member]!, nonce, head, sealed, TAG_OCTETS);
    assert(plain !== undefined, "a message of the skeleton does not open");
    return plain;
  }

  function isLost(): boolean {
    draw = xorshift(draw);
    return (draw >>> 8) % 100 < LOSS_IN_HUNDRED;
  }
}

function noCounts() {
  return { dataSent: 0, dataRx: 0, ackSent: 0, ackRx: 0, timers: 0, failed: 0, rounds: 0 };
}
