/**
 * Exported keys, arranged for opening packets: an IKE SA is found by its SPIs, a data SA by its SPI. Answers only with
 * decrypted octets, never with a key.
 */
import { type Bytes, EMPTY, equal } from "../../src/base/bytes.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import type { EspKeyEntry, GdoiKeyEntry, IkeKeyEntry, Ikev1KeyEntry, KeyEntry } from "../../src/crypto/keyEntry.ts";
import { encrKeyOctets, type SaKeys } from "../../src/crypto/prf.ts";
import { icvOctets, type Protection, unprotect } from "../../src/crypto/protector.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { ESP_HEADER_LENGTH, type OpenedEsp } from "../../src/wire/esp.ts";
import { type IkeHeader, isFromInitiator, type OpenedPart, type SealedPart } from "../../src/wire/ikeMessage.ts";
import { PayloadType } from "../../src/wire/ikev2Numbers.ts";
import type { OpenedChain } from "../../src/wire/isakmpMessage.ts";
import { type Registry, RFC9838, YEUNG07 } from "../../src/wire/payloads.ts";
import { guessDialect } from "./guessDialect.ts";
import { isakmpSessions } from "./isakmpSessions.ts";

export interface KeyRing {
  openIke(message: Bytes, header: IkeHeader, part: SealedPart): OpenedPart | undefined;
  openEsp(packet: Bytes, spi: number): OpenedEsp | undefined;
  /** Must be shown the messages of a capture in order, those in clear included: the IVs of IKEv1 form a chain. */
  openIsakmp(message: Bytes): OpenedChain | undefined;
}

/** A wrong integrity check value is a `problem` of the field; the octets are then shown as they decrypt, if they do. */
const WRONG_ICV = "wrong integrity check value";

const REGISTRIES: Readonly<Record<NonNullable<IkeKeyEntry["dialect"]>, Registry>> = {
  rfc9838: RFC9838,
  "yeung-07": YEUNG07,
};

export function keyRing(crypto: Crypto, entries: readonly KeyEntry[]): KeyRing {
  const ike = new Map<string, IkeKeyEntry>();
  const esp = new Map<number, EspKeyEntry[]>();
  const ikev1: Ikev1KeyEntry[] = [];
  const keks: GdoiKeyEntry[] = [];
  const addEsp = (entry: EspKeyEntry): void => {
    const spi = Number.parseInt(entry.spi, 16);
    const known = esp.get(spi) ?? [];
    if (!known.some((other) => equal(other.encrKey.secret, entry.encrKey.secret))) esp.set(spi, [...known, entry]);
  };
  for (const entry of entries) {
    if (entry.kind === "ike") ike.set(entry.spiInitiator + entry.spiResponder, entry);
    else if (entry.kind === "esp") addEsp(entry);
    else if (entry.kind === "gdoi") keks.push(entry);
    else ikev1.push(entry);
  }
  return {
    openIsakmp: isakmpSessions(crypto, ikev1, keks, addEsp),
    openIke(message, header, part) {
      const entry = ike.get(header.spiInitiator + header.spiResponder);
      return entry === undefined ? undefined : openIke(crypto, entry, message, header, part);
    },
    openEsp(packet, spi) {
      for (const entry of esp.get(spi) ?? []) {
        const opened = openEsp(crypto, entry, packet);
        if (opened !== undefined) return opened;
      }
      return undefined;
    },
  };
}

/** Undefined for algorithms that are not implemented, and for keys that are not theirs: tables are made by hand too. */
function protectionOf(entry: IkeKeyEntry | EspKeyEntry, keys: SaKeys): Protection | undefined {
  const encr = encrSpec(entry.encr, entry.encrKeyBits);
  const integ = integSpec(entry.integ);
  if (encr === undefined || keys.encr.length !== encrKeyOctets(encr)) return undefined;
  return integ !== undefined && keys.integ.length !== integ.key ? undefined : { encr, integ };
}

function openIke(
  crypto: Crypto,
  entry: IkeKeyEntry,
  message: Bytes,
  header: IkeHeader,
  part: SealedPart,
): OpenedPart | undefined {
  const forward = isFromInitiator(header);
  const keys = {
    encr: (forward ? entry.encrInitiator : entry.encrResponder).secret,
    integ: (forward ? entry.integInitiator : entry.integResponder).secret,
  };
  const protection = protectionOf(entry, keys);
  if (protection === undefined) return undefined;
  const prefix = message.subarray(0, part.start + (part.number === PayloadType.SKF ? 8 : 4));
  const plain = unprotect(crypto, protection, keys, { prefix, body: part.body });
  const ivLength = protection.encr.iv;
  const icvLength = icvOctets(protection);
  if (plain === undefined || plain.length === 0) {
    if (part.body.length < ivLength + icvLength) return undefined;
    return { plain: EMPTY, ivLength, icvLength, payloadLength: 0, problem: WRONG_ICV, known: RFC9838 };
  }
  const padLength = plain[plain.length - 1]!;
  const payloadLength = Math.max(0, plain.length - 1 - padLength);
  const known =
    entry.dialect === undefined
      ? guessDialect(plain.subarray(0, payloadLength), part.firstInner)
      : REGISTRIES[entry.dialect];
  return { plain, ivLength, icvLength, payloadLength, known };
}

function openEsp(crypto: Crypto, entry: EspKeyEntry, packet: Bytes): OpenedEsp | undefined {
  const keys = { encr: entry.encrKey.secret, integ: entry.integKey.secret };
  const protection = protectionOf(entry, keys);
  if (protection === undefined) return undefined;
  const prefix = packet.subarray(0, ESP_HEADER_LENGTH);
  const plain = unprotect(crypto, protection, keys, { prefix, body: packet.subarray(ESP_HEADER_LENGTH) });
  if (plain === undefined) return undefined;
  return { plain, ivLength: protection.encr.iv, icvLength: icvOctets(protection) };
}
