/** What happens under a KEK of GDOI, as key servers and members call it. */
import { describe, expect, it } from "vitest";
import { native } from "../../src/crypto/native.ts";
import { gdoiProtocol } from "../../src/gdoi/gdoiProtocol.ts";
import { arrivalOf, groupAckOf, groupRekeyOf } from "../../src/gdoi/groupMessage.ts";
import type { RekeySa } from "../../src/gikev2/dialect.ts";
import { dialectOf } from "../../src/gikev2/dialects.ts";
import { NO_KEYS, NO_POLICY } from "../../src/gikev2/policy.ts";
import { testRng } from "../crypto/testRng.ts";
import { GCM } from "../gm/network.ts";
import { KEK, keysFor, POLICY, rekeySaOf, SIGNER } from "./group.ts";

const UPDATE = { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "allDataSas" as const }] };
const KEYS = keysFor(POLICY);
const SEALING = { messageId: 5, nextIv: () => new Uint8Array(8) };

function saWith(acknowledgement: number): RekeySa {
  return { ...rekeySaOf(KEK, KEYS), ...(acknowledgement === 0 ? {} : { acknowledgement }) };
}

function answerTo(sa: RekeySa) {
  const nextIv = () => {
    throw new Error("GDOI's KEK has its IV");
  };
  return gdoiProtocol().rekeyAck(native, sa, { messageId: 5, nextIv, address: "192.0.2.9" });
}

describe("a rekey of GDOI", () => {
  it("is a single datagram, opened once by its number and read as it was written", () => {
    const gdoi = gdoiProtocol();
    const sa = saWith(0);
    const datagrams = gdoi.sealRekey(native, sa, SIGNER, UPDATE, { ...SEALING, mtu: 100 });
    expect(datagrams).toHaveLength(1);
    const [octets] = datagrams;
    expect(groupRekeyOf(octets!)).toEqual({ protocol: "gdoi", spi: KEK.spi });
    expect(groupAckOf(octets!)).toBeUndefined();
    const opened = gdoi.openRekey(native, sa, octets!, undefined, 5);
    if (opened.kind !== "whole") throw new Error(opened.kind);
    expect(opened.messageId).toBe(5);
    expect(gdoi.readRekey(native, sa, opened.payloads, [])).toEqual({ ok: true, value: UPDATE });
    expect(gdoi.openRekey(native, sa, octets!, undefined, 6)).toEqual({ kind: "old", messageId: 5 });
  });

  it.each([
    ["interoperable", 1, 2],
    ["cisco", 240, 240],
  ] as const)(
    "is acknowledged in the %s form where the key server asks for that",
    (acknowledgement, type, withTree) => {
      const gdoi = gdoiProtocol({ acknowledgement });
      expect(gdoi.acknowledgement).toEqual({ plain: type, withTree });
      const ack = answerTo(saWith(type))!;
      expect(groupAckOf(ack)).toEqual({ protocol: "gdoi", spi: KEK.spi });
      expect(groupRekeyOf(ack)).toBeUndefined();
      expect(gdoi.readRekeyAck(native, saWith(type), ack)).toBe(5);
      expect(gdoi.readRekeyAck(native, saWith(type === 1 ? 240 : 1), ack)).toBeUndefined();
      expect(gdoi.readRekeyAck(native, saWith(0), ack)).toBeUndefined();
    },
  );

  it("is not acknowledged where nobody asks, or with a type that nobody here knows", () => {
    expect(answerTo(saWith(0))).toBeUndefined();
    expect(answerTo(saWith(2))).toBeUndefined();
  });

  it("has keys that open it, whatever the cipher", () => {
    for (const encr of [2, 3]) {
      const suite = { encr, encrKeyBits: 0, integ: 0, kwa: 0 };
      const sa = { ...saWith(0), suite, keys: gdoiProtocol().newKekKeys(testRng("kek"), suite) };
      const [octets] = gdoiProtocol().sealRekey(native, sa, SIGNER, UPDATE, SEALING);
      expect(gdoiProtocol().openRekey(native, sa, octets!, undefined, 1).kind).toBe("whole");
      expect(gdoiProtocol().keyEntry(sa)).toMatchObject({ kind: "gdoi", spi: KEK.spi, algorithm: encr === 2 ? 1 : 2 });
    }
  });

  it("is told from one of G-IKEv2 by the version in its header", () => {
    const suite = { ...GCM, kwa: 3 };
    const keys = dialectOf("rfc9838").newKekKeys(testRng("kek"), suite);
    const sa: RekeySa = { spi: KEK.spi, suite, keys, authentication: { kind: "implicit" } };
    const [octets] = dialectOf("rfc9838").sealRekey(native, sa, undefined, UPDATE, SEALING);
    expect(groupRekeyOf(octets!)).toEqual({ protocol: "gikev2", spi: KEK.spi, messageId: 5 });
    expect(dialectOf("rfc9838").keyEntry(sa)).toMatchObject({ kind: "ike", dialect: "rfc9838" });
  });
});

describe("a datagram that may be under a KEK", () => {
  const octets = Uint8Array.of(0, 0, 0, 0, 9, 9, 9, 9);
  const arrival = (port: number, remotePort = 4500) =>
    arrivalOf({ local: { address: "192.0.2.1", port }, remote: { address: "192.0.2.2", port: remotePort }, octets });

  it("has a marker in front where ESP may share the port, and zeros of its own where not", () => {
    for (const port of [4500, 14500]) {
      expect(arrival(port)).toMatchObject({ marked: true, octets: octets.subarray(4) });
      // What a NAT makes of the other end says nothing.
      expect(arrival(port, 848)).toMatchObject({ marked: true });
    }
    for (const port of [848, 500]) expect(arrival(port)).toMatchObject({ marked: false, octets });
  });

  it("is none without the marker on 4500", () => {
    const [local, remote] = [4500, 4500].map((port) => ({ address: "192.0.2.1", port }));
    expect(arrivalOf({ local: local!, remote: remote!, octets: octets.subarray(4) })).toBeUndefined();
  });
});
