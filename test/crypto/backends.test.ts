import { checkPrimeSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { concat, toHex } from "../../src/base/bytes.ts";
import type {
  Crypto,
  CurveName,
  DhGroup,
  HashName,
  PrivateKey,
  RsaPrivateKey,
  SignatureScheme,
} from "../../src/crypto/api.ts";
import { DH_PRIVATE_LENGTH } from "../../src/crypto/api.ts";
import { bigFrom, bigTo } from "../../src/crypto/bigint.ts";
import { CURVES, DH_GROUPS } from "../../src/crypto/dhGroup.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { ecPrivateKey, ed25519PrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey, rsaKeyFromPrimes } from "../../src/crypto/rsaKey.ts";
import { testRng } from "./testRng.ts";

const HASHES: readonly HashName[] = ["md5", "sha1", "sha256", "sha384", "sha512"];
const GROUPS = Object.keys(DH_PRIVATE_LENGTH).map(Number) as DhGroup[];
const rng = testRng("backends");

/** Runs an operation on both back ends and demands the same octets in arrays that own their memory. */
function both<T>(operation: (crypto: Crypto) => T): T {
  const portable = operation(noble);
  const fast = operation(native);
  expect(shown(fast)).toEqual(shown(portable));
  for (const result of [portable, fast]) {
    if (result instanceof Uint8Array) expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype);
  }
  return fast;
}

function shown(value: unknown): unknown {
  return value instanceof Uint8Array ? toHex(value) : value;
}

/** Runs an operation that must throw on both. */
function bothThrow(operation: (crypto: Crypto) => unknown): void {
  expect(() => operation(noble)).toThrow();
  expect(() => operation(native)).toThrow();
}

const anyBytes = fc.uint8Array({ maxLength: 300 });
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const blocks = (size: number) => fc.nat({ max: 12 }).chain((count) => exactly(size * count));
const aesKey = fc.constantFrom(16, 24, 32).chain(exactly);
function check<T>(property: fc.IProperty<T>): void {
  fc.assert(property, { numRuns: 60, seed: 7 });
}

describe("hashes and MACs", () => {
  it.each(HASHES)("%s agrees for lengths around its block", (name) => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000]) {
      const data = rng.bytes(length);
      both((crypto) => crypto.hash(name, data));
      for (const keyLength of [0, 1, 20, 64, 65, 128, 129, 300]) {
        const key = rng.bytes(keyLength);
        both((crypto) => crypto.hmac(name, key, data));
      }
    }
  });

  it("agree for random keys and data", () => {
    check(
      fc.property(fc.constantFrom(...HASHES), anyBytes, anyBytes, (name: HashName, key: Bytes, data: Bytes) => {
        both((crypto) => crypto.hash(name, data));
        both((crypto) => crypto.hmac(name, key, data));
      }),
    );
  });
});

describe("block and stream ciphers", () => {
  it.each([
    ["aes", 16, aesKey],
    ["3des", 8, exactly(24)],
    ["des", 8, exactly(8)],
  ] as const)("%s-cbc agrees and is undone by decryption", (cipher, block, key) => {
    check(
      fc.property(key, exactly(block), blocks(block), (k: Bytes, iv: Bytes, data: Bytes) => {
        const sealed = both((crypto) => crypto.cbcEncrypt(cipher, k, iv, data));
        expect(both((crypto) => crypto.cbcDecrypt(cipher, k, iv, sealed))).toEqual(data);
      }),
    );
  });

  it("aes-ctr agrees, is its own inverse and counts over all 128 bits", () => {
    check(
      fc.property(aesKey, exactly(16), anyBytes, (key: Bytes, counter: Bytes, data: Bytes) => {
        const crypted = both((crypto) => crypto.aesCtr(key, counter, data));
        expect(both((crypto) => crypto.aesCtr(key, counter, crypted))).toEqual(data);
      }),
    );
    for (const tail of [4, 8, 16]) {
      const counter = concat(rng.bytes(16 - tail), new Uint8Array(tail).fill(255));
      both((crypto) => crypto.aesCtr(new Uint8Array(16), counter, new Uint8Array(50)));
    }
  });

  it("refuse keys, IVs and lengths that do not exist", () => {
    const block = new Uint8Array(16);
    bothThrow((crypto) => crypto.cbcEncrypt("aes", new Uint8Array(15), block, block));
    bothThrow((crypto) => crypto.cbcEncrypt("aes", block, new Uint8Array(8), block));
    bothThrow((crypto) => crypto.cbcDecrypt("aes", block, block, new Uint8Array(17)));
    bothThrow((crypto) => crypto.cbcEncrypt("3des", block, new Uint8Array(8), new Uint8Array(8)));
    bothThrow((crypto) => crypto.aesCtr(new Uint8Array(20), block, block));
    bothThrow((crypto) => crypto.aesCtr(block, new Uint8Array(8), block));
    bothThrow((crypto) => crypto.seal("aes-gcm", block, new Uint8Array(7), block, block, 16));
    bothThrow((crypto) => crypto.seal("aes-gcm", block, new Uint8Array(12), block, block, 5));
    bothThrow((crypto) => crypto.seal("chacha20-poly1305", block, new Uint8Array(12), block, block, 16));
    bothThrow((crypto) => crypto.wrapKey(new Uint8Array(8), block));
    bothThrow((crypto) => crypto.wrapKey(block, new Uint8Array(0)));
  });
});

describe("authenticated encryption", () => {
  const suites = [
    ["aes-gcm", 16, 8],
    ["aes-gcm", 24, 12],
    ["aes-gcm", 32, 16],
    ["chacha20-poly1305", 32, 16],
  ] as const;

  it.each(suites)("%s with a key of %i and a tag of %i octets agrees and opens again", (aead, keyLength, tag) => {
    check(
      fc.property(
        exactly(keyLength),
        exactly(12),
        anyBytes,
        anyBytes,
        (k: Bytes, n: Bytes, aad: Bytes, data: Bytes) => {
          const sealed = both((crypto) => crypto.seal(aead, k, n, aad, data, tag));
          expect(sealed.length).toBe(data.length + tag);
          expect(both((crypto) => crypto.open(aead, k, n, aad, sealed, tag))).toEqual(data);
        },
      ),
    );
  });

  it.each(suites)(
    "%s with a key of %i and a tag of %i octets opens nothing that was changed",
    (aead, keyLength, tag) => {
      const [key, nonce, aad, data] = [rng.bytes(keyLength), rng.bytes(12), rng.bytes(20), rng.bytes(33)];
      const sealed = noble.seal(aead, key, nonce, aad, data, tag);
      for (let i = 0; i < sealed.length; i++) {
        const flipped = sealed.slice();
        flipped[i]! ^= 1 << (i % 8);
        expect(both((crypto) => crypto.open(aead, key, nonce, aad, flipped, tag))).toBeUndefined();
      }
      for (const length of [0, 1, tag - 1, tag, sealed.length - 1]) {
        expect(both((crypto) => crypto.open(aead, key, nonce, aad, sealed.subarray(0, length), tag))).toBeUndefined();
      }
      expect(both((crypto) => crypto.open(aead, key, nonce, aad.subarray(1), sealed, tag))).toBeUndefined();
    },
  );
});

describe("key wrap with padding", () => {
  it("agrees for every length up to 80 octets and unwraps again", () => {
    for (const kekLength of [16, 24, 32]) {
      const kek = rng.bytes(kekLength);
      for (let length = 1; length <= 80; length++) {
        const key = rng.bytes(length);
        const wrapped = both((crypto) => crypto.wrapKey(kek, key));
        expect(wrapped.length).toBe(8 * Math.ceil(length / 8) + 8);
        expect(both((crypto) => crypto.unwrapKey(kek, wrapped))).toEqual(key);
      }
    }
  });

  it("unwraps nothing that was changed, cut or is of no possible length", () => {
    const kek = rng.bytes(16);
    const wrapped = noble.wrapKey(kek, rng.bytes(36));
    for (let i = 0; i < wrapped.length; i++) {
      const flipped = wrapped.slice();
      flipped[i]! ^= 0x40;
      expect(both((crypto) => crypto.unwrapKey(kek, flipped))).toBeUndefined();
    }
    for (let length = 0; length < wrapped.length; length++) {
      expect(both((crypto) => crypto.unwrapKey(kek, wrapped.subarray(0, length)))).toBeUndefined();
    }
  });
});

describe("Diffie-Hellman", () => {
  it.each(GROUPS)("group %i: public values and both sides' secrets agree", (group) => {
    const [ours, theirs] = [rng.bytes(DH_PRIVATE_LENGTH[group]), rng.bytes(DH_PRIVATE_LENGTH[group])];
    const ourPublic = both((crypto) => crypto.dhPublic(group, ours));
    const theirPublic = native.dhPublic(group, theirs);
    const secret = both((crypto) => crypto.dhShared(group, ours, theirPublic));
    expect(secret).toBeDefined();
    expect(native.dhShared(group, theirs, ourPublic)).toEqual(secret);
  });

  it.each([1, 2, 5, 14, 15, 16] as const)(
    "group %i: values outside 2 .. p - 2 and of other lengths are refused",
    (group) => {
      const spec = DH_GROUPS[group];
      if (spec.kind !== "modp") throw new Error("not a MODP group");
      const size = spec.primeOctets.length;
      const key = rng.bytes(32);
      for (const value of [0n, 1n, spec.prime - 1n, spec.prime, spec.prime + 1n]) {
        expect(both((crypto) => crypto.dhShared(group, key, bigTo(value, size)))).toBeUndefined();
      }
      for (const value of [2n, 11n, spec.prime - 2n]) {
        expect(both((crypto) => crypto.dhShared(group, key, bigTo(value, size)))?.length).toBe(size);
      }
      const good = native.dhPublic(group, key);
      expect(both((crypto) => crypto.dhShared(group, key, good.subarray(1)))).toBeUndefined();
      expect(both((crypto) => crypto.dhShared(group, key, concat(new Uint8Array(1), good)))).toBeUndefined();
      expect(both((crypto) => crypto.dhShared(group, key, new Uint8Array(0)))).toBeUndefined();
    },
  );

  it("MODP values keep their leading zeros", () => {
    // The shortest exponents give the shortest values: 2^1 .. 2^9 in 96 octets.
    for (let exponent = 1; exponent < 10; exponent++) {
      const value = both((crypto) => crypto.dhPublic(1, Uint8Array.of(exponent)));
      expect(bigFrom(value)).toBe(2n ** BigInt(exponent));
      expect(value.length).toBe(96);
      expect(both((crypto) => crypto.dhShared(1, Uint8Array.of(3), value))?.length).toBe(96);
    }
  });

  it.each([19, 20, 21] as const)("group %i: points off the curve and of other lengths are refused", (group) => {
    const key = rng.bytes(DH_PRIVATE_LENGTH[group]);
    const good = native.dhPublic(group, key);
    const off = good.slice();
    off[off.length - 1]! ^= 1;
    for (const peer of [off, new Uint8Array(good.length), new Uint8Array(good.length).fill(255), good.subarray(1)]) {
      expect(both((crypto) => crypto.dhShared(group, key, peer))).toBeUndefined();
    }
  });

  it("ECP private octets beyond the order are reduced the same way", () => {
    for (const [group, curve] of [
      [19, "P-256"],
      [20, "P-384"],
      [21, "P-521"],
    ] as const) {
      const { order, size } = CURVES[curve];
      for (const value of [0n, 1n, order - 1n, order, order + 1n]) {
        both((crypto) => crypto.dhPublic(group, bigTo(value, size)));
      }
      both((crypto) => crypto.dhPublic(group, new Uint8Array(size).fill(255)));
      expect(noble.dhPublic(group, bigTo(order, size))).toEqual(noble.dhPublic(group, bigTo(2n, size)));
    }
  });

  it("private keys of impossible lengths are the caller's bug", () => {
    for (const [group, length] of [
      [14, 0],
      [19, 31],
      [21, 64],
      [31, 31],
      [31, 33],
    ] as const) {
      bothThrow((crypto) => crypto.dhPublic(group, new Uint8Array(length)));
      const peer = native.dhPublic(group, rng.bytes(DH_PRIVATE_LENGTH[group]));
      bothThrow((crypto) => crypto.dhShared(group, new Uint8Array(length), peer));
    }
  });

  it("Curve25519: points of small order give no secret, the top bit is ignored", () => {
    const key = rng.bytes(32);
    const small = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for (const hex of small) {
      const peer = Uint8Array.from(Buffer.from(hex, "hex"));
      expect(both((crypto) => crypto.dhShared(31, key, peer))).toBeUndefined();
    }
    const peer = native.dhPublic(31, rng.bytes(32));
    const topped = peer.slice();
    topped[31]! |= 0x80;
    expect(both((crypto) => crypto.dhShared(31, key, topped))).toEqual(noble.dhShared(31, key, peer));
    expect(both((crypto) => crypto.dhShared(31, key, peer.subarray(1)))).toBeUndefined();
  });
});

describe("signatures", () => {
  const rsa = rsaKey(testRng("signatures/rsa"), 1024);
  const curves: readonly CurveName[] = ["P-256", "P-384", "P-521"];
  const cases: [string, PrivateKey, SignatureScheme][] = [
    ...HASHES.map((hash): [string, PrivateKey, SignatureScheme] => [
      `rsa-pkcs1 ${hash}`,
      rsa,
      { kind: "rsa-pkcs1", hash },
    ]),
    ["rsa-pkcs1-raw", rsa, { kind: "rsa-pkcs1-raw" }],
    ["rsa-pss sha256 without salt", rsa, { kind: "rsa-pss", hash: "sha256", saltLength: 0 }],
    ["rsa-pss sha256", rsa, { kind: "rsa-pss", hash: "sha256", saltLength: 32, salt: rng.bytes(32) }],
    ["rsa-pss sha1", rsa, { kind: "rsa-pss", hash: "sha1", saltLength: 20, salt: rng.bytes(20) }],
    ...curves.flatMap((curve) =>
      (["raw", "der"] as const).flatMap((encoding) =>
        (["sha1", "sha256", "sha384", "sha512"] as const).map((hash): [string, PrivateKey, SignatureScheme] => [
          `ecdsa ${curve} ${hash} ${encoding}`,
          ecPrivateKey(curve, rng.bytes(CURVES[curve].size)),
          { kind: "ecdsa", hash, encoding },
        ]),
      ),
    ),
    ["ed25519", ed25519PrivateKey(rng.bytes(32)), { kind: "ed25519" }],
  ];

  it.each(cases)("%s: the same signature from both, valid on both, and nothing else is", (_, key, scheme) => {
    const message = rng.bytes(40);
    const signature = both((crypto) => crypto.sign(key, scheme, message));
    const verifier = publicHalf(key);
    expect(both((crypto) => crypto.verify(verifier, scheme, message, signature))).toBe(true);
    const other = message.slice();
    other[3]! ^= 1;
    expect(both((crypto) => crypto.verify(verifier, scheme, other, signature))).toBe(false);
    for (const at of [0, 1, signature.length >> 1, signature.length - 1]) {
      const flipped = signature.slice();
      flipped[at]! ^= 1;
      expect(both((crypto) => crypto.verify(verifier, scheme, message, flipped))).toBe(false);
    }
    for (const odd of [new Uint8Array(0), signature.subarray(1), concat(signature, Uint8Array.of(0))]) {
      expect(both((crypto) => crypto.verify(verifier, scheme, message, odd))).toBe(false);
    }
    expect(both((crypto) => crypto.verify(verifier, scheme, message, new Uint8Array(signature.length)))).toBe(false);
  });

  it.each([1024, 1025, 1026, 1031, 1032].map((bits) => [bits]))("PSS fits a modulus of %i bits", (bits) => {
    const key = oddRsaKey(bits);
    const scheme: SignatureScheme = { kind: "rsa-pss", hash: "sha256", saltLength: 32, salt: rng.bytes(32) };
    const signature = both((crypto) => crypto.sign(key, scheme, rng.bytes(0)));
    expect(both((crypto) => crypto.verify(key, scheme, new Uint8Array(0), signature))).toBe(true);
  });

  it("a key of another kind verifies nothing and signs with an error", () => {
    const key = cases.at(-1)![1];
    expect(
      both((crypto) =>
        crypto.verify(publicHalf(key), { kind: "rsa-pkcs1", hash: "sha256" }, rng.bytes(3), rng.bytes(64)),
      ),
    ).toBe(false);
    expect(
      both((crypto) => crypto.verify(publicHalf(rsa), { kind: "ed25519" }, new Uint8Array(3), new Uint8Array(64))),
    ).toBe(false);
    bothThrow((crypto) => crypto.sign(key, { kind: "rsa-pkcs1", hash: "sha256" }, rng.bytes(3)));
    bothThrow((crypto) => crypto.sign(rsa, { kind: "ed25519" }, rng.bytes(3)));
  });

  it("unusable foreign keys verify nothing and neither throw nor hang", () => {
    const signature = rng.bytes(128);
    const e = Uint8Array.of(1, 0, 1);
    const moduli = [
      new Uint8Array(0),
      Uint8Array.of(15),
      rng.bytes(63),
      concat(Uint8Array.of(128), new Uint8Array(127)),
    ];
    for (const n of moduli) {
      expect(
        both((crypto) =>
          crypto.verify({ type: "rsa", n, e }, { kind: "rsa-pkcs1", hash: "sha1" }, signature, signature),
        ),
      ).toBe(false);
    }
    for (const exponent of [new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(2), rsa.n]) {
      const key = { type: "rsa", n: rsa.n, e: exponent } as const;
      expect(both((crypto) => crypto.verify(key, { kind: "rsa-pkcs1", hash: "sha1" }, signature, signature))).toBe(
        false,
      );
    }
    for (const point of [new Uint8Array(0), new Uint8Array(64), new Uint8Array(64).fill(255), rng.bytes(64)]) {
      const scheme: SignatureScheme = { kind: "ecdsa", hash: "sha256", encoding: "raw" };
      expect(
        both((crypto) =>
          crypto.verify({ type: "ec", curve: "P-256", point }, scheme, signature, signature.subarray(0, 64)),
        ),
      ).toBe(false);
    }
    expect(
      both((crypto) =>
        crypto.verify(
          { type: "ed25519", point: new Uint8Array(31) },
          { kind: "ed25519" },
          signature,
          new Uint8Array(64),
        ),
      ),
    ).toBe(false);
  });

  it.each([512, 768, 8192, 16384])("a foreign RSA key of %i bits is answered alike", (bits) => {
    const n = rng.bytes(bits / 8);
    n[0]! |= 0x80;
    n[n.length - 1]! |= 1;
    const signature = rng.bytes(bits / 8);
    signature[0] = 0;
    for (const e of [Uint8Array.of(3), Uint8Array.of(1, 0, 1), new Uint8Array(8).fill(255)]) {
      expect(
        both((crypto) =>
          crypto.verify({ type: "rsa", n, e }, { kind: "rsa-pkcs1", hash: "sha1" }, signature, signature),
        ),
      ).toBe(false);
    }
  });

  it("Ed25519 with crafted points is judged alike", () => {
    // Points of order 1, 2, 4 and 8, canonical and not: the libraries' own answers differ on these.
    const points = [
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ].map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
    const seen = new Set<boolean>();
    for (const point of points) {
      for (const r of points) {
        const signature = concat(r, new Uint8Array(32));
        for (let i = 0; i < 4; i++) {
          const message = Uint8Array.of(i);
          seen.add(
            both((crypto) => crypto.verify({ type: "ed25519", point }, { kind: "ed25519" }, message, signature)),
          );
        }
      }
    }
    expect(seen).toEqual(new Set([true, false]));
    const key = ed25519PrivateKey(new Uint8Array(32));
    const good = noble.sign(key, { kind: "ed25519" }, points[0]!);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = bigFrom(good.slice(32).reverse()) + order;
    const malleable = concat(good.subarray(0, 32), bigTo(s, 32).reverse());
    expect(both((crypto) => crypto.verify(key, { kind: "ed25519" }, points[0]!, malleable))).toBe(false);
  });
});

/** A key whose modulus has any number of bits: the primes follow a drawn start. */
function oddRsaKey(bits: number): RsaPrivateKey {
  const draws = testRng(`odd ${bits}`);
  const half = bits >> 1;
  return rsaKeyFromPrimes(primeOf(draws.bytes(66), bits - half, 3n), primeOf(draws.bytes(66), half, 3n));
}

function primeOf(octets: Bytes, bits: number, top: bigint): bigint {
  let candidate = (bigFrom(octets) >> BigInt(8 * octets.length - bits)) | (top << BigInt(bits - 2)) | 1n;
  while (candidate % 65537n === 1n || !checkPrimeSync(candidate)) candidate += 2n;
  return candidate;
}
