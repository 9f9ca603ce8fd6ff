/** ISAKMP messages with mutated payloads: under the SA's keys with a good HASH, under the KEK with a good SIG or HASH. */
import { type Bytes, concat, fromHex, utf8 } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { PrivateKey } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { ackKey, ackSpiOf } from "../../src/gdoi/ack.ts";
import { kekParts } from "../../src/gdoi/kek.ts";
import { pushSpiOf } from "../../src/gdoi/push.ts";
import { pushSignature, signatureOctets, signPush } from "../../src/gdoi/signature.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import type { RekeySa } from "../../src/gikev2/dialect.ts";
import type { GmState } from "../../src/gm/groupMember.ts";
import type { Ikev1Endpoint } from "../../src/ikev1/endpoint.ts";
import { hashPhase2 } from "../../src/ikev1/keys.ts";
import { firstIv, phase2Set, seal } from "../../src/ikev1/message.ts";
import type { IsakmpSa } from "../../src/ikev1/state.ts";
import type { KsState } from "../../src/ks/keyServer.ts";
import {
  decodeIsakmp,
  encodeSealedIsakmp,
  ISAKMP_HEADER_LENGTH,
  type IsakmpMessage,
  readIsakmpChain,
} from "../../src/wire/isakmpMessage.ts";
import { ISAKMP_ENCRYPTED, IsakmpPayloadType } from "../../src/wire/isakmpNumbers.ts";
import { GDOI, ISAKMP } from "../../src/wire/isakmpPayloads.ts";
import { SIGNER } from "../gdoi/group.ts";
import { RSA as GROUP_SIGNER } from "../gm/network.ts";
import { isakmpChain } from "./format.ts";
import type { InnerMutator } from "./inner.ts";
import type { Recording } from "./record.ts";
import type { IsakmpMachine } from "./recordIsakmp.ts";
import { type AckMachine, REKEY_SA } from "./recordPush.ts";

const GENERIC_HEADER = 4;

function headed(next: number, body: Bytes): Bytes {
  const length = GENERIC_HEADER + body.length;
  return concat(Uint8Array.of(next, 0, length >>> 8, length), body);
}

function padded(chain: Bytes, block: number): Bytes {
  const plain = new Uint8Array(Math.ceil(chain.length / block) * block);
  plain.set(chain);
  return plain;
}

/** Keys and IV are those of the receiver's SA. Undefined for what is in clear. */
export function resealIsakmp({ datagram, state }: Recording, mutate: InnerMutator, rng: Rng): Bytes | undefined {
  return resealOver((state as IsakmpMachine).endpoint, datagram.octets, mutate, rng);
}

/** To a key server: messages of its SAs, and acknowledgements of what it sent under a KEK. */
export function resealToKs({ datagram: { octets }, state }: Recording, mutate: InnerMutator, rng: Rng) {
  const { isakmp, groups } = state as KsState;
  const spi = ackSpiOf(octets);
  if (spi === undefined) return resealOver(isakmp!.endpoint, octets, mutate, rng);
  const branches = [...groups.values()].flatMap((group) => group.branches);
  const sa = branches.flatMap(({ kek, previousSa }) => [kek?.sa, previousSa]).find((one) => one?.spi === spi);
  return sa && resealAckUnder(sa, sa.acknowledgement!, octets, mutate, rng);
}

/** To a member: messages of its SAs, and rekeys under the KEK that it holds. */
export function resealToGm({ datagram: { octets }, state }: Recording, mutate: InnerMutator, rng: Rng) {
  const { isakmp, groups } = state as GmState;
  const spi = pushSpiOf(octets);
  if (spi === undefined) return resealOver(isakmp!.endpoint, octets, mutate, rng);
  const sa = groups.map(({ held }) => held?.kek?.sa).find((one) => one?.spi === spi);
  return sa && resealPushUnder(sa, GROUP_SIGNER, octets, mutate, rng);
}

function resealOver(endpoint: Ikev1Endpoint, octets: Bytes, mutate: InnerMutator, rng: Rng): Bytes | undefined {
  const message = decodeIsakmp(octets, ISAKMP);
  const sa = [...endpoint.sas.values()].find(
    (one) => one.cookieInitiator === message.cookieInitiator && one.cookieResponder === message.cookieResponder,
  );
  if (message.sealed === undefined || sa?.keys === undefined) return undefined;
  return message.messageId === 0 ? resealPhase1(sa, message, mutate, rng) : resealPhase2(sa, message, mutate, rng);
}

function resealPhase1(sa: IsakmpSa, { sealed, exchange }: IsakmpMessage, mutate: InnerMutator, rng: Rng): Bytes {
  const keys = sa.keys!;
  const plain = native.cbcDecrypt(keys.suite.cipher.cipher, keys.encr.secret, sa.iv, sealed!.ciphertext);
  const { used } = readIsakmpChain(plain, sealed!.first, ISAKMP);
  const inner = mutate({ chain: isakmpChain(ISAKMP), first: sealed!.first, octets: plain.slice(0, used) }, rng);
  return seal(native, keys, sa, exchange, 0, sa.iv, inner.first, inner.octets).octets;
}

function resealPhase2(
  sa: IsakmpSa,
  { sealed, exchange, messageId }: IsakmpMessage,
  mutate: InnerMutator,
  rng: Rng,
): Bytes {
  const keys = sa.keys!;
  const known = phase2Set(sa);
  const conversation = sa.phase2.get(messageId);
  const iv = conversation?.iv ?? firstIv(native, sa, messageId);
  const plain = native.cbcDecrypt(keys.suite.cipher.cipher, keys.encr.secret, iv, sealed!.ciphertext);
  const { used } = readIsakmpChain(plain, sealed!.first, known);
  const hashLength = (plain[2]! << 8) | plain[3]!;
  const rest = plain.slice(hashLength, used);
  const inner = mutate({ chain: isakmpChain(known), first: plain[0]!, octets: rest }, rng);
  const nonces = conversation?.nonces ?? [];
  const hash = hashPhase2(native, keys.suite.hash, keys.a.secret, messageId, nonces, inner.octets);
  const chain = concat(headed(inner.first, hash), inner.octets);
  return seal(native, keys, sa, exchange, messageId, iv, IsakmpPayloadType.HASH, chain).octets;
}

/** As the group's key server would sign it. */
export function resealPush({ datagram }: Recording, mutate: InnerMutator, rng: Rng): Bytes {
  return resealPushUnder(REKEY_SA, SIGNER, datagram.octets, mutate, rng);
}

function resealPushUnder(sa: RekeySa, signer: PrivateKey, whole: Bytes, mutate: InnerMutator, rng: Rng): Bytes {
  const { sealed, ...head } = decodeIsakmp(whole, GDOI);
  const { cipher, keyOctets, iv, block } = kekParts(sa.suite, sa.keys);
  const plain = native.cbcDecrypt(cipher, keyOctets, iv, sealed!.ciphertext);
  const { used } = readIsakmpChain(plain, sealed!.first, GDOI);
  const signatureLength = signatureOctets(signer);
  const content = plain.slice(0, used - signatureLength - GENERIC_HEADER);
  const { first, octets } = mutate({ chain: withSignatureBehind(), first: sealed!.first, octets: content }, rng);
  const length = octets.length + GENERIC_HEADER + signatureLength;
  const header = encodeSealedIsakmp(head, { first, ciphertext: new Uint8Array(length) });
  const signed = concat(utf8("rekey"), header.subarray(0, ISAKMP_HEADER_LENGTH), octets);
  const signature = signPush(native, signer, pushSignature(sa.authentication)!, signed, DEFAULT_SWITCHES);
  const ciphertext = native.cbcEncrypt(cipher, keyOctets, iv, padded(concat(octets, headed(0, signature)), block));
  return encodeSealedIsakmp(head, { first, ciphertext });
}

/** The payloads in front of SIG: the last of them names it. */
function withSignatureBehind() {
  const chain = isakmpChain(GDOI);
  return {
    ...chain,
    read: (octets: Bytes, first: number) =>
      chain.read(concat(octets, headed(0, new Uint8Array(1))), first).filter(({ kind }) => kind !== "SIG"),
    encode: (parts: Parameters<typeof chain.encode>[0]) => {
      const whole = chain.encode([...parts, { kind: "SIG", body: { data: new Uint8Array(1) } }]);
      return { first: whole.first, octets: whole.octets.subarray(0, whole.octets.length - GENERIC_HEADER - 1) };
    },
  };
}

/** With the HASH of a member that holds the KEK. */
export function resealAck({ datagram, state }: Recording, mutate: InnerMutator, rng: Rng): Bytes {
  return resealAckUnder(REKEY_SA, (state as AckMachine).type, datagram.octets, mutate, rng);
}

function resealAckUnder(sa: RekeySa, type: number, octets: Bytes, mutate: InnerMutator, rng: Rng): Bytes {
  const { sealed, ...head } = decodeIsakmp(octets, GDOI);
  const { cipher, keyOctets, iv, block } = kekParts(sa.suite, sa.keys);
  const plain =
    sealed === undefined
      ? octets.subarray(ISAKMP_HEADER_LENGTH)
      : native.cbcDecrypt(cipher, keyOctets, iv, sealed.ciphertext);
  const { used } = readIsakmpChain(plain, IsakmpPayloadType.HASH, GDOI);
  const covered = plain.slice((plain[2]! << 8) | plain[3]!, used);
  const inner = mutate({ chain: isakmpChain(GDOI), first: plain[0]!, octets: covered }, rng);
  const key = ackKey(native, keyOctets, fromHex(sa.spi), type, DEFAULT_SWITCHES.ackKeyBits);
  const chain = concat(headed(inner.first, native.hmac("sha256", key, inner.octets)), inner.octets);
  const isSealed = (head.flags & ISAKMP_ENCRYPTED) !== 0;
  const ciphertext = isSealed ? native.cbcEncrypt(cipher, keyOctets, iv, padded(chain, block)) : chain;
  return encodeSealedIsakmp(head, { first: IsakmpPayloadType.HASH, ciphertext });
}
