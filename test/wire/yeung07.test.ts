import { describe, expect, it } from "vitest";
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/ikeMessage.ts";
import { keyOf } from "../../src/wire/keyPackets.ts";
import { payloadOf, RFC9838, YEUNG07 } from "../../src/wire/payloads.ts";
import { numberValue } from "../../src/wire/tagged.ts";
import { Gsa, isGapPolicy, isKekPolicy, isTekPolicy, Kd } from "../../src/wire/yeung07.ts";
import { leavesCover } from "./cover.ts";

const from80 = (count: number): string => toHex(Uint8Array.from({ length: count }, (_, i) => 0x80 + i));
const SPI = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

/** AES-CBC 256 with HMAC-SHA2-256-128, authentication method 1 over SHA2-256, first message 1. */
const KEK = `01000058 ${SPI} 07110010035003500a0000010a000001 0711001003500350ef010101ef010101
  8002000c 80030100 0004000400015180 8005000c 80060001 80070002 0008000400000001`;
const TEK = `0300003d 01 a1b2c3d4 070000100000ffff0a0000000affffff 070000100000ffffef020202ef020202
  0000000c01000014800e0100 0001000400000e10`;
const GAP = "0200000c 8001000f 8002001e";
const TEK_KEYS = `01000031 04 a1b2c3d4 00010024 ${from80(36)}`;
const SID = "04000013 00 000100020008 0002000400000001";

describe("GSA of draft-yeung", () => {
  const octets = fromHex(KEK + GAP + TEK);

  it("holds the worked octets of KEK, delays and TEK", () => {
    const { policies } = Gsa.decode(octets);
    expect(policies.map(({ type }) => type)).toEqual([1, 2, 3]);
    const [kek, gap, tek] = [policies.find(isKekPolicy)!, policies.find(isGapPolicy)!, policies.find(isTekPolicy)!];
    expect(toHex(kek.spi)).toBe(SPI);
    expect(kek.source).toMatchObject({ startAddress: "10.0.0.1", startPort: 848, ipProtocol: 17 });
    expect(kek.attributes.map(({ kind, value }) => [kind, numberValue(value as number | Bytes)])).toEqual([
      ["KEK_ENCR_ALGORITHM", 12],
      ["KEK_KEY_LENGTH", 256],
      ["KEK_KEY_LIFETIME", 86400],
      ["KEK_INTEGRITY_ALGORITHM", 12],
      ["KEK_AUTH_METHOD", 1],
      ["KEK_AUTH_ALGORITHM", 2],
      ["KEK_MESSAGE_ID", 1],
    ]);
    expect(gap.attributes).toEqual([
      { kind: "ACTIVATION_TIME_DELAY", value: 15 },
      { kind: "DEACTIVATION_TIME_DELAY", value: 30 },
    ]);
    expect([tek.protocol, toHex(tek.spi), tek.transforms.map(({ id }) => id)]).toEqual([1, "a1b2c3d4", [20]]);
    expect(tek.attributes).toEqual([{ kind: "LIFE_DURATION", value: 3600 }]);
    expect(toHex(Gsa.encode({ policies }))).toBe(toHex(octets));
    leavesCover(Gsa.dissect(octets), octets);
  });
  it("takes KEK_MESSAGE_ID in the short form of the draft's table too", () => {
    const short = fromHex(KEK.replace("01000058", "01000054").replace("0008000400000001", "80080007"));
    const [kek] = Gsa.decode(short).policies.filter(isKekPolicy);
    expect(kek!.attributes.find(({ kind }) => kind === "KEK_MESSAGE_ID")!.value).toBe(7);
    expect(Gsa.encode(Gsa.decode(short))).toEqual(short);
  });
  it("chains the two transforms that CBC with a hash needs", () => {
    const two = fromHex(
      TEK.replace("0300003d", "03000045").replace(
        "0000000c01000014800e0100",
        "0300000c0100000c800e0100 000000080300000c",
      ),
    );
    expect(
      Gsa.decode(two)
        .policies.filter(isTekPolicy)[0]!
        .transforms.map(({ id }) => id),
    ).toEqual([12, 12]);
    expect(Gsa.encode(Gsa.decode(two))).toEqual(two);
  });
  it("keeps a policy of a type that it does not know, and refuses lengths that do not fit", () => {
    const other = fromHex("f1000006 abcd");
    expect(Gsa.encode(Gsa.decode(other))).toEqual(other);
    expect(() => Gsa.decode(fromHex(GAP.replace("0200000c", "0200000d")))).toThrow(WireError);
    expect(() => Gsa.decode(fromHex("02000003"))).toThrow(WireError);
  });
});

describe("KD of draft-yeung", () => {
  it("holds the worked octets of a TEK packet and of a sender id", () => {
    const octets = fromHex(`00020000 ${TEK_KEYS} ${SID}`);
    const kd = Kd.decode(octets);
    expect(toHex(keyOf(kd.packets[0]!, "TEK_ALGORITHM_KEY"))).toBe(from80(36));
    expect(kd.packets[1]!.attributes.map(({ kind, value }) => [kind, numberValue(value as Bytes)])).toEqual([
      ["NUMBER_OF_SID_BITS", 8],
      ["SID_VALUE", 1],
    ]);
    expect(toHex(Kd.encode(kd))).toBe(toHex(octets));
    leavesCover(Kd.dissect(octets), octets);
  });
});

describe("messages in the registry of draft-yeung", () => {
  const head = { spiInitiator: SPI.slice(0, 16), spiResponder: SPI.slice(16), exchange: 39, flags: 32, messageId: 1 };

  it("carry GSA and KD under the numbers of RFC 9838", () => {
    const gsa = Gsa.decode(fromHex(KEK + TEK));
    const kd = Kd.decode(fromHex(`00010000 ${TEK_KEYS}`));
    const octets = encodeMessage(
      head,
      [
        { kind: "GSA07", body: gsa },
        { kind: "KD07", body: kd },
      ],
      YEUNG07,
    );
    expect([octets[16], octets[28]]).toEqual([51, 52]);
    const { payloads } = decodeMessage(octets, YEUNG07);
    expect(payloadOf(payloads, "GSA07")).toEqual(gsa);
    expect(payloadOf(payloads, "KD07")).toEqual(kd);
    expect(() => decodeMessage(octets, RFC9838)).toThrow(WireError);
  });
});
