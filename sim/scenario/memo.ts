/**
 * Crypto whose results are shared between the devices of one run: ten thousand members verify one signature over the same
 * octets once, and what one end of an exchange has worked out serves the other. Sharing changes no octet, because a
 * result is found again by all octets that went into it; a wrong signature or another key is another entry.
 *
 * It lies below the meters: every device still pays the virtual time of its own operations.
 */
import { type Bytes, equal } from "../../src/base/bytes.ts";
import type {
  Crypto,
  CurveName,
  DhGroup,
  PrivateKey,
  PublicKey,
  SharedInputs,
  SignatureScheme,
} from "../../src/crypto/api.ts";
import { OctetTwins } from "./octetTwins.ts";
import { Repeats } from "./repeats.ts";
import { sharedSecrets } from "./secrets.ts";
import { type Inputs, Twins } from "./twins.ts";

export function memoCrypto(crypto: Crypto): Crypto {
  const genuine = new OctetTwins();
  const verified = new Repeats<boolean>((isGenuine) => isGenuine);
  const opened = shelf<Bytes | undefined>((plain) => plain?.slice());
  const decrypted = shelf<Bytes>((plain) => plain.slice());
  const unwrapped = shelf<Bytes | undefined>((plain) => plain?.slice());
  const readings = new Repeats<unknown>((reading) => reading);
  const pairs = new Twins<unknown>();
  const isSound = soundness(crypto);
  return {
    ...bound(crypto),
    ...sharedSecrets(crypto),
    sign(key, scheme, message) {
      const signature = crypto.sign(key, scheme, message);
      if (isSound(key, scheme, message, signature)) {
        genuine.put([signature, message, ...publicOctets(key)], schemeWords(key, scheme), NOTHING);
      }
      return signature;
    },
    verify(key, scheme, message, signature) {
      const octets = [signature, message, ...publicOctets(key)] as const;
      const words = schemeWords(key, scheme);
      if (genuine.take(octets, words) !== undefined) return true;
      return verified.get(octets, words, () => crypto.verify(key, scheme, message, signature));
    },
    seal(aead, key, nonce, aad, plain, tagLength) {
      const sealed = crypto.seal(aead, key, nonce, aad, plain, tagLength);
      opened.twins.put([sealed, aad, nonce, key], [aead, tagLength], plain);
      return sealed;
    },
    open: (aead, key, nonce, aad, sealed, tagLength) =>
      opened.get([sealed, aad, nonce, key], [aead, tagLength], () =>
        crypto.open(aead, key, nonce, aad, sealed, tagLength),
      ),
    cbcEncrypt(cipher, key, iv, data) {
      const encrypted = crypto.cbcEncrypt(cipher, key, iv, data);
      decrypted.twins.put([encrypted, iv, key], [cipher], data);
      return encrypted;
    },
    cbcDecrypt: (cipher, key, iv, data) =>
      decrypted.get([data, iv, key], [cipher], () => crypto.cbcDecrypt(cipher, key, iv, data)),
    wrapKey(kek, plain) {
      const wrapped = crypto.wrapKey(kek, plain);
      unwrapped.twins.put([wrapped, kek], [], plain);
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

/**
 * Whether the public half that a private key comes with is its own, so that what it signs will be found good: for keys of
 * curves by that half itself, which is cheaper than to verify the signature of a device that signs once.
 */
function soundness(crypto: Crypto) {
  const known = new WeakMap<PrivateKey, boolean>();
  return (key: PrivateKey, scheme: SignatureScheme, message: Bytes, signature: Bytes): boolean => {
    let isSound = known.get(key);
    if (isSound === undefined) {
      isSound =
        key.type === "ec"
          ? equal(crypto.dhPublic(CURVE_GROUPS[key.curve], key.d), key.point)
          : crypto.verify(key, scheme, message, signature);
      known.set(key, isSound);
    }
    return isSound;
  };
}

const CURVE_GROUPS: Readonly<Record<CurveName, DhGroup>> = { "P-256": 19, "P-384": 20, "P-521": 21 };

const NOTHING = new Uint8Array(0);

/** Results for the one device at the other end, and for the many that take the same message. */
function shelf<T extends Bytes | undefined>(copy: (value: T) => T) {
  const twins = new OctetTwins();
  const repeats = new Repeats<T>(copy);
  return {
    twins,
    get(octets: Inputs["octets"], words: Inputs["words"], compute: () => T): T {
      return (twins.take(octets, words) as T | undefined) ?? repeats.get(octets, words, compute);
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
