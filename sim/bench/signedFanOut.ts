/**
 * The signed rekey: one multicast message under the KEK that each of the members opens and verifies, unwraps its keys and
 * puts in place. All of them do the same cryptography on the same octets, which is where sharing of results pays.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import { MINUTE, SECOND } from "../../src/base/micros.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { ecPrivateKey } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import type { GmState } from "../../src/gm/state.ts";
import type { Signer } from "../../src/ks/config.ts";
import { createRng } from "../core/rng.ts";
import type { Trace } from "../core/trace.ts";
import { sharedKey } from "./credentials.ts";
import { fanOutDelay } from "./fanOut.ts";
import { GROUP_NAME } from "./group.ts";
import { createRoleNetwork } from "./roleNetwork.ts";

/** Protocol and signature of the message; GDOI has it under AES-CBC, G-IKEv2 under AES-GCM. */
export type SignedShape = "G-IKEv2 with ECDSA P-256" | "GDOI with RSA-2048";

/** The same key each time. */
export function signerOf(shape: SignedShape): Signer {
  const rng = createRng(shape);
  return shape === "GDOI with RSA-2048"
    ? { key: rsaKey(rng, 2_048), scheme: { kind: "rsa-pkcs1", hash: "sha256" } }
    : { key: ecPrivateKey("P-256", rng.bytes(32)), scheme: { kind: "ecdsa", hash: "sha256", encoding: "der" } };
}

export interface SignedFanOut {
  /** From now on everything is noted here; undefined: nowhere. */
  traceTo(trace: Trace | undefined): void;
  /** So many rekeys; all members have taken each of them. */
  run(rekeys: number): void;
  /** Gives a member a packet as it would come from its link. */
  inject(member: number, packet: Bytes): void;
  member(number: number): GmState;
}

/** `members` are registered when this returns, and their IKE SAs are closed, as those of a multicast group are. */
export function signedFanOut(members: number, crypto: Crypto, shape: SignedShape): SignedFanOut {
  const network = createRoleNetwork({
    members,
    dh: 31,
    crypto,
    signer: signerOf(shape),
    gdoi: shape.startsWith("GDOI"),
    credentials: sharedKey,
    trace: undefined,
    delay: fanOutDelay,
    isLost: () => false,
  });
  const { scheduler } = network;
  for (let member = 1; member <= members; member++) {
    network.commandMember(member, { name: "mapApplied", group: GROUP_NAME });
    if (member % 100 === 0 || member === members) scheduler.runUntil(scheduler.now + SECOND / 2);
  }
  scheduler.runUntil(scheduler.now + 2 * MINUTE);
  const taken = (): number => {
    let sum = 0;
    for (let i = 1; i <= members; i++) sum += network.member(i).groups[0]!.counters.rekeysMulticast;
    return sum;
  };
  return {
    traceTo: (trace) => network.change(crypto, trace),
    run(rekeys) {
      const before = taken();
      for (let i = 0; i < rekeys; i++) {
        network.commandServer({ name: "rekey", group: GROUP_NAME, replaceNow: true });
        scheduler.runUntil(scheduler.now + MINUTE);
      }
      assert(taken() - before === rekeys * members, "a member has not taken a signed rekey");
    },
    inject: network.inject,
    member: network.member,
  };
}
