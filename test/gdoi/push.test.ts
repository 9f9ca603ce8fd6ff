import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { type Secret, secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { ecPrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import { ackSpiOf, isKnownAck, openAck, sealAck } from "../../src/gdoi/ack.ts";
import { newKekKeys } from "../../src/gdoi/kek.ts";
import { openPush, pushSpiOf, readPush, sealPayloads, sealPush } from "../../src/gdoi/push.ts";
import { authenticationOf } from "../../src/gdoi/signature.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import { type GroupUpdate, type KekSuite, NO_KEYS, NO_POLICY } from "../../src/gikev2/policy.ts";
import { testRng } from "../crypto/testRng.ts";
import { KEK, keysFor, POLICY, rekeySaOf, SIGNER } from "./group.ts";

const KEYS = keysFor(POLICY);
const SA = rekeySaOf(KEK, KEYS);

function received(octets: Uint8Array, last = 0) {
  const opened = openPush(native, SA, octets, last);
  if (opened.kind !== "whole") throw new Error(JSON.stringify(opened));
  const content = readPush(SA, opened.payloads, DEFAULT_SWITCHES);
  if (!content.ok) throw new Error(content.problem);
  if ("excluded" in content.value) throw new Error("excluded");
  return { sequence: opened.sequence, ...content.value };
}

function pushed(update: GroupUpdate, sequence = 1): Uint8Array {
  return sealPush(native, SA, SIGNER, update, sequence, DEFAULT_SWITCHES);
}

describe("a GROUPKEY-PUSH", () => {
  const { kek: _, ...teksOnly } = POLICY;

  it("brings new TEKs, found by the SPI of its KEK", () => {
    const { kek: _kek, ...keys } = KEYS;
    const octets = pushed({ policy: teksOnly, keys, deletions: [] }, 7);
    expect(pushSpiOf(octets)).toBe(KEK.spi);
    const deletions = [{ kind: "allDataSas" }];
    expect(received(octets)).toMatchObject({ sequence: 7, policy: teksOnly, keys, deletions });
  });

  it("says by the deactivation delay when the replaced TEKs go, and without one by a Delete", () => {
    const { kek: _kek, ...keys } = KEYS;
    const { dtdSeconds: _, ...undelayed } = teksOnly;
    const deletions = [{ kind: "dataSas" as const, spis: [7] }];
    const kinds = (policy: typeof undelayed) => {
      const opened = openPush(native, SA, pushed({ policy, keys, deletions }), 0);
      return opened.kind === "whole" ? opened.payloads.map(({ kind }) => kind) : [];
    };
    expect(kinds(teksOnly)).toEqual(["SEQ", "GSA", "KD", "SIG"]);
    expect(kinds(undelayed)).toEqual(["SEQ", "D", "GSA", "KD", "SIG"]);
    expect(received(pushed({ policy: undelayed, keys, deletions })).deletions).toEqual(deletions);
  });

  it("brings a new KEK under the old one, with a number that starts again", () => {
    const next = { ...KEK, spi: "ff".repeat(16), nextMessageId: 1, acknowledgement: 1 };
    const keys = { kek: newKekKeys(testRng("next"), next.suite), teks: new Map() };
    const update = { policy: { ...NO_POLICY, kek: next }, keys, deletions: [] };
    const content = received(pushed(update, 9));
    expect(content.policy.kek).toEqual(next);
    expect(content.keys).toEqual(keys);
  });

  it("that repeats its own KEK changes no KEK", () => {
    const update = { policy: { ...NO_POLICY, kek: KEK }, keys: { kek: KEYS.kek!, teks: new Map() }, deletions: [] };
    expect(received(pushed(update)).policy.kek).toBeUndefined();
  });

  it.each([[{ kind: "dataSas", spis: [1, 0xffffffff] }], [{ kind: "allDataSas" }], [{ kind: "member" }]] as const)(
    "deletes %o",
    (deletion) => {
      const content = received(pushed({ policy: NO_POLICY, keys: NO_KEYS, deletions: [deletion] }));
      expect(content).toMatchObject({ policy: NO_POLICY, deletions: [deletion] });
    },
  );

  it("of another signer, with another shape or under another KEK is refused", () => {
    const update: GroupUpdate = { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "allDataSas" }] };
    const foreign = sealPush(native, SA, rsaKey(testRng("foreign"), 1024), update, 1, DEFAULT_SWITCHES);
    expect(openPush(native, SA, foreign, 0)).toMatchObject({ kind: "refused", reason: "signature" });
    const other = { ...SA, keys: newKekKeys(testRng("other"), KEK.suite) };
    expect(openPush(native, other, pushed(update), 0).kind).toBe("refused");
    const sequence = { kind: "SEQ", body: { number: 1 } } as const;
    for (const payloads of [
      [sequence, sequence],
      [sequence, { kind: "GAP", body: { attributes: [] } } as const],
    ]) {
      const odd = sealPayloads(native, SA, SIGNER, payloads, DEFAULT_SWITCHES);
      expect(openPush(native, SA, odd, 0)).toMatchObject({ kind: "refused", reason: "malformed" });
    }
    for (const length of [0, 27, 28, 29, 43]) {
      expect(openPush(native, SA, pushed(update).subarray(0, length), 0)).toMatchObject({ reason: "malformed" });
    }
  });

  it("with an old number is old, whoever signed it", () => {
    const update: GroupUpdate = { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "member" }] };
    const octets = pushed(update, 5);
    expect(openPush(native, SA, octets, 5)).toEqual({ kind: "old", sequence: 5 });
    expect(openPush(native, SA, octets, 6)).toEqual({ kind: "old", sequence: 5 });
    expect(openPush(native, SA, octets, 4).kind).toBe("whole");
  });

  const CIPHERS: readonly KekSuite[] = [
    { encr: 2, encrKeyBits: 0, integ: 0, kwa: 0 },
    { encr: 3, encrKeyBits: 0, integ: 0, kwa: 0 },
    { encr: 12, encrKeyBits: 128, integ: 0, kwa: 0 },
    { encr: 12, encrKeyBits: 192, integ: 0, kwa: 0 },
    { encr: 12, encrKeyBits: 256, integ: 0, kwa: 0 },
  ];
  const SIGNERS = [
    [authenticationOf(1, 2), SIGNER],
    [authenticationOf(1, 5), SIGNER],
    [authenticationOf(4, undefined), ecPrivateKey("P-256", testRng("ec256").bytes(32))],
    [authenticationOf(5, 4), ecPrivateKey("P-384", testRng("ec384").bytes(48))],
  ] as const;

  it("has the same octets with both back ends, for every cipher and signature", () => {
    for (const suite of CIPHERS) {
      for (const [authentication, signer] of SIGNERS) {
        const keys = newKekKeys(testRng("kek"), suite);
        const sa = { spi: KEK.spi, suite, keys, authentication, publicKey: publicHalf(signer) };
        const update = {
          policy: POLICY,
          keys: { ...KEYS, kek: newKekKeys(testRng("roll"), KEK.suite) },
          deletions: [],
        };
        const rolled = { ...update, policy: { ...POLICY, kek: { ...KEK, spi: "ab".repeat(16) } } };
        const [one, two] = [native, noble].map((crypto) => sealPush(crypto, sa, signer, rolled, 1, DEFAULT_SWITCHES));
        expect(toHex(two!)).toBe(toHex(one!));
        expect(openPush(noble, sa, one!, 0).kind).toBe("whole");
      }
    }
  });
});

/** IV and key. */
const LEAF = secret(fromHex(`${"5a".repeat(16)}000102030405060708090a0b0c0d0e0f`));

describe("an acknowledgement", () => {
  it("has a type that we know where its base key is the KEK, or a leaf that the member has", () => {
    const known = (leaf?: Secret) => [0, 1, 2, 3, 4, 5, 240].filter((type) => isKnownAck(type, leaf));
    expect(known()).toEqual([1, 3, 240]);
    expect(known(LEAF)).toEqual([1, 2, 3, 4, 240]);
  });

  it.each([
    ["printed", "fdf7f9456b710e6626c9d0ff9d9931fc864696354f1aaa73df0bf88b2b5528a0"],
    ["output", "ee052f260cb5142edb1279226b070fba81437e5eb6b5a425a3162a9618154129"],
  ] as const)("has the worked HASH with L as %s", (ackKeyBits, hash) => {
    const spi = "101112131415161718191a1b1c1d1e1f";
    const encr = secret(fromHex(`000102030405060708090a0b0c0d0e0f${"00".repeat(16)}`));
    const sa = { ...SA, spi, keys: { ...SA.keys, encr } };
    const octets = sealAck(native, sa, 7, "10.0.0.2", 1, { ...DEFAULT_SWITCHES, ackKeyBits });
    expect(toHex(octets)).toBe(`${spi}08102300000000000000005412000024${hash}05000008000000070000000c010000000a000002`);
    expect(openAck(native, sa, octets, 1)).toEqual({
      ok: true,
      sequence: 7,
      address: "10.0.0.2",
      kind: "interoperable",
    });
    // The key of the leaf is that of the KEK above, so the HASH is the same.
    const byLeaf = sealAck(native, { ...SA, spi }, 7, "10.0.0.2", 2, { ...DEFAULT_SWITCHES, ackKeyBits }, LEAF);
    expect(toHex(byLeaf)).toBe(toHex(octets));
  });

  it.each([2, 4])("of type %i is the member's own: who holds the KEK and another leaf cannot make it", (type) => {
    const octets = sealAck(native, SA, 3, "10.0.0.2", type, DEFAULT_SWITCHES, LEAF);
    expect(openAck(noble, SA, octets, type, LEAF)).toMatchObject({ ok: true, sequence: 3 });
    const other = secret(LEAF.secret.map((octet) => octet ^ 1));
    expect(openAck(native, SA, octets, type, other)).toEqual({ ok: false, reason: "hash" });
    expect(openAck(native, SA, sealAck(native, SA, 3, "10.0.0.2", 1, DEFAULT_SWITCHES), type, LEAF).ok).toBe(false);
  });

  it.each([
    ["interoperable", [1, 3]],
    ["cisco", [240]],
  ] as const)("in the %s layout names member and number, and no other octets pass", (kind, types) => {
    for (const type of types) {
      const octets = sealAck(native, SA, 12, "2001:db8::7", type, DEFAULT_SWITCHES);
      expect(ackSpiOf(octets)).toBe(KEK.spi);
      expect(openAck(noble, SA, octets, type)).toEqual({ ok: true, sequence: 12, address: "2001:db8::7", kind });
      for (let at = 18; at < octets.length; at++) {
        const copy = octets.slice();
        copy[at]! ^= 4;
        const { ok } = openAck(native, SA, copy, type);
        expect(ok, `octet ${at}`).toBe(false);
      }
      expect(openAck(native, SA, octets, type === 1 ? 3 : 1).ok).toBe(false);
    }
  });
});
