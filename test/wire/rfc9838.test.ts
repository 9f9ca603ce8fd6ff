import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { Sa } from "../../src/wire/ikev2.ts";
import { Gsa, Kd, type SaPolicy } from "../../src/wire/rfc9838.ts";
import { leavesCover } from "./cover.ts";

const KEK =
  "06100073 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff 07110010035003500a0000010a000001 0711001003500350ef010101ef010101" +
  "0300000c01000014800e0100 0300001b0e0000020012000f300d06092a864886f70d01010b0500 000000080d000003" +
  "0001000400015180 0002000400000005";
const TEK =
  "03040044 a1b2c3d4 070000100000ffff0a0000000affffff 070000100000ffffef020202ef020202 0300000c01000014800e0100" +
  "0000000805000002 0001000400000e10";
const GW = "00000010 8001000f 8002001e 80030008";
const KEK_BAG = `06100070 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff 00010058 00000000 00000000 ${"8d".repeat(80)}`;
const TEK_BAG = `03040044 a1b2c3d4 00010038 00000000 00000000 ${"c1".repeat(48)}`;
const MEMBER_BAG = "0000000c 00030004 00000001";
const IKE_PROPOSAL = "0000002c 01010004 0300000c01000014800e0100 0300000802000005 0300000804000013 000000080d000003";

describe("the payloads of RFC 9838", () => {
  const gsa = fromHex(KEK + TEK + GW);

  it("read a rekey policy, a data policy and the group-wide policy", () => {
    const { policies } = Gsa.decode(gsa);
    expect(policies).toHaveLength(3);
    const kek = policies[0] as SaPolicy;
    expect(toHex(kek.spi)).toBe("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    expect(kek.transforms.map((t) => [t.type, t.id])).toEqual([
      [1, 20],
      [14, 2],
      [13, 3],
    ]);
    expect(kek.attributes).toEqual([
      { kind: "GSA_KEY_LIFETIME", value: 86400 },
      { kind: "GSA_INITIAL_MESSAGE_ID", value: 5 },
    ]);
    const tek = policies[1] as SaPolicy;
    expect(tek.source).toMatchObject({ startAddress: "10.0.0.0", endAddress: "10.255.255.255", endPort: 65535 });
    expect(policies[2]!.attributes).toEqual([
      { kind: "GWP_ATD", value: 15 },
      { kind: "GWP_DTD", value: 30 },
      { kind: "GWP_SENDER_ID_BITS", value: 8 },
    ]);
  });

  it.each([
    ["GSA", Gsa, KEK + TEK + GW],
    ["KD", Kd, KEK_BAG + TEK_BAG + MEMBER_BAG],
    ["SA with a key wrap algorithm", Sa, IKE_PROPOSAL],
  ])("encode %s to the octets it came from", (_name, codec, hex) => {
    const octets = fromHex(hex);
    const value = (codec as typeof Gsa).decode(octets);
    expect(toHex((codec as typeof Gsa).encode(value))).toBe(toHex(octets));
    leavesCover(codec.dissect(octets), octets);
  });

  it("cover every octet of truncated and flipped policies", () => {
    for (let cut = 0; cut < gsa.length; cut++) leavesCover(Gsa.dissect(gsa.subarray(0, cut)), gsa.subarray(0, cut));
    for (let at = 0; at < gsa.length; at++) {
      const broken = gsa.slice();
      broken[at]! ^= 0x55;
      leavesCover(Gsa.dissect(broken), broken);
    }
  });

  it("keep attributes that nobody knows", () => {
    const odd = fromHex("0000000c ffee0001 00630000".replaceAll(" ", ""));
    expect(Gsa.encode(Gsa.decode(odd))).toEqual(odd);
  });
});
