import { describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { concat, EMPTY, fromHex, toHex, u32 } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { saKeyOctets, splitSaKeys } from "../../src/crypto/prf.ts";
import type { Protection } from "../../src/crypto/protector.ts";
import { bodyOctets, protect, unprotect } from "../../src/crypto/protector.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { describeShared, readSharedJson } from "../shared.ts";
import { testRng } from "./testRng.ts";

const BOTH = [native, noble] as const;

function protection(encr: number, keyBits: number, integ?: number): Protection {
  return { encr: encrSpec(encr, keyBits)!, integ: integ === undefined ? undefined : integSpec(integ)! };
}

/** A packet in hexadecimal: prefix, then IV, ciphertext and ICV, taken apart at a prefix of `at` octets. */
function checkPacket(
  suite: Protection,
  keys: { encr: Bytes; integ: Bytes },
  packet: Bytes,
  at: number,
  plain: Bytes,
  sequenceHigh?: Bytes,
): void {
  const [prefix, body] = [packet.subarray(0, at), packet.subarray(at)];
  for (const crypto of BOTH) {
    const opened = unprotect(crypto, suite, keys, { prefix, body, sequenceHigh });
    expect(opened && toHex(opened)).toBe(toHex(plain));
    const iv = body.subarray(0, suite.encr.iv);
    expect(toHex(protect(crypto, suite, keys, { prefix, iv, plain, sequenceHigh }))).toBe(toHex(body));
  }
}

describe("SK payloads", () => {
  const skEi = fromHex("a5cf5a1068f970804d2c226ae9f4fdd3557280e3c5f241fcf2862e0b98104f13b5eff5ca");
  const gcm = { encr: skEi, integ: EMPTY };
  const deletion = "0000000c03040001a1b2c3d4";

  it("AES-CBC-256 with HMAC-SHA2-256-128", () => {
    const packet = fromHex(
      "333333333333333344444444444444442e20250800000003000000502a000034777777777777777777777777777777775e3fdf56d6e93c47dcfb76910ca52e9e78bbd1f6ffb5303ffdf3d1d305014db7",
    );
    const keys = { encr: new Uint8Array(32).fill(0x55), integ: new Uint8Array(32).fill(0x66) };
    checkPacket(protection(12, 256, 12), keys, packet, 32, fromHex(`${deletion}00000003`));
  });

  it("AES-GCM-16: an empty liveness check and a deletion", () => {
    const liveness = fromHex(
      "111111111111111122222222222222222e20250800000002000000390000001d0000000000000001d5ffbcba46f9799ee8b64f24eb6d8ee4ea",
    );
    checkPacket(protection(20, 256), gcm, liveness, 32, Uint8Array.of(0));
    const packet = fromHex(
      "111111111111111122222222222222222e20250800000002000000452a000029000000000000000254165e17f16140c43d7e9dabb621acac4d9a2ef1c1b838fef84340ac23",
    );
    checkPacket(protection(20, 256), gcm, packet, 32, fromHex(`${deletion}00`));
  });

  it("AES-GCM-16: fragments authenticate the eight octets of their header", () => {
    const first = fromHex(
      "1111111111111111222222222222222235202508000000040000004 52a000029000100020000000000000011 71a4a9a6be69ed2f2c a5ff05d4fa86fd9337a12103dba79a12",
    );
    checkPacket(protection(20, 256), gcm, first, 36, fromHex(`${deletion.slice(0, 16)}00`));
    const second = fromHex(
      "11111111111111112222222222222222352025080000000400000041000000250002000200000000000000 12315fbf14a098fb095df71703159c2f0e433659217c",
    );
    checkPacket(protection(20, 256), gcm, second, 36, fromHex(`${deletion.slice(16)}00`));
  });
});

describe("ESP", () => {
  const prefix = fromHex("0000432100000007");

  it("GMAC authenticates the IV: draft-mcgrew-gcm-test-01", () => {
    const key = fromHex("4c80cdefbb5d10da906ac73c3613a63422433c64");
    const iv = new Uint8Array(8);
    const plain = fromHex(
      "45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c6d6e6f707172737401020201",
    );
    const packet = concat(prefix, iv, plain, fromHex("f2a9a836e155106aa8dcd618e4099aaa"));
    checkPacket(protection(21, 128), { encr: key, integ: EMPTY }, packet, 8, plain);
  });

  it("AES-GCM-16 and GMAC with a sender's counter IV", () => {
    const key = Uint8Array.from({ length: 36 }, (_, i) => 0x80 + i);
    const packet = fromHex(
      "a1b2c3d4000000010100000000000000 71a9239f5f53e59c3f1f78383e6fa572803373c6a33151f7331ff284767e8fad 4508196d5a2cfa622480851af2ab851a",
    );
    const plain = fromHex("4500001c00010000401100000a000001ef020202040004000008000001020204");
    checkPacket(protection(20, 256), { encr: key, integ: EMPTY }, packet, 8, plain);
    const gmac = concat(packet.subarray(0, 16), plain, fromHex("ce8ede491078fc572088c733ddb02778"));
    checkPacket(protection(21, 256), { encr: key, integ: EMPTY }, gmac, 8, plain);
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
interface FullPacket {
  readonly id: string;
  readonly key: string;
  readonly authKey: string;
  readonly salt: string;
  readonly cipher: string;
  readonly auth: string;
  readonly plainPacket: string;
  readonly protectedPacket: string;
  readonly padLength: number;
  readonly nextHeader: number;
}
interface EspCapture {
  readonly childSas: readonly {
    readonly encr: { readonly id: number; readonly keyBits?: number };
    readonly integ: { readonly id: number } | null;
    readonly sas: readonly { readonly spi: string; readonly encKey: string | null; readonly authKey: string | null }[];
  }[];
  readonly espPackets: readonly { readonly spi: string; readonly wire: string; readonly inner: string }[];
}

describeShared("vectors/esp", "ESP of others", () => {
  it("draft-mcgrew-gcm-test-01 and RFC 7634, with and without extended sequence numbers", () => {
    const ciphers: Record<string, [number, number]> = {
      "AES-GCM-16-128": [20, 128],
      "AES-GCM-16-192": [20, 192],
      "AES-GCM-16-256": [20, 256],
    };
    const seen = new Set<string>();
    for (const test of readSharedJson<AeadCase[]>("vectors/esp/aead-esp.json")) {
      const [id, bits] = ciphers[test.cipher] ?? (/chacha/i.test(test.cipher) ? [28, 0] : gmac(test.cipher));
      const keys = { encr: fromHex(test.key + test.salt), integ: EMPTY };
      const high = test.esn ? fromHex(test.seq).subarray(0, 4) : undefined;
      checkPacket(protection(id, bits), keys, fromHex(test.espPacket), 8, fromHex(test.plaintext), high);
      seen.add(`${id} ${test.esn}`);
    }
    expect(seen.has("20 true") && seen.has("20 false") && seen.has("28 false")).toBe(true);
  });

  function gmac(cipher: string): [number, number] {
    const bits = /GMAC-(?:16-)?(\d+)/.exec(cipher)?.[1];
    if (bits === undefined) throw new Error(`no cipher ${cipher}`);
    return [21, Number(bits)];
  }

  it("RFC 3602 case 5: AES-CBC without integrity", () => {
    const [test] = readSharedJson<{ key: string; plaintext: string; ipOut: string }[]>(
      "vectors/esp/rfc3602-case5.json",
    );
    const packet = fromHex(test!.ipOut).subarray(20);
    checkPacket(protection(12, 128), { encr: fromHex(test!.key), integ: EMPTY }, packet, 8, fromHex(test!.plaintext));
  });

  it("whole tunnel packets of DPDK", () => {
    const ciphers: Record<string, number> = {
      AES_CBC: 12,
      AES_CTR: 13,
      AES_GCM: 20,
      NULL: 11,
      AES_GMAC: 21,
      "3DES_CBC": 3,
    };
    const macs: Record<string, number> = {
      MD5_HMAC: 1,
      SHA1_HMAC: 2,
      SHA256_HMAC: 12,
      SHA384_HMAC: 13,
      SHA512_HMAC: 14,
    };
    const cases = readSharedJson<FullPacket[]>("vectors/esp/full-packet-esp.json");
    let used = 0;
    for (const test of cases) {
      const integ = macs[test.auth];
      const id = ciphers[test.cipher];
      const bits = test.cipher === "NULL" || test.cipher === "3DES_CBC" ? 0 : 4 * test.key.length;
      // AES-XCBC is told apart by its name; other names would be a change of the file.
      const suite = protection(id!, bits, /XCBC/.test(test.auth) ? 5 : integ);
      const packet = fromHex(test.protectedPacket);
      const header = packet[0]! >> 4 === 4 ? 20 : 40;
      const keys = {
        encr: fromHex(test.key + test.salt),
        integ: suite.integ === undefined ? EMPTY : fromHex(test.authKey),
      };
      const padding = Uint8Array.from({ length: test.padLength }, (_, i) => i + 1);
      const plain = concat(fromHex(test.plainPacket), padding, Uint8Array.of(test.padLength, test.nextHeader));
      checkPacket(suite, keys, packet.subarray(header), 8, plain);
      used++;
    }
    expect(used).toBe(9);
  });

  it.each([
    "esp-tun-aes128cbc-sha1",
    "esp-tun-aes192cbc-sha384",
    "esp-tun-aes256cbc-sha256",
    "esp-tun-aes128gcm16",
    "esp-tun-aes256gcm16",
    "esp-tun-chacha20poly1305",
    "esp-tun-null-sha256",
  ])("packets of strongSwan: %s", (name) => {
    const capture = readSharedJson<EspCapture>(`vectors/esp/${name}.json`);
    let opened = 0;
    for (const packet of capture.espPackets) {
      const child = capture.childSas.find(({ sas }) => sas.some(({ spi }) => spi === packet.spi))!;
      const sa = child.sas.find(({ spi }) => spi === packet.spi)!;
      const encr = encrSpec(child.encr.id, child.encr.keyBits) ?? encrSpec(child.encr.id, 0)!;
      const suite = { encr, integ: child.integ === null ? undefined : integSpec(child.integ.id) };
      const keys = { encr: fromHex(sa.encKey ?? ""), integ: fromHex(sa.authKey ?? "") };
      const wire = fromHex(packet.wire);
      const plain = unprotect(native, suite, keys, { prefix: wire.subarray(0, 8), body: wire.subarray(8) });
      expect(toHex(plain!).startsWith(packet.inner)).toBe(true);
      opened++;
    }
    expect(opened).toBeGreaterThan(0);
  });
});

describe("every suite", () => {
  const AEADS: [number, number][] = [
    ...[18, 19, 20, 21].flatMap((id) => [128, 192, 256].map((bits): [number, number] => [id, bits])),
    [28, 0],
  ];
  const CIPHERS: [number, number][] = [
    [3, 0],
    [11, 0],
    [12, 128],
    [12, 192],
    [12, 256],
    [13, 128],
    [13, 192],
    [13, 256],
  ];
  const INTEGS = [1, 2, 5, 8, 12, 13, 14];
  const suites: Protection[] = [
    ...AEADS.map(([id, bits]) => protection(id, bits)),
    ...CIPHERS.flatMap(([id, bits]) => INTEGS.map((integ) => protection(id, bits, integ))),
  ];
  const named = suites.map((suite) => [`${suite.encr.name} ${suite.integ?.name ?? ""}`, suite] as const);

  it.each(named)("%s opens what it sealed, the same on both back ends, and nothing that was changed", (name, suite) => {
    const rng = testRng(name);
    const keys = splitSaKeys(suite.encr, suite.integ, rng.bytes(saKeyOctets(suite.encr, suite.integ)));
    const prefix = concat(fromHex("a1b2c3d4"), u32(7));
    for (const blocks of [0, 1, 5]) {
      for (const sequenceHigh of [undefined, u32(3)]) {
        const plain = rng.bytes(48 * blocks);
        const iv = rng.bytes(suite.encr.iv);
        const body = protect(native, suite, keys, { prefix, iv, plain, sequenceHigh });
        expect(protect(noble, suite, keys, { prefix, iv, plain, sequenceHigh })).toEqual(body);
        expect(body.length).toBe(bodyOctets(suite, plain.length));
        for (const crypto of BOTH)
          expect(unprotect(crypto, suite, keys, { prefix, body, sequenceHigh })).toEqual(plain);
        expect(unprotect(native, suite, keys, { prefix, body, sequenceHigh: u32(4) })).toBeUndefined();
      }
    }
    const body = protect(native, suite, keys, { prefix, iv: rng.bytes(suite.encr.iv), plain: rng.bytes(48) });
    for (let at = 0; at < body.length; at++) {
      const flipped = body.slice();
      flipped[at]! ^= 1 << (at % 8);
      expect(unprotect(native, suite, keys, { prefix, body: flipped })).toBeUndefined();
    }
    for (let at = 0; at < prefix.length; at++) {
      const flipped = prefix.slice();
      flipped[at]! ^= 0x10;
      expect(unprotect(native, suite, keys, { prefix: flipped, body })).toBeUndefined();
    }
    for (let length = 0; length < body.length; length++) {
      expect(unprotect(native, suite, keys, { prefix, body: body.subarray(0, length) })).toBeUndefined();
    }
  });

  it("keys, IVs and plaintexts of the wrong length are the caller's bug", () => {
    const suite = protection(12, 128, 12);
    const keys = { encr: new Uint8Array(16), integ: new Uint8Array(32) };
    const input = { prefix: new Uint8Array(8), iv: new Uint8Array(16), plain: new Uint8Array(16) };
    expect(() => protect(native, suite, { ...keys, encr: new Uint8Array(20) }, input)).toThrow();
    expect(() => protect(native, suite, { ...keys, integ: EMPTY }, input)).toThrow();
    expect(() => protect(native, suite, keys, { ...input, iv: new Uint8Array(8) })).toThrow();
    expect(() => protect(native, suite, keys, { ...input, plain: new Uint8Array(15) })).toThrow();
  });
});
