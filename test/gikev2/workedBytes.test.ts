/** Worked examples: published key wrap vectors, and encodings that were computed apart from this code. */
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import { algorithmOfScheme } from "../../src/crypto/algorithmId.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { ed25519PrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { encodeSpki } from "../../src/crypto/spki.ts";
import type { RekeySa } from "../../src/gikev2/dialect.ts";
import { splitKekKeys } from "../../src/gikev2/keyMaterial.ts";
import type { GroupPolicy, GroupUpdate } from "../../src/gikev2/policy.ts";
import { NO_KEYS, NO_POLICY } from "../../src/gikev2/policy.ts";
import { gsaOfPolicy, policyOfGsa } from "../../src/gikev2/rfc9838/gsa.ts";
import { blankKd, filledKd, kdOfKeys, keysOfKd } from "../../src/gikev2/rfc9838/kd.ts";
import { unicastKwk, unwrapSaKey, wrapSaKey } from "../../src/gikev2/rfc9838/keyWrap.ts";
import { rfc9838 } from "../../src/gikev2/rfc9838/rfc9838.ts";
import { Encr, Kwa, Prf } from "../../src/wire/ikev2Numbers.ts";
import { Gsa, Kd } from "../../src/wire/rfc9838.ts";

const run = (first: number, count: number) => Uint8Array.from({ length: count }, (_, i) => first + i);

const REKEY_SPI = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const SUITE = { encr: Encr.AES_GCM_16, encrKeyBits: 256, integ: 0 };
const KEK_SUITE = { ...SUITE, kwa: Kwa.KW_5649_256 };
const SHA256_WITH_RSA = algorithmOfScheme({ kind: "rsa-pkcs1", hash: "sha256" })!;

const POLICY: GroupPolicy = {
  kek: {
    spi: REKEY_SPI,
    suite: KEK_SUITE,
    source: { first: "10.0.0.1", last: "10.0.0.1", port: 848 },
    destination: { first: "239.1.1.1", last: "239.1.1.1", port: 848 },
    lifetimeSeconds: 86400,
    authentication: { kind: "signature", algorithm: SHA256_WITH_RSA },
    nextMessageId: 5,
    nextSpis: [],
  },
  dataSas: [
    {
      spi: 0xa1b2c3d4,
      suite: SUITE,
      selector: {
        sourceFirst: 0x0a000000,
        sourceLast: 0x0affffff,
        destinationFirst: 0xef020202,
        destinationLast: 0xef020202,
        protocol: 0,
        sourcePortFirst: 0,
        sourcePortLast: 65535,
        destinationPortFirst: 0,
        destinationPortLast: 65535,
      },
      lifetimeSeconds: 3600,
      sequenceNumbers: 2,
      nextSpis: [],
    },
  ],
  bypass: [],
  mode: "tunnel",
  atdSeconds: 15,
  dtdSeconds: 30,
  senderIdBits: 8,
};

const GSA =
  "06100073f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff07110010035003500a0000010a0000010711001003500350ef010101ef010101" +
  "0300000c01000014800e01000300001b0e0000020012000f300d06092a864886f70d01010b0500000000080d000003" +
  "00010004000151800002000400000005" +
  "03040044a1b2c3d4070000100000ffff0a0000000affffff070000100000ffffef020202ef0202020300000c01000014800e0100" +
  "00000008050000020001000400000e10" +
  "000000108001000f8002001e80030008";

const TEK_WRAPPED = "c1fc92a517ced9a40731c4043c9df0fb7d1875c39234819689130d13227982af753114f414f8d61c02fca30c0b4e390f";
const KEK_WRAPPED =
  "8dfc9025b97a4f9aedf0412eab8e5f634148a647e23af1c4b25319c260b7dc25bb02b5455413a0a6a4f69d057de4f6addd45cbe18e5ee1738d0" +
  "d63744ad796f748a330d5c6d37685654be9a3227f9c26";
const KD =
  `06100070${REKEY_SPI}000100580000000000000000${KEK_WRAPPED}` +
  `03040044a1b2c3d4000100380000000000000000${TEK_WRAPPED}` +
  "0000000c0003000400000001";

describe.each([noble, native])("the worked examples with $backend", (crypto) => {
  const kwk = unicastKwk(crypto, Prf.HMAC_SHA2_256, secret(run(0, 32)), Kwa.KW_5649_256)!;

  it("derives GSK_w from SK_d, cut to the key wrap algorithm", () => {
    expect(toHex(kwk.secret)).toBe("b169180742eb22165048cce7281f2e65465010931c41a1b39a8492aff33a06d4");
    const short = unicastKwk(crypto, Prf.HMAC_SHA2_256, secret(run(0, 32)), Kwa.KW_5649_128)!;
    expect(toHex(short.secret)).toBe("b169180742eb22165048cce7281f2e65");
    expect(unicastKwk(crypto, Prf.HMAC_SHA2_256, secret(run(0, 32)), 0)).toBeUndefined();
  });

  it("wraps as RFC 5649 section 6 does", () => {
    const kek = fromHex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
    const wrap = (hex: string) => toHex(crypto.wrapKey(kek, fromHex(hex)));
    expect(wrap("c37b7e6492584340bed12207808941155068f738")).toBe(
      "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
    );
    expect(wrap("466f7250617369")).toBe("afbeb0f07dfbf5419200f2ccb50bb24f");
  });

  it("wraps the key material of an SA and unwraps it only at its right length", () => {
    const wrapped = wrapSaKey(crypto, kwk, run(0x80, 36));
    expect(toHex(wrapped.wrapped)).toBe(TEK_WRAPPED);
    expect(unwrapSaKey(crypto, kwk, wrapped, 36)?.secret).toEqual(run(0x80, 36));
    expect(unwrapSaKey(crypto, kwk, wrapped, 20)).toBeUndefined();
    expect(unwrapSaKey(crypto, kwk, { ...wrapped, kwkId: 1 }, 36)).toBeUndefined();
  });

  it("writes and reads the policy octet for octet", () => {
    expect(toHex(Gsa.encode(gsaOfPolicy(POLICY, "registration")))).toBe(GSA);
    expect(policyOfGsa(Gsa.decode(fromHex(GSA)), "registration", true, POLICY.mode)).toEqual(POLICY);
  });

  it("fills in the key bags of one member as if they had been written for it alone", () => {
    const keys = { kek: splitKekKeys(KEK_SUITE, run(0x40, 68)), teks: new Map([[0xa1b2c3d4, secret(run(0x80, 36))]]) };
    const blank = blankKd(POLICY, keys);
    for (const key of [kwk, secret(run(7, 32))]) {
      const alone = Kd.encode(kdOfKeys(crypto, key, POLICY, keys, { senderIds: [] }));
      expect(toHex(filledKd(crypto, key, blank))).toBe(toHex(alone));
    }
  });

  it("writes and reads the key bags octet for octet", () => {
    const keys = { kek: splitKekKeys(KEK_SUITE, run(0x40, 68)), teks: new Map([[0xa1b2c3d4, secret(run(0x80, 36))]]) };
    expect(toHex(Kd.encode(kdOfKeys(crypto, kwk, POLICY, keys, { senderIds: [1] })))).toBe(KD);
    const how = { carrier: "registration", signed: false, sender: true, path: [] } as const;
    const read = keysOfKd(crypto, kwk, Kd.decode(fromHex(KD)), POLICY, how);
    if ("excluded" in read) throw new Error("excluded");
    expect(read.keys).toEqual(keys);
    expect(read.member.senderIds).toEqual([1]);
  });

  it("signs and seals a GSA_REKEY octet for octet, and opens it", () => {
    const signer = ed25519PrivateKey(run(0, 32));
    expect(toHex(encodeSpki(publicHalf(signer)))).toBe(
      "302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    );
    const sa: RekeySa = {
      spi: REKEY_SPI,
      suite: KEK_SUITE,
      keys: splitKekKeys(KEK_SUITE, run(0x40, 68)),
      authentication: { kind: "signature", algorithm: algorithmOfScheme({ kind: "ed25519" })! },
      publicKey: publicHalf(signer),
    };
    const update: GroupUpdate = {
      policy: NO_POLICY,
      keys: NO_KEYS,
      deletions: [{ kind: "dataSas", spis: [0xa1b2c3d4] }],
    };
    const sealing = { messageId: 1, nextIv: () => fromHex("0000000000000007") };
    const [message, ...more] = rfc9838.sealRekey(crypto, sa, signer, update, sealing);
    expect(more).toEqual([]);
    expect(toHex(message!)).toBe(
      `${REKEY_SPI}2e20290800000001000000952a0000790000000000000007` +
        "257a242ce2a0122dbb0c802d493e7cbcc6349f46a7051d076ce58be0a71b6d300bf2c51183ed7d216b229ac1d25ab5d9" +
        "db800718b3a9cd0801bbfb501e83db80334acea5cdc1506be8ed45a1315557539155cd3931bb73e6f533955d9e87c425" +
        "26081c0b610362e08414d65232",
    );
    const opened = rfc9838.openRekey(crypto, sa, message!, undefined, 0);
    expect(opened).toMatchObject({ kind: "whole", messageId: 1 });
    if (opened.kind !== "whole") return;
    expect(rfc9838.readRekey(crypto, sa, opened.payloads, [])).toEqual({ ok: true, value: update });
  });
});
