import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { prf } from "../../src/crypto/prf.ts";
import { encrSpec, integSpec, prfSpec } from "../../src/crypto/suite.ts";
import { deriveKeys } from "../../src/ikev2/keys.ts";
import { counterIv, openPart, readInner, sealChain, sealPayloads } from "../../src/ikev2/protect.ts";
import { decodeMessage } from "../../src/wire/ikeMessage.ts";
import { encodeChain, IKEV2, type Payload } from "../../src/wire/payloads.ts";

const GCM = encrSpec(20, 256)!;
const SPI_I = "1111111111111111";
const SPI_R = "2222222222222222";

function octets(text: string): string {
  return text.replace(/\s/g, "");
}

const DELETE: Payload = { kind: "D", body: { protocol: 3, spiSize: 4, spis: [fromHex("a1b2c3d4")] } };
const head = { spiInitiator: SPI_I, spiResponder: SPI_R, exchange: 37, flags: 8, messageId: 2 };

for (const crypto of [noble, native]) {
  const keys = deriveKeys(crypto, {
    suite: { encr: 20, encrKeyBits: 256, prf: 5, integ: 0, dh: 31, kwa: 0 },
    ni: new Uint8Array(32).fill(1),
    nr: new Uint8Array(32).fill(2),
    shared: new Uint8Array(32).fill(3),
    spiInitiator: SPI_I,
    spiResponder: SPI_R,
  });
  const gcm = { encr: GCM, integ: undefined };
  const initiator = { encr: keys.ei.secret, integ: keys.ai.secret };

  describe(`worked octets, ${crypto.backend}`, () => {
    it("the key chain of an IKE SA", () => {
      expect(toHex(keys.d.secret)).toBe("7a6984e4cd1757cc7b3bc0ad811d3ae2b33d0aec048f1c8cb3b97d95eb7cd2d5");
      expect(toHex(keys.ei.secret)).toBe("a5cf5a1068f970804d2c226ae9f4fdd3557280e3c5f241fcf2862e0b98104f13b5eff5ca");
      expect(toHex(keys.er.secret)).toBe("95b3ad3ee11a704a2bc05f3e848a67babe641b225c5a3ee4802876e8e42a855dfd7a52fd");
      expect(toHex(keys.pi.secret)).toBe("7f61b531df497b0a6f260206dcffc96a5f930ad213d322748b484c59ca568696");
      expect(toHex(keys.pr.secret)).toBe("ab67a23cad24b8937e40296333c919bb93509ed52dc31a088cf050349fec6be3");
    });

    it("the inner key of a pre-shared key proof", () => {
      const inner = prf(crypto, prfSpec(5)!, utf8("cisco123"), utf8("Key Pad for IKEv2"));
      expect(toHex(inner)).toBe("8eb0e36bea6d95d58a70b05ae5edd4fe5a7bd9000a8cfd156403f1678e6cb5cd");
    });

    it("an encrypted payload with CBC and HMAC", () => {
      const protection = { encr: encrSpec(12, 256)!, integ: integSpec(12) };
      const cbcKeys = { encr: new Uint8Array(32).fill(0x55), integ: new Uint8Array(32).fill(0x66) };
      const cbcHead = {
        ...head,
        spiInitiator: "3333333333333333",
        spiResponder: "4444444444444444",
        messageId: 3,
      };
      const iv = new Uint8Array(16).fill(0x77);
      const sealed = sealPayloads(crypto, protection, cbcKeys, cbcHead, [DELETE], IKEV2, iv);
      expect(toHex(sealed)).toBe(
        octets(`33333333333333334444444444444444 2e202508 00000003 00000050 2a000034
          77777777777777777777777777777777 5e3fdf56d6e93c47dcfb76910ca52e9e 78bbd1f6ffb5303ffdf3d1d305014db7`),
      );
    });

    it("empty and short encrypted payloads with an AEAD cipher", () => {
      expect(toHex(sealPayloads(crypto, gcm, initiator, head, [], IKEV2, counterIv(1)))).toBe(
        octets(`11111111111111112222222222222222 2e202508 00000002 00000039 0000001d
          0000000000000001 d5 ffbcba46f9799ee8b64f24eb6d8ee4ea`),
      );
      expect(toHex(sealPayloads(crypto, gcm, initiator, head, [DELETE], IKEV2, counterIv(2)))).toBe(
        octets(`11111111111111112222222222222222 2e202508 00000002 00000045 2a000029
          0000000000000002 54165e17f16140c43d7e9dabb6 21acac4d9a2ef1c1b838fef84340ac23`),
      );
    });

    it("fragments", () => {
      const chain = encodeChain([DELETE], IKEV2);
      const parts = [chain.octets.subarray(0, 8), chain.octets.subarray(8)].map((inner, i) =>
        sealChain(crypto, gcm, initiator, {
          head: { ...head, messageId: 4 },
          first: i === 0 ? chain.first : 0,
          inner,
          iv: counterIv(0x11 + i),
          fragment: { number: i + 1, total: 2 },
        }),
      );
      expect(parts.map(toHex)).toEqual([
        octets(`11111111111111112222222222222222 35202508 00000004 00000045 2a000029 00010002
          0000000000000011 71a4a9a6be69ed2f2c a5ff05d4fa86fd9337a12103dba79a12`),
        octets(`11111111111111112222222222222222 35202508 00000004 00000041 00000025 00020002
          0000000000000012 315fbf14a0 98fb095df71703159c2f0e433659217c`),
      ]);
      const opened = parts.map((part) => openPart(crypto, gcm, initiator, part, decodeMessage(part, IKEV2).sealed!)!);
      expect(toHex(opened[0]!) + toHex(opened[1]!)).toBe(toHex(chain.octets));
    });

    it("what was sealed opens to the same payloads, and not at all with one bit changed", () => {
      const sealed = sealPayloads(crypto, gcm, initiator, head, [DELETE], IKEV2, counterIv(2));
      const { sealed: part } = decodeMessage(sealed, IKEV2);
      const inner = openPart(crypto, gcm, initiator, sealed, part!)!;
      expect(readInner(inner, part!.firstInner, IKEV2)).toEqual([DELETE]);
      sealed[10]! ^= 1;
      expect(openPart(crypto, gcm, initiator, sealed, part!)).toBeUndefined();
    });
  });
}
