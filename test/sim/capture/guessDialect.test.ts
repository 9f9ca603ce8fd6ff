import { describe, expect, it } from "vitest";
import { decodeCapture } from "../../../sim/capture/decode.ts";
import { guessDialect } from "../../../sim/capture/guessDialect.ts";
import { keyRing } from "../../../sim/capture/keyRing.ts";
import { type Bytes, concat, fromHex, u16 } from "../../../src/base/bytes.ts";
import { secret } from "../../../src/base/secret.ts";
import type { IkeKeyEntry } from "../../../src/crypto/keyEntry.ts";
import { native } from "../../../src/crypto/native.ts";
import { protect } from "../../../src/crypto/protector.ts";
import { encrSpec } from "../../../src/crypto/suite.ts";
import { sealedPrefix } from "../../../src/wire/ikeMessage.ts";
import { RFC9838, YEUNG07 } from "../../../src/wire/payloads.ts";
import { leavesCover } from "../../wire/cover.ts";
import { pcapOf, udpPacket } from "./pcapFile.ts";

function payload(next: number, body: string): Bytes {
  const octets = fromHex(body);
  return concat(Uint8Array.of(next, 0), u16(4 + octets.length), octets);
}

const TS = "070000100000ffff0a0000000affffff";
const Y_TEK = `0300003d 01 a1b2c3d4 ${TS} ${TS} 0000000c01000014800e0100 0001000400000e10`;
const Y_GAP = "0200000c 8001000f 8002001e";
const Y_KD = `00010000 01000011 04 a1b2c3d4 00010004 ${"11".repeat(4)}`;
const R_GW = "00000010 8001000f 8002001e 80030008";
const R_TEK = `0304003c a1b2c3d4 ${TS} ${TS} 0300000c01000014800e0100 0000000805000002`;

const MEMBER_BAG = "0000000c 00030004 00000001";

describe("the dialect of a decrypted message", () => {
  it.each([
    ["KEK first", 51, "01000004", YEUNG07],
    ["TEK first", 51, Y_TEK, YEUNG07],
    ["delays first", 51, Y_GAP, YEUNG07],
    ["keys only", 52, Y_KD, YEUNG07],
    ["rekey SA first", 51, "06100073", RFC9838],
    ["data SA first", 51, R_TEK, RFC9838],
    ["AH first", 51, "02040044", RFC9838],
    ["group-wide policy first", 51, R_GW, RFC9838],
    ["member key bag only", 52, MEMBER_BAG, RFC9838],
    ["rekey key bag only", 52, "06100070", RFC9838],
    ["neither", 39, "02000000 00", RFC9838],
  ])("is told by the first octets: %s", (_name, number, body, expected) => {
    expect(guessDialect(payload(0, body), number)).toBe(expected);
    const behind = concat(payload(number, "01000000 aabb"), payload(0, body));
    expect(guessDialect(behind, 35)).toBe(expected);
  });
  it("is that of the RFC where the octets end early or lengths are wrong", () => {
    expect(guessDialect(new Uint8Array(0), 51)).toBe(RFC9838);
    expect(guessDialect(fromHex("33000000"), 39)).toBe(RFC9838);
    expect(guessDialect(fromHex("3300ffff 00000000"), 39)).toBe(RFC9838);
  });
});

describe("keys that open a registration", () => {
  const encr = encrSpec(20, 128)!;
  const key = { encr: fromHex("01".repeat(20)), integ: new Uint8Array(0) };
  const head = {
    spiInitiator: "0102030405060708",
    spiResponder: "1112131415161718",
    exchange: 39,
    flags: 32,
    messageId: 1,
  };
  /** A GSA_AUTH answer with these payloads, as the responder seals it. */
  const packetOf = (inner: Bytes): Bytes => {
    const plain = concat(inner, Uint8Array.of(0));
    const prefix = sealedPrefix(head, 51, encr.iv + plain.length + encr.icv);
    const protection = { encr, integ: undefined };
    return udpPacket(848, concat(prefix, protect(native, protection, key, { prefix, iv: new Uint8Array(8), plain })));
  };
  const entry: IkeKeyEntry = {
    kind: "ike",
    spiInitiator: head.spiInitiator,
    spiResponder: head.spiResponder,
    encr: 20,
    encrKeyBits: 128,
    integ: 0,
    encrInitiator: secret(key.encr),
    encrResponder: secret(key.encr),
    integInitiator: secret(key.integ),
    integResponder: secret(key.integ),
  };
  const decode = (inner: Bytes, dialect?: IkeKeyEntry["dialect"]) => {
    const packet = packetOf(inner);
    const ring = keyRing(native, [{ ...entry, ...(dialect === undefined ? {} : { dialect }) }]);
    const [decoded] = decodeCapture(pcapOf(101, [packet]), ring).packets;
    leavesCover({ label: "", offset: 0, length: packet.length, text: "", children: decoded!.layers }, packet);
    return decoded!;
  };
  const yeung = concat(payload(52, Y_TEK), payload(0, Y_KD));
  const rfc = concat(payload(52, R_TEK), payload(0, MEMBER_BAG));

  it("show both dialects where they do not name one", () => {
    expect(decode(yeung).what).toBe("IKEv2 GSA_AUTH response, message 1: SK { GSA KD }");
    expect(JSON.stringify(decode(yeung).layers)).toContain("LIFE_DURATION");
    expect(decode(rfc).what).toBe("IKEv2 GSA_AUTH response, message 1: SK { GSA KD }");
    expect(JSON.stringify(decode(rfc).layers)).toContain("GM_SENDER_ID");
  });
  it("are believed where they name one", () => {
    expect(decode(yeung, "yeung-07").what).not.toContain("[");
    expect(decode(yeung, "rfc9838").what).toContain("[");
    expect(decode(rfc, "yeung-07").what).toContain("[");
  });
});
