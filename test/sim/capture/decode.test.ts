import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type DecodedPacket, decodeCapture, jsonPacket } from "../../../sim/capture/decode.ts";
import { fieldText, PLAIN_STYLE } from "../../../sim/capture/fieldText.ts";
import { type KeyRing, keyRing } from "../../../sim/capture/keyRing.ts";
import { readKeyTables } from "../../../sim/capture/keyTables.ts";
import { readCapture } from "../../../sim/capture/readCapture.ts";
import { type Bytes, concat, fromHex, toHex, u16, utf8 } from "../../../src/base/bytes.ts";
import { native } from "../../../src/crypto/native.ts";
import { fragment } from "../../../src/esp/fragment.ts";
import type { Field } from "../../../src/wire/field.ts";
import { Ipv4 } from "../../../src/wire/ip.ts";
import { describeShared, readShared, readSharedJson, sharedPath } from "../../shared.ts";
import { leavesCover } from "../../wire/cover.ts";
import { pcapOf, udpPacket } from "./pcapFile.ts";

/** Decodes a file; asserts that the layers of each packet cover its octets. */
function decodedWhole(file: Bytes, ring?: KeyRing): DecodedPacket[] {
  const packets = [...decodeCapture(file, ring).packets];
  readCapture(file).packets.forEach(({ octets, frame }, index) => {
    const whole = octets.length === 0 ? frame : octets;
    const { layers } = packets[index]!;
    if (whole.length === 0) return;
    leavesCover({ label: "packet", offset: 0, length: whole.length, text: "", children: layers }, whole);
  });
  return packets;
}

function find(fields: readonly Field[], test: (field: Field) => boolean): Field | undefined {
  for (const field of fields) {
    if (test(field)) return field;
    const below = find(field.children, test);
    if (below !== undefined) return below;
  }
  return undefined;
}

const FOLDERS = ["pcap", "ikev1", "ikev2", "esp", "gdoi"];

describe.each(FOLDERS)("captures of %s", (folder) => {
  describeShared(`vectors/${folder}`, "third-party files", () => {
    const names = readdirSync(sharedPath(`vectors/${folder}`)).filter((name) => name.endsWith(".pcap"));
    it.each(names)("%s is decoded, and the fields of every packet cover its octets", (name) => {
      const file = readShared(`vectors/${folder}/${name}`);
      const packets = decodedWhole(file);
      expect(packets.length).toBeGreaterThan(0);
      for (const packet of packets) {
        expect(packet.what).not.toBe("");
        expect(fieldText(packet.layers, PLAIN_STYLE).split("\n").length).toBeGreaterThan(1);
        expect(JSON.parse(JSON.stringify(jsonPacket(packet)))).toEqual(jsonPacket(packet));
      }
    });
    it.each(names)("%s cut anywhere in its last packets is read up to there", (name) => {
      const file = readShared(`vectors/${folder}/${name}`);
      const whole = [...decodeCapture(file).packets].length;
      for (let cut = 1; cut < 60; cut += 7) {
        const { packets, problem } = decodeCapture(file.subarray(0, file.length - cut));
        expect([...packets].length).toBeLessThan(whole);
        expect(problem?.offset ?? file.length).toBeLessThanOrEqual(file.length);
      }
    });
  });
});

describeShared("vectors/malformed", "octets that were made to break parsers", () => {
  interface Token {
    readonly bytes: string;
  }

  /** An IKE_AUTH-like message with one payload in clear. */
  const message = (type: number, version: number, body: Bytes): Bytes => {
    const length = 32 + body.length;
    const header = concat(new Uint8Array(16).fill(7), Uint8Array.of(type, version, version === 16 ? 2 : 35, 8));
    return concat(header, fromHex("00000001"), u16(0), u16(length), Uint8Array.of(0, 0), u16(4 + body.length), body);
  };

  it("fuzz tokens on the ports of IKE become fields, with a problem where they break a rule", () => {
    const tokens = readSharedJson<Token[]>("vectors/malformed/ikev2-fuzz-dictionary.json");
    const payloads = tokens.map(({ bytes }) => fromHex(bytes));
    const packets = [500, 848, 4500].flatMap((port) => payloads.map((payload) => udpPacket(port, payload)));
    const decoded = decodedWhole(pcapOf(101, packets));
    expect(decoded).toHaveLength(packets.length);
    expect(decoded.some(({ what }) => what.includes("truncated"))).toBe(true);
  });
  it("certificates and identities of the wild ride in payloads of both versions", () => {
    const corpus = readSharedJson<{ base64: string }[]>("vectors/malformed/x509-corpus.json");
    const odd = readSharedJson<{ hex: string }[]>("vectors/malformed/ike-identities.json");
    const certificates = corpus.map(({ base64 }) => concat(Uint8Array.of(4), Buffer.from(base64, "base64")));
    const identities = odd.map(({ hex }) => concat(fromHex("02000000"), fromHex(hex)));
    const packets = [
      ...certificates.flatMap((body) => [message(37, 32, body), message(6, 16, body)]),
      ...identities.flatMap((body) => [message(35, 32, body), message(5, 16, body)]),
    ];
    const decoded = decodedWhole(
      pcapOf(
        101,
        packets.map((octets) => udpPacket(848, octets)),
      ),
    );
    expect(decoded).toHaveLength(packets.length);
  });
});

describe("decodeCapture", () => {
  it("shows a frame without IP as octets of the frame", () => {
    const arp = concat(new Uint8Array(12), u16(0x0806), new Uint8Array(28));
    const [packet] = decodedWhole(pcapOf(1, [arp]));
    expect(packet!.layers).toMatchObject([{ label: "Frame", offset: 0, length: 42 }]);
    expect(packet!.source).toBe("");
  });
  it("finds the same packet behind every link layer", () => {
    const packet = udpPacket(848, new Uint8Array(3));
    const cooked = concat(new Uint8Array(14), u16(0x0800), packet);
    const behind: readonly [number, Bytes][] = [
      [101, packet],
      [228, packet],
      [1, concat(new Uint8Array(12), u16(0x0800), packet)],
      [113, cooked],
      [0, concat(fromHex("02000000"), packet)],
    ];
    for (const [linkType, frame] of behind) {
      const [decoded] = decodedWhole(pcapOf(linkType, [frame]));
      expect(decoded, String(linkType)).toMatchObject({ source: "192.0.2.1:848", destination: "192.0.2.2:848" });
    }
  });
  it("says what the capture left away", () => {
    const file = pcapOf(101, [udpPacket(9, new Uint8Array(40))]);
    new DataView(file.buffer).setUint32(24 + 12, 900, true);
    expect([...decodeCapture(file).packets][0]!.layers[0]!.problem).toBe("the capture holds 68 of 900 octets");
  });
  it("refuses what is no capture with the offset of the trouble", () => {
    const { packets, problem } = decodeCapture(utf8("name: lesson\n"));
    expect([...packets]).toEqual([]);
    expect(problem).toMatchObject({ code: "notCapture", offset: 0 });
  });
});

describe("keys that are not those of their algorithm", () => {
  it("open nothing and break nothing", () => {
    const rows = [
      `0102030405060708,1112131415161718,00,00,"AES-CBC-256 [RFC3602]",00,00,"HMAC_SHA2_256_128 [RFC4868]"`,
    ];
    const esp = [`"IPv4","*","*","0x00000001","AES-CBC [RFC3602]","0x0011","HMAC-SHA-1-96 [RFC2404]","0x00"`];
    const tables = new Map([
      ["ikev2_decryption_table", rows.join("\n")],
      ["esp_sa", esp.join("\n")],
    ]);
    const { entries } = readKeyTables(tables);
    expect(entries).toHaveLength(2);
    const sealed = fromHex(`01020304050607081112131415161718 2e202308 00000001 00000050 27000034 ${"5a".repeat(48)}`);
    const packets = [udpPacket(500, sealed), udpPacket(4500, fromHex(`00000001 00000001 ${"5a".repeat(44)}`))];
    const decoded = decodedWhole(pcapOf(101, packets), keyRing(native, entries));
    expect(decoded.map(({ what }) => what)).toEqual([
      "IKEv2 IKE_AUTH initiator, request, message 1: SK",
      "ESP SPI 0x00000001, sequence 1",
    ]);
  });
});

describe("printed fields", () => {
  it("let no control character of a packet reach the terminal", () => {
    const field: Field = { label: "Name", offset: 0, length: 4, text: "a\u001b[2J\u202eb", children: [] };
    expect(fieldText([field], PLAIN_STYLE)).toBe("  Name: a\\u001b[2J\\u202eb\n");
  });
});

describeShared("vectors/ikev2", "captures with Wireshark's tables", () => {
  interface Vector {
    readonly wireshark: Readonly<Record<string, readonly string[]>>;
  }
  it("show the payloads inside of SK and the packet inside of ESP", () => {
    const name = "v2-psk-aes128gcm16-prfsha256-ecp256";
    const { wireshark } = readSharedJson<Vector>(`vectors/ikev2/${name}.json`);
    const files = new Map(Object.entries(wireshark).map(([file, rows]) => [file, rows.join("\n")]));
    const packets = decodedWhole(
      readShared(`vectors/ikev2/${name}.pcap`),
      keyRing(native, readKeyTables(files).entries),
    );
    const lines = packets.map(({ what }) => what);
    expect(lines[0]).toMatch(/^IKEv2 IKE_SA_INIT initiator, request, message 0: SA KE NONCE N\(/);
    expect(lines[2]).toMatch(/^IKEv2 IKE_AUTH initiator, request, message 1: SK \{ IDi .*AUTH .*SA TSi TSr.*\}$/);
    expect(
      lines.some((line) => /^ESP SPI 0x[0-9a-f]{8}, sequence 1 \{ 10\.1\.0\.1 -> 10\.2\.0\.1 ICMP ECHO /.test(line)),
    ).toBe(true);
    const opened = find(packets[2]!.layers, ({ plain }) => plain !== undefined)!;
    expect(JSON.stringify(jsonPacket(packets[2]!))).toContain(
      `"plain":"${Buffer.from(opened.plain!).toString("hex")}"`,
    );
  });
});

describeShared("vectors/ikev1", "IKEv1 and GDOI with a cookie and a key", () => {
  interface Vector {
    readonly wireshark: Readonly<Record<string, readonly string[]>>;
    readonly messages: readonly { readonly encrypted: boolean }[];
    readonly espPackets?: readonly unknown[];
  }
  const ringOf = (tables: Readonly<Record<string, readonly string[]>>): KeyRing => {
    const files = new Map(Object.entries(tables).map(([file, rows]) => [file, rows.join("\n")]));
    const { entries, problems } = readKeyTables(files);
    expect(problems).toEqual([]);
    return keyRing(native, entries);
  };
  const isOpened = (packet: DecodedPacket) =>
    find(packet.layers, ({ plain, problem }) => plain !== undefined && problem === undefined) !== undefined;

  const names = readdirSync(sharedPath("vectors/ikev1")).filter((name) => name.endsWith(".json"));
  it.each(names)("%s: every encrypted message and every ESP packet opens", (name) => {
    const { wireshark, messages, espPackets } = readSharedJson<Vector>(`vectors/ikev1/${name}`);
    const packets = decodedWhole(readShared(`vectors/ikev1/${name.replace("json", "pcap")}`), ringOf(wireshark));
    const isakmp = packets.filter(({ what }) => what.startsWith("ISAKMP"));
    expect(isakmp.filter(isOpened)).toHaveLength(messages.filter(({ encrypted }) => encrypted).length);
    const esp = packets.filter(({ what }) => what.startsWith("ESP"));
    expect(esp.filter(isOpened)).toHaveLength(espPackets?.length ?? 0);
    expect(packets.filter(({ what }) => what.includes("["))).toEqual([]);
  });
  it("shows a packet again as it was when it is asked for twice", () => {
    const { wireshark } = readSharedJson<Vector>("vectors/ikev1/v1-mm-psk-rekey.json");
    const ring = ringOf(wireshark);
    const file = readShared("vectors/ikev1/v1-mm-psk-rekey.pcap");
    const first = decodedWhole(file, ring);
    expect(decodedWhole(file, ring)).toEqual(first);
  });
  it("opens the PULL with the key of the phase 1, and the PUSHes with the keys that the PULL handed out", () => {
    interface Keys {
      readonly phase1: readonly { readonly cky_i: string; readonly cipher_key: string }[];
    }
    const { cky_i, cipher_key } = readSharedJson<Keys>("vectors/gdoi/keys.json").phase1[0]!;
    const packets = decodedWhole(
      readShared("vectors/gdoi/pull-push.pcap"),
      ringOf({ ikev1_decryption_table: [`${cky_i},${cipher_key}`] }),
    );
    expect(packets.map(({ what }) => what.replace(/0x[0-9a-f]{8}/, "M-ID"))).toEqual([
      "ISAKMP IDENTITY_PROTECTION: SA",
      "ISAKMP IDENTITY_PROTECTION: SA",
      "ISAKMP IDENTITY_PROTECTION: KE NONCE",
      "ISAKMP IDENTITY_PROTECTION: KE NONCE",
      "ISAKMP IDENTITY_PROTECTION: { ID HASH N(INITIAL-CONTACT) }",
      "ISAKMP IDENTITY_PROTECTION: { ID HASH N(INITIAL-CONTACT) }",
      "ISAKMP GROUPKEY_PULL, message M-ID: { HASH NONCE ID }",
      "ISAKMP GROUPKEY_PULL, message M-ID: { HASH NONCE SA { SAK GAP SAT SAT } }",
      "ISAKMP GROUPKEY_PULL, message M-ID: { HASH GAP }",
      "ISAKMP GROUPKEY_PULL, message M-ID: { HASH SEQ KD }",
      "ISAKMP GROUPKEY_PUSH: { SEQ SA { SAK GAP SAT SAT SAT SAT } KD SIG }",
      "ISAKMP GROUPKEY_PUSH: { SEQ SA { SAK GAP SAT SAT } KD SIG }",
      "ISAKMP GROUPKEY_PUSH: { SEQ SA { SAK GAP } KD SIG }",
      "ISAKMP GROUPKEY_PUSH: { SEQ SA { SAK GAP SAT SAT } KD SIG }",
      "ISAKMP GROUPKEY_PUSH: { SEQ SA { SAK GAP SAT SAT } KD SIG }",
      "ISAKMP GROUPKEY_PUSH: { SEQ D SIG }",
    ]);
  });
  it("leaves closed what a wrong key does not open, and marks it", () => {
    const { wireshark } = readSharedJson<Vector>("vectors/ikev1/v1-mm-psk-aes256-sha256-modp2048.json");
    const [cookie, key] = wireshark.ikev1_decryption_table![0]!.split(",");
    const rows = { ikev1_decryption_table: [`${cookie},${key!.replace(/^../, "00")}`] };
    const packets = decodedWhole(readShared("vectors/ikev1/v1-mm-psk-aes256-sha256-modp2048.pcap"), ringOf(rows));
    expect(packets[4]!.what).toMatch(/^ISAKMP IDENTITY_PROTECTION.*\[/);
    const short = { ikev1_decryption_table: [`${cookie},0011`] };
    expect(
      decodedWhole(readShared("vectors/ikev1/v1-mm-psk-aes256-sha256-modp2048.pcap"), ringOf(short))[4]!.what,
    ).toBe("ISAKMP IDENTITY_PROTECTION");
  });
});

describe("a datagram in IP fragments", () => {
  const message = concat(
    fromHex("0102030405060708 0000000000000000 29202208 00000000"),
    u16(0),
    u16(1428),
    new Uint8Array(1400),
  );
  const whole = udpPacket(500, message);
  const parts = fragment(whole, 576)!;

  it("is shown whole with the fragment that completes it, in whatever order they come", () => {
    const packets = decodedWhole(pcapOf(101, [parts[2]!, parts[0]!, parts[1]!]));
    expect(packets.map(({ what }) => what.includes("reassembled"))).toEqual([false, false, true]);
    const last = packets[2]!.layers[0]!.children.at(-1)!;
    expect(last.plain).toEqual(whole);
    expect(last.children.map(({ label }) => label)).toEqual(["IPv4", "UDP", "IKEv2"]);
    expect(jsonPacket(packets[2]!).layers[0]!.children.at(-1)!.plain).toBe(toHex(whole));
  });

  it("stays in pieces where one is missing or belongs to another packet", () => {
    const foreign = fragment(Ipv4.encode({ ...Ipv4.decode(whole), identification: 2 }), 576)!;
    for (const frames of [parts.slice(1), [parts[0]!, parts[1]!, foreign[2]!], [parts[0]!, parts[0]!, parts[2]!]]) {
      for (const { what } of decodedWhole(pcapOf(101, frames))) expect(what).not.toContain("reassembled");
    }
  });
});
