/**
 * Encryption and hashes of single messages. RFC 2409 sections 5.5, 5.7 and appendix B. Padding is zeros up to the block
 * and has no length octet: a receiver walks the chain and ignores what follows.
 */
import { type Bytes, concat, equal, Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { Crypto } from "../crypto/api.ts";
import { firstNumber, writePayloads } from "../wire/isakmpChain.ts";
import { encodeSealedIsakmp, readIsakmpChain, type SealedChain } from "../wire/isakmpMessage.ts";
import { Doi, ISAKMP_ENCRYPTED, IsakmpPayloadType } from "../wire/isakmpNumbers.ts";
import { GDOI, ISAKMP, type IsakmpPayload, type IsakmpSet } from "../wire/isakmpPayloads.ts";
import { hashPhase2, lastBlock, phase2Iv } from "./keys.ts";
import type { IsakmpSa, SaKeys } from "./state.ts";

/** What payload numbers mean in phase 2 of an SA. */
export function phase2Set(sa: Pick<IsakmpSa, "doi">): IsakmpSet {
  return sa.doi === Doi.GDOI ? GDOI : ISAKMP;
}

/** A message and the IV behind it. */
export interface Sealed {
  readonly octets: Bytes;
  readonly iv: Bytes;
}

type Cookied = Pick<IsakmpSa, "cookieInitiator" | "cookieResponder">;

/** `first`: type of the first payload in `chain`. */
export function seal(
  crypto: Crypto,
  keys: SaKeys,
  sa: Cookied,
  exchange: number,
  messageId: number,
  iv: Bytes,
  first: number,
  chain: Bytes,
): Sealed {
  const { cipher } = keys.suite;
  const w = new Writer();
  w.bytes(chain);
  w.zeros((cipher.block - (chain.length % cipher.block)) % cipher.block);
  const ciphertext = crypto.cbcEncrypt(cipher.cipher, keys.encr.secret, iv, w.view());
  w.release();
  const { cookieInitiator, cookieResponder } = sa;
  const head = { cookieInitiator, cookieResponder, exchange, flags: ISAKMP_ENCRYPTED, messageId };
  return { octets: encodeSealedIsakmp(head, { first, ciphertext }), iv: lastBlock(cipher, ciphertext) };
}

export interface Unsealed {
  readonly payloads: readonly IsakmpPayload[];
  /** The chain without its padding. */
  readonly chain: Bytes;
  readonly iv: Bytes;
}

/** Undefined where the octets are no chain under this key and IV. */
export function unseal(
  crypto: Crypto,
  keys: SaKeys,
  iv: Bytes,
  { first, ciphertext }: SealedChain,
  set: IsakmpSet,
): Unsealed | undefined {
  const { cipher } = keys.suite;
  if (ciphertext.length === 0 || ciphertext.length % cipher.block !== 0) return undefined;
  const plain = crypto.cbcDecrypt(cipher.cipher, keys.encr.secret, iv, ciphertext);
  try {
    const { payloads, used } = readIsakmpChain(plain, first, set);
    return { payloads, chain: plain.subarray(0, used), iv: lastBlock(cipher, ciphertext) };
  } catch (error) {
    // It is how a wrong key shows, so it says nothing about the peer.
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** IV of the first message of a phase 2 exchange. */
export function firstIv(crypto: Crypto, sa: IsakmpSa, messageId: number): Bytes {
  const { hash, cipher } = sa.keys!.suite;
  return phase2Iv(crypto, hash, cipher, sa.iv, messageId);
}

/** A phase 2 message with its HASH payload in front. `nonces`: those of earlier messages of the exchange. */
export function sealPhase2(
  crypto: Crypto,
  sa: IsakmpSa,
  exchange: number,
  messageId: number,
  iv: Bytes,
  nonces: readonly Bytes[],
  payloads: readonly IsakmpPayload[],
): Sealed {
  const keys = sa.keys!;
  const rest = new Writer();
  const set = phase2Set(sa);
  writePayloads(rest, payloads, set);
  const hash = hashPhase2(crypto, keys.suite.hash, keys.a.secret, messageId, nonces, rest.view());
  const chain = new Writer();
  chain.u8(firstNumber(payloads, set));
  chain.u8(0);
  chain.u16(HEADER_LENGTH + hash.length);
  chain.bytes(hash);
  chain.bytes(rest.view());
  const sealed = seal(crypto, keys, sa, exchange, messageId, iv, IsakmpPayloadType.HASH, chain.view());
  rest.release();
  chain.release();
  return sealed;
}

const HEADER_LENGTH = 4;

export type OpenedPhase2 =
  | { readonly ok: true; readonly payloads: readonly IsakmpPayload[]; readonly iv: Bytes }
  | { readonly ok: false; readonly reason: "garbage" | "hash" };

/** Decrypts a phase 2 message and checks its HASH payload; the payloads that are returned are without it. */
export function openPhase2(
  crypto: Crypto,
  sa: IsakmpSa,
  messageId: number,
  iv: Bytes,
  nonces: readonly Bytes[],
  sealed: SealedChain,
): OpenedPhase2 {
  const keys = sa.keys!;
  const opened = unseal(crypto, keys, iv, sealed, phase2Set(sa));
  if (opened === undefined) return { ok: false, reason: "garbage" };
  const { payloads, chain } = opened;
  const index = payloads.findIndex(({ kind }) => kind === "HASH");
  const found = payloads[index];
  if (found?.kind !== "HASH") return { ok: false, reason: "hash" };
  const rest = withoutPayload(chain, index);
  const expected = hashPhase2(crypto, keys.suite.hash, keys.a.secret, messageId, nonces, rest);
  if (!equal(expected, found.body.data)) return { ok: false, reason: "hash" };
  return { ok: true, payloads: payloads.toSpliced(index, 1), iv: opened.iv };
}

/** HASH stands first; the figure of RFC 3706 has it behind the notify, and then the notify is what it covers. */
function withoutPayload(chain: Bytes, index: number): Bytes {
  let start = 0;
  for (let i = 0; i < index; i++) start += lengthAt(chain, start);
  if (start === 0) return chain.subarray(lengthAt(chain, 0));
  return concat(chain.subarray(0, start), chain.subarray(start + lengthAt(chain, start)));
}

/** The chain has been read before, so its lengths hold. */
function lengthAt(chain: Bytes, start: number): number {
  return (chain[start + 2]! << 8) | chain[start + 3]!;
}
