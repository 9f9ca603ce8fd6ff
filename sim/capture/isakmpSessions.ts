/**
 * Decrypts IKEv1 and GDOI messages in the order of a capture. A table of keys names a cookie and a key, nothing else: the
 * cipher, the hash and both public values are read from the messages in clear that open the phase 1, and every further IV
 * follows from the messages before. So a capture that begins later stays closed.
 *
 * A GROUPKEY-PULL that opens hands over the keys of the rekey SA and of the data SAs, which open what comes after.
 */
import { type Bytes, equal, toHex } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import type { Crypto, HashName } from "../../src/crypto/api.ts";
import type { EspKeyEntry, GdoiKeyEntry, Ikev1KeyEntry } from "../../src/crypto/keyEntry.ts";
import { lastBlock, phase1Iv, phase2Iv } from "../../src/ikev1/keys.ts";
import { type Ikev1Cipher, oakleyCipher, oakleyHash } from "../../src/ikev1/suite.ts";
import { NO_SPI } from "../../src/wire/ikeMessage.ts";
import type { OakleyAttributes } from "../../src/wire/isakmp.ts";
import { decodeIsakmp, type IsakmpMessage, type OpenedChain, readIsakmpChain } from "../../src/wire/isakmpMessage.ts";
import { Doi, GdoiExchange } from "../../src/wire/isakmpNumbers.ts";
import { GDOI, ISAKMP, type IsakmpPayload, type IsakmpSet, isakmpPayloadOf } from "../../src/wire/isakmpPayloads.ts";
import { attributeOf } from "../../src/wire/tagged.ts";
import { type GroupKeys, type GroupPolicies, type RekeyKey, readGroupKeys, rekeyKey } from "./groupKeys.ts";

interface Session {
  readonly key: Bytes;
  doi: number;
  hash: HashName | undefined;
  cipher: Ikev1Cipher | undefined;
  /** The initiator's public value, then the responder's. */
  readonly publics: Bytes[];
  phase1Last: Bytes | undefined;
  /** The last block of each exchange by message ID. */
  readonly ivs: Map<number, Bytes>;
}

/**
 * Shown every message of a capture in order; returns what is inside of an encrypted one where that can be opened. A
 * message that was seen before opens as it did then. `keks` are rekey SAs that are known beforehand. `learn` gets the keys of data SAs that a group hands out.
 */
export function isakmpSessions(
  crypto: Crypto,
  entries: readonly Ikev1KeyEntry[],
  keks: readonly GdoiKeyEntry[],
  learn: (entry: EspKeyEntry) => void,
): (message: Bytes) => OpenedChain | undefined {
  const sessions = new Map(entries.map((entry) => [entry.cookieInitiator, newSession(entry.encrKey.secret)]));
  const rekeys = new Map<string, RekeyKey>();
  for (const { spi, algorithm, encrKey } of keks) {
    const key = rekeyKey(algorithm, encrKey.secret);
    if (key !== undefined) rekeys.set(spi, key);
  }
  const seen = new Map<string, OpenedChain>();
  let policies: GroupPolicies = { keks: new Map(), teks: new Map() };

  const keep = (keys: GroupKeys): void => {
    policies = keys.policies;
    for (const [spi, key] of keys.rekeys) rekeys.set(spi, key);
    for (const entry of keys.teks) learn(entry);
  };

  const open = (message: IsakmpMessage, session: Session | undefined): OpenedChain | undefined => {
    const rekey = rekeys.get(message.cookieInitiator + message.cookieResponder);
    if (rekey !== undefined) return openPush(crypto, rekey, message);
    return session === undefined ? undefined : openMessage(crypto, session, message);
  };

  return (octets) => {
    const message = decoded(octets);
    if (message === undefined) return undefined;
    const session = sessions.get(message.cookieInitiator);
    if (message.sealed === undefined) {
      if (session !== undefined) observe(session, message);
      return undefined;
    }
    const place = keyOf(message);
    const known = seen.get(place);
    if (known !== undefined) return known;
    const opened = open(message, session);
    if (opened === undefined) return undefined;
    seen.set(place, opened);
    const payloads = payloadsIn(opened, message);
    if (payloads !== undefined && opened.known === GDOI) keep(readGroupKeys(payloads, policies));
    return opened;
  };
}

function newSession(key: Bytes): Session {
  return { key, doi: 0, hash: undefined, cipher: undefined, publics: [], phase1Last: undefined, ivs: new Map() };
}

function decoded(octets: Bytes): IsakmpMessage | undefined {
  try {
    return decodeIsakmp(octets, ISAKMP);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** A copy of a message has the same last octets of ciphertext, and no other message does. */
function keyOf({ cookieInitiator, messageId, sealed }: IsakmpMessage): string {
  return `${cookieInitiator} ${messageId} ${toHex(sealed!.ciphertext.subarray(-32))} ${sealed!.ciphertext.length}`;
}

/** What the messages in clear tell: the chosen transform, and the public values. */
function observe(session: Session, { cookieResponder, payloads }: IsakmpMessage): void {
  const sa = isakmpPayloadOf(payloads, "SA");
  const chosen = sa?.proposals[0]?.transforms[0];
  if (sa !== undefined && chosen !== undefined && cookieResponder !== NO_SPI) {
    const attributes = chosen.attributes as OakleyAttributes;
    session.doi = sa.doi;
    session.hash = oakleyHash(attributeOf(attributes, "HASH"));
    session.cipher = oakleyCipher(attributeOf(attributes, "ENCRYPTION"), attributeOf(attributes, "KEY_LENGTH"));
  }
  const value = isakmpPayloadOf(payloads, "KE")?.data;
  const isNew = value !== undefined && !session.publics.some((known) => equal(known, value));
  if (isNew && session.publics.length < 2) session.publics.push(value);
}

function openMessage(crypto: Crypto, session: Session, message: IsakmpMessage): OpenedChain | undefined {
  const { key, hash, cipher, publics, ivs } = session;
  const { messageId } = message;
  const { ciphertext } = message.sealed!;
  const [gxi, gxr] = publics;
  if (hash === undefined || cipher === undefined || gxi === undefined || gxr === undefined) return undefined;
  if (key.length !== cipher.key || !isWhole(cipher, ciphertext)) return undefined;
  session.phase1Last ??= phase1Iv(crypto, hash, cipher, gxi, gxr);
  const first = () => phase2Iv(crypto, hash, cipher, session.phase1Last!, messageId);
  const iv = ivs.get(messageId) ?? (messageId === 0 ? session.phase1Last : first());
  const plain = crypto.cbcDecrypt(cipher.cipher, key, iv, ciphertext);
  const known: IsakmpSet = messageId !== 0 && session.doi === Doi.GDOI ? GDOI : ISAKMP;
  const opened = { plain, known };
  // What a wrong key makes of a message must not become the IV of the next one.
  if (payloadsIn(opened, message) === undefined) return opened;
  const next = lastBlock(cipher, ciphertext);
  ivs.set(messageId, next);
  if (messageId === 0) session.phase1Last = next;
  return opened;
}

/** Every PUSH under a KEK begins with the KEK's own IV. RFC 6407 section 5.6.2.1. */
function openPush(crypto: Crypto, rekey: RekeyKey, message: IsakmpMessage): OpenedChain | undefined {
  const { ciphertext } = message.sealed!;
  if (message.exchange !== GdoiExchange.GROUPKEY_PUSH || !isWhole(rekey.cipher, ciphertext)) return undefined;
  return { plain: crypto.cbcDecrypt(rekey.cipher.cipher, rekey.key, rekey.iv, ciphertext), known: GDOI };
}

function isWhole(cipher: Ikev1Cipher, ciphertext: Bytes): boolean {
  return ciphertext.length > 0 && ciphertext.length % cipher.block === 0;
}

function payloadsIn(opened: OpenedChain, message: IsakmpMessage): readonly IsakmpPayload[] | undefined {
  try {
    return readIsakmpChain(opened.plain, message.sealed!.first, opened.known).payloads;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
