/**
 * Counts what a device asks of cryptography: how often each operation and over how many octets. A CPU model turns the
 * counts into virtual time. It lies on every packet's path, so operations are numbers and counting is two additions.
 */
import type { Crypto, CurveName, DhGroup, HashName, PrivateKey, PublicKey, SignatureScheme } from "./api.ts";
import type { Aead, CbcCipher } from "./argument.ts";
import { octetBits } from "./bigint.ts";

/** Indexed by operation number: plain data, so that it is copied with the device's state. */
export interface Meter {
  readonly counts: Float64Array;
  /**
   * Message octets (plaintext of a cipher, input of a hash or MAC without AAD, message to be signed). 0 for Diffie-Hellman.
   */
  readonly octets: Float64Array;
}

const HASH_NAMES: readonly HashName[] = ["md5", "sha1", "sha256", "sha384", "sha512"];
const CBC_NAMES: readonly CbcCipher[] = ["aes", "3des", "des"];
const AEAD_NAMES: readonly Aead[] = ["aes-gcm", "chacha20-poly1305"];
const DH_NUMBERS: readonly DhGroup[] = [1, 2, 5, 14, 15, 16, 19, 20, 21, 24, 31];
const CURVE_NAMES: readonly CurveName[] = ["P-256", "P-384", "P-521"];
/** An RSA operation counts under the next of these modulus lengths, in bits. */
const RSA_BITS: readonly number[] = [512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16384];

const names: string[] = [];

/** Appends a family of names and returns the number of its first member. */
function family(members: readonly (string | number)[], pattern: (member: string | number) => string): number {
  const first = names.length;
  names.push(...members.map(pattern));
  return first;
}

const HASH = family(HASH_NAMES, (name) => `hash.${name}`);
const HMAC = family(HASH_NAMES, (name) => `hmac.${name}`);
const CBC_ENCRYPT = family(CBC_NAMES, (name) => `${name}-cbc.encrypt`);
const CBC_DECRYPT = family(CBC_NAMES, (name) => `${name}-cbc.decrypt`);
const CTR = family(["aes-ctr"], (name) => `${name}.crypt`);
const SEAL = family(AEAD_NAMES, (name) => `${name}.seal`);
const OPEN = family(AEAD_NAMES, (name) => `${name}.open`);
const WRAP = family(["wrap", "unwrap"], (name) => `aes-kwp.${name}`);
const DH_PUBLIC = family(DH_NUMBERS, (group) => `dh.${group}.public`);
const DH_SHARED = family(DH_NUMBERS, (group) => `dh.${group}.shared`);
const RSA_SIGN = family(RSA_BITS, (bits) => `rsa.${bits}.sign`);
const RSA_VERIFY = family(RSA_BITS, (bits) => `rsa.${bits}.verify`);
const ECDSA_SIGN = family(CURVE_NAMES, (curve) => `ecdsa.${curve}.sign`);
const ECDSA_VERIFY = family(CURVE_NAMES, (curve) => `ecdsa.${curve}.verify`);
const ED25519 = family(["sign", "verify"], (name) => `ed25519.${name}`);

/** Names by operation number, such as `dh.14.public`, `rsa.2048.sign`, `aes-gcm.seal`, `hmac.sha256`. */
export const OPERATIONS: readonly string[] = names;

const NUMBERS: ReadonlyMap<string, number> = new Map(names.map((name, number) => [name, number]));

/** The number of an operation's name, or undefined. */
export function operationNumber(name: string): number | undefined {
  return NUMBERS.get(name);
}

export function newMeter(): Meter {
  return { counts: new Float64Array(OPERATIONS.length), octets: new Float64Array(OPERATIONS.length) };
}

/** Back to zero. */
export function clearMeter(meter: Meter): void {
  meter.counts.fill(0);
  meter.octets.fill(0);
}

export interface MeterRow {
  readonly operation: string;
  readonly count: number;
  readonly octets: number;
}

/** The operations that occurred, in the order of their numbers. */
export function meterRows(meter: Meter): MeterRow[] {
  const rows: MeterRow[] = [];
  for (let i = 0; i < OPERATIONS.length; i++) {
    const count = meter.counts[i]!;
    if (count > 0) rows.push({ operation: OPERATIONS[i]!, count, octets: meter.octets[i]! });
  }
  return rows;
}

function offsets<K extends string | number>(members: readonly K[]): Readonly<Record<K, number>> {
  return Object.fromEntries(members.map((member, i) => [member, i])) as Record<K, number>;
}

const hashAt = offsets(HASH_NAMES);
const cbcAt = offsets(CBC_NAMES);
const aeadAt = offsets(AEAD_NAMES);
const dhAt = offsets(DH_NUMBERS);
const curveAt = offsets(CURVE_NAMES);

function rsaAt(n: Uint8Array): number {
  const bits = octetBits(n);
  const at = RSA_BITS.findIndex((limit) => bits <= limit);
  return at < 0 ? RSA_BITS.length - 1 : at;
}

/** By the key: a scheme that does not fit it fails in the back end, after it was counted. */
function signatureNumber(key: PublicKey | PrivateKey, rsa: number, ecdsa: number, ed25519: number): number {
  switch (key.type) {
    case "rsa":
      return rsa + rsaAt(key.n);
    case "ec":
      return ecdsa + curveAt[key.curve];
    case "ed25519":
      return ed25519;
  }
}

/** Says to `share` that the results come with what they cost. */
const METERED = Symbol("metered");

/** Whoever gets a result that another device has computed pays for it as if it had done so itself. */
function meteredShare(share: NonNullable<Crypto["share"]>, { counts, octets }: Meter): NonNullable<Crypto["share"]> {
  return (inputs, compute) => {
    let isOwn = false;
    const { value, spent } = share({ ...inputs, words: [METERED, ...inputs.words] }, () => {
      isOwn = true;
      const before = { counts: counts.slice(), octets: octets.slice() };
      return { value: compute(), spent: spentSince(before, { counts, octets }) };
    });
    if (isOwn) return value;
    for (const { operation, count, size } of spent) {
      counts[operation]! += count;
      octets[operation]! += size;
    }
    return value;
  };
}

interface Spent {
  readonly operation: number;
  readonly count: number;
  readonly size: number;
}

function spentSince(before: Meter, { counts, octets }: Meter): readonly Spent[] {
  const spent: Spent[] = [];
  counts.forEach((count, operation) => {
    if (count === before.counts[operation]) return;
    spent.push({
      operation,
      count: count - before.counts[operation]!,
      size: octets[operation]! - before.octets[operation]!,
    });
  });
  return spent;
}

/** The same back end, with each call counted in `meter`. Calls that a back end makes inside an operation are not counted. */
export function metered(crypto: Crypto, meter: Meter): Crypto {
  const { counts, octets } = meter;
  function count(operation: number, size: number): void {
    counts[operation]! += 1;
    octets[operation]! += size;
  }
  return {
    backend: crypto.backend,
    ...(crypto.share === undefined ? {} : { share: meteredShare(crypto.share, meter) }),
    hash(name, data) {
      count(HASH + hashAt[name], data.length);
      return crypto.hash(name, data);
    },
    hmac(name, key, data) {
      count(HMAC + hashAt[name], data.length);
      return crypto.hmac(name, key, data);
    },
    cbcEncrypt(cipher, key, iv, data) {
      count(CBC_ENCRYPT + cbcAt[cipher], data.length);
      return crypto.cbcEncrypt(cipher, key, iv, data);
    },
    cbcDecrypt(cipher, key, iv, data) {
      count(CBC_DECRYPT + cbcAt[cipher], data.length);
      return crypto.cbcDecrypt(cipher, key, iv, data);
    },
    aesCtr(key, counterBlock, data) {
      count(CTR, data.length);
      return crypto.aesCtr(key, counterBlock, data);
    },
    seal(aead, key, nonce, aad, plain, tagLength) {
      // Zero-length plaintext means GMAC: there the associated data are the message.
      count(SEAL + aeadAt[aead], plain.length === 0 ? aad.length : plain.length);
      return crypto.seal(aead, key, nonce, aad, plain, tagLength);
    },
    open(aead, key, nonce, aad, sealed, tagLength) {
      const size = Math.max(0, sealed.length - tagLength);
      count(OPEN + aeadAt[aead], size === 0 ? aad.length : size);
      return crypto.open(aead, key, nonce, aad, sealed, tagLength);
    },
    wrapKey(kek, plain) {
      count(WRAP, plain.length);
      return crypto.wrapKey(kek, plain);
    },
    unwrapKey(kek, wrapped) {
      count(WRAP + 1, wrapped.length);
      return crypto.unwrapKey(kek, wrapped);
    },
    dhPublic(group, privateKey) {
      count(DH_PUBLIC + dhAt[group], 0);
      return crypto.dhPublic(group, privateKey);
    },
    dhShared(group, privateKey, peer) {
      count(DH_SHARED + dhAt[group], 0);
      return crypto.dhShared(group, privateKey, peer);
    },
    sign(key: PrivateKey, scheme: SignatureScheme, message) {
      count(signatureNumber(key, RSA_SIGN, ECDSA_SIGN, ED25519), message.length);
      return crypto.sign(key, scheme, message);
    },
    verify(key: PublicKey, scheme: SignatureScheme, message, signature) {
      count(signatureNumber(key, RSA_VERIFY, ECDSA_VERIFY, ED25519 + 1), message.length);
      return crypto.verify(key, scheme, message, signature);
    },
  };
}
