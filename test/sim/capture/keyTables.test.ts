import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readKeyTables, writeKeyTables } from "../../../sim/capture/keyTables.ts";
import { pcapngChunks } from "../../../sim/capture/pcapng.ts";
import { readCapture } from "../../../sim/capture/readCapture.ts";
import { ESP_CIPHERS, ESP_INTEGRITIES, IKE_CIPHERS, IKE_INTEGRITIES } from "../../../sim/capture/wiresharkNames.ts";
import { NONE, Trace } from "../../../sim/core/trace.ts";
import type { TraceHead } from "../../../sim/core/traceTypes.ts";
import { concat, fromHex } from "../../../src/base/bytes.ts";
import { secret } from "../../../src/base/secret.ts";
import type { EspKeyEntry, IkeKeyEntry, Ikev1KeyEntry, KeyEntry } from "../../../src/crypto/keyEntry.ts";
import { describeShared, readShared, readSharedJson } from "../../shared.ts";
import { describeTool, hasTool } from "../../tools.ts";

const key = (octet: string, count: number) => secret(fromHex(octet.repeat(count)));

const CBC: IkeKeyEntry = {
  kind: "ike",
  spiInitiator: "60788db731a4c403",
  spiResponder: "453ef8e673e73c65",
  encr: 12,
  encrKeyBits: 256,
  integ: 12,
  encrInitiator: key("a1", 32),
  encrResponder: key("a2", 32),
  integInitiator: key("b1", 32),
  integResponder: key("b2", 32),
  skD: key("dd", 32),
  prf: 5,
};
/** A rekey SA: one direction, no SK_d. */
const REKEY: IkeKeyEntry = {
  ...CBC,
  encr: 20,
  integ: 0,
  encrInitiator: key("c1", 36),
  encrResponder: key("c1", 36),
  integInitiator: key("", 0),
  integResponder: key("", 0),
  skD: undefined,
  prf: undefined,
};
const TEK: EspKeyEntry = {
  kind: "esp",
  spi: "00943c11",
  source: "*",
  destination: "*",
  encr: 20,
  encrKeyBits: 128,
  integ: 0,
  encrKey: key("e1", 20),
  integKey: key("", 0),
};
const V1: Ikev1KeyEntry = { kind: "ikev1", cookieInitiator: "41caa82bfb568925", encrKey: key("14", 16) };
const CHACHA: EspKeyEntry = { ...TEK, encr: 28, encrKeyBits: 256, encrKey: key("e2", 36) };

describe("writing", () => {
  it("spells rows as Wireshark wants them", () => {
    const { files, unsupported } = writeKeyTables([CBC, REKEY, TEK]);
    expect(unsupported).toEqual([]);
    const [a1, a2, b1, b2] = ["a1", "a2", "b1", "b2"].map((octet) => octet.repeat(32));
    const c1 = "c1".repeat(36);
    expect(files.get("ikev2_decryption_table")).toBe(
      `60788db731a4c403,453ef8e673e73c65,${a1},${a2},"AES-CBC-256 [RFC3602]",${b1},${b2},"HMAC_SHA2_256_128 [RFC4868]"\n` +
        `60788db731a4c403,453ef8e673e73c65,${c1},${c1},"AES-GCM-256 with 16 octet ICV [RFC5282]",,,"NONE [RFC4306]"\n`,
    );
    expect(files.get("esp_sa")).toBe(
      `"IPv4","*","*","0x00943c11","AES-GCM with 16 octet ICV [RFC4106]","0x${"e1".repeat(20)}","NULL",""\n`,
    );
    expect(files.get("decode_as_entries")).toBe("decode_as_entry: udp.port,848,(none),ISAKMP\n");
    expect(files.get("preferences")).toContain("esp.enable_encryption_decode: TRUE\n");
  });

  it("names a cookie and a key for an SA of IKEv1, in a table that is there for these alone", () => {
    const { files } = writeKeyTables([V1, TEK]);
    expect(files.get("ikev1_decryption_table")).toBe(`41caa82bfb568925,${"14".repeat(16)}\n`);
    expect(writeKeyTables([TEK]).files.has("ikev1_decryption_table")).toBe(false);
  });

  it("makes one row of what all members say", () => {
    const { files } = writeKeyTables([REKEY, { ...REKEY }, TEK, REKEY, { ...TEK }]);
    expect(files.get("ikev2_decryption_table")!.split("\n")).toHaveLength(2);
    expect(files.get("esp_sa")!.split("\n")).toHaveLength(2);
  });

  it("leaves out of Wireshark's tables what it does not know, and lists it", () => {
    const ccm: EspKeyEntry = { ...TEK, encr: 16, encrKey: key("e3", 19) };
    const { files, unsupported } = writeKeyTables([CHACHA, TEK, ccm, { ...CBC, integ: 5 }]);
    expect(unsupported).toEqual([CHACHA, ccm, { ...CBC, integ: 5 }]);
    expect(files.get("esp_sa")!.trimEnd().split("\n")).toHaveLength(1);
    expect(files.get("ikev2_decryption_table")).toBe("");
  });
});

describe("reading", () => {
  it("gives every entry back in full from a folder of ours", () => {
    const entries: KeyEntry[] = [{ ...CBC, dialect: "yeung-07" }, REKEY, TEK, CHACHA, V1];
    expect(readKeyTables(writeKeyTables(entries).files)).toEqual({ entries, problems: [] });
  });

  it("gives all that Wireshark's tables hold from a folder of somebody else", () => {
    const files = new Map(writeKeyTables([CBC, REKEY, TEK]).files);
    files.delete("getvpn_keys");
    files.set("esp_sa", `# a comment\r\n\n${files.get("esp_sa")}`);
    const { entries, problems } = readKeyTables(files);
    expect(problems).toEqual([]);
    expect(entries).toEqual([{ ...CBC, skD: undefined, prf: undefined }, REKEY, TEK]);
  });

  it("takes the rows of IKEv1 as people write them, and names those that are none", () => {
    const rows = [`0x41CAA82BFB568925,0x${"14".repeat(16)}`, "41caa82b,00", "41caa82bfb568925,", "41caa82bfb568925"];
    const { entries, problems } = readKeyTables(new Map([["ikev1_decryption_table", rows.join("\n")]]));
    expect(entries).toEqual([V1]);
    expect(problems.map(({ line }) => line)).toEqual([2, 3, 4]);
  });

  it("finds each cipher and integrity again by its name", () => {
    const bits = (salt: number, keyBits?: number) => (keyBits === 0 ? 24 : (keyBits ?? 256) / 8 + salt);
    const entries: KeyEntry[] = [];
    for (const { encr, keyBits, salt } of IKE_CIPHERS) {
      for (const { integ } of IKE_INTEGRITIES) {
        const encrKey = key("a1", bits(salt, keyBits));
        entries.push({ ...REKEY, encr, encrKeyBits: keyBits!, integ, encrInitiator: encrKey, encrResponder: encrKey });
      }
    }
    for (const { encr, keyBits, salt } of ESP_CIPHERS.slice(0, -1)) {
      for (const { integ } of ESP_INTEGRITIES.slice(0, -1)) {
        const encrKey = encr === 11 ? key("", 0) : key("a1", bits(salt, keyBits));
        entries.push({ ...TEK, encr, encrKeyBits: keyBits ?? 256, integ, encrKey });
      }
    }
    const { files, unsupported } = writeKeyTables(entries);
    expect(unsupported).toEqual([]);
    const foreign = new Map([...files].filter(([name]) => name !== "getvpn_keys"));
    expect(readKeyTables(foreign).entries).toEqual(entries);
  });

  it("lists rows that it cannot read by file and line, and reads the others", () => {
    const good = writeKeyTables([TEK]).files.get("esp_sa")!;
    const rows = [
      '"IPv4","*"',
      good.trimEnd(),
      good.replace("AES-GCM with", "AES-XYZ with").trimEnd(),
      good.replace("0xe1", "0xg1"),
    ];
    const { entries, problems } = readKeyTables(new Map([["esp_sa", rows.join("\n")]]));
    expect(entries).toEqual([TEK]);
    expect(problems.map(({ file, line }) => [file, line])).toEqual([
      ["esp_sa", 1],
      ["esp_sa", 3],
      ["esp_sa", 4],
    ]);
    const own = ["{", "[]", '{"kind":"esp","spi":1}', '{"kind":"x"}', "null"].join("\n");
    expect(readKeyTables(new Map([["getvpn_keys", own]])).problems.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
    expect(readKeyTables(new Map())).toEqual({ entries: [], problems: [] });
  });
});

interface Algorithm {
  readonly id: number;
  readonly keyBits?: number;
}
interface Vector {
  readonly ikeSas: readonly ({
    readonly spiI: string;
    readonly spiR: string;
    readonly encr: Algorithm;
    readonly integ: Algorithm | null;
  } & Readonly<Record<"SK_ei" | "SK_er" | "SK_ai" | "SK_ar" | "SK_d", string | null>>)[];
  readonly childSas: readonly {
    readonly encr: Algorithm;
    readonly integ: Algorithm | null;
    readonly sas: readonly {
      readonly spi: string;
      readonly src: string;
      readonly dst: string;
      readonly encKey: string;
      readonly authKey: string | null;
    }[];
  }[];
  readonly espPackets: readonly unknown[];
}

/** The keys that a real peer logged, as a run of ours would export them. */
function entriesOf({ ikeSas, childSas }: Vector): KeyEntry[] {
  const material = (text: string | null) => secret(fromHex(text ?? ""));
  const common = ({ encr, integ }: { encr: Algorithm; integ: Algorithm | null }) => ({
    encr: encr.id,
    encrKeyBits: encr.keyBits ?? 0,
    integ: integ?.id ?? 0,
  });
  const ike = ikeSas.map(
    (sa): KeyEntry => ({
      kind: "ike",
      ...common(sa),
      spiInitiator: sa.spiI,
      spiResponder: sa.spiR,
      encrInitiator: material(sa.SK_ei),
      encrResponder: material(sa.SK_er),
      integInitiator: material(sa.SK_ai),
      integResponder: material(sa.SK_ar),
    }),
  );
  const esp = childSas.flatMap((child) =>
    child.sas.map(
      (sa): KeyEntry => ({
        kind: "esp",
        ...common(child),
        spi: sa.spi,
        source: sa.src,
        destination: sa.dst,
        encrKey: material(sa.encKey),
        integKey: material(sa.authKey),
      }),
    ),
  );
  return [...ike, ...esp];
}

const HEAD: TraceHead = {
  version: 1,
  scenario: "vector",
  seed: "0",
  run: 0,
  devices: [{ name: "peer", role: "host", addresses: [] }],
  links: [],
  notes: [],
};

function tshark(folder: string, path: string, ...options: string[]): string {
  return execFileSync("tshark", ["-n", "-r", path, ...options], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WIRESHARK_CONFIG_DIR: folder },
  });
}

const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

describeShared("vectors/ikev2", "with the folder as its configuration, tshark", () => {
  if (!hasTool("tshark")) {
    describeTool("tshark", "apt-get install tshark", "decrypts", () => {});
    return;
  }
  const files = [
    "ikev2/v2-psk-aes256cbc-sha256-modp2048",
    "ikev2/v2-psk-aes128gcm16-prfsha256-ecp256",
    "ikev2/v2-psk-aes256gcm16-prfsha384-ecp384",
    "esp/esp-tun-aes256gcm16",
    "esp/esp-tun-aes192cbc-sha384",
    "esp/esp-tun-null-sha256",
  ];
  for (const name of files) {
    it(`decrypts and verifies IKE and ESP of ${name}, written anew as pcapng`, () => {
      const vector = readSharedJson<Vector>(`vectors/${name}.json`);
      const trace = new Trace();
      for (const { octets } of readCapture(readShared(`vectors/${name}.pcap`)).packets) {
        if (octets.length > 0)
          trace.append(trace.events, 0, "packet.sent", NONE, octets, { link: "l", interface: "i" });
      }
      const folder = mkdtempSync(join(tmpdir(), "keys-"));
      try {
        const { files: tables, unsupported } = writeKeyTables(entriesOf(vector));
        expect(unsupported).toEqual([]);
        for (const [file, text] of tables) writeFileSync(join(folder, file), text);
        const path = join(folder, "capture.pcapng");
        writeFileSync(path, concat(...pcapngChunks(HEAD, trace)));
        const text = tshark(folder, path, "-V");
        const encrypted = count(text, /Next payload: Encrypted and Authenticated/g);
        expect(encrypted).toBeGreaterThan(0);
        expect(count(text, /Integrity Checksum Data: .*\[correct\]/g)).toBe(encrypted);
        expect(count(text, /ESP ICV: .*\[correct/g)).toBe(vector.espPackets.length);
        expect(text).not.toMatch(/incorrect|Malformed/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it("accepts every name in the tables, and takes port 848 for IKE", () => {
    const folder = mkdtempSync(join(tmpdir(), "keys-"));
    try {
      const entries: KeyEntry[] = [
        ...IKE_CIPHERS.flatMap(({ encr, keyBits }) =>
          IKE_INTEGRITIES.map(({ integ }): KeyEntry => ({ ...CBC, encr, encrKeyBits: keyBits!, integ })),
        ),
        ...ESP_CIPHERS.flatMap(({ encr, keyBits }) =>
          ESP_INTEGRITIES.map(({ integ }): KeyEntry => ({ ...TEK, encr, encrKeyBits: keyBits ?? 128, integ })),
        ),
      ];
      for (const [file, text] of writeKeyTables(entries).files) writeFileSync(join(folder, file), text);
      // An IKE header of exchange 41 in UDP 848 to 848.
      const ike = "60788db731a4c403 453ef8e673e73c65 00 20 29 00 00000001 0000001c";
      const packet = fromHex(`45000038 00000000 40110000 0a000001 e0000101 0350 0350 0024 0000 ${ike}`);
      const trace = new Trace();
      trace.append(0, 0, "packet.sent", NONE, packet, { link: "l", interface: "i" });
      const path = join(folder, "capture.pcapng");
      writeFileSync(path, concat(...pcapngChunks(HEAD, trace)));
      expect(tshark(folder, path, "-T", "fields", "-e", "frame.protocols")).toBe("raw:ip:udp:isakmp\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
