import type { KeyObject } from "node:crypto";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { algorithmOfScheme, schemeOfAlgorithm } from "../../src/crypto/algorithmId.ts";
import type { SignatureScheme } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import {
  decodePrivateKey,
  decodePrivateKeyPem,
  ecPrivateKey,
  ed25519PrivateKey,
  publicHalf,
} from "../../src/crypto/privateKey.ts";
import { decodePkcs1PublicKey, decodeSpki, encodePkcs1PublicKey, encodeSpki } from "../../src/crypto/spki.ts";
import { describeShared, readSharedJson } from "../shared.ts";

const plain = (buffer: Buffer): Bytes => new Uint8Array(buffer);

/** Key pairs of another implementation, with a scheme that signs with them. */
const PAIRS: readonly (readonly [string, KeyObject, SignatureScheme])[] = [
  ["RSA", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey, { kind: "rsa-pkcs1", hash: "sha256" }],
  ...(["P-256", "P-384", "P-521"] as const).map((namedCurve): readonly [string, KeyObject, SignatureScheme] => [
    namedCurve,
    generateKeyPairSync("ec", { namedCurve }).privateKey,
    { kind: "ecdsa", hash: "sha256", encoding: "der" },
  ]),
  ["Ed25519", generateKeyPairSync("ed25519").privateKey, { kind: "ed25519" }],
];

function wireError(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return "none";
}

describe.each(PAIRS)("an OpenSSL key pair: %s", (_, pair, scheme) => {
  const spki = plain(createPublicKey(pair).export({ type: "spki", format: "der" }));
  const pkcs8 = plain(pair.export({ type: "pkcs8", format: "der" }));

  it("its public key is read and written back octet for octet", () => {
    expect(toHex(encodeSpki(decodeSpki(spki)))).toBe(toHex(spki));
  });

  it("its private key is read from PKCS#8 and PEM, and signs", () => {
    const key = decodePrivateKey(pkcs8);
    expect(decodePrivateKeyPem(String(pair.export({ type: "pkcs8", format: "pem" })))).toEqual(key);
    expect(encodeSpki(publicHalf(key))).toEqual(spki);
    for (const crypto of [native, noble]) {
      const signature = crypto.sign(key, scheme, spki);
      expect(crypto.verify(decodeSpki(spki), scheme, spki, signature)).toBe(true);
    }
  });

  it("its own older format is read too", () => {
    const type = pair.asymmetricKeyType === "rsa" ? "pkcs1" : pair.asymmetricKeyType === "ec" ? "sec1" : undefined;
    if (type === undefined) return;
    const key = decodePrivateKey(pkcs8);
    expect(decodePrivateKey(plain(pair.export({ type, format: "der" } as never) as unknown as Buffer))).toEqual(key);
    expect(decodePrivateKeyPem(String(pair.export({ type, format: "pem" } as never)))).toEqual(key);
  });

  it("every cut and many flips end in a WireError or another key, never in anything else", () => {
    for (const octets of [spki, pkcs8]) {
      const decode = octets === spki ? decodeSpki : decodePrivateKey;
      for (let length = 0; length < octets.length; length++) {
        expect(wireError(() => decode(octets.subarray(0, length)))).not.toBe("none");
      }
      for (let at = 0; at < octets.length; at++) {
        const flipped = octets.slice();
        flipped[at]! ^= 1 << (at % 8);
        wireError(() => decode(flipped));
      }
    }
  });
});

describe("keys", () => {
  it("PKCS#1 public keys are read and written", () => {
    const key = { type: "rsa", n: fromHex("c1234567"), e: fromHex("010001") } as const;
    expect(toHex(encodePkcs1PublicKey(key))).toBe("300c020500c12345670203010001");
    expect(decodePkcs1PublicKey(encodePkcs1PublicKey(key))).toEqual(key);
  });

  it("an Ed25519 SubjectPublicKeyInfo is the worked one", () => {
    const key = ed25519PrivateKey(Uint8Array.from({ length: 32 }, (_, i) => i));
    expect(toHex(encodeSpki(publicHalf(key)))).toBe(
      "302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    );
  });

  it("unknown algorithms and curves are refused", () => {
    // X25519 and secp256k1.
    const x25519 = generateKeyPairSync("x25519").publicKey.export({ type: "spki", format: "der" });
    expect(wireError(() => decodeSpki(plain(x25519)))).toBe("badValue");
    const koblitz = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
    expect(wireError(() => decodeSpki(plain(koblitz.publicKey.export({ type: "spki", format: "der" }))))).toBe(
      "badValue",
    );
    expect(wireError(() => decodePrivateKey(plain(koblitz.privateKey.export({ type: "pkcs8", format: "der" }))))).toBe(
      "badValue",
    );
  });

  it("encrypted and absent PEM keys are refused", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 512 });
    const locked = privateKey.export({ type: "pkcs1", format: "pem", cipher: "aes-128-cbc", passphrase: "x" });
    expect(wireError(() => decodePrivateKeyPem(String(locked)))).toBe("badValue");
    expect(wireError(() => decodePrivateKeyPem("hello"))).toBe("badValue");
  });

  it("EC keys from drawn octets are keys of the curve", () => {
    for (const [curve, size] of [
      ["P-256", 32],
      ["P-384", 48],
      ["P-521", 66],
    ] as const) {
      const key = ecPrivateKey(curve, new Uint8Array(size).fill(0xff));
      const scheme: SignatureScheme = { kind: "ecdsa", hash: "sha256", encoding: "raw" };
      expect(native.verify(publicHalf(key), scheme, key.d, native.sign(key, scheme, key.d))).toBe(true);
    }
  });
});

describe("algorithm identifiers", () => {
  const ROWS: readonly (readonly [string, SignatureScheme])[] = [
    ["300d06092a864886f70d0101050500", { kind: "rsa-pkcs1", hash: "sha1" }],
    ["300d06092a864886f70d01010b0500", { kind: "rsa-pkcs1", hash: "sha256" }],
    ["300d06092a864886f70d01010c0500", { kind: "rsa-pkcs1", hash: "sha384" }],
    ["300d06092a864886f70d01010d0500", { kind: "rsa-pkcs1", hash: "sha512" }],
    ["300a06082a8648ce3d040302", { kind: "ecdsa", hash: "sha256", encoding: "der" }],
    ["300a06082a8648ce3d040303", { kind: "ecdsa", hash: "sha384", encoding: "der" }],
    ["300a06082a8648ce3d040304", { kind: "ecdsa", hash: "sha512", encoding: "der" }],
    ["300906072a8648ce3d0401", { kind: "ecdsa", hash: "sha1", encoding: "der" }],
    [
      "304606092a864886f70d01010a3039a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120a303020101",
      { kind: "rsa-pss", hash: "sha256", saltLength: 32 },
    ],
    ["300506032b6570", { kind: "ed25519" }],
  ];

  it.each(ROWS)("%s", (hex, scheme) => {
    expect(schemeOfAlgorithm(fromHex(hex))).toEqual(scheme);
    expect(toHex(algorithmOfScheme(scheme)!)).toBe(hex);
  });

  it("a salt is no part of the algorithm, its length is", () => {
    const scheme = { kind: "rsa-pss", hash: "sha256", saltLength: 32, salt: new Uint8Array(32) } as const;
    expect(toHex(algorithmOfScheme(scheme)!)).toBe(ROWS[8]![0]);
    expect(algorithmOfScheme({ ...scheme, saltLength: 31 })).toBeUndefined();
    expect(algorithmOfScheme({ kind: "rsa-pkcs1-raw" })).toBeUndefined();
    expect(algorithmOfScheme({ kind: "ecdsa", hash: "sha256", encoding: "raw" })).toBeUndefined();
    expect(schemeOfAlgorithm(fromHex("300506032b6571"))).toBeUndefined();
    expect(schemeOfAlgorithm(new Uint8Array(0))).toBeUndefined();
  });
});

interface SignedCapture {
  readonly credentials: Readonly<Record<string, { readonly privateKeyPem?: string }>>;
  readonly messages: readonly {
    readonly from: string;
    readonly authMethod?: number;
    readonly signedOctets?: string;
    readonly plaintext?: string;
    readonly firstInnerPayload?: number;
  }[];
}

/** Data of the AUTH payload (39), behind method and reserved octets. RFC 7296 section 3.8. */
function authData(plaintext: Bytes, first: number): Bytes | undefined {
  let type = first;
  for (let at = 0; at + 4 <= plaintext.length; ) {
    const length = (plaintext[at + 2]! << 8) | plaintext[at + 3]!;
    if (type === 39) return plaintext.subarray(at + 8, at + length);
    type = plaintext[at]!;
    at += length;
  }
  return undefined;
}

describeShared("vectors/ikev2", "AUTH payloads of strongSwan", () => {
  it.each([
    ["v2-rsa2048-auth1", { kind: "rsa-pkcs1", hash: "sha1" }],
    ["v2-ecdsa256-auth9", { kind: "ecdsa", hash: "sha256", encoding: "raw" }],
    ["v2-rsa2048-sig14", undefined],
    ["v2-ecdsa256-sig14", undefined],
  ] as const)("%s: read the key, verify the signature", (name, fixed) => {
    const capture = readSharedJson<SignedCapture>(`vectors/ikev2/${name}.json`);
    let verified = 0;
    for (const message of capture.messages) {
      if (message.signedOctets === undefined || message.plaintext === undefined) continue;
      const data = authData(fromHex(message.plaintext), message.firstInnerPayload!)!;
      const length = fixed === undefined ? data[0]! + 1 : 0;
      const scheme = fixed ?? schemeOfAlgorithm(data.subarray(1, length))!;
      const key = decodePrivateKeyPem(capture.credentials[message.from]!.privateKeyPem!);
      const signed = fromHex(message.signedOctets);
      const signature = data.subarray(length);
      for (const crypto of [native, noble]) {
        expect(crypto.verify(publicHalf(key), scheme, signed, signature)).toBe(true);
        if (scheme.kind === "rsa-pkcs1") expect(toHex(crypto.sign(key, scheme, signed))).toBe(toHex(signature));
      }
      verified++;
    }
    expect(verified).toBe(2);
  });
});
