/**
 * Crypto whose results are shared between the devices of one run: ten thousand members verify one signature over the same
 * octets once, and the Diffie-Hellman secret that one side has computed serves the other. Sharing changes no octet,
 * because a result is found again by all octets that went into it; a wrong signature or another key is another entry.
 *
 * It lies below the meters: every device still pays the virtual time of its own operations.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Crypto, DhGroup, PublicKey, SharedInputs, SignatureScheme } from "../../src/crypto/api.ts";
import { Repeats } from "./repeats.ts";

/**
 * Entries of each table for Diffie-Hellman values. When a table is full its older half goes: what two sides have in common
 * is asked for within one registration.
 */
const ENTRIES_MAX = 32_768;

export function memoCrypto(crypto: Crypto): Crypto {
  const verified = new Repeats<boolean>((isGenuine) => isGenuine);
  const opened = new Repeats<Bytes | undefined>((plain) => plain?.slice());
  const decrypted = new Repeats<Bytes>((plain) => plain.slice());
  const unwrapped = new Repeats<Bytes | undefined>((plain) => plain?.slice());
  const readings = new Repeats<unknown>((reading) => reading);
  const shared = createTable<{ readonly secret: Bytes | undefined }>();
  const publics = createTable<Bytes>();
  /** Private key of each public value that was made here, by group and value. */
  const owners = createTable<Bytes>();
  return {
    ...bound(crypto),
    verify: (key, scheme, message, signature) =>
      verified.get([signature, message, ...publicOctets(key)], schemeWords(key, scheme), () =>
        crypto.verify(key, scheme, message, signature),
      ),
    open: (aead, key, nonce, aad, sealed, tagLength) =>
      opened.get([sealed, aad, nonce, key], [aead, tagLength], () =>
        crypto.open(aead, key, nonce, aad, sealed, tagLength),
      ),
    cbcDecrypt: (cipher, key, iv, data) =>
      decrypted.get([data, iv, key], [cipher], () => crypto.cbcDecrypt(cipher, key, iv, data)),
    share: <T>({ octets, words }: SharedInputs, compute: () => T) => readings.get(octets, words, compute) as T,
    unwrapKey: (kek, wrapped) => unwrapped.get([wrapped, kek], [], () => crypto.unwrapKey(kek, wrapped)),
    dhPublic(group, privateKey) {
      const value = publics.get(keyOf([group], privateKey), () => crypto.dhPublic(group, privateKey));
      owners.put(keyOf([group], value), privateKey);
      return value.slice();
    },
    dhShared(group, privateKey, peer) {
      const key = pairKey(group, privateKey, peer);
      return shared.get(key, () => ({ secret: crypto.dhShared(group, privateKey, peer) })).secret?.slice();
    },
  };

  /**
   * The secret of two private keys is the same from both sides, so it is kept under both public values in order. A value
   * that no device here has made, such as a tampered one, is kept under the octets of this side's own key.
   */
  function pairKey(group: DhGroup, privateKey: Bytes, peer: Bytes): string {
    const peerText = octetText(peer);
    const own = owners.find(keyOf([group], peer)) === undefined ? undefined : publics.find(keyOf([group], privateKey));
    if (own === undefined) return `${group} private ${octetText(privateKey)} ${peerText}`;
    const ownText = octetText(own);
    return ownText < peerText ? `${group} ${ownText} ${peerText}` : `${group} ${peerText} ${ownText}`;
  }
}

/** All operations of a back end as functions of their own, whether it keeps them in an object or in a class. */
function bound(crypto: Crypto): Crypto {
  return {
    backend: crypto.backend,
    hash: (...args) => crypto.hash(...args),
    hmac: (...args) => crypto.hmac(...args),
    cbcEncrypt: (...args) => crypto.cbcEncrypt(...args),
    cbcDecrypt: (...args) => crypto.cbcDecrypt(...args),
    aesCtr: (...args) => crypto.aesCtr(...args),
    seal: (...args) => crypto.seal(...args),
    open: (...args) => crypto.open(...args),
    wrapKey: (...args) => crypto.wrapKey(...args),
    unwrapKey: (...args) => crypto.unwrapKey(...args),
    dhPublic: (...args) => crypto.dhPublic(...args),
    dhShared: (...args) => crypto.dhShared(...args),
    sign: (...args) => crypto.sign(...args),
    verify: (...args) => crypto.verify(...args),
  };
}

interface Table<T> {
  get(key: string, compute: () => T): T;
  find(key: string): T | undefined;
  put(key: string, value: T): void;
}

/** Two maps take turns: when the younger is full the older is thrown away. */
function createTable<T>(): Table<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  const put = (key: string, value: T): void => {
    if (young.size >= ENTRIES_MAX / 2) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  const find = (key: string): T | undefined => young.get(key) ?? old.get(key);
  return {
    find,
    put,
    get(key, compute) {
      const known = find(key);
      if (known !== undefined) return known;
      const value = compute();
      put(key, value);
      return value;
    },
  };
}

/** All inputs as text, lengths first, so that no two lists of inputs have one text. */
function keyOf(words: readonly (string | number)[], ...octets: readonly Bytes[]): string {
  const lengths = octets.map((one) => one.length);
  return `${words.join(" ")} ${lengths.join(" ")} ${octets.map(octetText).join("")}`;
}

const PIECE = 4096;

/** Octets as characters: made much faster than digits, and as good a key. */
function octetText(octets: Bytes): string {
  if (octets.length <= PIECE) return String.fromCharCode(...octets);
  let text = "";
  for (let at = 0; at < octets.length; at += PIECE) text += String.fromCharCode(...octets.subarray(at, at + PIECE));
  return text;
}

function publicOctets(key: PublicKey): readonly Bytes[] {
  return key.type === "rsa" ? [key.n, key.e] : [key.point];
}

/** All of a key and a scheme that is not octets. A salt is of no concern to verification. */
function schemeWords(key: PublicKey, scheme: SignatureScheme): readonly (string | number)[] {
  return [
    key.type === "ec" ? key.curve : key.type,
    scheme.kind,
    "hash" in scheme ? scheme.hash : "",
    scheme.kind === "ecdsa" ? scheme.encoding : "",
    scheme.kind === "rsa-pss" ? scheme.saltLength : 0,
  ];
}
