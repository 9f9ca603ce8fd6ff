/** A back end that writes down what it is asked, so that the bare operations can be done again without what led to them. */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Crypto } from "../../src/crypto/api.ts";

/** The operations of some work, each with its own inputs, in their order. */
export type Recording = (() => unknown)[];

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

/** Operations whose key a back end remembers from one call to the next. */
const KEPT_KEYS: readonly string[] = ["dhPublic", "dhShared"];

/**
 * Does what `crypto` does and adds each call to `recording`. Octets are copied: their owner may use them again. Each
 * operation stands for itself from octets to octets, so a private key comes as a new copy each time and is imported by
 * each of its operations; the roles have it imported once.
 */
export function recordedCrypto(crypto: Crypto, recording: Recording): Crypto {
  const operations = OPERATIONS.map((name) => {
    const operation = crypto[name].bind(crypto) as (...args: readonly unknown[]) => unknown;
    const recorded = (...args: readonly unknown[]): unknown => {
      const kept = args.map((arg) => (arg instanceof Uint8Array ? arg.slice() : arg));
      if (KEPT_KEYS.includes(name)) {
        const [group, key, ...more] = kept;
        recording.push(() => operation(group, (key as Bytes).slice(), ...more));
      } else recording.push(() => operation(...kept));
      return operation(...args);
    };
    return [name, recorded] as const;
  });
  return { backend: crypto.backend, ...Object.fromEntries(operations) } as Crypto;
}

export function replay(recording: Recording): void {
  for (const operation of recording) operation();
}
