/** IKEv2 messages with mutated payloads under the session's keys. */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { IkeKeyEntry, KeyEntry } from "../../src/crypto/keyEntry.ts";
import { native } from "../../src/crypto/native.ts";
import type { Protection } from "../../src/crypto/protector.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { openPart, sealChain } from "../../src/ikev2/protect.ts";
import { decodeMessage, type IkeMessage, isFromInitiator } from "../../src/wire/ikeMessage.ts";
import { PayloadType } from "../../src/wire/ikev2Numbers.ts";
import { RFC9838, YEUNG07 } from "../../src/wire/payloads.ts";
import { ikev2Chain } from "./format.ts";
import type { InnerMutator } from "./inner.ts";
import type { Recording } from "./record.ts";

function entryOf(message: IkeMessage, keys: readonly KeyEntry[]): IkeKeyEntry | undefined {
  return keys.find(
    (entry): entry is IkeKeyEntry =>
      entry.kind === "ike" &&
      entry.spiInitiator === message.spiInitiator &&
      entry.spiResponder === message.spiResponder,
  );
}

/** Undefined where the message is not encrypted. */
export function resealIke({ datagram, keys }: Recording, mutate: InnerMutator, rng: Rng): Bytes | undefined {
  const { octets } = datagram;
  const message = decodeMessage(octets, RFC9838);
  const { sealed } = message;
  const entry = entryOf(message, keys);
  const encr = entry === undefined ? undefined : encrSpec(entry.encr, entry.encrKeyBits);
  if (sealed === undefined || entry === undefined || encr === undefined) return undefined;
  const protection: Protection = { encr, integ: integSpec(entry.integ) };
  const forward = isFromInitiator(message);
  const saKeys = {
    encr: (forward ? entry.encrInitiator : entry.encrResponder).secret,
    integ: (forward ? entry.integInitiator : entry.integResponder).secret,
  };
  const plain = openPart(native, protection, saKeys, octets, sealed);
  if (plain === undefined) throw new Error("a recorded message does not open with its session's keys");
  const known = entry.dialect === "yeung-07" ? YEUNG07 : RFC9838;
  const { first, octets: inner } = mutate({ chain: ikev2Chain(known), first: sealed.firstInner, octets: plain }, rng);
  const fragment = sealed.number === PayloadType.SKF ? { number: sealed.fragment, total: sealed.fragments } : undefined;
  const iv = sealed.body.subarray(0, encr.iv);
  return sealChain(native, protection, saKeys, { head: message, first, inner, iv, fragment });
}
