/**
 * The rekey fan-out (W2): one key server sends each member a rekey in its own IKE SA and waits for its acknowledgement.
 * Members are 20 to 80 ms away, one packet in a hundred is lost either way, a rekey without an answer is sent again after
 * ten seconds, three times at most; rekeys are a minute apart.
 */
import type { Micros } from "../../src/base/micros.ts";
import { MILLISECOND, MINUTE, SECOND } from "../../src/base/micros.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import type { KsGroup } from "../../src/ks/state.ts";
import type { Trace } from "../core/trace.ts";
import { sharedKey } from "./credentials.ts";
import { XORSHIFT_SEED, xorshift } from "./delays.ts";
import { GROUP_NAME } from "./group.ts";
import { createRoleNetwork } from "./roleNetwork.ts";

/** The same names as in the comparators' lines. */
export interface FanOutCounts {
  /** Rekeys sent and received, lost ones and repetitions included. */
  readonly dataSent: number;
  readonly dataRx: number;
  readonly ackSent: number;
  readonly ackRx: number;
  /** Waits for an answer that were in vain. */
  readonly timers: number;
  /** Members that never answered a rekey. */
  readonly failed: number;
  readonly rounds: number;
  /** Events of the queue. */
  readonly events: number;
}

export interface FanOut {
  /** So many rekeys; the counts are of these. */
  run(rekeys: number): FanOutCounts;
}

export interface RoleFanOut extends FanOut {
  /** From now on: another back end, another trace or none. */
  change(crypto: Crypto, trace: Trace | undefined): void;
  /** How large the parts of a rekey are that cryptography has to do with. */
  shape(crypto: Crypto): ExchangeShape;
}

/** Octets that the key server and a member wrap, seal and open in one exchange. */
export interface ExchangeShape {
  /** Keys that are wrapped for each member. */
  readonly wrapped: readonly number[];
  /** Plaintext of the rekey and of its answer. */
  readonly rekey: number;
  readonly answer: number;
}

export const FAN_OUT_GAP: Micros = MINUTE;
export const LOSS_IN_HUNDRED = 1;

/** Between 20 and 80 ms, the same in every model. */
export function fanOutDelay(member: number): Micros {
  return 20 * MILLISECOND + ((member * 7_919) % (60 * MILLISECOND));
}

/** With the roles themselves: `members` are registered and no more than one rekey behind when this returns. */
export function roleFanOut(members: number, crypto: Crypto): RoleFanOut {
  let draw = XORSHIFT_SEED;
  let lossInHundred = 0;
  const isLost = (): boolean => {
    if (lossInHundred === 0) return false;
    draw = xorshift(draw);
    return (draw >>> 8) % 100 < lossInHundred;
  };
  const network = createRoleNetwork({
    members,
    dh: 31,
    credentials: sharedKey,
    crypto,
    trace: undefined,
    delay: fanOutDelay,
    isLost,
  });
  const { scheduler, counts } = network;
  const group: KsGroup = [...network.server.groups.values()][0]!;
  for (let member = 1; member <= members; member++) {
    network.commandMember(member, { name: "mapApplied", group: GROUP_NAME });
    if (member % 100 === 0 || member === members) scheduler.runUntil(scheduler.now + 500 * MILLISECOND);
  }
  const missed = (): number => {
    let sum = 0;
    for (const member of group.members.values()) sum += member.acksMissed;
    return sum;
  };
  const rekeyOnce = (): void => {
    network.commandServer({ name: "rekey", group: GROUP_NAME, replaceNow: true });
    scheduler.runUntil(scheduler.now + FAN_OUT_GAP);
  };
  return {
    change: network.change,
    run(rekeys) {
      const before = {
        ...counts,
        retransmits: group.counters.retransmits,
        missed: missed(),
        events: scheduler.handled,
      };
      lossInHundred = LOSS_IN_HUNDRED;
      for (let i = 0; i < rekeys; i++) rekeyOnce();
      lossInHundred = 0;
      const failed = missed() - before.missed;
      return {
        dataSent: counts.sentByServer - before.sentByServer,
        dataRx: counts.receivedByMembers - before.receivedByMembers,
        ackSent: counts.sentByMembers - before.sentByMembers,
        ackRx: counts.receivedByServer - before.receivedByServer,
        timers: group.counters.retransmits - before.retransmits + failed,
        failed,
        rounds: rekeys,
        events: scheduler.handled - before.events,
      };
    },
    shape(used) {
      const wrapped: number[] = [];
      const sealed: number[] = [];
      const watched: Crypto = {
        ...used,
        wrapKey(kek, plain) {
          wrapped.push(plain.length);
          return used.wrapKey(kek, plain);
        },
        seal(aead, key, nonce, aad, plain, tagLength) {
          sealed.push(plain.length);
          return used.seal(aead, key, nonce, aad, plain, tagLength);
        },
      };
      network.change(watched, undefined);
      rekeyOnce();
      network.change(used, undefined);
      return { wrapped: wrapped.slice(0, wrapped.length / members), rekey: sealed[0]!, answer: sealed[members]! };
    },
  };
}

/** Rekeys settle within this long after they were sent. */
export const FAN_OUT_WAIT: Micros = 10 * SECOND;
export const FAN_OUT_REPEATS = 3;
