import { beforeEach, describe, expect, test } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { memoCrypto } from "../../../sim/scenario/memo.ts";
import type { Crypto } from "../../../src/crypto/api.ts";
import { metered, meterRows, newMeter } from "../../../src/crypto/meter.ts";
import { noble } from "../../../src/crypto/noble.ts";
import { ecPrivateKey } from "../../../src/crypto/privateKey.ts";
import { rsaKey } from "../../../src/crypto/rsaKey.ts";

const rng = createRng("memo");
let calls: string[] = [];
let memo: Crypto;

/** The back end behind the memo, with a list of what it was asked for. */
function watched(): Crypto {
  return new Proxy(noble, {
    get(target, name: keyof Crypto) {
      const member = target[name];
      if (typeof member !== "function") return member;
      return (...args: never[]) => {
        calls.push(name);
        return (member as (...given: never[]) => unknown).apply(target, args);
      };
    },
  });
}

const count = (name: string) => calls.filter((call) => call === name).length;

beforeEach(() => {
  calls = [];
  memo = memoCrypto(watched());
});

describe("a Diffie-Hellman secret", () => {
  test.each([14, 19, 31] as const)("of group %i is computed by one side and serves the other", (group) => {
    const [a, b] = [rng.bytes(32), rng.bytes(32)];
    const [publicA, publicB] = [memo.dhPublic(group, a), memo.dhPublic(group, b)];
    const first = memo.dhShared(group, a, publicB);
    expect(memo.dhShared(group, b, publicA)).toEqual(first);
    expect(count("dhShared")).toBe(1);
    expect(first).toEqual(noble.dhShared(group, a, publicB));
  });

  test.each([14, 31] as const)("of group %i is found though the responder names its value last", (group) => {
    const [a, b] = [rng.bytes(32), rng.bytes(32)];
    const publicA = memo.dhPublic(group, a);
    const first = memo.dhShared(group, b, publicA);
    expect(memo.dhShared(group, a, memo.dhPublic(group, b))).toEqual(first);
    expect([count("dhShared"), count("dhPublic")]).toEqual([1, 2]);
    expect(first).toEqual(noble.dhShared(group, b, publicA));
  });

  test("with a value that nobody here made is computed by itself", () => {
    const [a, b] = [rng.bytes(32), rng.bytes(32)];
    const publicA = memo.dhPublic(31, a);
    memo.dhPublic(31, b);
    const stranger = noble.dhPublic(31, rng.bytes(32));
    expect(memo.dhShared(31, a, stranger)).toEqual(noble.dhShared(31, a, stranger));
    expect(memo.dhShared(31, b, publicA)).toEqual(noble.dhShared(31, b, publicA));
    expect(memo.dhShared(31, a, new Uint8Array(32))).toBeUndefined();
  });
});

describe("a signature", () => {
  const key = rsaKey(rng.fork("rsa"), 1024);
  const scheme = { kind: "rsa-pkcs1", hash: "sha256" } as const;
  const message = rng.bytes(300);
  const signature = noble.sign(key, scheme, message);

  test("over the same octets is verified twice, however many members ask", () => {
    for (let member = 0; member < 50; member++) expect(memo.verify(key, scheme, message.slice(), signature)).toBe(true);
    expect(count("verify")).toBe(2);
  });

  test("over a tampered copy still fails, whichever came first", () => {
    const tampered = message.slice();
    tampered[17]! ^= 1;
    expect(memo.verify(key, scheme, message, signature)).toBe(true);
    expect(memo.verify(key, scheme, tampered, signature)).toBe(false);
    expect(memo.verify(key, { ...scheme, hash: "sha512" }, message, signature)).toBe(false);
    const other = signature.slice();
    other[0]! ^= 1;
    expect(memo.verify(key, scheme, message, other)).toBe(false);
    expect(memo.verify(key, scheme, message, signature)).toBe(true);
  });
});

test("sealed octets open twice for all, a tampered copy not at all, and nobody shares a buffer", () => {
  const [key, nonce, aad, plain] = [rng.bytes(32), rng.bytes(12), rng.bytes(28), rng.bytes(400)];
  const sealed = noble.seal("aes-gcm", key, nonce, aad, plain, 16);
  for (let member = 0; member < 5; member++) {
    const opened = memo.open("aes-gcm", key, nonce, aad, sealed, 16)!;
    expect(opened).toEqual(plain);
    opened.fill(0);
  }
  expect(count("open")).toBe(2);
  sealed[3]! ^= 1;
  expect(memo.open("aes-gcm", key, nonce, aad, sealed, 16)).toBeUndefined();
  sealed[3]! ^= 1;
  expect(memo.open("aes-gcm", rng.bytes(32), nonce, aad, sealed, 16)).toBeUndefined();
});

describe("what one end has made and the other undoes", () => {
  const [key, other, nonce, aad, plain] = [32, 32, 12, 28, 64].map((size) => rng.bytes(size)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const kinds = {
    open: {
      make: () => memo.seal("aes-gcm", key, nonce, aad, plain, 16),
      undo: (octets: Uint8Array, by = key) => memo.open("aes-gcm", by, nonce, aad, octets, 16),
      isRefused: true,
    },
    unwrapKey: {
      make: () => memo.wrapKey(key, plain),
      undo: (octets: Uint8Array, by = key) => memo.unwrapKey(by, octets),
      isRefused: true,
    },
    cbcDecrypt: {
      make: () => memo.cbcEncrypt("aes", key, nonce16, plain),
      undo: (octets: Uint8Array, by = key) => memo.cbcDecrypt("aes", by, nonce16, octets),
      isRefused: false,
    },
  };
  const nonce16 = rng.bytes(16);

  test.each(["open", "unwrapKey", "cbcDecrypt"] as const)("%s costs nothing, once, and shares no buffer", (name) => {
    const { make, undo } = kinds[name];
    const octets = make();
    undo(octets)!.fill(0);
    expect(count(name)).toBe(0);
    expect(undo(octets)).toEqual(plain);
    expect(count(name)).toBe(1);
  });

  test.each(["open", "unwrapKey", "cbcDecrypt"] as const)(
    "%s of a tampered copy or under another key is done",
    (name) => {
      const { make, undo, isRefused } = kinds[name];
      const octets = make();
      const tampered = octets.slice();
      tampered[3]! ^= 1;
      for (const wrong of [undo(tampered), undo(octets, other)]) {
        if (isRefused) expect(wrong).toBeUndefined();
        else expect(wrong).not.toEqual(plain);
      }
      expect(count(name)).toBe(2);
      expect(undo(octets)).toEqual(plain);
      expect(count(name)).toBe(2);
    },
  );

  test("a signature by a key whose halves belong together needs no check, by any other key it does", () => {
    const scheme = { kind: "rsa-pkcs1", hash: "sha256" } as const;
    const sound = rsaKey(rng.fork("sound"), 1024);
    expect(memo.verify(sound, scheme, plain, memo.sign(sound, scheme, plain))).toBe(true);
    expect(memo.verify(sound, scheme, aad, memo.sign(sound, scheme, aad))).toBe(true);
    expect(count("verify")).toBe(1);
    const foreign = { ...sound, n: rsaKey(rng.fork("foreign"), 1024).n };
    expect(memo.verify(foreign, scheme, plain, memo.sign(foreign, scheme, plain))).toBe(false);
  });

  test("a signature by a key of a curve needs no check where the point is that of the scalar", () => {
    const scheme = { kind: "ecdsa", hash: "sha256", encoding: "raw" } as const;
    const sound = ecPrivateKey("P-256", rng.bytes(32));
    expect(memo.verify(sound, scheme, plain, memo.sign(sound, scheme, plain))).toBe(true);
    expect(count("verify")).toBe(0);
    const foreign = { ...sound, point: ecPrivateKey("P-256", rng.bytes(32)).point };
    expect(memo.verify(foreign, scheme, plain, memo.sign(foreign, scheme, plain))).toBe(false);
    expect(count("verify")).toBe(1);
  });

  test("keys that both ends derive are derived once and paid for by both", () => {
    const [one, two] = [newMeter(), newMeter()];
    const derive = (crypto: Crypto, octets: Uint8Array) =>
      crypto.share!({ octets: [octets], words: ["keys"], among: "two" }, () => crypto.hmac("sha256", octets, aad));
    const secret = noble.hmac("sha256", key, aad);
    expect(derive(metered(memo, one), key)).toEqual(secret);
    expect(derive(metered(memo, two), key.slice())).toEqual(secret);
    expect(count("hmac")).toBe(1);
    expect(meterRows(two)).toEqual(meterRows(one));
    expect(derive(memo, other)).toEqual(noble.hmac("sha256", other, aad));
  });
});

test("octets that come once each, such as a rekey in an IKE SA, cost one operation each", () => {
  for (let member = 0; member < 20; member++) {
    const [kek, nonce, plain] = [rng.bytes(32), rng.bytes(12), rng.bytes(400)];
    expect(memo.open("aes-gcm", kek, nonce, nonce, noble.seal("aes-gcm", kek, nonce, nonce, plain, 16), 16)).toEqual(
      plain,
    );
    expect(memo.unwrapKey(kek, noble.wrapKey(kek, plain.subarray(0, 36)))).toEqual(plain.subarray(0, 36));
  }
  expect([count("open"), count("unwrapKey")]).toEqual([20, 20]);
});

test("a wrapped key unwraps to the same for all, and to nothing under another KEK", () => {
  const [kek, key] = [rng.bytes(32), rng.bytes(36)];
  const wrapped = noble.wrapKey(kek, key);
  for (let member = 0; member < 5; member++) {
    const own = memo.unwrapKey(kek, wrapped)!;
    expect(own).toEqual(key);
    own.fill(0);
  }
  expect(count("unwrapKey")).toBe(2);
  expect(memo.unwrapKey(rng.bytes(32), wrapped)).toBeUndefined();
});

test("blocks in CBC decrypt under each IV by itself", () => {
  const [key, iv, other, plain] = [rng.bytes(32), rng.bytes(16), rng.bytes(16), rng.bytes(320)];
  const sealed = noble.cbcEncrypt("aes", key, iv, plain);
  for (let member = 0; member < 5; member++) expect(memo.cbcDecrypt("aes", key, iv, sealed)).toEqual(plain);
  expect(count("cbcDecrypt")).toBe(2);
  expect(memo.cbcDecrypt("aes", key, other, sealed)).toEqual(noble.cbcDecrypt("aes", key, other, sealed));
});

test("whoever gets what another device has computed pays for it as if it had done so itself", () => {
  const [one, two] = [newMeter(), newMeter()];
  const [a, b] = [metered(memo, one), metered(memo, two)];
  const message = rng.bytes(300);
  const digestOf = (crypto: Crypto) =>
    crypto.share!({ octets: [message], words: ["digest"], among: "many" }, () => crypto.hash("sha256", message));
  const digest = noble.hash("sha256", message);
  for (let i = 0; i < 3; i++) expect(digestOf(a)).toEqual(digest);
  for (let i = 0; i < 2; i++) expect(digestOf(b)).toEqual(digest);
  expect(count("hash")).toBe(2);
  expect(meterRows(one)).toEqual([{ operation: "hash.sha256", count: 3, octets: 900 }]);
  expect(meterRows(two)).toEqual([{ operation: "hash.sha256", count: 2, octets: 600 }]);
});
