import { expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { decodeSpki } from "../../src/crypto/spki.ts";
import { kekFromWire } from "../../src/gdoi/kek.ts";
import { pull1, pull3, pull4, readPull1, readPull2, readPull3, readPull4 } from "../../src/gdoi/pullMessages.ts";
import { openPush, pushSpiOf, readPush, sealPayloads } from "../../src/gdoi/push.ts";
import { authenticationOf } from "../../src/gdoi/signature.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import type { RekeySa } from "../../src/gikev2/dialect.ts";
import { decodeIsakmp, encodeIsakmpChain, readIsakmpChain } from "../../src/wire/isakmpMessage.ts";
import { GDOI, type IsakmpPayload, isakmpPayloadOf } from "../../src/wire/isakmpPayloads.ts";
import { describeShared, readSharedJson } from "../shared.ts";
import { decodePkcs1PrivateKey } from "./pkcs1.ts";

interface Kek {
  readonly spi: string;
  readonly iv: string;
  readonly key: string;
  readonly public_key_der_spki: string;
}
interface Vector {
  readonly phase1: readonly Readonly<Record<string, string>>[];
  readonly keks: readonly Kek[];
  readonly teks: readonly { readonly spi: string; readonly keys: readonly { readonly hex: string }[] }[];
  readonly kek_signing_key_pem_pkcs1: string;
  readonly messages: readonly { readonly frame: number; readonly wire: string; readonly exchange: number }[];
}

/** One SA of the capture preserves the destination alone and receives only. */
const TOLERANT = { ...DEFAULT_SWITCHES, unusualSas: "asUsual" } as const;

function rekeySa(kek: Kek): RekeySa {
  const suite = { encr: 12, encrKeyBits: 128, integ: 0, kwa: 0 };
  return {
    spi: kek.spi,
    suite,
    keys: kekFromWire(suite, fromHex(kek.iv + kek.key)),
    authentication: authenticationOf(1, 3),
    publicKey: decodeSpki(fromHex(kek.public_key_der_spki)),
  };
}

function read(): Vector {
  return readSharedJson<Vector>("vectors/gdoi/keys.json");
}

/** Payloads of the PULL behind their HASH payloads. */
function pullPayloads(vector: Vector): IsakmpPayload[][] {
  const { cipher_key: key, phase1_last_cipher_block: last } = vector.phase1[0]!;
  let iv: Uint8Array | undefined;
  return vector.messages
    .filter(({ exchange }) => exchange === 32)
    .map(({ wire }) => {
      const octets = fromHex(wire);
      const { sealed, messageId } = decodeIsakmp(octets, GDOI);
      const id = Uint8Array.of(messageId >>> 24, messageId >>> 16, messageId >>> 8, messageId);
      iv ??= native.hash("sha1", Uint8Array.from([...fromHex(last!), ...id])).slice(0, 16);
      const plain = native.cbcDecrypt("aes", fromHex(key!).slice(0, 16), iv, sealed!.ciphertext);
      iv = sealed!.ciphertext.slice(-16);
      return readIsakmpChain(plain, sealed!.first, GDOI).payloads.slice(1);
    });
}

describeShared("vectors/gdoi", "a PULL of the reference implementation", () => {
  it("is the group, the policy, a wish for three Sender-IDs, and the keys", () => {
    const vector = read();
    const [first, second, third, fourth] = pullPayloads(vector);
    const group = readPull1(first!);
    expect(group).toMatchObject({ ok: true, value: { kind: "number" } });
    const offered = readPull2(second!, TOLERANT);
    expect(offered).toMatchObject({
      ok: true,
      value: { atdSeconds: 3, dtdSeconds: 6, mode: "tunnel" },
    });
    expect(readPull3(third!)).toEqual({ ok: true, value: 3 });
    if (!offered.ok) return;
    const granted = readPull4(fourth!, offered.value);
    if (!granted.ok) throw new Error(granted.problem);
    const { policy, keys, senderIds } = granted.value;
    expect(senderIds).toHaveLength(3);
    expect(policy.kek).toMatchObject({
      spi: vector.keks[0]!.spi,
      source: { first: "10.77.0.1", last: "10.77.0.1", port: 8480 },
      destination: { first: "239.77.10.1", last: "239.77.10.1", port: 848 },
      lifetimeSeconds: 24,
      nextMessageId: 1,
    });
    expect(toHex(keys.kek!.encr.secret)).toBe(vector.keks[0]!.key + vector.keks[0]!.iv);
    expect(policy.dataSas.map(({ spi, suite, selector }) => [spi, suite, selector.sourceFirst])).toEqual([
      [0x521a4183, { encr: 12, encrKeyBits: 128, integ: 12 }, 0x0a640000],
      [0x0ea83d22, { encr: 20, encrKeyBits: 128, integ: 0 }, 0x0a650304],
    ]);
    for (const { spi, keys: parts } of vector.teks.slice(0, 2)) {
      const tek = keys.teks.get(Number.parseInt(spi, 16))!;
      expect(toHex(tek.secret)).toBe(parts.map(({ hex }) => hex).join(""));
    }
  });

  it("is refused where its unusual SA must not pass", () => {
    expect(readPull2(pullPayloads(read())[1]!, DEFAULT_SWITCHES)).toMatchObject({ ok: false, notify: 14 });
  });

  it("has the octets that we write for the same content", () => {
    const [first, , third, fourth] = pullPayloads(read());
    const octets = (payloads: readonly IsakmpPayload[]) => toHex(encodeIsakmpChain(payloads, GDOI).octets);
    const group = readPull1(first!);
    if (!group.ok) throw new Error(group.problem);
    expect(octets(pull1(isakmpPayloadOf(first!, "NONCE")!.data, group.value))).toBe(octets(first!));
    expect(octets(pull3(3))).toBe(octets(third!));
    const offered = readPull2(pullPayloads(read())[1]!, TOLERANT);
    if (!offered.ok) throw new Error(offered.problem);
    const granted = readPull4(fourth!, offered.value);
    if (!granted.ok) throw new Error(granted.problem);
    const { policy, keys, senderIds } = granted.value;
    expect(octets(pull4(policy, keys, senderIds))).toBe(octets(fourth!));
  });
});

describeShared("vectors/gdoi", "PUSHes of the reference implementation", () => {
  const pushes = () => {
    const vector = read();
    const sas = new Map(vector.keks.map((kek) => [kek.spi, rekeySa(kek)]));
    return vector.messages
      .filter(({ exchange }) => exchange === 33)
      .map(({ frame, wire }) => ({ frame, wire, octets: fromHex(wire), sa: sas.get(pushSpiOf(fromHex(wire))!)! }));
  };

  it("open, verify and say what happened: new TEKs, a KEK under the old one, a deletion", () => {
    const story = pushes().map(({ octets, sa }) => {
      const [one, two] = [native, noble].map((crypto) => openPush(crypto, sa, octets, 0));
      expect(two).toEqual(one);
      if (one?.kind !== "whole") throw new Error(JSON.stringify(one));
      const content = readPush(sa, one.payloads, TOLERANT);
      if (!content.ok || "excluded" in content.value) throw new Error(JSON.stringify(content));
      const { policy, deletions, keys } = content.value;
      expect(keys.teks.size).toBe(policy.dataSas.length);
      return [one.sequence, policy.dataSas.length, policy.kek === undefined ? "" : "KEK", deletions.length];
    });
    expect(story.map(([sequence]) => sequence)).toEqual([1, 2, 3, 1, 2, 3]);
    expect(story.filter(([, , kek]) => kek === "KEK")).toHaveLength(1);
    expect(story.at(-1)).toEqual([3, 0, "", 1]);
  });

  it("have the octets that we write: payloads, signature, IV and padding", () => {
    const signer = decodePkcs1PrivateKey(read().kek_signing_key_pem_pkcs1);
    for (const { frame, wire, octets, sa } of pushes()) {
      const opened = openPush(native, sa, octets, 0);
      if (opened.kind !== "whole") throw new Error(`frame ${frame}`);
      const payloads = opened.payloads.slice(0, -1);
      expect(toHex(sealPayloads(native, sa, signer, payloads, DEFAULT_SWITCHES)), `frame ${frame}`).toBe(wire);
    }
  });

  it("are old where their number has been accepted, and refused where a single bit differs", () => {
    const [first] = pushes();
    expect(openPush(native, first!.sa, first!.octets, 1)).toEqual({ kind: "old", sequence: 1 });
    const { octets } = first!;
    for (let at = 0; at < octets.length; at += at < 48 ? 1 : 7) {
      const copy = octets.slice();
      copy[at]! ^= 1;
      const { kind } = openPush(native, first!.sa, copy, 0);
      // The SEQ payload stands in the first block: an altered one may show as an old number.
      expect(kind, `octet ${at}`).not.toBe("whole");
    }
  });

  it("verify in every form of the signature that is in use", () => {
    const signer = decodePkcs1PrivateKey(read().kek_signing_key_pem_pkcs1);
    const { sa, octets } = pushes()[0]!;
    const opened = openPush(native, sa, octets, 0);
    if (opened.kind !== "whole") throw new Error("frame 11");
    for (const signature of ["digestInfo", "bareDigest"] as const) {
      for (const signedLength of ["unpadded", "padded"] as const) {
        const switches = { ...DEFAULT_SWITCHES, signature, signedLength };
        const again = sealPayloads(native, sa, signer, opened.payloads.slice(0, -1), switches);
        expect(openPush(native, sa, again, 0).kind).toBe("whole");
        expect(toHex(again) === toHex(octets)).toBe(signature === "digestInfo" && signedLength === "unpadded");
      }
    }
  });
});
