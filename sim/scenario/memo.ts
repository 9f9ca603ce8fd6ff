/**
 * Crypto whose results are shared between the devices of one run: ten thousand members verify one signature over the same
 * octets once, and what one end of an exchange has worked out serves the other. Sharing changes no octet, because a
 * result is found again by all octets that went into it; a wrong signature or another key is another entry.
 *
 * It lies below the meters: every device still pays the virtual time of its own operations.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Crypto, PrivateKey, PublicKey, SharedInputs, SignatureScheme } from "../../src/crypto/api.ts";
import { Repeats } from "./repeats.ts";
import { sharedSecrets } from "./secrets.ts";
import { type Inputs, Twins } from "./twins.ts";

export function memoCrypto(crypto: Crypto): Crypto {
  const verified = shelf<boolean>((isGenuine) => isGenuine);
  const opened = shelf<Bytes | undefined>((plain) => plain?.slice());
  const decrypted = shelf<Bytes>((plain) => plain.slice());
  const unwrapped = shelf<Bytes | undefined>((plain) => plain?.slice());
  const readings = new Repeats<unknown>((reading) => reading);
  const pairs = new Twins<unknown>();
  /** Keys of which a signature was found good by their own public half. */
  const soundKeys = new WeakSet<PrivateKey>();
  return {
    ...bound(crypto),
    ...sharedSecrets(crypto),
    sign(key, scheme, message) {
      const signature = crypto.sign(key, scheme, message);
      if (!soundKeys.has(key) && crypto.verify(key, scheme, message, signature)) soundKeys.add(key);
      if (soundKeys.has(key)) {
        verified.twins.put([signature, message, ...publicOctets(key)], schemeWords(key, scheme), true);
      }
      return signature;
    },
    verify: (key, scheme, message, signature) =>
      verified.get([signature, message, ...publicOctets(key)], schemeWords(key, scheme), () =>
        crypto.verify(key, scheme, message, signature),
      ),
    seal(aead, key, nonce, aad, plain, tagLength) {
      const sealed = crypto.seal(aead, key, nonce, aad, plain, tagLength);
      opened.twins.put([sealed, aad, nonce, key], [aead, tagLength], plain.slice());
      return sealed;
    },
    open: (aead, key, nonce, aad, sealed, tagLength) =>
      opened.get([sealed, aad, nonce, key], [aead, tagLength], () =>
        crypto.open(aead, key, nonce, aad, sealed, tagLength),
      ),
    cbcEncrypt(cipher, key, iv, data) {
      const encrypted = crypto.cbcEncrypt(cipher, key, iv, data);
      decrypted.twins.put([encrypted, iv, key], [cipher], data.slice());
      return encrypted;
    },
    cbcDecrypt: (cipher, key, iv, data) =>
      decrypted.get([data, iv, key], [cipher], () => crypto.cbcDecrypt(cipher, key, iv, data)),
    wrapKey(kek, plain) {
      const wrapped = crypto.wrapKey(kek, plain);
      unwrapped.twins.put([wrapped, kek], [], plain.slice());
      return wrapped;
    },
    unwrapKey: (kek, wrapped) => unwrapped.get([wrapped, kek], [], () => crypto.unwrapKey(kek, wrapped)),
    share<T>({ octets, words, among }: SharedInputs, compute: () => T): T {
      if (among === "many") return readings.get(octets, words, compute) as T;
      const known = pairs.take(octets, words);
      if (known !== undefined) return known.value as T;
      const value = compute();
      pairs.put(octets, words, value);
      return value;
    },
  };
}

/** Results for the one device at the other end, and for the many that take the same message. */
function shelf<T>(copy: (value: T) => T) {
  const twins = new Twins<T>();
  const repeats = new Repeats<T>(copy);
  return {
    twins,
    get(octets: Inputs["octets"], words: Inputs["words"], compute: () => T): T {
      const twin = twins.take(octets, words);
      return twin === undefined ? repeats.get(octets, words, compute) : twin.value;
    },
  };
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
