import { existsSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { readCapture } from "../../sim/capture/readCapture.ts";
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import type { Protection } from "../../src/crypto/protector.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { apply, createDataPlane } from "../../src/esp/dataPlane.ts";
import { openEsp, readLabel, sealEsp } from "../../src/esp/espPacket.ts";
import { inbound } from "../../src/esp/inbound.ts";
import { buildPacket, ipHeader } from "../../src/esp/ipHeader.ts";
import { describeShared, readShared, readSharedJson, sharedPath } from "../shared.ts";
import { dataSa, protectAll } from "./group.ts";

interface CaptureVector {
  readonly name: string;
  readonly pcap: string;
  readonly childSas: readonly {
    readonly mode: string;
    readonly encr: { readonly id: number; readonly keyBits: number };
    readonly integ: { readonly id: number } | null;
    readonly sas: readonly { readonly spi: string; readonly encKey: string | null; readonly authKey: string | null }[];
  }[];
  readonly espPackets: readonly {
    readonly frame: number;
    readonly spi: string;
    readonly seq: number;
    readonly udpEncap: boolean;
    readonly nextHeader: number;
    readonly inner?: string;
    readonly mustFail?: string;
    readonly esnHigh?: number;
  }[];
}

const BACKENDS: readonly Crypto[] = [native, noble];

/** The titles of a skipped suite are collected too: no data, no cases. */
function filesOf(relative: string): string[] {
  return existsSync(sharedPath(relative)) ? readdirSync(sharedPath(relative)) : [];
}

function casesOf<T>(relative: string): T[] {
  return existsSync(sharedPath(relative)) ? readSharedJson<T[]>(relative) : [];
}

/** Ciphers without a choice of key length carry no attribute. */
function protectionOf(encr: number, keyBits: number, integ: number): Protection {
  const spec = encrSpec(encr, keyBits) ?? encrSpec(encr, 0);
  expect(spec, `cipher ${encr}/${keyBits}`).toBeDefined();
  return { encr: spec!, integ: integSpec(integ) };
}

/** The ESP octets of a frame, out of UDP 4500 where they are in it. */
function espOf(packet: Bytes, udpEncap: boolean): Bytes {
  const header = ipHeader(packet)!;
  return packet.subarray(header.headerOctets + (udpEncap ? 8 : 0));
}

/** Transport mode: the listed packet is the one around the payload. */
function innerOf(mode: string, packet: Bytes, nextHeader: number, payload: Bytes): string {
  if (mode === "tunnel") return toHex(payload);
  return toHex(buildPacket({ ...ipHeader(packet)!, protocol: nextHeader }, payload));
}

describeShared("vectors/esp", "ESP of strongSwan and scapy", () => {
  const names = filesOf("vectors/esp").filter((name) => /^(esp|scapy)-.*\.json$/.test(name));

  it("has the captures that the tests below are about", () => {
    expect(names.length).toBeGreaterThanOrEqual(21);
  });

  it.each(names)("%s opens to the listed inner packets, and what was tampered with does not", (name) => {
    const vector = readSharedJson<CaptureVector>(`vectors/esp/${name}`);
    const frames = [...readCapture(readShared(`vectors/esp/${vector.pcap}`)).packets];
    expect(vector.espPackets.length).toBeGreaterThan(0);
    for (const listed of vector.espPackets) {
      const frame = frames[listed.frame - 1]!;
      const packet = frame.octets;
      const octets = espOf(packet, listed.udpEncap);
      expect(readLabel(octets)).toEqual({ spi: Number.parseInt(listed.spi, 16), sequence: listed.seq });
      const child = vector.childSas.find(({ sas }) => sas.some(({ spi }) => spi === listed.spi))!;
      const sa = child.sas.find(({ spi }) => spi === listed.spi)!;
      const protection = protectionOf(child.encr.id, child.encr.keyBits, child.integ?.id ?? 0);
      const keys = { encr: fromHex(sa.encKey ?? ""), integ: fromHex(sa.authKey ?? "") };
      for (const crypto of BACKENDS) {
        const opened = openEsp(crypto, protection, keys, octets, listed.esnHigh);
        if (listed.mustFail !== undefined) {
          expect(opened, `frame ${listed.frame}: ${listed.mustFail}`).toBe("verify");
          continue;
        }
        if (typeof opened === "string") throw new Error(`frame ${listed.frame}: ${opened}`);
        expect(opened.nextHeader).toBe(listed.nextHeader);
        expect(innerOf(child.mode, packet, opened.nextHeader, opened.payload)).toBe(listed.inner);
      }
    }
  });

  const preserved = names.filter((name) => name.startsWith("scapy-preserve"));
  it.each(preserved)("%s passes a member's data plane with all its senders, but for what was tampered with", (name) => {
    const vector = readSharedJson<CaptureVector>(`vectors/esp/${name}`);
    const child = vector.childSas[0]!;
    const sa = child.sas[0]!;
    const plane = createDataPlane({ groups: ["G"] });
    apply(plane, { kind: "rules", group: "G", rules: protectAll });
    apply(plane, {
      kind: "install",
      sa: dataSa({
        spi: Number.parseInt(sa.spi, 16),
        encr: child.encr.id,
        encrKeyBits: encrSpec(child.encr.id, child.encr.keyBits) === undefined ? 0 : child.encr.keyBits,
        integ: child.integ?.id ?? 0,
        encrKey: secret(fromHex(sa.encKey!)),
        integKey: secret(fromHex(sa.authKey ?? "")),
        sequenceNumbers: 2,
      }),
    });
    const frames = [...readCapture(readShared(`vectors/esp/${vector.pcap}`)).packets];
    for (const listed of vector.espPackets) {
      const frame = frames[listed.frame - 1]!;
      const result = inbound(plane, native, frame.octets, 0);
      if (listed.mustFail === undefined) {
        expect(result).toMatchObject({ kind: "clear", opened: { group: "G" } });
        expect(result.kind === "clear" && toHex(result.packet)).toBe(listed.inner);
      } else {
        expect(result, listed.mustFail).toMatchObject({ kind: "dropped", reason: "verify" });
      }
    }
    const failures = vector.espPackets.filter(({ mustFail }) => mustFail !== undefined).length;
    expect(failures).toBeGreaterThan(0);
    expect(plane.counters).toMatchObject({ decaps: vector.espPackets.length - failures, verifyFail: failures });
  });
});

interface PacketCase {
  readonly id: string;
  readonly key: string;
  readonly authKey: string;
  readonly salt: string;
  readonly iv: string;
  readonly spi: string;
  readonly seq: number;
  readonly cipher: string;
  readonly auth: string;
  readonly plainPacket: string;
  readonly protectedPacket: string;
  readonly nextHeader: number;
}

const CIPHER_IDS: Readonly<Record<string, number>> = { AES_GCM: 20, AES_CBC: 12, "3DES_CBC": 3, AES_CTR: 13 };
const INTEG_IDS: Readonly<Record<string, number>> = {
  "": 0,
  MD5_HMAC: 1,
  SHA256_HMAC: 12,
  SHA384_HMAC: 13,
  SHA512_HMAC: 14,
};

describeShared("vectors/esp/full-packet-esp.json", "ESP of DPDK", () => {
  const cases = casesOf<PacketCase>("vectors/esp/full-packet-esp.json");
  it.each(cases.map((one) => [one.id, one] as const))("%s is sealed to the same octets and opens again", (_, one) => {
    const protection = protectionOf(CIPHER_IDS[one.cipher]!, one.key.length * 4, INTEG_IDS[one.auth]!);
    const keys = { encr: fromHex(one.key + one.salt), integ: fromHex(one.authKey) };
    const packet = fromHex(one.protectedPacket);
    const octets = packet.subarray(packet[0]! >>> 4 === 6 ? 40 : 20);
    const label = { spi: Number.parseInt(one.spi, 16), sequence: one.seq };
    const content = { nextHeader: one.nextHeader, payload: fromHex(one.plainPacket) };
    for (const crypto of BACKENDS) {
      expect(openEsp(crypto, protection, keys, octets)).toEqual(content);
      expect(toHex(sealEsp(crypto, protection, keys, label, fromHex(one.iv), content))).toBe(toHex(octets));
    }
  });
});

interface AeadCase {
  readonly id: string;
  readonly cipher: string;
  readonly esn: boolean;
  readonly key: string;
  readonly salt: string;
  readonly seq: string;
  readonly plaintext: string;
  readonly espPacket: string;
}

describeShared("vectors/esp/aead-esp.json", "ESP of draft-mcgrew-gcm-test and RFC 7634", () => {
  const cases = casesOf<AeadCase>("vectors/esp/aead-esp.json");
  it.each(cases.map((one) => [one.id, one] as const))("%s opens", (_, one) => {
    const encr = one.cipher.startsWith("AES-GCM") ? 20 : 28;
    const protection = protectionOf(encr, one.key.length * 4, 0);
    const keys = { encr: fromHex(one.key + one.salt), integ: fromHex("") };
    const sequenceHigh = one.esn ? Number.parseInt(one.seq.slice(0, 8), 16) : undefined;
    const plain = fromHex(one.plaintext);
    const payload = plain.subarray(0, plain.length - 2 - plain[plain.length - 2]!);
    for (const crypto of BACKENDS) {
      const opened = openEsp(crypto, protection, keys, fromHex(one.espPacket), sequenceHigh);
      expect(opened).toEqual({ nextHeader: plain[plain.length - 1]!, payload });
      const other = openEsp(crypto, protection, keys, fromHex(one.espPacket), (sequenceHigh ?? 0) + 1);
      expect(other).toBe("verify");
    }
  });
});
