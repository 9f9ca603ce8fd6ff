/**
 * A member's acknowledgement of a PUSH: HASH, SEQ and the member's address under a key that is derived from the KEK.
 * RFC 8263.
 *
 *     interoperable   types 1 to 4     exchange 35, in clear: HDR, HASH, SEQ, ID
 *     cisco           type 240         exchange 240, encrypted with the KEK: HDR*, HASH, SEQ, ID
 *
 * Of Cisco's own acknowledgement it is known that it exists, that it is encrypted and that every unicast rekey wants it;
 * its layout here is ours. The key server asks for it with a type of the private-use range, so no stranger is sent it.
 * HASH = prf(ack_key, SEQ | ID), both whole payloads.
 */
import { type Bytes, concat, equal, fromHex, u16, utf8 } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { Crypto, HashName } from "../crypto/api.ts";
import type { RekeySa } from "../gikev2/dialect.ts";
import { addressOctets, formatAddress } from "../wire/address.ts";
import { KekAck } from "../wire/gdoiNumbers.ts";
import {
  decodeIsakmp,
  encodeIsakmpChain,
  encodeSealedIsakmp,
  type IsakmpMessage,
  readIsakmpChain,
} from "../wire/isakmpMessage.ts";
import { GdoiExchange, ISAKMP_ENCRYPTED, IsakmpIdType, IsakmpPayloadType } from "../wire/isakmpNumbers.ts";
import { GDOI, type IsakmpPayload, isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { kekParts } from "./kek.ts";
import { headOf, spiOf } from "./push.ts";
import type { GdoiSwitches } from "./switches.ts";

const LABEL = concat(utf8("GROUPKEY-PUSH ACK"), Uint8Array.of(0));

type AckKind = "interoperable" | "cisco";

interface AckType {
  readonly kind: AckKind;
  /** What the key of the hash is made of: the KEK, which all members hold, or the member's leaf in a key hierarchy. */
  readonly base: "kek" | "leaf";
  readonly hash: HashName;
  /** Bits. */
  readonly output: number;
  readonly block: number;
}

const SHA256 = { hash: "sha256", output: 256, block: 512 } as const;
const SHA512 = { hash: "sha512", output: 512, block: 1024 } as const;

/** RFC 8263 section 2. */
const TYPES: ReadonlyMap<number, AckType> = new Map<number, AckType>([
  [KekAck.KEK_SHA256, { kind: "interoperable", base: "kek", ...SHA256 }],
  [KekAck.LKH_SHA256, { kind: "interoperable", base: "leaf", ...SHA256 }],
  [KekAck.KEK_SHA512, { kind: "interoperable", base: "kek", ...SHA512 }],
  [KekAck.LKH_SHA512, { kind: "interoperable", base: "leaf", ...SHA512 }],
  [KekAck.X_KEK_SHA256_ENCRYPTED, { kind: "cisco", base: "kek", ...SHA256 }],
]);

/**
 * A member that does not know the type that a key server asks for, or has no leaf for it, joins all the same. RFC 8263
 * section 4.
 */
export function isKnownAck(type: number, leaf: Secret | undefined): boolean {
  const known = TYPES.get(type);
  return known !== undefined && (known.base === "kek" || leaf !== undefined);
}

/** KEK or leaf without the IV in front of it. `leaf`: IV and key, as all keys of a hierarchy. */
function baseKey({ suite, keys }: RekeySa, type: number, leaf: Secret | undefined): Bytes {
  const { keyOctets, block } = kekParts(suite, keys);
  return TYPES.get(type)!.base === "kek" ? keyOctets : leaf!.secret.subarray(block);
}

/** ack_key = prf(base key, "GROUPKEY-PUSH ACK" | 0 | SPI | L). RFC 8263 section 3.2. */
export function ackKey(crypto: Crypto, base: Bytes, spi: Bytes, type: number, bits: GdoiSwitches["ackKeyBits"]): Bytes {
  const { hash, output, block } = TYPES.get(type)!;
  return crypto.hmac(hash, base, concat(LABEL, spi, u16(bits === "printed" ? block : output)));
}

/** SEQ and ID with their headers. */
function coveredChain(sequence: number, address: string): Bytes {
  const data = addressOctets(address);
  const type = address.includes(":") ? IsakmpIdType.IPV6_ADDR : IsakmpIdType.IPV4_ADDR;
  const payloads: IsakmpPayload[] = [
    { kind: "SEQ", body: { number: sequence } },
    { kind: "ID", body: { type, protocol: 0, port: 0, data } },
  ];
  return encodeIsakmpChain(payloads, GDOI).octets;
}

/** The whole chain: HASH in front of `covered`. */
function chainOf(crypto: Crypto, key: Bytes, type: number, covered: Bytes): Bytes {
  const hash = crypto.hmac(TYPES.get(type)!.hash, key, covered);
  return concat(Uint8Array.of(SEQ_NUMBER, 0, 0, 4 + hash.length), hash, covered);
}
const SEQ_NUMBER = GDOI.byKind.get("SEQ")!.number;

/**
 * `sa`: the KEK that protected the PUSH, even if the PUSH has deleted it. `address`: the member's as in its PULL. `type`:
 * what the policy asks for, one that `isKnownAck`. `leaf`: of the member in a key hierarchy.
 */
export function sealAck(
  crypto: Crypto,
  sa: RekeySa,
  sequence: number,
  address: string,
  type: number,
  switches: GdoiSwitches,
  leaf?: Secret,
): Bytes {
  const { keyOctets, iv, cipher, block } = kekParts(sa.suite, sa.keys);
  const key = ackKey(crypto, baseKey(sa, type, leaf), fromHex(sa.spi), type, switches.ackKeyBits);
  const chain = chainOf(crypto, key, type, coveredChain(sequence, address));
  const first = IsakmpPayloadType.HASH;
  if (TYPES.get(type)!.kind === "interoperable") {
    return encodeSealedIsakmp(headOf(sa.spi, GdoiExchange.GROUPKEY_PUSH_ACK, 0), { first, ciphertext: chain });
  }
  const plain = new Uint8Array(Math.ceil(chain.length / block) * block);
  plain.set(chain);
  const ciphertext = crypto.cbcEncrypt(cipher, keyOctets, iv, plain);
  return encodeSealedIsakmp(headOf(sa.spi, GdoiExchange.X_GROUPKEY_PUSH_ACK, ISAKMP_ENCRYPTED), { first, ciphertext });
}

/** 32 hexadecimal digits: the KEK's SPI of an acknowledgement of either kind. */
export function ackSpiOf(octets: Bytes): string | undefined {
  return spiOf(octets, GdoiExchange.GROUPKEY_PUSH_ACK) ?? spiOf(octets, GdoiExchange.X_GROUPKEY_PUSH_ACK);
}

export type OpenedAck =
  | { readonly ok: true; readonly sequence: number; readonly address: string; readonly kind: AckKind }
  | { readonly ok: false; readonly reason: "malformed" | "hash" };

const KINDS: ReadonlyMap<number, AckKind> = new Map([
  [GdoiExchange.GROUPKEY_PUSH_ACK, "interoperable"],
  [GdoiExchange.X_GROUPKEY_PUSH_ACK, "cisco"],
]);

/**
 * A key server looks for duplicates first, then calls this; both readings of L are taken. `type`: what the policy asks for,
 * one that `isKnownAck`. `leaf`: of the member that the address belongs to. Where the base key is the KEK, which all members
 * share, any of them can forge another's acknowledgement (RFC 8263 section 7.1). Never throws for foreign octets.
 */
export function openAck(crypto: Crypto, sa: RekeySa, octets: Bytes, type: number, leaf?: Secret): OpenedAck {
  try {
    return openMessage(crypto, sa, octets, type, leaf);
  } catch (error) {
    if (error instanceof WireError) return { ok: false, reason: "malformed" };
    throw error;
  }
}

function openMessage(crypto: Crypto, sa: RekeySa, octets: Bytes, type: number, leaf: Secret | undefined): OpenedAck {
  const message = decodeIsakmp(octets, GDOI);
  const kind = KINDS.get(message.exchange);
  if (kind === undefined || kind !== TYPES.get(type)?.kind) return { ok: false, reason: "malformed" };
  const payloads = kind === "cisco" ? decrypted(crypto, sa, message) : message.payloads;
  const isShaped = payloads?.map((payload) => payload.kind).join(" ") === "HASH SEQ ID";
  const expectedFlags = kind === "cisco" ? ISAKMP_ENCRYPTED : 0;
  if (payloads === undefined || !isShaped || message.flags !== expectedFlags || message.messageId !== 0) {
    return { ok: false, reason: "malformed" };
  }
  const { number: sequence } = isakmpPayloadOf(payloads, "SEQ")!;
  const id = isakmpPayloadOf(payloads, "ID")!;
  const isAddress =
    (id.type === IsakmpIdType.IPV4_ADDR && id.data.length === 4) ||
    (id.type === IsakmpIdType.IPV6_ADDR && id.data.length === 16);
  if (!isAddress) return { ok: false, reason: "malformed" };
  const covered = encodeIsakmpChain(payloads.slice(1), GDOI).octets;
  const base = baseKey(sa, type, leaf);
  const hash = isakmpPayloadOf(payloads, "HASH")!.data;
  const isGenuine = (["printed", "output"] as const).some((bits) => {
    const key = ackKey(crypto, base, fromHex(sa.spi), type, bits);
    return equal(hash, crypto.hmac(TYPES.get(type)!.hash, key, covered));
  });
  return isGenuine ? { ok: true, sequence, address: formatAddress(id.data), kind } : { ok: false, reason: "hash" };
}

function decrypted(crypto: Crypto, sa: RekeySa, { sealed }: IsakmpMessage): readonly IsakmpPayload[] | undefined {
  const { block, cipher, keyOctets, iv } = kekParts(sa.suite, sa.keys);
  if (sealed === undefined || sealed.ciphertext.length === 0 || sealed.ciphertext.length % block !== 0)
    return undefined;
  return readIsakmpChain(crypto.cbcDecrypt(cipher, keyOctets, iv, sealed.ciphertext), sealed.first, GDOI).payloads;
}
