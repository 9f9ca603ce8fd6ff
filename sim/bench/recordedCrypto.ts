/** A back end that writes down what it is asked, so that the bare operations can be done again without what led to them. */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Crypto, PrivateKey, PublicKey } from "../../src/crypto/api.ts";

/** A Diffie-Hellman private key as octets, or a key of signatures. */
type Key = Bytes | PrivateKey | PublicKey;

/** The operations of some work, each with its own inputs, in their order. */
export interface Recording {
  readonly operations: ((keys: readonly Key[]) => unknown)[];
  /** The keys that this work brought with it, each once: the operations get copies. */
  readonly keys: Key[];
}

/** Operations of a back end, and which of their arguments is a key that it remembers from one call to the next. */
const OPERATIONS = {
  hash: undefined,
  hmac: undefined,
  cbcEncrypt: undefined,
  cbcDecrypt: undefined,
  aesCtr: undefined,
  seal: undefined,
  open: undefined,
  wrapKey: undefined,
  unwrapKey: undefined,
  dhPublic: 1,
  dhShared: 1,
  sign: 0,
  verify: 0,
} as const satisfies Record<Exclude<keyof Crypto, "backend" | "share">, number | undefined>;

export function newRecording(): Recording {
  return { operations: [], keys: [] };
}

/**
 * Does what `crypto` does and adds each call to the recording of the moment. Octets are copied: their owner may use them
 * again. A key is one key in all operations that it was given to, so whoever does them again imports it once, as the
 * roles do and as any program would that makes a key pair and then a shared secret with it. A key that an earlier
 * recording had already, such as that of an authority, stays as it is: its import belongs to that earlier work.
 */
export function recordedCrypto(crypto: Crypto, current: () => Recording): Crypto {
  const owners = new WeakMap<Key, { readonly recording: Recording; readonly index: number }>();
  const own = (key: Key, recording: Recording): ((keys: readonly Key[]) => Key) => {
    const known = owners.get(key);
    if (known !== undefined && known.recording !== recording) return () => key;
    const index = known?.index ?? recording.keys.push(copyOf(key)) - 1;
    if (known === undefined) owners.set(key, { recording, index });
    return (keys) => keys[index]!;
  };
  const operations = Object.entries(OPERATIONS).map(([name, keyAt]) => {
    const operation = crypto[name as keyof typeof OPERATIONS].bind(crypto) as (...args: readonly unknown[]) => unknown;
    const recorded = (...args: readonly unknown[]): unknown => {
      const recording = current();
      const kept = args.map((arg) => (arg instanceof Uint8Array ? arg.slice() : arg));
      if (keyAt === undefined) recording.operations.push(() => operation(...kept));
      else {
        const keyOf = own(args[keyAt] as Key, recording);
        recording.operations.push((keys) => operation(...kept.slice(0, keyAt), keyOf(keys), ...kept.slice(keyAt + 1)));
      }
      return operation(...args);
    };
    return [name, recorded] as const;
  });
  return { backend: crypto.backend, ...Object.fromEntries(operations) } as Crypto;
}

function copyOf(key: Key): Key {
  return key instanceof Uint8Array ? key.slice() : { ...key };
}

/** Does the operations again with keys that the back end has not seen before: it imports each of them once more. */
export function replay({ operations, keys }: Recording): void {
  const copies = keys.map(copyOf);
  for (const operation of operations) operation(copies);
}
