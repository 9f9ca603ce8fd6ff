import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Bytes, fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { Delete, Id, identityText, Notify, Sa } from "../../src/wire/isakmp.ts";
import {
  decodeIsakmp,
  decodeIsakmpHeader,
  dissectIsakmp,
  encodeIsakmp,
  encodeSealedIsakmp,
  readIsakmpChain,
} from "../../src/wire/isakmpMessage.ts";
import { GDOI, ISAKMP, type IsakmpPayload } from "../../src/wire/isakmpPayloads.ts";
import { numberValue } from "../../src/wire/tagged.ts";
import { describeShared, readSharedJson, sharedPath } from "../shared.ts";
import { leavesCover } from "./cover.ts";

const HEAD = {
  cookieInitiator: "0011223344556677",
  cookieResponder: "8899aabbccddeeff",
  exchange: 5,
  flags: 0,
  messageId: 0x01020304,
};

function code(read: () => unknown): string {
  try {
    read();
    return "none";
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return (error as WireError).code;
  }
}

describe("ISAKMP messages", () => {
  const payloads: readonly IsakmpPayload[] = [
    { kind: "HASH", body: { data: new Uint8Array(20).fill(1) } },
    { kind: "N", body: { doi: 1, protocol: 1, type: 36136, spi: new Uint8Array(16), data: fromHex("00000007") } },
    { kind: "unknown", type: 99, body: utf8("who knows") },
  ];

  it("come back from their octets, payloads of unknown numbers included", () => {
    const octets = encodeIsakmp(HEAD, payloads, ISAKMP);
    expect(decodeIsakmp(octets, ISAKMP)).toEqual({ ...HEAD, payloads });
    leavesCover(dissectIsakmp(octets, ISAKMP), octets);
  });
  it("tell their SA by the header alone", () => {
    const octets = encodeIsakmp(HEAD, payloads, ISAKMP);
    const { nextPayload, version, length, ...head } = decodeIsakmpHeader(octets.subarray(0, 28));
    expect(head).toEqual(HEAD);
    expect([nextPayload, version, length]).toEqual([8, 0x10, octets.length]);
    expect(code(() => decodeIsakmpHeader(octets.subarray(0, 27)))).toBe("truncated");
  });
  it("keep the ciphertext as it is where the encryption bit is set", () => {
    const sealed = { first: 8, ciphertext: new Uint8Array(48).fill(9) };
    const octets = encodeSealedIsakmp({ ...HEAD, flags: 1 }, sealed);
    expect(decodeIsakmp(octets, ISAKMP)).toEqual({ ...HEAD, flags: 1, payloads: [], sealed });
    expect(dissectIsakmp(octets, ISAKMP).children.map(({ label }) => label)).toEqual([
      "ISAKMP header",
      "Encrypted payloads",
    ]);
  });
  it("are refused where the header tells another length, another version, or octets are left over", () => {
    const octets = encodeIsakmp(HEAD, payloads, ISAKMP);
    expect(code(() => decodeIsakmp(octets.subarray(0, -1), ISAKMP))).toBe("badLength");
    expect(code(() => decodeIsakmp(Uint8Array.from(octets).fill(0x20, 17, 18), ISAKMP))).toBe("badValue");
    const long = new Uint8Array(octets.length + 4);
    long.set(octets);
    long[27]! += 4;
    expect(code(() => decodeIsakmp(long, ISAKMP))).toBe("trailing");
  });
  it("are refused where a reserved octet is set or a payload points at itself", () => {
    const octets = encodeIsakmp(HEAD, payloads, ISAKMP);
    expect(code(() => decodeIsakmp(Uint8Array.from(octets).fill(1, 29, 30), ISAKMP))).toBe("badValue");
    expect(code(() => decodeIsakmp(Uint8Array.from(octets).fill(0, 30, 32), ISAKMP))).toBe("badLength");
    const loop = new Uint8Array(28 + 4 * 65);
    loop.set(octets.subarray(0, 28));
    for (let at = 28; at < loop.length; at += 4) loop.set([8, 0, 0, 4], at);
    loop.set([loop.length >>> 8, loop.length & 255], 26);
    expect(code(() => decodeIsakmp(loop, ISAKMP))).toBe("tooMany");
  });
  it("have payloads in front of zeros when decrypted, whatever their number", () => {
    const plain = fromHex(`0000000c${"aa".repeat(8)}${"00".repeat(4)}`);
    expect(readIsakmpChain(plain, 8, ISAKMP)).toEqual({
      payloads: [{ kind: "HASH", body: { data: fromHex("aa".repeat(8)) } }],
      used: 12,
    });
    const field = dissectIsakmp(
      encodeSealedIsakmp({ ...HEAD, flags: 1 }, { first: 8, ciphertext: plain }),
      ISAKMP,
      () => ({
        plain,
        known: ISAKMP,
      }),
    );
    expect(field.children[1]!.children.map(({ label }) => label)).toEqual(["HASH payload", "Padding"]);
  });
});

describe("payload bodies of IKEv1", () => {
  it("hold the offer of the reference implementation", () => {
    const offer = fromHex(
      "0000000200000000 0000002c01010001 00000024 00010000 80010007 80020002 80030001 80040002 800b0001 800c0e10 800e0080",
    );
    const sa = Sa.decode(offer);
    expect(sa.doi).toBe(2);
    expect(sa.proposals[0]!.transforms[0]!.attributes).toEqual([
      { kind: "ENCRYPTION", value: 7 },
      { kind: "HASH", value: 2 },
      { kind: "AUTHENTICATION", value: 1 },
      { kind: "GROUP", value: 2 },
      { kind: "LIFE_TYPE", value: 1 },
      { kind: "LIFE_DURATION", value: 3600 },
      { kind: "KEY_LENGTH", value: 128 },
    ]);
    expect(toHex(Sa.encode(sa))).toBe(toHex(offer));
    expect(JSON.stringify(Sa.dissect(offer))).toContain("AES_CBC (7)");
  });
  it("take a lifetime in two octets or in four, and a cipher in the short form only", () => {
    const offer = fromHex(
      "0000000100000001 0000002001010001 00000018 01010000 800b0001 000c000400015180 00010001 07".replace(/ /g, ""),
    );
    // The long form of a basic attribute is kept as octets of an unknown one.
    const list = Sa.decode(fixLengths(offer)).proposals[0]!.transforms[0]!.attributes;
    expect(list.map(({ kind }) => kind)).toEqual(["LIFE_TYPE", "LIFE_DURATION", "unknown"]);
    expect(numberValue(list[1]!.value as Bytes)).toBe(86400);
    expect(toHex(Sa.encode(Sa.decode(fixLengths(offer))))).toBe(toHex(fixLengths(offer)));
  });
  it("show identities as a person writes them", () => {
    expect(identityText(1, fromHex("0a4d0002"))).toBe("10.77.0.2");
    expect(identityText(4, fromHex("0a640000ffff0000"))).toBe("10.100.0.0 mask 255.255.0.0");
    expect(identityText(7, fromHex("0a6400000a6400ff"))).toBe("10.100.0.0-10.100.0.255");
    expect(identityText(11, fromHex("000004d2"))).toBe("KEY_ID 1234");
    expect(identityText(11, utf8("grp"))).toBe("KEY_ID 677270");
    expect(identityText(1, utf8("?"))).toBe("IPV4_ADDR 3f");
    expect(Id.decode(fromHex("010000000a4d0002"))).toMatchObject({ type: 1, protocol: 0, port: 0 });
  });
  it("delete SAs and notify with SPIs of the stated size", () => {
    const octets = fromHex("00000002 01 04 0002 521a4183 0ea83d22");
    expect(Delete.decode(octets).spis.map(toHex)).toEqual(["521a4183", "0ea83d22"]);
    expect(Delete.encode(Delete.decode(octets))).toEqual(octets);
    expect(code(() => Delete.decode(fromHex("00000002 01 04 0003 521a4183")))).toBe("truncated");
    expect(Notify.decode(fromHex(`00000001 01 10 6002${"11".repeat(16)}`)).type).toBe(24578);
  });
});

/** Lengths of the one proposal and the one transform in an SA body, as they are. */
function fixLengths(sa: Bytes): Bytes {
  const out = Uint8Array.from(sa);
  out[11] = out.length - 8;
  out[19] = out.length - 16;
  return out;
}

/** A small generator: which octets a mutation hits must be the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

describeShared("vectors/ikev1", "IKEv1 and GDOI messages that somebody broke", () => {
  interface Vector {
    readonly messages: readonly { readonly wire: string; readonly plaintext?: string }[];
  }
  const files = ["ikev1", "gdoi"].flatMap((folder) =>
    readdirSync(sharedPath(`vectors/${folder}`))
      .filter((name) => name.endsWith(".json"))
      .map((name) => `vectors/${folder}/${name}`),
  );

  it.each(files)("%s: flipped and cut octets give a WireError or a message, and a tree that covers them", (file) => {
    const random = numbers(7);
    let refused = 0;
    for (const { wire, plaintext } of readSharedJson<Vector>(file).messages) {
      const whole = fromHex(wire);
      const plain = plaintext === undefined ? undefined : fromHex(plaintext);
      for (let round = 0; round < 40; round++) {
        const target = Uint8Array.from(plain ?? whole);
        target[random.next().value % target.length] = random.next().value;
        const cut = round % 2 === 0 ? target : target.subarray(0, random.next().value % target.length);
        for (const known of [ISAKMP, GDOI]) {
          if (plain === undefined) {
            if (code(() => decodeIsakmp(cut, known)) !== "none") refused++;
            leavesCover(dissectIsakmp(cut, known), cut);
          } else {
            if (code(() => readIsakmpChain(cut, whole[16]!, known)) !== "none") refused++;
            const message = encodeSealedIsakmp({ ...HEAD, flags: 1 }, { first: whole[16]!, ciphertext: cut });
            leavesCover(
              dissectIsakmp(message, known, () => ({ plain: cut, known })),
              message,
            );
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(50);
  });
});

describeShared("vectors/pcap", "real and broken IKEv1 packets", () => {
  it("decode to their own octets again or are refused with a WireError", () => {
    interface File {
      readonly packets: readonly { readonly udp?: string }[];
    }
    let again = 0;
    for (const { packets } of readSharedJson<File[]>("vectors/pcap/packets.json")) {
      for (const { udp } of packets) {
        if (udp === undefined) continue;
        const octets = fromHex(udp);
        leavesCover(dissectIsakmp(octets, ISAKMP), octets);
        const refused = code(() => {
          const message = decodeIsakmp(octets, ISAKMP);
          const { sealed, payloads } = message;
          const encoded = sealed ? encodeSealedIsakmp(message, sealed) : encodeIsakmp(message, payloads, ISAKMP);
          expect(toHex(encoded)).toBe(udp);
          again++;
        });
        expect(refused).not.toBe("badHex");
      }
    }
    expect(again).toBeGreaterThan(20);
  });
});
