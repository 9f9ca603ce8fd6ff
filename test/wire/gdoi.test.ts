import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { Gap, GroupSa, isTekPolicy, KeyDownload, SaTek } from "../../src/wire/gdoi.ts";
import { decodeIsakmp, dissectIsakmp, encodeIsakmp } from "../../src/wire/isakmpMessage.ts";
import { GDOI } from "../../src/wire/isakmpPayloads.ts";
import { keyOf, type LkhKey } from "../../src/wire/keyPackets.ts";
import { standalone } from "../../src/wire/kit.ts";
import { leavesCover } from "./cover.ts";

/** The group SA that the reference implementation sends in its second PULL message, without payload header. */
const GROUP_SA = fromHex(`
  00000002 00000000 000f 0000
  16000045 11 01 2120 04 0a4d0001 01 0350 04 ef4d0a01 ed4adc1297676452 979d23f51ddccf6a 00000000
    80020003 80030080 0004000400000018 80050003 80060001 80070800
  1000000c 80010003 80020006
  00000033 01 00 04 0000 08 0a640000ffff0000 01 0000 04 efc0070a 0c 521a4183
    80040001 80050005 80010001 80021c20 80060080`);

describe("the group's SA payload", () => {
  it("holds the policy of the KEK, of the group and of each TEK, in this order", () => {
    const { doi, situation, policies } = GroupSa.decode(GROUP_SA);
    expect([doi, situation]).toEqual([2, 0]);
    expect(policies.map(({ kind }) => kind)).toEqual(["SAK", "GAP", "SAT"]);
    expect(policies[0]!.body).toMatchObject({
      protocol: 17,
      source: { type: 1, port: 8480, data: fromHex("0a4d0001") },
      destination: { type: 1, port: 848, data: fromHex("ef4d0a01") },
      spi: fromHex("ed4adc1297676452979d23f51ddccf6a"),
      attributes: [
        { kind: "KEK_ALGORITHM", value: 3 },
        { kind: "KEK_KEY_LENGTH", value: 128 },
        { kind: "KEK_KEY_LIFETIME", value: fromHex("00000018") },
        { kind: "SIG_HASH_ALGORITHM", value: 3 },
        { kind: "SIG_ALGORITHM", value: 1 },
        { kind: "SIG_KEY_LENGTH", value: 2048 },
      ],
    });
    expect(policies[2]!.body).toMatchObject({ protocol: 1, ipProtocol: 0, transform: 12, spi: 0x521a4183 });
    expect(toHex(GroupSa.encode({ doi, situation, policies }))).toBe(toHex(GROUP_SA));
    leavesCover(GroupSa.dissect(GROUP_SA), GROUP_SA);
  });
  it("takes the KEK's lifetime in the short form too, as the unpatched daemon sends it", () => {
    const short = fromHex(toHex(GROUP_SA).replace("0004000400000018", "80040018").replace("16000045", "16000041"));
    expect(GroupSa.decode(short).policies[0]!.body).toMatchObject({
      attributes: expect.arrayContaining([{ kind: "KEK_KEY_LIFETIME", value: 24 }]),
    });
    expect(GroupSa.encode(GroupSa.decode(short))).toEqual(short);
  });
  it("keeps a policy of a protocol that it does not know, and a policy of another type", () => {
    const iec = fromHex("03 0011223344");
    const tek = standalone("SA TEK", SaTek);
    expect(isTekPolicy(tek.decode(iec))).toBe(false);
    expect(tek.encode(tek.decode(iec))).toEqual(iec);
    const other = fromHex("00000002 00000000 0080 0000 00000006 abcd");
    expect(GroupSa.decode(other).policies).toEqual([{ kind: "unknown", type: 128, body: fromHex("abcd") }]);
    expect(GroupSa.encode(GroupSa.decode(other))).toEqual(other);
  });
  it("asks for sender ids", () => {
    expect(Gap.decode(fromHex("80030003")).attributes).toEqual([{ kind: "SENDER_ID_REQUEST", value: 3 }]);
  });
});

describe("the key download", () => {
  it("holds keys by type, each packet with its SPI", () => {
    const octets = fromHex(`0003 0000
      01 00 0021 04 0ea83d22 00010014 ${"a1".repeat(20)}
      02 00 0039 10 ${"5c".repeat(16)} 00010020 ${"b2".repeat(32)}
      04 00 0011 00 80010010 0002000400000002`);
    const kd = KeyDownload.decode(octets);
    expect(kd.packets.map(({ type, spi }) => [type, spi.length])).toEqual([
      [1, 4],
      [2, 16],
      [4, 0],
    ]);
    expect(keyOf(kd.packets[0]!, "TEK_ALGORITHM_KEY")).toHaveLength(20);
    expect(keyOf(kd.packets[0]!, "TEK_INTEGRITY_KEY")).toHaveLength(0);
    expect(keyOf(kd.packets[1]!, "KEK_ALGORITHM_KEY")).toHaveLength(32);
    expect(kd.packets[2]!.attributes).toEqual([
      { kind: "NUMBER_OF_SID_BITS", value: 16 },
      { kind: "SID_VALUE", value: fromHex("00000002") },
    ]);
    expect(toHex(KeyDownload.encode(kd))).toBe(toHex(octets));
    leavesCover(KeyDownload.dissect(octets), octets);
  });
  it("is refused where the number of packets is not what it says", () => {
    const one = `01 00 0021 04 0ea83d22 00010014 ${"a1".repeat(20)}`;
    expect(() => KeyDownload.decode(fromHex(`0002 0000 ${one}`))).toThrow(WireError);
    expect(() => KeyDownload.decode(fromHex(`0000 0000 ${one}`))).toThrow(WireError);
  });
  it("holds arrays of a key tree, whose keys are of one size", () => {
    const key = (lkhId: number): LkhKey => ({
      lkhId,
      keyType: 3,
      created: 0,
      expires: 1_800_000_000,
      handle: 7,
      data: new Uint8Array(32).fill(lkhId),
    });
    const kd: KeyDownload = {
      packets: [
        {
          type: 3,
          spi: new Uint8Array(16),
          attributes: [
            { kind: "LKH_DOWNLOAD_ARRAY", value: { version: 1, keys: [key(4), key(2), key(1)] } },
            { kind: "LKH_UPDATE_ARRAY", value: { version: 1, lkhId: 5, handle: 9, keys: [key(2)] } },
          ],
        },
      ],
    };
    const octets = KeyDownload.encode(kd);
    expect(KeyDownload.decode(octets)).toEqual(kd);
    leavesCover(KeyDownload.dissect(octets), octets);
    const uneven = Uint8Array.from(octets);
    // Five keys in the octets of three: no size fits.
    uneven[4 + 5 + 16 + 4 + 2] = 5;
    expect(() => KeyDownload.decode(uneven)).toThrow("5 of LKH key");
  });
});

describe("the acknowledgement of a PUSH", () => {
  it("has 84 octets: hash, sequence number and address in clear", () => {
    const head = {
      cookieInitiator: "1011121314151617",
      cookieResponder: "18191a1b1c1d1e1f",
      exchange: 35,
      flags: 0,
      messageId: 0,
    };
    const hash = fromHex("fdf7f9456b710e6626c9d0ff9d9931fc864696354f1aaa73df0bf88b2b5528a0");
    const octets = encodeIsakmp(
      head,
      [
        { kind: "HASH", body: { data: hash } },
        { kind: "SEQ", body: { number: 7 } },
        { kind: "ID", body: { type: 1, protocol: 0, port: 0, data: fromHex("0a000002") } },
      ],
      GDOI,
    );
    expect(octets).toHaveLength(84);
    expect(toHex(octets.subarray(64))).toBe("05000008000000070000000c010000000a000002");
    expect(encodeIsakmp(head, decodeIsakmp(octets, GDOI).payloads, GDOI)).toEqual(octets);
    expect(dissectIsakmp(octets, GDOI).text).toBe("GROUPKEY_PUSH_ACK");
  });
});
