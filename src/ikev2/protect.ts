/**
 * The encrypted payload: sealing and opening of whole messages. RFC 7296 section 3.14, RFC 5282.
 *
 * IVs come about without a clock: a cipher that counts its IVs gets 1, 2, 3 ... per SA and direction (the two directions
 * have keys of their own), CBC gets random ones.
 */
import { type Bytes, Reader, Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { Crypto } from "../crypto/api.ts";
import type { SaKeys } from "../crypto/prf.ts";
import { bodyOctets, type Protection, protectBehind, unprotect } from "../crypto/protector.ts";
import { type FragmentPlace, type MessageHead, type SealedPart, writeSealedPrefix } from "../wire/ikeMessage.ts";
import { PayloadType } from "../wire/ikev2Numbers.ts";
import { encodeChain, type Payload, type Registry, readChain } from "../wire/payloads.ts";
import type { Tools } from "./api.ts";
import type { IkeSa, SaKeySet } from "./state.ts";

/** Keys for messages of the original initiator, or of the original responder. */
export function directionKeys(keys: SaKeySet, fromInitiator: boolean): SaKeys {
  return fromInitiator
    ? { encr: keys.ei.secret, integ: keys.ai.secret }
    : { encr: keys.er.secret, integ: keys.ar.secret };
}

/** An IV that counts: 8 octets, big-endian. */
export function counterIv(count: number, iv: Bytes = new Uint8Array(8)): Bytes {
  let rest = count;
  for (let i = 7; i >= 0; i--) {
    iv[i] = rest & 255;
    rest = Math.floor(rest / 256);
  }
  return iv;
}

/** Takes the next IV of an SA: valid until the next call. */
export function nextIv(sa: IkeSa, keys: SaKeySet, tools: Tools): Bytes {
  const { encr } = keys.protection;
  return encr.ivKind === "counter" ? counterIv(sa.nextIv++, COUNTER_IV) : tools.rng.bytes(encr.iv);
}

const COUNTER_IV: Bytes = new Uint8Array(8);

/** What must be known to seal: nothing of the SA's state, so that a rekey message can be sealed the same way. */
export interface SealInput {
  readonly head: MessageHead;
  /** Number of the first inner payload, 0 for none. */
  readonly first: number;
  /** Octets of the inner payloads, of a fragment its part of them. */
  readonly inner: Bytes;
  readonly iv: Bytes;
  readonly fragment?: FragmentPlace;
}

/** A whole message: IKE header, SK or SKF payload. As little padding as the cipher's block allows, of zeros. */
export function sealChain(
  crypto: Crypto,
  protection: Protection,
  keys: SaKeys,
  { head, first, inner, iv, fragment }: SealInput,
): Bytes {
  const { block } = protection.encr;
  const padding = (block - ((inner.length + 1) % block)) % block;
  const w = new Writer();
  writeSealedPrefix(w, head, first, bodyOctets(protection, inner.length + padding + 1), fragment);
  const end = w.at;
  w.bytes(inner);
  w.zeros(padding);
  w.u8(padding);
  const message = protectBehind(crypto, protection, keys, { prefix: w.view(0, end), iv, plain: w.view(end) });
  w.release();
  return message;
}

/** A whole message with these payloads inside its SK payload. */
export function sealPayloads(
  crypto: Crypto,
  protection: Protection,
  keys: SaKeys,
  head: MessageHead,
  payloads: readonly Payload[],
  known: Registry,
  iv: Bytes,
): Bytes {
  const { first, octets } = encodeChain(payloads, known);
  return sealChain(crypto, protection, keys, { head, first, inner: octets, iv });
}

/**
 * Octets of the inner payloads of an SK payload, of an SKF payload its part of them. Undefined where the integrity check
 * fails or the padding cannot be right.
 */
export function openPart(
  crypto: Crypto,
  protection: Protection,
  keys: SaKeys,
  message: Bytes,
  part: SealedPart,
): Bytes | undefined {
  const headerLength = part.number === PayloadType.SKF ? 8 : 4;
  const prefix = message.subarray(0, part.start + headerLength);
  const plain = unprotect(crypto, protection, keys, { prefix, body: part.body });
  if (plain === undefined || plain.length === 0) return undefined;
  const size = plain.length - 1 - plain[plain.length - 1]!;
  return size < 0 ? undefined : plain.subarray(0, size);
}

/** The inner payloads. Throws WireError where they are no chain, or hold an encrypted payload once more. */
export function readInner(octets: Bytes, first: number, known: Registry): readonly Payload[] {
  const r = new Reader(octets);
  const { payloads, sealed } = readChain(r, first, known);
  if (sealed !== PayloadType.NONE)
    throw new WireError("badValue", "an encrypted payload inside an encrypted payload", r.at);
  if (r.left > 0) throw new WireError("trailing", `${r.left} octets after the last payload`, r.at);
  return payloads;
}
