import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Bytes, EMPTY, fromHex, toHex } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import type { DataSa } from "../../src/esp/api.ts";
import { outbound } from "../../src/esp/outbound.ts";
import { dataSa, member, tools, udpPacket } from "./group.ts";

const PYTHON = "/usr/bin/python3";
const hasScapy = spawnSync(PYTHON, ["-c", "import scapy.layers.ipsec"]).status === 0;

interface Opened {
  readonly outer: { src: string; dst: string; tos: number; proto: number; checksum: boolean };
  readonly seq?: number;
  readonly inner?: string;
  readonly error?: string;
}

const key = (octets: number) => secret(Uint8Array.from({ length: octets }, (_, i) => i * 7 + 1));

/** Suite, scapy's names for it, ICV of the cipher itself. */
const SUITES: readonly [string, Partial<DataSa>, string, number | null, string | null][] = [
  [
    "AES-128-CBC, HMAC-SHA1-96",
    { encr: 12, encrKeyBits: 128, encrKey: key(16), integ: 2, integKey: key(20) },
    "AES-CBC",
    null,
    "HMAC-SHA1-96",
  ],
  [
    "AES-256-CBC, HMAC-SHA2-256-128",
    { encr: 12, encrKeyBits: 256, encrKey: key(32), integ: 12, integKey: key(32) },
    "AES-CBC",
    null,
    "SHA2-256-128",
  ],
  [
    "AES-128-CTR, HMAC-SHA2-384-192",
    { encr: 13, encrKeyBits: 128, encrKey: key(20), integ: 13, integKey: key(48) },
    "AES-CTR",
    null,
    "SHA2-384-192",
  ],
  [
    "3DES-CBC, HMAC-SHA2-512-256",
    { encr: 3, encrKeyBits: 0, encrKey: key(24), integ: 14, integKey: key(64) },
    "3DES",
    null,
    "SHA2-512-256",
  ],
  [
    "AES-128-GCM-16",
    { encr: 20, encrKeyBits: 128, encrKey: key(20), integ: 0, integKey: secret(EMPTY) },
    "AES-GCM",
    16,
    null,
  ],
  [
    "AES-256-GCM-16",
    { encr: 20, encrKeyBits: 256, encrKey: key(36), integ: 0, integKey: secret(EMPTY) },
    "AES-GCM",
    16,
    null,
  ],
  [
    "ChaCha20-Poly1305",
    { encr: 28, encrKeyBits: 0, encrKey: key(36), integ: 0, integKey: secret(EMPTY) },
    "CHACHA20-POLY1305",
    16,
    null,
  ],
];

const TITLE = hasScapy ? "scapy" : "scapy (skipped: run `apt-get install python3-scapy`)";

describe.skipIf(!hasScapy)(TITLE, () => {
  describe.each(SUITES)("%s", (_, suite, cipher, icv, auth) => {
    it.each(["tunnel", "transport"] as const)("opens what we seal in %s mode, and sees the addresses kept", (mode) => {
      const sa = dataSa({ senderId: { value: 9, bits: 8 }, ...suite, mode });
      const plane = member(sa);
      const inner = [0, 1, 2, 3, 15, 16, 17, 700].map((octets, i) =>
        udpPacket({ payload: new Uint8Array(octets).fill(i), tos: i % 2 === 0 ? 0xb8 : 0x28, df: i % 3 === 0 }),
      );
      const packets = inner.map((packet): Bytes => {
        const result = outbound(plane, tools(), packet, 1500, 0);
        if (result.kind !== "sealed") throw new Error(JSON.stringify(result));
        return result.packets[0]!;
      });
      const broken = packets[7]!.slice();
      broken[400]! ^= 1;
      const request = {
        spi: sa.spi,
        cipher,
        icv,
        auth,
        mode,
        key: toHex(sa.encrKey.secret),
        authKey: toHex(sa.integKey.secret),
        packets: [...packets, broken].map(toHex),
      };
      const script = fileURLToPath(new URL("scapy_open.py", import.meta.url));
      const run = spawnSync(PYTHON, [script], { input: JSON.stringify(request), encoding: "utf8" });
      expect(run.stderr).toBe("");
      const opened = JSON.parse(run.stdout) as Opened[];
      for (const [i, packet] of inner.entries()) {
        expect(opened[i]).toMatchObject({
          outer: { src: "10.1.0.1", dst: "10.2.0.2", tos: packet[1], proto: 50, checksum: true },
          seq: i + 1,
        });
        expect(fromHex(opened[i]!.inner ?? "")).toEqual(packet);
      }
      expect(opened[8]!.error).toMatch(/IPSecIntegrityError|InvalidTag/);
    });
  });
});
