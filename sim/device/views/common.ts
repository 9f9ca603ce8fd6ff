/** What several views of a router need: remaining time, suites in the words of IOS, selectors as entries of a list. */
import type { Ipv4 } from "../../../src/base/ipv4.ts";
import type { Micros } from "../../../src/base/micros.ts";
import { SECOND } from "../../../src/base/micros.ts";
import type { PublicKey } from "../../../src/crypto/api.ts";
import { encodeSpki } from "../../../src/crypto/spki.ts";
import { encrSpec } from "../../../src/crypto/suite.ts";
import type { Selector } from "../../../src/esp/api.ts";
import { BUILT_IN } from "../../../src/ios/defaults.ts";
import type { AclEntry, AddressMatch, PortMatch, SignatureHash } from "../../../src/ios/model.ts";
import type { KekCipherText, SignatureView, TransformView } from "../../../src/ios/show/views.ts";
import { Encr, Integ } from "../../../src/wire/ikev2Numbers.ts";

/** Whole seconds until `at`, never below 0. */
export function secondsLeft(at: Micros, now: Micros): number {
  return Math.max(0, Math.floor((at - now) / SECOND));
}

export function secondsSince(at: Micros, now: Micros): number {
  return Math.max(0, Math.floor((now - at) / SECOND));
}

interface Suite {
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly integ: number;
}

const CIPHERS: Readonly<Record<number, string>> = {
  [Encr["3DES"]]: "esp-3des",
  [Encr.NULL]: "esp-null",
  [Encr.AES_CBC]: "esp-aes",
  [Encr.AES_GCM_16]: "esp-gcm",
  [Encr.AES_GMAC]: "esp-gmac",
};

const HASHES: Readonly<Record<number, string>> = {
  [Integ.HMAC_MD5_96]: "md5",
  [Integ.HMAC_SHA1_96]: "sha",
  [Integ.HMAC_SHA2_256_128]: "sha256",
  [Integ.HMAC_SHA2_384_192]: "sha384",
  [Integ.HMAC_SHA2_512_256]: "sha512",
};

export function transformOf({ encr, encrKeyBits, integ }: Suite): TransformView {
  return { cipher: CIPHERS[encr] ?? `esp-${encr}`, keyBits: encrKeyBits, hash: HASHES[integ] };
}

/** Octets of the IV on the wire. */
export function ivOctets({ encr, encrKeyBits }: Suite): number {
  return encrSpec(encr, encrKeyBits)?.iv ?? 0;
}

/** Octets of the cipher's key, without salt. */
export function keyOctetsOf({ encr, encrKeyBits }: Suite): number {
  return encrSpec(encr, encrKeyBits)?.key ?? 0;
}

export function kekCipherText({ encr }: Suite): KekCipherText {
  if (encr === Encr["3DES"]) return "3DES";
  return encr === Encr.DES ? "DES" : "AES";
}

/** `HMAC_AUTH_SHA`, `HMAC_AUTH_SHA256`. */
export function signatureHashText(hash: SignatureHash): string {
  return `HMAC_AUTH_${hash.toUpperCase()}`;
}

/** Sizes of a signing key, and what signs with it. */
export function signatureView(key: PublicKey, label: string, hash: string): SignatureView {
  const signatureOctets = key.type === "rsa" ? key.n.length : 0;
  return { spkiOctets: encodeSpki(key).length, signatureOctets, label, hash };
}

/** A selector as an entry of an access list; what a wildcard cannot say becomes the smallest wildcard around it. */
export function entryOf(action: AclEntry["action"], selector: Selector, sequence = 0): AclEntry {
  return {
    sequence,
    action,
    protocol: selector.protocol === 0 ? "ip" : selector.protocol,
    source: addressOf(selector.sourceFirst, selector.sourceLast),
    sourcePort: portOf(selector.sourcePortFirst, selector.sourcePortLast),
    destination: addressOf(selector.destinationFirst, selector.destinationLast),
    destinationPort: portOf(selector.destinationPortFirst, selector.destinationPortLast),
    remarks: [],
    at: BUILT_IN,
  };
}

function addressOf(first: Ipv4, last: Ipv4): AddressMatch {
  const differing = (first ^ last) >>> 0;
  const wildcard = differing === 0 ? 0 : 2 ** (32 - Math.clz32(differing)) - 1;
  return { address: (first & ~wildcard) >>> 0, wildcard };
}

const PORT_MOST = 65_535;

function portOf(first: number, last: number): PortMatch | undefined {
  if (first === 0 && last === PORT_MOST) return undefined;
  return first === last ? { operator: "eq", ports: [first] } : { operator: "range", from: first, to: last };
}
