/** A back end that writes down what it is asked, so that the bare operations can be done again without what led to them. */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Crypto } from "../../src/crypto/api.ts";

/** The operations of some work, each with its own inputs, in their order. */
export interface Recording {
  readonly operations: ((keys: readonly Bytes[]) => unknown)[];
  /** The Diffie-Hellman private keys that the operations ask for, each once. */
  readonly keys: Bytes[];
}

const OPERATIONS = [
  "hash",
  "hmac",
  "cbcEncrypt",
  "cbcDecrypt",
  "aesCtr",
  "seal",
  "open",
  "wrapKey",
  "unwrapKey",
  "dhPublic",
  "dhShared",
  "sign",
  "verify",
] as const satisfies readonly Exclude<keyof Crypto, "backend">[];

/** Operations with a private key as their second argument that a back end remembers from one call to the next. */
const KEPT_KEYS: readonly string[] = ["dhPublic", "dhShared"];

export function newRecording(): Recording {
  return { operations: [], keys: [] };
}

/**
 * Does what `crypto` does and adds each call to the recording of the moment. Octets are copied: their owner may use them
 * again. A private key is one key in all operations that it was given to, so that whoever does them again imports it
 * once, as do the roles and as does any program that makes a key pair and then a shared secret with it.
 */
export function recordedCrypto(crypto: Crypto, current: () => Recording): Crypto {
  const copies = new WeakMap<Bytes, Bytes>();
  const copyOf = (key: Bytes): Bytes => {
    const copy = copies.get(key) ?? key.slice();
    copies.set(key, copy);
    return copy;
  };
  const operations = OPERATIONS.map((name) => {
    const operation = crypto[name].bind(crypto) as (...args: readonly unknown[]) => unknown;
    const recorded = (...args: readonly unknown[]): unknown => {
      const { operations, keys } = current();
      if (KEPT_KEYS.includes(name)) {
        const [group, key, ...more] = args.map((arg, i) => (i === 1 ? copyOf(arg as Bytes) : copied(arg)));
        const known = keys.indexOf(key as Bytes);
        const index = known < 0 ? keys.push(key as Bytes) - 1 : known;
        operations.push((now) => operation(group, now[index], ...more));
      } else {
        const kept = args.map(copied);
        operations.push(() => operation(...kept));
      }
      return operation(...args);
    };
    return [name, recorded] as const;
  });
  return { backend: crypto.backend, ...Object.fromEntries(operations) } as Crypto;
}

function copied(arg: unknown): unknown {
  return arg instanceof Uint8Array ? arg.slice() : arg;
}

/** Does the operations again, with private keys that the back end has not seen before: each is imported once more. */
export function replay({ operations, keys }: Recording): void {
  const now = keys.map((key) => key.slice());
  for (const operation of operations) operation(now);
}
