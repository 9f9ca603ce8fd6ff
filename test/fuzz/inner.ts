/**
 * Broken payloads under a good integrity check: what a member that holds the keys, or a faulty implementation, can send.
 * The recorded message is opened with the session's keys, its inner octets are mutated and sealed again.
 */
import { type Bytes, concat, Reader } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { IkeKeyEntry, KeyEntry } from "../../src/crypto/keyEntry.ts";
import { native } from "../../src/crypto/native.ts";
import type { Protection } from "../../src/crypto/protector.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { openPart, sealChain } from "../../src/ikev2/protect.ts";
import { decodeMessage, type IkeMessage, isFromInitiator } from "../../src/wire/ikeMessage.ts";
import { PayloadType } from "../../src/wire/ikev2Numbers.ts";
import { encodeChain, type Payload, type Registry, RFC9838, readChain, YEUNG07 } from "../../src/wire/payloads.ts";

interface Inner {
  /** How the payloads of this SA are read. */
  readonly known: Registry;
  readonly first: number;
  readonly octets: Bytes;
}

type InnerMutator = (inner: Inner, rng: Rng) => Inner;

function bent(octets: Bytes, rng: Rng, count: number): Bytes {
  const copy = octets.slice();
  for (let i = 0; i < count && copy.length > 0; i++) copy[rng.below(copy.length)] = rng.below(256);
  return copy;
}

/** Places of the generic headers, walking the chain as far as it makes sense. */
function headers(octets: Bytes): number[] {
  const places: number[] = [];
  for (let at = 0; at + 4 <= octets.length; ) {
    places.push(at);
    const length = (octets[at + 2]! << 8) | octets[at + 3]!;
    if (length < 4) break;
    at += length;
  }
  return places;
}

function onPayloads(inner: Inner, rng: Rng, change: (payloads: Payload[]) => Payload[]): Inner {
  try {
    const { payloads } = readChain(new Reader(inner.octets), inner.first, inner.known);
    if (payloads.length === 0) return { ...inner, octets: rng.bytes(8) };
    return { known: inner.known, ...encodeChain(change(payloads), inner.known) };
  } catch {
    return { ...inner, octets: bent(inner.octets, rng, 1) };
  }
}

function setLength(inner: Inner, rng: Rng): Inner {
  const places = headers(inner.octets);
  if (places.length === 0) return inner;
  const at = places[rng.below(places.length)]!;
  const copy = inner.octets.slice();
  const value = [0, 3, 4, 0xffff, ((copy[at + 2]! << 8) | copy[at + 3]!) + 1, rng.below(65536)][rng.below(6)]!;
  copy[at + 2] = value >>> 8;
  copy[at + 3] = value;
  return { ...inner, octets: copy };
}

/** A payload that names itself as the next one: a chain without end, were it not for the lengths. */
function loop(inner: Inner, rng: Rng): Inner {
  const places = headers(inner.octets);
  const copy = inner.octets.slice();
  let number = inner.first;
  for (const at of places) {
    const next = copy[at]!;
    if (rng.chance(1, 2)) copy[at] = number;
    number = next;
  }
  return { ...inner, octets: copy };
}

const INNER: Readonly<Record<string, InnerMutator>> = {
  innerOneOctet: (inner, rng) => ({ ...inner, octets: bent(inner.octets, rng, 1) }),
  innerTwoOctets: (inner, rng) => ({ ...inner, octets: bent(inner.octets, rng, 2) }),
  innerTruncate: (inner, rng) => ({ ...inner, octets: inner.octets.slice(0, rng.below(inner.octets.length + 1)) }),
  innerExtend: (inner, rng) => ({ ...inner, octets: concat(inner.octets, rng.bytes(1 + rng.below(40))) }),
  innerLength: setLength,
  innerLoop: loop,
  innerFirst: (inner, rng) => ({ ...inner, first: rng.below(256) }),
  innerNested: (inner) => ({ ...inner, first: PayloadType.SK }),
  innerDuplicate: (inner, rng) => onPayloads(inner, rng, (list) => [...list, list[rng.below(list.length)]!]),
  innerDrop: (inner, rng) =>
    onPayloads(inner, rng, (list) => {
      const index = rng.below(list.length);
      return list.filter((_, i) => i !== index);
    }),
  innerReverse: (inner, rng) => onPayloads(inner, rng, (list) => list.reverse()),
  innerCritical: (inner, rng) =>
    onPayloads(inner, rng, (list) => [...list, { kind: "unknown", type: 99, critical: true, body: rng.bytes(9) }]),
  innerEmpty: ({ known }) => ({ known, first: 0, octets: new Uint8Array(0) }),
};

export const INNER_NAMES: readonly string[] = Object.keys(INNER);

function entryOf(message: IkeMessage, keys: readonly KeyEntry[]): IkeKeyEntry | undefined {
  return keys.find(
    (entry): entry is IkeKeyEntry =>
      entry.kind === "ike" &&
      entry.spiInitiator === message.spiInitiator &&
      entry.spiResponder === message.spiResponder,
  );
}

/** The message with mutated payloads, sealed as its sender would have; undefined where it is not encrypted. */
export function mutateInner(octets: Bytes, keys: readonly KeyEntry[], name: string, rng: Rng): Bytes | undefined {
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
  const { first, octets: inner } = INNER[name]!({ known, first: sealed.firstInner, octets: plain }, rng);
  const fragment = sealed.number === PayloadType.SKF ? { number: sealed.fragment, total: sealed.fragments } : undefined;
  const iv = sealed.body.subarray(0, encr.iv);
  return sealChain(native, protection, saKeys, { head: message, first, inner, iv, fragment });
}
